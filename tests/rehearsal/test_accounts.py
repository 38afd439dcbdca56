"""An account found by what a person knows of it; errors repeat nothing of that."""

from __future__ import annotations

import msgspec
import pytest

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.people import NOBODY, People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.rehearsal.accounts import find_account
from tests.runner.office import office_site

SITE = office_site(10, 20, 30)
FIRST, SECOND, THIRD = (one.id for one in SITE.users[:3])
LIVE = Live(
    SITE,
    People(
        {
            FIRST: Person("Ada  Example", "ada@acme.com"),
            SECOND: Person("Twin Example", "one@acme.com"),
            THIRD: Person("twin example", "other@acme.com"),
        }
    ),
)


@pytest.mark.parametrize("who", [FIRST, "ada@acme.com", "ADA@ACME.COM", "Ada Example", " ada   EXAMPLE "])
def test_an_id_an_address_and_a_name_find_the_account(who: str) -> None:
    assert find_account(who, LIVE, by_name=True).id == FIRST


def test_a_name_of_several_accounts_finds_none_and_lists_their_ids() -> None:
    with pytest.raises(CleanupError) as raised:
        find_account("Twin Example", LIVE, by_name=True)
    assert raised.value.message == f"2 accounts of acme have this name: {SECOND}, {THIRD}."
    assert "account id" in raised.value.hint


@pytest.mark.parametrize("who", ["Nobody Here", "", "   ", "Ada"])
def test_a_name_that_nobody_has_is_not_repeated(who: str) -> None:
    with pytest.raises(CleanupError) as raised:
        find_account(who, LIVE, by_name=True)
    assert raised.value.message == "No account of acme has this id or this name."


def test_a_name_finds_nobody_where_only_ids_and_addresses_count() -> None:
    with pytest.raises(CleanupError, match="has this id"):
        find_account("Ada Example", LIVE)


@pytest.mark.parametrize("who", ["ada@acme.com", "Ada Example", "712020:gone"])
def test_a_snapshot_knows_ids_alone(who: str) -> None:
    recorded = Live(msgspec.structs.replace(SITE, kept_attributes=()), NOBODY)
    assert find_account(FIRST, recorded, by_name=True).id == FIRST
    with pytest.raises(CleanupError) as raised:
        find_account(who, recorded, by_name=True)
    assert who not in raised.value.message + raised.value.hint
    assert "neither names nor addresses" in raised.value.hint

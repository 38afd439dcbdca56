"""Pseudonyms of people who begin: which account one stands for, and whom views may show under it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from cleanup_gitops.model.change import invite_address
from cleanup_gitops.model.memory import Settling
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guests import accounts_by_pseudonym, linked, pseudonym_of, with_guests
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.roster import Joiners, Roster, Source
from cleanup_gitops.policy.roster_rows import RosterRow, RosterRows
from tests.policy.users import group, inventory, user

KEY = b"a key that nobody can guess, of 32 and more"
KEYED = People(key=KEY)
EMAILS = {
    "712020:1": "no address",
    "712020:2": None,
    "712020:3": "Shared@acme.com",
    "712020:4": "Cy@ACME.com",
    "712020:5": "shared@acme.com",
    "712020:6": "dee@acme.com",
}


def live(key: bytes = KEY) -> Live:
    users = tuple(msgspec.structs.replace(user(), id=account) for account in EMAILS)
    people = {account: Person("Somebody", email) for account, email in EMAILS.items()}
    return Live(inventory(group(1, "wiki"), users=users), People(people, key))


def test_a_pseudonym_stands_for_the_one_account_with_its_address_and_for_none_of_several() -> None:
    found = accounts_by_pseudonym(live())
    expected = {"cy@acme.com": "712020:4", "dee@acme.com": "712020:6"}
    assert found == {KEYED.pseudonym(address): account for address, account in expected.items()}
    assert accounts_by_pseudonym(live(key=b"")) == {}


def settling(who: str) -> Settling:
    return Settling(run="r", address=who, user=who, at=datetime(2026, 11, 22, tzinfo=UTC), after={})


def test_an_invitation_whose_answer_was_lost_is_found_again_as_the_account_with_its_address() -> None:
    """And every other line stays as it is, also one of an account that nobody shows."""
    invited, unknown, shared = (
        invite_address("hr", KEYED.pseudonym(address))
        for address in ("cy@acme.com", "not.yet.there@acme.com", "shared@acme.com")
    )
    lines = [settling(one) for one in ("712020:6", invited, unknown, shared, "712020:9")]
    found = linked(lines, live())
    assert [one.user for one in found] == ["712020:6", "712020:4", unknown, shared, "712020:9"]
    assert [one.address for one in found] == [one.address for one in lines]
    assert linked(lines, live(key=b"")) == tuple(lines)
    assert linked(lines[:1], live()) == tuple(lines[:1])


def test_views_show_those_whom_rosters_with_joiners_name_by_an_address_and_nobody_else() -> None:
    source = Source(columns={"email": "mail"}, time_zone="UTC", env="HR")
    rows = RosterRows("HR", (RosterRow(2, account="712020:9"), RosterRow(3, "new@acme.com")), "sha256:0", "UTC")
    joiners = Joiners(("wiki",), "user", where="policies/hr.yaml:9")
    rosters = tuple(
        Roster(name=name, owner="hr", source=source, joiners=joiners if name != "gone" else None)
        for name in ("not-read", "gone", "hr")
    )
    policies = replace(SitePolicies(site="acme"), rosters=rosters)
    lists = Lists(rosters={"gone": rows, "hr": rows})
    people = with_guests(live().people, policies, lists)
    assert len(people) == len(EMAILS) + 1
    address = invite_address("hr", KEYED.pseudonym("new@acme.com"))
    assert (people.name(address), people.email(address)) == ("new@acme.com", "new@acme.com")
    assert people.email("712020:6") == "dee@acme.com"
    assert people.pseudonym("new@acme.com") == pseudonym_of(address) == KEYED.pseudonym("new@acme.com")
    assert len(with_guests(live(key=b"").people, policies, lists)) == len(EMAILS)

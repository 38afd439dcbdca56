from __future__ import annotations

import re
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.group import Group
from tests import strategies as some

SAFE = re.compile(r"groups/[a-z0-9_][a-z0-9._-]*\.txt")


def groups(*names: str) -> list[Group]:
    return [Group(id=f"id-{number}", name=name, directory="default") for number, name in enumerate(names)]


@given(st.lists(some.labels(), max_size=8))
def test_every_group_has_a_safe_file_of_its_own_even_where_case_is_ignored(names: list[str]) -> None:
    files = layout.group_files(groups(*names))
    assert files.keys() == {f"id-{number}" for number in range(len(names))}
    assert len({path.casefold() for path in files.values()}) == len(names)
    assert all(SAFE.fullmatch(path) for path in files.values())


@given(st.lists(some.labels(), max_size=8), st.randoms())
def test_the_order_of_the_groups_does_not_matter(names: list[str], random: Random) -> None:
    found = groups(*names)
    shuffled = random.sample(found, len(found))
    assert layout.group_files(found) == layout.group_files(shuffled)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("wiki-editors", "groups/wiki-editors.txt"),
        ("Wiki Editors", "groups/wiki-editors.txt"),
        ("Équipe α", "groups/equipe.txt"),
        ("a/../../b", "groups/a-..-..-b.txt"),
        ("x" * 200, f"groups/{'x' * 60}.txt"),
    ],
)
def test_a_name_stays_readable_as_far_as_it_is_safe(name: str, path: str) -> None:
    assert layout.group_files(groups(name)) == {"id-0": path}


@pytest.mark.parametrize("name", ["", "...", "CON", "com1.log", "Отдел", "\u202e", "../.."])
def test_a_name_of_which_nothing_safe_is_left_becomes_a_suffix_of_the_id(name: str) -> None:
    (path,) = layout.group_files(groups(name)).values()
    assert re.fullmatch(r"groups/group-[0-9a-f]{8}\.txt", path)


def test_names_that_share_a_file_all_get_a_suffix() -> None:
    first, second, third = layout.group_files(groups("Team A", "team a", "team b")).values()
    assert re.fullmatch(r"groups/team-a-[0-9a-f]{8}\.txt", first)
    assert re.fullmatch(r"groups/team-a-[0-9a-f]{8}\.txt", second)
    assert third == "groups/team-b.txt"


def test_a_group_that_is_called_like_the_suffix_of_another_does_not_take_its_file() -> None:
    (_, suffixed, _) = layout.group_files(groups("b", "a", "a")).values()
    taken = suffixed.removeprefix("groups/").removesuffix(".txt")
    files = layout.group_files(groups(taken, "a", "a"))
    assert files["id-0"] == suffixed
    assert len(set(files.values())) == 3


def test_an_account_lies_in_the_shard_of_the_first_byte_of_its_hash() -> None:
    # printf %s 712020:4f | sha256sum
    assert layout.shard("712020:4f") == "accounts/14.jsonl"


def test_a_month_of_the_ledger_is_a_month_of_utc() -> None:
    assert layout.ledger_file(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == "ledger/2026-11.jsonl"


@pytest.mark.parametrize("site", ["", "..", ".git", "a/b", "a\\b", "a b", "-x", "a\n", "x" * 101])
def test_a_site_whose_name_is_no_folder_name_is_refused(site: str) -> None:
    with pytest.raises(StateError, match="cannot have a folder"):
        layout.site_folder(site)


def test_a_site_has_a_folder_below_state() -> None:
    assert layout.site_folder("acme-2.eu") == "state/acme-2.eu"

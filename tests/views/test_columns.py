"""What each column says of users and groups, and how lists are sorted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.group import Grant, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import GrantSeat, GroupSeat, RoleSeat, User
from cleanup_gitops.policy.match import Match, Scope, compile_match
from cleanup_gitops.policy.tree import InactiveFor
from cleanup_gitops.views.columns import Column, Sheet, data, in_order, rank, words
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.group_columns import GROUP_COLUMNS
from cleanup_gitops.views.user_columns import PERSONAL, USER_COLUMNS, idle_days, without_people
from tests.policy.users import NOW, ago, day, group, inventory, user
from tests.strategies import inventories

GROUPS = (group(1, "wiki-users"), group(2, "alumni"), group(3, "nested", parents=("g-1",)))
FACTS = Facts(inventory(*GROUPS), People({"712020:1": Person("Ada Example", "ada@acme.com")}))


def said(name: str, one: User, facts: Facts = FACTS) -> tuple[str, Any]:
    """A column of a user as people and as programs get it."""
    value = USER_COLUMNS[name].value(one, facts)
    return words(value), data(value)


@pytest.mark.parametrize(
    ("name", "facts", "text", "value"),
    [
        ("id", {}, "712020:1", "712020:1"),
        ("name", {}, "Ada Example", "Ada Example"),
        ("email", {}, "ada@acme.com", "ada@acme.com"),
        ("domain", {}, "acme.com", "acme.com"),
        ("domain", {"domain": None}, "unknown", None),
        ("status", {}, "active", "active"),
        ("status_since", {"status_since": day("2026-10-01")}, "2026-10-01", "2026-10-01T12:00:00Z"),
        ("kind", {}, "person", "person"),
        ("kind", {"kind": "unknown"}, "unknown", None),
        ("license", {"license": "unknown"}, "unknown", None),
        ("billed", {}, "yes", True),
        ("billed", {"license": "guest"}, "no", False),
        ("billed", {"status": "unknown"}, "unknown", None),
        ("managed", {}, "unknown", None),
        ("synced", {"synced": False}, "no", False),
        ("external", {"external": True}, "yes", True),
        ("admin", {"admin": True}, "yes", True),
        ("roles", {"roles": ()}, "", []),
        ("roles", {"roles": ("confluence-admin", "site-admin")}, "confluence-admin, site-admin",
         ["confluence-admin", "site-admin"]),
        ("roles", {}, "unknown", None),
        ("direct", {"direct": ("user",)}, "user", ["user"]),
        ("added", {"added": None}, "unknown", None),
        ("added", {"added": day("2026-01-02")}, "2026-01-02", "2026-01-02T12:00:00Z"),
        ("groups", {"groups": None}, "unknown", None),
        ("groups", {"groups": ("g-1", "g-2")}, "alumni, wiki-users",
         [{"id": "g-2", "name": "alumni"}, {"id": "g-1", "name": "wiki-users"}]),
        ("seats", {"seats": None}, "unknown", None),
        ("seats", {"seats": ()}, "", []),
        ("seats", {"seats": (GroupSeat(("g-3", "g-1")), RoleSeat("user"), GrantSeat("USECONFLUENCE"))},
         "group nested > wiki-users, role user, permission USECONFLUENCE",
         [{"by": "group", "chain": [{"id": "g-3", "name": "nested"}, {"id": "g-1", "name": "wiki-users"}]},
          {"by": "role", "role": "user"}, {"by": "permission", "permission": "USECONFLUENCE"}]),
        ("elsewhere", {"elsewhere": None}, "unknown", None),
        ("elsewhere", {"elsewhere": (("jira-software", seen_at(day("2026-10-01"))), ("trello", Never()))},
         "jira-software 2026-10-01, trello never",
         [{"product": "jira-software",
           "seen": {"is": "seen", "earliest": "2026-10-01T12:00:00Z", "latest": "2026-10-01T12:00:00Z",
                    "source": "directory"}},
          {"product": "trello", "seen": {"is": "never", "since": None, "source": "directory"}}]),
        ("attributes", {"attributes": (("department", "Sales"),)}, "department: Sales",
         [{"name": "department", "value": "Sales"}]),
        ("directory", {}, "default", "default"),
    ],
)  # fmt: skip
def test_a_fact_is_shown_as_it_was_told(name: str, facts: dict[str, Any], text: str, value: object) -> None:
    assert said(name, user(**facts)) == (text, value)


def test_every_column_knows_what_to_say_of_somebody_of_whom_nothing_is_known() -> None:
    nobody = User(id="712020:9", directory="default")
    for name in USER_COLUMNS:
        text, _ = said(name, nobody)
        assert "None" not in text, name


@pytest.mark.case("E1")
def test_never_stands_apart_from_unknown_and_from_long_ago() -> None:
    assert said("seen", user(seen=Never(day("2024-01-15"))))[0] == "never"
    assert said("seen", user(seen=Unknown("not in the answer")))[0] == "unknown (not in the answer)"
    assert said("seen", user(seen=seen_at(day("2020-01-01"))))[0] == "2020-01-01"
    interval = Seen(day("2026-05-04"), day("2026-05-10"), "snapshot")
    assert said("seen", user(seen=interval))[0] == "2026-05-04 to 2026-05-10"
    assert said("seen", user(seen=Never()))[1] == {"is": "never", "since": None, "source": "directory"}


def test_the_source_of_the_last_use_is_told() -> None:
    assert said("source", user(seen=seen_at(day("2026-05-01"), "content"))) == ("content", "content")
    assert said("source", user(seen=Never(source="csv"))) == ("csv", "csv")
    assert said("source", user(seen=Unknown("not read"))) == ("", None)


@pytest.mark.case("E15")
def test_somebody_who_never_accepted_the_invitation_is_shown_as_invited() -> None:
    invited = user(accepted=False, seen=Never(day("2026-01-01")))
    assert said("status", invited) == ("invited", "active")
    assert said("accepted", invited) == ("no", False)
    stopped = user(accepted=True, seen=seen_at(day("2024-01-01")))
    assert said("status", stopped) == ("active", "active")
    assert said("status", user(accepted=None)) == ("active", "active")
    assert said("status", user(accepted=False, status="suspended")) == ("suspended", "suspended")


def test_a_hidden_address_is_not_an_unknown_one() -> None:
    stranger = Facts(inventory(*GROUPS))
    assert said("email", user(has_email=False), stranger) == ("hidden", None)
    assert said("email", user(), stranger) == ("unknown", None)


@pytest.mark.case("E5")
def test_idle_days_are_counted_between_utc_dates_after_the_lag() -> None:
    assert idle_days(user(seen=seen_at(ago(10))), FACTS) == 9
    assert idle_days(user(seen=seen_at(ago(10), "content")), FACTS) == 10
    assert idle_days(user(seen=seen_at(NOW)), FACTS) == 0
    assert idle_days(user(seen=Never()), FACTS) is None
    assert said("idle", user(seen=Never())) == ("", None)


@given(inventories(), st.integers(1, 400))
def test_whoever_matches_inactive_for_has_more_idle_days(found: Inventory, days: int) -> None:
    verdict = compile_match(Match(all=(InactiveFor(days),)), Scope(found.as_of, found)).verdict
    for one in found.users:
        if verdict(one):
            assert (idle_days(one, Facts(found)) or 0) > days


@given(inventories(), st.sampled_from(sorted(USER_COLUMNS)))
def test_sorting_keeps_everybody_and_puts_the_unknown_last(found: Inventory, name: str) -> None:
    facts = Facts(found)
    column = USER_COLUMNS[name]
    up, down = (in_order(Sheet([column], found.users, facts), [(column, turned)]) for turned in (False, True))
    assert sorted(one.id for one in up) == sorted(one.id for one in down) == [one.id for one in found.users]
    for rows in (up, down):
        known = [rank(column.value(one, facts)) is not None for one in rows]
        assert known == sorted(known, reverse=True)


def test_never_is_sorted_before_every_use() -> None:
    people = [
        replace(user(seen=seen), id=name)
        for name, seen in (("b", seen_at(ago(9))), ("u", Unknown("x")), ("n", Never()), ("a", seen_at(ago(90))))
    ]
    sheet = Sheet([USER_COLUMNS["seen"]], people, FACTS)
    assert [one.id for one in in_order(sheet, [(USER_COLUMNS["seen"], False)])] == ["n", "a", "b", "u"]
    assert [one.id for one in in_order(sheet, [(USER_COLUMNS["seen"], True)])] == ["b", "a", "n", "u"]


def test_the_first_column_to_sort_by_decides_and_the_next_breaks_ties() -> None:
    people = [
        replace(user(status=status), id=name)
        for name, status in (("1", "suspended"), ("2", "active"), ("3", "suspended"), ("4", "active"))
    ]
    order = [(USER_COLUMNS["status"], False), (USER_COLUMNS["id"], True)]
    assert [one.id for one in in_order(Sheet([], people, FACTS), order)] == ["4", "2", "3", "1"]


def test_ids_only_leaves_no_column_that_says_who_somebody_is() -> None:
    left = without_people(ids_only=True)
    assert set(USER_COLUMNS) - set(left) == set(PERSONAL)
    for column in left.values():
        shown = words(column.value(user(), FACTS))
        assert "Ada" not in shown
        assert "ada@" not in shown


def of_group(name: str, one: Group, facts: Facts) -> tuple[str, Any]:
    value = GROUP_COLUMNS[name].value(one, facts)
    return words(value), data(value)


def test_groups_tell_their_members_and_the_seats_held_through_them() -> None:
    people = [
        replace(user(seats=(GroupSeat(("g-1",)),)), id="1"),
        replace(user(seats=(GroupSeat(("g-3", "g-1")), RoleSeat("user")), groups=("g-3",)), id="2"),
        replace(user(status="suspended", seats=(GroupSeat(("g-1",)),)), id="3"),
        replace(user(groups=None, seats=None), id="4"),
    ]
    facts = Facts(inventory(*GROUPS, users=people), protected={"g-2": "break-glass"})
    assert [of_group("members", one, facts)[1] for one in GROUPS] == [2, 0, 1]
    assert [of_group("seats", one, facts)[1] for one in GROUPS] == [2, 0, 1]
    assert facts.memberships_unknown == 1
    assert [of_group("protected_by", one, facts) for one in GROUPS[:2]] == [("", None), ("break-glass", "break-glass")]


@pytest.mark.parametrize(
    ("name", "facts", "text", "value"),
    [
        ("license", {"license": "seat"}, "seat", "seat"),
        ("license", {}, "unknown", None),
        ("admin", {"admin": False}, "no", False),
        ("synced", {"synced": True}, "yes", True),
        ("modifiable", {}, "unknown", None),
        ("grants", {"grants": (Grant("confluence", "user"),)}, "confluence: user",
         [{"product": "confluence", "role": "user"}]),
        ("grants", {}, "unknown", None),
        ("grants", {"grants": ()}, "", []),
        ("name", {}, "alumni", "alumni"),
        ("id", {}, "g-2", "g-2"),
        ("directory", {}, "default", "default"),
    ],
)  # fmt: skip
def test_a_fact_of_a_group_is_shown_as_it_was_told(name: str, facts: dict[str, Any], text: str, value: object) -> None:
    assert of_group(name, replace(GROUPS[1], **facts), FACTS) == (text, value)


@pytest.mark.parametrize("columns", [USER_COLUMNS, GROUP_COLUMNS])
def test_every_column_has_a_name_a_title_and_a_meaning(columns: dict[str, Column[Any]]) -> None:
    for name, column in columns.items():
        assert name == column.name == name.lower()
        assert column.title.isupper()
        assert column.meaning


def test_a_day_is_a_utc_date() -> None:
    assert words(datetime(2026, 5, 1, 0, 30, tzinfo=UTC)) == "2026-05-01"

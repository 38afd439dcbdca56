"""What is asked of accounts that are gone, and of those who would come to hold a seat when there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cleanup_gitops.policy.documents import Ensure
from tests.planner.test_edge_cases_planner import GROUPS, IDLE, fate, plan_of, policy, site

ALLOWED = {"enablement": "", "deletion": ""}
BY_PROVIDER = {"enablement": "externalDirectory.scim", "deletion": "externalDirectory.scim"}
ROLE = {"by": "role", "role": "user"}
MORE = (
    *GROUPS,
    {"id": "g-odd", "name": "odd", "license": "unknown"},
    {"id": "g-s", "name": "staff", "license": "seat"},
)


@pytest.mark.case("E47")
@pytest.mark.parametrize("status", ["absent", "deleting"])
@pytest.mark.parametrize(
    ("facts", "ensure"),
    [
        ({}, Ensure(groups_absent=("users",))),
        ({}, Ensure(no_access=True)),
        ({"groups": [], "seats": [ROLE], "direct": ["user"]}, Ensure(no_access=True)),
        ({"seats": None}, Ensure(no_access=True)),
        ({"direct": None}, Ensure(no_access=True)),
    ],
)
def test_nothing_is_left_to_take_from_an_account_that_is_gone(
    status: str, facts: dict[str, Any], ensure: Ensure
) -> None:
    plan = plan_of(site({"id": "a", "status": status, **facts}), policy(IDLE, ensure=ensure))
    assert fate(plan, "a") == ("unchanged", "already-so")


@pytest.mark.case("E47")
@pytest.mark.parametrize(
    ("facts", "ensure", "actions", "handed"),
    [
        # tokens outlive a place in the directory, and only that
        ({"status": "absent", "tokens": ["t-1"]}, Ensure(no_tokens=True), ["tokens.revoke"], []),
        ({"status": "deleting", "tokens": ["t-1"]}, Ensure(no_tokens=True), [], []),
        ({"status": "absent"}, Ensure(groups_present=("editors",)), [], ["account-absent"]),
        ({"status": "deleting"}, Ensure(groups_present=("editors",)), [], ["account-deleting"]),
        # what is to be deleted altogether has no access to end before
        ({"status": "absent", "lifecycle": ALLOWED}, Ensure(status="deleted", no_access=True), ["user.delete"], []),
        # and whoever is opened again is there for everything else
        ({"status": "deleting", "lifecycle": ALLOWED}, Ensure(status="active", groups_present=("editors",)),
         ["user.enable", "membership.add"], []),
        ({"status": "deleting", "lifecycle": BY_PROVIDER}, Ensure(status="active", groups_present=("editors",)),
         [], ["externalDirectory.scim", "account-deleting"]),
        ({"status": "absent"}, Ensure(status="active", groups_present=("editors",)),
         [], ["account-absent", "account-absent"]),
    ],
)  # fmt: skip
def test_what_can_be_done_about_an_account_that_is_gone(
    facts: dict[str, Any], ensure: Ensure, actions: list[str], handed: list[str]
) -> None:
    plan = plan_of(site({"id": "a", **facts}), policy(IDLE, ensure=ensure))
    assert [one.action for one in plan.changes] == actions
    assert sorted(one.reason for one in plan.handoffs) == sorted(handed)


@pytest.mark.case("E51")
@pytest.mark.parametrize(
    ("facts", "group", "expected"),
    [
        ({}, "staff", ("changed", "changed")),
        ({"groups": [], "status": "suspended"}, "staff", ("changed", "changed")),
        ({"groups": []}, "editors", ("changed", "changed")),
        ({"groups": []}, "staff", ("conflict", "no-seat-left")),
        ({"groups": []}, "odd", ("conflict", "no-seat-left")),
        ({"groups": ["g-guests"]}, "staff", ("conflict", "no-seat-left")),
    ],
)
def test_a_site_without_a_free_seat_keeps_out_only_who_would_take_one(
    facts: dict[str, Any], group: str, expected: tuple[str, str]
) -> None:
    people = ({"id": "a", **facts}, {"id": "b", "seen": "2026-11-22"})
    plan = plan_of(site(*people, groups=MORE, seat_limit=1), policy(IDLE, ensure=Ensure(groups_present=(group,))))
    assert fate(plan, "a") == expected


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("facts", "goes"),
    [({"parents": ["g-admins"]}, False), ({"parents": ["g-editors"]}, True), ({"admin": None}, False)],
)
def test_nobody_becomes_an_administrator_through_a_nested_group_unless_the_policy_says_so(
    facts: dict[str, Any], goes: bool
) -> None:
    inventory = site({"id": "a"}, groups=[*GROUPS, {"id": "g-leads", "name": "leads", **facts}])
    gives = policy(IDLE, ensure=Ensure(groups_present=("leads",)))
    silent = plan_of(inventory, gives)
    assert fate(silent, "a") == (("changed", "changed") if goes else ("conflict", "administrator-group"))
    assert plan_of(inventory, replace(gives, include_admins=True)).changes

"""Why a seat is occupied, and who can end each of the ways by which it is held."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.user import GrantSeat, GroupSeat, RoleSeat
from cleanup_gitops.planner import make_plan
from cleanup_gitops.planner.ready import evaluate
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import AccountIs, Match
from cleanup_gitops.rehearsal.seat import explain_seat
from tests.planner.organizations import organization
from tests.runner.office import SEATS, office_site
from tests.strategies import AS_OF

SITE = office_site(10)


def ways(**facts: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - fields of a User
    """Who ends each way of somebody with these facts."""
    user = msgspec.structs.replace(SITE.users[0], **facts)
    found = explain_seat(user, Scope(SITE.as_of, SITE))
    return [(one.hands, one.reason) for one in found.ways or ()]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, [("here", "")]),
        ({"groups": None}, [("unknown", "groups-unknown")]),
        ({"status": "unknown"}, [("unknown", "status-unknown")]),
        ({"status": "absent"}, [("not", "account-absent")]),
        ({"seats": (RoleSeat("user"),), "direct": ("user",)}, [("here", "")]),
        ({"seats": (RoleSeat("user"),), "direct": None}, [("unknown", "direct-roles-unknown")]),
        ({"seats": (RoleSeat("admin"),), "direct": ("admin",)}, [("not", "administrator-role")]),
        ({"seats": (GrantSeat("USE"),)}, [("not", "seat-by-permission")]),
        ({"seats": None}, []),
        (
            {"seats": (GroupSeat((SEATS,)), RoleSeat("user")), "direct": ("user",)},
            [("here", ""), ("here", "")],
        ),
    ],
)
def test_each_way_says_who_can_end_it(facts: dict[str, Any], told: list[tuple[str, str]]) -> None:
    assert ways(**facts) == told


def test_ways_that_the_site_does_not_tell_are_in_doubt_and_not_none() -> None:
    user = msgspec.structs.replace(SITE.users[0], seats=None)
    found = explain_seat(user, Scope(SITE.as_of, SITE))
    assert found.ways is None
    assert "seats-unknown" in found.doubts


def test_an_account_that_is_closed_needs_no_closing() -> None:
    user = msgspec.structs.replace(SITE.users[0], status="suspended")
    found = explain_seat(user, Scope(SITE.as_of, SITE))
    assert (found.billed, found.closing) == (False, None)


@given(st.integers(0, 2**32))
def test_what_can_be_ended_here_is_what_a_policy_that_takes_all_access_plans(seed: int) -> None:
    inventory: Inventory = organization(Random(seed), seat_limit=False)
    scope = Scope(AS_OF, inventory)
    for user in inventory.users:
        if user.kind != "person" or user.admin is not False:
            continue
        match = Match(all=(AccountIs((user.id,)),))
        policy = Policy(name="p", owner="o", why="w", match=match, ensure=Ensure(no_access=True))
        policies = SitePolicies(site=inventory.site, policies=(policy,))
        plan = make_plan(inventory, policies, BLANK, created=AS_OF, as_of=AS_OF, tool_version="")
        if evaluate(inventory, policies, AS_OF).shield.protection(user) or user.groups is None:
            continue
        found = explain_seat(user, scope)
        hands = {one.hands for one in found.ways or ()}
        if plan.dispositions[user.id].state == "changed":
            assert "here" in hands
            assert hands <= {"here", "elsewhere"}
            assert not found.doubts
        if found.ways and not found.doubts and hands == {"here"}:
            assert plan.dispositions[user.id].state == "changed"

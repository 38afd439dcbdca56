"""The laws of seats, roles, tokens and whole accounts, over generated organizations and policies."""

from __future__ import annotations

import pytest
from hypothesis import given

from cleanup_gitops.model.change import (
    MembershipAdd,
    RoleRevoke,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserEnable,
    UserRemove,
)
from cleanup_gitops.model.user import Lifecycle, RoleSeat, User
from cleanup_gitops.planner import assume
from cleanup_gitops.planner.assume import license_of, seat_paths
from tests.planner.test_laws import CASES, MANY, Case, invented, planned


@MANY
@pytest.mark.case("E49")
@given(CASES)
def test_nobody_with_a_paid_seat_becomes_a_guest(case: Case) -> None:
    inventory, policies = case
    after = assume(inventory, planned(inventory, policies))
    for before in inventory.users:
        if before.license == "seat":
            assert after.user_by_id[before.id].license != "guest"


@MANY
@given(CASES)
def test_nobody_with_a_paid_seat_joins_a_group_for_guests(case: Case) -> None:
    inventory, policies = case
    for change in planned(inventory, policies).changes:
        if isinstance(change, MembershipAdd) and inventory.user_by_id[change.user].license == "seat":
            assert license_of(seat_paths(change.group, inventory), inventory) != "guest"


@MANY
@given(CASES)
def test_where_all_access_was_to_go_and_nobody_else_has_to_act_no_license_is_left(case: Case) -> None:
    inventory, policies = case
    plan = planned(inventory, policies)
    after = assume(inventory, plan)
    closing = {one.name for one in policies.policies if one.ensure.no_access}
    waiting = {one.user for one in plan.handoffs}
    for account, one in plan.dispositions.items():
        if one.state == "changed" and closing.issuperset(one.policies) and account not in waiting:
            user = after.user_by_id[account]
            assert user.license == "none" or user.status in ("absent", "deleting")


@MANY
@pytest.mark.case("E43", "E44", "E45")
@given(CASES)
def test_whole_accounts_are_changed_only_where_they_are_managed_and_may_be(case: Case) -> None:
    inventory, policies = case
    for change in planned(inventory, policies).changes:
        user = inventory.user_by_id[change.user]
        life = user.lifecycle or Lifecycle()
        match change:
            case UserDeactivate():
                assert (user.managed, life.enablement) == (True, "")
            case UserDelete():
                assert (user.managed, life.deletion) == (True, "")
            case UserEnable(old="deactivated"):
                assert (user.managed, life.enablement) == (True, "")
            case UserEnable(old="deleting"):
                assert (user.managed, life.deletion) == (True, "")
            case UserRemove():
                assert user.writable
            case TokenRevoke():
                assert user.managed
                assert change.token in (user.tokens or ())
            case RoleRevoke():
                assert change.role in (user.direct or ())


@MANY
@given(CASES)
def test_nothing_is_changed_twice(case: Case) -> None:
    inventory, policies = case
    plan = planned(inventory, policies)
    addresses = [change.address for change in plan.changes]
    assert len(addresses) == len(set(addresses))


def test_the_successor_takes_away_what_the_changes_take() -> None:
    taken = 0
    for seed in range(200):
        inventory, policies = invented(seed)
        plan = planned(inventory, policies)
        after = assume(inventory, plan)
        for change in plan.changes:
            user = after.user_by_id[change.user]
            taken += _is_gone(change, user)
    assert taken > 20


def _is_gone(change: object, user: User) -> int:
    match change:
        case RoleRevoke():
            assert change.role not in (user.direct or ())
            assert RoleSeat(change.role) not in (user.seats or ())
        case TokenRevoke():
            assert change.token not in (user.tokens or ())
        case UserRemove():
            assert (user.status, user.groups, user.seats, user.license) == ("absent", (), (), "none")
        case _:
            return 0
    return 1

"""Ways to a license that nobody has told of, and paid seats that would end in access as a guest."""

from __future__ import annotations

from typing import Any

import pytest

from cleanup_gitops.planner import assume
from cleanup_gitops.policy.documents import Ensure
from tests.planner.test_edge_cases_planner import GROUPS, IDLE, LEAVE, fate, plan_of, policy, site

NO_ACCESS = Ensure(no_access=True)
CONFLUENCE = {"product": "confluence", "role": "viewer"}
JIRA = {"product": "jira-software", "role": "user"}
MORE = (
    *GROUPS,
    {"id": "g-desk", "name": "desk", "grants": [JIRA, CONFLUENCE]},
    {"id": "g-devs", "name": "devs", "grants": [JIRA]},
    {"id": "g-dark", "name": "dark", "grants": None},
    {"id": "g-idp-guests", "name": "idp-guests", "license": "guest", "modifiable": False, "synced": True},
    {"id": "g-odd", "name": "odd", "license": "unknown"},
    {"id": "g-staff", "name": "staff", "license": "seat"},
)
GROUP_OF_GUESTS = {"by": "group", "chain": ["g-guests"]}
GROUP_OF_USERS = {"by": "group", "chain": ["g-users"]}


def role(name: str) -> dict[str, str]:
    return {"by": "role", "role": name}


@pytest.mark.case("E37")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"groups": []}, ("unchanged", "already-so")),
        ({"groups": ["g-editors"]}, ("unchanged", "already-so")),
        ({"groups": ["g-devs"]}, ("unchanged", "already-so")),
        ({"groups": ["g-desk"]}, ("unknown", "direct-roles-unknown")),
        ({"groups": ["g-editors", "g-dark"]}, ("unknown", "direct-roles-unknown")),
        ({"groups": ["g-users"]}, ("unknown", "direct-roles-unknown")),
        ({"groups": [], "seats": [role("user")]}, ("unknown", "direct-roles-unknown")),
        ({"groups": ["g-odd"]}, ("unknown", "group-grants-unknown")),
        ({"groups": ["g-editors"], "seats": None}, ("unknown", "seats-unknown")),
    ],
)
def test_a_leaver_is_without_access_only_when_no_role_may_be_held_beside_a_group(
    facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    """Without being asked, Cloud tells of direct roles only where no group gives one."""
    plan = plan_of(site({"id": "a", "direct": None, **facts}, groups=MORE), policy(IDLE, ensure=NO_ACCESS))
    assert fate(plan, "a") == expected


@pytest.mark.case("E49")
@pytest.mark.parametrize(
    ("facts", "ensure", "license_after"),
    [
        # a seat in another group, held before or given by the same plan, keeps the person from being a guest
        ({"groups": ["g-guests", "g-staff", "g-users"]}, LEAVE, "seat"),
        ({"groups": ["g-guests", "g-users"]}, Ensure(groups_absent=("users",), groups_present=("staff",)), "seat"),
        # so does a role that is held directly
        ({"groups": ["g-guests", "g-users"], "seats": [GROUP_OF_GUESTS, GROUP_OF_USERS, role("user")]}, LEAVE, "seat"),
        # and a guest role is what would be left
        ({"groups": ["g-users"], "seats": [GROUP_OF_USERS, role("guest")]}, LEAVE, None),
        # a group of guests that somebody else has to take the person out of is left, for now
        ({"groups": ["g-idp-guests"], "seats": [{"by": "group", "chain": ["g-idp-guests"]}, role("user")]},
         NO_ACCESS, None),
        ({"groups": ["g-guests"], "seats": [GROUP_OF_GUESTS, role("user")]}, NO_ACCESS, "none"),
        # where it is not known whether there is a seat, another group can be left, and no unknown one
        ({"groups": ["g-editors", "g-guests", "g-odd"], "seats": None}, Ensure(groups_absent=("editors",)), "unknown"),
        ({"groups": ["g-guests", "g-odd"], "seats": None}, Ensure(groups_absent=("odd",)), None),
    ],
)  # fmt: skip
def test_whoever_would_be_left_with_access_as_a_guest_keeps_the_seat(
    facts: dict[str, Any], ensure: Ensure, license_after: str | None
) -> None:
    inventory = site({"id": "a", **facts}, groups=MORE)
    plan = plan_of(inventory, policy(IDLE, ensure=ensure))
    if license_after is None:
        assert fate(plan, "a") == ("conflict", "seat-to-guest")
    else:
        assert fate(plan, "a") == ("changed", "changed")
        assert assume(inventory, plan).user_by_id["a"].license == license_after


@pytest.mark.case("E49")
def test_a_guest_whose_seat_is_not_known_can_be_given_one() -> None:
    facts = {"groups": ["g-guests", "g-odd"], "seats": None}
    plan = plan_of(site({"id": "a", **facts}, groups=MORE), policy(IDLE, ensure=Ensure(groups_present=("staff",))))
    assert fate(plan, "a") == ("changed", "changed")


@pytest.mark.case("E49")
@pytest.mark.parametrize("group", ["editors", "staff", "tier"])
def test_a_seat_is_no_reason_against_groups_that_give_more_than_access_as_a_guest(group: str) -> None:
    tier = {"id": "g-tier", "name": "tier", "license": "guest", "parents": ["g-staff"]}
    facts = site({"id": "a"}, groups=(*MORE, tier), hosting="datacenter")
    plan = plan_of(facts, policy(IDLE, ensure=Ensure(groups_present=(group,))))
    assert fate(plan, "a") == ("changed", "changed")


@pytest.mark.case("E48")
def test_a_guest_by_a_direct_role_takes_no_seat_by_leaving_or_joining_a_group_that_gives_none() -> None:
    facts = {"groups": ["g-editors"], "seats": [role("guest")], "direct": None}
    inventory = site({"id": "a", **facts}, groups=MORE)
    plan = plan_of(inventory, policy(IDLE, ensure=Ensure(groups_absent=("editors",), groups_present=("devs",))))
    assert fate(plan, "a") == ("changed", "changed")
    assert (plan.seats.before, plan.seats.after) == (0, 0)
    assert assume(inventory, plan).user_by_id["a"].license == "guest"

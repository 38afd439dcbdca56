"""Guards of what a plan leaves behind: administrators who go in every way, groups that lose their last member."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cleanup_gitops.model.change import MembershipRemove
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.planner.guards.people import self_check
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.policy.tree import EmailDomain
from tests.planner.guarded import broken, check_of, override, people, plan_for, site
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import GROUPS, IDLE, policy

NESTED = (*GROUPS, {"id": "g-leads", "name": "leads", "parents": ["g-admins"]}, {"id": "g-perhaps", "name": "perhaps"})
LIFE = {"lifecycle": {"enablement": "", "deletion": ""}}
ROLES = [{"by": "role", "role": "admin"}, {"by": "role", "role": "user"}]

# -- administrators ------------------------------------------------------------------------------------


def of_two_administrators(ensure: Ensure, least: int = 2, **facts: Any) -> Plan:  # noqa: ANN401 - facts of a user
    """The plan of a site with two administrators, one of whom is idle, has these facts and is asked for this."""
    idle = {"id": "idle", "admin": True, **facts}
    other = {"id": "other", "admin": True, "seen": "2026-11-21"}
    groups = [one | ({"admin": None} if one["id"] == "g-perhaps" else {}) for one in NESTED]
    asks = policy(IDLE, ensure=ensure, include_admins=True)
    return plan_for(site(idle, other, *people(0, 9), groups=groups), asks, guardrails=replace(WIDE, min_admins=least))


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("ensure", "facts", "taken"),
    [
        (Ensure(status="suspended"), LIFE, 1),
        (Ensure(status="deactivated"), LIFE, 1),
        (Ensure(status="removed"), LIFE, 1),
        (Ensure(groups_absent=("admins",)), {"groups": ["g-admins"]}, 1),
        (Ensure(groups_absent=("leads",)), {"groups": ["g-leads"]}, 1),
        (Ensure(groups_absent=("perhaps",)), {"groups": ["g-perhaps"]}, 1),
        (Ensure(groups_absent=("editors",)), {"groups": ["g-editors"]}, 0),
        (Ensure(groups_present=("editors",)), {"groups": ["g-admins"]}, 0),
        (Ensure(no_access=True), {"groups": [], "seats": ROLES, "direct": ["admin", "user"]}, 1),
        (Ensure(no_access=True), {"groups": [], "seats": ROLES[1:], "direct": ["user"]}, 0),
    ],
)
def test_an_administrator_may_be_taken_in_many_ways_and_each_of_them_counts(
    ensure: Ensure, facts: dict[str, Any], taken: int
) -> None:
    plan = of_two_administrators(ensure, **facts)
    assert plan.changes
    check = check_of(plan, "min-admins")
    assert (check.passed, check.found, check.allowed) == (not taken, taken, 0)
    assert broken(plan) == (["min-admins"] if taken else [])
    assert of_two_administrators(ensure, 1, **facts).applyable


@pytest.mark.case("E20")
def test_the_way_out_is_told_only_where_too_few_administrators_would_be_left() -> None:
    told = "1 of 2 active administrators would be taken, 1 left; at least {} must be (default)"
    leave = Ensure(groups_absent=("admins",))
    one = check_of(of_two_administrators(leave, 1, groups=["g-admins"]), "min-admins")
    assert one.message == told.format(1)
    two = check_of(of_two_administrators(leave, 2, groups=["g-admins"]), "min-admins")
    assert two.message == f"{told.format(2)}. No Override lifts this: protect one of them, or narrow the policy"


@pytest.mark.case("E20")
@pytest.mark.parametrize(("group", "stays"), [("leads", True), ("editors", False)])
def test_the_last_administrator_stays_in_the_group_that_is_nested_in_that_of_the_administrators(
    group: str, stays: bool
) -> None:
    users = [{"id": f"a-{n}", "admin": True, "groups": ["g-leads", "g-editors", "g-users"]} for n in range(2)]
    asks = policy(IDLE, ensure=Ensure(groups_absent=(group,)), include_admins=True)
    plan = plan_for(site(*users, *people(0, 9), groups=NESTED), asks)
    assert (plan.dispositions["a-0"].reason == "last-administrator") is stays
    assert bool(plan.changes) is not stays


# -- the runner ----------------------------------------------------------------------------------------


@pytest.mark.case("E21")
def test_a_row_about_the_runner_is_told_with_its_reason() -> None:
    inventory = site({"id": "bot"}, {"id": "a"}, runner=["bot"])

    def of(user: str) -> Check:
        row = MembershipRemove(address=f"membership/g/{user}", user=user, directory="default", group="g-users")
        return self_check([row], inventory)

    assert (of("a").passed, of("a").message) == (True, "no row is about the accounts that run this tool")
    assert (of("bot").passed, of("bot").message) == (
        False,
        "1 rows are about the accounts that run this tool, which must never lock itself out",
    )


# -- groups --------------------------------------------------------------------------------------------


def emptied(number: int, *allowed: int) -> Check:
    """The check of a plan that takes the only member from so many groups."""
    groups = [*GROUPS, *({"id": f"g-{n}", "name": f"team {n}"} for n in range(number))]
    users = [{"id": f"u-{n}", "groups": [f"g-{n}"]} for n in range(number)]
    glob = policy(IDLE, ensure=Ensure(groups_absent=("team*",)))
    given = tuple(override("empty_groups", one) for one in allowed)
    return check_of(plan_for(site(*users, *people(0, 9), groups=groups), glob, overrides=given), "empty-groups")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "1 group would lose the last member unasked: team 0"),
        (5, "5 groups would lose the last member unasked: team 0, team 1, team 2, team 3, team 4"),
        (6, "6 groups would lose the last member unasked: team 0, team 1, team 2, team 3, team 4 and 1 more"),
        (8, "8 groups would lose the last member unasked: team 0, team 1, team 2, team 3, team 4 and 3 more"),
    ],
)
def test_groups_that_would_be_empty_are_named_and_many_of_them_counted(number: int, told: str) -> None:
    check = emptied(number)
    assert (check.passed, check.found, check.allowed) == (False, number, 0)
    assert check.message == f"{told}; 0 allowed (unless `groups: absent` of a policy names the group itself)"


@pytest.mark.case("F7")
@pytest.mark.parametrize(("number", "allowed"), [(1, 1), (2, 2), (2, 3), (2, 1)])
def test_an_override_lets_so_many_groups_be_emptied_and_no_more(number: int, allowed: int) -> None:
    check = emptied(number, allowed)
    passed = number <= allowed
    assert (check.passed, check.lifted) == (passed, ("exception",) if passed else ())
    assert ("allows 1, which is not enough" in check.message) is not passed
    assert (f"{allowed} allowed by Override exception until 2026-11-29" in check.message) is passed
    assert ("  max: 2 # groups\n" in check.override) is not passed


def test_a_group_is_emptied_though_somebody_joins_another_one() -> None:
    joins = policy(EmailDomain(("new.example",)), name="joins", ensure=Ensure(groups_present=("users",)))
    glob = policy(IDLE, ensure=Ensure(groups_absent=("edit*",)))
    users: list[dict[str, Any]] = [
        {"id": "a", "domain": "new.example", "groups": [], "seen": "2026-11-21"},
        {"id": "e", "groups": ["g-editors"]},
    ]
    plan = plan_for(site(*users, *people(0, 9)), glob, joins)
    assert {change.action for change in plan.changes} == {"membership.remove", "membership.add"}
    assert check_of(plan, "empty-groups").found == 1

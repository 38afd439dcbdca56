"""Guards of plans: every action has a cap, small sites too, domains, empty groups, administrators, the runner."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.change import ACTIONS, Change, MembershipRemove, UserDisable
from cleanup_gitops.model.errors import UncappedActionError
from cleanup_gitops.model.memory import Applied, Memory
from cleanup_gitops.planner.guards.caps import limits
from cleanup_gitops.planner.guards.exceptions import exceptions_of
from cleanup_gitops.planner.guards.people import self_check
from cleanup_gitops.policy.documents import Ensure, SitePolicies
from cleanup_gitops.policy.guarding import check_capped
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.tree import EmailDomain, InactiveFor
from tests.planner.guarded import DORMANT, broken, check_of, people, plan_for, site
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy

# -- a cap for each action, whatever the size ------------------------------------------------------------


@pytest.mark.case("F4")
@pytest.mark.parametrize("action", ACTIONS)
def test_without_a_cap_of_its_own_an_action_cannot_be_planned(action: str) -> None:
    caps = {name: cap for name, cap in DEFAULT_CAPS.items() if name != action}
    exceptions = exceptions_of(SitePolicies(site="acme"), TODAY.date())
    with pytest.raises(UncappedActionError, match=f"{action}: every action needs a cap"):
        limits((), caps, Memory(), exceptions, seats=10, created=TODAY)


@pytest.mark.case("F4")
@pytest.mark.parametrize("command", ["plan", "apply", "validate"])
def test_the_program_does_not_start_with_an_action_that_nothing_limits(command: str) -> None:
    program = (
        "from cleanup_gitops.model import change\n"
        "change.ACTIONS += ('user.rename',)\n"
        "import sys\n"
        "from cleanup_gitops.cli.main import run\n"
        f"sys.exit(run([{command!r}]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("Error: user.rename: every action needs a cap, and `")


def test_the_names_without_a_cap_are_all_told() -> None:
    check_capped(("a", "b"), ("a", "b", "c"), "x")
    with pytest.raises(UncappedActionError, match="b, c: every action needs a cap, and x has none for it"):
        check_capped(("a", "b", "c"), ("a",), "x")


@pytest.mark.case("F5")
@pytest.mark.parametrize("seats", [1, 2, 5, 9, 10, 11, 99])
def test_small_sites_have_caps_too_and_one_row_is_always_allowed(seats: int) -> None:
    guardrails = replace(WIDE, caps=dict(DEFAULT_CAPS))
    one = plan_for(site(*people(1, seats - 1)), guardrails=guardrails)
    assert check_of(one, "cap:membership.remove").passed
    if seats > 1:
        two = plan_for(site(*people(2, seats - 2)), guardrails=guardrails)
        check = check_of(two, "cap:membership.remove")
        assert (check.found, check.allowed) == (2, max(1, seats // 10))
        assert check.passed is (seats // 10 >= 2)


@pytest.mark.case("F5", "F6", "E59")
def test_number_and_percent_hold_both_and_without_any_guardrails_document() -> None:
    many = plan_for(site(*people(250, 2750)), guardrails=Guardrails())
    check = check_of(many, "cap:membership.remove")
    assert (check.passed, check.found, check.allowed) == (False, 250, 200)
    share = check_of(plan_for(site(*people(30, 170)), guardrails=Guardrails()), "cap:membership.remove")
    assert (share.passed, share.found, share.allowed) == (False, 30, 20)
    assert share.message == (
        "30 planned and 0 applied in the last 24 hours, 20 allowed (max 200, 10 % of 200 seats; default)"
    )


@pytest.mark.case("E19", "E59")
def test_a_threshold_that_jumps_shows_all_it_would_do_and_trips_the_limit() -> None:
    users = site(
        *({"id": f"u-{number:03}", "seen": f"2026-0{number % 9 + 1}-15"} for number in range(180)), *people(0, 20)
    )
    before = plan_for(users, policy(InactiveFor(300)), guardrails=Guardrails())
    after = plan_for(users, policy(InactiveFor(60)), guardrails=Guardrails())
    assert before.applyable
    assert broken(after) == ["cap:membership.remove", "cap:total", "cap:per_domain"]
    assert len(after.changes) == after.limits[-1].planned == 180
    assert f"cap:total: {len(after.changes)} planned" in f"cap:total: {check_of(after, 'cap:total').message}"


@pytest.mark.case("F4")
def test_all_rows_that_are_handed_in_count() -> None:
    plan = plan_for(site(*people(3, 30)))
    exceptions = exceptions_of(SitePolicies(site="acme"), TODAY.date())
    memory = Memory(applied=(Applied(run="r", at=TODAY - timedelta(hours=23), actions={"membership.remove": 4}),))
    waiting = tuple(msgspec.structs.replace(change, address=change.address + "x") for change in plan.changes)
    found = limits((*plan.changes, *waiting), DEFAULT_CAPS, memory, exceptions, seats=33, created=TODAY)
    by_name = {one.guard: one.limit for one in found}
    assert (by_name["membership.remove"].planned, by_name["membership.remove"].recent) == (6, 4)
    assert by_name["total"].planned == 6


# -- one domain ----------------------------------------------------------------------------------------


def of_domain(idle: int, busy: int, domain: str | None) -> list[dict[str, Any]]:
    return [{**one, "id": f"{domain}-{one['id']}", "domain": domain} for one in people(idle, busy)]


@pytest.mark.case("E59")
@pytest.mark.parametrize(
    ("idle", "busy", "passed"), [(3, 0, True), (4, 0, False), (4, 3, False), (4, 4, True), (10, 9, False)]
)
def test_a_plan_takes_something_from_half_of_a_domain_at_most(idle: int, busy: int, passed: bool) -> None:
    users = site(*of_domain(idle, busy, "firm.example"), *of_domain(0, 200, "acme.com"))
    plan = plan_for(users, guardrails=replace(WIDE, per_domain=50))
    check = check_of(plan, "cap:per_domain")
    assert (check.passed, check.found, check.allowed) == (passed, idle, max(3, (idle + busy) // 2))
    assert broken(plan) == ([] if passed else ["cap:per_domain"])
    assert "firm.example" not in check.message
    assert bool(check.override) is not passed


def test_who_shows_no_address_belongs_to_no_domain_and_giving_takes_nothing() -> None:
    half = replace(WIDE, per_domain=50)
    hidden = plan_for(site(*of_domain(20, 1, None)), guardrails=half)
    assert check_of(hidden, "cap:per_domain").message.startswith("no e-mail domain is touched")
    gives = policy(IDLE, ensure=Ensure(groups_present=("editors",)))
    assert check_of(plan_for(site(*people(20, 1)), gives, guardrails=half), "cap:per_domain").found == 0


def test_a_claimed_domain_is_named_and_others_are_counted() -> None:
    users = [one for name in ("a.example", "b.example", "c.example") for one in of_domain(5, 0, name)]
    inventory = site(*users, *people(0, 9), claimed_domains=["c.example"])
    check = check_of(plan_for(inventory, guardrails=replace(WIDE, per_domain=50)), "cap:per_domain")
    assert check.message == (
        "takes something from 5 of 5 accounts of c.example, 3 allowed (50 % of the accounts of one e-mail domain,"
        " 3 at least; default); 2 more domains are over the cap"
    )


# -- groups --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ensure", "asked"),
    [
        (Ensure(groups_absent=("editors",)), True),
        (Ensure(groups_absent=("Editors",)), True),
        (Ensure(groups_absent=("edit*",)), False),
        (Ensure(groups_exactly=("users",)), False),
        (Ensure(status="removed"), False),
    ],
)
def test_a_group_is_not_emptied_unless_a_policy_names_it(ensure: Ensure, asked: bool) -> None:
    users = [{"id": f"e-{n}", "groups": ["g-editors", "g-users"]} for n in range(3)]
    plan = plan_for(site(*users, *people(0, 9)), policy(IDLE, ensure=ensure))
    check = check_of(plan, "empty-groups")
    assert (check.passed, check.found, check.allowed) == (asked, 0 if asked else 1, 0)
    assert broken(plan) == ([] if asked else ["empty-groups"])
    if not asked:
        assert check.message == (
            "1 group would lose the last member unasked: editors; 0 allowed (unless `groups: absent` of a policy names"
            " the group itself)"
        )
        assert "  guard: empty_groups\n  policy: dormant\n  max: 1 # groups\n" in check.override


def test_a_group_that_somebody_stays_in_or_joins_is_not_emptied() -> None:
    glob = policy(IDLE, ensure=Ensure(groups_absent=("edit*",)))
    stays: list[dict[str, Any]] = [
        {"id": "e", "groups": ["g-editors"]},
        {"id": "f", "groups": ["g-editors"], "seen": "2026-11-21"},
    ]
    assert check_of(plan_for(site(*stays), glob), "empty-groups").passed
    joins = policy(EmailDomain(("new.example",)), name="joins", ensure=Ensure(groups_present=("editors",)))
    users: list[dict[str, Any]] = [
        {"id": "e", "groups": ["g-editors"]},
        {"id": "f", "domain": "new.example", "seen": "2026-11-21"},
    ]
    plan = plan_for(site(*users), glob, joins)
    assert {change.action for change in plan.changes} == {"membership.remove", "membership.add"}
    assert check_of(plan, "empty-groups").passed
    assert not check_of(plan_for(site(*users), glob), "empty-groups").passed


# -- administrators and the runner -----------------------------------------------------------------------


@pytest.mark.case("E20")
@pytest.mark.parametrize(("least", "passed"), [(1, True), (2, True), (3, False)])
def test_enough_administrators_are_left(least: int, passed: bool) -> None:
    admins = [{"id": f"admin-{n}", "groups": ["g-admins"], "seen": "2026-11-21"} for n in range(2)]
    admins.append({"id": "admin-idle", "groups": ["g-admins"]})
    asks = policy(IDLE, ensure=Ensure(groups_absent=("admins",)), include_admins=True)
    plan = plan_for(site(*admins, *people(0, 9)), asks, guardrails=replace(WIDE, min_admins=least))
    check = check_of(plan, "min-admins")
    assert (check.passed, check.found, check.allowed) == (passed, 1, 3 - least)
    assert plan.applyable is passed
    assert check.message.startswith(f"1 of 3 active administrators would be taken, 2 left; at least {least} must be")
    assert not check.override


def test_a_site_with_too_few_administrators_can_still_be_cleaned_up() -> None:
    assert check_of(plan_for(site(*people(1, 9)), guardrails=replace(WIDE, min_admins=2)), "min-admins").passed


@pytest.mark.case("E21")
def test_a_row_about_the_runner_stops_everything() -> None:
    inventory = site({"id": "bot"}, {"id": "a"}, runner=["bot"])
    plan = plan_for(inventory)
    assert {change.user for change in plan.changes} == {"a"}
    assert check_of(plan, "self").passed
    rows: list[Change] = [
        UserDisable(address="user/bot", user="bot", directory="default", old="active", new="suspended"),
        MembershipRemove(address="membership/g/bot", user="bot", directory="default", group="g-users"),
    ]
    check = self_check(rows, inventory)
    assert (check.passed, check.found, check.allowed) == (False, 2, 0)


# -- all at once ---------------------------------------------------------------------------------------


@pytest.mark.case("F5", "F6")
def test_all_broken_guards_are_told_at_once_with_their_numbers() -> None:
    plan = plan_for(
        site(*people(60, 2, groups=["g-editors", "g-users"])),
        policy(IDLE, ensure=Ensure(groups_absent=("users", "edit*"))),
        guardrails=Guardrails(caps={**DEFAULT_CAPS, "membership.remove": Cap(0)}, allow=frozenset()),
    )
    assert broken(plan) == ["cap:membership.remove", "cap:total", "cap:per_domain", "allow:membership.remove"]
    never = check_of(plan, "cap:membership.remove")
    assert (never.found, never.allowed, never.override) == (120, 0, "")
    assert never.message.endswith("; a cap of 0 means never, and no Override lifts it")
    assert check_of(plan, "cap:total").override.startswith("apiVersion: cleanup-gitops/v1\nkind: Override\n")


def test_every_check_of_a_guard_that_counts_has_its_numbers() -> None:
    plan = plan_for(site(*people(1, 9)), DORMANT)
    named = {check.name for check in plan.checks if check.found is not None}
    assert {"cap:total", "cap:per_domain", "empty-groups", "min-admins", "self", "reading:all_inactive"} <= named
    for check in plan.checks:
        if check.found is not None and check.allowed is not None and check.name != "cap:user.delete":
            assert check.passed == (check.found <= check.allowed), check

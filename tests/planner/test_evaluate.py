"""One user against all policies: who speaks about whom, what is asked again before a write, and what waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.plan import Disposition
from cleanup_gitops.model.user import Kind, User
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.ready import evaluate
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, SitePolicies, Stage
from cleanup_gitops.policy.tree import AttributeIs, InactiveFor, InGroup, Match
from tests.fakes import NOON
from tests.planner.site_policies import WIDE
from tests.planner.test_courses import SUSPEND, WHO, days_of
from tests.planner.test_edge_cases_planner import GROUPS, IDLE, fate, plan_of, policy, site

SUSPENDED = Ensure(status="suspended")
LISTED = Protection(name="vips", owner="o", accounts=("a",))
EXEMPT = Exemption(account="a", reason="absence", owner="o", until=date(2027, 1, 1), ticket="T", document="d")


def evaluation(*policies: Policy, **more: Any) -> tuple[Evaluation, User]:  # noqa: ANN401 - fields of SitePolicies
    """All that decides about one dormant user."""
    inventory = site({"id": "a"})
    asked = SitePolicies(site="acme", policies=policies, guardrails=WIDE, **more)
    return evaluate(inventory, asked, inventory.as_of), inventory.user_by_id["a"]


# -- who speaks about whom ------------------------------------------------------------------------------


@pytest.mark.case("E20", "E23")
@pytest.mark.parametrize("facts", [{"admin": True}, {"kind": "service"}], ids=["administrator", "program"])
def test_a_policy_that_may_not_speak_of_an_account_asks_nothing_of_it_beside_one_that_may(
    facts: dict[str, Any],
) -> None:
    kinds: frozenset[Kind] = frozenset({"person", "service"})
    named = replace(policy(InGroup(("users",)), ensure=Ensure(groups_present=("editors",)), name="named"), kinds=kinds,
                    include_admins=True)  # fmt: skip
    silent = policy(IDLE, ensure=SUSPENDED, name="silent")
    plan = plan_of(site({"id": "a", **facts}), named, silent)
    assert [one.action for one in plan.changes] == ["membership.add"]
    assert plan.dispositions["a"].policies == ("named",)
    assert fate(plan_of(site({"id": "a", **facts}), silent), "a")[0] == "protected"
    both = plan_of(site({"id": "a"}), named, silent)
    assert [one.action for one in both.changes] == ["user.disable", "membership.add"]


@pytest.mark.case("F2")
def test_what_is_not_known_keeps_from_nobody_what_is_done_in_any_case() -> None:
    sales = AttributeIs("department", ("sales",))
    same, milder = policy(sales, name="same"), policy(sales, name="milder", ensure=Ensure(no_tokens=True))
    assert fate(plan_of(site({"id": "a"}), policy(IDLE), same), "a") == ("changed", "changed")
    harsh = policy(IDLE, ensure=SUSPENDED)
    assert fate(plan_of(site({"id": "a"}), harsh, milder), "a") == ("unknown", "policy-undecided")


# -- what is asked again before a write -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "decidable"),
    [(None, True), ((), True), (("g-users",), True), (("g-users", "g-new"), False), (("g-new",), False)],
)
def test_who_is_in_a_group_by_now_that_the_plan_did_not_know_cannot_be_decided(
    groups: tuple[str, ...] | None, decidable: bool
) -> None:
    found, user = evaluation(policy(IDLE))
    assert found.decidable(msgspec.structs.replace(user, groups=groups)) is decidable
    everywhere = tuple(one.id for one in found.scope.inventory.groups)
    assert found.decidable(msgspec.structs.replace(user, groups=everywhere))


def test_who_is_protected_or_exempt_by_now_is_not_written_to() -> None:
    for more in ({"protections": (LISTED,)}, {"exemptions": (EXEMPT,)}):
        found, user = evaluation(policy(IDLE), **more)
        assert found.spares(user)
        assert found.forbids(user, ["dormant"])
        assert found.forbids(user, [])
    found, user = evaluation(policy(IDLE))
    assert not found.spares(user)
    assert not found.forbids(user, ["dormant"])


@pytest.mark.case("E20")
def test_who_administers_by_now_is_written_to_only_where_every_policy_that_asks_says_so() -> None:
    found, user = evaluation(policy(IDLE), policy(IDLE, name="bold", include_admins=True))
    boss = msgspec.structs.replace(user, admin=True)
    assert found.forbids(boss, ["dormant"])
    assert found.forbids(boss, ["bold", "dormant"])
    assert not found.forbids(boss, ["bold"])
    assert found.forbids(msgspec.structs.replace(user, admin=None), ["bold"])


def test_without_the_policies_that_only_report_a_user_is_who_they_leave_alone() -> None:
    found, user = evaluation(replace(policy(IDLE), report=True))
    assert found.fate(user).disposition.reason == "report"
    assert found.without_trials(user).disposition.reason == "no-policy-matches"
    both, user = evaluation(policy(IDLE), replace(policy(IDLE, ensure=SUSPENDED, name="x"), report=True))
    assert both.fate(user).disposition == both.without_trials(user).disposition


# -- what waits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", [True, False], ids=["termination", "routine"])
def test_who_waits_before_a_stage_whose_condition_does_not_hold_is_told_of_and_not_touched(leaves: bool) -> None:
    first = Stage(name="release", ensure=Ensure(groups_absent=("confluence-users-acme",)))
    days = days_of(first, replace(SUSPEND, when=Match(all=(InactiveFor(300),))))
    days.policies = replace(
        days.policies, policies=tuple(replace(one, termination=leaves) for one in days.policies.policies)
    )
    days.run(NOON)
    waits = days.run(NOON + timedelta(days=1)).dispositions[WHO]
    assert (waits.state, waits.reason, waits.note) == ("pending", "waiting-stage", "suspend is due on 2026-11-29")
    for day in (8, 20):
        plan = days.run(NOON + timedelta(days=day))
        stuck = plan.dispositions[WHO]
        assert (stuck.state, stuck.reason, stuck.policies) == ("unchanged", "stage-condition", ("p",))
        assert "suspend" in stuck.note
        assert plan.changes == ()


# -- who is named ---------------------------------------------------------------------------------------


def test_what_stands_in_the_way_names_the_policies_that_ask_for_that_alone() -> None:
    gives = policy(IDLE, ensure=Ensure(groups_present=("editors",)), name="gives")
    shared = [{**GROUPS[0], "grants": [{"product": "jira-software", "role": "user"}]}, *GROUPS[1:]]
    plan = plan_of(site({"id": "a"}, groups=shared), gives, policy(IDLE, name="takes"))
    assert plan.dispositions["a"] == Disposition("conflict", "shared-group", ("takes",), "group users")
    ends = policy(IDLE, ensure=Ensure(no_access=True), name="ends")
    untold = plan_of(site({"id": "a", "seats": None, "license": "unknown"}), gives, ends)
    assert untold.dispositions["a"].policies == ("ends",)
    assert untold.dispositions["a"].state == "unknown"


def test_who_is_as_a_policy_wants_them_is_named_with_it() -> None:
    kept = policy(IDLE, ensure=Ensure(groups_present=("users",)), name="kept")
    assert plan_of(site({"id": "a"}), kept).dispositions["a"] == Disposition("unchanged", "already-so", ("kept",))


def test_of_whom_an_account_and_a_group_are_handed_off_the_account_is_the_reason() -> None:
    groups = [{**GROUPS[0], "modifiable": False}, *GROUPS[1:]]
    both = policy(IDLE, ensure=Ensure(status="suspended", groups_absent=("users",)))
    plan = plan_of(site({"id": "a", "synced": True, "writable": False}, groups=groups), both)
    assert sorted(one.action for one in plan.handoffs) == ["membership.remove", "user.disable"]
    (account,) = [one.reason for one in plan.handoffs if one.action == "user.disable"]
    assert account != "group-managed-elsewhere"
    assert fate(plan, "a") == ("handed_off", account)

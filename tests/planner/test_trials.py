"""Policies that only report: they are evaluated, shown, and never carried out."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.tree import AttributeIs, InGroup
from tests.planner.guarded import people, plan_for
from tests.planner.test_classes import GONE, leaving
from tests.planner.test_edge_cases_planner import IDLE, fate, plan_of, policy, site
from tests.planner.test_laws import CASES, Case, holding
from tests.strategies import AS_OF

SUSPENDED = Ensure(status="suspended")


def tried(one: Policy) -> Policy:
    return replace(one, report=True)


def test_what_a_trial_would_change_is_shown_and_not_planned() -> None:
    plan = plan_of(site({"id": "a"}, {"id": "b", "seen": "2026-11-20"}), tried(policy(IDLE)))
    assert (plan.changes, plan.handoffs) == ((), ())
    assert fate(plan, "a") == ("pending", "report")
    assert fate(plan, "b") == ("unchanged", "no-policy-matches")
    (row,) = plan.pending
    assert (row.change.action, row.reason, row.until) == ("membership.remove", "report", None)


def test_a_trial_adds_to_what_is_done_and_takes_nothing_away() -> None:
    mild, harsh = policy(IDLE, name="mild"), policy(IDLE, ensure=SUSPENDED, name="harsh")
    plan = plan_of(site({"id": "a"}), tried(mild), harsh)
    assert [one.action for one in plan.changes] == ["user.disable"]
    assert [one.change.action for one in plan.pending] == ["membership.remove"]
    assert fate(plan, "a") == ("changed", "changed")
    assert not plan_of(site({"id": "a"}), mild, tried(harsh)).pending


def test_no_cap_counts_what_would_change() -> None:
    tight = Guardrails(caps={**DEFAULT_CAPS, "membership.remove": Cap(0)})
    plan = plan_for(site(*people(30, 3)), tried(policy(IDLE)), guardrails=tight)
    assert plan.applyable
    assert len(plan.pending) == 30
    assert {one.pending for one in plan.limits} == {0}


def test_nobody_is_handed_off_for_a_trial() -> None:
    unmanaged = site({"id": "a", **GONE, "managed": False}, {"id": "b", **GONE, "admin": True})
    plan = plan_of(unmanaged, tried(leaving()))
    assert (plan.changes, plan.handoffs) == ((), ())
    assert plan.dispositions["a"].note == "would be handed off"
    assert fate(plan, "b") == ("protected", "administrator")


def test_a_trial_that_cannot_be_decided_or_contradicts_says_so_where_nothing_else_is_asked() -> None:
    unsure = tried(policy(AttributeIs("department", ("sales",)), name="unsure"))
    assert fate(plan_of(site({"id": "a"}), unsure), "a") == ("unknown", "policy-undecided")
    assert fate(plan_of(site({"id": "a"}), unsure, policy(IDLE)), "a") == ("changed", "changed")
    opens = tried(policy(IDLE, ensure=Ensure(groups_present=("users",)), name="opens"))
    assert fate(plan_of(site({"id": "a"}), opens, policy(IDLE)), "a") == ("changed", "changed")
    typo = tried(policy(InGroup(("nowhere",)), name="typo"))
    plan = plan_of(site({"id": "a"}), typo)
    assert fate(plan, "a") == ("conflict", "blocked")
    assert not plan.complete


def test_a_trial_is_left_out_where_it_is_not_clear_what_is_done_without_it() -> None:
    opens = policy(IDLE, ensure=Ensure(status="active"), name="opens")
    closes = policy(IDLE, ensure=SUSPENDED, name="closes")
    plan = plan_of(site({"id": "a", **GONE}), opens, closes, tried(leaving()))
    assert fate(plan, "a") == ("conflict", "policies-disagree")
    assert not plan.pending


@settings(max_examples=150)
@given(CASES)
def test_a_trial_never_changes_what_is_done(case: Case) -> None:
    inventory, policies = case
    first, *others = policies.policies
    without: SitePolicies = replace(policies, policies=tuple(others))
    beside: SitePolicies = replace(policies, policies=(tried(first), *others))
    memory = holding(inventory, policies)
    alone, both = (
        make_plan(inventory, one, memory, created=AS_OF, as_of=AS_OF, tool_version="0") for one in (without, beside)
    )
    assert both.changes == alone.changes
    assert both.handoffs == alone.handoffs
    assert both.digest == alone.digest
    enforced = {(one.change.address, one.reason) for one in both.pending if one.reason != "report"}
    assert enforced == {(one.change.address, one.reason) for one in alone.pending}

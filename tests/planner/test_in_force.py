"""A policy that was to act once and has does nothing any more; one that was changed since, or never did, acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from cleanup_gitops.model.memory import BLANK, Memory, Spent
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.planner.in_force import acting_once
from cleanup_gitops.policy.documents import Policy
from tests.fakes import NOON
from tests.runner.office import DORMANT, POLICIES, office_site

ONCE = replace(DORMANT, once=True, until=date(2026, 12, 22), digest="sha256:1")
SPENT = Spent(policy="dormant", digest="sha256:1", run="r-1", at=NOON - timedelta(days=1))
DONE = msgspec.structs.replace(BLANK, spent=(SPENT,))
TOLD = "policies/dormant.yaml:11: policy dormant was to act once, which run r-1 completed on 2026-11-21;"
ENDED = "policies/dormant.yaml:11: policy dormant ended on 2026-12-22 and does nothing any more; remove it."


def plan_of(policy: Policy, memory: Memory, days: int = 0) -> Plan:
    at = NOON + timedelta(days=days)
    policies = replace(POLICIES, policies=(policy,))
    return make_plan(office_site(100), policies, memory, created=at, as_of=at, tool_version="0")


@pytest.mark.parametrize(
    ("policy", "memory", "acts"),
    [
        (ONCE, BLANK, True),
        (ONCE, DONE, False),
        (replace(ONCE, digest="sha256:2"), DONE, True),
        (replace(ONCE, once=False), DONE, True),
        (replace(ONCE, name="other"), DONE, True),
    ],
    ids=["never acted", "acted", "changed since", "acts for good now", "is another one"],
)
def test_nobody_is_touched_twice_by_a_policy_that_was_to_act_once(policy: Policy, memory: Memory, acts: bool) -> None:
    plan = plan_of(policy, memory)
    assert [one.user for one in plan.changes] == ["712020:0001"] * acts
    assert [one for one in plan.warnings if one.startswith(TOLD)] == list(plan.warnings)
    assert bool(plan.warnings) is not acts


def test_a_policy_that_is_over_is_told_of_once() -> None:
    assert plan_of(ONCE, DONE, days=30).warnings[0].startswith(TOLD)
    assert plan_of(ONCE, DONE, days=31).warnings == (ENDED,)
    assert plan_of(ONCE, BLANK, days=31).warnings == (ENDED,)
    assert plan_of(ONCE, BLANK, days=31).changes == ()


def test_a_run_can_be_the_one_time_of_those_alone_that_act_once_and_have_not() -> None:
    names = ("acts", "reports", "done", "over", "always")
    acts, reports, done, over, always = (replace(ONCE, name=name, digest=name) for name in names)
    policies = replace(
        POLICIES,
        policies=(
            acts,
            replace(reports, report=True),
            done,
            replace(over, until=date(2026, 11, 21)),
            replace(always, once=False),
        ),
    )
    memory = msgspec.structs.replace(BLANK, spent=(Spent(policy="done", digest="done", run="r", at=NOON),))
    assert acting_once(policies, memory, NOON) == {"acts": "acts"}

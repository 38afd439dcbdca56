"""Leaving rules out for people who were seen lately changes nothing but the time it takes."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.activity import Seen
from cleanup_gitops.planner.ready import evaluate
from cleanup_gitops.policy.idle import NEVER_SEEN, least_idle
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, Match, NeverActiveFor
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.strategies import AS_OF


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.integers(-3, 400))
def test_a_rule_that_is_left_out_would_have_said_no(seed: int, later: int) -> None:
    rng = Random(seed)
    inventory = organization(rng)
    evaluation = evaluate(inventory, site_policies(rng, inventory), AS_OF + timedelta(days=later))
    for user in inventory.users:
        asked = evaluation.shortlist(user)
        assert asked == tuple(rule for rule in evaluation.rules if rule in asked)
        left_out = [rule for rule in evaluation.rules if rule not in asked]
        assert all(rule.verdict(user) is False for rule in left_out)
        assert not any(rule.included(user) for rule in left_out if rule.included)


def test_people_seen_lately_are_asked_by_few_rules() -> None:
    rng = Random(1)
    spared = asked = 0
    for _ in range(20):
        inventory = organization(rng)
        evaluation = evaluate(inventory, site_policies(rng, inventory), AS_OF)
        for user in inventory.users:
            if isinstance(user.seen, Seen):
                asked += len(evaluation.shortlist(user))
                spared += len(evaluation.rules) - len(evaluation.shortlist(user))
    assert asked
    assert spared > asked / 4


def test_conditions_tell_how_long_somebody_must_have_been_idle() -> None:
    ninety, thirty = InactiveFor(90), InactiveFor(30, "any")
    assert least_idle(ninety) == 90
    assert least_idle(InactiveFor(90, "jira-software")) is None
    assert least_idle(NeverActiveFor(30)) == NEVER_SEEN
    assert least_idle(Match(all=(HasSeat(wanted=True), ninety, thirty))) == 90
    assert least_idle(Match(any=(ninety, thirty))) == 30
    assert least_idle(Match(any=(ninety, NeverActiveFor(10)))) == 90
    assert least_idle(Match(any=(ninety, HasSeat(wanted=True)))) is None
    assert least_idle(Match(all=(HasSeat(wanted=True),), none=(ninety,))) is None
    assert least_idle(Match(all=(Match(all=(ninety,)), Match(any=(thirty,))))) == 90

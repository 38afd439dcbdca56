"""The laws of back-tests on invented records: what is read and planned a little of each day is what all of it gives."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanup_gitops.ledger.past import Past
from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.policy.documents import Policy, SitePolicies
from cleanup_gitops.policy.match import CompiledMatch, Scope, compile_match
from cleanup_gitops.rehearsal.replay import Replay
from cleanup_gitops.rehearsal.verdicts import Verdicts
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.planner.staged import staged
from tests.rehearsal.recorded_days import lived, recorded

SEEDS = st.integers(0, 2**32)


class Everybody(Replay):
    """Looks at every account on every day."""

    def _ask(self, past: Past, compiled: CompiledMatch) -> set[str]:
        super()._ask(past, compiled)
        return {*past.settled, *past.moving}


def a_policy(rng: Random, policies: SitePolicies) -> Policy:
    return rng.choice(policies.policies)


@settings(max_examples=40)
@given(SEEDS)
def test_a_snapshot_told_by_its_changes_is_the_snapshot(seed: int) -> None:
    rng = Random(seed)
    past = Past()
    before: dict[str, object] = {}
    for (_, changed), files in recorded(lived(rng, organization(rng), 15)):
        past.take(changed)
        whole = recorded_inventory(files)
        assert past.inventory(user for one in whole.users if (user := past.user(one.id))) == whole
        assert len(past) == len(whole.users)
        assert past.settled.keys() | past.moving == whole.user_by_id.keys()
        for account, user in whole.user_by_id.items():
            if account not in past.changed and account in past.settled:
                assert before[account] == user, "told as unchanged"
        before = dict(whole.user_by_id)


@settings(max_examples=60)
@given(SEEDS)
def test_whoever_is_not_asked_again_would_say_the_same(seed: int) -> None:
    rng = Random(seed)
    inventory = organization(rng)
    match = a_policy(rng, site_policies(rng, inventory)).match
    past, verdicts = Past(), Verdicts(match)
    for (_, changed), files in recorded(lived(rng, inventory, 30)):
        past.take(changed)
        whole = recorded_inventory(files)
        compiled = compile_match(match, Scope(whole.as_of, whole))
        before = {account for account, met in verdicts.met.items() if met}
        come, gone = verdicts.ask(past, compiled)
        told = {user.id: compiled.verdict(user) for user in whole.users}
        assert verdicts.met == {account: met for account, met in told.items() if met is not False}
        now = {account for account, met in told.items() if met}
        assert (come, gone) == (now - before, before - now)


@settings(max_examples=20)
@given(SEEDS, st.booleans())
@example(5243, True)  # an episode is done after the user has come back
@example(5197, True)  # a stage gives the group by which it means people
@example(2612, False)  # an administrator who was the last one, until another one came
def test_looking_at_those_alone_who_may_be_new_is_looking_at_everybody(seed: int, stages: bool) -> None:
    _check_looks(seed, stages=stages)


@pytest.mark.slow
@settings(max_examples=300)
@given(SEEDS, st.booleans())
def test_so_it_is_for_many_more_of_them(seed: int, stages: bool) -> None:
    _check_looks(seed, stages=stages)


def _check_looks(seed: int, *, stages: bool) -> None:
    rng = Random(seed)
    inventory = organization(rng)
    policies = site_policies(rng, inventory)
    if stages:
        policies = staged(rng, policies, inventory)
    policy = a_policy(rng, policies)
    quick, whole, past = Replay(policy, policies), Everybody(policy, policies), Past()
    for (_, changed), _ in recorded(lived(rng, inventory, 60)):
        past.take(changed)
        assert quick.day(past) == whole.day(past)
        assert quick.hits == whole.hits

"""Laws of policies with stages, on invented organizations: own effects, unknown facts, and the same clock every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.change import NoticeSend
from cleanup_gitops.model.plan import Plan
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.planner.staged import Days, staged
from tests.strategies import AS_OF

MANY = settings(max_examples=60)
SEEDS = st.integers(0, 2**32)


def invented(seed: int, *, telling: bool = False) -> Days:
    rng = Random(seed)
    inventory = organization(rng, seat_limit=False)
    return Days(inventory, staged(rng, site_policies(rng, inventory), inventory, telling=telling))


def broken_off(plan: Plan) -> list[tuple[str, str, str | None]]:
    return [
        (one.user, one.policy, one.reason) for one in plan.lifecycle if one.what == "closed" and one.reason != "done"
    ]


@MANY
@given(SEEDS, st.booleans())
def test_no_effect_of_a_stage_ends_its_own_episode(seed: int, telling: bool) -> None:
    days = invented(seed, telling=telling)
    days.policies = replace(days.policies, policies=days.policies.policies[:1])  # others may end what this one began
    for later in (0, 7, 14, 21):
        at = AS_OF + timedelta(days=later)
        plan = days.run(at)
        days.carried_out(plan.handoffs)
        assert broken_off(days.plan(at)) == []


UNKNOWN = {
    "status": "unknown",
    "license": "unknown",
    "kind": "unknown",
    "managed": None,
    "admin": None,
    "domain": None,
    "added": None,
    "elsewhere": None,
    "groups": None,
    "seats": None,
    "roles": None,
    "direct": None,
    "external": None,
    "seen": Unknown("not read"),
}


@MANY
@given(SEEDS, st.sampled_from(sorted(UNKNOWN)), st.sampled_from([0, 1, 30, 400]), st.booleans())
@example(51370, "seats", 1, False)
def test_a_fact_that_is_not_known_any_more_enters_nothing_and_ends_nothing(
    seed: int, fact: str, later: int, telling: bool
) -> None:
    days = invented(seed, telling=telling)
    days.run(AS_OF)
    at = AS_OF + timedelta(days=later)
    before = {(one.address, one.what) for one in days.plan(at).lifecycle}
    rng = Random(seed)
    user = rng.choice(days.inventory.users)
    days.becomes(msgspec.structs.replace(user, **{fact: UNKNOWN[fact]}))
    after = {(one.address, one.what) for one in days.plan(at).lifecycle}
    assert after <= before


@MANY
@given(SEEDS)
def test_nobody_is_told_twice_in_one_episode_or_touched_before_the_days_after_the_notice(seed: int) -> None:
    days = invented(seed, telling=True)
    told: set[str] = set()
    for later in (0, 1, 6, 7, 8, 30):
        at = AS_OF + timedelta(days=later)
        plan = days.run(at)
        days.carried_out(plan.handoffs)
        notices = [one for one in plan.changes if isinstance(one, NoticeSend)]
        assert told.isdisjoint(one.address for one in notices)
        told |= {one.address for one in notices}
        since = {(one.user, one.policy): one.done for one in days.memory.marks if one.stage == "notice"}
        for change in plan.changes:
            for cause in change.causes:
                done = since.get((change.user, cause.policy))
                assert isinstance(change, NoticeSend) or (done is not None and (at - done).days >= 7)


def test_the_invented_organizations_have_people_who_are_told() -> None:
    plans = [invented(seed, telling=True).plan(AS_OF) for seed in range(40)]
    assert sum(isinstance(one, NoticeSend) for plan in plans for one in plan.changes) > 20
    assert sum(one.action == "notice.send" for plan in plans for one in plan.handoffs) > 0

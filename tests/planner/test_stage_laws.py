"""Laws of policies with stages, on invented organizations: own effects, unknown facts, and the same clock every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.plan import Plan
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.planner.staged import Days, staged
from tests.strategies import AS_OF

MANY = settings(max_examples=60)
SEEDS = st.integers(0, 2**32)


def invented(seed: int) -> Days:
    rng = Random(seed)
    inventory = organization(rng, seat_limit=False)
    return Days(inventory, staged(rng, site_policies(rng, inventory), inventory))


def broken_off(plan: Plan) -> list[tuple[str, str, str | None]]:
    return [
        (one.user, one.policy, one.reason) for one in plan.lifecycle if one.what == "closed" and one.reason != "done"
    ]


@MANY
@given(SEEDS)
def test_no_effect_of_a_stage_ends_its_own_episode(seed: int) -> None:
    days = invented(seed)
    days.policies = replace(days.policies, policies=days.policies.policies[:1])  # others may end what this one began
    for later in (0, 7, 14):
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
@given(SEEDS, st.sampled_from(sorted(UNKNOWN)), st.sampled_from([0, 1, 30, 400]))
@example(51370, "seats", 1)
def test_a_fact_that_is_not_known_any_more_enters_nothing_and_ends_nothing(seed: int, fact: str, later: int) -> None:
    days = invented(seed)
    days.run(AS_OF)
    at = AS_OF + timedelta(days=later)
    before = {(one.address, one.what) for one in days.plan(at).lifecycle}
    rng = Random(seed)
    user = rng.choice(days.inventory.users)
    days.becomes(msgspec.structs.replace(user, **{fact: UNKNOWN[fact]}))
    after = {(one.address, one.what) for one in days.plan(at).lifecycle}
    assert after <= before

"""The laws of the planner, over generated organizations and policies of both hostings."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace as with_fields
from datetime import timedelta
from itertools import chain, combinations
from random import Random
from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.ledger.planfile import plan_bytes
from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Hold, Memory
from cleanup_gitops.model.plan import STATES, Plan
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import assume, make_plan
from cleanup_gitops.planner.diff import steps
from cleanup_gitops.planner.leavers import ADMINISTRATOR, ELSEWHERE, EXEMPT, PROTECTED
from cleanup_gitops.planner.ready import evaluate
from cleanup_gitops.planner.settle import Beaten, settle
from cleanup_gitops.policy.documents import SitePolicies
from tests.planner.organizations import organization
from tests.planner.site_policies import site_policies
from tests.strategies import AS_OF

BEATEN = get_args(Beaten)
Case = tuple[Inventory, SitePolicies]


def invented(seed: int, *, quiet: bool = False) -> Case:
    """An organization and policies for it. ``quiet``: policies ask only about facts that no change writes."""
    rng = Random(seed)
    inventory = organization(rng, seat_limit=not quiet)
    return inventory, site_policies(rng, inventory, outside_only=quiet)


MANY = settings(max_examples=400)
SEEDS = st.integers(0, 2**32)
CASES = SEEDS.map(invented)
QUIET = SEEDS.map(lambda seed: invented(seed, quiet=True))
UNKNOWN = {
    "status": "unknown",
    "kind": "unknown",
    "license": "unknown",
    "managed": None,
    "synced": None,
    "writable": None,
    "admin": None,
    "domain": None,
    "added": None,
    "seen": Unknown("forgotten"),
    "elsewhere": None,
    "groups": None,
    "seats": None,
    "roles": None,
    "direct": None,
    "external": None,
    "has_email": None,
    "lifecycle": None,
    "tokens": None,
}


def holding(inventory: Inventory, policies: SitePolicies) -> Memory:
    """Some policies leave some users alone, or did so until yesterday."""
    rng = Random(f"{inventory.site} {len(inventory.users)} {len(policies.policies)}")
    pairs = [(user.id, policy.name) for user in inventory.users for policy in policies.policies]
    held = tuple(
        Hold(user=user, policy=policy, until=AS_OF.date() - timedelta(days=rng.randint(-1, 1)), why="rollback", run="r")
        for user, policy in pairs
        if rng.random() < 0.1
    )
    return msgspec.structs.replace(BLANK, holds=held)


def planned(inventory: Inventory, policies: SitePolicies) -> Plan:
    memory = holding(inventory, policies)
    return make_plan(inventory, policies, memory, created=AS_OF, as_of=AS_OF, tool_version="0")


def acts(plan: Plan) -> set[tuple[str, str]]:
    return {(change.action, change.address) for change in plan.changes}


@MANY
@given(CASES)
def test_the_same_inputs_give_the_same_bytes(case: Case) -> None:
    inventory, policies = case
    again = msgspec.json.decode(msgspec.json.encode(inventory), type=Inventory)
    shuffled = with_fields(policies, policies=policies.policies)
    assert plan_bytes(planned(inventory, policies)) == plan_bytes(planned(again, shuffled))


@MANY
@given(CASES)
def test_every_user_has_exactly_one_disposition(case: Case) -> None:
    inventory, policies = case
    plan = planned(inventory, policies)
    assert list(plan.dispositions) == [user.id for user in inventory.users]
    assert sum(plan.summary.states.values()) == plan.summary.users == len(inventory.users)
    assert set(plan.summary.states) <= set(STATES)
    touched = {change.user for change in plan.changes}
    assert touched == {account for account, one in plan.dispositions.items() if one.state == "changed"}


@MANY
@given(CASES)
def test_nobody_who_is_protected_or_exempt_is_touched(case: Case) -> None:
    inventory, policies = case
    listed = {account for one in policies.protections for account in one.accounts}
    exempt = {one.account for one in policies.exemptions if one.until >= AS_OF.date()}
    guarded = [group for one in policies.protections for group in one.groups]
    roles = [role for one in policies.protections for role in one.roles]
    for change in planned(inventory, policies).changes:
        user = inventory.user_by_id[change.user]
        assert user.id not in inventory.runner
        assert user.id not in listed | exempt
        assert user.admin is not None
        assert user.kind != "unknown"
        named = [one for one in policies.policies if one.name in {cause.policy for cause in change.causes}]
        assert named
        assert all(user.kind in one.kinds and (one.include_admins or not user.admin) for one in named)
        names = {inventory.group_by_id[group].name for group in user.groups or ()}
        assert not names & set(guarded)
        assert not roles or not set(roles) & set(roles if user.roles is None else user.roles)


@MANY
@given(CASES, st.data())
def test_forgetting_a_fact_never_adds_a_change(case: Case, data: st.DataObject) -> None:
    inventory, policies = case
    if not inventory.users:
        return
    at = data.draw(st.integers(0, len(inventory.users) - 1), label="which user")
    fact = data.draw(st.sampled_from(sorted(UNKNOWN)), label="which fact")
    user = inventory.users[at]
    forgotten = msgspec.structs.replace(user, **{fact: UNKNOWN[fact]})
    users = (*inventory.users[:at], forgotten, *inventory.users[at + 1 :])
    known = planned(inventory, policies)
    if any(one.reason == "last-administrator" for one in known.dispositions.values()):
        return  # an administrator who is left alone for another reason is one who remains
    less = planned(msgspec.structs.replace(inventory, users=users), policies)
    assert acts(less) <= acts(known)


@MANY
@given(QUIET)
def test_the_plan_after_the_plan_is_empty(case: Case) -> None:
    """For policies that ask about facts no change writes. A policy that asks what another one writes acts next time."""
    inventory, policies = case
    first = planned(inventory, policies)
    after = assume(inventory, first)
    second = planned(after, policies)
    assert acts(second) == set()
    assert first.seats.after == after.seats_used == second.seats.before


@MANY
@given(CASES)
def test_unknown_verdicts_are_settled_as_brute_force_over_their_completions_does(
    case: Case,
) -> None:
    inventory, policies = case
    evaluation = evaluate(inventory, policies, AS_OF)
    rules = evaluation.rules
    for user in inventory.users:
        state = evaluation.fate(user).disposition
        if state.state in {"protected", "exempt"} or state.reason in {"blocked", "groups-unknown"}:
            continue
        if state.reason in {PROTECTED, EXEMPT, ADMINISTRATOR}:
            continue
        spoken = [rule for rule in rules if rule.may_touch(user.kind, admin=user.admin is not False)]
        known = [rule for rule in spoken if rule.verdict(user)]
        open_ = [rule for rule in spoken if rule.verdict(user) is None]
        subsets = chain.from_iterable(combinations(open_, size) for size in range(len(open_) + 1))
        ways = {_result([*known, *extra], user, inventory) for extra in subsets}
        assert (len(ways) > 1) == (state.reason == "policy-undecided")


def _result(rules: list, user: User, inventory: Inventory) -> tuple[bool, frozenset, bool]:  # type: ignore[type-arg]
    settled = settle(sorted(rules, key=lambda rule: rule.name), user)
    nowhere = any(rule.unreachable(user) for askers in settled.asked.values() for rule in askers)
    return bool(settled.conflict), frozenset(() if settled.conflict else steps(settled, user, inventory)), nowhere


def test_the_invented_cases_reach_everything_that_can_become_of_a_user() -> None:
    """A law that holds because nothing happens says nothing."""
    plans = [planned(*invented(seed)) for seed in range(500)]
    quiet = [planned(*invented(seed, quiet=True)) for seed in range(300)]
    states = Counter(one.state for plan in plans for one in plan.dispositions.values())
    actions = Counter(change.action for plan in plans for change in plan.changes)
    assert all(states[state] >= 5 for state in STATES), states
    others = {"notice.send", "user.invite"}  # of stages and of rosters alone
    assert all(actions[action] >= 5 for action in ACTIONS if action not in others), actions
    assert sum(bool(plan.changes) for plan in plans) > 60
    assert sum(bool(plan.changes) for plan in quiet) > 60
    reasons = Counter(one.reason for plan in plans for one in plan.dispositions.values())
    reasons.update(one.reason for plan in plans for one in plan.handoffs)
    assert all(reasons[reason] for reason in (PROTECTED, EXEMPT, ADMINISTRATOR, ELSEWHERE, "policy-undecided")), reasons
    told = Counter(word for plan in plans for one in plan.changes for word in BEATEN if word in one.note)
    assert all(told[word] for word in BEATEN), told

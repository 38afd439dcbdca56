"""The laws of the planner over everything that policies can say at once: `tests.planner.language`, day after day."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.model.change import Change, UserInvite
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Adopted
from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.billing import License
from cleanup_gitops.policy.leaving import leaver
from cleanup_gitops.policy.lists import NO_LISTS
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.timing import Schedule, Windows
from cleanup_gitops.runner.approval import Choice
from cleanup_gitops.runner.times import on_time, times_of
from tests.planner.language import Language, language
from tests.planner.test_laws import UNKNOWN
from tests.strategies import AS_OF

MANY = settings(max_examples=40)
SEEDS = st.integers(0, 2**32)
EVENING = Schedule(("0 18 * * *",), "UTC")
FROZEN = Windows("UTC", deny=((date(2026, 1, 1), date(2027, 12, 31)),))
LATER = st.sampled_from((1, 7, 30))


def lived(seed: int, later: int) -> Language:
    """An organization after a run today, and one on a day before so many days later; some of the first was undone."""
    days, rng = language(seed), Random(seed)
    before = days.inventory.user_by_id
    plan = days.run(AS_OF)
    for account in sorted({one.user for one in plan.changes} & before.keys()):
        if rng.random() < 0.5:
            days.becomes(before[account])
    if later > 1:
        days.carried_out(plan.handoffs)
        days.run(AS_OF + timedelta(days=later // 2))
    return days


def acts(plan: Plan) -> set[tuple[str, str]]:
    return {(one.action, one.address) for one in plan.changes}


@MANY
@given(SEEDS, LATER)
def test_the_same_inputs_give_the_same_bytes_which_are_read_as_they_were_written(seed: int, later: int) -> None:
    days, at = lived(seed, later), AS_OF + timedelta(days=later)
    plan = days.plan(at)
    days.inventory = msgspec.json.decode(msgspec.json.encode(days.inventory), type=Inventory)
    days.lines = [*reversed(days.lines)]
    assert plan_bytes(days.plan(at)) == plan_bytes(plan)
    assert plan_bytes(read_plan(plan_bytes(plan))) == plan_bytes(plan)


@MANY
@given(SEEDS, LATER)
def test_every_user_has_one_disposition_and_who_is_invited_is_no_user(seed: int, later: int) -> None:
    days = lived(seed, later)
    plan = days.plan(AS_OF + timedelta(days=later))
    assert list(plan.dispositions) == [user.id for user in days.inventory.users]
    assert sum(plan.summary.states.values()) == plan.summary.users == len(days.inventory.users)
    touched = {one.user for one in plan.changes if not isinstance(one, UserInvite)}
    assert touched == {account for account, one in plan.dispositions.items() if one.state == "changed"}
    rows = [(one.action, one.address) for one in (*plan.changes, *(other.change for other in plan.pending))]
    assert len(rows) == len(set(rows))
    assert all(one.user not in days.inventory.user_by_id for one in plan.changes if isinstance(one, UserInvite))


@MANY
@given(SEEDS, LATER)
def test_nothing_is_done_to_who_is_protected_or_exempt_also_when_they_leave(seed: int, later: int) -> None:
    days, at = lived(seed, later), AS_OF + timedelta(days=later)
    policies, inventory = days.policies, days.inventory
    spared = {account for one in policies.protections for account in one.accounts} | set(inventory.runner)
    spared |= {one.account for one in policies.exemptions if one.until >= at.date()}
    groups = {group for one in policies.protections for group in one.groups}
    roles = {role for one in policies.protections for role in one.roles}
    plan = days.plan(at)
    everything = [*plan.changes, *(one.change for one in plan.pending)]
    for change in everything:
        if isinstance(change, UserInvite):
            continue
        user = inventory.user_by_id[change.user]
        assert user.id not in spared
        assert user.kind != "unknown"
        assert user.admin is not None
        assert not groups & {inventory.group_by_id[one].name for one in user.groups or ()}
        assert not roles or not roles & set(roles if user.roles is None else user.roles)
        assert not user.admin or all(_names_administrators(days, one.policy) for one in change.causes)
    left = {one.user for one in plan.handoffs if any(cause.termination for cause in one.causes)}
    done = {one.user for one in everything if any(cause.termination for cause in one.causes)}
    assert left.isdisjoint(done)
    scope = Scope(at, inventory, days.people, days.lists)
    for user in inventory.users:
        leaves = policies.rosters[0].policy is not None and leaver("hr", user, scope).verdict
        if leaves and user.id in spared and user.kind == "person" and user.status == "active":
            assert plan.dispositions[user.id].state == "handed_off"


def _names_administrators(days: Language, policy: str) -> bool:
    return any(one.name == policy and one.include_admins for one in days.policies.policies)


def adds_nothing(seed: int, later: int, fact: str) -> None:
    """Nothing is planned that was not before somebody's fact, or the whole roster, was known no more."""
    days, at = lived(seed, later), AS_OF + timedelta(days=later)
    known = days.plan(at)
    if any(one.reason == "last-administrator" for one in known.dispositions.values()):
        return  # an administrator who is left alone for another reason is one who remains
    user = Random(seed).choice(days.inventory.users)
    invited = {one.address for one in known.changes if isinstance(one, UserInvite)}
    if fact == "address":
        others = {one.id: one.id for one in days.inventory.users if one.id != user.id}
        days.people = People({one: days.people._by_id[one] for one in others}, days.people._key)
        invited |= {one.address for one in days.plan(at).changes if isinstance(one, UserInvite)}
    elif fact == "roster":
        days.lists = NO_LISTS
    else:
        days.becomes(msgspec.structs.replace(user, **{fact: UNKNOWN[fact]}))
    # Whether there is an address is found out when a notice is sent, which harms nobody: who is known to have none is
    # handed off, and everybody else is tried. Whom the roster means is told by an id, an address and a day together, of
    # which one may speak against the others: what becomes of leavers of whom less is known has tests of its own.
    unreachable = {("notice.send", one.address) for one in known.handoffs if one.reason == "no-address"}
    meant = {account for account, one in known.dispositions.items() if "hr" in one.policies}
    rows = {(one.action, one.address) for one in days.plan(at).changes if one.user not in meant}
    less = {row for row in rows if row[1] not in invited} - unreachable
    assert less <= acts(known)


FACTS = st.sampled_from([*sorted(UNKNOWN), "address", "roster"])


@MANY
@given(SEEDS, LATER, FACTS)
def test_what_is_known_no_more_adds_no_change(seed: int, later: int, fact: str) -> None:
    adds_nothing(seed, later, fact)


@pytest.mark.slow
@settings(max_examples=1000)
@given(SEEDS, LATER, FACTS)
def test_what_is_known_no_more_adds_no_change_of_many(seed: int, later: int, fact: str) -> None:
    adds_nothing(seed, later, fact)


@MANY
@given(SEEDS)
def test_the_plan_after_the_plan_is_empty_on_every_day(seed: int) -> None:
    """For policies that ask about facts no change writes, where a group is asked for by one document alone."""
    days = language(seed, quiet=True)
    for later in (0, 1, 7, 8, 30):
        at = AS_OF + timedelta(days=later)
        before = {one.id for one in days.inventory.users}
        days.run(at)
        again = [one for one in days.plan(at).changes if one.user in before or isinstance(one, UserInvite)]
        assert again == []


@MANY
@given(SEEDS, LATER)
def test_times_windows_and_billing_only_leave_rows_for_later(seed: int, later: int) -> None:
    days, at = lived(seed, later), AS_OF + timedelta(days=later)
    free, rng = days.plan(at), Random(seed)
    days.policies = replace(
        days.policies,
        policies=tuple(
            replace(one, schedule=rng.choice((None, EVENING)), before_billing=rng.choice((None, 3)))
            if one.name != "hr"
            else one
            for one in days.policies.policies
        ),
        guardrails=replace(days.policies.guardrails, windows=rng.choice((None, FROZEN))),
        license=rng.choice((None, License("monthly", 1))),
    )
    bound = days.plan(at)
    assert bound.digest == free.digest
    times = times_of(bound, days.policies, days.memory, days.inventory)
    choice = on_time(Choice(bound.changes), times.wait)
    left = [one.change for one in choice.left]
    assert sorted(one.address for one in (*choice.changes, *left)) == sorted(one.address for one in free.changes)
    if days.policies.guardrails.windows is not None:
        assert all(_leaves(one) for one in choice.changes)


def _leaves(change: Change) -> bool:
    return any(cause.termination for cause in change.causes)


@MANY
@given(SEEDS, LATER)
def test_a_group_that_is_not_adopted_only_takes_changes_away(seed: int, later: int) -> None:
    days, at = lived(seed, later), AS_OF + timedelta(days=later)
    days.lines = [one for one in days.lines if not isinstance(one, Adopted)]
    bare = days.plan(at)
    every = [Adopted(group=one.id, name=one.name, run="r", at=AS_OF, why="asked") for one in days.inventory.groups]
    assert acts(bare) <= acts(days.plan(at, msgspec.structs.replace(days.memory, adopted=tuple(every))))


@MANY
@given(SEEDS)
def test_no_stage_ends_its_own_episode_beside_a_roster_and_groups_that_ask_for_nothing(seed: int) -> None:
    days = language(seed)
    kept = [one for one in days.policies.policies if one.stages][:1]
    days.policies = replace(
        days.policies, policies=(*kept, *(one for one in days.policies.policies if one.name == "hr"))
    )
    names, others = {one.name for one in kept}, set[str]()
    for later in (0, 7, 14, 21):
        at = AS_OF + timedelta(days=later)
        plan = days.run(at)
        days.carried_out([one for one in plan.handoffs if {cause.policy for cause in one.causes} <= names])
        others |= {one.user for one in (*plan.changes, *plan.handoffs) if {c.policy for c in one.causes} - names}
        ended = [one for one in days.plan(at).lifecycle if one.what == "closed" and one.reason != "done"]
        assert [one for one in ended if one.user not in others] == []


WANTED = (
    "user.invite hr", "membership.add hr", "user.disable hr", "tokens.revoke hr", "notice.send policy",
    "membership.remove policy", "membership.add declared", "membership.remove declared",
    "leaver-protected", "leaver-exempt", "joiner-closed", "group-declared", "no-address",
    "entered", "due", "done", "closed", "restored", "adopt", "report", "hold",
)  # fmt: skip


def test_the_invented_organizations_do_everything() -> None:
    """A law that holds because nothing happens says nothing."""
    found: Counter[str] = Counter()
    for seed in range(100):
        plans = [language(seed).plan(AS_OF)]
        if seed % 2:
            days = lived(seed, 7)
            found.update(one.why for one in days.memory.closed)
            plans.append(days.plan(AS_OF + timedelta(days=7)))
        for plan in plans:
            found.update(f"{one.action} {one.causes[0].policy.partition('-')[0]}" for one in plan.changes)
            found.update(one.reason for one in plan.handoffs)
            found.update(one.what for one in plan.lifecycle)
            found.update(one.reason for one in plan.pending)
    assert all(found[one] for one in WANTED), [one for one in WANTED if not found[one]]

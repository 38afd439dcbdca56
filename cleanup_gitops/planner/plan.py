"""All users of one inventory, decided and put together into one plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from msgspec import UNSET
from msgspec.structs import replace

from cleanup_gitops.model.activity import Never
from cleanup_gitops.model.change import Change, NotSeenAfter, change_order
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory, Noticed
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.plan import (
    Check,
    Disposition,
    Handoff,
    Inputs,
    Limit,
    Pending,
    Plan,
    Seats,
    envelope_digest,
    plan_digest,
    summarize,
)
from cleanup_gitops.planner.adoption import Adoptions, adoptions
from cleanup_gitops.planner.courses import NO_EPISODES, Course, Episodes, first_stage
from cleanup_gitops.planner.declared import declare, told
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.fate import UNCHANGED, Fate
from cleanup_gitops.planner.guards import administrators, all_checks, ends_administration, exceptions_of, limits
from cleanup_gitops.planner.handed_lists import inputs_of, nobody_listed
from cleanup_gitops.planner.handoffs import overdue_handoffs
from cleanup_gitops.planner.holds import NO_HOLDS, Holds, holds_of, noticed, stopped
from cleanup_gitops.planner.in_force import no_longer, spent_by
from cleanup_gitops.planner.leavers import last_administrator, unmatched
from cleanup_gitops.planner.overdue import noted
from cleanup_gitops.planner.protect import make_shield
from cleanup_gitops.planner.rules import Rule, make_rule
from cleanup_gitops.planner.seats import seats_of
from cleanup_gitops.planner.shortlist import Shortlist
from cleanup_gitops.planner.stage_rows import episodes_known, orphans, regained, stage_rows
from cleanup_gitops.planner.undo import Undo, rollback_of, undoing
from cleanup_gitops.planner.unprotected import gone, told_of
from cleanup_gitops.planner.unprotected import warnings as unprotected
from cleanup_gitops.planner.untold import untold
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.expiry import has_ended
from cleanup_gitops.policy.guarding import ended
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.missing import lacking


def evaluate(
    inventory: Inventory,
    policies: SitePolicies,
    as_of: datetime,
    people: People = NOBODY,
    lists: Lists = NO_LISTS,
    *,
    holds: Holds = NO_HOLDS,
    undo: Undo | None = None,
    spent: Collection[str] = frozenset(),
    episodes: Episodes = NO_EPISODES,
    adopted: Collection[str] = frozenset(),
    adopt: Collection[str] = frozenset(),
) -> Evaluation:
    """Policies and protections made ready to decide about any user of this inventory, also one read again later.

    ``people`` and ``lists`` are for conditions on names and on lists of people; without them such a condition is
    unknown. ``holds`` are the policies that leave users alone for a while, ``spent`` those that were to act once and
    have, ``episodes`` is what earlier runs left of policies with stages, ``adopted`` are ids and ``adopt`` names (lower
    case) of declared groups from which people may be taken out. With ``undo`` the policies are not asked at all:
    decided is what a run did, and is to be taken back.
    """
    scope = Scope(as_of, inventory, people, lists)
    shield = make_shield(policies, inventory, as_of)
    if undo is not None:
        return undoing(undo, shield, scope)
    templates = policies.template_digests
    rules: list[Rule] = []
    courses: list[Course] = []
    for policy in policies.policies:
        if policy.name in spent or has_ended(policy, as_of.date()):
            continue
        if not policy.stages:
            rules.append(make_rule(policy, scope))
        elif policy.report:
            rules.append(first_stage(policy, scope, templates))
        else:
            days = policies.guardrails.handoff_sla
            courses.append(Course(policy, scope, shield, holds, episodes, templates, days))
            rules += courses[-1].rules
    leavers = any(rule.termination for rule in rules)
    declared = declare(policies, scope, rules, adopted, adopt)
    shortlist = Shortlist(rules, as_of, declared)
    rules += declared.rules
    return Evaluation(tuple(rules), shield, scope, shortlist, holds, leavers, tuple(courses), episodes, declared)


def make_plan(
    inventory: Inventory,
    policies: SitePolicies,
    memory: Memory,
    *,
    created: datetime,
    as_of: datetime,
    tool_version: str,
    policy_commit: str = "",
    warnings: tuple[str, ...] = (),
    people: People = NOBODY,
    lists: Lists = NO_LISTS,
    undo: Undo | None = None,
    adopt: Collection[str] = frozenset(),
) -> Plan:
    """Compare desired with live state. ``created`` and ``as_of`` are UTC; ages are counted for ``as_of``.

    ``warnings`` are shown with the plan's own and change nothing. ``people`` are for conditions on names, ``lists`` for
    those on lists of people; the plan holds nobody of them. With ``undo`` the plan takes back what a run did. ``adopt``
    are the names of declared groups (lower case) from which people may be taken out from this plan on.
    """
    evaluation = evaluation_now(
        inventory, policies, memory, created=created, as_of=as_of, people=people, lists=lists, undo=undo, adopt=adopt
    )
    with collector_paused():
        fates = {user.id: evaluation.fate(user) for user in inventory.users}
        lifecycle = stage_rows(evaluation)
    _keep_an_administrator(fates, inventory)
    dispositions, changes, handoffs, pending = _gather(fates)
    changes = told_of(noted(changes, memory, created), gone(policies, memory), inventory, as_of)
    waiting = [one.change for one in pending if one.reason not in ("report", "adopt")]
    guards = _guards(changes, waiting, inventory, policies, memory, created, evaluation.shield.missing)
    adopting = Adoptions() if undo else adoptions(evaluation.declared, inventory, memory, fates, adopt)
    blocked = (*_blocked(evaluation.rules), *evaluation.declared.blocked)
    digest = plan_digest(changes)
    return Plan(
        site=inventory.site,
        hosting=inventory.hosting,
        created=created,
        as_of=as_of,
        changes=changes,
        handoffs=handoffs,
        dispositions=dispositions,
        checks=guards.checks,
        limits=guards.limits,
        blocked=blocked,
        warnings=(
            *warnings,
            *overdue_handoffs(handoffs, as_of),
            *_warnings(changes, evaluation, policies, memory, created.date()),
            *orphans(lifecycle),
            *adopting.waiting,
        ),
        seats=guards.seats,
        summary=summarize(changes, dispositions),
        inputs=_inputs(inventory, policies, memory, lists, tool_version, policy_commit),
        applyable=guards.passed,
        complete=not blocked,
        digest=digest,
        envelope=envelope_digest(
            plan=digest, site=inventory.site, lineage=memory.lineage, serial=memory.serial, created=created
        ),
        pending=pending,
        rollback=rollback_of(undo, evaluation, changes, created.date() + timedelta(days=policies.guardrails.grace)),
        lifecycle=lifecycle,
        adoption=adopting.rows,
        unmatched=unmatched(evaluation.scope, evaluation.rules),
    )


def _blocked(rules: Iterable[Rule]) -> tuple[str, ...]:
    """A sentence for each policy that names something that is not there, once for all of its stages."""
    lame = (rule for rule in rules if rule.missing and not rule.declared)
    found = {rule.name: f"{rule.name} ({rule.policy.where}): {lacking(rule.missing)}" for rule in lame}
    return tuple(found.values())


def evaluation_now(
    inventory: Inventory,
    policies: SitePolicies,
    memory: Memory,
    *,
    created: datetime,
    as_of: datetime,
    people: People = NOBODY,
    lists: Lists = NO_LISTS,
    undo: Undo | None = None,
    spent: frozenset[str] | None = None,
    adopt: Collection[str] = frozenset(),
) -> Evaluation:
    """The evaluation of a plan: with the holds and the stages that earlier runs left, and what was undone since.

    ``spent`` are policies that act no more; ``None``: those of which memory tells it.
    """
    found = undone(inventory, policies, memory, created=created)
    holds = holds_of(memory, found, as_of, policies.guardrails.flapping_after, _terminations(policies))
    return evaluate(
        inventory,
        policies,
        as_of,
        people,
        lists,
        holds=holds,
        undo=undo,
        spent=frozenset(spent_by(policies, memory)) if spent is None else spent,
        episodes=episodes_known(memory, found, policies, inventory, created),
        adopted=frozenset(one.group for one in memory.adopted),
        adopt=adopt,
    )


def episodes_now(inventory: Inventory, policies: SitePolicies, memory: Memory, *, created: datetime) -> Episodes:
    """What counts of earlier runs for policies with stages, and what of it this reading shows to have been undone."""
    if not (memory.marks or memory.closed):  # mostly, and then nothing has to be compared
        return NO_EPISODES
    found = undone(inventory, policies, memory, created=created)
    return episodes_known(memory, found, policies, inventory, created)


def undone(inventory: Inventory, policies: SitePolicies, memory: Memory, *, created: datetime) -> Noticed:
    """What this reading shows others to have undone, and what follows from it."""
    again = regained(memory, policies, inventory, created)
    return noticed(memory, inventory, created, policies.guardrails.grace, _terminations(policies), again)


def _terminations(policies: SitePolicies) -> frozenset[str]:
    return frozenset(one.name for one in policies.policies if one.termination)


@dataclass(frozen=True, slots=True)
class _Guards:
    """All guards over some rows."""

    checks: tuple[Check, ...]
    limits: tuple[Limit, ...]
    seats: Seats

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def _guards(
    changes: tuple[Change, ...],
    waiting: Sequence[Change],
    inventory: Inventory,
    policies: SitePolicies,
    memory: Memory,
    created: datetime,
    unprotected: tuple[str, ...],
) -> _Guards:
    """The guards of a plan with these rows, beside rows that wait."""
    exceptions = exceptions_of(policies, created.date())
    caps, used = policies.guardrails.caps, inventory.seats_used
    counted = limits(changes, caps, memory, exceptions, seats=used, created=created, waiting=waiting)
    seats = seats_of(changes, inventory, memory, policies.license, created.date())
    checks = all_checks(
        changes,
        counted,
        policies,
        inventory,
        seats,
        memory,
        exceptions=exceptions,
        unprotected=unprotected,
        created=created,
    )
    return _Guards(checks, tuple(one.limit for one in counted), seats)


def guarded(
    plan: Plan, changes: tuple[Change, ...], inventory: Inventory, policies: SitePolicies, memory: Memory
) -> Plan:
    """The plan with its guards asked about these rows alone: those that are to be carried out.

    They may be fewer than the plan has, so that what was to make room for them is missing, or others that an earlier
    run has left. The limits of the whole plan hold beside it.
    """
    found = _guards(changes, (), inventory, policies, memory, plan.created, ())
    return replace(plan, checks=found.checks, limits=found.limits, applyable=found.passed)


def _inputs(
    inventory: Inventory, policies: SitePolicies, memory: Memory, lists: Lists, tool_version: str, policy_commit: str
) -> Inputs:
    """What the plan is made from, by digest."""
    return Inputs(
        policy_digest=policies.digest,
        inventory_digest=inventory.digest,
        proof=inventory.proof,
        lineage=memory.lineage,
        serial=memory.serial,
        tool_version=tool_version,
        policy_commit=policy_commit,
        lists=inputs_of(lists) or UNSET,
    )


def _gather(
    fates: dict[str, Fate],
) -> tuple[dict[str, Disposition], tuple[Change, ...], tuple[Handoff, ...], tuple[Pending, ...]]:
    """Fates as the parts of a plan; equal dispositions share one value."""
    shared: dict[Disposition, Disposition] = {}
    dispositions: dict[str, Disposition] = {}
    changes: list[Change] = []
    handoffs: list[Handoff] = []
    pending: list[Pending] = []
    for account, fate in fates.items():
        if fate is UNCHANGED:  # nearly everybody
            dispositions[account] = fate.disposition
            continue
        dispositions[account] = shared.setdefault(fate.disposition, fate.disposition)
        changes += fate.changes
        handoffs += fate.handoffs
        pending += fate.pending
    changes.sort(key=change_order)
    handoffs.sort(key=lambda one: (one.address, one.action))
    pending.sort(key=lambda one: change_order(one.change))
    return dispositions, tuple(changes), tuple(handoffs), tuple(pending)


def _keep_an_administrator(fates: dict[str, Fate], inventory: Inventory) -> None:
    """A plan that would leave no active administrator (no person: apps do not count) leaves all of them alone."""
    active = administrators(inventory)
    hit = {account for account in active if ends_administration(fates[account].changes, inventory)}
    if hit and hit == active:
        for account in hit:
            changes, policies = fates[account].changes, fates[account].disposition.policies
            leaves = any(cause.termination for one in changes for cause in one.causes)
            spared = Fate(Disposition("protected", "last-administrator", policies))
            fates[account] = last_administrator(changes, policies) if leaves else spared


def _warnings(
    changes: Iterable[Change], evaluation: Evaluation, policies: SitePolicies, memory: Memory, today: date
) -> tuple[str, ...]:
    """What whoever reads the plan should know, and what changes nothing of it. ``today`` is a UTC day."""
    return (
        *unprotected(gone(policies, memory)),
        *evaluation.shield.warnings,
        *_never_seen(changes, evaluation.scope.inventory),
        *nobody_listed(evaluation),
        *ended(policies.overrides, today),
        *stopped(evaluation.holds),
        *no_longer(policies, memory, evaluation.scope.as_of),
        *told(evaluation.declared, evaluation.scope.inventory),
        *untold(changes, memory, policies),
    )


def _never_seen(changes: Iterable[Change], inventory: Inventory) -> tuple[str, ...]:
    """A warning about people who count as idle though the directory, which records page views only, never saw them."""
    idle = {change.user for change in changes if any(isinstance(need, NotSeenAfter) for need in change.needs)}
    seen = [inventory.user_by_id[account].seen for account in idle]
    number = sum(1 for one in seen if isinstance(one, Never) and one.source == "directory")
    if not number:
        return ()
    who = "user counts" if number == 1 else "users count"
    text = f"{number} {who} as idle and never viewed a page: use through the API, a phone or an integration alone is"
    return (f"{text} not recorded. Exempt those who work that way, or name service accounts in the Site document.",)

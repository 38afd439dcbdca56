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
from cleanup_gitops.model.memory import Memory
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
    StageRow,
    envelope_digest,
    plan_digest,
    summarize,
)
from cleanup_gitops.planner.adoption import Adoptions, adoptions
from cleanup_gitops.planner.declared import told
from cleanup_gitops.planner.evaluate import Evaluation
from cleanup_gitops.planner.fate import UNCHANGED, Fate
from cleanup_gitops.planner.guards import (
    administrators,
    all_checks,
    ends_administration,
    exceptions_of,
    limits,
    roster_checks,
)
from cleanup_gitops.planner.handed_lists import inputs_of, nobody_listed
from cleanup_gitops.planner.handoffs import overdue_handoffs
from cleanup_gitops.planner.holds import stopped
from cleanup_gitops.planner.in_force import no_longer
from cleanup_gitops.planner.joining import Joining
from cleanup_gitops.planner.leavers import last_administrator, unmatched
from cleanup_gitops.planner.overdue import noted
from cleanup_gitops.planner.ready import evaluation_now
from cleanup_gitops.planner.seats import seats_of
from cleanup_gitops.planner.stage_rows import orphans, stage_rows
from cleanup_gitops.planner.undo import Undo, rollback_of
from cleanup_gitops.planner.unprotected import gone, told_of
from cleanup_gitops.planner.unprotected import warnings as unprotected
from cleanup_gitops.planner.untold import untold
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guarding import ended
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.missing import lacking


@collector_paused()
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

    ``warnings`` are shown beside the plan's own. ``people`` and ``lists`` are for conditions on names and on lists; the
    plan holds nobody of them. With ``undo`` it takes back what a run did. ``adopt``: groups, see
    ``evaluate``.
    """
    evaluation = evaluation_now(
        inventory, policies, memory, created=created, as_of=as_of, people=people, lists=lists, undo=undo, adopt=adopt
    )
    rows = _rows(evaluation, inventory, policies, memory, created, None if undo else adopt)
    changes = rows.changes
    waiting = [one.change for one in rows.pending if one.reason not in ("report", "adopt")]
    guards = _guards(changes, waiting, inventory, policies, memory, created, evaluation.shield.missing, lists)
    blocked = _blocked(evaluation)
    digest = plan_digest(changes)
    return Plan(
        site=inventory.site,
        hosting=inventory.hosting,
        created=created,
        as_of=as_of,
        changes=changes,
        handoffs=rows.handoffs,
        dispositions=rows.dispositions,
        checks=guards.checks,
        limits=guards.limits,
        blocked=blocked,
        warnings=(*warnings, *_warnings(rows, evaluation, policies, memory, created.date())),
        seats=guards.seats,
        summary=summarize(changes, rows.dispositions),
        inputs=_inputs(inventory, policies, memory, lists, tool_version, policy_commit),
        applyable=guards.passed,
        complete=not blocked,
        digest=digest,
        envelope=envelope_digest(
            plan=digest, site=inventory.site, lineage=memory.lineage, serial=memory.serial, created=created
        ),
        pending=rows.pending,
        rollback=rollback_of(undo, evaluation, changes, created.date() + timedelta(days=policies.guardrails.grace)),
        lifecycle=rows.lifecycle,
        adoption=rows.adopting.rows,
        unmatched=unmatched(evaluation.scope, evaluation.rules),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What becomes of everybody, as the parts of a plan."""

    changes: tuple[Change, ...]
    handoffs: tuple[Handoff, ...]
    pending: tuple[Pending, ...]
    dispositions: dict[str, Disposition]
    lifecycle: tuple[StageRow, ...]
    adopting: Adoptions


def _rows(
    evaluation: Evaluation,
    inventory: Inventory,
    policies: SitePolicies,
    memory: Memory,
    created: datetime,
    adopt: Collection[str] | None,
) -> _Rows:
    """Everybody decided. Changes have notes on what earlier runs did and on who was protected until now.

    ``adopt`` ``None``: the plan takes something back, and looks at no declared group.
    """
    joining = evaluation.joining
    fates = {user.id: evaluation.fate(user) for user in inventory.users}
    fates |= {account: joining.told(account, fates[account]) for account in joining.accounts if account in fates}
    lifecycle = stage_rows(evaluation)
    _keep_an_administrator(fates, inventory)
    dispositions, changes, handoffs, pending = _gather(fates, joining)
    return _Rows(
        changes=told_of(noted(changes, memory, created), gone(policies, memory), inventory, evaluation.scope.as_of),
        handoffs=handoffs,
        pending=pending,
        dispositions=dispositions,
        lifecycle=lifecycle,
        adopting=Adoptions() if adopt is None else adoptions(evaluation.declared, inventory, memory, fates, adopt),
    )


def _blocked(evaluation: Evaluation) -> tuple[str, ...]:
    """A sentence for each policy that names something that is not there, once for all of its stages, and each entry."""
    lame = (rule for rule in evaluation.rules if rule.missing and not rule.declared)
    found = {
        (rule.name, rule.termination): f"{rule.name} ({rule.policy.where}): {lacking(rule.missing)}" for rule in lame
    }
    return (*found.values(), *evaluation.declared.blocked)


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
    lists: Lists = NO_LISTS,
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
    checks = (*roster_checks(lists, policies, memory, exceptions), *checks)
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
    joining: Joining,
) -> tuple[dict[str, Disposition], tuple[Change, ...], tuple[Handoff, ...], tuple[Pending, ...]]:
    """Fates as the parts of a plan; equal dispositions share one value. Who has no account yet has no disposition."""
    shared: dict[Disposition, Disposition] = {}
    dispositions: dict[str, Disposition] = {}
    changes: list[Change] = [*joining.invites]
    handoffs: list[Handoff] = [*joining.handoffs]
    pending: list[Pending] = [*joining.pending]
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
    rows: _Rows, evaluation: Evaluation, policies: SitePolicies, memory: Memory, today: date
) -> tuple[str, ...]:
    """What whoever reads the plan should know, and what changes nothing of it. ``today`` is a UTC day."""
    return (
        *overdue_handoffs(rows.handoffs, evaluation.scope.as_of),
        *unprotected(gone(policies, memory)),
        *evaluation.shield.warnings,
        *_never_seen(rows.changes, evaluation.scope.inventory),
        *nobody_listed(evaluation),
        *ended(policies.overrides, today),
        *stopped(evaluation.holds),
        *no_longer(policies, memory, evaluation.scope.as_of),
        *told(evaluation.declared, evaluation.scope.inventory),
        *untold(rows.changes, memory, policies),
        *orphans(rows.lifecycle),
        *rows.adopting.waiting,
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

"""What a run commits beside its result: that it was void, what others had changed, and its intent with the leases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.leases import held, leases_of, taken
from cleanup_gitops.ledger.record import Ground, record_drift, record_intent, record_override, record_void
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import CleanupError, IncompleteReadingError, LeaseTakenError, StateError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Approval, Intent, Reason
from cleanup_gitops.policy.guests import linked
from cleanup_gitops.runner.desk import BrokenGuardsError, Desk, Found


def refuse_open_run(files: Mapping[str, bytes], now: datetime) -> None:
    """Raise ``LeaseHeldError`` when a run of this site is under way or was cut off, as these recorded files tell."""
    leases = leases_of(files)
    if leases:
        raise held(leases[0], now)


def record_voidness(desk: Desk, ground: Ground, error: CleanupError, plan: Plan | None = None) -> None:
    """Record that a run did nothing, and why; the error says where, or that it could not be recorded.

    Nothing is raised: the first error is the one that matters.
    """
    try:
        record = record_void(ground, reason=_reason(error), time=desk.hands.clock.now(), plan=plan)
        commit = desk.store.commit(record.files, record.subject, record.trailers)
        told = f"That nothing was done is recorded: commit {commit} in {desk.store.place}."
    except StateError as second:
        told = f"That nothing was done could not be recorded: {second.message}"
    error.hint = "\n".join(filter(None, (error.hint, told)))


def _reason(error: CleanupError) -> Reason:
    if isinstance(error, BrokenGuardsError):
        return Reason(code="unsafe-plan", text=", ".join(error.broken))
    code = "incomplete-reading" if isinstance(error, IncompleteReadingError) else "unreadable"
    return Reason(code=code, text=error.message)


def record_found(desk: Desk, ground: Ground, read: Live) -> tuple[Ground, Found | None, tuple[Difference, ...]]:
    """Commit what others changed since the last snapshot, apart from what this run will do; the ground after it.

    ``read`` is the site as it told itself. Late effects of earlier runs, and what was
    handed off and is done, are no news alone: they are given back, for the
    record of this run.
    """
    drift = drift_of(ground.before, read.inventory, linked(ground.memory.settling, read), ground.memory.marks)
    if drift is None or not drift.by_others:
        return ground, None, drift.differences if drift else ()
    record = record_drift(ground, drift=drift, inventory=read.inventory, time=desk.hands.clock.now())
    commit = desk.store.commit(record.files, record.subject, record.trailers)
    found = Found(drift, record.entry, commit) if record.entry else None
    return ground.after(record), found, ()


def record_lifted(desk: Desk, ground: Ground, plan: Plan) -> Ground:
    """Commit which guards of a plan hold because of Overrides alone, before anything is done; the ground after it."""
    lifted = [check for check in plan.checks if check.lifted]
    if not lifted:
        return ground
    record = record_override(ground, lifted=lifted, time=desk.hands.clock.now(), plan=plan)
    desk.store.commit(record.files, record.subject, record.trailers)
    return ground.after(record)


def claim(
    desk: Desk,
    ground: Ground,
    changes: Iterable[Change],
    *,
    plan: Plan,
    approval: Approval,
    actor: str,
    approved: Plan | None,
    approvals: Mapping[str, Approval] | None = None,
    second: Approval | None = None,
) -> tuple[Ground, Intent | None]:
    """Commit the intent to carry these changes out, with a lease for each directory; the ground after it.

    Raises ``LeaseHeldError`` when another run was faster, ``StateMovedError`` when it is through already.
    """
    now = desk.hands.clock.now()
    planned = tuple(changes)
    record = record_intent(
        ground,
        plan=plan,
        approval=approval,
        changes=planned,
        directories=_directories(plan, planned),
        holder=", ".join(filter(None, (actor or "an account that is not known", desk.process))),
        time=now,
        approved=approved,
        place=desk.place,
        actor=actor if approval.kind == "standing" else "",
        approvals=approvals,
        second=second,
    )
    free = [path for path in record.files if path.startswith(layout.LEASES)]
    try:
        desk.store.commit(record.files, record.subject, record.trailers, free=free)
    except LeaseTakenError as error:
        raise taken(error, now) from None
    return ground.after(record), record.intent


def _directories(plan: Plan, changes: Iterable[Change]) -> set[str]:
    """Of what one run at a time may change: the directories on Cloud, the whole site on Data Center."""
    return {plan.site} if plan.hosting == "datacenter" else {change.directory for change in changes}

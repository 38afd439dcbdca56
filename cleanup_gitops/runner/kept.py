"""What a run that was cut off left: its intent and plan in the record, perhaps its outcomes in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE
from cleanup_gitops.ledger.leases import read_intent
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.change import Change, change_digest, execution_order
from cleanup_gitops.model.errors import ApprovalError, CleanupError, StateError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Intent, Lease, Outcome, OutcomeRecord


@dataclass(frozen=True, slots=True)
class Begun:
    """A run as its intent says. ``changes`` are those it meant to make, in their order; ``approved`` the saved plan."""

    intent: Intent
    plan: Plan
    changes: tuple[Change, ...]
    approved: Plan | None = None


def read_begun(run: str, files: Mapping[str, bytes], leases: Sequence[Lease]) -> Begun:
    """The run that holds these leases, from its recorded files.

    Raises ``StateError`` when they do not fit each other or the leases.
    """
    path = layout.run_file(run, layout.INTENT)
    data = files.get(path)
    if data is None:
        _unfit(f"{path} is missing")
    intent = read_intent(path, data)
    if any(lease.intent != sha256(data) for lease in leases):
        _unfit(f"{path} is not the one that the lease names")
    if intent.run != run or {one.directory for one in leases} != set(intent.directories):
        _unfit(f"{path} names another run or other directories than the leases")
    for name, digest in intent.digests.items():
        if sha256(files.get(name, b"")) != digest:
            _unfit(f"{name} is not the one that the intent names")
    plan = _plan(run, layout.PLAN, files)
    planned = dict(zip(plan.manifest, plan.changes, strict=True))
    if plan.digest != intent.plan or not planned.keys() >= set(intent.changes):
        _unfit(f"{path} is about another plan than the one beside it")
    changes = sorted((planned[one] for one in intent.changes), key=execution_order)
    saved = layout.run_file(run, layout.APPROVED) in intent.digests
    return Begun(intent, plan, tuple(changes), _plan(run, layout.APPROVED, files) if saved else None)


def _plan(run: str, name: str, files: Mapping[str, bytes]) -> Plan:
    path = layout.run_file(run, name)
    try:
        return read_plan(files.get(path, b""))
    except ApprovalError as error:
        raise StateError(f"{path} cannot be used: {error.message}", HINT) from None


def _unfit(what: str) -> NoReturn:
    raise StateError(f"The record of the open run does not fit together: {what}.", HINT)


def read_kept(data: bytes, begun: Begun) -> tuple[Outcome, ...]:
    """The outcomes in a file that ``apply`` kept. Raises ``CleanupError`` when a line is not of this run.

    A file that breaks off in the middle of a line is refused as a whole.
    """
    known = {change_digest(change): change for change in begun.changes}
    dropped = _dropped(begun)
    outcomes: list[Outcome] = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            one = msgspec.json.decode(line, type=OutcomeRecord)
        except UNREADABLE as error:
            raise _foreign(number, f"cannot be read: {error}") from None
        change = known.pop(one.change, None)
        if change is None and one.result == "superseded":
            change = dropped.pop(one.change, None)
        if one.run != begun.intent.run or one.site != begun.intent.site or one.approval != begun.intent.approval:
            raise _foreign(number, "is of another run or approval")
        if change is None:
            raise _foreign(number, "names a change that the run did not mean to make, or names it twice")
        if (one.address, one.action, one.user) != (change.address, change.action, change.user):
            raise _foreign(number, "says something else about the change than the plan")
        if (one.before, one.after, one.causes) != (change.before, change.after, change.causes):
            raise _foreign(number, "says something else about the change than the plan")
        outcomes.append(_bare(one))
    return tuple(outcomes)


def _dropped(begun: Begun) -> dict[str, Change]:
    """Rows of the saved plan that the run did not plan again: recorded as superseded, never written."""
    if begun.approved is None:
        return {}
    rows = dict(zip(begun.approved.manifest, begun.approved.changes, strict=True))
    planned = set(begun.plan.manifest)
    return {key: change for key, change in rows.items() if key not in planned}


def _bare(one: OutcomeRecord) -> Outcome:
    """Without what every line of the record says again."""
    return Outcome(**{name: getattr(one, name) for name in Outcome.__struct_fields__})


def _foreign(number: int, what: str) -> CleanupError:
    return CleanupError(
        f"Line {number} of the outcomes {what}.",
        "Nothing was recorded. Name the file that `apply` kept for this run, or leave --outcomes out.",
    )

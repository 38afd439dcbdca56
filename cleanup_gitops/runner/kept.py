"""What a run that was cut off left: its intent and plan in the record, perhaps its journal or outcomes in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE
from cleanup_gitops.ledger.leases import read_intent
from cleanup_gitops.ledger.planfile import read_recorded_plan
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.change import Change, NoticeSend, change_digest, execution_order
from cleanup_gitops.model.errors import CleanupError, StateError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Intent, Lease, Outcome, OutcomeRecord, deadline_of
from cleanup_gitops.model.standing import approval_of
from cleanup_gitops.runner.journal import Line, header_of, read_lines
from cleanup_gitops.runner.notices import LOST
from cleanup_gitops.runner.outcomes import outcome_of


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
    saved = layout.run_file(run, layout.APPROVED) in intent.digests
    approved = _plan(run, layout.APPROVED, files) if saved else None
    rows = _rows(plan) | (_rows(approved) if approved else {})
    if plan.digest != intent.plan or not rows.keys() >= set(intent.changes):
        _unfit(f"{path} is about another plan than the one beside it")
    changes = sorted((rows[one] for one in intent.changes), key=execution_order)
    return Begun(intent, plan, tuple(changes), approved)


def _rows(plan: Plan) -> dict[str, Change]:
    return dict(zip(plan.manifest, plan.changes, strict=True))


def _plan(run: str, name: str, files: Mapping[str, bytes]) -> Plan:
    path = layout.run_file(run, name)
    return read_recorded_plan(path, files.get(path, b""))


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
        if one.run != begun.intent.run or one.site != begun.intent.site or not _allowed(one, begun.intent):
            raise _foreign(number, "is of another run or approval")
        if change is None:
            raise _foreign(number, "names a change that the run did not mean to make, or names it twice")
        if (one.address, one.action, one.user) != (change.address, change.action, change.user):
            raise _foreign(number, "says something else about the change than the plan")
        if (one.before, one.after, one.causes) != (change.before, change.after, change.causes):
            raise _foreign(number, "says something else about the change than the plan")
        outcomes.append(_bare(one))
    return tuple(outcomes)


def _allowed(one: OutcomeRecord, intent: Intent) -> bool:
    """Whether the line names the approval that its change has in this run."""
    if intent.approval.kind == "standing" and any(cause.policy not in intent.approvals for cause in one.causes):
        return False
    return one.approval == approval_of(one.causes, intent.approval, intent.approvals)


def _dropped(begun: Begun) -> dict[str, Change]:
    """Rows of the saved plan that the run did not plan again: recorded as superseded, never written."""
    if begun.approved is None:
        return {}
    meant = {*begun.plan.manifest, *begun.intent.changes}
    return {key: change for key, change in _rows(begun.approved).items() if key not in meant}


def _bare(one: OutcomeRecord) -> Outcome:
    """Without what every line of the record says again."""
    return Outcome(**{name: getattr(one, name) for name in Outcome.__struct_fields__})


def _foreign(number: int, what: str) -> CleanupError:
    return CleanupError(
        f"Line {number} of the outcomes {what}.",
        "Nothing was recorded. Name the file that `apply` kept for this run, or leave --outcomes out.",
    )


@dataclass(frozen=True, slots=True)
class Journaled:
    """What the journal of a run says: the outcomes of what was begun, and the digests of what was sent.

    Of what is not in ``sent`` it is certain that this run did not do it. Without a journal nothing is certain.
    ``unread`` was sent, and the run had not yet looked whether it shows.
    """

    outcomes: tuple[Outcome, ...] = ()
    sent: frozenset[str] | None = None
    unread: frozenset[str] = frozenset()


def read_journal(data: bytes, begun: Begun) -> Journaled:
    """The journal of a run. Raises ``StateError`` when it is of another one or cannot be read; its end may be torn."""
    numbered = dict(enumerate(begun.changes, start=1))
    last: dict[int, Line] = {}
    sent: set[str] = set()
    for line in read_lines(data, header_of(begun.intent)):
        change = numbered.get(line.number)
        if change is None or (line.change, line.address) != (change_digest(change), change.address):
            _unfit(f"the journal names change {line.number} otherwise")
        last[line.number] = line
        if line.event == "sending":
            sent.add(line.change)
        elif line.event == "stopped":
            sent.discard(line.change)
    told = [one for number, line in sorted(last.items()) if (one := _told(numbered[number], line)) is not None]
    unread = frozenset(line.change for line in last.values() if line.event in ("sending", "answered", "lost"))
    return Journaled(tuple(told), frozenset(sent), unread)


def _told(change: Change, line: Line) -> Outcome | None:
    """The outcome as far as its last line tells; ``None`` where nothing was changed and nothing was decided."""
    match line.event:
        case "ended" if line.result is not None:
            one = outcome_of(change, line.result, line.at, detail=line.detail, receipt=line.receipt)
            return msgspec.structs.replace(
                one, unmet=line.unmet, verified=line.verified, deadline=line.deadline, account=line.account
            )
        case "refused":
            return outcome_of(change, "failed", line.at, detail=line.detail)
        case "answered" if isinstance(change, NoticeSend):
            return outcome_of(change, "applied", line.at, receipt=line.receipt)
        case "lost" | "sending" if isinstance(change, NoticeSend):
            return outcome_of(change, "not_effective", line.at, detail=f"the run was cut off: {LOST}")
        case "answered":
            return _open(change, line, "accepted, and the run was cut off before it was read back")
        case "lost":
            return _open(change, line, f"{line.detail}: the answer was lost, and the run was cut off")
        case "sending":
            return _open(change, line, "the run was cut off before an answer was noted")
        case _:
            return None


def _open(change: Change, line: Line, detail: str) -> Outcome:
    """Sent, and it is not known what came of it: the site has until the deadline to show it."""
    one = outcome_of(change, "settling", line.at, detail=detail, receipt=line.receipt)
    return msgspec.structs.replace(one, deadline=deadline_of(one))

"""One change after the other: needs, write, read back. One bad user stops nobody else; a failing site stops all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from cleanup_gitops.model.change import Change, change_digest, execution_order
from cleanup_gitops.model.errors import LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Clock, Progress, Reader, Writer
from cleanup_gitops.model.run import Outcome, Receipt, Result
from cleanup_gitops.model.user import User
from cleanup_gitops.runner.needs import describe, took_effect, unmet

READ_BACK_WAITS = (0.0, 1.0, 2.0, 4.0)
"""Seconds to wait before each look at the effect of a write."""
SETTLING = 300
"""Seconds after a write in which a missing effect is "settling", because the directory may show it late."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What carrying out needs: eyes, a hand, a clock, and somewhere to say how far it is."""

    reader: Reader
    writer: Writer
    clock: Clock
    progress: Progress


def carry_out(changes: Sequence[Change], hands: Hands, stopped: Callable[[], bool]) -> tuple[Outcome, ...]:
    """An outcome for every change, in the order of execution. ``stopped`` is asked before each one."""
    outcomes: list[Outcome] = []
    written: set[str] = set()
    halt = ""
    for number, change in enumerate(sorted(changes, key=execution_order), start=1):
        if not halt and stopped():
            halt = "the run was interrupted"
        if halt:
            outcomes.append(_outcome(change, hands, "not_attempted", detail=halt))
            continue
        try:
            outcomes.append(_one(change, hands, own_effects=change.user in written))
        except SiteError as error:
            halt = f"the run stopped: {error.message}"
            outcomes.append(_outcome(change, hands, "not_attempted", detail=halt))
        if outcomes[-1].result == "applied":
            written.add(change.user)
        hands.progress.step("applying", number, len(changes))
    return tuple(outcomes)


def dropped(changes: Sequence[Change], hands: Hands) -> tuple[Outcome, ...]:
    """Approved rows that the current plan no longer has: recorded, never written."""
    detail = "no longer planned in the approved form"
    return tuple(_outcome(change, hands, "superseded", detail=detail) for change in changes)


def _one(change: Change, hands: Hands, *, own_effects: bool) -> Outcome:
    """``own_effects``: this run has changed the user before.

    Raises ``SiteError`` only while nothing was written for this change.
    """
    user = hands.reader.user(change.user)
    if user is None:
        return _outcome(change, hands, "superseded", detail="the account is gone")
    if took_effect(change, user):
        return _outcome(change, hands, "already", verified=True)
    gone = unmet(change.needs, user, hands.reader, own_effects=own_effects)
    if gone:
        return msgspec.structs.replace(_outcome(change, hands, "superseded", detail=describe(gone)), unmet=gone)
    try:
        receipt = hands.writer.write(change)
    except RefusedError as error:
        return _after_refusal(change, hands, error)
    except LostAnswerError as error:
        return _after_lost_answer(change, hands, error)
    return _read_back(change, hands, receipt)


def _after_refusal(change: Change, hands: Hands, error: RefusedError) -> Outcome:
    """A refusal may only mean that somebody else was faster."""
    user = _look(change, hands)
    if user is not None and took_effect(change, user):
        return _outcome(change, hands, "already", detail=error.message, verified=True)
    return _outcome(change, hands, "failed", detail=error.message)


def _after_lost_answer(change: Change, hands: Hands, error: LostAnswerError) -> Outcome:
    """The write is not repeated: what the site shows now decides."""
    outcome = _read_back(change, hands, None)
    if outcome.verified:
        return outcome
    return msgspec.structs.replace(outcome, result="failed", detail=f"{error.message}; read back: no effect is visible")


def _read_back(change: Change, hands: Hands, receipt: Receipt | None) -> Outcome:
    for wait in READ_BACK_WAITS:
        if wait:
            hands.clock.sleep(wait)
        user = _look(change, hands)
        if user is not None and took_effect(change, user):
            return _outcome(change, hands, "applied", receipt=receipt, verified=True)
    return _outcome(change, hands, "settling", detail="accepted, but not visible yet", receipt=receipt)


def _look(change: Change, hands: Hands) -> User | None:
    """The account after a write; a failing read here must not hide that something was written."""
    try:
        return hands.reader.user(change.user)
    except SiteError:
        return None


def finish(outcomes: Sequence[Outcome], changes: Sequence[Change], after: Inventory) -> tuple[Outcome, ...]:
    """Settling changes, judged by the reading at the end of the run."""
    by_digest = {change_digest(change): change for change in changes}
    finished = []
    for outcome in outcomes:
        user = after.user_by_id.get(outcome.user)
        judged = outcome
        if outcome.result == "settling":
            if user is not None and took_effect(by_digest[outcome.change], user):
                judged = msgspec.structs.replace(outcome, result="applied", detail="", verified=True)
            elif (after.as_of - outcome.at).total_seconds() > SETTLING:
                detail = "accepted, and still without effect"
                judged = msgspec.structs.replace(outcome, result="not_effective", detail=detail)
        finished.append(judged)
    return tuple(finished)


def _outcome(
    change: Change,
    hands: Hands,
    result: Result,
    *,
    detail: str = "",
    receipt: Receipt | None = None,
    verified: bool = False,
) -> Outcome:
    return Outcome(
        address=change.address,
        action=change.action,
        change=change_digest(change),
        user=change.user,
        result=result,
        at=hands.clock.now(),
        before=change.before,
        after=change.after,
        causes=change.causes,
        detail=detail,
        receipt=receipt,
        verified=verified,
    )

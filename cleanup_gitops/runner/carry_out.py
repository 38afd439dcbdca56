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
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.planner import Evaluation
from cleanup_gitops.runner.needs import describe, shown_by, took_effect, unmet
from cleanup_gitops.runner.outcomes import outcome_of
from cleanup_gitops.runner.reading import Questions

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


def carry_out(
    changes: Sequence[Change],
    hands: Hands,
    evaluation: Evaluation,
    stopped: Callable[[], str],
    questions: Questions | None = None,
) -> tuple[Outcome, ...]:
    """An outcome for every change, in the order of execution, whatever happens.

    ``stopped`` is asked before each one, and says why no more is to be done; "" when there is no reason.
    ``evaluation`` is that of the plan: it decides again about every user as read right before the first change.
    ``questions`` are those that the plan asked: they are asked again before each change of the same user.
    """
    asked = questions or {}
    outcomes: list[Outcome] = []
    touched: set[str] = set()
    halt = ""
    for number, change in enumerate(sorted(changes, key=execution_order), start=1):
        halt = halt or stopped()
        if halt:
            outcomes.append(outcome_of(change, "not_attempted", hands.clock.now(), detail=halt))
            continue
        known = asked.get(change.user, frozenset())
        attempt = Attempt(change, hands, evaluation, known, again=change.user in touched)
        try:
            outcomes.append(attempt.make())
        except SiteError as error:
            halt = stopped() or f"the run stopped: {error.message}"
            outcomes.append(attempt.broken(halt))
        except Exception as error:  # noqa: BLE001 - the record of what was done must not be lost with a defect
            halt = f"the run stopped: a defect of cleanup-gitops ({type(error).__name__})"
            outcomes.append(attempt.broken(halt))
        if attempt.sent:
            touched.add(change.user)
        hands.progress.step("applying", number, len(changes))
    return tuple(outcomes)


def dropped(changes: Sequence[Change], hands: Hands) -> tuple[Outcome, ...]:
    """Approved rows that the current plan no longer has: recorded, never written."""
    detail = "no longer planned in the approved form"
    return tuple(outcome_of(change, "superseded", hands.clock.now(), detail=detail) for change in changes)


class Attempt:
    """One change: look, decide, write, read back. ``again``: this run has changed the same user before."""

    def __init__(
        self, change: Change, hands: Hands, evaluation: Evaluation, questions: frozenset[Question], *, again: bool
    ) -> None:
        self._change = change
        self._hands = hands
        self._evaluation = evaluation
        self._questions = questions | shown_by(change)
        self._again = again
        self.sent = False

    def make(self) -> Outcome:
        """What became of the change. Raises ``SiteError`` only while nothing was sent for it."""
        change, hands = self._change, self._hands
        try:
            user = hands.reader.user(change.user, self._questions)
        except RefusedError as error:
            return self._outcome("failed", error.message)
        if took_effect(change, user):
            return self._outcome("already", seen=True)
        if user is None:
            return self._outcome("superseded", "the account is gone")
        gone = unmet(change.needs, user, hands.reader, own_effects=self._again)
        if gone:
            return msgspec.structs.replace(self._outcome("superseded", describe(gone)), unmet=gone)
        against = self._decided_otherwise(user)
        return self._outcome("superseded", against) if against else self._write()

    def broken(self, why: str) -> Outcome:
        """The outcome when the run stops here."""
        if self.sent:
            return self._outcome("settling", f"{why}; whether it took effect is not known yet")
        return self._outcome("not_attempted", why)

    def _decided_otherwise(self, user: User) -> str:
        """Why the same change would not be planned for the user as read now; empty when it would be.

        After an own change of the same user only protections are asked again: who has just left a group need not
        match the policy any more.
        """
        if not self._evaluation.decidable(user):
            return "the user is in a group that is newer than the plan"
        if self._evaluation.forbids(user, [cause.policy for cause in self._change.causes]):
            return "the user is protected by now"
        if self._again:
            return ""
        fate = self._evaluation.fate(user)
        if change_digest(self._change) in {change_digest(one) for one in fate.changes}:
            return ""
        return f"no longer planned: {fate.disposition.state.replace('_', ' ')} ({fate.disposition.reason})"

    def _write(self) -> Outcome:
        self.sent = True
        try:
            receipt = self._hands.writer.write(self._change)
        except RefusedError as error:
            return self._refused(error)
        except LostAnswerError as error:
            return self._read_back(None, f"{error.message}: the answer was lost")
        except SiteError:
            self.sent = False
            raise
        return self._read_back(receipt, "accepted")

    def _refused(self, error: RefusedError) -> Outcome:
        """A refusal may only mean that somebody else was faster."""
        if self._look():
            return self._outcome("already", error.message, seen=True)
        self.sent = False  # nothing was changed, so the user's next change is decided anew
        return self._outcome("failed", error.message)

    def _read_back(self, receipt: Receipt | None, what: str) -> Outcome:
        """The write is never repeated: what the site shows now, or at the end of the run, decides."""
        seen = False
        for wait in READ_BACK_WAITS:
            if wait:
                self._hands.clock.sleep(wait)
            effect = self._look()
            seen = seen or effect is not None
            if effect:
                return self._outcome("applied", receipt=receipt, seen=True)
        then = "but not visible yet" if seen else "but it could not be read back"
        return self._outcome("settling", f"{what}, {then}", receipt=receipt)

    def _look(self) -> bool | None:
        """Whether the effect shows after a write; ``None`` when the account cannot be read, which must hide nothing."""
        try:
            user = self._hands.reader.user(self._change.user, shown_by(self._change))
        except SiteError:
            return None
        return took_effect(self._change, user)

    def _outcome(
        self, result: Result, detail: str = "", *, receipt: Receipt | None = None, seen: bool = False
    ) -> Outcome:
        at = self._hands.clock.now()
        return outcome_of(self._change, result, at, detail=detail, receipt=receipt, seen=seen)


def finish(outcomes: Sequence[Outcome], changes: Sequence[Change], after: Inventory) -> tuple[Outcome, ...]:
    """Settling changes, judged by the reading at the end of the run."""
    by_digest = {change_digest(change): change for change in changes}
    finished = []
    for outcome in outcomes:
        user = after.user_by_id.get(outcome.user)
        judged = outcome
        if outcome.result == "settling":
            if took_effect(by_digest[outcome.change], user):
                judged = msgspec.structs.replace(
                    outcome, result="applied", detail="", verified=max(after.as_of, outcome.at)
                )
            elif (after.as_of - outcome.at).total_seconds() > SETTLING:
                detail = f"{outcome.detail}; still without effect at the end of the run"
                judged = msgspec.structs.replace(outcome, result="not_effective", detail=detail)
        finished.append(judged)
    return tuple(finished)

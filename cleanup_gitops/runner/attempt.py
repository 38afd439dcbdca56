"""One change: look, decide, write, read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from cleanup_gitops.model.change import Change, NoticeSend, change_digest
from cleanup_gitops.model.errors import LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.ports import Clock, Progress, Reader, Writer
from cleanup_gitops.model.run import Outcome, Receipt, Result, deadline_of
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.planner import Evaluation, rewound
from cleanup_gitops.runner.journal import Page
from cleanup_gitops.runner.needs import describe, shown_by, took_effect, unmet
from cleanup_gitops.runner.notices import AGAIN, LOST, Messenger, Post, receipt_of
from cleanup_gitops.runner.outcomes import outcome_of
from cleanup_gitops.runner.workers import ONE_BY_ONE, Workers

SILENT = "silent: no mail was sent"
READ_BACK_WAITS = (0.0, 1.0, 2.0, 4.0)
"""Seconds to wait before each look at the effect of a write."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What carrying out needs: eyes, a hand, a clock, somewhere to say how far it is, and who does the work.

    With several workers the other four are shared between threads.
    """

    reader: Reader
    writer: Writer
    clock: Clock
    progress: Progress
    workers: Workers = ONE_BY_ONE
    post: Post | None = None
    """How people are told; ``None``: nobody can be."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was done to a user under the same approval: the user as that was decided upon, and the changes since.

    ``shown`` are those of them that were seen in effect. ``here``: this run made them, after asking the same.
    """

    before: User
    made: tuple[Change, ...]
    shown: tuple[Change, ...]
    here: bool = True


class Attempt:
    """One change of one run.

    ``questions`` are asked about the user before the write. ``past``: what this run, or the one that it goes on with,
    has done to the same user before. ``stopped`` says why nothing more may be sent; "" while it may.
    ``messenger`` sends notices.
    """

    def __init__(
        self,
        page: Page,
        hands: Hands,
        evaluation: Evaluation,
        questions: frozenset[Question],
        stopped: Callable[[], str],
        past: Past | None,
        messenger: Messenger,
    ) -> None:
        self._messenger = messenger
        self._page = page
        self._change: Change = page.change
        self._hands = hands
        self._evaluation = evaluation
        self._questions = questions.union(shown_by(page.change), *map(shown_by, past.shown if past else ()))
        self._stopped = stopped
        self._past = past
        self._found: User | None = None
        self.sent = False

    def make(self) -> Outcome:
        """What became of the change. Raises ``SiteError`` and ``JournalError`` only while nothing was sent for it."""
        change, hands = self._change, self._hands
        try:
            user = hands.reader.user(change.user, self._questions)
        except RefusedError as error:
            return self._outcome("failed", error.message)
        if took_effect(change, user):
            return self._outcome("already", seen=True)
        if user is None:
            return self._outcome("superseded", "the account is gone")
        self._found = user
        gone = unmet(change.needs, user, hands.reader, own_effects=self._past is not None and self._past.here)
        if gone:
            return msgspec.structs.replace(self._outcome("superseded", describe(gone)), unmet=gone)
        against = self._decided_otherwise(user)
        return self._outcome("superseded", against) if against else self._write(user)

    def past(self, outcome: Outcome) -> Past | None:
        """What was done to the user so far, this change included where it was sent. A notice changes nobody."""
        if not self.sent or self._found is None or isinstance(self._change, NoticeSend):
            return self._past
        known = self._past or Past(self._found, (), ())
        made, shown = (*known.made, self._change), known.shown
        return Past(known.before, made, (*shown, self._change) if outcome.result == "applied" else shown)

    def broken(self, why: str) -> Outcome:
        """The outcome when the run stops here."""
        if self.sent and isinstance(self._change, NoticeSend):
            return self._outcome("not_effective", f"{why}; {LOST}")
        if self.sent:
            return self._settling(f"{why}; whether it took effect is not known yet", None)
        return self._outcome("not_attempted", why)

    def _decided_otherwise(self, user: User) -> str:
        """Why the same change would not be planned for the user as read now; empty when it would be.

        Own changes of the same user are thought away for that: who has just left a group need not match the policy any
        more. What somebody else took back meanwhile is not fought about.
        """
        if user.directory != self._change.directory:
            return "the account is in another directory by now"
        if not self._evaluation.decidable(user):
            return "the user is in a group that is newer than the plan"
        if self._evaluation.forbids(user, [cause.policy for cause in self._change.causes]):
            return "the user is protected by now"
        past = self._past
        if past is not None:
            if not all(took_effect(one, user) for one in past.shown):
                return "what was done to the user was undone meanwhile"
            user = rewound(user, past.before, past.made, self._evaluation.scope.inventory)
        fate = self._evaluation.fate(user)
        if change_digest(self._change) in {change_digest(one) for one in fate.changes}:
            return ""
        return f"no longer planned: {fate.disposition.state.replace('_', ' ')} ({fate.disposition.reason})"

    def _tell(self, change: NoticeSend, user: User) -> Outcome:
        """Nothing shows on the site: what the relay answers is all that can be known."""
        if why := self._messenger.why:
            return self._outcome("not_attempted", why)
        self._page.sending()
        self.sent = True
        try:
            sent = self._messenger.send(change, user, self._hands.clock.now())
        except RefusedError as error:
            self._page.heard("refused", detail=error.message)
            self.sent = False
            return self._outcome("failed", error.message)
        except LostAnswerError as error:
            self._page.heard("lost", detail=error.message)
            return self._outcome("not_effective", f"{error.message.rstrip('.')}; {AGAIN}")
        except SiteError as error:
            self._page.heard("stopped", detail=error.message)
            self.sent = False
            self._messenger.stop(f"no notice can be sent: {error.message}")
            return self._outcome("not_attempted", self._messenger.why)
        receipt = receipt_of(sent)
        self._page.heard("answered", receipt=receipt)
        return self._outcome("applied", SILENT if sent.how == "silent" else "", receipt=receipt)

    def _write(self, user: User) -> Outcome:
        if why := self._stopped():
            return self._outcome("not_attempted", why)
        if isinstance(self._change, NoticeSend):
            return self._tell(self._change, user)
        self._page.sending()
        self.sent = True
        try:
            receipt = self._send()
        except RefusedError as error:
            self._page.heard("refused", detail=error.message)
            return self._refused(error)
        except LostAnswerError as error:
            self._page.heard("lost", detail=error.message)
            return self._read_back(None, f"{error.message}: the answer was lost")
        except SiteError as error:
            self._page.heard("stopped", detail=error.message)
            self.sent = False
            raise
        self._page.heard("answered", receipt=receipt)
        return self._read_back(receipt, "accepted")

    def _send(self) -> Receipt:
        """Make the one call. Raises as the writer does."""
        return self._hands.writer.write(self._change)

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
        return self._settling(f"{what}, {then}", receipt)

    def _look(self) -> bool | None:
        """Whether the effect shows after a write; ``None`` when the account cannot be read, which must hide nothing."""
        try:
            user = self._hands.reader.user(self._change.user, shown_by(self._change))
        except SiteError:
            return None
        return took_effect(self._change, user)

    def _settling(self, detail: str, receipt: Receipt | None) -> Outcome:
        outcome = self._outcome("settling", detail, receipt=receipt)
        return msgspec.structs.replace(outcome, deadline=deadline_of(outcome))

    def _outcome(
        self, result: Result, detail: str = "", *, receipt: Receipt | None = None, seen: bool = False
    ) -> Outcome:
        at = self._hands.clock.now()
        return outcome_of(self._change, result, at, detail=detail, receipt=receipt, seen=seen)

"""Carries changes out, in phases and several users at a time. One bad user stops nobody else; a failing site stops all.

What was begun is finished: a worker ends its write with what it read back, or never starts it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from cleanup_gitops.model.change import GIVING, TAKING, Change, NoticeSend, UserInvite, change_digest
from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Disposition, Plan
from cleanup_gitops.model.run import Outcome, deadline_of
from cleanup_gitops.planner import Evaluation
from cleanup_gitops.runner.attempt import Attempt, Hands, Past
from cleanup_gitops.runner.inviting import Inviting
from cleanup_gitops.runner.journal import UNKEPT, Journal, JournalError, Page
from cleanup_gitops.runner.needs import took_effect
from cleanup_gitops.runner.notices import Messenger
from cleanup_gitops.runner.order import Errand, phases
from cleanup_gitops.runner.outcomes import outcome_of
from cleanup_gitops.runner.reading import Questions


def carry_out(
    changes: Sequence[Change],
    hands: Hands,
    evaluation: Evaluation,
    stopped: Callable[[], str],
    questions: Questions | None = None,
    *,
    journal: Journal = UNKEPT,
    begun: Mapping[str, Past] | None = None,
    ungiven: Collection[str] = (),
) -> tuple[Outcome, ...]:
    """An outcome for every change, in the order of ``model.change.execution_order``, whatever happens.

    ``stopped`` is asked before each one, and says why no more is to be done; "" when there is no reason.
    ``evaluation`` is that of the plan: it decides again about every user as read right before the first change.
    ``questions`` are those that the plan asked: they are asked again before each change of the same user. ``begun`` is
    what an earlier run has done to users under the same approval. From the users in ``ungiven`` nothing is taken,
    because something that they were to get with it is planned no longer.
    """
    messenger = Messenger(hands.post, evaluation, changes)
    work = _Work(hands, evaluation, stopped, questions or {}, journal, len(changes), messenger)
    work.past |= begun or {}
    work.ungiven |= set(ungiven)
    for errands in phases(changes, evaluation.scope.inventory):
        hands.workers.each(work.run, errands)
    return work.outcomes()


_UNGIVEN = "what the user was to get first was not given, so nothing is taken either"


class _Work:
    """What the workers of one run share."""

    def __init__(
        self,
        hands: Hands,
        evaluation: Evaluation,
        ask: Callable[[], str],
        questions: Questions,
        journal: Journal,
        total: int,
        messenger: Messenger,
    ) -> None:
        self._hands = hands
        self._evaluation = evaluation
        self._ask = ask
        self._questions = questions
        self._journal = journal
        self._total = total
        self._messenger = messenger
        self.past: dict[str, Past] = {}
        self.ungiven: set[str] = set()
        """Users who did not get what they were to get before something is taken from them."""
        self._lock = threading.Lock()
        self._done: dict[int, Outcome] = {}
        self._attempted = 0
        self._halt = ""

    def run(self, errand: Errand) -> None:
        """One user's changes, one after the other."""
        for number, change in errand:
            outcome = self._one(number, change)
            with self._lock:
                self._done[number] = outcome
                if outcome.result != "not_attempted":
                    self._attempted += 1
                    self._hands.progress.step("applying", self._attempted, self._total)

    def outcomes(self) -> tuple[Outcome, ...]:
        """All of them, by number."""
        return tuple(self._done[number] for number in sorted(self._done))

    def _one(self, number: int, change: Change) -> Outcome:
        if why := self._stopped():
            return outcome_of(change, "not_attempted", self._hands.clock.now(), detail=why)
        if isinstance(change, NoticeSend) and self._messenger.why:
            return outcome_of(change, "not_attempted", self._hands.clock.now(), detail=self._messenger.why)
        if change.user in self.ungiven and change.action in TAKING:
            return outcome_of(change, "not_attempted", self._hands.clock.now(), detail=_UNGIVEN)
        page = Page(self._journal, self._hands.clock, number, change)
        known = self._questions.get(change.user, frozenset())
        past = self.past.get(change.user)
        kind = Inviting if isinstance(change, UserInvite) else Attempt
        attempt = kind(page, self._hands, self._evaluation, known, self._stopped, past, self._messenger)
        try:
            outcome = attempt.make()
        except (SiteError, JournalError) as error:
            outcome = attempt.broken(self._failed(f"the run stopped: {error.message}"))
        except Exception as error:  # noqa: BLE001 - the record of what was done must not be lost with a defect
            why = f"the run stopped: a defect of cleanup-gitops ({type(error).__name__})"
            outcome = attempt.broken(self._failed(why))
        if (now := attempt.past(outcome)) is not None:
            self.past[change.user] = now
        if change.action in GIVING and outcome.result not in ("applied", "already"):
            self.ungiven.add(change.user)
        page.ended(outcome)
        return outcome

    def _stopped(self) -> str:
        """Why nothing more is to be sent; "" while there is no reason."""
        return self._halt or self._stop(self._ask())

    def _failed(self, why: str) -> str:
        """Let nothing more be sent. Whoever asked to end knows that as the reason for what broke off."""
        return self._stop(self._ask() or why)

    def _stop(self, why: str) -> str:
        """The reason for which nothing more is to be sent; the first one counts, and "" is none."""
        with self._lock:
            self._halt = self._halt or why
            return self._halt


def dropped(changes: Sequence[Change], plan: Plan, hands: Hands) -> tuple[Outcome, ...]:
    """Approved rows that the current plan no longer has, with what became of the user: recorded, never written."""
    now = hands.clock.now()
    return tuple(
        outcome_of(one, "superseded", now, detail=_instead(one, plan.dispositions.get(one.user))) for one in changes
    )


def _instead(change: Change, found: Disposition | None) -> str:
    if isinstance(change, UserInvite):
        return "no longer planned: the person has an account by now, or nobody here may invite"
    if found is None:
        return "the account is gone"
    if found.state == "changed":
        return "no longer planned in the approved form"
    return f"no longer planned: {found.state.replace('_', ' ')} ({found.reason})"


def finish(outcomes: Sequence[Outcome], changes: Sequence[Change], after: Inventory) -> tuple[Outcome, ...]:
    """Settling changes, judged by the reading at the end of the run."""
    by_digest = {change_digest(change): change for change in changes}
    finished = []
    for outcome in outcomes:
        user = after.user_by_id.get(outcome.account or outcome.user)
        judged = outcome
        if outcome.result == "settling":
            if took_effect(by_digest[outcome.change], user):
                judged = msgspec.structs.replace(
                    outcome, result="applied", detail="", verified=max(after.as_of, outcome.at), deadline=None
                )
            elif after.as_of > deadline_of(outcome):
                detail = f"{outcome.detail}; still without effect at the end of the run"
                judged = msgspec.structs.replace(outcome, result="not_effective", detail=detail)
        finished.append(judged)
    return tuple(finished)

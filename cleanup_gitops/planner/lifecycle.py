"""Where a user stands in the stages of a policy on one day, and what that day changes about it. Pure.

Nothing here looks at a site: whether the policy matches, whether a stage is done and so on is told, and may be unknown.
What is unknown enters nothing, ends nothing and asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from cleanup_gitops.model.memory import Closed, Effect, Ended, Known, Mark, Memory
from cleanup_gitops.policy.documents import Stage

What = Literal["entered", "due", "done", "closed", "free"]


@dataclass(frozen=True, slots=True)
class Episode:
    """What is remembered of the newest episode of one user in one policy: marks while it is open, else how it ended."""

    marks: tuple[Mark, ...] = ()
    closed: Closed | None = None

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return bool(self.marks)

    @property
    def finished(self) -> bool:
        """Whether it is done, so that no other one opens until the user once did not match."""
        return not self.marks and self.closed is not None and self.closed.why == "done"

    @property
    def number(self) -> int:
        """Its number; 0 before the first one."""
        if self.marks:
            return self.marks[0].episode
        return self.closed.episode if self.closed else 0

    @property
    def opened(self) -> date | None:
        """The UTC day on which it opened."""
        return min(map(_entered, self.marks)) if self.marks else None

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What its stages changed, oldest first; nothing when it was broken off."""
        if self.marks:
            return tuple(effect for mark in self.marks for effect in mark.effects)
        return self.closed.effects if self.closed and self.finished else ()

    @property
    def known(self) -> Known | None:
        """What was known of the user when it opened."""
        if self.marks:
            return next((mark.known for mark in self.marks if mark.known), None)
        return self.closed.known if self.closed and self.finished else None


NO_EPISODE = Episode()


def episodes_of(memory: Memory) -> dict[tuple[str, str], Episode]:
    """The newest episodes by user and policy."""
    marks: dict[tuple[str, str], list[Mark]] = {}
    for mark in memory.marks:
        marks.setdefault((mark.user, mark.policy), []).append(mark)
    found = {(one.user, one.policy): Episode(closed=one) for one in memory.closed}
    return found | {key: Episode(tuple(sorted(own, key=_age))) for key, own in marks.items()}


def _age(mark: Mark) -> tuple[datetime, bool, str]:
    return mark.entered, mark.done is None, mark.stage


def _entered(mark: Mark) -> date:
    return mark.entered.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a user on one day, with the effects of the episode taken back where it is about matching.

    ``when`` and ``met`` are asked about the number of a stage: whether its own condition holds, and whether all that it
    asks for is seen in the live site. ``returned`` is asked about the stage that is due (``None``: none is): whether
    the user was seen for certain since the episode opened, where that counts.
    """

    matches: bool | None
    when: Callable[[int], bool | None]
    met: Callable[[int], bool]
    returned: Callable[[int | None], bool]
    spared: Literal["", "protected", "exempt"] = ""
    held: bool = False
    """Whether a hold keeps the policy from the user."""
    undone: bool = False
    """Whether somebody undid what a stage of the episode had done."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happens to an episode: to which stage, by number (-1: to the episode as a whole)."""

    what: What
    stage: int
    reason: Ended | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where the user stands: the stage that is due or comes next, and whether it asks now (``None``: not known).

    ``due`` is the UTC day on which that stage is due, while it is not.
    """

    episode: int
    stage: int
    asks: bool | None = False
    due: date | None = None
    rows: tuple[Row, ...] = ()
    undelivered: date | None = None
    """The UTC day on which the notice of that stage came back: until somebody says otherwise it is not sent again."""

    @property
    def ended(self) -> bool:
        """Whether the episode ends here."""
        return any(row.what == "closed" for row in self.rows)


def position(stages: Sequence[Stage], episode: Episode, facts: Facts, today: date) -> Position:
    """Where the user stands on a UTC day. Each day moves at most one stage on."""
    if facts.undone and (episode.open or episode.finished):
        return _closed(stages, episode, "restored")
    if facts.spared and episode.open:
        return _closed(stages, episode, facts.spared)
    if not episode.open:
        return _finished(stages, episode, facts) if episode.finished else _first(episode, facts, stages)
    number, entered, due = current(stages, episode)
    if number == len(stages):
        return _closed(stages, episode, "done")
    waits = due is not None and today < due
    if facts.matches is None:
        return Position(episode.number, number, None, due if waits else None)
    if facts.returned(None if waits else number):
        return _closed(stages, episode, "returned")
    if not facts.matches:
        return _closed(stages, episode, "no-longer-matching")
    if waits:
        return Position(episode.number, number, due=due)
    back = _came_back(stages, episode, number)
    asks = False if back else facts.when(number)
    rows = _on_stage(number, facts, stages, entered=entered) if asks else ()
    return Position(episode.number, number, asks, rows=rows, undelivered=back)


def _came_back(stages: Sequence[Stage], episode: Episode, number: int) -> date | None:
    """The UTC day on which the notice of this stage came back as undelivered; ``None``: it did not."""
    days = [mark.undelivered for mark in episode.marks if mark.stage == stages[number].name and mark.undelivered]
    return days[0].astimezone(UTC).date() if days else None


def current(stages: Sequence[Stage], episode: Episode) -> tuple[int, bool, date | None]:
    """The stage of an open episode that is not done, by number; whether it was entered; the UTC day it is due.

    The number is that of all stages when none is left. Nobody goes back: what was put before a stage that was entered
    is passed by, and a stage that is gone from the policy counts as done for the days of the next one.
    """
    numbers = {stage.name: number for number, stage in enumerate(stages)}
    known = [(numbers[mark.stage], mark) for mark in episode.marks if mark.stage in numbers]
    if not known:
        return 0, False, None
    number, mark = max(known, key=lambda one: one[0])
    if mark.done is None:
        return number, True, None
    if number + 1 == len(stages):
        return number + 1, False, None
    done = max(one.done.astimezone(UTC).date() for one in episode.marks if one.done)
    return number + 1, False, done + timedelta(days=stages[number + 1].after)


def _first(episode: Episode, facts: Facts, stages: Sequence[Stage]) -> Position:
    """No episode is open: one opens with the first stage, unless something spares the user."""
    number = episode.number + 1
    if not facts.matches:
        return Position(number, 0, facts.matches)
    asks = facts.when(0)
    opens = asks and not facts.held and not facts.spared
    return Position(number, 0, asks, rows=_on_stage(0, facts, stages, entered=False) if opens else ())


def _on_stage(number: int, facts: Facts, stages: Sequence[Stage], *, entered: bool) -> tuple[Row, ...]:
    """The rows of a stage that is due. A notice is entered, and done, when it was sent: no plan knows that."""
    if stages[number].notify:
        return (Row("due", number),)
    rows = () if entered else (Row("entered", number),)
    if not facts.met(number):
        return rows
    rows = (*rows, Row("done", number))
    return (*rows, Row("closed", number, "done")) if number + 1 == len(stages) else rows


def _finished(stages: Sequence[Stage], episode: Episode, facts: Facts) -> Position:
    """An episode that is done keeps the policy from the user until the user once does not match."""
    over = facts.matches is False
    rows = (Row("free", len(stages) - 1, "no-longer-matching"),) if over else ()
    return Position(episode.number, len(stages) - 1, rows=rows)


def _closed(stages: Sequence[Stage], episode: Episode, why: Ended) -> Position:
    number = min(current(stages, episode)[0], len(stages) - 1) if episode.open else len(stages) - 1
    return Position(episode.number, number, rows=(Row("closed", number, why),))


def over(episodes: Mapping[tuple[str, str], Episode], policies: frozenset[str]) -> list[tuple[str, str, Episode]]:
    """Users and policies of episodes that nothing leads on: their policy is not one of these any more."""
    return [
        (user, policy, one)
        for (user, policy), one in sorted(episodes.items())
        if policy not in policies and (one.open or one.finished)
    ]

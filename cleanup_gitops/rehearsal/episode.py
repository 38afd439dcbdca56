"""Where one user stands in the stages of a policy, and from when on the next ones may be entered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cleanup_gitops.model.memory import Ended
from cleanup_gitops.model.plan import StageRow
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.courses import Course
from cleanup_gitops.planner.lifecycle import Episode, Position, current
from cleanup_gitops.policy.match import Explanation, Scope, explain_match


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedStage:
    """One stage: the UTC days on which it was entered and done, and on which its notice came back.

    ``earliest`` is the first UTC day on which it may be entered if nothing else changes; ``None`` where it was entered,
    is not to be entered, or that is not known. ``when`` is the stage's own condition, as it is today.
    """

    name: str
    after: int
    notify: bool
    entered: date | None = None
    done: date | None = None
    undelivered: date | None = None
    passed: bool = False
    """Whether the episode is beyond it."""
    earliest: date | None = None
    when: Explanation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedEpisode:
    """The newest pass of a user through the stages, or the one that would open.

    ``number`` is 0 when there was none. ``opened``: the UTC day, of an open one. ``ended``: why it was over, and on
    which UTC day. ``today`` is what the plan changes about it.
    """

    number: int
    opened: date | None
    ended: tuple[Ended, date] | None
    stages: tuple[ExplainedStage, ...]
    today: tuple[StageRow, ...]


def explain_episode(
    course: Course, user: User, scope: Scope, rows: tuple[StageRow, ...], held: date | None = None
) -> ExplainedEpisode:
    """The user's episode as it is remembered; ``rows`` are those of the plan about this user and policy.

    ``held``: the last UTC day on which the policy leaves the user alone.
    """
    episode, where, before = course.episode(user.id), course.position(user), course.before(user)
    marks = {mark.stage: mark for mark in episode.marks}
    days = _earliest(course, episode, where, held)
    closed = episode.closed
    return ExplainedEpisode(
        number=episode.number,
        opened=episode.opened,
        ended=None if episode.open or closed is None else (closed.why, _day(closed.at)),
        stages=tuple(
            ExplainedStage(
                name=stage.name,
                after=stage.after,
                notify=stage.notify is not None,
                entered=_day(mark.entered) if (mark := marks.get(stage.name)) else None,
                done=_day(mark.done) if mark and mark.done else None,
                undelivered=_day(mark.undelivered) if mark and mark.undelivered else None,
                passed=episode.open and number < where.stage and stage.name not in marks,
                earliest=days.get(number),
                when=explain_match(stage.when, before, scope) if stage.when else None,
            )
            for number, stage in enumerate(course.policy.stages)
        ),
        today=rows,
    )


def _earliest(course: Course, episode: Episode, where: Position, held: date | None) -> dict[int, date]:
    """The first days on which the stages that are ahead may be entered, by number."""
    stages, over = course.policy.stages, where.ended or any(row.what == "free" for row in where.rows)
    if over or episode.finished or (where.due is None and where.asks is not True):
        return {}
    day = where.due or course.today
    if held and not episode.open:
        day = max(day, held + timedelta(days=1))
    entered = episode.open and current(stages, episode)[1]
    found = {} if entered else {where.stage: day}
    for number in range(where.stage + 1, len(stages)):
        day += timedelta(days=stages[number].after)
        found[number] = day
    return found


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()

"""What pictures are made of: lines over days, users by days since last seen, hits by threshold. Counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """A number from day to day. ``points`` are UTC days with the number that holds from then on, oldest first.

    Of several points of one day the last holds. ``ahead``: these days are to come, and the numbers are a forecast.
    At least one point.
    """

    name: str
    points: tuple[tuple[date, int], ...]
    ahead: bool = False

    @property
    def first(self) -> date:
        """The day on which it begins."""
        return self.points[0][0]

    @property
    def last(self) -> date:
        """The day on which it ends."""
        return self.points[-1][0]

    def on(self, day: date) -> int | None:
        """What holds at the end of a day; ``None`` before it begins and after it has ended."""
        if not self.first <= day <= self.last:
            return None
        return next(number for at, number in reversed(self.points) if at <= day)


@dataclass(frozen=True, slots=True)
class SensitivityPoint:
    """A policy with so many days of idleness: the users it hits, and how many of them came back within 30 days.

    ``own``: these are the days of the policy as it is written. ``told``: of so many of the hits it is known whether
    they came back; ``None``: of all.
    """

    days: int
    hits: int
    came_back: int
    own: bool = False
    told: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """Users whose last use is ``first`` .. ``last`` days ago, both included; ``last`` None: without an end.

    Of somebody who was last seen between two days the later one counts, so that these are the fewest days. ``open`` of
    the ``users`` may have been seen so much earlier that they would stand in a later bar.
    """

    first: int
    last: int | None
    users: int
    open: int = 0


@dataclass(frozen=True, slots=True)
class Threshold:
    """More than so many days without a use are what these policies ask for."""

    days: int
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Users by the days since their last use: each of them in one bar, ``never`` seen, or ``unknown``.

    Every threshold is the last day of some bar.
    """

    bars: tuple[Bar, ...]
    never: int
    unknown: int
    thresholds: tuple[Threshold, ...]

    @property
    def users(self) -> int:
        """All of them."""
        return sum(bar.users for bar in self.bars) + self.never + self.unknown

    @property
    def open(self) -> int:
        """Users who may stand in a later bar."""
        return sum(bar.open for bar in self.bars)


_DAY_STEPS = (1, 2, 7, 14, 28)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)


def ticks(first: date, last: date, most: int) -> tuple[date, ...]:
    """Days at equal steps that stand for a span of time, at most so many: days, weeks, or first days of months.

    Days and weeks count from ``first`` on. ``last`` need not be among them.
    """
    span = (last - first).days
    for step in _DAY_STEPS:
        if span // step < most:
            return tuple(first + timedelta(days=at) for at in range(0, span + 1, step))
    return next(found for step in _MONTH_STEPS if len(found := _months(first, last, step)) <= most)


def _months(first: date, last: date, step: int) -> tuple[date, ...]:
    """First days of the months whose number is a multiple of ``step``."""
    begin, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    days = (date(at // 12, at % 12 + 1, 1) for at in range(begin, end + 1) if at % step == 0)
    return tuple(day for day in days if day >= first)


def span(lines: Sequence[Line]) -> tuple[date, date]:
    """The first and the last day of all lines."""
    return min(line.first for line in lines), max(line.last for line in lines)

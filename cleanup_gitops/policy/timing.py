"""When policies act: schedules with time zones, and the windows of a site. Pure: every instant is handed in.

A schedule and a window only filter what is carried out; nothing is evaluated otherwise because of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE = timedelta(minutes=1)
_LONGEST_JUMP = timedelta(hours=3)
"""Clocks are put forward or back by less than this."""
_AHEAD = 800
"""So many days ahead an opening is looked for."""
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Times at which a policy acts: cron lines of five fields, on the clocks of one time zone."""

    cron: tuple[str, ...]
    time_zone: str
    where: str = ""

    def next_after(self, at: datetime) -> datetime:
        """The first of its times after an instant (UTC).

        A time that the clocks leave out comes when they have been put forward, and one that they show twice comes
        once, as in Debian's cron.
        """
        local = at.astimezone(ZoneInfo(self.time_zone))
        return min(next(CronSim(line, local)).astimezone(UTC) for line in self.cron)

    def due(self, since: datetime, now: datetime) -> bool:
        """Whether one of its times has passed after ``since``, up to and including ``now`` (UTC)."""
        return self.next_after(since) <= now


def wrong_cron(line: str) -> str:
    """What is wrong with a cron line, "" when nothing is."""
    if len(line.split()) != 5:
        return "must have five fields: minute, hour, day of the month, month, day of the week, such as `17 7 * * 1-5`"
    try:
        next(CronSim(line, _ANY_DAY))
    except CronSimError as error:
        return f"is no cron line: {str(error).lower()}"
    except StopIteration:
        return "is a time that never comes"
    return ""


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours on some days of the week (Monday is 0), from a time of the day up to, and without, another.

    Both are minutes after midnight by the local clock.
    """

    weekdays: frozenset[int]
    begin: int
    end: int

    def hold(self, local: datetime) -> bool:
        """Whether a local time is among them."""
        return local.weekday() in self.weekdays and self.begin <= local.hour * 60 + local.minute < self.end


@dataclass(frozen=True, slots=True)
class Windows:
    """When changes may be made on a site at all, by the clocks of one time zone.

    ``deny`` are first and last days on which nothing is done, ``allow`` the hours in which something is; without any,
    always. Deny wins.
    """

    time_zone: str
    deny: tuple[tuple[date, date], ...] = ()
    allow: tuple[Hours, ...] = ()

    def open_at(self, at: datetime) -> bool:
        """Whether changes may be made at an instant (UTC)."""
        return self._open(at.astimezone(ZoneInfo(self.time_zone)))

    def opens(self, at: datetime) -> datetime | None:
        """The first minute (UTC) from this instant on in which changes may be made; ``None``: not within two years."""
        if self.open_at(at):
            return at
        zone = ZoneInfo(self.time_zone)
        today = at.astimezone(zone).date()
        for days in range(_AHEAD):
            day = today + timedelta(days=days)
            found = [one for begin in self._begins(day) if (one := self._from(day, begin, zone, at))]
            if found:
                return min(found)
        return None

    def _open(self, local: datetime) -> bool:
        if self._denied(local.date()):
            return False
        return not self.allow or any(one.hold(local) for one in self.allow)

    def _denied(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.deny)

    def _begins(self, day: date) -> Iterator[int]:
        if not self._denied(day):
            yield from (one.begin for one in self.allow if day.weekday() in one.weekdays)
            if not self.allow:
                yield 0

    def _from(self, day: date, begin: int, zone: ZoneInfo, at: datetime) -> datetime | None:
        """The first minute after ``at`` that is open, near a local time that the clocks may leave out or show twice."""
        told = datetime.combine(day, time(begin // 60, begin % 60), zone)
        first = min(told.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        for minutes in range(int(_LONGEST_JUMP / _MINUTE)):
            found = first + minutes * _MINUTE
            if found > at and self.open_at(found):
                return found
        return None

"""The columns of ``cleanup-gitops audit gaps``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cleanup_gitops.evidence.silence import Gap
from cleanup_gitops.views.columns import Column, Labelled, Value
from cleanup_gitops.views.facts import Facts

_HOUR = timedelta(hours=1)


def _time(at: datetime) -> Value:
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Labelled(text, text)


def _until(gap: Gap, _: Facts) -> Value:
    text = gap.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Labelled(f"{text}, not over yet" if gap.open else text, text)


def _length(gap: Gap, _: Facts) -> Value:
    """Days and hours, rounded down; in whole seconds for programs."""
    hours = gap.length // _HOUR
    days = f"{hours // 24} d " if hours >= 24 else ""
    return Labelled(f"{days}{hours % 24} h", int(gap.length.total_seconds()))


def _void(gap: Gap, _: Facts) -> Value:
    said = ", ".join(f"{number} {code.replace('-', ' ')}" for code, number in gap.void.items())
    return Labelled(said or "none", gap.void)


def _days(gap: Gap, _: Facts) -> Value:
    days = tuple(one.isoformat() for one in gap.days)
    told = f"{days[0]} to {days[-1]}" if len(days) > 1 else "".join(days)
    return Labelled(told, days)


_COLUMNS: tuple[Column[Gap], ...] = (
    Column("since", "SINCE (UTC)", "the last run that looked at the whole site", lambda gap, _: _time(gap.since)),
    Column("until", "UNTIL (UTC)", "the next one; now, where none has followed", _until),
    Column("length", "LENGTH", "time in between; JSON has seconds", _length),
    Column("days", "DAYS", "UTC days without any such run", _days, cut=True),
    Column("void", "VOID RUNS", "runs in between that could not be trusted to act, by why", _void, cut=True),
    Column("open", "OPEN", "whether it is not over yet", lambda gap, _: gap.open),
    Column("begun", "AFTER RECORD", "number of the entry before it", lambda gap, _: gap.begun, number=True),
    Column("ended", "BEFORE RECORD", "number of the entry after it", lambda gap, _: _ended(gap), number=True),
)


def _ended(gap: Gap) -> Value:
    return Labelled("", None) if gap.ended is None else gap.ended


GAP_COLUMNS = {column.name: column for column in _COLUMNS}
SHOWN = ("since", "until", "length", "days", "void")
"""Columns of a table when nobody says which."""

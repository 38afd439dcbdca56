"""Rosters as they were read: CSV files outside the repository that say from when until when people belong to a company.

Cells are read strictly: what is no day in the form that the Roster names, no id and no address is an error with its
line, never "no end". Nothing of a cell gets into an error or a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cleanup_gitops.policy.csv_rows import CsvError, csv_rows
from cleanup_gitops.policy.patterns import account_id, normal_email

if TYPE_CHECKING:
    from cleanup_gitops.policy.roster import Source

EARLIEST = date(2000, 1, 1)
"""Days before are what some systems write for "no day"."""
_FIELDS = {"YYYY": r"(?P<year>[0-9]{4})", "MM": r"(?P<month>[0-9]{2})", "DD": r"(?P<day>[0-9]{2})"}


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One row: who, and the first and the last day, each ``None`` where the cell is empty.

    ``email`` is in its normal form. One of ``email`` and ``account`` may be empty.
    """

    line: int
    email: str = field(default="", repr=False)
    account: str = field(default="", repr=False)
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class RosterRows:
    """One roster as it was read. ``name`` is the variable or the path of the file, ``digest`` the SHA-256 of its bytes.

    Days begin and end by the clocks of ``time_zone``.
    """

    name: str
    rows: tuple[RosterRow, ...] = field(repr=False)
    digest: str
    time_zone: str

    @property
    def words(self) -> str:
        """How texts speak of the file: ``HR_ROSTER_CSV (1,204 rows)``."""
        number = len(self.rows)
        return f"{self.name} ({number:,} row{'' if number == 1 else 's'})"

    def end_of(self, day: date) -> datetime:
        """The instant (UTC) at which a day is over by the roster's clocks; the last one there is for the last day."""
        if day == date.max:
            return datetime.max.replace(tzinfo=UTC)
        midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(self.time_zone))
        return midnight.astimezone(UTC)


Rosters = Mapping[str, RosterRows]
"""The rosters that were read, by the names of their documents."""
NO_ROSTERS: Rosters = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody whose last day is over: that day, the instant (UTC) at which it ended, and the lines that say so."""

    day: date
    over: datetime
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who has left at one instant: by account id, and by address where the row has no id.

    Several rows of one person count together: whoever has a row without an end, or whose end is to come, stays.
    """

    by_account: Mapping[str, Left] = field(repr=False)
    by_email: Mapping[str, Left] = field(repr=False)
    accounts_that_stay: frozenset[str] = field(repr=False)
    emails_that_stay: frozenset[str] = field(repr=False)
    emails_of: Mapping[str, frozenset[str]] = field(repr=False)
    """The addresses in the rows of somebody who left by id."""


def leaving(roster: RosterRows, at: datetime) -> Leaving:
    """Who has left at an instant (UTC)."""
    by_account, accounts_that_stay = _sorted_out(roster, ((row.account, row) for row in roster.rows), at)
    bare = ((row.email, row) for row in roster.rows if not row.account)
    by_email, emails_that_stay = _sorted_out(roster, bare, at)
    emails_of: dict[str, frozenset[str]] = {}
    for row in roster.rows:
        if row.email and row.account in by_account:
            emails_of[row.account] = emails_of.get(row.account, frozenset()) | {row.email}
    return Leaving(by_account, by_email, accounts_that_stay, emails_that_stay, emails_of)


def _sorted_out(
    roster: RosterRows, rows: Iterable[tuple[str, RosterRow]], at: datetime
) -> tuple[dict[str, Left], frozenset[str]]:
    by_key: dict[str, list[RosterRow]] = {}
    for key, row in rows:
        if key:
            by_key.setdefault(key, []).append(row)
    left: dict[str, Left] = {}
    stay: set[str] = set()
    for key, own in by_key.items():
        days = [row.ends for row in own if row.ends]
        over = roster.end_of(max(days)) if len(days) == len(own) else None
        if over is not None and over <= at:
            left[key] = Left(max(days), over, tuple(row.line for row in own))
        else:
            stay.add(key)
    return left, frozenset(stay)


def roster_rows(source: Source, data: bytes) -> RosterRows:
    """The rows of a roster from the bytes of its file. Raises ``CsvError``."""
    columns = source.columns
    asked = {key: name for key, name in columns.items() if name}
    form = day_form(source.days)
    found = []
    rows = csv_rows(
        data, tuple(asked.values()), "`columns` of the Roster", encoding=source.encoding, separator=source.separator
    )
    for line, cells in rows:
        cell = dict(zip(asked, cells, strict=True))
        found.append(_row(line, cell, columns, form, source.days))
    return RosterRows(source.name, tuple(found), f"sha256:{sha256(data).hexdigest()}", source.time_zone)


def _row(
    line: int, cell: Mapping[str, str], columns: Mapping[str, str], form: re.Pattern[str], written: str
) -> RosterRow:
    account, email = cell.get("account", ""), cell.get("email", "")
    id_, address = account_id(account), normal_email(email)
    if account and id_ is None:
        raise CsvError(line, f"column {columns['account']!r} holds no account id")
    if email and address is None:
        raise CsvError(line, f"column {columns['email']!r} holds no e-mail address")
    if not (id_ or address):
        named = " and ".join(repr(columns[key]) for key in ("account", "email") if columns.get(key))
        raise CsvError(line, f"nothing says who this is: {named} {'are' if ' and ' in named else 'is'} empty")
    starts, ends = (_day(line, cell.get(key, ""), columns.get(key, ""), form, written) for key in ("starts", "ends"))
    if starts and ends and ends < starts:
        raise CsvError(line, f"column {columns['ends']!r} lies before column {columns['starts']!r}")
    return RosterRow(line, address or "", id_ or "", starts, ends)


def _day(line: int, cell: str, column: str, form: re.Pattern[str], written: str) -> date | None:
    if not cell:
        return None
    found = form.fullmatch(cell)
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"])) if found else None
    except ValueError:
        day = None
    if day is None:
        raise CsvError(line, f"column {column!r} holds no day in the form {written}")
    if day < EARLIEST:
        raise CsvError(
            line, f"column {column!r} holds a day before {EARLIEST.year}, which is no day of anybody's: leave it empty"
        )
    return day


def day_form(written: str) -> re.Pattern[str]:
    """What ``DD.MM.YYYY`` and the like mean. The text must have passed ``is_day_form``."""
    pattern = re.escape(written)
    for name, digits in _FIELDS.items():
        pattern = pattern.replace(name, digits)
    return re.compile(pattern, re.ASCII)


def is_day_form(written: str) -> bool:
    """Whether a text names year, month and day, each once, with dots, dashes or slashes between them or nothing."""
    bare = re.sub(r"[./-]", "", written)
    return all(written.count(name) == 1 for name in _FIELDS) and len(bare) == 8 and len(written) in (8, 10)

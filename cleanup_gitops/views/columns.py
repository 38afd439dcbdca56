"""Columns of a list: what each is called, what it holds, how that reads and sorts.

A column gives one value, and every form is made of that value: words for people (``words``), JSON for programs
(``data``), and a key to sort by (``rank``). What the site did not say is ``None``: "unknown" for people, null in JSON,
and last in every order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec

from cleanup_gitops.model.activity import Activity, Never, Seen, Unknown
from cleanup_gitops.views.facts import Facts

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A value for programs with the words that people read."""

    words: str
    data: Any


Value = str | int | bool | datetime | Activity | Labelled | tuple[str, ...] | tuple[Labelled, ...] | None


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column. ``name`` is what ``--columns``, CSV and JSON call it, ``title`` the head of a table.

    ``meaning`` explains it in one line. ``cut``: a table that is too wide may shorten its texts.
    """

    name: str
    title: str
    meaning: str
    value: Callable[[Row, Facts], Value]
    cut: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Row]):
    """Rows, the columns to show of them, and the facts from which columns take their values."""

    columns: Sequence[Column[Row]]
    rows: Sequence[Row]
    facts: Facts

    def values(self) -> Iterable[list[Value]]:
        """The values of each row, in the order of the columns."""
        facts, takers = self.facts, [column.value for column in self.columns]
        for row in self.rows:
            yield [take(row, facts) for take in takers]


def words(value: Value) -> str:
    """A value as a person reads it; not yet harmless."""
    if type(value) is str:
        return value  # nearly all values
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return day(value)
        case Seen() | Never() | Unknown():
            return last_use(value)
        case Labelled():
            return value.words
        case tuple():
            return ", ".join(words(one) for one in value)
        case _:
            return str(value)


def data(value: Value) -> Any:  # noqa: ANN401 - JSON
    """A value as JSON holds it: a time in ISO 8601 (UTC), activity as an object that says which kind it ``is``."""
    if value is None or type(value) in (str, bool, int):
        return value
    match value:
        case Labelled():
            return msgspec.to_builtins(value.data)
        case tuple():
            return [data(one) for one in value]
        case _:
            return msgspec.to_builtins(value)


def day(at: datetime) -> str:
    """The UTC date."""
    return at.astimezone(UTC).date().isoformat()


def last_use(activity: Activity) -> str:
    """The day, or the days between which it was; "never"; or "unknown" with the reason."""
    match activity:
        case Seen():
            first, last = day(activity.earliest), day(activity.latest)
            return last if first == last else f"{first} to {last}"
        case Never():
            return "never"
        case Unknown():
            return f"unknown ({activity.reason})"


def rank(value: Value) -> tuple[Any, ...] | None:
    """A key to sort by, the same kind for all values of a column; ``None``: not known. Never used is before any use."""
    match value:
        case None | Unknown() | Labelled(data=None):
            return None
        case Never():
            return 0, ""
        case Seen():
            return 1, value.latest.isoformat(), value.earliest.isoformat()
        case bool() | int():
            return (value,)
        case datetime():
            return (value.isoformat(),)
        case _:
            return (words(value).casefold(),)


def in_order(sheet: Sheet[Row], orders: Iterable[tuple[Column[Row], bool]]) -> list[Row]:
    """The rows sorted by these columns, the first one above all; True: largest first. Unknown is always last."""
    rows = list(sheet.rows)
    for column, largest_first in reversed(list(orders)):
        ranked = [(rank(column.value(row, sheet.facts)), row) for row in rows]
        known = [(key, row) for key, row in ranked if key is not None]
        known.sort(key=lambda one: one[0], reverse=largest_first)
        rows = [row for _, row in known] + [row for key, row in ranked if key is None]
    return rows

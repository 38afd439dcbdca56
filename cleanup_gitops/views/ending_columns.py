"""The columns of ``cleanup-gitops audit leavers``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cleanup_gitops.evidence.leavers import Ending
from cleanup_gitops.views.columns import Column, Labelled, Value
from cleanup_gitops.views.facts import Facts

_NOTHING = Labelled("", None)


def hours(length: timedelta) -> str:
    """Hours to a tenth, such as "26.5 h"; days beside them from the second day on."""
    number = length.total_seconds() / 3600
    return f"{number:,.1f} h" if abs(number) < 48 else f"{number:,.1f} h ({number / 24:,.1f} d)"


def _time(at: datetime | None) -> Value:
    if at is None:
        return _NOTHING
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Labelled(text, text)


def _user(one: Ending, facts: Facts) -> Value:
    name = facts.people.name(one.user)
    return Labelled(f"{one.user} ({name})" if name else one.user, one.user)


def _took(one: Ending, _: Facts) -> Value:
    if one.took is None:
        return Labelled("not ended", None)
    seconds = int(one.took.total_seconds())
    return Labelled(hours(one.took) if seconds >= 0 else "had ended before", seconds)


def _ended_by(one: Ending, _: Facts) -> Value:
    if one.ended is None:
        return _NOTHING
    return "us" if one.written else "others"


def _approval(one: Ending, _: Facts) -> Value:
    found = one.approval
    return Labelled(f"{found.kind} {found.by}".rstrip(), {"kind": found.kind, "by": found.by}) if found else _NOTHING


def _at(take: Callable[[Ending], datetime | None]) -> Callable[[Ending, Facts], Value]:
    return lambda one, _: _time(take(one))


def _approved(one: Ending) -> datetime | None:
    return one.approval.at if one.approval else None


def _record(one: Ending, _: Facts) -> Value:
    return _NOTHING if one.record is None else one.record


_COLUMNS: tuple[Column[Ending], ...] = (
    Column("user", "USER", "account id", _user),
    Column("left", "LEFT (UTC)", "when the last day was over, as the Roster says it", _at(lambda one: one.left)),
    Column("planned", "PLANNED", "when a recorded plan first wanted the access ended", _at(lambda one: one.planned)),
    Column("approved", "APPROVED", "when our change that ended it was approved", _at(_approved)),
    Column("written", "WRITTEN", "when the site took that change", _at(lambda one: one.written)),
    Column("ended", "ENDED", "when it was proven: read back by us, or seen in a snapshot", _at(lambda one: one.ended)),
    Column("by", "BY", "who ended it: us or others", _ended_by),
    Column("took", "TOOK", "from the end of the last day to the proof; JSON has seconds", _took),
    Column("due", "DUE", "until when the Roster wants it ended", _at(lambda one: one.due)),
    Column("late", "LATE", "whether it took longer than that, or lasts longer", lambda one, _: one.late),
    Column(
        "used",
        "USED AFTER",
        "use after the last day: no, yes, perhaps (weeks are kept), unknown",
        lambda one, _: one.used,
    ),
    Column("policies", "ASKED BY", "Rosters that tell of it", lambda one, _: one.policies, cut=True),
    Column("approval", "APPROVAL", "kind of that approval, and the account or key that gave it", _approval, cut=True),
    Column("first", "FIRST RECORD", "number of the record with the first plan", lambda one, _: one.first, number=True),
    Column("record", "RECORD", "number of the record that proves it", _record, number=True),
)
ENDING_COLUMNS = {column.name: column for column in _COLUMNS}
SHOWN = ("user", "left", "planned", "ended", "by", "took", "late", "used")
"""Columns of a table when nobody says which."""

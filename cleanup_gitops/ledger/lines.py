"""Lines of accounts, as the files of a snapshot have them.

Most rows differ from many others in nothing but the id and the day on which the account was added. What is the same is
encoded once, and id and day are put in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec import Struct

from cleanup_gitops.ledger.rows import AccountRow, NeverUsed, NotKnown, Recent, SeenIn, Use
from cleanup_gitops.model.activity import LAG_DAYS, Activity, Never, Seen, Source
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.memory import Since
from cleanup_gitops.model.user import User

RECENT_DAYS = 28
"""A use less than so many days before the reading is kept as "recent" only."""
_RECENT = Recent()
_MANY = 20_000
"""Rows without id and day that are remembered; an ordinary site of any size has a few thousand."""
_ANY_DAY = date(2000, 1, 1)
_NO_ID = '"id":""'
_FACTS = (
    "directory", "kind", "license", "status", "seen", "status_since", "accepted", "managed", "synced", "writable",
    "admin", "external", "has_email", "domain", "added", "seat_since", "seats", "roles", "attributes", "groups",
    "since",
)  # fmt: skip


class Kept(Struct, frozen=True, gc=False):
    """What is kept beside the facts of a row: e-mail domains, names of attributes, and what history tells, by id."""

    domains: frozenset[str]
    attributes: frozenset[str]
    since: Mapping[str, Since]


class Lines:
    """Makes the lines of one snapshot, read at ``as_of``."""

    def __init__(self, as_of: datetime, kept: Kept) -> None:
        self._recent = recent_days(as_of)
        self._kept = kept
        self._made: dict[tuple[Any, ...], tuple[str, str, str]] = {}

    def line(self, user: User) -> str:
        """The canonical JSON of the account's row, without a line end."""
        facts = self._facts(user)
        found = self._made.get(facts)
        if found is None:
            if len(self._made) == _MANY:
                self._made.clear()
            found = self._made[facts] = _cut(_row(facts))
        before, between, after = found
        added = _added(user.added.date()) if user.added else ""
        return f'{before}{added}{between}"id":{canonical(user.id).decode()}{after}'

    def _facts(self, user: User) -> tuple[Any, ...]:
        """All that is kept of a user but id and day, in the order of ``_FACTS``."""
        kept = self._kept
        return (
            user.directory,
            user.kind,
            user.license,
            user.status,
            _use(user.seen, self._recent),
            user.status_since and user.status_since.date(),
            False if user.accepted is False else None,
            user.managed,
            user.synced,
            user.writable,
            user.admin,
            user.external,
            user.has_email,
            user.domain if user.domain in kept.domains else None,
            user.added and _ANY_DAY,
            user.seat_since and user.seat_since.date(),
            user.seats,
            user.roles,
            user.attributes and tuple([one for one in user.attributes if one[0] in kept.attributes]),
            "unknown" if user.groups is None else None,
            kept.since.get(user.id),
        )


def _row(facts: tuple[Any, ...]) -> AccountRow:
    """The row with no id and any day. It is made of nothing else, so equal facts have the same row."""
    values = dict(zip(_FACTS, facts, strict=True))
    if values["seats"]:
        values["seats"] = tuple(sorted(values["seats"], key=canonical))
    return AccountRow(id="", **values | {"attributes": dict(values["attributes"])})


def _cut(row: AccountRow) -> tuple[str, str, str]:
    """What stands before the day, between day and id, and after the id.

    In JSON no value holds a quotation mark without a backslash before it, so only keys can look like these two. Before
    "added" there is at most "accepted", and after "id" nothing has a key "id" of its own: the first and the last count.
    """
    text = canonical(row).decode()
    before, _, rest = text.partition(_added(_ANY_DAY)) if row.added else ("", "", text)
    between, _, after = rest.rpartition(_NO_ID)
    return before, between, after


@lru_cache(maxsize=8192)
def _added(day: date) -> str:
    return f'"added":"{day}"'


def recent_days(as_of: datetime) -> tuple[date, date]:
    """The first and the last day whose uses are kept as "recent"."""
    today = as_of.date()
    return today - timedelta(days=RECENT_DAYS - 1), today


def _use(seen: Activity, recent: tuple[date, date]) -> Use:
    """The coarse form of what is known of the last use. Never narrower than the truth."""
    if isinstance(seen, Seen):
        first, last = seen.earliest.date(), seen.latest.date()
        return _RECENT if recent[0] <= first and last <= recent[1] else _weeks(first, last, seen.source)
    if isinstance(seen, Never):
        return NeverUsed(seen.since.date() if seen.since else None, seen.source)
    return NotKnown(seen.reason)


@lru_cache(maxsize=8192)
def _weeks(first: date, last: date, source: Source) -> SeenIn:
    """By so many days the source may be late, so much newer the last use may be."""
    return SeenIn(_week(first), _week(last + timedelta(days=LAG_DAYS[source])))


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"

"""Last activity as the directory tells it, by product.

The directory's entries are exact to the second but up to 24 hours late (the lag is counted where ages are). An entry
in the future is a data error: it makes the product unknown, whatever else was said of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from cleanup_gitops.model.activity import Activity, Never, Seen, Unknown, newest, seen_at
from cleanup_gitops.sites.cloud.wire import LastActive, ProductRow
from cleanup_gitops.sites.waits import instant

NO_ACCESS = Unknown("no access to Confluence")
NOT_LISTED = Unknown("not in the answer")
IN_FUTURE = Unknown("the site reported a date in the future")
UNREADABLE = Unknown("the site reported a date that cannot be read")
WHICH_SITE = Unknown("the site did not say which Confluence was used")
NOT_KNOWN = Unknown("the organization knows no activity of this account")

CONFLUENCE = "confluence"


class Activities(Struct, frozen=True, gc=False):
    """``here``: this Confluence, ``None`` when it was not mentioned. ``elsewhere``: all other products by key."""

    here: Activity | None
    elsewhere: tuple[tuple[str, Activity], ...]


def moment(text: str | None) -> datetime | None:
    """An instant of the site as UTC with whole seconds."""
    at = instant(text)
    return None if at is None else at.replace(microsecond=0)


class Sightings:
    """Reads entries for one Confluence; what lies after ``now`` by more than a day is in the future."""

    def __init__(self, ari: str, now: datetime) -> None:
        self._ari = ari
        self._latest = now.astimezone(UTC) + timedelta(days=1)

    def of_listing(self, rows: Iterable[ProductRow]) -> Activities:
        """Of ``productAccess``. An entry without a time is no answer."""
        return self._sorted(
            (row.id, row.key, self._exact(row.last_active_timestamp)) for row in rows if row.last_active_timestamp
        )

    def of_dates(self, rows: Iterable[LastActive]) -> Activities:
        """Of ``last-active-dates``, where only the day may be known."""
        return self._sorted((row.id, row.key, self._dated(row)) for row in rows)

    def joined(self, listing: Activities | None, dates: Activities) -> Activities:
        """The newest of both sources, product by product."""
        if listing is None:
            return dates
        others = dict(listing.elsewhere)
        for product, activity in dates.elsewhere:
            others[product] = _merged(others.get(product), activity)
        here = listing.here if dates.here is None else _merged(listing.here, dates.here)
        return Activities(here, tuple(sorted(others.items(), key=_product)))

    def _sorted(self, entries: Iterable[tuple[str, str, Activity]]) -> Activities:
        here: Activity | None = None
        others: dict[str, Activity] = {}
        for ari, key, activity in entries:
            if ari == self._ari:
                here = _merged(here, activity)
            elif key == CONFLUENCE and not ari:
                here = _merged(here, WHICH_SITE)
            else:
                product = f"{CONFLUENCE}:{ari.rpartition('/')[2]}" if key == CONFLUENCE else key or ari
                others[product] = _merged(others.get(product), activity)
        return Activities(here, tuple(sorted(others.items(), key=_product)))

    def _exact(self, text: str) -> Activity:
        at = moment(text)
        if at is None:
            return UNREADABLE
        return IN_FUTURE if at > self._latest else seen_at(at)

    def _dated(self, row: LastActive) -> Activity:
        if row.last_active_timestamp:
            return self._exact(row.last_active_timestamp)
        day = moment(row.last_active)
        if day is None:
            return UNREADABLE if row.last_active else NOT_LISTED
        if day > self._latest:
            return IN_FUTURE
        return Seen(day, day + timedelta(days=1, seconds=-1))


def never(added: datetime | None) -> Never:
    """Not active once since the account was added."""
    return Never(added)


def _merged(known: Activity | None, more: Activity) -> Activity:
    if known is None:
        return more
    if IN_FUTURE in (known, more):
        return IN_FUTURE
    return newest(known, more)


def _product(entry: tuple[str, Activity]) -> str:
    return entry[0]

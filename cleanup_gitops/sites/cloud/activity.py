"""Last activity as the directory tells it, by product.

The directory's entries are exact to the second but up to 24 hours late (the lag is counted where ages are). An entry
in the future is a data error: it makes the product unknown, whatever else was said of it. So does an entry that cannot
be read or placed and, for a product of several sites, one site of which nothing can be told: the newest sighting may be
missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from msgspec import Struct

from cleanup_gitops.model.activity import IN_FUTURE, Activity, Never, Seen, Unknown, cutoff, newest, seen_at
from cleanup_gitops.sites.cloud.wire import LastActive, ProductRow
from cleanup_gitops.sites.waits import instant

NO_ACCESS = Unknown("no access to Confluence")
NOT_LISTED = Unknown("not in the answer")
UNREADABLE = Unknown("the site reported a date that cannot be read")
WHICH_SITE = Unknown("the site did not say which Confluence was used")
NOT_KNOWN = Unknown("the organization knows no activity of this account")
NOT_ANSWERED = Unknown("authorship was not answered")

CONFLUENCE = "confluence"
LATELY_DAYS = 30
"""An account that was seen within so many days is not asked about: nothing that is found could make it idle."""


class Activities(Struct, frozen=True, gc=False):
    """``here``: this Confluence, ``None`` when it was not mentioned. ``elsewhere``: all other products by key."""

    here: Activity | None
    elsewhere: tuple[tuple[str, Activity], ...]


def moment(text: str | None) -> datetime | None:
    """An instant of the site as UTC with whole seconds."""
    at = instant(text)
    return None if at is None else at.replace(microsecond=0)


class Sightings:
    """Reads entries for one Confluence; what lies after ``now`` by more than a day is in the future.

    Whoever was seen since ``lately`` is in use, whatever is not known of other products.
    """

    def __init__(self, ari: str, now: datetime) -> None:
        self._ari = ari
        self._latest = now.astimezone(UTC) + timedelta(days=1)
        self.lately = cutoff(now, LATELY_DAYS, 0)

    def of_listing(self, rows: Iterable[ProductRow]) -> Activities:
        """Of ``productAccess``. An entry without a time says nothing: it is not listed, and not "never"."""
        return self._sorted(
            (row.id, row.key, self._exact(row.last_active_timestamp) if row.last_active_timestamp else NOT_LISTED)
            for row in rows
        )

    def of_dates(self, rows: Iterable[LastActive]) -> Activities:
        """Of ``last-active-dates``, where only the day may be known."""
        return self._sorted((row.id, row.key, self._dated(row)) for row in rows)

    def _sorted(self, entries: Iterable[tuple[str, str, Activity]]) -> Activities:
        here: Activity | None = None
        others: dict[str, Activity] = {}
        for ari, key, activity in entries:
            if ari == self._ari:
                here = _merged(here, activity)
            elif key == CONFLUENCE and not ari:
                here = _merged(here, activity if activity == NOT_LISTED else WHICH_SITE)
            else:
                product = f"{CONFLUENCE}:{ari.rpartition('/')[2]}" if key == CONFLUENCE else key or ari
                others[product] = _of_sites(others.get(product), activity)
        return Activities(here, _in_order(others))

    def in_future(self, at: datetime) -> bool:
        """Whether nothing can have happened at that moment yet."""
        return at > self._latest

    def _exact(self, text: str) -> Activity:
        at = moment(text)
        if at is None:
            return UNREADABLE
        return IN_FUTURE if self.in_future(at) else seen_at(at)

    def _dated(self, row: LastActive) -> Activity:
        if row.last_active_timestamp:
            return self._exact(row.last_active_timestamp)
        day = moment(row.last_active)
        if day is None:
            return UNREADABLE if row.last_active else NOT_LISTED
        if self.in_future(day):
            return IN_FUTURE
        return Seen(day, day + timedelta(days=1, seconds=-1))


def never(added: datetime | None) -> Never:
    """Not active once since the account was added."""
    return Never(added)


def joined(listing: Activities, dates: Activities, never: Activity) -> Activities:
    """The newest of both sources, product by product; ``never`` for a product that neither tells.

    ``last-active-dates`` lists every product that was used, so that it settles what the listing left open.
    """
    told = dict(dates.elsewhere)
    others = dict(told)
    for product, activity in listing.elsewhere:
        if product in told:
            others[product] = _of_both(activity, told[product])
        else:
            others[product] = never if activity == NOT_LISTED else activity
    if listing.here in (None, NOT_LISTED):
        here = dates.here or never
    else:
        here = listing.here if dates.here is None else _again(listing.here, dates.here)
    return Activities(here, _in_order(others))


def with_granted(activities: Activities, granted: Iterable[str]) -> Activities:
    """The same, and NOT_LISTED for products that the user's groups give and that were not mentioned."""
    others = dict(activities.elsewhere)
    missing = [product for product in granted if product not in others]
    if not missing:
        return activities
    return Activities(activities.here, _in_order(others | dict.fromkeys(missing, NOT_LISTED)))


def with_sighting(known: Activity, more: Activity) -> Activity:
    """What the directory knows of this Confluence, and the answer of another source, of which the newer counts.

    Another source only ever makes somebody more active. Where the directory itself could not say, an old sighting
    proves no idleness since: the activity stays unknown. It becomes unknown where the other source cannot be believed.
    """
    if isinstance(more, Unknown):
        return more
    return known if isinstance(known, Unknown) else newest(known, more)


def _merged(known: Activity | None, more: Activity) -> Activity:
    """Several entries about one site of one product, in one answer or in two."""
    if known is None:
        return more
    doubt = next((one for one in (IN_FUTURE, UNREADABLE, WHICH_SITE) if one in (known, more)), None)
    return doubt or newest(known, more)


def _again(listed: Activity, told: Activity) -> Activity:
    """One site in both sources; what could not be read or placed is replaced, a wrong date is not."""
    return told if listed in (UNREADABLE, WHICH_SITE) else _merged(listed, told)


def _of_sites(known: Activity | None, more: Activity) -> Activity:
    """Several sites of one product: one that is not known leaves open when the product was last used."""
    if known is None:
        return more
    unknown = [one for one in (known, more) if isinstance(one, Unknown)]
    return IN_FUTURE if IN_FUTURE in unknown else unknown[0] if unknown else newest(known, more)


def _of_both(listed: Activity, told: Activity) -> Activity:
    """One product in both sources; a date that could not be read is replaced, a wrong one is not."""
    return told if isinstance(listed, Unknown) and listed != IN_FUTURE else _of_sites(listed, told)


def _in_order(products: Mapping[str, Activity]) -> tuple[tuple[str, Activity], ...]:
    return tuple(sorted(products.items(), key=itemgetter(0)))

"""What is known of a user's last use of a product: an interval, "never", or honestly unknown.

All times are UTC with whole seconds. A day is a UTC date.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

Source = Literal["directory", "content", "audit", "csv", "database", "snapshot"]

LAG_DAYS: dict[str, int] = {"directory": 1, "content": 0, "audit": 0, "csv": 0, "database": 0, "snapshot": 0}
"""Days by which a source may be late. Atlassian's directory data "may be delayed by up to 24 hours"
(Organizations REST API, last-active-dates); a snapshot has its lag in its interval already."""


class Seen(Struct, frozen=True, gc=False, tag="seen", tag_field="is"):
    """Last used at some moment of ``earliest`` .. ``latest`` (equal when the source is exact)."""

    earliest: datetime
    latest: datetime
    source: Source = "directory"


class Never(Struct, frozen=True, gc=False, tag="never", tag_field="is"):
    """Not used once since ``since``, the day the account was added; ``None`` when that day is unknown."""

    since: datetime | None = None
    source: Source = "directory"


class Unknown(Struct, frozen=True, gc=False, tag="unknown", tag_field="is"):
    """No source could say. ``reason`` is a short text for people, such as "not in the answer"."""

    reason: str


Activity = Seen | Never | Unknown

IN_FUTURE = Unknown("the site reported a date in the future")
"""A wrong clock or wrong data: nothing is decided on it, and many of them stop a plan."""


def seen_at(at: datetime, source: Source = "directory") -> Seen:
    """An exact sighting."""
    return Seen(at, at, source)


def newest(*known: Activity) -> Activity:
    """The newest of several sources' answers about the same product.

    A sighting beats "never"; an unknown source leaves the others' sighting as a lower bound only when it is
    the sole answer, because the newest sighting is still a sighting: who was seen lately is not idle.
    A source that may be late counts for as late as it may be, so that another one makes nobody idle sooner.
    """
    sightings = [one for one in known if isinstance(one, Seen)]
    if sightings:
        return max(sightings, key=_newness)
    for one in known:
        if isinstance(one, Unknown):
            return one
    return known[0] if known else Unknown("no source")


def _newness(one: Seen) -> tuple[datetime, datetime, str]:
    lag = timedelta(days=LAG_DAYS[one.source])
    return one.latest + lag, one.earliest + lag, one.source


def midnight(at: datetime) -> datetime:
    """Start of the UTC date of ``at``."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def cutoff(as_of: datetime, days: int, lag: int) -> datetime:
    """The moment before which a sighting is more than ``days`` days old, by UTC dates and after the lag.

    ``as_of - seen - lag > days`` in whole UTC dates is the same as ``seen < cutoff(as_of, days, lag)``.
    """
    return midnight(as_of) - timedelta(days=days + lag)

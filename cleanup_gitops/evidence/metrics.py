"""Figures of a period: how long access outlived its reason, what was changed and by whom, what was missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar

from msgspec import Struct

from cleanup_gitops.evidence.events import Event
from cleanup_gitops.evidence.leavers import Ending
from cleanup_gitops.evidence.records import Record
from cleanup_gitops.evidence.silence import Gap
from cleanup_gitops.model.activity import Never, Unknown
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User

DORMANT = (45, 90, 180)
"""Days without use after which seats are counted: CIS v8 5.3 says 45, PCI DSS 8.2.6 says 90."""
_SECOND = timedelta(seconds=1)
_Name = TypeVar("_Name", bound=str)


class Spread(Struct, frozen=True, kw_only=True):
    """Durations in seconds. ``p95`` is the nearest rank: 95 of 100 took no longer. ``None`` when there are none."""

    n: int
    median: int | None
    p95: int | None
    max: int | None


class Leavers(Struct, frozen=True, kw_only=True):
    """People whose last day was over in the period.

    ``before``: their access had ended before. ``ended``: it ended after, of which ``took`` tells. ``open``: it lasts.
    ``late``: it took, or takes, longer than the Roster allows. ``unlimited``: nothing says how long it may take.
    ``used`` counts them by whether Confluence was used after the last day.
    """

    n: int
    before: int
    ended: int
    open: int
    late: int
    unlimited: int
    took: Spread
    used: dict[str, int]


class Seats(Struct, frozen=True, kw_only=True):
    """Seats in the last snapshot of the period; ``dormant`` counts those that were surely unused for so many days."""

    day: date
    used: int
    limit: int | None
    dormant: dict[int, int]
    never: int
    unknown: int


class Metrics(Struct, frozen=True, kw_only=True):
    """All of it. ``records`` are counted by kind, ``results`` of changes by result, ``actions`` of those applied."""

    first: date | None
    last: date | None
    records: dict[str, int]
    results: dict[str, int]
    actions: dict[str, int]
    by_others: dict[str, int]
    leavers: Leavers
    gaps: int
    longest_gap: int
    void: int
    seats: Seats | None


def metrics_of(
    records: Sequence[Record],
    events: Iterable[Event],
    endings: Sequence[Ending],
    gaps: Sequence[Gap],
    inventory: Inventory | None,
    period: tuple[date | None, date | None],
) -> Metrics:
    """The figures of these records. ``inventory`` is the last snapshot of the period."""
    ours = [one for record in records for one in record.outcomes]
    kinds = Counter(one.entry.kind for one in records)
    return Metrics(
        first=period[0],
        last=period[1],
        records=_sorted(kinds),
        results=_sorted(Counter(one.result for one in ours)),
        actions=_sorted(Counter(one.action for one in ours if one.result == "applied")),
        by_others=_sorted(Counter(one.what for one in events if one.by == "others")),
        leavers=leavers_in(endings),
        gaps=len(gaps),
        longest_gap=max((one.length // _SECOND for one in gaps), default=0),
        void=kinds["void"],
        seats=_seats(inventory) if inventory else None,
    )


def leavers_in(endings: Sequence[Ending]) -> Leavers:
    """The figures of these people."""
    took = [one.took for one in endings if one.took is not None]
    after = sorted(one // _SECOND for one in took if one >= timedelta(0))
    return Leavers(
        n=len(endings),
        before=len(took) - len(after),
        ended=len(after),
        open=len(endings) - len(took),
        late=sum(one.late is True for one in endings),
        unlimited=sum(one.late is None for one in endings),
        took=spread(after),
        used=_sorted(Counter(one.used for one in endings)),
    )


def spread(seconds: Sequence[int]) -> Spread:
    """The figures of these durations, which are sorted."""
    n = len(seconds)
    if not n:
        return Spread(n=0, median=None, p95=None, max=None)
    median = (seconds[(n - 1) // 2] + seconds[n // 2]) // 2
    return Spread(n=n, median=median, p95=seconds[-(-95 * n // 100) - 1], max=seconds[-1])


def _seats(inventory: Inventory) -> Seats:
    billed = [user for user in inventory.users if user.billed]
    return Seats(
        day=inventory.as_of.date(),
        used=len(billed),
        limit=inventory.seat_limit,
        dormant={days: sum(_unused(user, inventory, days) for user in billed) for days in DORMANT},
        never=sum(isinstance(user.seen, Never) for user in billed),
        unknown=sum(isinstance(user.seen, Unknown) for user in billed),
    )


def _unused(user: User, inventory: Inventory, days: int) -> bool:
    """Whether the last use was surely so many days before the reading; never used counts by itself."""
    seen = user.seen
    if isinstance(seen, Never | Unknown):
        return False
    return inventory.as_of - seen.latest >= timedelta(days=days)


def _sorted(counts: Mapping[_Name, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}

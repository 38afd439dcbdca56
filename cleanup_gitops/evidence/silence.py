"""Stretches of time in which no run looked at the site: nothing was recorded, or what was read could not be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from cleanup_gitops.evidence.records import Record
from cleanup_gitops.model.run import ACTING, LedgerEntry

USUAL = timedelta(hours=36)
"""So long between two runs is no gap where a run is due every day: schedules start late, and a run takes its time."""


class Gap(Struct, frozen=True, kw_only=True):
    """From the end of one sound record to the next one, both UTC; ``until`` is now where none has followed (``open``).

    ``begun`` and ``ended`` are the numbers of these records in the ledger (``None``: an open gap has no end). ``void``
    counts the runs in between that could not be trusted to act, by why; ``days`` are those without any sound record.
    """

    since: datetime
    until: datetime
    begun: int
    ended: int | None
    void: dict[str, int]
    days: tuple[date, ...]

    @property
    def open(self) -> bool:
        """Whether it lasts until now."""
        return self.ended is None

    @property
    def length(self) -> timedelta:
        """How long nobody looked."""
        return self.until - self.since


def gaps_of(records: Iterable[Record], now: datetime, longer_than: timedelta = USUAL) -> tuple[Gap, ...]:
    """All gaps that are longer than this, oldest first, up to ``now`` (UTC).

    Sound is an entry of a run, of what ended or took back one, and a heartbeat: each looked at the whole site. Entries
    that others can cause without a run, such as a decision that was recorded, end no gap.
    """
    entries = [one.entry for one in records if one.entry.time <= now]
    sound = [one for one in entries if _sound(one)]
    found = [_gap(entries, one, following) for one, following in pairwise(sound)]
    if sound:
        found.append(_gap(entries, sound[-1], None, now))
    return tuple(gap for gap in found if gap.length > longer_than)


def _sound(entry: LedgerEntry) -> bool:
    return entry.kind in ACTING or entry.kind == "heartbeat"


def _gap(
    entries: Sequence[LedgerEntry], one: LedgerEntry, following: LedgerEntry | None, now: datetime | None = None
) -> Gap:
    until = following.time if following else now or one.time
    last = following.seq if following else entries[-1].seq + 1
    void = Counter(
        each.reason.code if each.reason else "" for each in entries if each.kind == "void" and one.seq < each.seq < last
    )
    first_day, last_day = one.time.astimezone(UTC).date(), until.astimezone(UTC).date()
    days = (first_day + timedelta(days=number) for number in range(1, (last_day - first_day).days))
    return Gap(
        since=one.time,
        until=until,
        begun=one.seq,
        ended=following.seq if following else None,
        void=dict(sorted(void.items())),
        days=tuple(days),
    )

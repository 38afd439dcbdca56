"""A row of a snapshot as a user: what was read then, with honest unknowns where something was not kept.

Nothing becomes more exact by being recorded: an interval is as wide as the weeks that were kept, a time is the day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT
from cleanup_gitops.ledger.lines import recent_days
from cleanup_gitops.ledger.rows import AccountRow, NeverUsed, NotKnown, Recent, Use
from cleanup_gitops.ledger.since import known_of, midnight_of, understood
from cleanup_gitops.model.activity import Activity, Never, Seen, Unknown
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.user import GroupSeat, User

_LAST_SECOND = time(23, 59, 59)


class Account(Struct, frozen=True, gc=False):
    """What a row tells of an account but its id, its groups and the day it was added.

    ``steps`` are the groups in which a way to its license begins.
    """

    user: User
    steps: tuple[str, ...]

    def named(self, row: AccountRow, groups: Sequence[str] | None) -> User:
        """The user of this row, who is in these groups (``None``: unknown)."""
        return replace(
            self.user, id=row.id, added=midnight_of(row.added), groups=None if groups is None else tuple(groups)
        )


class Accounts:
    """Reads the rows of one snapshot. Most differ from many others in id and day only, and are the same here."""

    def __init__(self, as_of: datetime, began: date, groups: Collection[str]) -> None:
        """``began`` is the day of the first snapshot, ``groups`` are the ids of all groups."""
        self._began = began
        self._groups = groups
        self._uses = _Uses(as_of)
        self._made: dict[tuple[Any, ...], Account] = {}

    def account(self, row: AccountRow) -> Account:
        """What the row tells. Raises ``StateError`` for weeks that are none, and for a way through no group."""
        facts = _facts(row)
        found = self._made.get(facts)
        if found is None:
            found = self._made[facts] = Account(self._user(row), self._steps(row))
        return found

    def _user(self, row: AccountRow) -> User:
        user = User(
            id="",
            directory=row.directory,
            status=row.status,
            kind=row.kind,
            license=row.license,
            managed=row.managed,
            synced=row.synced,
            writable=row.writable,
            admin=row.admin,
            domain=row.domain,
            seat_since=midnight_of(row.seat_since),
            seen=self._uses.activity(row.seen),
            seats=row.seats,
            attributes=tuple(sorted(row.attributes.items())),
            roles=row.roles,
            external=row.external,
            has_email=row.has_email,
            accepted=row.accepted,
            status_since=midnight_of(row.status_since),
        )
        return understood(user, known_of(row, self._began))

    def _steps(self, row: AccountRow) -> tuple[str, ...]:
        chains = [path.chain for path in row.seats or () if type(path) is GroupSeat]
        if () in chains or any(group not in self._groups for chain in chains for group in chain):
            raise StateError(f"A license is held through a group that {layout.MANIFEST} does not have.", HINT)
        return tuple({chain[0] for chain in chains})


def _facts(row: AccountRow) -> tuple[Any, ...]:
    """All that an account is made of: rows for which this is equal have the same."""
    return (
        row.directory,
        row.status,
        row.kind,
        row.license,
        row.managed,
        row.synced,
        row.writable,
        row.admin,
        row.domain,
        row.seat_since,
        row.seen,
        row.seats,
        tuple(row.attributes.items()),
        row.roles,
        row.external,
        row.has_email,
        row.accepted,
        row.status_since,
        row.since,
    )


class _Uses:
    """Kept uses of one snapshot as intervals, each made once."""

    def __init__(self, as_of: datetime) -> None:
        first, _ = recent_days(as_of)
        self._as_of = as_of
        self._recent = Seen(datetime.combine(first, time.min, UTC), as_of, "snapshot")
        self._weeks: dict[tuple[str, str], Seen] = {}

    def activity(self, use: Use) -> Activity:
        """What the use tells. Raises ``StateError`` when its weeks are none."""
        match use:
            case Recent():
                return self._recent
            case NeverUsed(since, source):
                return Never(midnight_of(since), source)
            case NotKnown(reason):
                return Unknown(reason)
            case _:
                weeks = use.first, use.last
                found = self._weeks.get(weeks)
                if found is None:
                    found = self._weeks[weeks] = self._interval(*weeks)
                return found

    def _interval(self, first: str, last: str) -> Seen:
        """From the first Monday to the last Sunday, but not beyond the reading when it was made in that week."""
        try:
            monday, final = _monday(first), _monday(last)
            sunday = final + timedelta(days=6)
        except (ValueError, OverflowError):
            raise StateError(f"{first!r} to {last!r} are no weeks: the snapshot cannot be read.", HINT) from None
        if final < monday:
            raise StateError(f"The weeks {first} to {last} are in the wrong order: the snapshot cannot be read.", HINT)
        latest = datetime.combine(sunday, _LAST_SECOND, UTC)
        return Seen(
            datetime.combine(monday, time.min, UTC),
            self._as_of if final <= self._as_of.date() <= sunday else latest,
            "snapshot",
        )


def _monday(week: str) -> date:
    """The first day of an ISO week such as "2026-W18". Raises ``ValueError``."""
    year, _, number = week.partition("-W")
    return date.fromisocalendar(int(year), int(number), 1)

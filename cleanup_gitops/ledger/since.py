"""What only a row of snapshots knows about an account: since when its status is so, since when it has a seat.

Each snapshot is compared with the one before, so that no older one has to be read. All is counted in UTC days. What the
site itself tells is never overruled, and what happened before the first snapshot is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.rows import AccountPast, AccountRow, read_manifest, read_past
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Since
from cleanup_gitops.model.user import License, Status, User

CLOSED: frozenset[Status] = frozenset({"suspended", "disabled", "deactivated", "absent", "deleting"})
MAYBE_SEATED: frozenset[License] = frozenset({"seat", "unknown"})


class History(Struct, frozen=True):
    """The last snapshot, and what it tells of earlier ones: read on ``day``, the first one on ``began``."""

    day: date
    began: date
    rows: Mapping[str, AccountPast]

    def since(self, user: User, today: date) -> Since:
        """All that is known of a user who is so on ``today``."""
        row = self.rows.get(user.id)
        if row is None:  # it was not there in the last snapshot, and so had no seat
            return Since(status_by=today, seat=today if user.license in MAYBE_SEATED else None)
        known = known_of(row, self.began)
        if user.status == row.status:
            by, after = known.status_by, known.status_after
        else:
            # A clock that was wrong must not make a status older than the snapshot that showed another one.
            by, after = max(today, self.day), None if row.status == "unknown" else self.day
        return Since(
            status_by=by,
            status_after=None if user.status == "unknown" else after,
            seat=_seat(row, user, known, today),
            restored=_restored(row, user, known, today),
        )

    def joined(self, user: User, today: date) -> User:
        """The user as read on ``today``, with what history knows and the site did not tell."""
        row = self.rows.get(user.id)
        if row is not None and _nothing_happened(row, user):  # nearly everybody
            return replace(user, status_by=None if user.status == "unknown" else midnight_of(self.began))
        return understood(user, self.since(user, today))

    def kept(self, user: User, today: date) -> Since | None:
        """What a snapshot of ``today`` says of the time before it, where the user is so; ``None``: nothing."""
        row = self.rows.get(user.id)
        if row is not None and _nothing_happened(row, user):
            return None
        since = self.since(user, today)
        if user.status_since is not None:
            since = replace(since, status_by=_day(user.status_since), status_after=None)
        if user.seat_since is not None:  # the row has it from the site
            since = replace(since, seat=None)
        return since if since != _understood(user, self.began) else None

    def following(self, users: Iterable[User], today: date) -> History:
        """The history after a snapshot of ``today`` in which these users are so, and all others as before."""
        rows = {user.id: _past(user, self.kept(user, today)) for user in users}
        return History(today, self.began, {**self.rows, **rows})


def first_history(users: Iterable[User], today: date) -> History:
    """The history after the first snapshot, made on ``today``, of these users as the site tells them."""
    return History(today, today, {user.id: _past(user, None) for user in users})


def _past(user: User, since: Since | None) -> AccountPast:
    """What the next snapshot finds of a user in this one."""
    return AccountPast(
        id=user.id,
        license=user.license,
        status=user.status,
        status_since=_day(user.status_since) if user.status_since else None,
        seat_since=_day(user.seat_since) if user.seat_since else None,
        since=since,
    )


def history_of(files: Mapping[str, bytes]) -> History | None:
    """What these recorded files tell; ``None`` before the first snapshot. Raises ``StateError``."""
    data = files.get(layout.MANIFEST)
    if data is None:
        return None
    manifest = read_manifest(data)
    began = manifest.began or manifest.as_of
    return History(_day(manifest.as_of), _day(began), read_past(files))


def since_of(files: Mapping[str, bytes], inventory: Inventory) -> dict[str, Since]:
    """By account id, what a snapshot of this inventory has to say of the time before it.

    ``files`` are those of the last record. Accounts are left out that are as they were in the first snapshot, or of
    which the site tells it all. Raises ``StateError``.
    """
    history = history_of(files)
    if history is None:
        return {}
    today = _day(inventory.as_of)
    found: dict[str, Since] = {}
    with collector_paused():
        for user in inventory.users:
            since = history.kept(user, today)
            if since is not None:
                found[user.id] = since
    return found


def with_history(inventory: Inventory, history: History | None) -> Inventory:
    """A live inventory with what history knows and the site did not tell."""
    if history is None:
        return inventory
    today = _day(inventory.as_of)
    with collector_paused():
        return replace(inventory, users=tuple([history.joined(user, today) for user in inventory.users]))


def understood(user: User, since: Since) -> User:
    """The user with what ``since`` tells, where the site did not."""
    told = user.status_since is not None or user.status == "unknown"
    return replace(
        user,
        seat_since=user.seat_since or midnight_of(since.seat),
        status_by=None if told else midnight_of(since.status_by),
        status_after=None if told else midnight_of(since.status_after),
        restored_at=midnight_of(since.restored),
    )


def known_of(row: AccountPast | AccountRow, began: date) -> Since:
    """What a row tells, of which the parts that go without saying are not written."""
    return row.since or Since(status_by=row.status_since or began)


def _nothing_happened(row: AccountPast, user: User) -> bool:
    """Whether the user is as in the first snapshot, as far as history is about it: the answer that is quick to give."""
    return (
        row.since is None
        and row.status == user.status
        and row.license == user.license
        and row.seat_since is None
        and row.status_since is None
        and user.status_since is None
    )


def _understood(user: User, began: date) -> Since:
    """What a row without ``since`` means."""
    return Since(status_by=_day(user.status_since) if user.status_since else began)


def _seat(row: AccountPast, user: User, known: Since, today: date) -> date | None:
    """The day of the first snapshot that may hold a seat after one without; kept until there is none."""
    if user.license not in MAYBE_SEATED:
        return None
    return known.seat or row.seat_since if row.license in MAYBE_SEATED else today


def _restored(row: AccountPast, user: User, known: Since, today: date) -> date | None:
    """The day of the first snapshot in which a closed account was active again; kept while it is not closed again."""
    if user.status in CLOSED:
        return None
    return today if row.status in CLOSED and user.status == "active" else known.restored


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


@lru_cache(maxsize=8192)
def midnight_of(day: date | None) -> datetime | None:
    """The start of a UTC day."""
    return None if day is None else datetime.combine(day, time.min, UTC)

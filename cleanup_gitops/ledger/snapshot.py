"""An inventory as files: who has which account, who is in which group, when which account was last used.

The files hold ids and facts only. What changes every day without meaning anything (the exact moment of the last use)
is coarsened, so that a quiet day is a small commit. A fact that is not kept is simply absent, and absent means
unknown. Nothing here reads or writes a disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.activity import LAG_DAYS, Activity, Never, Seen
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.inventory import Hosting, Inventory, Proof
from cleanup_gitops.model.user import GroupSeat, Kind, License, SeatPath, Status, User

FORMAT = 1
RECENT_DAYS = 28
"""A use less than so many days before the reading is kept as "recent" only."""


class Recent(Struct, frozen=True, gc=False, tag="recent", tag_field="is"):
    """Used within the 28 days up to the reading; its moment is in the manifest (``as_of``)."""


class SeenIn(Struct, frozen=True, gc=False, tag="seen", tag_field="is"):
    """Last used in one of the ISO weeks ``first`` .. ``last``, such as "2026-W18" (UTC, bounds included)."""

    first: str
    last: str


class NeverUsed(Struct, frozen=True, gc=False, tag="never", tag_field="is"):
    """Not used once since that day; ``None`` when the day is unknown."""

    since: date | None


class NotKnown(Struct, frozen=True, gc=False, tag="unknown", tag_field="is"):
    """No source could say, and why."""

    reason: str


_RECENT = Recent()
Use = Recent | SeenIn | NeverUsed | NotKnown


class AccountRow(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One line of ``accounts/``. An absent key is unknown or was not kept. There is no room for a name or an address.

    ``groups`` is "unknown" for an account whose memberships could not be read: it may be missing in ``groups/``.
    ``accepted`` is only ever False: invited and never came.
    """

    id: str
    directory: str
    kind: Kind
    license: License
    status: Status
    seen: Use
    status_since: date | None = None
    accepted: bool | None = None
    managed: bool | None = None
    synced: bool | None = None
    domain: str | None = None
    added: date | None = None
    seat_since: date | None = None
    seats: tuple[SeatPath, ...] | None = None
    groups: str | None = None


class GroupRow(Struct, frozen=True, kw_only=True):
    """A group in the manifest. ``file`` is ``None`` when the accounts' seat paths tell its members."""

    id: str
    name: str
    members: int
    file: str | None


class Counts(Struct, frozen=True, kw_only=True):
    """Accounts, paid seats in use and groups."""

    accounts: int
    seats: int
    groups: int


class Manifest(Struct, frozen=True, kw_only=True):
    """``manifest.json``: what the snapshot is, when it was read (``as_of``), and the proof that it is whole."""

    format: int
    site: str
    hosting: Hosting
    tool_version: str
    lineage: str
    serial: int
    as_of: datetime
    counts: Counts
    groups: tuple[GroupRow, ...]
    proof: Proof
    state: str


class Snapshot(Struct, frozen=True):
    """Files of ``accounts/`` and ``groups/``, and a row for each group."""

    files: dict[str, bytes]
    groups: tuple[GroupRow, ...]


def snapshot(inventory: Inventory, *, domains: frozenset[str]) -> Snapshot:
    """The files of an inventory. Of e-mail domains only those in ``domains`` are kept."""
    files = _account_files(inventory, domains)
    members = _members(inventory)
    paths = _written_groups(inventory, members)
    lines = {user.id: f"{_line(user.id)}\n" for user in inventory.users}
    for group, path in paths.items():
        files[path] = "".join(map(lines.__getitem__, members[group])).encode()
    rows = tuple(
        GroupRow(id=one.id, name=one.name, members=len(members[one.id]), file=paths.get(one.id))
        for one in inventory.groups
    )
    return Snapshot(files, rows)


def manifest_of(
    inventory: Inventory,
    groups: tuple[GroupRow, ...],
    *,
    lineage: str,
    serial: int,
    tool_version: str,
    state: str,
) -> Manifest:
    """The manifest of a snapshot with these groups and this state digest."""
    return Manifest(
        format=FORMAT,
        site=inventory.site,
        hosting=inventory.hosting,
        tool_version=tool_version,
        lineage=lineage,
        serial=serial,
        as_of=inventory.as_of,
        counts=Counts(
            accounts=len(inventory.users),
            seats=inventory.seats_used,
            groups=len(inventory.groups),
        ),
        groups=groups,
        proof=inventory.proof,
        state=state,
    )


def manifest_bytes(manifest: Manifest) -> bytes:
    """``manifest.json``: sorted and indented, so that a change of one count is a change of one line."""
    return msgspec.json.format(canonical(manifest), indent=2) + b"\n"


def state_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the sorted lines ``<sha256>  <path>`` of accounts, groups and memory, each ended by LF.

    The same lines, and so the same digest, come from ``sha256sum`` in the site's folder.
    """
    return state_digest_of({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})


def state_digest_of(hashes: Mapping[str, str]) -> str:
    """The same from the SHA-256 (hex) of each file."""
    lines = sorted(f"{found}  {path}\n" for path, found in hashes.items() if layout.is_state(path))
    return sha256("".join(lines).encode())


def _account_files(inventory: Inventory, domains: frozenset[str]) -> dict[str, bytes]:
    recent = _recent_days(inventory.as_of)
    shards: dict[str, list[bytes]] = {}
    for user in inventory.users:  # sorted by id, so every shard is
        line = canonical(_row(user, recent, domains))
        shards.setdefault(layout.shard(user.id), []).append(line)
    return {path: b"\n".join(lines) + b"\n" for path, lines in sorted(shards.items())}


def _row(user: User, recent: tuple[date, date], domains: frozenset[str]) -> AccountRow:
    seats = user.seats
    if seats and len(seats) > 1:
        seats = tuple(sorted(seats, key=canonical))
    return AccountRow(
        id=user.id,
        directory=user.directory,
        kind=user.kind,
        license=user.license,
        status=user.status,
        seen=_use(user.seen, recent),
        status_since=user.status_since.date() if user.status_since else None,
        accepted=False if user.accepted is False else None,
        managed=user.managed,
        synced=user.synced,
        domain=user.domain if user.domain in domains else None,
        added=user.added.date() if user.added else None,
        seat_since=user.seat_since.date() if user.seat_since else None,
        seats=seats,
        groups="unknown" if user.groups is None else None,
    )


def _recent_days(as_of: datetime) -> tuple[date, date]:
    """The first and the last day whose uses are kept as "recent"."""
    today = as_of.date()
    return today - timedelta(days=RECENT_DAYS - 1), today


def _use(seen: Activity, recent: tuple[date, date]) -> Use:
    """The coarse form of what is known of the last use. Never narrower than the truth."""
    if isinstance(seen, Seen):
        first, last = seen.earliest.date(), seen.latest.date()
        if recent[0] <= first and last <= recent[1]:
            return _RECENT
        # By so many days the source may be late, so much newer the last use may be.
        late = LAG_DAYS[seen.source]
        return SeenIn(_week(first), _week(last + timedelta(days=late) if late else last))
    if isinstance(seen, Never):
        return NeverUsed(seen.since.date() if seen.since else None)
    return NotKnown(seen.reason)


@lru_cache(maxsize=8192)
def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def _members(inventory: Inventory) -> dict[str, list[str]]:
    """Direct members of each group, sorted, by group id."""
    members: dict[str, list[str]] = {group.id: [] for group in inventory.groups}
    for user in inventory.users:
        for group in user.groups or ():
            members[group].append(user.id)
    return members


def _written_groups(inventory: Inventory, members: Mapping[str, list[str]]) -> dict[str, str]:
    """The file of each group that gets one, by group id.

    A file that lists nearly everybody costs most and says nothing new when each of its lines stands in a seat path:
    such a group is left out, but only where the seat paths tell its members exactly.
    """
    large = [one for one, found in members.items() if 2 * len(found) > len(inventory.users)]
    through = _first_steps(inventory.users, large)
    files = layout.group_files(inventory.groups)
    return {one: path for one, path in files.items() if one not in through or through[one] != set(members[one])}


def _first_steps(users: Iterable[User], groups: Iterable[str]) -> dict[str, set[str]]:
    """Of each of these groups: the accounts with a seat path that starts with it."""
    through: dict[str, set[str]] = {group: set() for group in groups}
    for user in users:
        for path in user.seats or ():
            if isinstance(path, GroupSeat) and path.chain[0] in through:
                through[path.chain[0]].add(user.id)
    return through


def _line(account: str) -> str:
    """An account id as one line: itself, or JSON when it could be taken for something else."""
    if account.isprintable() and not account.startswith('"'):
        return account
    return canonical(account).decode()

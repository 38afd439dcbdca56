"""What a snapshot consists of: a row for each account, a row for each group, and the manifest, and how they are read.

The rows hold ids and facts only. A fact that is not kept is simply absent, and absent means unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from operator import attrgetter
from typing import TypeVar

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE, read_document
from cleanup_gitops.model.activity import Source
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.group import Directory, Grant
from cleanup_gitops.model.inventory import Hosting, Proof
from cleanup_gitops.model.memory import Since
from cleanup_gitops.model.run import Moment
from cleanup_gitops.model.user import Kind, License, SeatPath, Status

T = TypeVar("T", "AccountRow", "AccountPast")
"""A row, or a part of it."""


class Recent(Struct, frozen=True, gc=False, tag="recent", tag_field="is"):
    """Used within the 28 days up to the reading; its moment is in the manifest (``as_of``)."""


class SeenIn(Struct, frozen=True, gc=False, tag="seen", tag_field="is"):
    """Last used in one of the ISO weeks ``first`` .. ``last``, such as "2026-W18" (UTC, bounds included)."""

    first: str
    last: str


class NeverUsed(Struct, frozen=True, gc=False, tag="never", tag_field="is", omit_defaults=True):
    """Not used once since that day (``None``: unknown). ``source`` said so, and sources may be late."""

    since: date | None
    source: Source = "directory"


class NotKnown(Struct, frozen=True, gc=False, tag="unknown", tag_field="is"):
    """No source could say, and why."""

    reason: str


Use = Recent | SeenIn | NeverUsed | NotKnown


class AccountRow(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One line of ``accounts/``. An absent key is unknown or was not kept. There is no room for a name or an address.

    ``groups`` is "unknown" for an account whose memberships could not be read: it may be missing in ``groups/``.
    ``accepted`` is only ever False: invited and never came. ``roles`` is empty for an account that is known to hold
    none. ``attributes`` are those that the Site document names. ``since`` is what the row of snapshots tells; absent:
    the status has been the same since the first snapshot (``began`` in the manifest), or the site tells since when.
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
    writable: bool | None = None
    admin: bool | None = None
    external: bool | None = None
    has_email: bool | None = None
    domain: str | None = None
    added: date | None = None
    seat_since: date | None = None
    seats: tuple[SeatPath, ...] | None = None
    roles: tuple[str, ...] | None = None
    attributes: dict[str, str] = {}
    groups: str | None = None
    since: Since | None = None


class AccountPast(Struct, frozen=True, gc=False, kw_only=True):
    """What of a row matters to history: the same fields as in ``AccountRow``. To read only these is much faster."""

    id: str
    license: License
    status: Status
    status_since: date | None = None
    seat_since: date | None = None
    since: Since | None = None


class GroupRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group in the manifest. ``file`` is ``None`` when the accounts' seat paths tell its members.

    The other fields are those of ``Group``.
    """

    id: str
    name: str
    members: int
    file: str | None
    directory: str = ""
    modifiable: bool | None = None
    synced: bool | None = None
    license: License = "unknown"
    admin: bool | None = None
    grants: tuple[Grant, ...] | None = None
    parents: tuple[str, ...] = ()


class Counts(Struct, frozen=True, kw_only=True):
    """Accounts, paid seats in use, groups, and accounts of whose last use anything is known."""

    accounts: int
    seats: int
    groups: int
    known: int = 0


class Manifest(Struct, frozen=True, kw_only=True):
    """``manifest.json``: what the snapshot is, when it was read (``as_of``), and the proof that it is whole.

    ``began`` is when the first snapshot of this lineage was read; ``attributes`` names those that were kept. The
    other fields are those of ``Inventory``.
    """

    format: int
    site: str
    hosting: Hosting
    tool_version: str
    lineage: str
    serial: int
    as_of: Moment
    counts: Counts
    groups: tuple[GroupRow, ...]
    proof: Proof
    state: str
    directories: tuple[Directory, ...] = ()
    runner: tuple[str, ...] = ()
    claimed_domains: tuple[str, ...] | None = None
    seat_limit: int | None = None
    attributes: tuple[str, ...] = ()
    began: Moment | None = None


_account = msgspec.json.Decoder(AccountRow)
_past = msgspec.json.Decoder(AccountPast)


def read_manifest(data: bytes) -> Manifest:
    """The manifest of these bytes. Raises ``StateError`` when they are none, or of another format."""
    return read_document(layout.MANIFEST, data, Manifest)


def read_accounts(files: Mapping[str, bytes]) -> dict[str, AccountRow]:
    """The rows of all accounts, by id and sorted by it. Raises ``StateError`` for a line that cannot be read."""
    with collector_paused():
        return _by_id(sorted(_read(files, _account), key=attrgetter("id")))


def read_past(files: Mapping[str, bytes]) -> dict[str, AccountPast]:
    """What matters to history, by account id. Raises ``StateError`` for a line that cannot be read."""
    with collector_paused():
        return _by_id(_read(files, _past))


def read_account(path: str, line: bytes) -> AccountRow:
    """The row in one line of this file. Raises ``StateError``."""
    try:
        return _account.decode(line)
    except UNREADABLE as error:
        raise StateError(f"A line of {path} cannot be read: {error}.", HINT) from None


def _read(files: Mapping[str, bytes], decoder: msgspec.json.Decoder[T]) -> list[T]:
    rows: list[T] = []
    for path, data in files.items():
        if path.startswith(layout.ACCOUNTS):
            try:
                rows += decoder.decode_lines(data)
            except UNREADABLE as error:
                raise StateError(f"{_place(path, data)} cannot be read: {error}.", HINT) from None
    return rows


def _by_id(rows: list[T]) -> dict[str, T]:
    found = {row.id: row for row in rows}
    if len(found) != len(rows):
        raise StateError(f"An account has several lines in {layout.ACCOUNTS}.", HINT)
    return found


def _place(path: str, data: bytes) -> str:
    """The file, and the number of the first line that cannot be read."""
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            _account.decode(line)
        except UNREADABLE:
            return f"{path}:{number}"
    return path

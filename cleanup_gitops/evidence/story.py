"""The whole recorded story of one account: how snapshots had it, what happened to it, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from cleanup_gitops.evidence.events import Event, Wanted, events_of
from cleanup_gitops.evidence.records import Record
from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.rows import AccountRow, read_account, read_manifest
from cleanup_gitops.ledger.snapshots import Contents
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.memory import Remembered


class Turn(Struct, frozen=True, kw_only=True):
    """A snapshot that had the account otherwise than the one before it: the fields that differ.

    It was read at ``as_of`` and recorded at ``at``, both UTC. ``before`` is ``None`` in the first snapshot with the
    account, ``after`` in the first one without it.
    """

    at: datetime
    as_of: datetime
    serial: int
    commit: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Story(Struct, frozen=True, kw_only=True):
    """All that is recorded of one account, oldest first. ``row`` is that of the newest snapshot, if it has one.

    ``remembered`` are the lines of the memory about it: marks of open episodes, holds, and the like.
    """

    account: str
    turns: tuple[Turn, ...]
    events: tuple[Event, ...]
    row: AccountRow | None
    remembered: tuple[Remembered, ...]

    @property
    def known(self) -> bool:
        """Whether anything is recorded of the account."""
        return bool(self.turns or self.events or self.remembered)


def story_of(
    account: str,
    commits: Sequence[Commit],
    history: Contents,
    records: Sequence[Record],
    remembered: Iterable[Remembered],
) -> Story:
    """The story of this account id. Raises ``StateError`` when something recorded cannot be read."""
    row: AccountRow | None = None
    turns: list[Turn] = []
    recorded = {one.commit: one.entry.time for one in records}
    for commit, found, manifest in _seen(account, commits, history):
        if found != row:
            before, after = _differing(row, found)
            told = read_manifest(manifest)
            turns.append(
                Turn(
                    at=recorded.get(commit.id, told.as_of),
                    as_of=told.as_of,
                    serial=told.serial,
                    commit=commit.id,
                    before=before,
                    after=after,
                )
            )
        row = found
    wanted = Wanted(users=frozenset({account}))
    return Story(
        account=account,
        turns=tuple(turns),
        events=tuple(one for one in events_of(records) if wanted.has(one)),
        row=row,
        remembered=tuple(one for one in remembered if getattr(one, "user", None) == account),
    )


def _seen(
    account: str, commits: Sequence[Commit], history: Contents
) -> Iterator[tuple[Commit, AccountRow | None, bytes]]:
    """Each snapshot in which the account's file is not as it was before: the row in it, and the manifest beside it."""
    path = layout.shard(account)
    changed = [one for one in commits if path in one.changed and one.changed.get(layout.MANIFEST)]
    shards = history.contents([name for one in changed if (name := one.changed[path])])
    manifests = history.contents([str(one.changed[layout.MANIFEST]) for one in changed])
    for one in changed:
        data = next(shards) if one.changed[path] else b""
        yield one, row_in(path, data, account), next(manifests)


def row_in(path: str, data: bytes, account: str) -> AccountRow | None:
    """The row of this account in the contents of its file; ``None`` when it has none. Raises ``StateError``."""
    mark = b'"id":' + canonical(account)
    rows = [read_account(path, line) for line in data.splitlines() if mark in line]
    return next((row for row in rows if row.id == account), None)


def _differing(
    before: AccountRow | None, after: AccountRow | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The fields that are not the same; all of them where there is one side only."""
    old: dict[str, Any] | None = msgspec.to_builtins(before) if before else None
    new: dict[str, Any] | None = msgspec.to_builtins(after) if after else None
    if old is None or new is None:
        return _without_id(old), _without_id(new)
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return {key: old.get(key) for key in keys}, {key: new.get(key) for key in keys}


def _without_id(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {key: value for key, value in row.items() if key != "id"}

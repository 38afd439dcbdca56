"""Everybody who left by a Roster, and when their access ended: by snapshots, whoever ended it.

What a run meant to do proves nothing. Access has ended when a snapshot shows the account closed, without a license, or
gone; a status or license that is not known ends nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from cleanup_gitops.evidence.records import HINT, Record
from cleanup_gitops.evidence.story import row_in
from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.accounts import Accounts
from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.chain import UNREADABLE
from cleanup_gitops.ledger.rows import AccountRow, read_manifest
from cleanup_gitops.ledger.snapshots import Contents
from cleanup_gitops.model.activity import Activity, Seen, Unknown
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.user import CLOSED

Used = Literal["no", "perhaps", "yes", "unknown"]
"""Whether Confluence was used after the last day was over; ``perhaps``: the record keeps weeks, not hours."""


class Ending(Struct, frozen=True, kw_only=True):
    """How the access of one leaver ended. Times are UTC.

    ``left``: the last day was over; ``due``: the access should have ended; ``planned``: a plan first said so, in the
    record with the number ``first``. ``approval`` and ``written`` are those of our change that ended it, ``None`` where
    others did. ``ended`` is when it was proven, by the read-back of our change or by the snapshot; ``None``: not yet.
    """

    user: str
    policies: tuple[str, ...]
    left: datetime
    due: datetime | None
    planned: datetime
    first: int
    approval: Approval | None
    written: datetime | None
    ended: datetime | None
    record: int | None
    used: Used
    now: datetime

    @property
    def took(self) -> timedelta | None:
        """From the end of the last day to the proof that the access had ended."""
        return self.ended - self.left if self.ended else None

    @property
    def late(self) -> bool | None:
        """Whether it took longer than the Roster allows, also if it lasts; ``None`` where nothing says how long."""
        return None if self.due is None else (self.ended or self.now) > self.due


class _Meant(Struct, frozen=True):
    causes: tuple[Cause, ...] = ()
    user: str = ""


class _Waits(Struct, frozen=True):
    change: _Meant


class _Plan(Struct, frozen=True):
    """What of a plan tells of leavers."""

    created: datetime
    changes: tuple[_Meant, ...] = ()
    handoffs: tuple[_Meant, ...] = ()
    pending: tuple[_Waits, ...] = ()


class _Told(Struct):
    """What plans say of one leaver."""

    left: datetime
    due: datetime | None
    policies: set[str]
    planned: datetime
    first: int


_plan = msgspec.json.Decoder(_Plan)


def endings_of(
    records: Sequence[Record], commits: Sequence[Commit], history: Contents, now: datetime
) -> tuple[Ending, ...]:
    """All leavers of whom the plans of these records tell, by the end of their last day. ``now`` is UTC.

    Somebody who left twice is two leavers. Raises ``StateError`` when something recorded cannot be read.
    """
    told = _told(records, commits, history)
    rows = _rows({user for user, _ in told}, commits, history)
    by_commit = {one.commit: one for one in records}
    found = [_ending(user, one, rows[user], by_commit, now) for (user, _), one in told.items()]
    return tuple(sorted(found, key=lambda one: (one.left, one.user)))


def _told(records: Sequence[Record], commits: Sequence[Commit], history: Contents) -> dict[tuple[str, datetime], _Told]:
    """Leavers by account and end, from the first plan on that names them."""
    names = {path: name for one in commits for path, name in one.changed.items() if name and path.endswith(layout.PLAN)}
    wanted = [(one, path) for one in records if (path := layout.run_file(one.entry.run, layout.PLAN)) in names]
    found: dict[tuple[str, datetime], _Told] = {}
    for (record, path), data in zip(wanted, history.contents([names[path] for _, path in wanted]), strict=True):
        if sha256(data) != record.entry.digests.get(path):
            raise StateError(f"{path} is not the file that the ledger names.", HINT)
        if b'"left"' not in data:
            continue
        try:
            plan = _plan.decode(data)
        except UNREADABLE as error:
            raise StateError(f"{path} cannot be read: {error}.", HINT) from None
        for row in (*plan.changes, *plan.handoffs, *(one.change for one in plan.pending)):
            for cause in row.causes:
                if cause.left:
                    fresh = _Told(cause.left, cause.due, set(), plan.created, record.entry.seq)
                    found.setdefault((row.user, cause.left), fresh).policies.add(cause.policy)
    return found


class _Version(Struct, frozen=True):
    """How one snapshot had an account."""

    commit: str
    as_of: datetime
    row: AccountRow | None
    used: Activity | None


def _rows(users: set[str], commits: Sequence[Commit], history: Contents) -> Mapping[str, Sequence[_Version]]:
    """Each snapshot in which the file of the account is another one, oldest first."""
    shards: dict[str, list[str]] = defaultdict(list)
    for user in users:
        shards[layout.shard(user)].append(user)
    found: dict[str, list[_Version]] = {user: [] for user in users}
    made = [one for one in commits if one.changed.get(layout.MANIFEST) and not shards.keys().isdisjoint(one.changed)]
    asked = [(one, path) for one in made for path in one.changed if path in shards]
    manifests = history.contents([str(one.changed[layout.MANIFEST]) for one in made])
    contents = history.contents([name for one, path in asked if (name := one.changed[path])])
    for one in made:
        manifest = read_manifest(next(manifests))
        began = (manifest.began or manifest.as_of).date()
        accounts = Accounts(manifest.as_of, began, {group.id for group in manifest.groups})
        for path in (path for path in one.changed if path in shards):
            data = next(contents) if one.changed[path] else b""
            for user in shards[path]:
                row = row_in(path, data, user)
                used = accounts.account(row).user.seen if row else None
                found[user].append(_Version(one.id, manifest.as_of, row, used))
    return found


def _ending(
    user: str, told: _Told, versions: Sequence[_Version], records: Mapping[str, Record], now: datetime
) -> Ending:
    """When the account was shut for good since the last day was over; a shut account that is opened again is not."""
    shut: _Version | None = None
    for one in versions:
        shut = (shut or one) if _shut(one.row) else None
    record = records.get(shut.commit) if shut else None
    ours = [
        one
        for one in (record.outcomes if record else ())
        if one.user == user and one.result == "applied" and any(cause.left == told.left for cause in one.causes)
    ]
    proven = [one.verified for one in ours if one.verified]
    return Ending(
        user=user,
        policies=tuple(sorted(told.policies)),
        left=told.left,
        due=told.due,
        planned=told.planned,
        first=told.first,
        approval=ours[-1].approval if ours else None,
        written=max((one.at for one in ours), default=None),
        ended=(max(proven) if proven else shut.as_of) if shut else None,
        record=record.entry.seq if record else None,
        used=_used(versions, told.left),
        now=now,
    )


def _shut(row: AccountRow | None) -> bool:
    """Whether nobody can use Confluence with the account; what is not known shuts nothing."""
    return row is None or row.license == "none" or CLOSED.get(row.status, 0) > 0


def _used(versions: Sequence[_Version], left: datetime) -> Used:
    """What the newest row of the account says of its last use."""
    rows = [one.used for one in versions if one.row is not None]
    if not rows or isinstance(rows[-1], Unknown):
        return "unknown"
    last = rows[-1]
    if not isinstance(last, Seen) or last.latest <= left:
        return "no"
    return "yes" if last.earliest > left else "perhaps"

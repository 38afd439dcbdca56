"""What earlier runs left, read back from the recorded files and checked against the ledger's last entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar, cast

import msgspec

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE, Tail, read_tail
from cleanup_gitops.ledger.digests import hashes_of, parts_of, state_digest_of
from cleanup_gitops.ledger.rows import Manifest, read_manifest
from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import (
    BLANK,
    REMEMBERED,
    Adopted,
    Applied,
    Baseline,
    Closed,
    Consumed,
    Daily,
    Done,
    Flap,
    Handed,
    Hold,
    Mark,
    Memory,
    Protected,
    Remembered,
    Served,
    Settling,
    Spent,
    Waiting,
)
from cleanup_gitops.model.run import Kind, LedgerEntry

KEPT = timedelta(days=30)
"""Longer than any plan may wait and any cap looks back."""
MOST_DONE = 50_000
"""So many changes are remembered at most, the newest: about 10 MB."""

_One = TypeVar("_One", bound=Remembered)


def memory_of(files: Mapping[str, bytes], site: str = "") -> Memory:
    """All the planner knows of the recorded files; blank when there are none, or only the leases of a first run.

    Raises ``StateError`` when something does not parse, the ledger's newest months are no chain, or accounts, groups,
    memory or manifest are not those that the last entry recorded, or the record is of another site than ``site``; it
    says which.
    """
    if all(path.startswith(layout.LEASES) for path in files):
        return BLANK
    tail = read_tail(files)
    if tail is None:
        raise StateError("There are recorded files but no ledger beside them.", HINT)
    other = tail.entries[-1].site
    if site and other != site:
        raise StateError(
            f"What is recorded for {site} is the record of another site, {other}.",
            f"Nothing was done. A record belongs to one site for good: bring back {layout.STATE}/{other}, and the name"
            " in the Site document.",
        )
    manifest = _checked_manifest(files, tail.entries[-1])
    return memory_after(tail, manifest, read_lines(files))


def memory_after(tail: Tail, manifest: Manifest | None, lines: Sequence[Remembered]) -> Memory:
    """What is known after the last entry of ``tail``, whose snapshot has this manifest and these lines of memory."""
    last = tail.entries[-1]
    newest: dict[Kind, datetime] = {entry.kind: entry.time for entry in tail.entries}
    known = Memory(
        lineage=last.lineage,
        serial=last.serial,
        head=tail.head,
        sequence=last.seq,
        state=last.state,
        baseline=_baseline(manifest) if manifest else None,
        last=newest,
    )
    return with_lines(known, lines)


def with_lines(memory: Memory, lines: Sequence[Remembered]) -> Memory:
    """The memory with these lines in place of its own."""
    sorts: dict[type, list[Remembered]] = {}
    for line in lines:
        sorts.setdefault(type(line), []).append(line)
    return msgspec.structs.replace(
        memory,
        applied=tuple(sorted(_only(sorts, Applied), key=lambda one: (one.at, one.run))),
        consumed=tuple(sorted(_only(sorts, Consumed), key=lambda one: one.envelope)),
        settling=tuple(sorted(_only(sorts, Settling), key=lambda one: (one.at, one.address))),
        marks=tuple(sorted(_only(sorts, Mark), key=lambda one: (one.user, one.policy, one.episode, one.entered))),
        closed=tuple(sorted(_only(sorts, Closed), key=lambda one: (one.user, one.policy))),
        holds=tuple(sorted(_only(sorts, Hold), key=lambda one: (one.user, one.policy, one.until))),
        flaps=tuple(sorted(_only(sorts, Flap), key=lambda one: (one.user, one.policy))),
        done=tuple(sorted(_only(sorts, Done), key=lambda one: (one.address, one.at))),
        waiting=tuple(sorted(_only(sorts, Waiting), key=lambda one: (one.since, one.change, one.policy))),
        daily=tuple(sorted(_only(sorts, Daily), key=lambda one: (one.day, one.policy))),
        spent=tuple(sorted(_only(sorts, Spent), key=lambda one: (one.policy, one.at))),
        served=tuple(sorted(_only(sorts, Served), key=lambda one: one.policy)),
        protected=tuple(sorted(_only(sorts, Protected), key=lambda one: one.protection)),
        adopted=tuple(sorted(_only(sorts, Adopted), key=lambda one: one.group)),
        handed=tuple(sorted(_only(sorts, Handed), key=lambda one: one.name)),
    )


def lines_of(memory: Memory) -> tuple[Remembered, ...]:
    """All lines of a memory: those of which ``with_lines`` makes it again."""
    kinds: tuple[tuple[Remembered, ...], ...] = (
        memory.applied,
        memory.consumed,
        memory.settling,
        memory.marks,
        memory.closed,
        memory.holds,
        memory.flaps,
        memory.done,
        memory.waiting,
        memory.daily,
        memory.spent,
        memory.served,
        memory.protected,
        memory.adopted,
        memory.handed,
    )
    return tuple(line for lines in kinds for line in lines)


def _only(sorts: Mapping[type, Sequence[Remembered]], sort: type[_One]) -> Sequence[_One]:
    return cast("Sequence[_One]", sorts.get(sort, ()))


def baseline_of(inventory: Inventory) -> Baseline:
    """The counts of a reading, as those of its snapshot would be."""
    members = Counter(group for user in inventory.users for group in user.groups or ())
    return Baseline(
        as_of=inventory.as_of,
        accounts=len(inventory.users),
        seats=inventory.seats_used,
        known=sum(1 for user in inventory.users if not isinstance(user.seen, Unknown)),
        members={group.id: members[group.id] for group in inventory.groups},
    )


def _baseline(manifest: Manifest) -> Baseline:
    return Baseline(
        as_of=manifest.as_of,
        accounts=manifest.counts.accounts,
        seats=manifest.counts.seats,
        known=manifest.counts.known,
        members={group.id: group.members for group in manifest.groups},
    )


def read_lines(files: Mapping[str, bytes]) -> tuple[Remembered, ...]:
    """The lines of ``memory.jsonl``. Raises ``StateError``."""
    lines: list[Remembered] = []
    for number, line in enumerate(files.get(layout.MEMORY, b"").splitlines(), start=1):
        try:
            lines.append(msgspec.json.decode(line, type=Remembered))
        except UNREADABLE as error:
            raise StateError(f"{layout.MEMORY}:{number} cannot be read: {error}.", HINT) from None
    return tuple(lines)


def write_lines(lines: Iterable[Remembered]) -> bytes:
    """``memory.jsonl``: sorted, so that its bytes depend on what is remembered alone."""
    return b"".join(sorted(canonical(line) + b"\n" for line in lines))


def still_remembered(lines: Iterable[Remembered], at: datetime) -> list[Remembered]:
    """The lines that still matter at this time: the others are too old, or ended.

    What never showed on the site is given up together with the change that should have shown. What a look at the
    account had shown may be in no list for good, so its line stays as long as that of the change.
    """
    everything = list(lines)
    lasting = {(line.run, line.address) for line in everything if isinstance(line, Done) and not _over(line, at)}
    ended = [
        line
        for line in everything
        if _over(line, at)
        and not (isinstance(line, Settling) and line.verified and (line.run, line.address) in lasting)
    ]
    unseen = {(line.run, line.address) for line in ended if isinstance(line, Settling)}
    over = set(map(id, ended))
    kept = [_recent(line, at) for line in everything if id(line) not in over]
    done = sorted(
        (one for one in kept if isinstance(one, Done) and (one.run, one.address) not in unseen),
        key=lambda one: (one.at, one.address),
    )
    return [one for one in kept if not isinstance(one, Done)] + done[-MOST_DONE:]


def _recent(line: Remembered, at: datetime) -> Remembered:
    """The line without days of long ago."""
    if not isinstance(line, Flap):
        return line
    return msgspec.structs.replace(line, days=tuple(day for day in line.days if at.date() - day <= REMEMBERED))


def _over(line: Remembered, at: datetime) -> bool:
    match line:
        case Applied() | Consumed() | Settling():
            return at - line.at > KEPT
        case Hold():
            return at.date() > line.until
        case Done() | Spent():
            return at - line.at > REMEMBERED
        case Closed():
            return line.why != "done" and at - line.at > REMEMBERED
        case Flap():
            return all(at.date() - day > REMEMBERED for day in line.days)
        case Daily():
            return at.date() - line.day > KEPT
        case Mark() | Waiting() | Served() | Protected() | Adopted() | Handed():
            return False


def _checked_manifest(files: Mapping[str, bytes], last: LedgerEntry) -> Manifest | None:
    """The manifest, after comparing files with the last entry; ``None`` before the first snapshot."""
    data = files.get(layout.MANIFEST)
    if data is None and last.snapshot:
        raise StateError(f"{layout.MANIFEST} is missing.", HINT)
    manifest = None if data is None else read_manifest(data)
    if manifest is not None and data is not None:
        if manifest.serial != last.serial or manifest.lineage != last.lineage:
            raise StateError(
                f"{layout.MANIFEST} is of serial {manifest.serial} but the ledger ends at serial {last.serial}:"
                " the ledger was shortened, or the folder mixes two histories.",
                HINT,
            )
        if last.snapshot != sha256(data):
            raise StateError(f"{layout.MANIFEST} is not the one that the last ledger entry recorded.", HINT)
    _check_parts(files, last)
    return manifest


def _check_parts(files: Mapping[str, bytes], last: LedgerEntry) -> None:
    hashes = hashes_of(files)
    if state_digest_of(hashes) == last.state:
        return
    found = parts_of(hashes)
    other = [part for part in found if found[part] != last.parts.get(part)] or ["state"]
    what = " and ".join(other)
    raise StateError(f"The recorded {what} differ from what the last ledger entry ({last.seq}) names.", HINT)

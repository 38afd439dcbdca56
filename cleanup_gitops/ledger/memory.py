"""What earlier runs left, read back from the recorded files and checked against the ledger's last entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE, read_tail
from cleanup_gitops.ledger.snapshot import FORMAT, Manifest, state_digest
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.memory import BLANK, Applied, Consumed, Memory
from cleanup_gitops.model.run import LedgerEntry

KEPT = timedelta(days=30)
"""Longer than any plan may wait and any cap looks back."""


class AppliedLine(Struct, frozen=True, kw_only=True, tag="applied", tag_field="kind"):
    """A line of ``memory.jsonl``: what one run changed, by action."""

    run: str
    at: datetime
    actions: dict[str, int]


class ConsumedLine(Struct, frozen=True, kw_only=True, tag="consumed", tag_field="kind"):
    """A line of ``memory.jsonl``: rows of one approval that are spent; ``at`` is the last run under it."""

    envelope: str
    at: datetime
    rows: tuple[str, ...]


Line = AppliedLine | ConsumedLine


def memory_of(files: Mapping[str, bytes]) -> Memory:
    """All the planner knows of the recorded files; blank when there are none.

    Raises ``StateError`` when something does not parse, the ledger's newest month is no chain, or accounts, groups,
    memory or manifest are not those that the last entry recorded.
    """
    if not files:
        return BLANK
    tail = read_tail(files)
    if tail is None:
        raise StateError("There are recorded files but no ledger beside them.", HINT)
    last = tail.entries[-1]
    manifest = _checked_manifest(files, last)
    lines = read_lines(files)
    return Memory(
        lineage=last.lineage,
        serial=last.serial,
        accounts=manifest.counts.accounts,
        head=tail.head,
        sequence=last.seq,
        applied=applied_of(lines),
        consumed=consumed_of(lines),
    )


def read_lines(files: Mapping[str, bytes]) -> tuple[Line, ...]:
    """The lines of ``memory.jsonl``. Raises ``StateError``."""
    lines: list[Line] = []
    for number, line in enumerate(files.get(layout.MEMORY, b"").splitlines(), start=1):
        try:
            lines.append(msgspec.json.decode(line, type=Line))
        except UNREADABLE as error:
            raise StateError(f"{layout.MEMORY}:{number} cannot be read: {error}.", HINT) from None
    return tuple(lines)


def write_lines(lines: Iterable[Line]) -> bytes:
    """``memory.jsonl``: sorted, so that its bytes depend on what is remembered alone."""
    return b"".join(sorted(canonical(line) + b"\n" for line in lines))


def applied_of(lines: Iterable[Line]) -> tuple[Applied, ...]:
    """What earlier runs applied, oldest first."""
    found = [Applied(run=line.run, at=line.at, actions=line.actions) for line in lines if isinstance(line, AppliedLine)]
    return tuple(sorted(found, key=lambda one: (one.at, one.run)))


def consumed_of(lines: Iterable[Line]) -> tuple[Consumed, ...]:
    """Spent rows by approval, sorted by envelope."""
    found = [Consumed(envelope=line.envelope, rows=line.rows) for line in lines if isinstance(line, ConsumedLine)]
    return tuple(sorted(found, key=lambda one: one.envelope))


def _checked_manifest(files: Mapping[str, bytes], last: LedgerEntry) -> Manifest:
    """The manifest, after comparing files with the last entry."""
    data = files.get(layout.MANIFEST)
    if data is None:
        raise StateError(f"{layout.MANIFEST} is missing.", HINT)
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except UNREADABLE as error:
        raise StateError(f"{layout.MANIFEST} cannot be read: {error}.", HINT) from None
    if manifest.format != FORMAT:
        raise StateError(
            f"{layout.MANIFEST} has format {manifest.format}; this version knows {FORMAT}.",
            "Use the version of cleanup-gitops that wrote it, or a newer one.",
        )
    if manifest.serial != last.serial or manifest.lineage != last.lineage:
        raise StateError(
            f"{layout.MANIFEST} is of serial {manifest.serial} but the ledger ends at serial {last.serial}:"
            " the ledger was shortened, or the folder mixes two histories.",
            HINT,
        )
    if last.digests.get(layout.MANIFEST) != sha256(data):
        raise StateError(f"{layout.MANIFEST} is not the one that the last ledger entry recorded.", HINT)
    if state_digest(files) != last.state:
        raise StateError("Accounts, groups or memory are not those that the last ledger entry recorded.", HINT)
    return manifest

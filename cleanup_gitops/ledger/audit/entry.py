"""Whether an entry of the ledger follows from the one before it, and its commit holds what it says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.audit.found import CLOCKS, Odds
from cleanup_gitops.ledger.digests import parts_of, state_digest_of
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.ledger.snapshot import manifest_bytes
from cleanup_gitops.ledger.subjects import trailers_of
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.run import ACTING, LedgerEntry


class Before(Struct, frozen=True):
    """The record before an entry: its last entry and head, the digest over no state at all when there is none."""

    entry: LedgerEntry | None
    head: str
    state: str
    parts: dict[str, str]

    @property
    def serial(self) -> int:
        """Snapshots so far."""
        return self.entry.serial if self.entry else 0

    @property
    def lineage(self) -> str:
        """Under which the state was born; "" before the first snapshot."""
        return self.entry.lineage if self.entry else ""


class Brought(Struct, frozen=True):
    """What the commit of an entry brings: new contents by path (those of the state only as names), deleted paths.

    ``hashes`` are those of all files as they are after the commit; ``claimed`` the files of the intent that it ends.
    """

    new: Mapping[str, bytes]
    written: Collection[str]
    gone: list[str]
    hashes: Mapping[str, str]
    claimed: Mapping[str, bytes]


def link_odds(where: str, line: bytes, entry: LedgerEntry, before: Before, site: str) -> Odds:
    """Whether the line goes on after the one before it."""
    last, goes_on = before.entry, entry.kind == "roll-over"
    if chain.line_of(entry) != line:
        yield where, "is not in the canonical form in which entries are written"
    if goes_on != (entry.origin is not None) or (goes_on and last):
        yield where, "is a roll-over that is not the first entry or names no origin, or an origin without a roll-over"
    if goes_on and not last:
        follows = entry.seq if entry.seq > 1 else 2
        prev = entry.origin.head.removeprefix("sha256:") if entry.origin else chain.GENESIS
    else:
        follows, prev = (last.seq + 1 if last else 1), before.head
    if entry.prev != prev:
        yield where, "does not name the line before it"
    if entry.seq != follows:
        yield where, f"has number {entry.seq} where {follows} follows"
    if entry.time.utcoffset():
        yield where, f"has a time that is not in UTC, {_utc(entry.time)}"
    if last and entry.time < last.time - CLOCKS:
        yield where, f"is older ({_utc(entry.time)}) than the line before it"
    if entry.site != site:
        yield where, f"is about another site, {entry.site}"


def month_odds(where: str, entry: LedgerEntry, paths: Collection[str]) -> Odds:
    """Whether the entry lies in the file of its month, or in the last one where a clock went back."""
    path, _, number = where.rpartition(":")
    others = [one for one in layout.ledger_files(paths) if one != path or number != "1"]  # it does not justify itself
    if path != max([layout.ledger_file(entry.time), *others]):
        yield path, "has an entry of another month, or grew although a later month had begun"


def content_odds(entry: LedgerEntry, brought: Brought) -> Odds:
    """Whether the files of the record are those that the entry names, and there are no others."""
    for path, digest in entry.digests.items():
        if path != layout.MANIFEST and not path.startswith(layout.run_file(entry.run, "")):
            yield path, "is named by the entry of another run"
        if path not in brought.new and path not in brought.claimed:
            yield path, "is named by the ledger but part neither of the commit nor of the intent that it ends"
        elif f"sha256:{brought.hashes.get(path)}" != digest:
            yield path, "is not the file that the ledger names"
    for path in brought.claimed:
        if path not in entry.digests:
            yield path, "came with the intent and is not named by the entry that ends it"
    for path in (*brought.written, *brought.gone):
        if not _belongs(path, entry, brought):
            yield path, "is named by no ledger entry"


def state_odds(entry: LedgerEntry, before: Before, brought: Brought) -> Odds:
    """Whether accounts, groups and memory are those of the entry; without a manifest nothing of them changes."""
    where = "accounts, groups, memory"
    parts = parts_of(brought.hashes)
    if state_digest_of(brought.hashes) != entry.state or parts != entry.parts:
        odd = [part for part in parts if parts[part] != entry.parts.get(part)]
        yield ", ".join(odd) or where, "are not those that the ledger names"
    stored = brought.hashes.get(layout.MANIFEST)
    if entry.snapshot != (f"sha256:{stored}" if stored else ""):
        yield layout.MANIFEST, "is not the one that the ledger names as in force"
    shot = layout.MANIFEST in entry.digests
    if entry.kind == "roll-over":
        if not shot or entry.serial < 2 or not entry.lineage:
            yield "ledger", "has a roll-over without the snapshot that it brings"
        return
    if entry.serial != before.serial + shot:
        yield "ledger", f"has serial {entry.serial}, which does not follow the one before"
    born = entry.envelope if shot and not before.lineage else before.lineage
    if entry.lineage != born or (shot and not entry.lineage):
        yield "ledger", "is of another lineage than the line before it"
    if not shot and (entry.state, entry.parts) != (before.state, before.parts):
        yield where, "changed without a snapshot"


def manifest_odds(entry: LedgerEntry, brought: Brought) -> Odds:
    """Whether the manifest of a record says what the entry says."""
    data = brought.new.get(layout.MANIFEST)
    if data is None:
        return
    try:
        manifest = read_manifest(data)
    except StateError as error:
        yield layout.MANIFEST, error.message.removeprefix(f"{layout.MANIFEST} ")
        return
    if manifest_bytes(manifest) != data:
        yield layout.MANIFEST, "is not in the form in which it is written"
    said = (manifest.site, manifest.lineage, manifest.serial, manifest.state)
    if said != (entry.site, entry.lineage, entry.serial, entry.state):
        yield layout.MANIFEST, "says something else than the ledger about site, lineage, serial or state"
    if entry.kind in {"drift", "roll-over"} and manifest.counts.accounts != entry.accounts:
        yield layout.MANIFEST, "counts other accounts than the ledger"
    files = {row.file for row in manifest.groups if row.file}
    if files != {path for path in brought.hashes if path.startswith(layout.GROUPS)}:
        yield layout.MANIFEST, "names other files of groups than there are"


def trailer_odds(entry: LedgerEntry, head: str, trailers: Mapping[str, str]) -> Odds:
    """Whether the commit message says what the entry says."""
    for name, value in trailers_of(entry, head).items():
        if trailers.get(name) != value:
            yield "commit message", f"its {name} does not fit the ledger"


def _belongs(path: str, entry: LedgerEntry, brought: Brought) -> bool:
    """Whether a path may change with this entry: its own files, the state with a snapshot, the ledger, leases."""
    if path in entry.digests or (path in brought.written and path.startswith(layout.LEDGER)):
        return True
    if layout.is_state(path):
        return layout.MANIFEST in entry.digests
    ends = entry.kind in ACTING and bool(entry.intent)
    return path in brought.gone and path.startswith(layout.LEASES) and ends


def _utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

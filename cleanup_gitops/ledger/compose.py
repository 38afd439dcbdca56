"""How a record is put together: what it stands on, the new line of the ledger, the snapshot, the commit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict, Unpack

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.digests import hashes_of, parts_of, state_digest_of
from cleanup_gitops.ledger.memory import memory_after, memory_of, read_lines, still_remembered, write_lines
from cleanup_gitops.ledger.planfile import kept_plan_bytes
from cleanup_gitops.ledger.rows import Manifest, read_manifest
from cleanup_gitops.ledger.since import since_of
from cleanup_gitops.ledger.snapshot import Snapshot, manifest_bytes, manifest_of, snapshot
from cleanup_gitops.ledger.subjects import subject_of, trailers_of
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory, Remembered
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval, Intent, Kind, LedgerEntry, Origin, Outcome, Reason


class Ground(Struct, frozen=True, kw_only=True):
    """What a record is put on: the files recorded so far, what they say, and how new ones are to be written.

    ``domains`` are the e-mail domains and ``attributes`` the attributes of users that may be kept. ``shown`` is what
    the newest snapshot was made of, when it was made just now: the same inventory needs no second one.
    """

    site: str
    before: Mapping[str, bytes]
    memory: Memory
    tool_version: str
    domains: frozenset[str] = frozenset()
    attributes: tuple[str, ...] = ()
    shown: Inventory | None = None

    def after(self, record: Record) -> Ground:
        """The ground once the record is committed; files of single runs are left out, as a store leaves them out."""
        merged = {**self.before, **record.files}
        kept = {path: data for path, data in merged.items() if data is not None and not path.startswith(layout.RUNS)}
        return msgspec.structs.replace(self, before=kept, memory=record.memory, shown=record.shown or self.shown)


class Record(Struct, frozen=True, kw_only=True):
    """What is to be committed. ``files`` holds only those that change; ``None`` deletes one.

    ``entry`` is the new line of the ledger; ``None`` for an intent, which is ``intent`` then. ``memory`` is what the
    next run will know.
    """

    files: dict[str, bytes | None]
    memory: Memory
    subject: str
    trailers: dict[str, str]
    entry: LedgerEntry | None = None
    intent: Intent | None = None
    shown: Inventory | None = None
    """What the new snapshot was made of."""


def ground_of(
    site: str,
    files: Mapping[str, bytes],
    *,
    tool_version: str,
    domains: frozenset[str] = frozenset(),
    attributes: tuple[str, ...] = (),
) -> Ground:
    """The ground that these recorded files are. Raises ``StateError`` when they cannot be trusted."""
    return Ground(
        site=site,
        before=files,
        memory=memory_of(files, site),
        tool_version=tool_version,
        domains=domains,
        attributes=attributes,
    )


def run_id(at: datetime, seed: str) -> str:
    """The name of a run: its UTC time, so that names sort, and the start of its envelope digest or its kind."""
    return f"{at:%Y%m%dT%H%M%SZ}-{seed.rpartition(':')[2][:8]}"


def free_run_id(ground: Ground, time: datetime, seed: str) -> str:
    """A name that no record of these months has: a second one within one second gets a number."""
    base = run_id(time, seed)
    same = sum(1 for entry in _entries(ground) if entry.run.startswith(base))
    return f"{base}-{same + 1}" if same else base


def plan_files(run: str, plan: Plan, approved: Plan | None) -> dict[str, bytes]:
    """The plan of a run, and the saved one that was handed to it."""
    files = {layout.run_file(run, layout.PLAN): kept_plan_bytes(plan)}
    return files | ({layout.run_file(run, layout.APPROVED): kept_plan_bytes(approved)} if approved else {})


class Said(TypedDict, total=False):
    """Fields of an entry that only some kinds have; see ``LedgerEntry``."""

    accounts: int
    results: dict[str, int]
    actions: dict[str, int]
    intent: str
    found: dict[str, int]
    reason: Reason
    origin: Origin
    left: dict[str, int]


def compose(
    ground: Ground,
    *,
    kind: Kind,
    run: str,
    time: datetime,
    files: Mapping[str, bytes],
    known: Mapping[str, str] | None = None,
    seen: tuple[Inventory, Iterable[Remembered]] | None = None,
    lineage: str = "",
    outcomes: Sequence[Outcome] = (),
    plan: Plan | None = None,
    approval: Approval | None = None,
    **said: Unpack[Said],
) -> Record:
    """A record with one new entry of the ledger, after the last one that ``ground`` has.

    ``files`` are new files of the record, ``known`` the digests of those that were committed before it; ``seen`` is a
    new snapshot: what was read, and what is to be remembered. ``outcomes`` are for the subject of the commit, ``plan``
    is the one that the entry is about and ``approval`` what allowed it, ``said`` are further fields of the entry.
    """
    memory = ground.memory
    evidence, serial = dict(files), memory.serial
    if seen:
        serial += 1
        with collector_paused():
            shot, manifest = _shot(ground, *seen, lineage=lineage or memory.lineage, serial=serial, time=time)
        evidence[layout.MANIFEST] = manifest_bytes(manifest)
    else:
        shot = _last_shot(ground)
    stored = evidence.get(layout.MANIFEST, ground.before.get(layout.MANIFEST))
    entry = LedgerEntry(
        format=chain.FORMAT,
        seq=memory.sequence + 1,
        prev=memory.head or chain.GENESIS,
        time=time,
        kind=kind,
        run=run,
        site=ground.site,
        lineage=lineage or memory.lineage,
        serial=serial,
        tool_version=ground.tool_version,
        state=state_digest_of(shot.hashes),
        parts=parts_of(shot.hashes),
        snapshot=sha256(stored) if stored is not None else "",
        digests={**(known or {}), **{path: sha256(data) for path, data in evidence.items()}},
        policy_commit=plan.inputs.policy_commit if plan else "",
        policy_digest=plan.inputs.policy_digest if plan else "",
        plan=plan.digest if plan else "",
        envelope=approval.ref if approval else "",
        approval=approval,
        **({"accounts": plan.summary.users if plan else 0, "results": {}, "actions": {}} | said),
    )
    changed = _changed(ground.before, shot.state | evidence, seen=seen is not None)
    if entry.intent:
        changed |= {path: None for path in ground.before if path.startswith(layout.LEASES)}
    record = sealed(entry, changed, ground.before, shot.manifest, shot.lines, outcomes)
    return msgspec.structs.replace(record, shown=seen[0]) if seen else record


def sealed(
    entry: LedgerEntry,
    files: Mapping[str, bytes | None],
    before: Mapping[str, bytes],
    manifest: Manifest | None,
    lines: Sequence[Remembered],
    outcomes: Sequence[Outcome] = (),
) -> Record:
    """The record of these files with this entry at the end of the ledger that ``before`` has.

    ``manifest`` and ``lines`` are those in force after it.
    """
    line = chain.line_of(entry)
    tail, head = chain.read_tail(before), chain.link(line)
    entries = (*tail.entries, entry) if tail else (entry,)
    return Record(
        files={**files, **_ledger_file(before, entry.time, line)},
        entry=entry,
        memory=memory_after(chain.Tail(entries, head), manifest, lines),
        subject=f"{entry.site}: {subject_of(entry, outcomes)}",
        trailers=trailers_of(entry, head),
    )


class _Shot(Struct, frozen=True):
    """The state after a record: its files with their hashes, what they remember, and their manifest."""

    state: dict[str, bytes]
    hashes: dict[str, str]
    lines: tuple[Remembered, ...]
    manifest: Manifest | None


def _shot(
    ground: Ground, inventory: Inventory, lines: Iterable[Remembered], *, lineage: str, serial: int, time: datetime
) -> tuple[_Shot, Manifest]:
    """A new snapshot."""
    kept = tuple(still_remembered(lines, time))
    last = _manifest(ground)
    if last is not None and inventory is ground.shown:
        files = {path: data for path, data in ground.before.items() if layout.is_state(path) and path != layout.MEMORY}
        shot = Snapshot(files, last.groups)
    else:
        since = since_of(ground.before, inventory)
        shot = snapshot(inventory, domains=ground.domains, attributes=ground.attributes, since=since)
    state = shot.files | ({layout.MEMORY: write_lines(kept)} if kept else {})
    hashes = hashes_of(state)
    manifest = manifest_of(
        inventory,
        shot.groups,
        lineage=lineage,
        serial=serial,
        tool_version=ground.tool_version,
        attributes=ground.attributes,
        began=(last.began or last.as_of) if last else inventory.as_of,
        state=state_digest_of(hashes),
    )
    return _Shot(state, hashes, kept, manifest), manifest


def _last_shot(ground: Ground) -> _Shot:
    """The snapshot that is there already."""
    state = {path: data for path, data in ground.before.items() if layout.is_state(path)}
    return _Shot(state, hashes_of(state), read_lines(ground.before), _manifest(ground))


def _manifest(ground: Ground) -> Manifest | None:
    data = ground.before.get(layout.MANIFEST)
    return None if data is None else read_manifest(data)


def _entries(ground: Ground) -> tuple[LedgerEntry, ...]:
    tail = chain.read_tail(ground.before)
    return tail.entries if tail else ()


def _ledger_file(before: Mapping[str, bytes], time: datetime, line: bytes) -> dict[str, bytes]:
    """The month file with one more line. A clock that went back must not reopen an older month."""
    path = max([layout.ledger_file(time), *layout.ledger_files(before)])
    return {path: before.get(path, b"") + line + b"\n"}


def _changed(before: Mapping[str, bytes], after: Mapping[str, bytes], *, seen: bool) -> dict[str, bytes | None]:
    """Only what differs; with a new snapshot, files of accounts, groups and memory that are gone are deleted."""
    changed: dict[str, bytes | None] = {path: data for path, data in sorted(after.items()) if before.get(path) != data}
    return changed | {path: None for path in before if seen and layout.is_state(path) and path not in after}

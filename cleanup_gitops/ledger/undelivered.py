"""The record that notices came back as undelivered, or are to be sent again: a change of memory alone. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from msgspec.structs import replace

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.chain import HINT
from cleanup_gitops.ledger.compose import Ground, Record, free_run_id, sealed
from cleanup_gitops.ledger.digests import hashes_of, parts_of, state_digest_of
from cleanup_gitops.ledger.memory import read_lines, write_lines
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.ledger.snapshot import manifest_bytes
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.memory import Mark, Remembered
from cleanup_gitops.model.run import LedgerEntry, Reason

Place = tuple[str, str, str]
"""The user, the policy and the stage of a mark."""


def place_of(mark: Mark) -> Place:
    """Of whom, and where, a mark tells."""
    return mark.user, mark.policy, mark.stage


def with_returned(
    lines: Iterable[Remembered], places: Collection[Place], at: datetime, *, again: bool
) -> list[Remembered]:
    """The lines in which these notices are done no longer: since this time (UTC), or with ``again`` not sent yet."""
    return [
        replace(line, done=None, undelivered=None if again else at)
        if isinstance(line, Mark) and place_of(line) in places
        else line
        for line in lines
    ]


def record_undelivered(ground: Ground, places: Collection[Place], *, again: bool, time: datetime) -> Record:
    """The record of what was said about these notices. Accounts and groups stay as they are.

    Raises ``StateError`` when the recorded files hold no snapshot.
    """
    before, memory = ground.before, ground.memory
    if layout.MANIFEST not in before:
        raise StateError(f"The record of {ground.site} has no snapshot, and so tells of no notice.", HINT)
    lines = with_returned(read_lines(before), places, time, again=again)
    state = {path: data for path, data in before.items() if layout.is_state(path)}
    state[layout.MEMORY] = write_lines(lines)
    hashes = hashes_of(state)
    digest = state_digest_of(hashes)
    manifest = replace(read_manifest(before[layout.MANIFEST]), serial=memory.serial + 1, state=digest)
    stored = manifest_bytes(manifest)
    number = f"{len(places)} {'notice' if len(places) == 1 else 'notices'}"
    entry = LedgerEntry(
        format=chain.FORMAT,
        seq=memory.sequence + 1,
        prev=memory.head,
        time=time,
        kind="undelivered",
        run=free_run_id(ground, time, "undelivered"),
        site=ground.site,
        lineage=memory.lineage,
        serial=manifest.serial,
        tool_version=ground.tool_version,
        state=digest,
        parts=parts_of(hashes),
        snapshot=sha256(stored),
        digests={layout.MANIFEST: sha256(stored)},
        accounts=manifest.counts.accounts,
        results={},
        actions={},
        reason=Reason(
            code="again" if again else "came-back",
            text=f"{number} to be sent again" if again else f"{number} came back",
        ),
    )
    return sealed(entry, {layout.MEMORY: state[layout.MEMORY], layout.MANIFEST: stored}, before, manifest, lines)

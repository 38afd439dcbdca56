"""A record that goes on in a new repository: the last state of the earlier one, and an entry chained to its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.compose import Record, run_id, sealed
from cleanup_gitops.ledger.digests import hashes_of, parts_of, state_digest_of
from cleanup_gitops.ledger.leases import held, leases_of
from cleanup_gitops.ledger.memory import memory_of, read_lines
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.ledger.snapshot import manifest_bytes
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.errors import StoreError
from cleanup_gitops.model.run import LedgerEntry, Origin


def record_roll_over(
    site: str, files: Mapping[str, bytes], *, commit: str, tool_version: str, time: datetime
) -> Record:
    """The first record of a new repository, made of the files of the newest record of an earlier one.

    ``commit`` is the last one there. Accounts, groups and memory come along as they are, the manifest with the next
    serial; lineage and numbers go on. Raises ``StateError`` when the files cannot be trusted or hold no snapshot, and
    ``LeaseHeldError`` while a run is under way.
    """
    memory = memory_of(files, site)
    for lease in leases_of(files):
        raise held(lease, time)
    if layout.MANIFEST not in files:
        raise StoreError(
            f"The earlier record of {site} has no snapshot, so there is nothing to go on from.",
            "Begin anew: the first apply leaves the first record.",
        )
    manifest = replace(read_manifest(files[layout.MANIFEST]), serial=memory.serial + 1)
    state = {path: data for path, data in files.items() if layout.is_state(path)}
    stored = manifest_bytes(manifest)
    hashes = hashes_of(state)
    entry = LedgerEntry(
        format=chain.FORMAT,
        seq=memory.sequence + 1,
        prev=memory.head,
        time=time,
        kind="roll-over",
        run=run_id(time, "rollover"),
        site=site,
        lineage=memory.lineage,
        serial=manifest.serial,
        tool_version=tool_version,
        state=state_digest_of(hashes),
        parts=parts_of(hashes),
        snapshot=sha256(stored),
        digests={layout.MANIFEST: sha256(stored)},
        accounts=manifest.counts.accounts,
        results={},
        actions={},
        origin=Origin(commit=commit, head=f"sha256:{memory.head}"),
    )
    return sealed(entry, {**state, layout.MANIFEST: stored}, {}, manifest, read_lines(state))

"""What a recorded run did, read back for a rollback: its plan and its outcomes, as the ledger names them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE, entry_of
from cleanup_gitops.ledger.planfile import read_recorded_plan
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import LedgerEntry, OutcomeRecord


class Recounted(Struct, frozen=True):
    """A recorded run: its entry of the ledger, the plan that it carried out, and what became of the changes.

    ``changes`` are the rows by digest: those of the plan, and those of the approved one that the run was handed, for a
    run that goes on with a user makes changes that its own plan has no more.
    """

    entry: LedgerEntry
    plan: Plan
    changes: dict[str, Change]
    outcomes: tuple[OutcomeRecord, ...]


def entry_of_run(files: Mapping[str, bytes], run: str) -> LedgerEntry | None:
    """The entry that ended a run, however old; ``None`` when no record has this name. Raises ``StateError``."""
    name = run.encode()
    for path in reversed(layout.ledger_files(files)):
        for number, line in enumerate(files[path].splitlines(), start=1):
            if name in line and (entry := entry_of(f"{path}:{number}", line)).run == run:
                return entry
    return None


def recount(entry: LedgerEntry, files: Mapping[str, bytes]) -> Recounted:
    """The run of this entry, from the files of its folder. Raises ``StateError`` when others than the recorded ones."""
    names = (layout.PLAN, layout.APPROVED, layout.OUTCOMES)
    plan_path, saved, path = (layout.run_file(entry.run, name) for name in names)
    plans = [plan_path, saved] if saved in entry.digests else [plan_path]
    for one in (*plans, path):
        if sha256(files.get(one, b"")) != entry.digests.get(one):
            raise StateError(f"{one} is not the file that the ledger names for this run.", HINT)
    plan, *approved = (read_recorded_plan(one, files[one]) for one in plans)
    changes = {
        digest: change for one in (*approved, plan) for digest, change in zip(one.manifest, one.changes, strict=True)
    }
    try:
        outcomes = msgspec.json.Decoder(OutcomeRecord).decode_lines(files[path])
    except UNREADABLE as error:
        raise StateError(f"{path} cannot be read: {error}.", HINT) from None
    return Recounted(entry, plan, changes, tuple(outcomes))

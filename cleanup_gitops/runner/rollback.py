"""What a recorded run did, so that a plan can take it back; that plan is reviewed and applied as any other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NoReturn

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT
from cleanup_gitops.ledger.leases import leases_of
from cleanup_gitops.ledger.overtaken import overtaken
from cleanup_gitops.ledger.undone import Recounted, entry_of_run, recount
from cleanup_gitops.model.errors import CleanupError, StateError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.ports import Store
from cleanup_gitops.model.run import ACCEPTED
from cleanup_gitops.planner.undo import Did, Undo


def undo_of(
    store: Store, files: Mapping[str, bytes], memory: Memory, *, site: str, run: str, users: Iterable[str] = ()
) -> Undo:
    """What the run did that the site accepted; with ``users`` for a rollback of what it did to these alone.

    ``files`` are those that ``store`` read last. Raises ``CleanupError`` when there is no such run of the site, when it
    did nothing, when it was a rollback itself, or when it did nothing to one of ``users``; ``StateError`` when its
    recorded files are not those that the ledger names, or tell of a change that they do not have.
    """
    entry = entry_of_run(files, run)
    if entry is None:
        _refuse_unknown(files, site, run)
    if entry.kind not in ("run", "recovery"):
        _refuse_kind(entry.kind, run)
    told = recount(entry, store.run_files(run))
    if told.plan.rollback:
        _refuse_kind("rollback", run)
    did = tuple(_did(told, site, _shown_later(run, memory)))
    if not did:
        raise CleanupError(f"Run {run} of {site} changed nothing, so there is nothing to take back.")
    wanted = tuple(sorted(set(users)))
    if strange := [one for one in wanted if one not in {each.change.user for each in did}]:
        raise CleanupError(
            f"Run {run} changed nothing of {', '.join(strange)}.",
            "Give account ids as they stand in the run's outcomes.jsonl, or leave --user out.",
        )
    later = {one.address: one.run for one in memory.done if one.run != run and one.at > entry.time}
    others = overtaken(entry, [(one.change, one.outcome) for one in did], files, memory, store.run_files)
    late = {one.address: one.deadline for one in memory.settling if one.run == run and one.deadline}
    return Undo(run=run, time=entry.time, did=did, users=wanted, later=later, others=others, late=late)


def _shown_later(run: str, memory: Memory) -> frozenset[str]:
    """Addresses of what the run was not known to have sent when it was recovered, and has shown since as its own."""
    awaited = {one.address for one in memory.settling if one.run == run}
    return frozenset(one.address for one in memory.done if one.run == run) - awaited


def _did(told: Recounted, site: str, shown: Collection[str] = ()) -> Iterable[Did]:
    """The changes that the site accepted, in the order in which they were made. Raises ``StateError``.

    ``shown`` are addresses of those that count although nobody saw them accepted. One that stands in no plan of the run
    is never left out: what is taken back would be less than what is promised.
    """
    place = f"{layout.site_folder(site)}/{layout.run_file(told.entry.run, layout.OUTCOMES)}"
    for number, one in enumerate(told.outcomes, start=1):
        if one.result not in ACCEPTED and not (one.result == "not_attempted" and one.address in shown):
            continue
        change = told.changes.get(one.change)
        if change is None:
            raise StateError(f"{place}:{number} tells of a change that stands in no plan of the run.", HINT)
        yield Did(change=change, outcome=one, where=f"{place}:{number}")


def _refuse_unknown(files: Mapping[str, bytes], site: str, run: str) -> NoReturn:
    if any(lease.run == run for lease in leases_of(files)):
        raise CleanupError(
            f"Run {run} of {site} is under way or was cut off; what it did is not recorded yet.",
            f"End it first: cleanup-gitops recover {run} --site {site}",
        )
    raise CleanupError(
        f"There is no record of a run {run} of {site}.",
        "`git log --format='%(trailers:key=Run-Id,valueonly)' -- state/` lists the runs; `status` shows the last one.",
    )


def _refuse_kind(kind: str, run: str) -> NoReturn:
    if kind == "rollback":
        raise CleanupError(
            f"{run} was a rollback itself, and is not taken back.",
            "The policies act again by themselves when its holds end.",
        )
    raise CleanupError(f"{run} is a record of kind {kind}: it changed nothing on the site.")

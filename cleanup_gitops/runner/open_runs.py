"""What a plan says while a run is open: its changes are in no snapshot, so a reading may fall short of the last one.

And what an open rollback takes back was undone by nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from cleanup_gitops.ledger.leases import recover_command
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.memory import Hold, Memory
from cleanup_gitops.model.plan import Check, Plan, Rollback
from cleanup_gitops.model.ports import Store
from cleanup_gitops.model.run import Lease
from cleanup_gitops.runner.kept import read_begun


def under_open_runs(plan: Plan, leases: Sequence[Lease]) -> Plan:
    """The plan, which proposes to lift no guard of the reading while one of these leases of its site is held.

    The open run may be all the reason; ended, it is one no more. The words lead with how to end it.
    """
    if not leases:
        return plan
    return replace(plan, checks=tuple(_led(check, leases[0]) for check in plan.checks))


def _led(check: Check, lease: Lease) -> Check:
    if check.passed or not check.name.startswith("reading:"):
        return check
    first = (
        f"`{recover_command(lease)}` ends the run that is open, whose changes are in no snapshot yet; plan again then"
    )
    return replace(check, message=f"{first}. {check.message}", override="")


def beside_open_rollbacks(memory: Memory, store: Store, leases: Sequence[Lease]) -> Memory:
    """The memory for a plan that is only looked at while these leases are held, as ``store`` read them last.

    What an open rollback gives back is not taken for an undo by others, and the users are held as they will be when it
    is recorded. An intent that cannot be read changes nothing here: ending the run says what is wrong with it.
    """
    for plan in _plans(store, leases):
        if plan.rollback is None:
            continue
        addresses = {one.address for one in plan.changes}
        memory = replace(
            memory,
            done=tuple(one for one in memory.done if one.address not in addresses),
            holds=(*memory.holds, *_holds(plan.rollback)),
        )
    return memory


def _plans(store: Store, leases: Sequence[Lease]) -> Iterator[Plan]:
    """The plans that the runs of these leases carry out."""
    for run in sorted({one.run for one in leases}):
        try:
            yield read_begun(run, store.run_files(run), [one for one in leases if one.run == run]).plan
        except StateError:
            continue


def _holds(rollback: Rollback) -> Iterator[Hold]:
    for user, policies in rollback.holds.items():
        for policy in policies:
            yield Hold(user=user, policy=policy, until=rollback.until, why="rollback", run=rollback.run)

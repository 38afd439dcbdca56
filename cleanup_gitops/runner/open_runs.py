"""What a plan says while a run is open: its changes are in no snapshot, so a reading may fall short of the last one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cleanup_gitops.ledger.leases import recover_command
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.model.run import Lease


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

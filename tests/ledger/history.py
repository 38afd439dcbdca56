"""Records in memory: what a store would hold after runs, void runs, drift and recoveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hypothesis import strategies as st

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.record import (
    Ground,
    Record,
    ground_of,
    record_drift,
    record_intent,
    record_run,
    record_void,
)
from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Intent, LedgerEntry, Outcome, Reason
from tests import strategies as some

DOMAINS = frozenset({"acme.com"})
VOID = Reason(code="incomplete-reading", text="The live data of acme is not complete: nothing was read.")


def ground(before: Mapping[str, bytes]) -> Ground:
    """These recorded files as the ground of the next record; files of single runs may be among them."""
    read = {path: data for path, data in before.items() if not path.startswith(layout.RUNS)}
    return ground_of("acme", read, tool_version="0.1.0", domains=DOMAINS)


def run(
    before: Mapping[str, bytes],
    plan: Plan,
    outcomes: Sequence[Outcome],
    inventory: Inventory,
    time: datetime = some.AS_OF,
    intent: Intent | None = None,
) -> Record:
    """The record of a run on these files."""
    return record_run(
        ground(before),
        plan=plan,
        outcomes=outcomes,
        approval=some.approval_of(plan),
        inventory=inventory,
        time=time,
        actor="712020:runner",
        intent=intent,
    )


def begun(before: Mapping[str, bytes], plan: Plan, time: datetime = some.AS_OF) -> Record:
    """The intent of a run that means to carry out all of the plan."""
    return record_intent(
        ground(before),
        plan=plan,
        approval=some.approval_of(plan),
        changes=plan.changes,
        directories=["default"],
        holder="712020:runner, process 42",
        time=time,
    )


def drifted(before: Mapping[str, bytes], inventory: Inventory, time: datetime = some.AS_OF) -> Record:
    """The record of one account that appeared."""
    drift = Drift(
        site="acme",
        serial=1,
        since=time,
        as_of=time,
        recorded_by="0.1.0",
        differences=(Difference(address="user/712020:new", what="user.appeared", after={"status": "active"}),),
    )
    return record_drift(ground(before), drift=drift, inventory=inventory, time=time)


def after(before: Mapping[str, bytes], record: Record) -> dict[str, bytes]:
    """The files of the site once the record is committed."""
    merged = {**before, **record.files}
    return {path: data for path, data in merged.items() if data is not None}


def entry_of(record: Record) -> LedgerEntry:
    """The entry that the record brings."""
    assert record.entry is not None
    return record.entry


@st.composite
def histories(draw: st.DrawFn, *, least: int = 1, most: int = 3) -> tuple[dict[str, bytes], list[Record]]:
    """The files after some runs, and all records in order, at least one and at least one run; some are weeks apart."""
    files: dict[str, bytes] = {}
    records: list[Record] = []

    def put(record: Record) -> None:
        nonlocal files
        files = after(files, record)
        records.append(record)

    time = some.AS_OF - timedelta(days=100)
    for number in range(draw(st.integers(least, most))):
        inventory = draw(some.inventories(max_users=4, max_groups=3))
        if draw(st.integers(0, 3)) == 0:
            put(record_void(ground(files), reason=VOID, time=time))
        if number and draw(st.booleans()):
            put(drifted(files, inventory, time))
        plan = draw(some.plans(inventory, ground(files).memory))
        intent = None
        if draw(st.booleans()) and plan.changes:
            begin = begun(files, plan, time)
            intent = begin.intent
            put(begin)
        put(run(files, plan, draw(some.outcomes_for(plan)), inventory, time, intent))
        time += timedelta(hours=draw(st.sampled_from([0, 1, 24, 24 * 9, 24 * 31])))
    return files, records

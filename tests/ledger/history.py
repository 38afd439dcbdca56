"""Recorded runs in memory: what a store would hold after some runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import strategies as st

from cleanup_gitops.ledger.record import RunRecord, memory_of, record_run
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Outcome
from tests import strategies as some

DOMAINS = frozenset({"acme.com"})


def run(
    before: dict[str, bytes],
    plan: Plan,
    outcomes: Sequence[Outcome],
    inventory: Inventory,
    time: datetime = some.AS_OF,
) -> RunRecord:
    """The record of a run on these files."""
    return record_run(
        before=before,
        memory=memory_of(before),
        plan=plan,
        outcomes=outcomes,
        approval=some.approval_of(plan),
        inventory=inventory,
        time=time,
        tool_version="0.1.0",
        domains=DOMAINS,
    )


def after(before: dict[str, bytes], record: RunRecord) -> dict[str, bytes]:
    """The files of the site once the record is committed."""
    merged = {**before, **record.files}
    return {path: data for path, data in merged.items() if data is not None}


@st.composite
def histories(draw: st.DrawFn, *, least: int = 1, most: int = 3) -> tuple[dict[str, bytes], list[RunRecord]]:
    """The files after some runs, and the record of each run; some runs are weeks apart."""
    files: dict[str, bytes] = {}
    records: list[RunRecord] = []
    time = some.AS_OF - timedelta(days=100)
    for _ in range(draw(st.integers(least, most))):
        inventory = draw(some.inventories(max_users=4, max_groups=3))
        plan = draw(some.plans(inventory, memory_of(files)))
        record = run(files, plan, draw(some.outcomes_for(plan)), inventory, time)
        files = after(files, record)
        records.append(record)
        time += timedelta(hours=draw(st.sampled_from([0, 1, 24, 24 * 9, 24 * 31])))
    return files, records

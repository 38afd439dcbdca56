"""Whether rosters may be trusted: one that came back short says nothing of those who are missing in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Check
from cleanup_gitops.planner.guards.exceptions import Demand, Exceptions, room
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists

FEW = 3
"""So many rows fewer are everyday life."""


def roster_checks(lists: Lists, policies: SitePolicies, memory: Memory, exceptions: Exceptions) -> Iterator[Check]:
    """For each roster how far its rows fell since a run last used it, in percent, rounded up."""
    said = policies.guardrails
    before = {one.name: one for one in memory.handed}
    for name, roster in sorted(lists.rosters.items()):
        rule = f"max_drop {said.reading.max_drop} %; {said.where}"
        last, now = before.get(roster.name), len(roster.rows)
        if last is None:
            told = f"{roster.words}: no run has used it yet, so there is nothing to compare with ({rule})"
            yield Check(name=f"roster:{name}", passed=True, message=told)
            continue
        lost = last.rows - now
        found = -(-100 * lost // last.rows) if lost > FEW else 0
        demand = Demand(said.reading.max_drop, Counter({(): found}))
        allowed = room(demand.usual, demand.rows, 0, exceptions.of("reading.max_drop"))
        passed = allowed.holds(found)
        told = f"{roster.name}: {last.rows:,} rows -> {now:,} since the run of {last.at.date().isoformat()}"
        told += f" ({found} % fewer; {rule})" if found else f" ({rule})"
        if not passed:
            told += (
                f"{exceptions.not_enough('reading.max_drop')}. An export that came back short looks like this: rows"
                " that are missing neither say who left nor who stays. Look at the file, and run again with a whole one"
            )
        yield Check(
            name=f"roster:{name}",
            passed=passed,
            message=told,
            found=found,
            allowed=allowed.allowed,
            lifted=allowed.lifted,
            override="" if passed else exceptions.proposal("reading.max_drop", [demand], "percent"),
        )

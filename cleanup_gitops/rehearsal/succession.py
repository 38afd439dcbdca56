"""The day after: a site and what is remembered of it, once a plan was carried out as a whole."""

from __future__ import annotations

from cleanup_gitops.ledger.compose import run_id
from cleanup_gitops.ledger.memory import lines_of, still_remembered, with_lines
from cleanup_gitops.ledger.pending import Terms
from cleanup_gitops.ledger.record import lines_after
from cleanup_gitops.ledger.remember import Ran
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import assume, undone
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.rehearsal.ahead import outcomes_of


def succeed(plan: Plan, inventory: Inventory, memory: Memory, policies: SitePolicies) -> tuple[Inventory, Memory]:
    """The site and the memory after this plan of theirs was carried out when it was made, and all of it was seen.

    ``ahead`` does more, for a real site: snapshots, schedules, and what only a question can tell.
    """
    at = plan.created
    after = assume(inventory, plan)
    ran = Ran(
        run=run_id(at, plan.envelope),
        at=at,
        envelope=plan.envelope,
        outcomes=outcomes_of(plan.changes, at),
        noticed=undone(inventory, policies, memory, created=at),
        seats=plan.seats.before,
    )
    terms = Terms(once={one.name: one.digest for one in policies.asking if one.once})
    lines = still_remembered(lines_after(lines_of(memory), ran, plan, terms, {}, after), at)
    return after, with_lines(memory, lines)

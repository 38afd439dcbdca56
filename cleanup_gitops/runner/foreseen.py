"""What an apply of a plan that was approved as a whole would carry out at once, for whoever looks ahead. Pure."""

from __future__ import annotations

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.rehearsal.forecast import Choose, Chosen
from cleanup_gitops.runner.approval import Choice, without_unsettled
from cleanup_gitops.runner.times import on_time, terms_of, times_of


def choosing(policies: SitePolicies) -> Choose:
    """All rows of the plan but those that wait for what an earlier run has sent, or for their time."""

    def choose(plan: Plan, memory: Memory, inventory: Inventory) -> Chosen:
        choice = without_unsettled(Choice(plan.changes), memory, plan.created, reviewed=True)
        choice = on_time(choice, times_of(plan, policies, memory, inventory).wait)
        return Chosen(
            choice.changes,
            tuple((one.change, one.code) for one in choice.left),
            lambda outcomes: terms_of(plan, policies, memory, choice, outcomes),
        )

    return choose

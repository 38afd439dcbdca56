"""Deleting takes two people: whoever hands in the saved plan, and somebody else who has approved it by a signed tag."""

from __future__ import annotations

from dataclasses import replace

from cleanup_gitops.model.change import UserDelete
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.standing import Missing
from cleanup_gitops.runner.later import Left, left_whole
from cleanup_gitops.runner.papers import Order

NOBODY_ELSE = Missing("nobody else has approved the plan")


def deletes(plan: Plan) -> bool:
    """Whether the plan deletes an account."""
    return any(isinstance(one, UserDelete) for one in plan.changes)


def seconded(order: Order, second: Approval | Missing) -> Order:
    """The same order, with all rows of users left for later whose account would be deleted with one approval alone."""
    choice = order.choice
    deleted = [one for one in choice.changes if isinstance(one, UserDelete)]
    if not deleted:
        return order
    if isinstance(second, Approval):
        return replace(order, second=second)
    why = f"deleting takes a second approval: {second.why}"
    changes, left = left_whole(choice.changes, {one.address: Left(one, "not-approved", why) for one in deleted})
    return replace(order, choice=replace(choice, changes=changes, left=(*choice.left, *left), unseconded=True))

"""From policies and an inventory to a plan. Pure: no I/O, no clock; the same inputs give the same bytes."""

from cleanup_gitops.planner.assume import assume
from cleanup_gitops.planner.plan import make_plan

__all__ = ["assume", "make_plan"]

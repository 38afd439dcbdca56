"""What the conditions of a policy say about everybody who was seen in Confluence lately, before anybody is asked."""

from __future__ import annotations

from cleanup_gitops.policy.tree import InactiveFor, Match, NeverActiveFor, Node

NEVER_SEEN = 1_000_000
"""More days than any condition can name: one sighting ever is enough for a no."""


def least_idle(node: Node) -> int | None:
    """The days for which a user who was seen must have been idle for these conditions to say anything but no.

    ``None``: they may say yes or unknown about somebody who was seen today. What stands under ``none`` is left out; it
    can only say no to more people.
    """
    match node:
        case InactiveFor(product="confluence" | "any"):
            return node.days
        case NeverActiveFor():
            return NEVER_SEEN
        case Match():
            needed = [days for days in map(least_idle, node.all) if days is not None]
            branches = [days for days in map(least_idle, node.any) if days is not None]
            if branches and len(branches) == len(node.any):
                needed.append(min(branches))
            return max(needed, default=None)
        case _:
            return None

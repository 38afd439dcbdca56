"""A small site, and what both readings of a condition say of its users."""

from __future__ import annotations

from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import GroupSeat, RoleSeat, User
from cleanup_gitops.policy.match import Scope, compile_match, explain_match
from cleanup_gitops.policy.tree import Match, Node
from tests.policy.users import NOW, group, inventory

GROUPS = (
    group(1, "wiki-users"),
    group(2, "product-suite", parents=("g-1",)),
    group(3, "board"),
)
HERE = Scope(
    NOW,
    inventory(*GROUPS),
    People({"712020:1": Person("Ada Beispiel (Extern)"), "712020:2": Person("")}),
)
WIKI, SUITE, BOARD, ROLE = GroupSeat(("g-1",)), GroupSeat(("g-2", "g-1")), GroupSeat(("g-3",)), RoleSeat("user")


def verdict(node: Node, someone: User, where: Scope = HERE) -> bool | None:
    """The verdict of one predicate, which both readings must give."""
    match = Match(all=(node,))
    found = compile_match(match, where).verdict(someone)
    assert explain_match(match, someone, where).verdict is found
    return found

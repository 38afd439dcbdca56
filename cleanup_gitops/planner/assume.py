"""The pure successor: what an inventory is after every change of a plan has taken effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    UserDisable,
    UserEnable,
)
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import GroupSeat, License, RoleSeat, SeatPath, User


def assume(inventory: Inventory, plan: Plan) -> Inventory:
    """The same inventory with the plan's changes made; memberships bring and take their seats."""
    by_user: dict[str, list[Change]] = {}
    for change in plan.changes:
        by_user.setdefault(change.user, []).append(change)
    users = tuple(
        assume_user(user, by_user[user.id], inventory) if user.id in by_user else user for user in inventory.users
    )
    return msgspec.structs.replace(inventory, users=users)


def assume_user(user: User, changes: Iterable[Change], inventory: Inventory) -> User:
    """One user after these changes."""
    status = user.status
    groups = set(user.groups or ())
    seats = list(user.seats or ())
    moved = False
    for change in changes:
        match change:
            case UserDisable() | UserEnable():
                status = change.new
            case MembershipAdd():
                moved = True
                groups.add(change.group)
                seats += [path for path in seat_paths(change.group, inventory) if path not in seats]
            case MembershipRemove():
                moved = True
                groups.discard(change.group)
                seats = [path for path in seats if not (isinstance(path, GroupSeat) and path.chain[0] == change.group)]
    if not moved:
        return msgspec.structs.replace(user, status=status)
    known = user.seats is not None
    return msgspec.structs.replace(
        user,
        status=status,
        groups=tuple(sorted(groups)),
        seats=tuple(seats) if known else None,
        license=license_of(seats, inventory) if known else user.license,
    )


def chains(group: str, inventory: Inventory) -> Iterator[tuple[str, ...]]:
    """The ways from a direct membership to all groups that it leads to, itself included, nearest first."""
    waiting: list[tuple[str, ...]] = [(group,)]
    while waiting:
        chain = waiting.pop(0)
        yield chain
        parents = inventory.group_by_id[chain[-1]].parents
        waiting += [(*chain, parent) for parent in parents if parent not in chain]


def seat_paths(group: str, inventory: Inventory) -> list[GroupSeat]:
    """The ways from a direct membership to groups that give a license, nearest first."""
    by_id = inventory.group_by_id
    return [GroupSeat(chain) for chain in chains(group, inventory) if by_id[chain[-1]].license in ("seat", "guest")]


def license_of(seats: Iterable[SeatPath], inventory: Inventory) -> License:
    """The license class that these paths give together: a seat beats guest."""
    classes: set[License] = set()
    for path in seats:
        if isinstance(path, GroupSeat):
            classes.add(inventory.group_by_id[path.chain[-1]].license)
        elif isinstance(path, RoleSeat) and path.role == "guest":
            classes.add("guest")
        else:
            classes.add("seat")
    for license_class in ("seat", "unknown", "guest"):
        if license_class in classes:
            return license_class
    return "none"

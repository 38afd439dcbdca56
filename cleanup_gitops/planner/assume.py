"""The pure successor: what an inventory is after every change of a plan has taken effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.change import (
    Change,
    MembershipAdd,
    MembershipRemove,
    NoticeSend,
    RoleRevoke,
    TokenRevoke,
    UserDeactivate,
    UserDelete,
    UserDisable,
    UserEnable,
    UserInvite,
    UserRemove,
)
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import GroupSeat, License, RoleSeat, SeatPath, User


def assume(inventory: Inventory, plan: Plan) -> Inventory:
    """The same inventory with the plan's changes made; memberships and roles bring and take their seats."""
    by_user: dict[str, list[Change]] = {}
    for change in plan.changes:
        by_user.setdefault(change.user, []).append(change)
    users = tuple(
        assume_user(user, by_user[user.id], inventory) if user.id in by_user else user for user in inventory.users
    )
    return msgspec.structs.replace(inventory, users=users)


_NEW: Mapping[str, None] = dict.fromkeys(("status_since", "status_by", "status_after"))
"""What was known of the status that an account had before says nothing of its new one."""


def assume_user(user: User, changes: Iterable[Change], inventory: Inventory) -> User:
    """One user after these changes."""
    for change in sorted(changes, key=lambda one: isinstance(one, UserRemove)):
        user = _after(user, change, inventory)
    return user


def _after(user: User, change: Change, inventory: Inventory) -> User:
    match change:
        case UserDisable() | UserEnable() | UserDeactivate() | UserDelete():
            return msgspec.structs.replace(user, status=change.new, **_NEW)
        case UserRemove():
            gone = msgspec.structs.replace(user, status=change.new, **_NEW)
            return msgspec.structs.replace(gone, groups=(), seats=(), direct=(), license="none")
        case MembershipAdd():
            return joined(user, change.group, inventory)
        case MembershipRemove():
            return left(user, change.group, inventory)
        case RoleRevoke():
            direct = None if user.direct is None else tuple(one for one in user.direct if one != change.role)
            kept = [path for path in user.seats or () if path != RoleSeat(change.role)]
            return with_seats(msgspec.structs.replace(user, direct=direct), kept, inventory)
        case TokenRevoke():
            tokens = None if user.tokens is None else tuple(one for one in user.tokens if one != change.token)
            return msgspec.structs.replace(user, tokens=tokens)
        case NoticeSend():
            return user
        case UserInvite():
            return user  # about somebody who is not in the inventory


def joined(user: User, group: str, inventory: Inventory) -> User:
    """The user as a direct member of one more group, with the seats that it gives."""
    groups = tuple(sorted({*(user.groups or ()), group}))
    new = [path for path in seat_paths(group, inventory) if path not in (user.seats or ())]
    return with_seats(msgspec.structs.replace(user, groups=groups), [*(user.seats or ()), *new], inventory)


def left(user: User, group: str, inventory: Inventory) -> User:
    """The user without one direct membership, and without the seats that began there."""
    groups = tuple(sorted({*(user.groups or ())} - {group}))
    kept = [path for path in user.seats or () if not begins_with(path, group)]
    return with_seats(msgspec.structs.replace(user, groups=groups), kept, inventory)


def rewound(user: User, before: User, made: Iterable[Change], inventory: Inventory) -> User:
    """A user as read now, with our own changes thought away; all that others did meanwhile stays.

    ``before`` is the same user as these changes found it. Whoever has lost an access is told less about: what is not
    known any more is taken from there.
    """
    for change in made:
        match change:
            case MembershipAdd():
                user = left(user, change.group, inventory)
            case MembershipRemove():
                user = joined(user, change.group, inventory)
            case RoleRevoke():
                path = RoleSeat(change.role)
                back = [path] if path in (before.seats or ()) and path not in (user.seats or ()) else []
                user = msgspec.structs.replace(user, direct=before.direct, roles=before.roles)
                user = with_seats(user, [*(user.seats or ()), *back], inventory)
            case TokenRevoke():
                user = msgspec.structs.replace(user, tokens=before.tokens)
            case NoticeSend() | UserInvite():
                pass
            case _:
                user = msgspec.structs.replace(
                    user,
                    status=change.old,
                    status_since=before.status_since,
                    status_by=before.status_by,
                    status_after=before.status_after,
                )
    return msgspec.structs.replace(
        user,
        seen=before.seen if isinstance(user.seen, Unknown) else user.seen,
        elsewhere=before.elsewhere if user.elsewhere is None else user.elsewhere,
        seat_since=before.seat_since if user.seat_since is None else user.seat_since,
        lifecycle=before.lifecycle if user.lifecycle is None else user.lifecycle,
        tokens=before.tokens if user.tokens is None else user.tokens,
        direct=before.direct if user.direct is None else user.direct,
    )


def with_seats(user: User, seats: Iterable[SeatPath], inventory: Inventory) -> User:
    """The user with these seat paths and the license that they give; unknown paths stay unknown."""
    if user.seats is None:
        return user
    paths = tuple(seats)
    return msgspec.structs.replace(user, seats=paths, license=license_of(paths, inventory))


def begins_with(path: SeatPath, group: str) -> bool:
    """Whether the seat is held through the direct membership of this group."""
    return isinstance(path, GroupSeat) and path.chain[0] == group


def chains(group: str, inventory: Inventory) -> Iterator[tuple[str, ...]]:
    """The ways from a direct membership to all groups that it leads to, itself included, nearest first."""
    waiting: list[tuple[str, ...]] = [(group,)]
    while waiting:
        chain = waiting.pop(0)
        yield chain
        parents = inventory.group_by_id[chain[-1]].parents
        waiting += [(*chain, parent) for parent in parents if parent not in chain]


def licenses(group: str, inventory: Inventory) -> frozenset[License]:
    """The license classes of the group and of all groups that it leads to."""
    return inventory.licenses_through[group]


def may_administer(group: str, inventory: Inventory) -> bool:
    """Whether the group, or one that it leads to, makes its members administrators, or nobody knows whether."""
    return group in inventory.administering


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

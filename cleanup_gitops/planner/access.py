"""The license in Confluence as a whole: whether all ways to it are known, and what would be left of it."""

from __future__ import annotations

from collections.abc import Iterable

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.requirement import MembershipRequirement, Requirement, RoleRequirement
from cleanup_gitops.model.user import GrantSeat, License, RoleSeat, User
from cleanup_gitops.planner.assume import license_of, licenses
from cleanup_gitops.planner.unmet import Obstacle, Step, Unmet

GONE = ("absent", "deleting")
"""Statuses of accounts that have no access to anything any more."""


def untold(user: User, inventory: Inventory) -> Obstacle | None:
    """Why it is not known that all ways to a license would end, or ``None``."""
    if user.seats is None:
        return Obstacle(None, "unknown", "seats-unknown")
    if any("unknown" in licenses(group, inventory) for group in user.groups or ()):
        return Obstacle(None, "unknown", "group-grants-unknown")
    if not direct_told(user, inventory):
        return Obstacle(None, "unknown", "direct-roles-unknown")
    if any(isinstance(path, GrantSeat) for path in user.seats):
        return Obstacle(None, "conflict", "seat-by-permission")
    return None


def direct_told(user: User, inventory: Inventory) -> bool:
    """Whether it is known which roles the user holds directly.

    Without being asked, a Cloud site tells only of those who hold a role through no group.
    """
    if user.direct is not None or inventory.hosting != "cloud":
        return True
    return user.seats == () and not any(_gives_a_role(group, inventory) for group in user.groups or ())


def _gives_a_role(group: str, inventory: Inventory) -> bool:
    grants = inventory.group_by_id[group].grants
    return grants is None or any(grant.product == "confluence" for grant in grants)


def becomes_guest(made: Iterable[Unmet], user: User, inventory: Inventory) -> Obstacle | None:
    """The obstacle when these steps would take a paid seat and leave, or bring, access as a guest.

    The vendor's terms forbid to turn paid users into guests. A fact that is not known counts as the one that forbids.
    """
    if user.license not in ("seat", "unknown"):
        return None
    own = [one.requirement for one in made if isinstance(one, Step) and not one.handoff]
    ended = [one for one in own if _ends_seat(one, inventory)]
    if not ended:
        return None
    groups = (set(user.groups or ()) | _groups(own, member=True)) - _groups(own, member=False)
    left: set[License] = {one for group in groups for one in licenses(group, inventory)}
    revoked = {RoleSeat(one.role) for one in own if isinstance(one, RoleRequirement)}
    held = [path for path in user.seats or () if isinstance(path, RoleSeat | GrantSeat)]
    left |= {license_of([path], inventory) for path in held if path not in revoked}
    if "guest" in left and "seat" not in left:
        return Obstacle(ended[0], "conflict", "seat-to-guest")
    return None


def seat_to_guest(asked: MembershipRequirement, user: User, inventory: Inventory) -> Obstacle | None:
    """The obstacle when a group that gives access as a guest is for somebody who has, or had, a paid seat."""
    given = licenses(asked.group, inventory)
    if not asked.member or "guest" not in given or "seat" in given:
        return None
    if user.license == "seat" or user.seat_since is not None:
        return Obstacle(asked, "conflict", "seat-to-guest")
    return Obstacle(asked, "unknown", "license-unknown") if user.license == "unknown" else None


def _ends_seat(one: Requirement, inventory: Inventory) -> bool:
    if isinstance(one, MembershipRequirement):
        return not one.member and bool(licenses(one.group, inventory) & {"seat", "unknown"})
    return isinstance(one, RoleRequirement) and one.role != "guest"


def _groups(own: Iterable[Requirement], *, member: bool) -> set[str]:
    return {one.group for one in own if isinstance(one, MembershipRequirement) and one.member == member}

"""A user as an episode would have found it without its own effects. Pure.

Taken back is only what the live site shows as the episode left it: what somebody else changed since stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time

from msgspec.structs import replace

from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Effect, Known
from cleanup_gitops.model.user import CLOSED, RoleSeat, Status, User
from cleanup_gitops.planner.assume import joined, left, with_seats

_BY_NAME: dict[str, Status] = {status: status for status in CLOSED}


def taken_back(user: User, effects: Iterable[Effect], known: Known | None, inventory: Inventory) -> User:
    """The user with the effects of an episode (oldest first) thought away.

    Who has no access is told less about: the last use that was ``known`` stands in for one that the site does not tell
    any more, because nobody without access can have come back.
    """
    before = user
    for effect in reversed(tuple(effects)):
        before = _without(before, effect, known, inventory)
    if before is user or known is None or known.seen is None or not isinstance(user.seen, Unknown):
        return before
    shut_out = user.license == "none" or CLOSED.get(user.status, 0) > 0
    return replace(before, seen=known.seen) if shut_out else before


def _without(user: User, effect: Effect, known: Known | None, inventory: Inventory) -> User:
    several = inventory.hosting == "datacenter"
    directory = f"{user.directory}/" if several else ""
    if "status" in effect.after:
        return _with_status(user, effect, known)
    if "member" in effect.after:
        group = effect.address.removeprefix(f"membership/{directory}").removesuffix(f"/{user.id}")
        return _with_membership(user, effect, group, inventory)
    if effect.after.get("held") is False:
        return _with_role(user, effect.address.removeprefix("role/").removesuffix(f"/{user.id}"), inventory)
    return user


def _with_status(user: User, effect: Effect, known: Known | None) -> User:
    """What an identity provider was asked for may be done by closing the account further than that."""
    wanted, old = _BY_NAME.get(str(effect.after["status"])), _BY_NAME.get(str(effect.before.get("status")))
    if wanted is None or old is None or user.status not in CLOSED:
        return user
    further = effect.asked and CLOSED[user.status] >= CLOSED[wanted] > 0
    if user.status != wanted and not further:
        return user
    since = known.status_by if known else None
    by = datetime.combine(since, time.min, UTC) if since else None
    before = replace(user, status=old, status_since=None, status_by=by, status_after=None)
    if wanted != "absent":
        return before
    # Its groups and roles went with its place in the directory, and nobody remembers which they were.
    return replace(before, groups=None, seats=None, direct=None, roles=None, license="unknown")


def _with_membership(user: User, effect: Effect, group: str, inventory: Inventory) -> User:
    """Where groups or seats are not known now, neither is the license that there would be without the effect."""
    if group not in inventory.group_by_id:
        return user
    if user.groups is None:
        return replace(user, seats=None, license="unknown")
    if (group in user.groups) != effect.after["member"]:
        return user
    before = left(user, group, inventory) if effect.after["member"] else joined(user, group, inventory)
    return replace(before, license="unknown") if user.seats is None else before


def _with_role(user: User, role: str, inventory: Inventory) -> User:
    path = RoleSeat(role)
    if role in (user.direct or ()) or path in (user.seats or ()):
        return user
    direct = None if user.direct is None else tuple(sorted({*user.direct, role}))
    if user.seats is None:
        return replace(user, direct=direct, license="unknown")
    return with_seats(replace(user, direct=direct), [*user.seats, path], inventory)

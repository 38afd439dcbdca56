"""Seats: which rows free one, what that saves, and whether it came to pass. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from msgspec import UNSET

from cleanup_gitops.model.change import TAKING, Change, MembershipRemove, RoleRevoke, TokenRevoke, UserInvite
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Done, Memory
from cleanup_gitops.model.plan import Seats
from cleanup_gitops.model.user import CLOSED, RoleSeat, SeatPath, User
from cleanup_gitops.planner.assume import assume_user, begins_with, license_of
from cleanup_gitops.policy.billing import License

_CLOSED = frozenset(status for status, far in CLOSED.items() if far)


def ends_seat(change: Change, inventory: Inventory) -> bool:
    """Whether a change ends a way by which its user occupies a paid seat; also where that is not known."""
    user = inventory.user_by_id.get(change.user)
    if user is None or user.billed is False or change.action not in TAKING:
        return False
    match change:
        case TokenRevoke():
            return False
        case MembershipRemove():
            return _way(user, inventory, lambda path: begins_with(path, change.group))
        case RoleRevoke():
            return _way(user, inventory, lambda path: path == RoleSeat(change.role))
        case _:
            return True


def _way(user: User, inventory: Inventory, ended: Callable[[SeatPath], bool]) -> bool:
    if user.seats is None:
        return True
    return any(ended(path) and license_of([path], inventory) not in ("guest", "none") for path in user.seats)


def seats_of(
    changes: Iterable[Change], inventory: Inventory, memory: Memory, license_: License | None, today: date
) -> Seats:
    """Paid seats before and after these changes, and where the billing of the site is known, what that saves.

    Whoever is invited gets a role that takes a seat.
    """
    rows = tuple(changes)
    after = _after(rows, inventory)
    used = inventory.seats_used
    delta = sum(isinstance(change, UserInvite) for change in rows)
    delta += sum(int(bool(user.billed)) - int(bool(inventory.user_by_id[user.id].billed)) for user in after.values())
    following = license_.next_period(today) if license_ else None
    again = _regained(after, inventory, memory, license_, today)
    return Seats(
        before=used,
        after=used + delta,
        limit=inventory.seat_limit,
        saves_from=following if following and delta < 0 else UNSET,
        regained=again or UNSET,
    )


def _after(changes: Iterable[Change], inventory: Inventory) -> dict[str, User]:
    """The users of these changes as they leave them; whoever has no account yet is none."""
    by_user: dict[str, list[Change]] = {}
    for change in changes:
        by_user.setdefault(change.user, []).append(change)
    users = inventory.user_by_id
    return {one: assume_user(users[one], own, inventory) for one, own in by_user.items() if one in users}


def _regained(
    after: dict[str, User], inventory: Inventory, memory: Memory, license_: License | None, today: date
) -> int:
    """Users whose seat a run of ours ended in this billing period, and who have one all the same after the plan."""
    begun = license_.this_period(today) if license_ else None
    if begun is None:
        return 0
    freed = {one.user for one in memory.done if one.at.date() >= begun and _took_seat(one, inventory)}
    undone = {one.user for one in memory.flaps if max(one.days) >= begun}
    found = 0
    for account in sorted(freed | undone):
        user = after.get(account) or inventory.user_by_id.get(account)
        lately = user is not None and user.seat_since is not None and user.seat_since.date() >= begun
        found += bool(user and user.billed and (account in freed or lately))
    return found


def _took_seat(one: Done, inventory: Inventory) -> bool:
    """Whether a change that was made ended a way to a license."""
    if one.after.get("member") is False:
        group = one.address.removesuffix(f"/{one.user}").rpartition("/")[2]
        return group in inventory.group_by_id and "seat" in inventory.licenses_through[group]
    return one.after.get("held") is False or str(one.after.get("status")) in _CLOSED


def not_freed(before: Inventory, after: Inventory, made: Iterable[Change]) -> tuple[str, ...]:
    """Users who were to lose their seat by changes that were made, and of whom the reading after shows one."""
    now = after.user_by_id
    meant = [user.id for user in _after(made, before).values() if not user.billed and before.user_by_id[user.id].billed]
    return tuple(sorted(account for account in meant if account in now and now[account].billed is not False))


def suspended_with_license(after: Inventory, made: Iterable[Change]) -> int:
    """Users who were suspended by these changes and keep their license, which a Free plan counts all the same."""
    accounts = {change.user for change in made if change.action == "user.disable"}
    users = [after.user_by_id[account] for account in accounts if account in after.user_by_id]
    return sum(user.status == "suspended" and user.license == "seat" for user in users)

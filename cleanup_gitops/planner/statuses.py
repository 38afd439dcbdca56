"""The status that is asked of an account against the one it has."""

from __future__ import annotations

from typing import Literal, assert_never

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.requirement import DesiredStatus, StatusRequirement
from cleanup_gitops.model.user import CLOSED, Status, User
from cleanup_gitops.planner.unmet import Obstacle, Step, Unmet

WANTED: dict[DesiredStatus, int] = {"suspended": 1, "disabled": 1, "deactivated": 2, "removed": 3, "deleted": 4}
"""How far the account is to be closed."""
OUTSIDE = "externalDirectory."
"""How the reasons begin for which only an identity provider may change an account (User management REST API)."""


def status_step(asked: StatusRequirement, user: User, inventory: Inventory) -> Unmet | None:
    """The step towards the status; ``None`` when it is there, or the account is closed even further."""
    if user.status == "unknown":
        return Obstacle(asked, "unknown", "status-unknown")
    if asked.value == "active":
        return _opening(asked, user, inventory)
    if CLOSED[user.status] >= WANTED[asked.value]:
        return None
    match asked.value:
        case "suspended" | "disabled":
            return _by_directory(asked, "user.disable", user)
        case "removed":
            return _removal(asked, user)
        case "deactivated" | "deleted":
            return _by_lifecycle(asked, "user.delete" if asked.value == "deleted" else "user.deactivate", user)
        case _:
            assert_never(asked.value)


def no_seat_left(inventory: Inventory) -> bool:
    """Whether the license has no seat for one more; False where the site does not tell."""
    return inventory.seat_limit is not None and inventory.seats_taken >= inventory.seat_limit


def _opening(asked: StatusRequirement, user: User, inventory: Inventory) -> Unmet | None:
    """Seats come before everything that would have to be asked about the account."""
    if user.status == "active":
        return None
    if user.status == "absent":
        return Step(asked, "user.enable", handoff="account-absent")
    whole = user.status in ("deactivated", "deleting")
    step = _by_lifecycle(asked, "user.enable", user) if whole else _by_directory(asked, "user.enable", user)
    if isinstance(step, Step) and step.handoff:
        return step
    if user.license not in ("guest", "none") and no_seat_left(inventory):
        return Obstacle(asked, "conflict", "no-seat-left")
    return step


def _by_directory(asked: StatusRequirement, action: Action, user: User) -> Unmet:
    """A change in the directory, which may be somebody else's."""
    if user.writable is None:
        return Obstacle(asked, "unknown", "writability-unknown")
    return Step(asked, action, handoff="" if user.writable else "account-managed-elsewhere")


def _removal(asked: StatusRequirement, user: User) -> Unmet:
    """Out of the directory: where a site may suspend accounts that a provider syncs, it may not take them out."""
    if user.synced:
        return Step(asked, "user.remove", handoff="account-managed-elsewhere")
    if user.synced is None and user.managed is not False:
        return Obstacle(asked, "unknown", "writability-unknown")
    return _by_directory(asked, "user.remove", user)


def _by_lifecycle(asked: StatusRequirement, action: Action, user: User) -> Unmet:
    """A change of the whole account: of managed accounts only, and only where their organization may."""
    if user.managed is None:
        return Obstacle(asked, "unknown", "managed-unknown")
    if not user.managed:
        return Step(asked, action, handoff="account-unmanaged")
    told = _refusal(action, user)
    if told is None:
        return Obstacle(asked, "unknown", "lifecycle-unknown")
    if told.startswith(OUTSIDE):
        return Step(asked, action, handoff=told)
    return Obstacle(asked, "conflict", "lifecycle-refused", told) if told else Step(asked, action)


def privilege(action: Action, status: Status) -> Literal["enablement", "deletion"] | None:
    """Which privilege over the whole account the change takes; ``None`` when it needs none.

    Stopping a deletion takes the privilege to delete (User management REST API, cancel-delete).
    """
    if action == "user.delete" or (action == "user.enable" and status == "deleting"):
        return "deletion"
    if action == "user.deactivate" or (action == "user.enable" and status == "deactivated"):
        return "enablement"
    return None


def _refusal(action: Action, user: User) -> str | None:
    if user.lifecycle is None:
        return None
    return user.lifecycle.deletion if privilege(action, user.status) == "deletion" else user.lifecycle.enablement

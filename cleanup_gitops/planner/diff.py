"""Requirements against the live user: changes, handoffs, or the reason why nothing may be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.requirement import MembershipRequirement, Requirement, StatusRequirement
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.assume import chains
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.settle import Settled


@dataclass(frozen=True, slots=True)
class Step:
    """An unmet requirement that can be met: by a change here or, with a ``handoff`` reason, by somebody else."""

    requirement: Requirement
    action: Action
    handoff: str = ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """An unmet requirement that must not be met: it keeps the whole user untouched. ``reason`` is a code."""

    requirement: Requirement
    state: Literal["conflict", "unknown"]
    reason: str


Unmet = Step | Obstacle


def steps(settled: Settled, user: User, inventory: Inventory) -> tuple[Unmet, ...]:
    """Compare what is asked with what is; requirements that are met give no step."""
    found: list[Unmet] = []
    for requirement, rules in settled.asked.items():
        if isinstance(requirement, StatusRequirement):
            unmet = _status_step(requirement, user, inventory)
        else:
            unmet = _membership_step(requirement, user, inventory, rules)
        if unmet:
            found.append(unmet)
    return tuple(found)


def _status_step(asked: StatusRequirement, user: User, inventory: Inventory) -> Unmet | None:
    if user.status == "unknown":
        return Obstacle(asked, "unknown", "status-unknown")
    opens = asked.value == "active"
    if opens == (user.status == "active"):
        return None
    action: Action = "user.enable" if opens else "user.disable"
    if opens and user.status in ("deactivated", "deleting", "absent"):
        return Step(asked, action, handoff=f"account-{user.status}")
    if user.writable is None:
        return Obstacle(asked, "unknown", "writability-unknown")
    if not user.writable:
        return Step(asked, action, handoff="account-managed-elsewhere")
    if opens and user.license not in ("guest", "none") and _no_seat_left(inventory):
        return Obstacle(asked, "conflict", "no-seat-left")
    return Step(asked, action)


def _no_seat_left(inventory: Inventory) -> bool:
    return inventory.seat_limit is not None and inventory.seats_taken >= inventory.seat_limit


def _takes_a_seat(user: User, group: Group, inventory: Inventory) -> bool:
    """Whether a user who joins the group may come to occupy a seat that is not theirs yet."""
    if user.billed or user.status != "active":
        return False
    led_to = (inventory.group_by_id[chain[-1]] for chain in chains(group.id, inventory))
    return any(one.license in ("seat", "unknown") for one in led_to)


def _membership_step(
    asked: MembershipRequirement, user: User, inventory: Inventory, rules: Sequence[Rule]
) -> Unmet | None:
    group = inventory.group_by_id[asked.group]
    if (group.id in (user.groups or ())) == asked.member:
        return None
    if user.status == "unknown":
        return Obstacle(asked, "unknown", "status-unknown")
    if group.admin is not False and not all(rule.policy.include_admins for rule in rules):
        return Obstacle(asked, "conflict", "administrator-group")
    if not asked.member and group.grants is None:
        return Obstacle(asked, "unknown", "group-grants-unknown")
    if not asked.member and any(grant.product != "confluence" for grant in group.grants or ()):
        return Obstacle(asked, "conflict", "shared-group")
    action: Action = "membership.add" if asked.member else "membership.remove"
    if user.status in ("absent", "deleting"):
        return Step(asked, action, handoff=f"account-{user.status}")
    if group.modifiable is None:
        return Obstacle(asked, "unknown", "group-modifiable-unknown")
    if not group.modifiable:
        return Step(asked, action, handoff="group-managed-elsewhere")
    if asked.member and _no_seat_left(inventory) and _takes_a_seat(user, group, inventory):
        return Obstacle(asked, "conflict", "no-seat-left")
    return Step(asked, action)

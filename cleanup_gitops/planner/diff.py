"""Requirements against the live user: changes, handoffs, or the reason why nothing may be done."""

from __future__ import annotations

from collections.abc import Sequence

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.requirement import (
    MembershipRequirement,
    NoticeRequirement,
    RoleRequirement,
    StatusRequirement,
    TokensRequirement,
)
from cleanup_gitops.model.user import UNNAMED_ROLE, User
from cleanup_gitops.planner.access import GONE, becomes_guest, seat_to_guest, untold
from cleanup_gitops.planner.assume import licenses, may_administer
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.planner.settle import Settled
from cleanup_gitops.planner.statuses import no_seat_left, status_step
from cleanup_gitops.planner.unmet import Obstacle, Step, Unmet

ADMIN_ROLES = frozenset({"admin", "user-access-admin"})
"""Roles in Confluence that administer it or who may use it."""


def steps(settled: Settled, user: User, inventory: Inventory) -> tuple[Unmet, ...]:
    """Compare what is asked with what is; requirements that are met give no step."""
    statuses = [one for one in settled.asked if isinstance(one, StatusRequirement)]
    found = [unmet for one in statuses if (unmet := status_step(one, user, inventory))]
    gone = user.status in GONE and not any(isinstance(one, Step) and _opens(one) for one in found)
    for asked, rules in settled.asked.items():
        if not isinstance(asked, StatusRequirement) and (unmet := _step(asked, user, inventory, rules, gone=gone)):
            found.append(unmet)
    if settled.access and not gone and (obstacle := untold(user, inventory)):
        found.append(obstacle)
    if found and (obstacle := becomes_guest(found, user, inventory)):
        found.append(obstacle)
    return tuple(found)


def _opens(step: Step) -> bool:
    return step.action == "user.enable" and not step.handoff


def _step(
    asked: MembershipRequirement | RoleRequirement | TokensRequirement | NoticeRequirement,
    user: User,
    inventory: Inventory,
    rules: Sequence[Rule],
    *,
    gone: bool,
) -> Unmet | None:
    """``gone``: the account has no access to anything and does not get any either."""
    match asked:
        case MembershipRequirement():
            return _membership_step(asked, user, inventory, rules, gone=gone)
        case RoleRequirement():
            return None if gone else _role_step(asked, user, rules)
        case TokensRequirement():
            return None if gone and user.status == "deleting" else _tokens_step(asked, user)
        case NoticeRequirement():
            return _notice_step(asked, user)


def _membership_step(
    asked: MembershipRequirement, user: User, inventory: Inventory, rules: Sequence[Rule], *, gone: bool
) -> Unmet | None:
    group = inventory.group_by_id[asked.group]
    if (group.id in (user.groups or ())) == asked.member or (gone and not asked.member):
        return None
    if user.status == "unknown":
        return Obstacle(asked, "unknown", "status-unknown")
    if may_administer(group.id, inventory) and not all(rule.policy.include_admins for rule in rules):
        return Obstacle(asked, "conflict", "administrator-group", f"group {group.name}")
    if forbidden := seat_to_guest(asked, user, inventory) or _shared(asked, group, rules):
        return forbidden
    action: Action = "membership.add" if asked.member else "membership.remove"
    if gone:
        return Step(asked, action, handoff=f"account-{user.status}")
    if group.modifiable is None:
        return Obstacle(asked, "unknown", "group-modifiable-unknown")
    if not group.modifiable:
        return Step(asked, action, handoff="group-managed-elsewhere")
    if asked.member and no_seat_left(inventory) and _takes_a_seat(user, group, inventory):
        return Obstacle(asked, "conflict", "no-seat-left")
    return Step(asked, action)


def _shared(asked: MembershipRequirement, group: Group, rules: Sequence[Rule]) -> Obstacle | None:
    """Leaving a group takes what it gives in other products too: every policy that asks for it must allow that."""
    if asked.member or all(rule.policy.allow_shared_groups for rule in rules):
        return None
    if group.grants is None:
        return Obstacle(asked, "unknown", "group-grants-unknown")
    shared = any(grant.product != "confluence" for grant in group.grants)
    return Obstacle(asked, "conflict", "shared-group", f"group {group.name}") if shared else None


def _takes_a_seat(user: User, group: Group, inventory: Inventory) -> bool:
    """Whether a user who joins the group may come to occupy a seat that is not theirs yet."""
    if user.billed or user.status != "active":
        return False
    return bool(licenses(group.id, inventory) & {"seat", "unknown"})


def _role_step(asked: RoleRequirement, user: User, rules: Sequence[Rule]) -> Unmet | None:
    if user.direct is not None and asked.role not in user.direct:
        return None
    if user.status == "unknown":
        return Obstacle(asked, "unknown", "status-unknown")
    if user.direct is None or asked.role == UNNAMED_ROLE:
        return Obstacle(asked, "unknown", "direct-roles-unknown")
    if asked.role in ADMIN_ROLES and not all(rule.policy.include_admins for rule in rules):
        return Obstacle(asked, "conflict", "administrator-role")
    return Step(asked, "role.revoke")


def _tokens_step(asked: TokensRequirement, user: User) -> Unmet | None:
    """Tokens of managed accounts are told and can be revoked; those of others belong to the person alone."""
    if user.tokens == ():
        return None
    if user.status == "unknown":
        return Obstacle(asked, "unknown", "status-unknown")
    if user.managed is None:
        return Obstacle(asked, "unknown", "managed-unknown")
    if not user.managed:
        return Step(asked, "tokens.revoke", handoff="account-unmanaged")
    return Obstacle(asked, "unknown", "tokens-unknown") if user.tokens is None else Step(asked, "tokens.revoke")


def _notice_step(asked: NoticeRequirement, user: User) -> Unmet:
    """Whoever shows no address has to be told in another way. One that is not known may be told when it is sent."""
    if user.status == "unknown":
        return Obstacle(asked, "unknown", "status-unknown")
    return Step(asked, "notice.send", handoff="no-address" if user.has_email is False else "")

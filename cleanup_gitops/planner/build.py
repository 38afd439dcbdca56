"""Steps that may be made, turned into changes and handoffs with their causes, needs and notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, Never, Seen
from cleanup_gitops.model.change import (
    Change,
    GroupModifiable,
    MemberIs,
    MembershipAdd,
    MembershipRemove,
    Need,
    NotSeenAfter,
    StatusIs,
    UserDisable,
    UserEnable,
    membership_address,
    user_address,
)
from cleanup_gitops.model.plan import Handoff
from cleanup_gitops.model.requirement import Cause, MembershipRequirement, StatusRequirement
from cleanup_gitops.model.user import GroupSeat, RoleSeat, SeatPath, Status, User
from cleanup_gitops.planner.assume import license_of
from cleanup_gitops.planner.diff import Step
from cleanup_gitops.planner.rules import ADDITIVE, Rule
from cleanup_gitops.planner.settle import Settled
from cleanup_gitops.policy.match import Scope


def build(made: Iterable[Step], settled: Settled, user: User, scope: Scope) -> tuple[list[Change], list[Handoff]]:
    """Changes and handoffs of one user, from steps without obstacles. Notes tell of harsher policies too."""
    todo = tuple(made)
    leaving = {
        step.requirement.group
        for step in todo
        if isinstance(step.requirement, MembershipRequirement) and not step.requirement.member and not step.handoff
    }
    changes: list[Change] = []
    handoffs: list[Handoff] = []
    harsher = also_asked(settled)
    for step in todo:
        rules = settled.asked[step.requirement]
        about_groups = isinstance(step.requirement, MembershipRequirement)
        causes = tuple(rule.cause(user, scope, about_groups=about_groups) for rule in rules)
        if step.handoff:
            handoffs.append(_handoff(step, user, scope, causes))
            continue
        if isinstance(step.requirement, StatusRequirement):
            needs = (StatusIs(user.status), *_not_come_back(rules, user))
            change = _status_change(step.requirement, user, scope, causes, needs)
        else:
            change = _membership_change(step.requirement, user, scope, causes, rules, leaving)
        if harsher and any(rule.level > ADDITIVE for rule in rules):
            change = replace(change, note="; ".join(filter(None, (change.note, harsher))))
        changes.append(change)
    return changes, handoffs


def also_asked(settled: Settled) -> str:
    """Which harsher policies match the user too, for people; empty when none does."""
    names = ", ".join(sorted({rule.name for rule in settled.listed}))
    return f"also asked, but harsher: {names}" if names else ""


def _directory(user: User, scope: Scope) -> str | None:
    return user.directory if scope.inventory.hosting == "datacenter" else None


def _handoff(step: Step, user: User, scope: Scope, causes: tuple[Cause, ...]) -> Handoff:
    directory = _directory(user, scope)
    if isinstance(step.requirement, MembershipRequirement):
        group = scope.inventory.group_by_id[step.requirement.group]
        address, label = membership_address(group.id, user.id, directory), group.name
    else:
        address, label = user_address(user.id, directory), ""
    return Handoff(
        address=address,
        user=user.id,
        action=step.action,
        reason=step.handoff,
        label=label,
        causes=causes,
    )


def _status_change(
    asked: StatusRequirement,
    user: User,
    scope: Scope,
    causes: tuple[Cause, ...],
    needs: tuple[Need, ...],
) -> Change:
    address = user_address(user.id, _directory(user, scope))
    closed: Status = "suspended" if scope.inventory.hosting == "cloud" else "disabled"
    opens = asked.value == "active"
    cls = UserEnable if opens else UserDisable
    return cls(
        address=address,
        user=user.id,
        directory=user.directory,
        causes=causes,
        needs=needs,
        old=user.status,
        new="active" if opens else closed,
    )


def _membership_change(
    asked: MembershipRequirement,
    user: User,
    scope: Scope,
    causes: tuple[Cause, ...],
    rules: Sequence[Rule],
    leaving: set[str],
) -> Change:
    group = scope.inventory.group_by_id[asked.group]
    cls = MembershipAdd if asked.member else MembershipRemove
    return cls(
        address=membership_address(group.id, user.id, _directory(user, scope)),
        user=user.id,
        directory=user.directory,
        causes=causes,
        needs=(
            StatusIs(user.status),
            MemberIs(group.id, not asked.member),
            GroupModifiable(group.id),
            *_not_come_back(rules, user),
        ),
        note="" if asked.member else _seat_note(asked.group, leaving, user, scope),
        group=group.id,
        label=group.name,
    )


def _seat_note(group: str, leaving: set[str], user: User, scope: Scope) -> str:
    """Says when a seat group is left but the seat stays, because it is held in another way too."""
    inventory = scope.inventory
    paid = [path for path in user.seats or () if license_of([path], inventory) not in ("guest", "none")]
    if not any(isinstance(path, GroupSeat) and path.chain[0] == group for path in paid):
        return ""
    left = {_way(path, scope) for path in paid if not isinstance(path, GroupSeat) or path.chain[0] not in leaving}
    return f"no seat freed: still held through {', '.join(sorted(left))}" if left else ""


def _way(path: SeatPath, scope: Scope) -> str:
    """How a seat is held, by what would have to be taken away."""
    if isinstance(path, GroupSeat):
        return f"group {scope.inventory.group_by_id[path.chain[0]].name}"
    return f"the direct role {path.role}" if isinstance(path, RoleSeat) else f"the permission {path.permission}"


def _not_come_back(rules: Sequence[Rule], user: User) -> tuple[Need, ...]:
    """One need for each product whose activity the rules asked about."""
    products = sorted({product for rule in rules for product in rule.products})
    needs: list[Need] = []
    for product in products:
        known, at = latest_sighting(user, product)
        if known:
            needs.append(NotSeenAfter(product, at))
    return tuple(needs)


def latest_sighting(user: User, product: str) -> tuple[bool, datetime | None]:
    """Whether anything is known of the user's use of a product ("any": of every product), and the last of it."""
    others: dict[str, Activity] = dict(user.elsewhere or ())
    if product == "confluence":
        asked: list[Activity] = [user.seen]
    elif product == "any":
        if user.elsewhere is None:
            return False, None
        asked = [user.seen, *others.values()]
    else:
        asked = [others[product]] if product in others else []
    sightings = [one.latest for one in asked if isinstance(one, Seen)]
    if sightings:
        return True, max(sightings)
    return any(isinstance(one, Never) for one in asked), None

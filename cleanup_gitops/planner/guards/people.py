"""Guards of what a plan must not leave behind: empty groups, too few administrators, a runner that is locked out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from cleanup_gitops.model.change import Change, MembershipAdd, MembershipRemove, RoleRevoke, UserEnable, UserRemove
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Check
from cleanup_gitops.planner.assume import may_administer
from cleanup_gitops.planner.diff import ADMIN_ROLES
from cleanup_gitops.planner.guards.exceptions import Demand, Exceptions, Rows, one_line, policies_of, room
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guardrails import Guardrails

SHOWN = 5
"""Groups that a message names; more of them are counted."""


def ends_administration(changes: Iterable[Change], inventory: Inventory) -> bool:
    """Whether an administrator is none any more after these changes, or cannot act as one."""
    for change in changes:
        if change.action.startswith("user.") and not isinstance(change, UserEnable):
            return True
        if isinstance(change, MembershipRemove) and may_administer(change.group, inventory):
            return True
        if isinstance(change, RoleRevoke) and change.role in ADMIN_ROLES:
            return True
    return False


def administrators(inventory: Inventory) -> set[str]:
    """Active people with an administrative role: apps do not count."""
    return {user.id for user in inventory.users if user.admin and user.status == "active" and user.kind == "person"}


def admins_check(rows: Iterable[Change], guardrails: Guardrails, inventory: Inventory) -> Check:
    """How many administrators the plan takes, and how many it may. A plan that takes none is never stopped by it."""
    active = administrators(inventory)
    by_user: dict[str, list[Change]] = {}
    for row in rows:
        if row.user in active:
            by_user.setdefault(row.user, []).append(row)
    taken = sum(1 for own in by_user.values() if ends_administration(own, inventory))
    passed = taken == 0 or len(active) - taken >= guardrails.min_admins
    told = (
        f"{taken} of {len(active)} active administrators would be taken, {len(active) - taken} left;"
        f" at least {guardrails.min_admins} must be ({guardrails.where})"
    )
    return Check(
        name="min-admins",
        passed=passed,
        message=told if passed else f"{told}. No Override lifts this: protect one of them, or narrow the policy",
        found=taken,
        allowed=max(0, len(active) - guardrails.min_admins),
    )


def self_check(rows: Iterable[Change], inventory: Inventory) -> Check:
    """The accounts behind the credentials are protected; a row about one of them is a defect, and stops everything."""
    number = sum(1 for row in rows if row.user in inventory.runner)
    return Check(
        name="self",
        passed=number == 0,
        message=(
            f"{number} rows are about the accounts that run this tool, which must never lock itself out"
            if number
            else "no row is about the accounts that run this tool"
        ),
        found=number,
        allowed=0,
    )


def groups_check(rows: Sequence[Change], policies: SitePolicies, inventory: Inventory, exceptions: Exceptions) -> Check:
    """Groups that have members now and would have none, without a policy that names them.

    A policy asks for it by the plain name of the group in ``groups.absent``. A glob, ``exactly``, ``product_access``
    and the removal of accounts do not.
    """
    emptied = _emptied(rows, policies, inventory)
    number = len(emptied)
    counted: Rows = Counter(emptied.values())
    found = room(0, counted, 0, exceptions.of("empty_groups"))
    passed = found.holds(number)
    names = sorted(one_line(inventory.group_by_id[group].name) for group in emptied)
    more = f" and {number - SHOWN} more" if number > SHOWN else ""
    if not number:
        told = "no group would lose its last member unasked"
    else:
        groups = "1 group" if number == 1 else f"{number} groups"
        told = f"{groups} would lose the last member unasked: {', '.join(names[:SHOWN])}{more}; "
        told += found.words("unless `groups: absent` of a policy names the group itself")
    return Check(
        name="empty-groups",
        passed=passed,
        message=told if passed else told + exceptions.not_enough("empty_groups"),
        found=number,
        allowed=found.allowed,
        lifted=found.lifted,
        override="" if passed else exceptions.proposal("empty_groups", [Demand(0, counted)], "groups"),
    )


def _emptied(rows: Sequence[Change], policies: SitePolicies, inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """Ids of the groups that would be emptied unasked, with the policies that are behind all of it."""
    leaving, joining, unasked = _moves(rows, policies, inventory)
    if not leaving:
        return {}
    members: Counter[str] = Counter()
    for user in inventory.users:
        for group in user.groups or ():
            if group in leaving:
                members[group] += 1
    return {
        group: tuple(sorted(set.intersection(*unasked[group])))
        for group in sorted(unasked)
        if len(leaving[group]) >= members[group] and group not in joining
    }


def _moves(
    rows: Iterable[Change], policies: SitePolicies, inventory: Inventory
) -> tuple[dict[str, set[str]], set[str], dict[str, list[set[str]]]]:
    """By group who leaves it and the policies of each row that ends a membership unasked; between, those joined."""
    named = {
        one.name: {name.casefold() for state in one.states for name in state.groups_absent or ()}
        for one in policies.policies
    }
    leaving: dict[str, set[str]] = {}
    joining: set[str] = set()
    unasked: dict[str, list[set[str]]] = {}
    for row in rows:
        if isinstance(row, MembershipAdd):
            joining.add(row.group)
            continue
        asking = set(policies_of(row.causes))
        groups: tuple[str, ...] = ()
        if isinstance(row, MembershipRemove):
            groups = (row.group,)
        elif isinstance(row, UserRemove):
            groups = inventory.user_by_id[row.user].groups or ()
        for group in groups:
            leaving.setdefault(group, set()).add(row.user)
            name = inventory.group_by_id[group].name.casefold()
            if isinstance(row, UserRemove) or not any(name in named.get(policy, ()) for policy in asking):
                unasked.setdefault(group, []).append(asking)
    return leaving, joining, unasked

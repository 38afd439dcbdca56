"""Groups that are new to the record: at first a plan only adds to them, whoever else is in them. Pure.

A group with ``exactly`` is adopted when a recorded run found nobody to take out of it, or when somebody has said so
for a plan. From then on people leave it, inside the caps.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cleanup_gitops.model.change import MembershipRemove
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Adoption
from cleanup_gitops.planner.declared import Declaration, Declared
from cleanup_gitops.planner.fate import Fate

_STAYS = frozenset({"protected", "exempt", "unchanged"})
"""What becomes of members who are not named where nobody is to be taken out."""


@dataclass(frozen=True, slots=True)
class Adoptions:
    """What a recorded run of a plan changes about which groups are adopted, and a sentence for each that is not."""

    rows: tuple[Adoption, ...] = ()
    waiting: tuple[str, ...] = ()


def adoptions(
    declared: Declared, inventory: Inventory, memory: Memory, fates: Mapping[str, Fate], adopt: Collection[str]
) -> Adoptions:
    """``fates`` are those of all users in this plan, ``adopt`` the names (lower case) or ids of groups to adopt."""
    before = {one.group for one in memory.adopted}
    whole = [one for one in declared.all if one.entry.exactly]
    members = _members({group.id for one in whole for group in one.groups}, inventory)
    rows: list[Adoption] = []
    waiting: list[str] = []
    for one in whole:
        for group in one.groups:
            asked = one.entry.name.casefold() in adopt or group.id in adopt
            others = [account for account in members[group.id] if account not in one.entry.accounts]
            if group.id not in before and (asked or all(_stays_for_good(fates[each]) for each in others)):
                name, policy = one.entry.name, one.document.name
                rows.append(Adoption(group=group.id, name=name, policy=policy, what="asked" if asked else "clean"))
            number = sum(1 for account in others if _stays_for_now(fates[account], group.id))
            waiting += [_told(one, number)] if number else []
    meant = {group.id for one in whole for group in one.groups}
    names = {name.casefold() for one in whole for name in one.entry.names}
    rows += [
        Adoption(group=line.group, name=line.name, policy="", what="dropped")
        for line in memory.adopted
        if line.group not in meant and line.name.casefold() not in names
    ]
    return Adoptions(tuple(sorted(rows, key=lambda one: (one.group, one.what))), tuple(waiting))


def _members(groups: Collection[str], inventory: Inventory) -> dict[str, list[str]]:
    """The direct members of each group, and all of whom it is not known."""
    found: dict[str, list[str]] = {group: [] for group in groups}
    for user in inventory.users if found else ():
        for group in found if user.groups is None else found.keys() & set(user.groups):
            found[group].append(user.id)
    return found


def _stays_for_good(fate: Fate) -> bool:
    """Whether the member would not be taken out; what only an unknown fact keeps may be gone with the next reading."""
    return fate.disposition.state in _STAYS and not fate.disposition.reason.endswith("-unknown")


def _stays_for_now(fate: Fate, group: str) -> bool:
    if fate.disposition.reason == "adopt":
        return True
    rows = (one.change for one in fate.pending if one.reason == "adopt")
    return any(isinstance(one, MembershipRemove) and one.group == group for one in rows)


def _told(one: Declaration, number: int) -> str:
    who, stay = ("1 account that is", "stays") if number == 1 else (f"{number} accounts that are", "stay")
    return (
        f"{one.entry.where}: group {one.entry.name} is new to the record, so {who} not named there {stay} for now."
        f" `cleanup-gitops plan --adopt {shlex.quote(one.entry.name)}` plans to take out whoever is not named."
    )

"""Protections that the last recorded run had and that are gone: nobody loses one unnoticed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory, Protected
from cleanup_gitops.planner.protect import make_shield
from cleanup_gitops.policy.documents import Protection, SitePolicies


def protected_by(policies: SitePolicies) -> tuple[Protected, ...]:
    """What the Protection documents protect, as memory keeps it."""
    return tuple(
        Protected(
            protection=one.name,
            accounts=tuple(sorted(set(one.accounts))),
            groups=tuple(sorted(set(one.groups))),
            roles=tuple(sorted(set(one.roles))),
        )
        for one in policies.protections
    )


def gone(policies: SitePolicies, memory: Memory) -> tuple[Protection, ...]:
    """What was protected by the last recorded run and is by no document now; moving an entry ends nothing."""
    accounts = {account for one in policies.protections for account in one.accounts}
    groups = {group for one in policies.protections for group in one.groups}
    roles = {role for one in policies.protections for role in one.roles}
    lost = [
        Protection(
            name=one.protection,
            owner="",
            accounts=tuple(account for account in one.accounts if account not in accounts),
            groups=tuple(group for group in one.groups if group not in groups),
            roles=tuple(role for role in one.roles if role not in roles),
        )
        for one in memory.protected
    ]
    return tuple(one for one in lost if one.accounts or one.groups or one.roles)


def told_of(
    changes: Iterable[Change], lost: tuple[Protection, ...], inventory: Inventory, as_of: datetime
) -> tuple[Change, ...]:
    """The changes with a note on those of users whom the last run protected. The note is outside of the digest."""
    rows = tuple(changes)
    if not lost:
        return rows
    former = make_shield(SitePolicies(site=inventory.site, protections=lost), inventory, as_of)
    users = inventory.user_by_id
    found: list[Change] = []
    for one in rows:
        why = former.protection(users[one.user]) if one.user in users else None
        if why is None or why[0] not in _BY_DOCUMENT:
            found.append(one)
        else:
            note = f"protected by {why[1]} until the last run"
            found.append(replace(one, note=f"{note}; {one.note}" if one.note else note))
    return tuple(found)


PROTECTION_GONE = "The last run protected what no Protection protects any more"
"""How the warnings about protections that are gone begin: they stand on top of a plan."""

_BY_DOCUMENT = ("listed", "protected-group", "protected-role")


def warnings(lost: Iterable[Protection]) -> tuple[str, ...]:
    """A sentence for each document of which something is gone."""
    return tuple(f"{PROTECTION_GONE}: {_what(one)} ({one.name})." for one in lost)


def _what(lost: Protection) -> str:
    parts = (("account", lost.accounts), ("group", lost.groups), ("role", lost.roles))
    return ", ".join(f"{word}{'s' * (len(some) > 1)} {', '.join(some)}" for word, some in parts if some)

"""What others changed on a site: its last snapshot beside the site as it is now. Pure.

Compared is what somebody decides, such as a status or a membership, and not what passes by itself, such as the last
use. A fact that is unknown on either side was not kept or not read, and so is no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.late_effects import attributed
from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.model.change import membership_address, user_address
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.drift import Difference, Drift, Fact
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Mark, Settling
from cleanup_gitops.model.user import User

ACCOUNT_FACTS = (
    "status", "kind", "license", "directory", "admin", "roles", "managed", "external", "synced", "writable",
)  # fmt: skip
GROUP_FACTS = ("name", "license", "admin", "modifiable", "synced", "grants", "parents", "directory")
_CLASSES = frozenset({"status", "kind", "license"})
"""Facts that say "unknown" in so many words."""
_account_facts = attrgetter(*ACCOUNT_FACTS)


def drift_of(
    files: Mapping[str, bytes], live: Inventory, settling: Sequence[Settling], marks: Iterable[Mark] = ()
) -> Drift | None:
    """What is not as the snapshot in these recorded files says; ``None`` when they hold no snapshot yet.

    ``settling`` are writes of ours that had shown no effect when their run ended, ``marks`` say what stages of open
    episodes handed off. Raises ``StateError`` when the files cannot be read.
    """
    data = files.get(layout.MANIFEST)
    if data is None:
        return None
    manifest = read_manifest(data)
    return Drift(
        site=manifest.site,
        serial=manifest.serial,
        since=manifest.as_of,
        as_of=live.as_of,
        recorded_by=manifest.tool_version,
        differences=attributed(compare(recorded_inventory(files), live), settling, marks),
        run=_snapshot_run(files),
    )


def meanwhile(
    before: Inventory, after: Inventory, settling: Sequence[Settling], marks: Iterable[Mark] = ()
) -> tuple[Difference, ...]:
    """What changed between two readings of a site. ``settling`` are writes of ours that may show in the later one."""
    return attributed(compare(before, after), settling, marks)


def compare(recorded: Inventory, live: Inventory) -> tuple[Difference, ...]:
    """What differs between two readings of a site, sorted by address.

    An account or a group that appeared or vanished is one difference, its memberships included.
    """
    several = live.hosting == "datacenter"
    with collector_paused():
        found = [*_accounts(recorded, live, several=several), *_groups(recorded, live, several=several)]
    return tuple(sorted(found, key=lambda one: (one.address, one.what)))


def group_address(group: str, directory: str | None) -> str:
    """``group/<id>``; with the directory in between where a site has several (Data Center)."""
    return f"group/{directory}/{group}" if directory else f"group/{group}"


def _snapshot_run(files: Mapping[str, bytes]) -> str:
    """The record that the snapshot came with, as far as the ledger's newest months tell."""
    tail = read_tail(files)
    entries = reversed(tail.entries) if tail else ()
    return next((entry.run for entry in entries if layout.MANIFEST in entry.digests), "")


def _accounts(recorded: Inventory, live: Inventory, *, several: bool) -> Iterable[Difference]:
    before = recorded.user_by_id
    stayed = recorded.group_by_id.keys() & live.group_by_id.keys()
    for user in live.users:
        was = before.get(user.id)
        if was is None:
            address = user_address(user.id, user.directory if several else None)
            yield Difference(address=address, what="user.appeared", user=user.id, after=_account(user))
            continue
        if _account_facts(was) != _account_facts(user):
            old, new = _changed(was, user, ACCOUNT_FACTS)
            if new:
                address = user_address(user.id, user.directory if several else None)
                yield Difference(address=address, what="user.changed", user=user.id, before=old, after=new)
        if was.groups != user.groups and was.groups is not None and user.groups is not None:
            yield from _memberships(user, set(was.groups) & stayed, set(user.groups) & stayed, several=several)
    for account in before.keys() - {user.id for user in live.users}:
        was = before[account]
        address = user_address(was.id, was.directory if several else None)
        yield Difference(address=address, what="user.vanished", user=was.id, before=_account(was))


def _memberships(user: User, before: set[str], after: set[str], *, several: bool) -> Iterable[Difference]:
    """Direct memberships in groups that are there before and after; of the others their group tells."""
    for group in before ^ after:
        joined = group in after
        yield Difference(
            address=membership_address(group, user.id, user.directory if several else None),
            what="membership.added" if joined else "membership.removed",
            user=user.id,
            group=group,
            before={"member": not joined},
            after={"member": joined},
        )


def _groups(recorded: Inventory, live: Inventory, *, several: bool) -> Iterable[Difference]:
    before, after = recorded.group_by_id, live.group_by_id
    members = _members(recorded, before.keys() - after.keys()) | _members(live, after.keys() - before.keys())
    for group in live.groups:
        was = before.get(group.id)
        address = group_address(group.id, group.directory if several else None)
        if was is None:
            facts = _group(group, members[group.id])
            yield Difference(address=address, what="group.appeared", group=group.id, after=facts)
        elif was != group:
            old, new = _changed(was, group, GROUP_FACTS)
            if new:
                yield Difference(address=address, what="group.changed", group=group.id, before=old, after=new)
    for was in recorded.groups:
        if was.id not in after:
            address = group_address(was.id, was.directory if several else None)
            facts = _group(was, members[was.id])
            yield Difference(address=address, what="group.vanished", group=was.id, before=facts)


def _members(inventory: Inventory, groups: Iterable[str]) -> dict[str, list[str]]:
    """The direct members of these groups, sorted."""
    found: dict[str, list[str]] = {group: [] for group in groups}
    for user in inventory.users if found else ():
        for group in found.keys() & set(user.groups or ()):
            found[group].append(user.id)
    return found


def _account(user: User) -> dict[str, Fact]:
    """All that is known of an account, with the groups it is in."""
    facts = _all(user, ACCOUNT_FACTS)
    return facts if user.groups is None else facts | {"groups": tuple(sorted(user.groups))}


def _group(group: Group, members: Iterable[str]) -> dict[str, Fact]:
    return _all(group, GROUP_FACTS) | {"members": tuple(members)}


def _all(row: User | Group, fields: Iterable[str]) -> dict[str, Fact]:
    told = ((field, _fact(field, getattr(row, field))) for field in fields)
    return {field: fact for field, fact in told if fact is not None}


def _changed(was: User | Group, row: User | Group, fields: Iterable[str]) -> tuple[dict[str, Fact], dict[str, Fact]]:
    """The fields that are known on both sides and differ, as they were and as they are."""
    old: dict[str, Fact] = {}
    new: dict[str, Fact] = {}
    for field in fields:
        before, after = _fact(field, getattr(was, field)), _fact(field, getattr(row, field))
        if before is not None and after is not None and before != after:
            old[field], new[field] = before, after
    return old, new


def _fact(field: str, value: Any) -> Fact | None:  # noqa: ANN401 - a field of a user or of a group
    """The value as it is compared; ``None``: unknown."""
    if value is None or (field in _CLASSES and value == "unknown") or (field == "directory" and value == ""):
        return None
    if field == "grants":
        return tuple(sorted({f"{grant.product}: {grant.role}" for grant in value}))
    if isinstance(value, tuple):
        return tuple(sorted(set(value)))
    fact: Fact = value
    return fact

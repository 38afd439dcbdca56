"""An inventory as files: who has which account, who is in which group, when which account was last used.

The files hold ids and facts only. What changes every day without meaning anything (the exact moment of the last use)
is coarsened, so that a quiet day is a small commit. A fact that is not kept is simply absent, and absent means
unknown. Nothing here reads or writes a disk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import FORMAT
from cleanup_gitops.ledger.lines import Kept, Lines
from cleanup_gitops.ledger.rows import Counts, GroupRow, Manifest
from cleanup_gitops.model.activity import Unknown
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Since
from cleanup_gitops.model.user import GroupSeat

_NO_HISTORY: Mapping[str, Since] = {}


class Snapshot(Struct, frozen=True):
    """Files of ``accounts/`` and ``groups/``, and a row for each group."""

    files: dict[str, bytes]
    groups: tuple[GroupRow, ...]


def snapshot(
    inventory: Inventory,
    *,
    domains: frozenset[str],
    attributes: Collection[str] = (),
    since: Mapping[str, Since] = _NO_HISTORY,
) -> Snapshot:
    """The files of an inventory.

    Of e-mail domains only those in ``domains`` are kept, of attributes of users only those in ``attributes``;
    ``since`` is what history tells of an account, by its id (``since_of``).
    """
    files = _account_files(inventory, Lines(inventory.as_of, Kept(domains, frozenset(attributes), since)))
    ids = [id_line(user.id) for user in inventory.users]
    members: dict[str, list[str]] = {group.id: [] for group in inventory.groups}
    for user, line in zip(inventory.users, ids, strict=True):  # sorted by id, so the members are
        for group in user.groups or ():
            members[group].append(line)
    paths = _written_groups(inventory, ids, members)
    files |= {path: _lines(members[group]) for group, path in paths.items()}
    rows = tuple(
        GroupRow(
            id=one.id,
            name=one.name,
            members=len(members[one.id]),
            file=paths.get(one.id),
            directory=one.directory,
            modifiable=one.modifiable,
            synced=one.synced,
            license=one.license,
            admin=one.admin,
            grants=one.grants,
            parents=one.parents,
        )
        for one in inventory.groups
    )
    return Snapshot(files, rows)


def manifest_of(
    inventory: Inventory,
    groups: tuple[GroupRow, ...],
    *,
    lineage: str,
    serial: int,
    tool_version: str,
    state: str,
    began: datetime | None = None,
    attributes: Collection[str] = (),
) -> Manifest:
    """The manifest of a snapshot with these groups and this state digest.

    ``began`` is that of the manifest before (``None``: this is the first snapshot); ``attributes`` are the names of
    those that were kept.
    """
    return Manifest(
        format=FORMAT,
        site=inventory.site,
        hosting=inventory.hosting,
        tool_version=tool_version,
        lineage=lineage,
        serial=serial,
        as_of=inventory.as_of,
        counts=Counts(
            accounts=len(inventory.users),
            seats=inventory.seats_used,
            groups=len(inventory.groups),
            known=sum(1 for user in inventory.users if not isinstance(user.seen, Unknown)),
        ),
        groups=groups,
        proof=inventory.proof,
        state=state,
        directories=inventory.directories,
        runner=inventory.runner,
        claimed_domains=inventory.claimed_domains,
        seat_limit=inventory.seat_limit,
        attributes=tuple(sorted(set(attributes))),
        began=began or inventory.as_of,
    )


def manifest_bytes(manifest: Manifest) -> bytes:
    """``manifest.json``: sorted and indented, so that a change of one count is a change of one line."""
    return msgspec.json.format(canonical(manifest), indent=2) + b"\n"


def _account_files(inventory: Inventory, made: Lines) -> dict[str, bytes]:
    lines = [made.line(user) for user in inventory.users]
    shards: dict[str, list[str]] = {}
    for user, line in zip(inventory.users, lines, strict=True):  # sorted by id, so every shard is
        shards.setdefault(layout.shard(user.id), []).append(line)
    return {path: _lines(found) for path, found in sorted(shards.items())}


def _lines(lines: Sequence[str]) -> bytes:
    return "\n".join([*lines, ""]).encode()


def _written_groups(inventory: Inventory, ids: Sequence[str], members: Mapping[str, list[str]]) -> dict[str, str]:
    """The file of each group that gets one, by group id. ``ids`` and ``members`` are lines.

    A file that lists nearly everybody costs most and says nothing new when each of its lines stands in a seat path:
    such a group is left out, but only where the seat paths tell its members exactly.
    """
    through: dict[str, list[str]] = {one: [] for one, found in members.items() if 2 * len(found) > len(ids)}
    for user, line in zip(inventory.users, ids, strict=True) if through else ():
        for path in user.seats or ():
            if type(path) is GroupSeat:
                found = through.get(path.chain[0])
                if found is not None and found[-1:] != [line]:
                    found.append(line)
    files = layout.group_files(inventory.groups)
    return {one: path for one, path in files.items() if one not in through or through[one] != members[one]}


def id_line(account: str) -> str:
    """An account id as one line: itself, or JSON when it could be taken for something else."""
    if account.isprintable() and not account.startswith('"'):
        return account
    return canonical(account).decode()

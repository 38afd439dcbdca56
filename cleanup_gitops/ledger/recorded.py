"""A snapshot as an inventory: what was read then, with honest unknowns where something was not kept.

Nothing becomes more exact by being recorded: an interval is as wide as the weeks that were kept, a time is the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.accounts import Accounts
from cleanup_gitops.ledger.chain import HINT, UNREADABLE
from cleanup_gitops.ledger.rows import AccountRow, GroupRow, Manifest, read_accounts, read_manifest
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.errors import IncompleteReadingError, StateError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.user import Question, User


class Recorded:
    """A snapshot as a ``Reader``: the same answer every time, and nothing that has to be asked."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """``files`` are those of one commit, relative to the site's folder. Raises ``StateError``."""
        self._inventory = recorded_inventory(files)

    def read(self) -> Live:
        """What was read then; names were not kept."""
        return Live(self._inventory, NOBODY)

    def ask(self, inventory: Inventory, questions: Mapping[str, frozenset[Question]]) -> Inventory:
        """The inventory as it is: answers about single accounts were not kept."""
        del questions
        return inventory

    def user(self, account: str, questions: frozenset[Question] = frozenset()) -> User | None:
        """The account as it was; ``None`` when it was not there."""
        del questions
        return self._inventory.user_by_id.get(account)

    def find(self, email: str) -> tuple[str, ...]:
        """Nobody: addresses were not kept."""
        del email
        return ()

    def group_modifiable(self, group: str) -> bool | None:
        """Whether memberships of the group could be changed."""
        found = self._inventory.group_by_id.get(group)
        return found.modifiable if found else None


def recorded_inventory(files: Mapping[str, bytes]) -> Inventory:
    """The inventory that these files hold.

    Raises ``StateError`` when there is no snapshot, something cannot be read, or the files do not fit their manifest.
    That they are those of the ledger is not checked here.
    """
    data = files.get(layout.MANIFEST)
    if data is None:
        raise StateError(f"There is no {layout.MANIFEST}, and so no snapshot.", HINT)
    manifest = read_manifest(data)
    rows = read_accounts(files)
    _check_counts(manifest, rows)
    with collector_paused():
        users = _users(files, manifest, rows)
        try:
            return inventory_of(manifest, users, tuple(group_of(row) for row in manifest.groups))
        except IncompleteReadingError as error:
            raise StateError(f"The snapshot does not fit its manifest: {error.message}", HINT) from None


def inventory_of(manifest: Manifest, users: tuple[User, ...], groups: tuple[Group, ...]) -> Inventory:
    """The site as this manifest has it, with these users, sorted by id, and groups."""
    return Inventory(
        site=manifest.site,
        hosting=manifest.hosting,
        as_of=manifest.as_of,
        users=users,
        groups=groups,
        directories=manifest.directories,
        proof=manifest.proof,
        runner=manifest.runner,
        seat_limit=manifest.seat_limit,
        claimed_domains=manifest.claimed_domains,
        kept_attributes=manifest.attributes,
    )


def group_of(row: GroupRow) -> Group:
    """The group of this row."""
    return Group(
        id=row.id,
        name=row.name,
        directory=row.directory,
        modifiable=row.modifiable,
        synced=row.synced,
        license=row.license,
        admin=row.admin,
        grants=row.grants,
        parents=row.parents,
    )


def _users(files: Mapping[str, bytes], manifest: Manifest, rows: Mapping[str, AccountRow]) -> tuple[User, ...]:
    began = (manifest.began or manifest.as_of).date()
    accounts = Accounts(manifest.as_of, began, {group.id for group in manifest.groups})
    found = [(row, accounts.account(row)) for row in rows.values()]
    groups: dict[str, list[str]] = {row.id: [] for row in rows.values() if not row.groups}
    derived: dict[str, list[str]] = {group.id: [] for group in manifest.groups if not group.file}
    for row, account in found if derived else ():
        for step in account.steps:
            if step in derived:
                derived[step].append(row.id)
    for group in manifest.groups:  # sorted by id, so the groups of each account are
        _enter(group, derived[group.id] if group.id in derived else _listed(files, group), groups)
    return tuple([account.named(row, groups.get(row.id)) for row, account in found])


def _enter(group: GroupRow, members: Sequence[str], groups: Mapping[str, list[str]]) -> None:
    """Add the group to the groups of each of its members. Raises ``StateError`` when they do not fit the manifest."""
    told = len(set(members))
    if len(members) != group.members or told != group.members:
        raise StateError(f"{layout.MANIFEST} counts {group.members} members of {group.id} but {told} are told.", HINT)
    name = group.id
    try:
        for account in members:
            groups[account].append(name)
    except KeyError:
        raise StateError(
            f"{group.file or name} lists an account that has no groups, or no line in {layout.ACCOUNTS}.", HINT
        ) from None


def _listed(files: Mapping[str, bytes], group: GroupRow) -> list[str]:
    """The accounts in the file of a group, in their order."""
    data = files.get(str(group.file))
    if data is None:
        raise StateError(f"{group.file} is missing: {layout.MANIFEST} says that it lists the members of a group.", HINT)
    return members_in(str(group.file), data)


def members_in(path: str, data: bytes) -> list[str]:
    """The accounts in the file of a group, in their order. Raises ``StateError``."""
    try:
        lines = data.decode().split("\n")
        if lines.pop() != "":
            raise StateError(f"The last line of {path} was cut off.", HINT)
        if b'"' in data:
            return [msgspec.json.decode(line, type=str) if line.startswith('"') else line for line in lines]
    except UNREADABLE as error:
        raise StateError(f"{path} cannot be read: {error}.", HINT) from None
    return lines


def _check_counts(manifest: Manifest, rows: Mapping[str, AccountRow]) -> None:
    """Raises ``StateError`` when accounts and manifest are not of one snapshot."""
    counted = {"accounts": len(rows), "groups": len(manifest.groups)}
    for what, number in counted.items():
        if (said := getattr(manifest.counts, what)) != number:
            raise StateError(f"{layout.MANIFEST} counts {said} {what} but there are {number}.", HINT)

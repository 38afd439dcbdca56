"""The snapshots of a record, one after the other, each made from what changed since the one before.

Most of a site is the same from day to day, so only lines that are new are read. What is told of a snapshot is what
``recorded_inventory`` tells of its files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.accounts import Account, Accounts
from cleanup_gitops.ledger.chain import HINT
from cleanup_gitops.ledger.recorded import group_of, inventory_of, members_in
from cleanup_gitops.ledger.rows import AccountRow, Manifest, Recent, read_account, read_manifest
from cleanup_gitops.model.activity import Seen
from cleanup_gitops.model.collector import collector_paused
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User

NOBODY: frozenset[str] = frozenset()


class Past:
    """The site as the newest snapshot that was taken in has it; ``amend`` is applied to every user that is told.

    ``settled`` are the users of whom nothing changes from day to day as long as their rows do not, by id. ``moving``
    are the ids of the others: their last use is kept as one within so many days before the reading, or in its week.
    ``changed`` are the ids of accounts that are new, gone, or have another row or other groups than in the snapshot
    before; all of them where groups themselves are not as they were.
    """

    def __init__(self, amend: Callable[[User], User] = lambda user: user) -> None:
        self.settled: dict[str, User] = {}
        self.moving: set[str] = set()
        self.changed: set[str] = set()
        self._amend = amend
        self._manifest: Manifest | None = None
        self._accounts: Accounts | None = None
        self._groups: tuple[Group, ...] = ()
        self._derived: frozenset[str] = frozenset()
        self._rows: dict[str, AccountRow] = {}
        self._shards: dict[str, dict[bytes, str]] = {}
        self._lists: dict[str, frozenset[str]] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._in: dict[str, set[str]] = {}
        self._steps: dict[str, tuple[str, ...]] = {}
        self._stepping: Counter[str] = Counter()
        self._told: dict[str, User] = {}
        self._this_week: set[str] = set()

    @property
    def manifest(self) -> Manifest:
        """That of the snapshot. Raises ``StateError`` before the first one."""
        if self._manifest is None:
            raise StateError(f"There is no {layout.MANIFEST}, and so no snapshot.", HINT)
        return self._manifest

    @property
    def as_of(self) -> datetime:
        """When the site was read (UTC)."""
        return self.manifest.as_of

    def __contains__(self, account: object) -> bool:
        return account in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, files: Mapping[str, bytes | None]) -> None:
        """Take in the next snapshot: the files that are not as in the one before (``None``: gone).

        Paths are relative to the site's folder; files that belong to no snapshot are passed by. Raises ``StateError``
        when something cannot be read, or does not fit the manifest.
        """
        with collector_paused():
            before = self._manifest
            if (data := files.get(layout.MANIFEST)) is not None:
                self._manifest = read_manifest(data)
            manifest = self.manifest
            self._told.clear()
            self._accounts = Accounts(
                manifest.as_of, (manifest.began or manifest.as_of).date(), {group.id for group in manifest.groups}
            )
            self.changed = self._this_week  # whose last use no longer moves when the week is over
            self._this_week = set()
            self._take_rows(files)
            self._take_groups(manifest, files)
            if before is None or _shape(before) != _shape(manifest):
                self._groups = tuple(group_of(row) for row in manifest.groups)
                self.changed |= self._rows.keys()
            for account in self.changed:
                self._sort_in(account)
            self._check(manifest)

    def user(self, account: str) -> User | None:
        """The account as it was, ``None`` when it was not there."""
        if (user := self.settled.get(account)) is not None:
            return user
        if account not in self.moving:
            return None
        found = self._told.get(account)
        if found is None:
            row = self._rows[account]
            found = self._told[account] = self._named(row, self._account(row))
        return found

    def inventory(self, users: Iterable[User] = ()) -> Inventory:
        """The site with these users alone, sorted by id, and all its groups."""
        return inventory_of(self.manifest, tuple(users), self._groups)

    def _take_rows(self, files: Mapping[str, bytes | None]) -> None:
        gone: set[str] = set()
        new: list[AccountRow] = []
        for path, data in files.items():
            if not path.startswith(layout.ACCOUNTS):
                continue
            known, shard, lines = self._shards.get(path, {}), dict[bytes, str](), _lines(path, data)
            for line in lines:
                account = known.pop(line, "")
                if not account:
                    new.append(read_account(path, line))
                    account = new[-1].id
                shard[line] = account
            if len(set(shard.values())) != len(lines):
                raise StateError(f"An account has several lines in {path}.", HINT)
            gone.update(known.values())
            self._shards[path] = shard
        for account in gone:
            del self._rows[account]
        self._rows.update((row.id, row) for row in new)
        self.changed |= gone | {row.id for row in new}

    def _take_groups(self, manifest: Manifest, files: Mapping[str, bytes | None]) -> None:
        """Bring the groups of each account up to the manifest; whoever enters or leaves one has changed."""
        for path, data in files.items():
            if path.startswith(layout.GROUPS):
                members = [] if data is None else members_in(path, data)
                self._lists[path] = frozenset(members)
                if len(self._lists[path]) != len(members):
                    raise StateError(f"{path} lists an account twice.", HINT)
        for group in self._members.keys() - {group.id for group in manifest.groups}:
            self._enter(group, NOBODY)
        derived = frozenset(group.id for group in manifest.groups if not group.file)
        for one in manifest.groups:
            self._enter(one.id, self._lists.get(one.file, NOBODY) if one.file else NOBODY)
        if derived != self._derived:
            self.changed |= self._rows.keys()
            self._derived = derived

    def _enter(self, group: str, now: frozenset[str]) -> None:
        """These are the members of the group by its file, and nobody else."""
        before = self._members.get(group, NOBODY)
        if now is before:  # mostly, as nobody came or went
            return
        for account in now - before:
            self._in.setdefault(account, set()).add(group)
        for account in before - now:
            self._in[account].discard(group)
        self.changed |= now ^ before
        self._members[group] = now

    def _sort_in(self, account: str) -> None:
        """Tell the account anew. Raises ``StateError`` when its groups are not told, and yet it is in some."""
        self.settled.pop(account, None)
        self.moving.discard(account)
        self._stepping.subtract(self._steps.pop(account, ()))
        row = self._rows.get(account)
        if row is None or row.groups:
            steps = self._account(row).steps if row else ()
            if self._in.get(account) or not self._derived.isdisjoint(steps):
                raise StateError(
                    f"A file in {layout.GROUPS} lists an account that has no groups, or no line in {layout.ACCOUNTS}.",
                    HINT,
                )
        if row is None:
            return
        found = self._account(row)
        self._stepping.update(found.steps)
        self._steps[account] = found.steps
        seen = found.user.seen
        if isinstance(seen, Seen) and seen.latest == self.as_of:
            self.moving.add(account)
            if not isinstance(row.seen, Recent):
                self._this_week.add(account)
        else:
            self.settled[account] = self._named(row, found)

    def _account(self, row: AccountRow) -> Account:
        if self._accounts is None:
            raise StateError(f"There is no {layout.MANIFEST}, and so no snapshot.", HINT)
        return self._accounts.account(row)

    def _named(self, row: AccountRow, found: Account) -> User:
        if row.groups:
            return self._amend(found.named(row, None))
        groups = {*self._in.get(row.id, ()), *(step for step in found.steps if step in self._derived)}
        return self._amend(found.named(row, sorted(groups)))

    def _check(self, manifest: Manifest) -> None:
        """Raises ``StateError`` when accounts, groups and manifest are not of one snapshot."""
        counted = {"accounts": len(self._rows), "groups": len(manifest.groups)}
        for what, number in counted.items():
            if (said := getattr(manifest.counts, what)) != number:
                raise StateError(f"{layout.MANIFEST} counts {said} {what} but there are {number}.", HINT)
        for group in manifest.groups:
            told = len(self._members.get(group.id, ())) if group.file else self._stepping[group.id]
            if told != group.members:
                raise StateError(
                    f"{layout.MANIFEST} counts {group.members} members of {group.id} but {told} are told.", HINT
                )


def _lines(path: str, data: bytes | None) -> list[bytes]:
    """The lines of a file. Raises ``StateError`` when the last one was cut off."""
    if not data:
        return []
    lines = data.split(b"\n")
    if lines.pop():
        raise StateError(f"The last line of {path} was cut off.", HINT)
    return lines


def _shape(manifest: Manifest) -> tuple[object, ...]:
    """What concerns every account: groups but for the numbers of their members, and the site itself."""
    groups = tuple((group_of(row), row.file is None) for row in manifest.groups)
    return groups, manifest.directories, manifest.runner, manifest.claimed_domains, manifest.attributes

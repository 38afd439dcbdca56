"""The instant and the site that conditions are asked about, with the groups that patterns mean there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.policy.beginning import Beginning, beginning
from cleanup_gitops.policy.explain_activity import Idleness
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.patterns import glob, is_glob, normal_email
from cleanup_gitops.policy.roster_rows import Leaving, leaving


@dataclass(frozen=True, slots=True)
class Targets:
    """What group patterns mean on one site.

    ``ids``: groups whose direct members count, nested groups included. ``names``: id to name of the same groups.
    ``found``: the groups that the patterns name, without nested ones.
    ``missing``: patterns that match no group; with one of them the question has no answer for anybody.
    """

    ids: frozenset[str]
    names: dict[str, str]
    found: frozenset[str]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addresses:
    """E-mail addresses in their normal form, by account id, and those of them that several accounts have."""

    of: Mapping[str, str]
    shared: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """``as_of`` is the instant (UTC) for which days are counted, ``inventory`` the site's users and groups.

    ``people`` are the names and addresses of a live reading, ``lists`` the lists of people from outside the repository.
    Without them every condition on a name, or on somebody in a list, is unknown.
    """

    as_of: datetime
    inventory: Inventory
    people: People = NOBODY
    lists: Lists = field(default_factory=lambda: NO_LISTS)
    _addresses: list[Addresses] = field(default_factory=list, init=False, repr=False)
    _leaving: dict[str, Leaving] = field(default_factory=dict, init=False, repr=False)
    _beginning: dict[str, Beginning] = field(default_factory=dict, init=False, repr=False)
    _targets: dict[tuple[str, ...], Targets] = field(default_factory=dict, init=False, repr=False)
    idleness: dict[tuple[str, str], Idleness] = field(default_factory=dict, init=False, repr=False)
    """By account and product, for the people whose reasons were asked for. For texts only, never for verdicts."""

    def targets(self, patterns: tuple[str, ...]) -> Targets:
        """The groups that patterns mean here; worked out once."""
        known = self._targets.get(patterns)
        if known is None:
            groups, missing = resolve_groups(patterns, self.inventory)
            through, by_id = self.inventory.members_through, self.inventory.group_by_id
            ids = frozenset(child for group in groups for child in through[group.id])
            found = frozenset(group.id for group in groups)
            known = Targets(ids, {one: by_id[one].name for one in ids}, found, missing)
            self._targets[patterns] = known
        return known

    @property
    def addresses(self) -> Addresses:
        """The addresses of all accounts that show one; worked out once."""
        if not self._addresses:
            told = ((user.id, self.people.email(user.id)) for user in self.inventory.users)
            of = {account: normal for account, email in told if email and (normal := normal_email(email))}
            shared = frozenset(one for one, number in Counter(of.values()).items() if number > 1)
            self._addresses.append(Addresses(of, shared))
        return self._addresses[0]

    def leaving(self, roster: str) -> Leaving | None:
        """Who has left by a roster; worked out once. ``None``: it was not read."""
        rows = self.lists.rosters.get(roster)
        if rows is None:
            return None
        known = self._leaving.get(roster)
        if known is None:
            known = self._leaving[roster] = leaving(rows, self.as_of)
        return known

    def beginning(self, roster: str) -> Beginning | None:
        """Who begins by a roster, and which accounts are theirs; worked out once. ``None``: it was not read."""
        rows = self.lists.rosters.get(roster)
        if rows is None:
            return None
        known = self._beginning.get(roster)
        if known is None:
            known = beginning(rows, self.as_of, self.addresses.of, self.inventory.user_by_id)
            self._beginning[roster] = known
        return known

    def directories(self, patterns: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
        """Ids of the directories whose id or name is one of these names or globs, and the patterns that found none."""
        found: set[str] = set()
        missing: list[str] = []
        for pattern in patterns:
            fits = glob(pattern).fullmatch
            here = {
                one.id for one in self.inventory.directories if fits(one.id.casefold()) or fits(one.name.casefold())
            }
            found |= here
            if not here:
                missing.append(pattern)
        return frozenset(found), tuple(missing)


def resolve_groups(patterns: Iterable[str], inventory: Inventory) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """Groups whose name is one of these names or globs, by id, and the patterns that found none.

    Names are compared without regard to case. Several directories may have a group of one name: all are found.
    """
    found: dict[str, Group] = {}
    missing: list[str] = []
    by_name = inventory.groups_by_name
    for pattern in patterns:
        if is_glob(pattern):
            fits = glob(pattern).fullmatch
            groups = [group for name in by_name if fits(name) for group in by_name[name]]
        else:
            groups = list(by_name.get(pattern.casefold(), ()))
        if not groups:
            missing.append(pattern)
        found.update((group.id, group) for group in groups)
    return tuple(found[one] for one in sorted(found)), tuple(missing)

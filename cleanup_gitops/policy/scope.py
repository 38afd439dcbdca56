"""The instant and the site that conditions are asked about, with the groups that patterns mean there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.policy.explain_activity import Idleness
from cleanup_gitops.policy.patterns import glob, is_glob


@dataclass(frozen=True, slots=True)
class Targets:
    """What group patterns mean on one site.

    ``ids``: groups whose direct members count, nested groups included. ``names``: id to name of the same groups.
    ``missing``: patterns that match no group; with one of them the question has no answer for anybody.
    """

    ids: frozenset[str]
    names: dict[str, str]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """``as_of`` is the instant (UTC) for which days are counted, ``inventory`` the site's users and groups."""

    as_of: datetime
    inventory: Inventory
    _targets: dict[tuple[str, ...], Targets] = field(default_factory=dict, init=False, repr=False, compare=False)
    idleness: dict[tuple[str, str], Idleness] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By account and product, for the people whose reasons were asked for. For texts only, never for verdicts."""

    def targets(self, patterns: tuple[str, ...]) -> Targets:
        """The groups that patterns mean here; worked out once."""
        known = self._targets.get(patterns)
        if known is None:
            groups, missing = resolve_groups(patterns, self.inventory)
            through, by_id = self.inventory.members_through, self.inventory.group_by_id
            ids = frozenset(child for group in groups for child in through[group.id])
            known = Targets(ids, {one: by_id[one].name for one in ids}, missing)
            self._targets[patterns] = known
        return known


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

"""Policies made ready for one inventory: compiled match, groups by id, and how harsh the policy is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.requirement import (
    Cause,
    DesiredStatus,
    MembershipRequirement,
    Requirement,
    StatusRequirement,
)
from cleanup_gitops.model.user import Kind, User
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.match import Scope, compile_match, resolve_groups, why

ADDITIVE, MEMBERSHIP, DISABLE = 0, 1, 2
"""How harsh a policy is. Additive policies (give a group, open an account) compete with nobody."""

Verdict = Callable[[User], bool | None]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One policy, ready to be asked about any user of one inventory.

    ``missing`` names group patterns the site does not have: such a policy is blocked for everybody. ``included`` is
    the match without its ``none`` part, to tell people who was excluded by it (``None`` when there is no such part).
    """

    policy: Policy
    verdict: Verdict
    included: Verdict | None
    missing: tuple[str, ...]
    level: int
    status: DesiredStatus | None
    present: tuple[Group, ...]
    absent: frozenset[str]
    exactly: tuple[Group, ...] | None
    products: frozenset[str]
    """Products whose activity the match is about."""

    @property
    def about_groups(self) -> bool:
        """Whether the policy asks for any membership."""
        return bool(self.present or self.absent or self.exactly is not None)

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.policy.name

    def may_touch(self, kind: Kind, *, admin: bool) -> bool:
        """Whether the policy speaks about this kind of account at all."""
        return kind in self.policy.kinds and (self.policy.include_admins or not admin)

    def requirements(self, user: User) -> tuple[Requirement, ...]:
        """What the policy asks of this user, whether or not it is so already.

        Groups are those of the user's own directory; nested groups are resolved to the direct memberships.
        """
        asked: list[Requirement] = []
        if self.status:
            asked.append(StatusRequirement(self.status))
        own = user.groups or ()
        wanted = [group for group in (self.exactly or ()) if group.directory == user.directory]
        wanted += [group for group in self.present if group.directory == user.directory]
        asked += [MembershipRequirement(group.id, member=True) for group in wanted]
        kept = {group.id for group in wanted}
        if self.exactly is not None:
            asked += [MembershipRequirement(group, member=False) for group in own if group not in kept]
        asked += [MembershipRequirement(group, member=False) for group in own if group in self.absent]
        return tuple(asked)

    def opposes(self, group: str) -> bool:
        """Whether the policy wants nobody it matches in this group, whoever is in it now."""
        kept = self.exactly is not None and all(one.id != group for one in self.exactly)
        return kept or group in self.absent

    def unreachable(self, user: User) -> tuple[str, ...]:
        """Names of groups the user should be in that the user's directory does not have."""
        found = [*(self.exactly or ()), *self.present]
        here = {group.name.casefold() for group in found if group.directory == user.directory}
        return tuple(sorted({group.name for group in found if group.name.casefold() not in here}))

    def cause(self, user: User, scope: Scope, *, about_groups: bool) -> Cause:
        """Why this user, for people."""
        where = self.policy.ensure.where_groups if about_groups else self.policy.where
        return Cause(policy=self.name, where=where, why=why(self.policy.match, user, scope))


def make_rule(policy: Policy, scope: Scope) -> Rule:
    """Compile one policy against one inventory."""
    inventory = scope.inventory
    compiled = compile_match(policy.match, scope)
    included = None
    if policy.match.none:
        included = compile_match(replace(policy.match, none=()), scope).verdict
    ensure = policy.ensure
    present, no_present = resolve_groups(ensure.groups_present or (), inventory)
    exactly, no_exactly = resolve_groups(ensure.groups_exactly or (), inventory)
    absent, no_absent = resolve_groups(ensure.groups_absent or (), inventory)
    through = inventory.members_through
    return Rule(
        policy=policy,
        verdict=compiled.verdict,
        included=included,
        missing=tuple(sorted({*compiled.missing, *no_present, *no_exactly, *no_absent})),
        level=_level(policy),
        status=ensure.status,
        present=present,
        absent=frozenset(child for group in absent for child in through[group.id]),
        exactly=None if ensure.groups_exactly is None else exactly,
        products=policy.match.products,
    )


def _level(policy: Policy) -> int:
    ensure = policy.ensure
    if ensure.status in ("disabled", "suspended"):
        return DISABLE
    if ensure.groups_absent or ensure.groups_exactly is not None:
        return MEMBERSHIP
    return ADDITIVE

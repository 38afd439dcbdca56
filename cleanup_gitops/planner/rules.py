"""Policies made ready for one inventory: compiled match, groups by id, and how harsh the policy is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from msgspec.structs import replace as replace_struct

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.requirement import (
    Cause,
    DesiredStatus,
    MembershipRequirement,
    NoticeRequirement,
    Requirement,
    RoleRequirement,
    StatusRequirement,
    TokensRequirement,
)
from cleanup_gitops.model.user import GroupSeat, Kind, RoleSeat, User
from cleanup_gitops.planner.assume import licenses
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.idle import least_idle
from cleanup_gitops.policy.leaving import leaver
from cleanup_gitops.policy.match import Scope, compile_match, compile_why, resolve_groups
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.policy.tree import HasLeft, NeverActiveFor, asked_for

ADDITIVE, NOTHING, NOTICE, MEMBERSHIP, DISABLE, DEACTIVATE, REMOVE, DELETE = range(8)
"""How harsh a policy is. Additive policies (give a group, open an account) compete with nobody. One that waits for its
next stage asks for nothing, and competes all the same."""
_STATUS_LEVELS: dict[DesiredStatus, int] = {
    "disabled": DISABLE,
    "suspended": DISABLE,
    "deactivated": DEACTIVATE,
    "removed": REMOVE,
    "deleted": DELETE,
}

Verdict = Callable[[User], bool | None]


@dataclass(frozen=True, eq=False)
class Rule:
    """One policy, ready to be asked about any user of one inventory.

    ``missing`` names group patterns the site does not have: such a policy is blocked for everybody. ``included`` is
    the match without its ``none`` part, to tell people who was excluded by it (``None`` when there is no such part).
    """

    policy: Policy
    verdict: Verdict
    included: Verdict | None
    missing: tuple[Missing, ...]
    level: int
    status: DesiredStatus | None
    present: tuple[Group, ...]
    absent: frozenset[str]
    exactly: tuple[Group, ...] | None
    products: frozenset[str]
    """Products whose activity the match is about."""
    why: Callable[[User, Scope], str]
    """One sentence on why a user who matches does."""
    least_idle: int | None
    """See ``policy.idle``: about who was seen more lately the verdict is no."""
    no_access: bool = False
    """Whether no way to a license in Confluence may be left."""
    closes: frozenset[str] = frozenset()
    """With ``no_access``: the groups that give a license, or may give one."""
    no_tokens: bool = False
    stage: str = ""
    """The stage of the policy that this is about."""
    notice: Callable[[User], NoticeRequirement] | None = None
    """What the user is to be told, where that is all that is asked."""
    hands_until: Callable[[User], datetime] | None = None
    """Of a stage: until when (UTC) others should have done what it hands off of this user."""
    grace: int | None = None
    """Days for which the match spares accounts that were never used; the shortest, where it names several."""
    declared: bool = False
    """Whether a document that declares members of groups asks, and no policy."""
    adopting: bool = False
    """Whether nobody is taken out yet, because the group is new to the record."""

    @cached_property
    def about_groups(self) -> bool:
        """Whether the policy asks for any membership."""
        return bool(self.present or self.absent or self.exactly is not None or self.no_access)

    @cached_property
    def termination(self) -> bool:
        """Whether it ends the access of people who leave."""
        return self.policy.termination

    @cached_property
    def report(self) -> bool:
        """Whether it only says what it would change."""
        return self.policy.report

    @cached_property
    def rank(self) -> tuple[bool, int, int]:
        """Of rules of one class that take something the highest rank wins: by priority, then the mildest.

        A termination that asks for nothing now gives way to those that do: it spares nobody who leaves.
        """
        return not self.idle, self.policy.priority, -self.level

    @cached_property
    def idle(self) -> bool:
        """Whether it is a termination that asks for nothing now."""
        return self.termination and self.level == NOTHING

    @cached_property
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
        if self.present or self.exactly is not None:
            wanted = [group for group in (self.exactly or ()) if group.directory == user.directory]
            wanted += [group for group in self.present if group.directory == user.directory]
            asked += [MembershipRequirement(group.id, member=True) for group in wanted]
            kept = {group.id for group in wanted}
            if self.exactly is not None:
                asked += [MembershipRequirement(group, member=False) for group in own if group not in kept]
        absent = self.absent
        if absent:
            asked += [MembershipRequirement(group, member=False) for group in own if group in absent]
        if self.no_access:
            asked += _ways_closed(user)
        if self.no_tokens:
            asked.append(TokensRequirement())
        if self.notice:
            asked.append(self.notice(user))
        return tuple(dict.fromkeys(asked)) if len(asked) > 1 else tuple(asked)

    def opposes(self, group: str) -> bool:
        """Whether the policy wants nobody it matches in this group, whoever is in it now."""
        kept = self.exactly is not None and all(one.id != group for one in self.exactly)
        return kept or group in self.absent or group in self.closes

    def unreachable(self, user: User) -> tuple[str, ...]:
        """Names of groups the user should be in that the user's directory does not have."""
        found = [*(self.exactly or ()), *self.present]
        if not found:
            return ()
        here = {group.name.casefold() for group in found if group.directory == user.directory}
        return tuple(sorted({group.name for group in found if group.name.casefold() not in here}))

    def cause(self, requirement: Requirement, user: User, scope: Scope) -> Cause:
        """Why this is asked of this user, for people."""
        return Cause(
            policy=self.name,
            stage=self.stage,
            where=self._where(requirement),
            why=self.why(user, scope),
            termination=self.termination,
            due=self.due(user, scope) if self.roster else None,
            left=self.left(user, scope) if self.roster else None,
        )

    @cached_property
    def roster(self) -> HasLeft | None:
        """The condition of a Roster, where the policy is one's."""
        return next((one for one in self.policy.match.all if isinstance(one, HasLeft)), None)

    def handed_off(self, requirement: Requirement, user: User, scope: Scope) -> Cause:
        """The same, where it is for others to do."""
        found = self.cause(requirement, user, scope)
        return replace_struct(found, due=self.hands_until(user)) if self.hands_until and not found.due else found

    def due(self, user: User, scope: Scope) -> datetime | None:
        """Until when (UTC) a Roster wants the access of this user ended, who has left; ``None`` for all others."""
        left = self.left(user, scope)
        return left + self.roster.sla if self.roster and left else None

    def left(self, user: User, scope: Scope) -> datetime | None:
        """When the last day of this user was over (UTC), who has left by a Roster; ``None`` for all others."""
        found = leaver(self.roster.roster, user, scope).left if self.roster else None
        return found.over if found else None

    def _where(self, requirement: Requirement) -> str:
        """Where in the policy the requirement stands."""
        ensure = self.policy.ensure
        match requirement:
            case MembershipRequirement():  # nearly all of them
                by_name = requirement.member or self.exactly is not None or requirement.group in self.absent
                return ensure.where_groups if by_name else ensure.where_access
            case StatusRequirement() | NoticeRequirement():
                return self.policy.where
            case RoleRequirement():
                return ensure.where_access
            case TokensRequirement():
                return ensure.where_tokens


def _ways_closed(user: User) -> list[Requirement]:
    """What must end so that the user holds no license any more."""
    asked: list[Requirement] = []
    for path in user.seats or ():
        if isinstance(path, GroupSeat):
            asked.append(MembershipRequirement(path.chain[0], member=False))
        elif isinstance(path, RoleSeat):
            asked.append(RoleRequirement(path.role))
    return asked


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
    nowhere = (Missing("group", pattern) for pattern in (*no_present, *no_exactly, *no_absent))
    through = inventory.members_through
    return Rule(
        policy=policy,
        verdict=compiled.verdict,
        included=included,
        missing=tuple(sorted({*compiled.missing, *nowhere})),
        level=_level(policy),
        status="suspended" if ensure.status == "disabled" and inventory.hosting == "cloud" else ensure.status,
        present=present,
        absent=frozenset(child for group in absent for child in through[group.id]),
        exactly=None if ensure.groups_exactly is None else exactly,
        products=policy.match.products,
        why=compile_why(policy.match),
        least_idle=least_idle(policy.match),
        no_access=ensure.no_access,
        closes=_licensed(inventory) if ensure.no_access else frozenset(),
        no_tokens=ensure.no_tokens,
        grace=_grace(policy),
    )


def _licensed(inventory: Inventory) -> frozenset[str]:
    return frozenset(one.id for one in inventory.groups if licenses(one.id, inventory) - {"none"})


def _grace(policy: Policy) -> int | None:
    found = [one.days for one in asked_for(policy.match) if isinstance(one, NeverActiveFor)]
    return min(found, default=None)


def _level(policy: Policy) -> int:
    ensure = policy.ensure
    if ensure.status in _STATUS_LEVELS:
        return _STATUS_LEVELS[ensure.status]
    if ensure.groups_absent or ensure.groups_exactly is not None or ensure.no_access or ensure.no_tokens:
        return MEMBERSHIP
    return ADDITIVE

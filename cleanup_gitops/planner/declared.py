"""Groups whose members are declared, ready for one inventory: rules that are asked about those whom they may concern.

An entry gives one rule that asks for the membership of those who are named, and with ``exactly`` one that asks all
others to leave. A group is found by its name, or by one that it had before, and from then on meant by its id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import CLOSED, Kind, User
from cleanup_gitops.planner.rules import ADDITIVE, MEMBERSHIP, Rule, Verdict
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.groups import GroupEntry, Groups
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.policy.tree import Match

_KINDS: frozenset[Kind] = frozenset({"person", "service", "app", "customer"})
"""Who is named by id is meant, whatever the account is; of others only people are ever taken out."""
SHOWN = 5
"""Accounts that a warning names; more of them are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One entry of one document on this site. ``groups`` are those it means: none where ``blocked`` says why."""

    document: Groups
    entry: GroupEntry
    groups: tuple[Group, ...]
    blocked: str = ""
    adopted: bool = True
    """Whether memberships may end by it: see ``adoption``."""

    @property
    def where(self) -> str:
        """How texts begin that are about it."""
        return f"{self.document.name} ({self.entry.where})"


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """All declarations of one site."""

    all: tuple[Declaration, ...] = ()
    rules: tuple[Rule, ...] = ()
    _gives: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    _takes: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    _opposes: tuple[Rule, ...] = ()
    """Rules that take, of groups into which policies bring people."""

    def of(self, user: User) -> tuple[Rule, ...]:
        """The rules that may say anything but no about this user."""
        found = [*self._gives.get(user.id, ()), *self._opposes]
        if user.groups is None:
            found += [rule for rules in self._takes.values() for rule in rules]
        else:
            found += [rule for group in user.groups for rule in self._takes.get(group, ())]
        return tuple(dict.fromkeys(found))

    @property
    def blocked(self) -> tuple[str, ...]:
        """A sentence for each entry whose group cannot be told."""
        return tuple(f"{one.where}: {one.blocked}" for one in self.all if one.blocked)


NOTHING_DECLARED = Declared()


def declare(
    policies: SitePolicies,
    scope: Scope,
    others: Sequence[Rule],
    adopted: Collection[str] = frozenset(),
    adopt: Collection[str] = frozenset(),
) -> Declared:
    """The declarations of these policies on this site, beside the rules of all other policies.

    ``adopted`` are the ids of groups from which memberships may end, ``adopt`` names (lower case) or ids of further
    ones.
    """
    if not policies.groups:
        return NOTHING_DECLARED
    found = tuple(
        _declaration(document, entry, scope.inventory, adopted, adopt)
        for document in policies.groups
        for entry in document.entries
    )
    gives: defaultdict[str, list[Rule]] = defaultdict(list)
    takes: defaultdict[str, list[Rule]] = defaultdict(list)
    opposes: list[Rule] = []
    for one in found:
        giving = _giving(one, scope.inventory)
        for account in one.entry.accounts:
            gives[account].append(giving)
        if not one.entry.exactly:
            continue
        bringing = tuple(rule for rule in others if not rule.report and _brings(rule, one.groups))
        taking = _taking(one, bringing, scope.inventory)
        for group in _called(one.entry, scope.inventory):
            takes[group.id].append(taking)
        opposes += [taking] if bringing else []
    rules = dict.fromkeys(rule for kept in (*gives.values(), *takes.values()) for rule in kept)
    return Declared(
        found,
        tuple(rules),
        {account: tuple(kept) for account, kept in gives.items()},
        {group: tuple(kept) for group, kept in takes.items()},
        tuple(opposes),
    )


def _called(entry: GroupEntry, inventory: Inventory) -> tuple[Group, ...]:
    """The groups that are called so, or were."""
    return tuple(group for name in entry.names for group in inventory.groups_by_name.get(name.casefold(), ()))


def _declaration(
    document: Groups, entry: GroupEntry, inventory: Inventory, adopted: Collection[str], adopt: Collection[str]
) -> Declaration:
    here = [name for name in entry.names if name.casefold() in inventory.groups_by_name]
    if len(here) != 1:
        return Declaration(document, entry, (), _why_blocked(entry, here))
    groups = _called(entry, inventory)
    whole = entry.name.casefold() in adopt or all(group.id in adopted or group.id in adopt for group in groups)
    return Declaration(document, entry, groups, adopted=whole)


def _why_blocked(entry: GroupEntry, here: Sequence[str]) -> str:
    if here:
        return (
            f"{' and '.join(here)} are several groups on the site, and the entry is about one:"
            " leave out of `previously` what is another group"
        )
    before = f", nor is one still called {' or '.join(entry.previously)}" if entry.previously else ""
    return f"no group is called {entry.name}{before}"


def _brings(rule: Rule, groups: Iterable[Group]) -> bool:
    """Whether a policy brings people into one of these groups."""
    given = {group.id for group in (*rule.present, *(rule.exactly or ()))}
    return any(group.id in given for group in groups)


def _rule(one: Declaration, verdict: Verdict, *, takes: bool) -> Rule:
    """A rule of a routine policy that is named as the document."""
    policy = Policy(
        name=one.document.name,
        owner=one.document.owner,
        why="",
        match=Match(),
        ensure=Ensure(where_groups=one.entry.where),
        allow_shared_groups=one.entry.allow_shared_groups,
        kinds=_KINDS,
        where=one.entry.where,
    )
    said = "not among those who are declared" if takes else "declared by account id"
    return Rule(
        policy=policy,
        verdict=verdict,
        included=None,
        missing=(Missing("group", one.entry.name),) if one.blocked else (),
        level=MEMBERSHIP if takes else ADDITIVE,
        status=None,
        present=() if takes else one.groups,
        absent=frozenset(group.id for group in one.groups) if takes else frozenset(),
        exactly=None,
        products=frozenset(),
        why=lambda user, scope: said,  # noqa: ARG005 - the same for everybody
        least_idle=None,
        adopting=takes and not one.adopted,
        declared=True,
    )


def _giving(one: Declaration, inventory: Inventory) -> Rule:
    """Who is named must be a member; a closed account that is none does not become one."""
    named, ids = frozenset(one.entry.accounts), {group.id for group in _called(one.entry, inventory)}

    def verdict(user: User) -> bool:
        if user.id not in named:
            return False
        return not CLOSED.get(user.status, 0) or user.groups is None or not ids.isdisjoint(user.groups)

    return _rule(one, verdict, takes=False)


def _taking(one: Declaration, bringing: Sequence[Rule], inventory: Inventory) -> Rule:
    """No other person is a member, nor is to become one because a policy says so."""
    named, ids = frozenset(one.entry.accounts), {group.id for group in _called(one.entry, inventory)}

    def verdict(user: User) -> bool | None:
        if user.id in named or user.kind not in ("person", "unknown"):
            return False
        if user.groups is None:
            return None
        if not ids.isdisjoint(user.groups):
            return True
        return any(rule.may_touch(user.kind, admin=user.admin is not False) and rule.verdict(user) is not False
                   for rule in bringing)  # fmt: skip

    return _rule(one, verdict, takes=True)


def told(declared: Declared, inventory: Inventory) -> tuple[str, ...]:
    """Warnings: what is still called by a former name, who is not on the site, who is closed and not added."""
    return tuple(text for one in declared.all for text in _told(one, inventory))


def _told(one: Declaration, inventory: Inventory) -> Iterator[str]:
    users, name = inventory.user_by_id, one.entry.name
    for called in dict.fromkeys(group.name for group in one.groups if group.name.casefold() != name.casefold()):
        yield f"{one.entry.where}: group {name} is still called {called} on {inventory.site}; it is meant all the same."
    strange = [account for account in one.entry.accounts if account not in users]
    if strange:
        yield f"{one.entry.where}: {_some(strange)} declared for {name} and not on this site."
    ids = {group.id for group in one.groups}
    named = (users[account] for account in one.entry.accounts if account in users)
    outside = (user for user in named if user.groups is not None and ids.isdisjoint(user.groups))
    closed = [user.id for user in outside if CLOSED.get(user.status, 0)]
    if closed and one.groups:
        yield f"{one.entry.where}: {_some(closed)} declared for {name} and closed: closed accounts are not added."


def _some(accounts: Sequence[str]) -> str:
    """``account a is``, or ``7 accounts (a, b, … and 2 more) are``."""
    if len(accounts) == 1:
        return f"account {accounts[0]} is"
    more = f" and {len(accounts) - SHOWN} more" if len(accounts) > SHOWN else ""
    return f"{len(accounts)} accounts ({', '.join(accounts[:SHOWN])}{more}) are"

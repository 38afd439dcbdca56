"""Documents that describe a site as it is, so that the first plan with them changes nothing. Pure.

Only account ids and names of groups are written: no name and no address of anybody. The same site gives the same text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.planner.assume import licenses
from cleanup_gitops.planner.guards.people import administrators
from cleanup_gitops.policy.documents import API_VERSION, AdminRole, SitePolicies
from cleanup_gitops.policy.match import resolve_groups
from cleanup_gitops.policy.patterns import is_glob
from cleanup_gitops.policy.rewrite import written
from cleanup_gitops.rehearsal.import_texts import (
    ABOUT_GROUPS,
    ABOUT_GUARDRAILS,
    ABOUT_POLICIES,
    ABOUT_PROTECTION,
    EXTERNALS,
    STARTERS,
    Starter,
)

GROUPS, PROTECTION, GUARDRAILS, POLICIES = (
    "imported-groups",
    "imported-protection",
    "imported-guardrails",
    "imported-policies",
)
"""Names of the files, without their ending."""
LONGEST = 40_000
"""Members in one file: they stay well below the size that a policy file may have."""
CANARIES = 3
"""At most so many accounts, and so many groups, must be in every reading."""
_EMERGENCY = re.compile(r"break.?glass|emergency", re.IGNORECASE)
ENOUGH_ADMINS = 3
"""From so many active administrators on a plan must leave two of them."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Texts by the name of their file, and sentences about what was left out and why."""

    files: Mapping[str, str]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """What an import works with.

    ``policies`` are those that concern the site already, ``taken`` the names of all documents. ``sites`` is what
    documents say they are about, empty where there is one site. ``personal`` tells of a text whether it holds personal
    data.
    """

    inventory: Inventory
    policies: SitePolicies
    owner: str
    sites: Sequence[str] = ()
    taken: Collection[str] = ()
    internal_domains: bool = False
    personal: Callable[[str], bool] = field(default=lambda _: False)


def imported(what: Importing) -> Imported:
    """Documents for the site of ``what``, as it is."""
    left_out: list[str] = []
    files = {
        **_groups(what, left_out),
        PROTECTION: _protection(what, left_out),
        GUARDRAILS: _guardrails(what, left_out),
        POLICIES: _policies(what),
    }
    return Imported({name: text for name, text in files.items() if text}, tuple(left_out))


def _head(kind: str, name: str, what: Importing, why: str = "") -> list[str]:
    lines = [f"apiVersion: {API_VERSION}", f"kind: {kind}"]
    lines += [f"sites: [{', '.join(map(written, what.sites))}]"] if what.sites else []
    lines += ["metadata:", f"  name: {name}", f"  owner: {written(what.owner)}"]
    return [*lines, *([f"  why: {written(why)}"] if why else []), "spec:"]


def _text(comment: str, lines: Iterable[str]) -> str:
    return "\n".join(("#", comment, *lines)) + "\n"


# Groups


def _groups(what: Importing, left_out: list[str]) -> dict[str, str]:
    members = _members(what.inventory)
    opposed = _opposed(what)
    declared = {name.casefold() for one in what.policies.groups for entry in one.entries for name in entry.names}
    reasons: defaultdict[str, int] = defaultdict(int)
    kept: list[Group] = []
    for group in sorted(what.inventory.groups, key=lambda one: (one.name.casefold(), one.id)):
        why = _not_declared(group, members[group.id], what, opposed, declared)
        if why:
            reasons[why] += 1
        else:
            kept.append(group)
    left_out += [f"{_counted(number, 'group')} left out: {why}." for why, number in sorted(reasons.items())]
    files: dict[str, str] = {}
    for number, some in enumerate(_in_parts(kept, members), start=1):
        suffix = f"-{number}" if number > 1 else ""
        files[GROUPS + suffix] = _groups_text(some, members, what, _free(f"imported{suffix}", what))
    return files


def _members(inventory: Inventory) -> dict[str, list[str]]:
    """Direct members by group: people and service accounts whose account is open."""
    found: dict[str, list[str]] = {group.id: [] for group in inventory.groups}
    for user in inventory.users:
        if user.status == "active" and user.kind in ("person", "service"):
            for group in user.groups or ():
                found[group].append(user.id)
    return found


def _opposed(what: Importing) -> frozenset[str]:
    """Groups out of which a policy takes people: to declare their members would contradict it."""
    found: set[str] = set()
    for state in (state for policy in what.policies.policies for state in policy.states):
        groups, _ = resolve_groups(state.groups_absent or (), what.inventory)
        for group in groups:
            found |= what.inventory.members_through[group.id]
        if state.groups_exactly is not None:
            kept, _ = resolve_groups(state.groups_exactly, what.inventory)
            found |= {group.id for group in what.inventory.groups} - {group.id for group in kept}
    return frozenset(found)


def _not_declared(
    group: Group, members: Sequence[str], what: Importing, opposed: Collection[str], declared: Collection[str]
) -> str:
    """Why the members of a group are not written down; "" when they are."""
    if group.modifiable is not True or group.synced:
        return "somebody else, such as an identity provider, decides who is in them, or it is not known who does"
    if licenses(group.id, what.inventory) - {"none"}:
        return "they give a license in Confluence, which policies give and take"
    if group.admin is not False:
        return "they make administrators, or may"
    if not members:
        return "nobody with an open account is in them"
    if 2 * len(members) > len(what.inventory.users):
        return "more than half of all accounts are in them"
    if group.id in opposed:
        return "a policy takes people out of them"
    if group.name.casefold() in declared:
        return "another document declares them"
    if len(what.inventory.groups_by_name[group.name.casefold()]) > 1 or not _can_be_named(group.name):
        return "their names cannot stand in a policy"
    return "their names hold an e-mail address" if what.personal(group.name) else ""


def _can_be_named(name: str) -> bool:
    return name == name.strip() != "" and name.isprintable() and not is_glob(name) and len(name) <= 255


def _in_parts(groups: Iterable[Group], members: Mapping[str, Sequence[str]]) -> list[list[Group]]:
    parts: list[list[Group]] = []
    room = 0
    for group in groups:
        if not parts or len(members[group.id]) > room:
            parts.append([])
            room = LONGEST
        parts[-1].append(group)
        room -= len(members[group.id])
    return parts


def _groups_text(groups: Iterable[Group], members: Mapping[str, Sequence[str]], what: Importing, name: str) -> str:
    lines = _head("Groups", name, what)
    for group in groups:
        lines += [f"  - name: {written(group.name)}", "    members:", "      at_least:"]
        lines += [f"        - {written(account)}" for account in members[group.id]]
    return _text(
        ABOUT_GROUPS,
        lines,
    )


# Protection, Guardrails, policies


def _protection(what: Importing, left_out: list[str]) -> str:
    roles, groups = _roles(what, left_out), _emergency_groups(what)
    lines = [f"  roles: [{', '.join(roles)}]"] if roles else []
    lines += [f"  groups: [{', '.join(map(written, groups))}]"] if groups else []
    return _text(ABOUT_PROTECTION, [*_head("Protection", _free("imported", what), what), *lines]) if lines else ""


def _roles(what: Importing, left_out: list[str]) -> list[str]:
    """Administrative roles that somebody holds and no document protects yet."""
    known = [user for user in what.inventory.users if user.roles is not None]
    covered = {role for one in what.policies.protections for role in one.roles}
    held = {role for user in known for role in user.roles or ()}
    roles = sorted((held & set(get_args(AdminRole))) - covered)
    if not roles:
        left_out.append("No roles are protected: nobody is known to hold one that no document protects already.")
    elif len(known) < len(what.inventory.users):
        left_out.append("No roles are protected: of some accounts it is not known which ones they hold.")
        return []
    return roles


def _emergency_groups(what: Importing) -> list[str]:
    """Groups that are called as if they were for emergencies. To protect too many harms nobody."""
    covered = {group.id for one in what.policies.protections for group in resolve_groups(one.groups, what.inventory)[0]}
    found = {
        group.name.casefold(): group.name
        for group in what.inventory.groups
        if _EMERGENCY.search(group.name) and group.id not in covered
    }
    return sorted(name for name in found.values() if _can_be_named(name) and not what.personal(name))


def _guardrails(what: Importing, left_out: list[str]) -> str:
    if what.policies.guardrails.name:
        left_out.append(f"No Guardrails: there are some ({what.policies.guardrails.where}); a site has one document.")
        return ""
    inventory = what.inventory
    lines = [
        *_head("Guardrails", _free("imported", what), what),
        "  caps:",
        "    user.disable: {max: 10, percent: 2}",
        "    membership.remove: {max: 100, percent: 10}",
        "    total: {max: 120, percent: 12}",
        "  plan_ttl: 72h",
    ]
    if len(administrators(inventory)) >= ENOUGH_ADMINS:
        lines.append("  min_admins: 2")
    accounts, groups = _canary_accounts(inventory), _canary_groups(what)
    if accounts or groups:
        lines += ["  reading:", "    canaries:"]
        lines += ["      accounts:", *(f"        - {written(one)}" for one in accounts)] if accounts else []
        lines += ["      groups:", *(f"        - {written(one)}" for one in groups)] if groups else []
    return _text(
        ABOUT_GUARDRAILS,
        lines,
    )


def _canary_accounts(inventory: Inventory) -> list[str]:
    """The accounts behind the credentials first, then administrators."""
    users = inventory.user_by_id
    runner = [one for one in inventory.runner if one in users and users[one].status == "active"]
    return sorted({*runner[:CANARIES], *sorted(administrators(inventory))[: max(0, CANARIES - len(runner))]})


def _canary_groups(what: Importing) -> list[str]:
    """The groups that give the most seats."""
    sizes: defaultdict[str, int] = defaultdict(int)
    for user in what.inventory.users:
        for group in user.groups or ():
            sizes[group] += 1
    found = [
        group
        for group in what.inventory.groups
        if group.license == "seat" and sizes[group.id] and _can_be_named(group.name) and not what.personal(group.name)
    ]
    largest = sorted(found, key=lambda one: (-sizes[one.id], one.name.casefold(), one.id))[:CANARIES]
    return sorted({one.name.casefold(): one.name for one in largest}.values())


def _policies(what: Importing) -> str:
    starters: list[Starter] = [*STARTERS, *([EXTERNALS] if what.internal_domains else [])]
    documents = []
    for one in sorted(starters, key=lambda one: one.name):
        lines = [*_head("Policy", _free(one.name, what), what, one.why), "  mode: report", "  match:", "    all:"]
        lines += [f"      - {condition}" for condition in one.conditions]
        documents.append("\n".join([*lines, "  ensure:", f"    {one.ensure}"]))
    return _text(
        ABOUT_POLICIES,
        "\n---\n".join(documents).splitlines(),
    )


def _free(name: str, what: Importing) -> str:
    taken, number = set(what.taken), 1
    while (found := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return found


def _counted(number: int, noun: str) -> str:
    return f"1 {noun} was" if number == 1 else f"{number} {noun}s were"

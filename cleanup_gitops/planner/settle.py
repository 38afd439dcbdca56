"""Several policies on one user, settled into one set of requirements.

All matching policies are asked. Additive ones always count. Of the others the mildest kind wins (taking away a group,
all access or API tokens, before suspending, before deactivating, and so on) and the harsher ones are listed.
``status: active`` against another status, or a group both given and taken, is a conflict: the user is left alone,
whoever would have won.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from cleanup_gitops.model.requirement import MembershipRequirement, Requirement, StatusRequirement
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.rules import ADDITIVE, Rule


@dataclass(frozen=True, slots=True)
class Settled:
    """What is asked of one user: each requirement with the rules that ask for it."""

    asked: dict[Requirement, tuple[Rule, ...]] = field(default_factory=dict)
    listed: tuple[Rule, ...] = ()
    conflict: str = ""
    parties: tuple[Rule, ...] = ()
    access: tuple[Rule, ...] = ()
    """The rules that count and want no way to a license left."""


def settle(rules: Sequence[Rule], user: User) -> Settled:
    """Settle the rules that match this user."""
    by_requirement: dict[Requirement, list[Rule]] = {}
    for rule in rules:
        for requirement in rule.requirements(user):
            by_requirement.setdefault(requirement, []).append(rule)
    clash = _clash(by_requirement, rules)
    if clash:
        text, parties = clash
        return Settled(conflict=text, parties=parties)
    mildest = min((rule.level for rule in rules if rule.level > ADDITIVE), default=ADDITIVE)
    winning = [rule for rule in rules if rule.level in (ADDITIVE, mildest)]
    if len(winning) < len(rules):
        by_requirement = {
            requirement: left
            for requirement, askers in by_requirement.items()
            if (left := [rule for rule in askers if rule in winning])
        }
    asked = {requirement: tuple(askers) for requirement, askers in by_requirement.items()}
    return Settled(
        asked=asked,
        listed=tuple(rule for rule in rules if rule not in winning) if len(winning) < len(rules) else (),
        access=tuple(rule for rule in winning if rule.no_access),
    )


def completions(known: Sequence[Rule], open_: Sequence[Rule]) -> Iterable[tuple[Rule, ...]]:
    """Sets of matching rules to compare when some verdicts are unknown.

    Known rules with none, one or two of the open ones: what more of them could do, two of them do already. Requirements
    are united within one level and a conflict always has two parties.
    """
    for size in (0, 1, 2):
        for extra in combinations(open_, size):
            yield tuple(sorted((*known, *extra), key=lambda rule: rule.name))


def _clash(by_requirement: dict[Requirement, list[Rule]], rules: Sequence[Rule]) -> tuple[str, tuple[Rule, ...]] | None:
    statuses = {one.value: askers for one, askers in by_requirement.items() if isinstance(one, StatusRequirement)}
    if "active" in statuses and len(statuses) > 1:
        return "status", tuple(rule for askers in statuses.values() for rule in askers)
    for one, askers in by_requirement.items():
        if isinstance(one, MembershipRequirement) and one.member:
            against = [rule for rule in rules if rule.opposes(one.group)]
            if against:
                return f"group {_name(one.group, askers)}", (*askers, *against)
    return None


def _name(group: str, askers: Iterable[Rule]) -> str:
    """The name of a group that one of these rules gives."""
    given = (one for rule in askers for one in (*rule.present, *(rule.exactly or ())))
    return next(one.name for one in given if one.id == group)

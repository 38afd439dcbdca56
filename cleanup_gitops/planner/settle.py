"""Several policies on one user, settled into one set of requirements.

All matching policies are asked. Where one ends the access of somebody who leaves, those of its class decide alone: all
of them together, down to the furthest status, because the mildest must not keep an access that another one ends.
Additive ones always count. Of the others those of the highest priority win, and among them the mildest kind (taking
away a group, all access or API tokens, before suspending, before deactivating, and so on); all others are listed.
``status: active`` against another status, or a group both given and taken, is a conflict within the class that decides:
the user is left alone, whoever would have won.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal

from msgspec import Struct, field

from cleanup_gitops.model.requirement import DesiredStatus, MembershipRequirement, Requirement, StatusRequirement
from cleanup_gitops.model.user import CLOSED, User
from cleanup_gitops.planner.rules import ADDITIVE, NOTHING, Rule
from cleanup_gitops.planner.statuses import WANTED

Beaten = Literal["routine", "of lower priority", "harsher"]
"""Why a policy that matches does not count, beside the one that does."""


class Settled(Struct, frozen=True):
    """What is asked of one user: each requirement with the rules that ask for it."""

    asked: dict[Requirement, tuple[Rule, ...]] = field(default_factory=dict)
    listed: tuple[tuple[Rule, Beaten], ...] = ()
    """The rules that match and do not count."""
    conflict: str = ""
    parties: tuple[Rule, ...] = ()
    access: tuple[Rule, ...] = ()
    """The rules that count and want no way to a license left."""
    waits: tuple[Rule, ...] = ()
    """The rules that count and ask for nothing until their next stage is due."""


def settle(rules: Sequence[Rule], user: User) -> Settled:
    """Settle the rules that match this user."""
    by_requirement: dict[Requirement, list[Rule]] = {}
    deciding = class_that_decides(rules)
    for rule in deciding:
        for requirement in rule.requirements(user):
            by_requirement.setdefault(requirement, []).append(rule)
    clash = _clash(by_requirement, deciding)
    if clash:
        text, parties = clash
        return Settled(conflict=text, parties=parties)
    winning = winners(deciding)
    if len(winning) < len(rules):
        by_requirement = {
            requirement: left
            for requirement, askers in by_requirement.items()
            if (left := [rule for rule in askers if rule in winning])
        }
    by_requirement = _one_status(by_requirement, user)
    asked = {requirement: tuple(askers) for requirement, askers in by_requirement.items()}
    return Settled(
        asked=asked,
        listed=_listed(rules, winning, deciding) if len(winning) < len(rules) else (),
        access=tuple(rule for rule in winning if rule.no_access),
        waits=tuple(rule for rule in winning if rule.level == NOTHING),
    )


def winners(deciding: Sequence[Rule]) -> list[Rule]:
    """Those that count: of terminations of one priority all that ask for something, else the mildest."""
    taking = [rule for rule in deciding if rule.level > ADDITIVE]
    best = max([rule.rank for rule in taking], default=None)
    if best is None or not deciding[0].termination:
        return [rule for rule in deciding if rule.level == ADDITIVE or rule.rank == best]
    return [rule for rule in taking if rule.rank[:2] == best[:2]]


def _one_status(by_requirement: dict[Requirement, list[Rule]], user: User) -> dict[Requirement, list[Rule]]:
    """The same with one status, of those that terminations ask for the first that is not reached.

    The furthest comes first, before it those that can be done here, and before these what can be taken back: a removal
    and a deletion need an approval for themselves, and nobody keeps an access for that time.
    """
    found = [one for one in by_requirement if isinstance(one, StatusRequirement)]
    if len(found) < 2:
        return by_requirement
    order = sorted(found, key=lambda one: _first(one.value, user))
    closed = CLOSED.get(user.status, 0)
    asked = next((one for one in order if closed < WANTED.get(one.value, 0)), order[-1])
    return {one: askers for one, askers in by_requirement.items() if one not in found or one == asked}


def _first(status: DesiredStatus, user: User) -> tuple[bool, int, int]:
    """What comes first is the least."""
    elsewhere = user.managed is False and status in ("deactivated", "deleted")
    for_good = {"removed": 1, "deleted": 2}.get(status, 0)
    return elsewhere, for_good, -WANTED.get(status, 0)


def class_that_decides(rules: Sequence[Rule]) -> Sequence[Rule]:
    """The terminations among rules that match the same user, or all of them where there is none."""
    return [rule for rule in rules if rule.termination] or rules


def unblocked(known: Sequence[Rule]) -> list[Rule]:
    """Rules that match the same user, without the blocked terminations where one that is not blocked does all the same.

    What one roster or policy lacks keeps nobody's access who leaves by another one.
    """
    if not any(rule.termination and not rule.missing and not rule.idle for rule in known):
        return list(known)
    return [rule for rule in known if not (rule.termination and rule.missing)]


def could_decide(open_: Iterable[Rule], known: Sequence[Rule]) -> list[Rule]:
    """Of rules of which it is not known whether they match those that could change what is done.

    Beside a termination that matches and asks for something only terminations of a higher priority could: all others
    would add to it.
    """
    leaves = [rule for rule in known if rule.termination]
    if not leaves:
        return list(open_)
    best = max(rule.rank[:2] for rule in leaves)
    return [rule for rule in open_ if rule.termination and (not best[0] or rule.policy.priority > best[1])]


def _listed(
    rules: Iterable[Rule], winning: Sequence[Rule], deciding: Sequence[Rule]
) -> tuple[tuple[Rule, Beaten], ...]:
    highest = max((rule.policy.priority for rule in winning if rule.level > ADDITIVE), default=0)

    def why(rule: Rule) -> Beaten:
        if rule not in deciding:
            return "routine"
        return "of lower priority" if rule.policy.priority < highest else "harsher"

    return tuple((rule, why(rule)) for rule in rules if rule not in winning and not rule.idle)


def completions(known: Sequence[Rule], open_: Sequence[Rule]) -> Iterable[tuple[Rule, ...]]:
    """Sets of matching rules to compare when some verdicts are unknown.

    Known rules with none, one or two of the open ones: what more of them could do, two of them do already. Which class,
    priority and level counts is settled by one rule alone; requirements are united within one level, and a conflict
    always has two parties.
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

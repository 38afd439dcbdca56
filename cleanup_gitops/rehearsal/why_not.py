"""What would have to change before a policy means a user: the conditions that do not hold, as sets that are enough.

Conditions are taken one by one, as if each could turn out otherwise without the others. Time is the exception: from
which day on the policy means the user if nothing but time passes is asked of all conditions together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta

from cleanup_gitops.model.user import User
from cleanup_gitops.policy.documents import Policy
from cleanup_gitops.policy.explain import find
from cleanup_gitops.policy.match import Scope, explain_match
from cleanup_gitops.policy.tree import (
    AddedFor,
    InactiveFor,
    InStatusFor,
    Match,
    NeverActiveFor,
    Node,
    Predicate,
    predicates,
)
from cleanup_gitops.rehearsal.hindrances import Case, Hindrance, rivals, rules_of
from cleanup_gitops.rehearsal.person import ExplainedPolicy, explain_policy

MOST = 20
"""Sets that are told."""
_AT_ONCE = 400
"""Sets that are kept while they are put together; those that change least."""
HORIZON = 7300
"""Days that are looked ahead."""
_BY_TIME = InactiveFor | NeverActiveFor | AddedFor | InStatusFor
"""Conditions that begin to hold when time passes and nothing else happens, and then go on to hold."""

Turn = tuple[Predicate, bool]
"""A condition, and whether it must hold or must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One condition that must turn out otherwise: it must hold (``wanted``), or must not; ``verdict`` is how it is now.

    ``from_day`` is the first UTC day on which time alone does that; ``None``: time alone does not.
    """

    asked: str
    detail: str
    verdict: bool | None
    wanted: bool
    from_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """Why a policy does not mean a user, or does nothing to a user whom it means.

    Each of ``ways`` is enough for the policy to mean the user, and none is when anything is left out of it; those that
    change least come first, and ``more`` were left out. ``from_day`` is the first UTC day on which the policy means the
    user if nothing but time passes: in particular, if the user is not seen until then. ``hindrances`` keep it from
    acting then, as far as they last.
    """

    policy: ExplainedPolicy
    ways: tuple[tuple[Lack, ...], ...]
    more: int
    from_day: date | None
    hindrances: tuple[Hindrance, ...]


def why_not(policy: Policy, case: Case) -> WhyNot:
    """What keeps the policy from meaning the user of ``case``, and from acting."""
    shown = explain_policy(policy, case)
    rules = rules_of(policy, case.evaluation)
    scope = case.evaluation.scope
    course = next((one for one in case.evaluation.courses if one.policy is policy), None)
    user = course.before(case.user) if course else case.user
    match = policy.match if course and course.episode(user.id).open else _beginning(policy)
    told = {one: find(one, user, scope) for one in predicates(match)}
    verdicts = {one: found.verdict for one, found in told.items()}
    ways = turns(match, verdicts)
    days: dict[Predicate, date | None] = {
        one: _first_day(one, user, scope) for one in told if isinstance(one, _BY_TIME)
    }
    lacks = {
        (one, wanted): Lack(
            asked=told[one].asked,
            detail=told[one].detail,
            verdict=told[one].verdict,
            wanted=wanted,
            from_day=days.get(one) if wanted else None,
        )
        for way in ways[:MOST]
        for one, wanted in way
    }
    meant = not ways or ways[0] == ()
    return WhyNot(
        policy=shown,
        ways=() if meant else tuple(tuple(lacks[turn] for turn in way) for way in ways[:MOST]),
        more=max(0, len(ways) - MOST),
        from_day=None if meant else _meant_from(match, user, scope, days.values()),
        hindrances=(*_then(shown), *(() if shown.verdict else rivals(rules, case))),
    )


def _then(shown: ExplainedPolicy) -> tuple[Hindrance, ...]:
    """What is left of the hindrances once the policy means the user: no longer that it is itself undecided."""
    alone = shown.verdict is None
    return tuple(one for one in shown.hindrances if not (alone and one.code == "unknown" and not one.policies))


def _beginning(policy: Policy) -> Match:
    """The conditions under which something begins: those of the first stage are among them."""
    when = policy.stages[0].when if policy.stages else None
    return Match(all=(policy.match, when)) if when else policy.match


def turns(match: Match, verdicts: Mapping[Predicate, bool | None]) -> list[tuple[Turn, ...]]:
    """The smallest sets of conditions that have to turn out otherwise for all of them together to hold.

    One empty set: they hold now. No set: they contradict each other. In the order of size, then of the text.
    """
    order = {one: number for number, one in enumerate(dict.fromkeys(predicates(match)))}
    found = [_changes(way, verdicts) for way in _ways(match, verdicts, wanted=True)]
    least = [way for way in dict.fromkeys(found) if not any(other < way for other in found)]
    rows = [tuple(sorted(way, key=lambda turn: order[turn[0]])) for way in least]
    return sorted(rows, key=lambda row: (len(row), [order[one] for one, _ in row]))


def _changes(way: frozenset[Turn], verdicts: Mapping[Predicate, bool | None]) -> frozenset[Turn]:
    return frozenset((one, wanted) for one, wanted in way if verdicts[one] is not wanted)


def _ways(node: Node, verdicts: Mapping[Predicate, bool | None], *, wanted: bool) -> list[frozenset[Turn]]:
    """All that must hold and must not, in every way in which the node turns out as wanted."""
    if not isinstance(node, Match):
        return [frozenset({(node, wanted)})]
    every = [[_ways(one, verdicts, wanted=wanted) for one in node.all]]
    every.append([_ways(one, verdicts, wanted=wanted) for one in node.any])
    every.append([_ways(one, verdicts, wanted=not wanted) for one in node.none])
    needed, some, kept_out = every
    if wanted:
        parts = [*needed, *([_one_of(some)] if node.any else []), *kept_out]
        return _together(parts, verdicts)
    none_of_some = [_together(some, verdicts)] if node.any else []
    return _one_of([*needed, *none_of_some, *kept_out])


def _one_of(parts: Iterable[Sequence[frozenset[Turn]]]) -> list[frozenset[Turn]]:
    return list(dict.fromkeys(way for part in parts for way in part))


def _together(
    parts: Sequence[Sequence[frozenset[Turn]]], verdicts: Mapping[Predicate, bool | None]
) -> list[frozenset[Turn]]:
    """One way of each part, joined; what wants a condition to hold and not to hold is no way."""
    found: list[frozenset[Turn]] = [frozenset()]
    for part in parts:
        joined = dict.fromkeys(one | other for one in found for other in part)
        able = [way for way in joined if not any((one, not wanted) in way for one, wanted in way)]
        found = sorted(able, key=lambda way: len(_changes(way, verdicts)))[:_AT_ONCE]
    return found


def _first_day(asked: Predicate, user: User, scope: Scope) -> date | None:
    """The first UTC day after today on which the condition holds if nothing but time passes."""

    def holds(days: int) -> bool:
        return find(asked, user, replace(scope, as_of=scope.as_of + timedelta(days=days))).verdict is True

    if holds(0) or not holds(HORIZON):
        return None
    low, high = 0, HORIZON  # it does not hold at `low`, and does at `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return _day(scope, high)


def _meant_from(match: Match, user: User, scope: Scope, days: Iterable[date | None]) -> date | None:
    """The first of the days, on which single conditions begin to hold, on which all of them together do."""
    for one in sorted({day for day in days if day}):
        ahead = (one - _day(scope, 0)).days
        later = replace(scope, as_of=scope.as_of + timedelta(days=ahead))
        if explain_match(match, user, later).verdict:
            return one
    return None


def _day(scope: Scope, ahead: int) -> date:
    return (scope.as_of + timedelta(days=ahead)).astimezone(UTC).date()


def named(name: str, case: Case) -> Iterator[WhyNot]:
    """For the policies of this name: a Roster may have one about leavers and one about joiners."""
    for policy in case.policies.asking:
        if policy.name == name:
            yield why_not(policy, case)

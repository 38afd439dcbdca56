"""The fast reading of conditions: one closure for each tree, asked about every user of a site.

Three values: True, False, and None for "not known", joined by Kleene's rules, so that an unknown fact makes a verdict
unknown only when it could change it. ``explain`` is the slow reading of the same tree; both always agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from cleanup_gitops.model.activity import LAG_DAYS, Activity, Never, Seen, cutoff
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.explain import Explanation, compile_why, explain_match, why
from cleanup_gitops.policy.facts import Verdict, fact
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.policy.scope import Scope, resolve_groups
from cleanup_gitops.policy.tree import (
    Begins,
    EmailDomain,
    HasLeft,
    HasSeat,
    InactiveFor,
    InDirectory,
    InGroup,
    KindIs,
    ListedIn,
    Match,
    NeverActiveFor,
    Node,
    Predicate,
    SeatVia,
    predicates,
)

__all__ = [
    "CompiledMatch",
    "Explanation",
    "Match",
    "Scope",
    "Verdict",
    "compile_match",
    "compile_why",
    "explain_match",
    "resolve_groups",
    "why",
]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledMatch:
    """``verdict(user)`` is True, False or None (unknown); ``missing``: what is named and not there."""

    verdict: Verdict
    missing: tuple[Missing, ...]


def compile_match(match: Match, scope: Scope) -> CompiledMatch:
    """Make conditions ready for many users of one site at one instant."""
    missing = {one for node in predicates(match) for one in _missing(node, scope)}
    return CompiledMatch(_compile(match, scope), tuple(sorted(missing)))


def _missing(node: Predicate, scope: Scope) -> tuple[Missing, ...]:
    match node:
        case InGroup(patterns) | SeatVia(patterns):
            return tuple(Missing("group", pattern) for pattern in scope.targets(patterns).missing)
        case InDirectory(patterns):
            return tuple(Missing("directory", pattern) for pattern in scope.directories(patterns)[1])
        case ListedIn():
            return () if node in scope.lists else (Missing("list", node.source),)
        case HasLeft(roster) | Begins(roster):
            return () if roster in scope.lists.rosters else (Missing("roster", roster),)
        case _:
            return ()


def _compile(node: Node, scope: Scope) -> Verdict:
    if not isinstance(node, Match):
        return _predicate(node, scope)
    # The order changes no verdict. Most users were seen lately, so asking for their activity first ends it soonest.
    first = sorted(node.all, key=lambda child: not isinstance(child, InactiveFor | NeverActiveFor))
    parts = [_compile(child, scope) for child in first]
    if node.any:
        parts.append(_one_of([_compile(child, scope) for child in node.any]))
    if node.none:
        parts.append(_not(_one_of([_compile(child, scope) for child in node.none])))
    return _all_of(parts)


def _predicate(node: Predicate, scope: Scope) -> Verdict:
    match node:
        case HasSeat():
            return _has_seat(wanted=node.wanted)
        case InactiveFor(product="any"):
            return _idle_everywhere(scope, node.days)
        case InactiveFor():
            return _idle_here(scope, node.days) if node.product == "confluence" else _idle_in(scope, node)
        case NeverActiveFor():
            return _never_used(scope, node.days)
        case InGroup():
            return _in_group(scope, node.patterns)
        case KindIs():
            return _kind_is(frozenset(node.kinds))
        case EmailDomain():
            return _email_domain(node.patterns)
        case _:
            return fact(node, scope)


def _all_of(parts: list[Verdict]) -> Verdict:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        return _both(*parts)

    def verdict(user: User) -> bool | None:
        result: bool | None = True
        for part in parts:
            one = part(user)
            if one is False:
                return False
            if one is None:
                result = None
        return result

    return verdict


def _both(first: Verdict, second: Verdict) -> Verdict:
    """The same without a loop: most policies have two conditions, asked about everybody."""

    def verdict(user: User) -> bool | None:
        one = first(user)
        if one is False:
            return False
        other = second(user)
        if other is False:
            return False
        return True if one and other else None

    return verdict


def _one_of(parts: list[Verdict]) -> Verdict:
    if len(parts) == 1:
        return parts[0]

    def verdict(user: User) -> bool | None:
        result: bool | None = False
        for part in parts:
            one = part(user)
            if one:
                return True
            if one is None:
                result = None
        return result

    return verdict


def _not(part: Verdict) -> Verdict:
    def verdict(user: User) -> bool | None:
        one = part(user)
        return None if one is None else not one

    return verdict


def _has_seat(*, wanted: bool) -> Verdict:
    billed: Verdict = attrgetter("billed")
    return billed if wanted else _not(billed)


def _kind_is(kinds: frozenset[str]) -> Verdict:
    return lambda user: None if user.kind == "unknown" else user.kind in kinds


def _in_group(scope: Scope, patterns: tuple[str, ...]) -> Verdict:
    targets = scope.targets(patterns)
    if targets.missing:
        return lambda _: None
    apart = targets.ids.isdisjoint
    return lambda user: None if user.groups is None else not apart(user.groups)


def _email_domain(patterns: tuple[str, ...]) -> Verdict:
    exact = frozenset(one for one in patterns if not one.startswith("*."))
    below = tuple(one[1:] for one in patterns if one.startswith("*."))
    return lambda user: None if user.domain is None else user.domain in exact or user.domain.endswith(below)


def _cutoffs(scope: Scope, days: int) -> tuple[datetime, dict[str, datetime]]:
    """The moment before which an exact date is old enough, and the same for each source with its lag."""
    exact = cutoff(scope.as_of, days, 0)
    return exact, {source: cutoff(scope.as_of, days, lag) for source, lag in LAG_DAYS.items()}


def _idle_here(scope: Scope, days: int) -> Verdict:
    """Last used, added and given a seat before the cutoff; unknown where nobody knows when the account was added.

    Who may have been added lately is not idle. A missing date of the seat is left out.
    """
    exact, by_source = _cutoffs(scope, days)

    def verdict(user: User) -> bool | None:
        seen = user.seen
        if type(seen) is not Seen:
            return False if type(seen) is Never or _recent(user, exact) else None
        limit = by_source[seen.source]
        if seen.earliest >= limit or _recent(user, exact):
            return False
        return True if seen.latest < limit and user.added is not None else None

    return verdict


def _recent(user: User, exact: datetime) -> bool:
    """Whether the account was added, or given its seat, too lately for anything to count as idle."""
    added, since = user.added, user.seat_since
    return (added is not None and added >= exact) or (since is not None and since >= exact)


def _idle_in(scope: Scope, asked: InactiveFor) -> Verdict:
    """As above, for another product; where that product is not listed for the user, nothing is known."""
    exact, by_source = _cutoffs(scope, asked.days)
    product = asked.product

    def verdict(user: User) -> bool | None:
        activity = next((one for key, one in user.elsewhere or () if key == product), None)
        if type(activity) is Never or _recent(user, exact):
            return False
        idle = _old(activity, by_source) if type(activity) is Seen else None
        return None if user.added is None and idle else idle

    return verdict


def _old(seen: Seen, by_source: dict[str, datetime]) -> bool | None:
    limit = by_source[seen.source]
    return False if seen.earliest >= limit else (True if seen.latest < limit else None)


def _idle_everywhere(scope: Scope, days: int) -> Verdict:
    """Idle in Confluence and in every other product; "never" counts as idle since the account was added."""
    exact, by_source = _cutoffs(scope, days)

    def idle(activity: Activity, added: datetime | None) -> bool | None:
        if isinstance(activity, Seen):
            return _old(activity, by_source)
        if isinstance(activity, Never):
            starts = [one for one in (activity.since, added) if one is not None]
            return max(starts) < by_source[activity.source] if starts else None
        return None

    def verdict(user: User) -> bool | None:
        seen = user.seen
        if type(seen) is Seen and seen.earliest >= by_source[seen.source]:
            return False  # decided for most users; nothing below says otherwise
        result = False if _recent(user, exact) else idle(seen, user.added)
        if result is not False:
            for _, activity in user.elsewhere or ():
                one = idle(activity, user.added)
                if one is False:
                    return False
                result = result and one
        return None if result and (user.elsewhere is None or user.added is None) else result

    return verdict


def _never_used(scope: Scope, days: int) -> Verdict:
    _, by_source = _cutoffs(scope, days)

    def verdict(user: User) -> bool | None:
        seen = user.seen
        if type(seen) is not Never:
            return False if type(seen) is Seen else None
        starts = [one for one in (seen.since, user.added, user.seat_since) if one is not None]
        return max(starts) < by_source[seen.source] if starts else None

    return verdict

"""The fast reading of conditions about one plain fact: status, license, directory, roles, names and the like.

A fact that the site did not tell is None ("not known"), whatever was asked about it. ``explain_facts`` is the slow
reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import assert_never

from cleanup_gitops.model.activity import Never, Seen, cutoff, midnight
from cleanup_gitops.model.user import GroupSeat, User
from cleanup_gitops.policy.leaving import leaver
from cleanup_gitops.policy.patterns import glob
from cleanup_gitops.policy.scope import Scope
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    Begins,
    EmailIs,
    ExternalIs,
    Fact,
    HasLeft,
    HasRole,
    InDirectory,
    InStatusFor,
    LicenseIs,
    ListedIn,
    ManagedIs,
    NameIs,
    SeatVia,
    StatusIs,
    SyncedIs,
    Told,
)

Verdict = Callable[[User], bool | None]
_TWO_DAYS = timedelta(days=2)


def fact(node: Fact, scope: Scope) -> Verdict:
    """A closure that answers one of these conditions for any user of the scope's site."""
    match node:
        case InDirectory():
            return _in_directory(scope, node.patterns)
        case NameIs():
            return _name(scope, node.patterns)
        case AttributeIs():
            return _attribute(node)
        case HasRole():
            return _role(frozenset(node.roles))
        case SeatVia():
            return _seat_via(node, scope)
        case ActiveOnlyOnce():
            return _once(wanted=node.wanted)
        case AccountIs():
            listed = frozenset(node.accounts)
            return lambda user: user.id in listed
        case ListedIn():
            return _listed_in(node, scope)
        case HasLeft() | Begins():
            return _by_roster(node, scope)
        case _:
            return _told(node, scope)


def _by_roster(node: HasLeft | Begins, scope: Scope) -> Verdict:
    roster = node.roster
    if isinstance(node, HasLeft):
        return lambda user: leaver(roster, user, scope).verdict
    begun = scope.beginning(roster)
    return lambda user: None if begun is None else user.id in begun.members and user.status == "active"


def _told(node: Told, scope: Scope) -> Verdict:
    match node:
        case StatusIs():
            return _word("status", _statuses(node.statuses))
        case LicenseIs():
            return _word("license", node.licenses)
        case InStatusFor():
            limit = cutoff(scope.as_of, node.days, 0)
            return lambda user: status_before(user, limit)
        case AddedFor():
            return _before("added", scope, node.days)
        case ManagedIs():
            return _flag("managed", wanted=node.wanted)
        case SyncedIs():
            return _flag("synced", wanted=node.wanted)
        case ExternalIs():
            return _flag("external", wanted=node.wanted)
        case EmailIs():
            return _flag("has_email", wanted=node.present)
        case _:
            assert_never(node)


def _statuses(words: Iterable[str]) -> Iterable[str]:
    """``disabled`` is the word for every hosting: suspended accounts are meant too."""
    return (*words, "suspended") if "disabled" in words else words


def _word(name: str, words: Iterable[str]) -> Verdict:
    told = attrgetter(name)
    wanted = frozenset(words)

    def verdict(user: User) -> bool | None:
        word = told(user)
        return None if word == "unknown" else word in wanted

    return verdict


def _flag(name: str, *, wanted: bool) -> Verdict:
    told: Verdict = attrgetter(name)
    if wanted:
        return told

    def verdict(user: User) -> bool | None:
        one = told(user)
        return None if one is None else not one

    return verdict


def _before(name: str, scope: Scope, days: int) -> Verdict:
    told = attrgetter(name)
    limit = cutoff(scope.as_of, days, 0)

    def verdict(user: User) -> bool | None:
        at = told(user)
        return None if at is None else at < limit

    return verdict


def status_before(user: User, limit: datetime) -> bool | None:
    """Whether the status has been what it is since before ``limit``, as the site tells, or else as snapshots do."""
    if user.status_since is not None:
        return user.status_since < limit
    if user.status_by is None:
        return None
    if user.status_by < limit:
        return True
    return False if user.status_after is not None and user.status_after >= limit else None


def _in_directory(scope: Scope, patterns: tuple[str, ...]) -> Verdict:
    directories, missing = scope.directories(patterns)
    return _nobody_knows if missing else lambda user: user.directory in directories


def _nobody_knows(_: User) -> None:
    return None


def _name(scope: Scope, patterns: tuple[str, ...]) -> Verdict:
    name = scope.people.name
    fits = _fitting(patterns)
    return lambda user: fits(shown) if (shown := name(user.id)) else None


def _attribute(node: AttributeIs) -> Verdict:
    fits = _fitting(node.patterns)
    known: dict[str, bool] = {}

    def verdict(user: User) -> bool | None:
        for name, value in user.attributes:
            if name == node.name:
                found = known.get(value)
                if found is None:
                    found = known[value] = fits(value)
                return found
        return None

    return verdict


def _fitting(patterns: Iterable[str]) -> Callable[[str], bool]:
    tests = [glob(pattern).fullmatch for pattern in patterns]

    def fits(text: str) -> bool:
        folded = text.casefold()
        return any(test(folded) for test in tests)

    return fits


def _role(wanted: frozenset[str]) -> Verdict:
    apart = wanted.isdisjoint
    return lambda user: None if user.roles is None else not apart(user.roles)


def _seat_via(node: SeatVia, scope: Scope) -> Verdict:
    """Through one of the groups, or by a role of one's own, or either where both are asked for."""
    parts: list[Verdict] = []
    if node.groups:
        targets = scope.targets(node.groups)
        parts.append(_nobody_knows if targets.missing else partial(_through, targets.found))
    if node.direct:
        parts.append(_direct)
    if len(parts) == 1:
        return parts[0]
    one, other = parts

    def either(user: User) -> bool | None:
        first = one(user)
        if first:
            return True
        second = other(user)
        return None if first is None and second is False else second

    return either


def _through(groups: frozenset[str], user: User) -> bool | None:
    seats = user.seats
    if seats is None:
        return None
    for path in seats:
        if type(path) is GroupSeat:
            for group in path.chain:
                if group in groups:
                    return True
    return False


def _direct(user: User) -> bool | None:
    """Roles beside a group are told only when asked for; until then one may be held."""
    seats = user.seats
    if seats is None:
        return None
    for path in seats:
        if type(path) is not GroupSeat:
            return True
    return None if user.direct is None else False


def _listed_in(node: ListedIn, scope: Scope) -> Verdict:
    """By id; or by an address that is listed, if it is that of one managed account alone."""
    known = scope.lists.get(node)
    if known is None:
        return _nobody_knows
    entries = known.entries
    if node.by == "account":
        return lambda user: user.id in entries
    address, shared = scope.addresses.of.get, scope.addresses.shared

    def verdict(user: User) -> bool | None:
        own = address(user.id)
        if own not in entries:
            return None if own is None else False
        return True if user.managed and own not in shared else None

    return verdict


def _once(*, wanted: bool) -> Verdict:
    def verdict(user: User) -> bool | None:
        seen, added = user.seen, user.added
        if type(seen) is Never:
            return not wanted
        if type(seen) is not Seen or added is None:
            return None
        if seen.latest - added >= _TWO_DAYS:
            return None  # so it is for nearly everybody
        start = midnight(added)
        return wanted if start <= seen.earliest and seen.latest < start + _TWO_DAYS else None

    return verdict

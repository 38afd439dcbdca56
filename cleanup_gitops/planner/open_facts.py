"""Which facts the site did not say, of those that undecided policies ask about, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from cleanup_gitops.model.activity import Activity, Seen, Unknown, cutoff, midnight
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.policy.explain_facts import listed_doubt
from cleanup_gitops.policy.facts import status_before
from cleanup_gitops.policy.finding import not_kept
from cleanup_gitops.policy.leaving import leaver
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import (
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailDomain,
    EmailIs,
    ExternalIs,
    HasLeft,
    HasRole,
    HasSeat,
    InactiveFor,
    InGroup,
    InStatusFor,
    LicenseIs,
    ListedIn,
    ManagedIs,
    NameIs,
    NeverActiveFor,
    Predicate,
    SeatVia,
    StatusIs,
    SyncedIs,
    predicates,
)

_STATUS, _LICENSE = ("status", "status"), ("license", "license")
_THE_DAY = ("added", "the day it was added")
_DOMAIN, _DIRECT, _ELSEWHERE = "e-mail domain", "roles held directly", "activity in other products"
_FIELDS: Mapping[type[Predicate], tuple[tuple[str, str], ...]] = {
    HasSeat: (_STATUS, _LICENSE),
    StatusIs: (_STATUS,),
    LicenseIs: (_LICENSE,),
    InGroup: (("groups", "groups"),),
    EmailDomain: (("domain", _DOMAIN),),
    EmailIs: (("has_email", "whether there is an e-mail address"),),
    ManagedIs: (("managed", "whether it is managed"),),
    SyncedIs: (("synced", "whether it is synced"),),
    ExternalIs: (("external", "whether it is external"),),
    HasRole: (("roles", "administrative roles"),),
    SeatVia: (("seats", "how the license is held"),),
    AddedFor: (_THE_DAY,),
    InactiveFor: (_THE_DAY,),
    NeverActiveFor: (_THE_DAY,),
    ActiveOnlyOnce: (_THE_DAY,),
}
"""The fields of a user that predicates need, and their names for people."""


_NEVER_KEPT = frozenset({"name", "e-mail address", _DIRECT, _ELSEWHERE})
"""Of these a snapshot knows nothing, whatever the site told."""


def open_facts(rules: Iterable[Rule], user: User, scope: Scope) -> str:
    """``not known: domain, activity (not in the answer)``; empty when nothing is missing.

    What a snapshot did not keep is told apart: ``not kept in the snapshot: department``.
    """
    asked = {predicate for rule in rules for predicate in predicates(rule.policy.match)}
    missing = {fact for predicate in asked for fact in _missing(predicate, user, scope)}
    left_out = missing & _left_out(asked, user, scope.inventory)
    unknown = f"not known: {', '.join(sorted(missing - left_out))}" if missing - left_out else ""
    return "; ".join(filter(None, (unknown, not_kept(", ".join(sorted(left_out))) if left_out else "")))


def _left_out(asked: Iterable[Predicate], user: User, inventory: Inventory) -> frozenset[str]:
    """Facts that a snapshot did not keep, so that nobody can tell whether they were known; none of the live site."""
    kept = inventory.kept_attributes
    if kept is None:
        return frozenset()
    attributes = {_words(one.name) for one in asked if isinstance(one, AttributeIs) and one.name not in kept}
    return _NEVER_KEPT | attributes | (frozenset() if user.has_email is False else {_DOMAIN})


def _missing(predicate: Predicate, user: User, scope: Scope) -> Iterator[str]:
    yield from _fields(predicate, user)
    match predicate:
        case InactiveFor():
            yield from _activities(predicate.product, user)
        case NeverActiveFor():
            yield from _activities("confluence", user)
        case ActiveOnlyOnce():
            yield from _visits(user)
        case InStatusFor() if status_before(user, cutoff(scope.as_of, predicate.days, 0)) is None:
            yield _since(user)
        case SeatVia(direct=True) if user.direct is None:
            yield _DIRECT
        case NameIs() if not scope.people.name(user.id):
            yield "name"
        case ListedIn():
            yield from _list(predicate, user, scope)
        case HasLeft(roster) if (found := leaver(roster, user, scope)).verdict is None:
            yield f"who has left by the roster {roster} ({found.doubt})"
        case AttributeIs(name) if name not in dict(user.attributes):
            yield _words(name)
        case _:
            pass


def _fields(predicate: Predicate, user: User) -> Iterator[str]:
    for field, words in _FIELDS.get(type(predicate), ()):
        if getattr(user, field) in (None, "unknown"):
            yield words


def _words(name: str) -> str:
    return name.replace("_", " ")


def _since(user: User) -> str:
    what = "since when the status is so"
    if user.status_by is None:
        return what
    latest = user.status_by.date()
    if user.status_after is None:
        return f"{what} (by the snapshots: since {latest} at the latest)"
    return f"{what} (by the snapshots: between {user.status_after.date()} and {latest})"


def _list(asked: ListedIn, user: User, scope: Scope) -> Iterator[str]:
    known = scope.lists.get(asked)
    if known is None:
        yield f"list {asked.source} (not read)"
    elif asked.by == "email":
        address = scope.addresses.of.get(user.id)
        if address is None:
            yield "e-mail address"
        elif address in known.entries and (doubt := listed_doubt(user, address, scope)):
            yield f"who is listed in {asked.source} ({doubt})"


def _visits(user: User) -> Iterator[str]:
    yield from _activity("activity", user.seen)
    if isinstance(user.seen, Seen) and user.added and midnight(user.seen.latest) > midnight(user.added) + timedelta(1):
        yield "whether it was used more than once"


def _activities(product: str, user: User) -> Iterator[str]:
    if product in ("confluence", "any"):
        yield from _activity("activity", user.seen)
    if product == "confluence":
        return
    others = dict(user.elsewhere or ())
    if user.elsewhere is None:
        yield _ELSEWHERE
    elif product != "any" and product not in others:
        yield f"activity in {product} (not listed)"
    for one, activity in others.items():
        if product in ("any", one):
            yield from _activity(f"activity in {one}", activity)


def _activity(what: str, activity: Activity) -> Iterator[str]:
    """A sighting between two days is not exact: the threshold may lie in between."""
    if isinstance(activity, Unknown):
        yield f"{what} ({activity.reason})"
    elif isinstance(activity, Seen) and activity.earliest.date() != activity.latest.date():
        yield f"{what} (between {activity.earliest.date()} and {activity.latest.date()})"

"""Which facts the site did not say, of those that undecided policies ask about, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from cleanup_gitops.model.activity import Activity, Seen, Unknown, midnight
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.policy.explain_facts import listed_doubt
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.tree import (
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailDomain,
    EmailIs,
    ExternalIs,
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
_FIELDS: Mapping[type[Predicate], tuple[tuple[str, str], ...]] = {
    HasSeat: (_STATUS, _LICENSE),
    StatusIs: (_STATUS,),
    LicenseIs: (_LICENSE,),
    InGroup: (("groups", "groups"),),
    EmailDomain: (("domain", "e-mail domain"),),
    EmailIs: (("has_email", "whether there is an e-mail address"),),
    InStatusFor: (("status_since", "since when the status is so"),),
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


def open_facts(rules: Iterable[Rule], user: User, scope: Scope) -> str:
    """``not known: domain, activity (not in the answer)``; empty when nothing is missing."""
    asked = {predicate for rule in rules for predicate in predicates(rule.policy.match)}
    missing = {fact for predicate in asked for fact in _missing(predicate, user, scope)}
    return f"not known: {', '.join(sorted(missing))}" if missing else ""


def _missing(predicate: Predicate, user: User, scope: Scope) -> Iterator[str]:
    for field, words in _FIELDS.get(type(predicate), ()):
        if getattr(user, field) in (None, "unknown"):
            yield words
    match predicate:
        case InactiveFor():
            yield from _activities(predicate.product, user)
        case NeverActiveFor():
            yield from _activities("confluence", user)
        case ActiveOnlyOnce():
            yield from _visits(user)
        case SeatVia(direct=True) if user.direct is None:
            yield "roles held directly"
        case NameIs() if not scope.people.name(user.id):
            yield "name"
        case ListedIn():
            yield from _list(predicate, user, scope)
        case AttributeIs(name) if name not in dict(user.attributes):
            yield name.replace("_", " ")
        case _:
            pass


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
        yield "activity in other products"
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

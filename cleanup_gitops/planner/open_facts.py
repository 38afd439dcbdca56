"""Which facts the site did not say, of those that undecided policies ask about, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cleanup_gitops.model.activity import Activity, Seen, Unknown
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.policy.tree import EmailDomain, HasSeat, InactiveFor, InGroup, NeverActiveFor, Predicate, predicates


def open_facts(rules: Iterable[Rule], user: User) -> str:
    """``not known: domain, activity (not in the answer)``; empty when nothing is missing."""
    asked = {predicate for rule in rules for predicate in predicates(rule.policy.match)}
    missing = {fact for predicate in asked for fact in _missing(predicate, user)}
    return f"not known: {', '.join(sorted(missing))}" if missing else ""


def _missing(predicate: Predicate, user: User) -> Iterator[str]:
    match predicate:
        case HasSeat():
            if user.status == "unknown":
                yield "status"
            if user.license == "unknown":
                yield "license"
        case InGroup():
            if user.groups is None:
                yield "groups"
        case EmailDomain():
            if user.domain is None:
                yield "e-mail domain"
        case InactiveFor() | NeverActiveFor():
            if user.added is None:
                yield "the day it was added"
            yield from _activities(predicate.product if isinstance(predicate, InactiveFor) else "confluence", user)
        case _:
            pass


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

"""Checked conditions to the tree that is asked about users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cleanup_gitops.policy.condition_shapes import Attribute, Condition, ListFile, MatchSpec, SeatWays
from cleanup_gitops.policy.state_shapes import WhenSpec
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailDomain,
    EmailIs,
    ExternalIs,
    HasRole,
    HasSeat,
    InactiveFor,
    InDirectory,
    InGroup,
    InStatusFor,
    KindIs,
    LicenseIs,
    ListedIn,
    ManagedIs,
    Match,
    NameIs,
    NeverActiveFor,
    Node,
    Predicate,
    SeatVia,
    StatusIs,
    SyncedIs,
)


def match_of(shape: MatchSpec | WhenSpec | Condition) -> Match:
    """The tree of conditions of a `match`, of a `when`, or of one nested tree."""
    return Match(
        all=tuple(map(_node, shape.all or ())),
        any=tuple(map(_node, shape.any or ())),
        none=tuple(map(_node, shape.none or ())),
    )


def _node(shape: Condition) -> Node:
    """A predicate or a tree; ``rules`` makes sure that it is one of them."""
    for name in shape.model_fields_set:
        if name in _PREDICATES:
            return _PREDICATES[name](getattr(shape, name))
    return match_of(shape)


def _seat_via(shape: SeatWays) -> Predicate:
    return SeatVia(groups=tuple(shape.groups or ()), direct=shape.role is not None)


def _attribute(shape: Attribute) -> Predicate:
    """The one that is given; ``rules`` makes sure of it."""
    name = next(iter(shape.model_fields_set))
    return AttributeIs(name, tuple(getattr(shape, name)))


def _listed_in(shape: ListFile) -> Predicate:
    """One place and one column; ``rules`` makes sure of it."""
    if shape.account is not None:
        return ListedIn(shape.account, "account", shape.env, shape.path)
    return ListedIn(shape.email or "", "email", shape.env, shape.path)


_PREDICATES: Mapping[str, Callable[[Any], Predicate]] = {
    "has_seat": HasSeat,
    "inactive_for": lambda value: InactiveFor(value.for_, value.product),
    "never_active_for": NeverActiveFor,
    "active_only_once": ActiveOnlyOnce,
    "added_for": AddedFor,
    "in_group": lambda value: InGroup(tuple(value)),
    "seat_via": _seat_via,
    "license": lambda value: LicenseIs(tuple(value)),
    "status": lambda value: StatusIs(tuple(value)),
    "in_status_for": InStatusFor,
    "kind": lambda value: KindIs(tuple(value)),
    "has_role": lambda value: HasRole(tuple(value)),
    "managed": ManagedIs,
    "synced": SyncedIs,
    "external": ExternalIs,
    "directory": lambda value: InDirectory(tuple(value)),
    "email_domain": lambda value: EmailDomain(tuple(value)),
    "email": lambda value: EmailIs(value == "present"),
    "name": lambda value: NameIs(tuple(value)),
    "attribute": _attribute,
    "account": lambda value: AccountIs(tuple(value)),
    "listed_in": _listed_in,
}

"""The fast and the explaining reading agree on every fact, and forgetting one never turns a verdict round."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Unknown, seen_at
from cleanup_gitops.model.user import License, Status, User
from cleanup_gitops.policy.documents import AdminRole
from cleanup_gitops.policy.tree import (
    AccountIs,
    ActiveOnlyOnce,
    AddedFor,
    AttributeIs,
    EmailIs,
    ExternalIs,
    HasRole,
    InDirectory,
    InStatusFor,
    LicenseIs,
    ManagedIs,
    NameIs,
    Node,
    SeatVia,
    StatusIs,
    SyncedIs,
)
from tests.policy.facts_here import BOARD, ROLE, SUITE, WIKI, verdict
from tests.policy.users import ATTRIBUTES, NOW, ago, user, with_facts

SEATS = (None, (), (WIKI,), (SUITE,), (BOARD, ROLE), (ROLE,))
STATUSES = get_args(Status)
LICENSES = get_args(License)


def anybody(seed: int) -> User:
    """A user with facts of every sort, some of them unknown; each seed gives others."""
    rng = Random(seed)
    someone = user(
        status=rng.choice(STATUSES),
        license=rng.choice(LICENSES),
        seats=rng.choice(SEATS),
        added=rng.choice((None, ago(rng.randint(0, 40), 0), ago(rng.randint(0, 40), 23))),
        seen=rng.choice((Never(), Unknown("not read"), seen_at(ago(rng.randint(0, 40))))),
    )
    return with_facts(someone, seed)


def every_fact(someone: User) -> Iterator[Node]:
    """Each predicate about a plain fact, with days around those of this user."""
    yield from (StatusIs((one,)) for one in STATUSES[:-1])
    yield from (LicenseIs((one,)) for one in LICENSES[:-1])
    for wanted in (True, False):
        yield from (ManagedIs(wanted), SyncedIs(wanted), ExternalIs(wanted), EmailIs(wanted), ActiveOnlyOnce(wanted))
    yield from (HasRole((one,)) for one in get_args(AdminRole))
    yield from (InDirectory((one,)) for one in ("default", "D*", "gone"))
    yield from (NameIs((one,)) for one in ("ada*", "*b"))
    yield from (AttributeIs(name, (one,)) for name in ATTRIBUTES for one in ("sales*", "legal", "?"))
    yield from (SeatVia(names, direct) for names in (("w*",), ("board",), ("gone",)) for direct in (True, False))
    yield from (SeatVia(direct=True), AccountIs((someone.id,)), AccountIs(("712020:2",)))
    for at in (someone.added, someone.status_since, someone.status_by, someone.status_after):
        age = (NOW.date() - at.date()).days if at else 9
        yield from (kind(max(age + more, 0)) for kind in (AddedFor, InStatusFor) for more in (-1, 0, 1))


@given(st.integers(0, 2**32))
def test_both_readings_agree_on_every_fact(seed: int) -> None:
    for number in range(20):
        someone = anybody(seed + number)
        for node in every_fact(someone):
            verdict(node, someone)


@given(st.integers(0, 2**32))
def test_a_fact_that_is_forgotten_makes_a_verdict_unknown_or_leaves_it(seed: int) -> None:
    less: tuple[dict[str, Any], ...] = (
        *({field: None} for field in ("managed", "synced", "external", "has_email", "roles", "direct", "seats")),
        {"added": None},
        {"status_since": None},
        {"status_by": None},
        {"status_after": None},
        {"status": "unknown"},
        {"license": "unknown"},
        {"attributes": ()},
        {"seen": Unknown("forgotten")},
    )
    someone = anybody(seed)
    for node in every_fact(someone):
        found = verdict(node, someone)
        for forgotten in less:
            assert verdict(node, replace(someone, **forgotten)) in (None, found)

"""The generated organization."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.sandbox.cases import BREAK_GLASS, CASES, FIXED, RUNNER
from cleanup_gitops.sandbox.names import HOSTILE_NAMES
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.state import SEAT_ROLES, State
from cleanup_gitops.sandbox.world import User, World

TODAY = date(2026, 11, 22)


def days_idle(user: User, resource: str) -> int | None:
    at = user.activity.get(resource)
    return None if at is None else (TODAY - date.fromisoformat(at[:10])).days


def seat_holders(world: World) -> list[User]:
    state = State(world)
    return [
        user
        for user in world.users
        if state.status(user) == "active" and state.roles(user).get("confluence", set()) & SEAT_ROLES
    ]


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert seed().encode() == seed().encode()


def test_another_seed_gives_other_people() -> None:
    assert seed(seed=2).encode() != seed().encode()


def test_the_demo_has_480_accounts_and_412_of_500_seats() -> None:
    world = seed()
    assert len(world.users) == 480
    assert len(seat_holders(world)) == 412
    assert State(world).seats("confluence") == 412
    assert world.resources[0].capacity == 500
    assert sum(case.per_480 for case in CASES) + len(FIXED) == 480


def test_about_one_seat_in_twelve_is_dormant() -> None:
    idle = [
        user
        for user in seat_holders(seed())
        if (days_idle(user, "confluence") or 0) > 91 and user.id not in BREAK_GLASS
    ]
    assert 30 <= len(idle) <= 36
    everywhere = [
        user
        for user in idle
        if not user.platform_roles and all((days_idle(user, resource) or 0) > 180 for resource in user.activity)
    ]
    assert 5 <= len(everywhere) <= 8


def test_some_seats_were_never_used_and_some_of_these_are_new_or_of_unknown_age() -> None:
    never = [
        user
        for user in seat_holders(seed())
        if "confluence" not in user.activity and not (user.email or "").startswith("svc-")
    ]
    ages = [None if user.added is None else (TODAY - date.fromisoformat(user.added[:10])).days for user in never]
    assert sum(age is not None and age > 60 for age in ages) == 10
    assert sum(age is not None and age < 30 for age in ages) == 3
    assert ages.count(None) == 1


@pytest.mark.parametrize("days", [0, 89, 90, 91, 92])
def test_somebody_was_seen_exactly_that_many_days_ago(days: int) -> None:
    assert any(days_idle(user, "confluence") == days for user in seat_holders(seed()))


def test_every_status_and_every_kind_of_account_is_there() -> None:
    world = seed()
    state = State(world)
    statuses = Counter(map(state.status, world.users))
    assert set(statuses) == {"active", "suspended", "deactivated", "for_deletion", "not_invited"}
    assert {user.type for user in world.users} == {"atlassian", "app", "customer"}
    assert any((u.email or "").endswith("@serviceaccount.atlassian.com") for u in world.users)
    assert any(user.email_hidden for user in world.users)
    assert {user.source for user in world.users} == {"invited", "synced", None}
    assert any(not user.managed for user in seat_holders(world))


def test_seats_are_held_by_groups_by_two_groups_by_synced_groups_and_directly() -> None:
    world = seed()
    granting = {group.id: group for group in world.groups if "confluence" in group.roles}
    paths = Counter(
        (len(granting.keys() & set(user.groups)), "confluence" in user.roles) for user in seat_holders(world)
    )
    assert paths[1, False] > 300
    assert paths[2, False] >= 7
    assert paths[0, True] == 6
    synced = [group for group in granting.values() if group.external_synced]
    assert [group.name for group in synced] == ["wiki-users-idp"]
    shared = [group.name for group in granting.values() if "jira-software" in group.roles]
    assert shared == ["product-suite-acme"]


def test_every_hostile_name_is_carried_by_an_ordinary_member() -> None:
    held = {user.name for user in seat_holders(seed())}
    assert held.issuperset(HOSTILE_NAMES)


def test_the_runner_comes_first_even_in_the_smallest_world() -> None:
    world = seed(users=1)
    assert [user.id for user in world.users] == [RUNNER]
    assert world.credentials.runner_account == RUNNER
    assert world.problem() is None


def test_an_organization_without_anybody_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one account"):
        seed(users=0)


def test_account_ids_have_all_documented_forms() -> None:
    forms = Counter(user.id.split(":")[0] if ":" in user.id else "hex" for user in seed().users)
    assert set(forms) == {"712020", "557058", "hex"}


def test_acme_has_its_well_known_ids() -> None:
    world = seed()
    assert world.organization.id == "0f5e0000-0000-0000-0000-000000000000"
    assert [(item.id, item.name) for item in world.directories] == [("default", "default")]
    assert seed(site="globex").organization.id != world.organization.id


@given(users=st.integers(1, 700), number=st.integers(0, 5))
def test_worlds_of_any_size_are_whole(users: int, number: int) -> None:
    world = seed(users=users, seed=number)
    assert len(world.users) == users
    assert world.problem() is None
    for user in world.users:
        assert all(at <= world.now for at in user.activity.values())
        instants = [user.added or "", *sorted(user.activity.values())]
        assert all(first[:10] <= second[:10] for first, second in pairwise(instants))


def test_some_hold_a_role_beside_the_group_some_never_accepted_and_some_domains_are_claimed() -> None:
    world = seed()
    granting = {group.id for group in world.groups if "confluence" in group.roles}
    both = [user for user in world.users if granting.intersection(user.groups) and "confluence" in user.roles]
    assert len(both) == 2
    pending = [user for user in world.users if user.managed and not user.email_verified and not user.activity]
    assert len(pending) == 3
    assert any(not user.directories and user.source == "synced" and user.managed for user in world.users)
    assert [(item.name, item.status) for item in world.domains] == [
        ("acme.com", "verified"),
        ("eu.acme.com", "verified"),
        ("acme-labs.example", "unverified"),
    ]
    verified = {item.name for item in world.domains if item.status == "verified"}
    people = [user for user in world.users if user.email is not None and user.type == "atlassian"]
    assert all((user.email or "").casefold().rpartition("@")[2] in verified for user in people if user.managed)
    assert [event.at for event in world.events] == sorted(event.at for event in world.events)

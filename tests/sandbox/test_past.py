"""The days before a generated organization began: they lead to it, and things happen in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby, pairwise

import pytest

from cleanup_gitops.sandbox.past import Past
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import SandboxError, User, World, parse_time

NOW = "2026-11-22T09:00:00Z"
DAYS = 60


@pytest.fixture(scope="module")
def days() -> list[World]:
    """The world of 60 days ago first, that of today last."""
    past = Past(seed(now=NOW), DAYS)
    return [past.day(ago) for ago in range(DAYS, -1, -1)]


def users_of(world: World) -> dict[str, User]:
    return {user.id: user for user in world.users}


@pytest.fixture(scope="module")
def last_use(days: list[World]) -> list[list[datetime]]:
    """Of each account that is there today: the last uses of Confluence that were shown, one after the other."""
    by_day = [users_of(world) for world in days]
    found = []
    for account in by_day[-1]:
        shown = [user.activity.get("confluence", "") for users in by_day if (user := users.get(account))]
        found.append([parse_time(at) for at, _ in groupby(shown) if at])
    return found


def test_the_last_day_is_the_given_world() -> None:
    world = seed(now=NOW)
    before = world.encode()
    past = Past(world, DAYS)
    past.day(30)
    assert past.day(0).encode() == before


def test_the_same_past_comes_of_the_same_number_and_another_one_of_another() -> None:
    bytes_of = [Past(seed(users=200, now=NOW), 10, number).day(5).encode() for number in (1, 1, 2)]
    assert bytes_of[0] == bytes_of[1] != bytes_of[2]


def test_every_day_could_be_served_and_shows_nothing_of_the_days_after_it(days: list[World]) -> None:
    for world in days:
        assert world.problem() is None
        now = world.clock()
        shown = [at for user in world.users for at in user.activity.values()]
        shown += [user.added for user in world.users if user.added]
        shown += [user.deactivated_on for user in world.users if user.deactivated_on]
        shown += [at for page in world.content for at in (page.created, *page.edits.values())]
        assert max(map(parse_time, shown)) <= now
    assert [world.clock() for world in days] == [parse_time(NOW) - timedelta(days=ago) for ago in range(DAYS, -1, -1)]


def test_nobody_is_seen_earlier_than_the_day_before_or_before_the_account_was_there(
    days: list[World], last_use: list[list[datetime]]
) -> None:
    for found in last_use:
        assert found == sorted(found)
    for world in days:
        for user in world.users:
            if user.added:
                assert all(parse_time(at) >= parse_time(user.added) for at in user.activity.values())


def test_many_come_often_some_seldom_and_some_came_back_after_months(last_use: list[list[datetime]]) -> None:
    changes = [len(found) for found in last_use]
    assert sum(number > 20 for number in changes) > 40
    assert sum(2 <= number <= 4 for number in changes) > 100
    back = [
        account for account in last_use if any(seen - away > timedelta(days=91) for away, seen in pairwise(account))
    ]
    assert 3 <= len(back) <= 30


def test_people_join_and_leave_and_accounts_are_closed(days: list[World]) -> None:
    first, last = users_of(days[0]), users_of(days[-1])
    assert len(last.keys() - first.keys()) >= 3
    gone = first.keys() - last.keys()
    assert len(gone) == DAYS // 12
    closed = [account for account, user in last.items() if account in first and user.account != first[account].account]
    suspended = [
        account for account in first.keys() & last.keys() if first[account].directories != last[account].directories
    ]
    addresses = {user.email for user in last.values()}
    assert not [account for account in gone if first[account].email in addresses]
    assert closed
    assert suspended
    idle = dict.fromkeys(gone, 0.0)
    for world in days:
        for account, user in users_of(world).items():
            if account in idle:
                idle[account] = (world.clock() - parse_time(user.activity["confluence"])) / timedelta(days=1)
    assert min(idle.values()) < 5
    assert max(idle.values()) > 20


def test_a_past_has_a_beginning() -> None:
    with pytest.raises(SandboxError, match="does not reach back 11 days"):
        Past(seed(users=200, now=NOW), 10).day(11)


def test_a_sandbox_becomes_another_world_and_keeps_its_options() -> None:
    world = seed(users=200, now=NOW)
    before = Past(world, 30).day(30)
    with running(seed(users=200, now=NOW)) as box:
        options, seats = box.world.options, box.state.seats("confluence")
        box.become(before)
        assert box.world.encode() == before.encode()
        assert box.world.options is options
        assert box.state.ordinals.keys() == {user.id for user in before.users}
        box.become(world)
        assert box.state.seats("confluence") == seats

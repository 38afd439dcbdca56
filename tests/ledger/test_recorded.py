"""A snapshot as an inventory: never anything else than what was read, at most less of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.recorded import Recorded, recorded_inventory
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.ledger.since import history_of, with_history
from cleanup_gitops.model.activity import LAG_DAYS, Never, Seen, Unknown, midnight, seen_at
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY
from cleanup_gitops.model.user import GroupSeat, User
from tests import strategies as some
from tests.ledger.snapshots import files_of, site
from tests.planner.organizations import organization
from tests.planner.test_laws import CASES, Case, acts, invented, planned
from tests.strategies import AS_OF

SAME = (
    "id", "directory", "status", "kind", "license", "managed", "synced", "writable", "admin",
    "roles", "external", "has_email",
)  # fmt: skip
NOT_KEPT = ("elsewhere", "direct", "lifecycle", "tokens")
DAYS = ("added", "status_since", "seat_since", "status_by", "status_after", "restored_at")


def unordered(seats: tuple[Any, ...] | None) -> list[bytes] | None:
    return None if seats is None else sorted(map(msgspec.json.encode, seats))


def check_user(live: User, kept: User) -> None:
    """Every fact is the same, or less is known."""
    for name in SAME:
        assert getattr(kept, name) == getattr(live, name), name
    for name in NOT_KEPT:
        assert getattr(kept, name) is None, name
    for name in DAYS:
        told = getattr(live, name)
        assert getattr(kept, name) == (midnight(told) if told else None), name
    assert kept.accepted in (None, live.accepted)
    assert kept.domain in (None, live.domain)
    assert set(kept.attributes) <= set(live.attributes)
    assert unordered(kept.seats) == unordered(live.seats)
    assert (kept.groups is None) == (live.groups is None)
    assert set(kept.groups or ()) == set(live.groups or ())


@given(some.inventories(), st.sampled_from([(), ("department",)]))
def test_every_fact_is_the_one_that_was_read_or_less_is_known(
    inventory: Inventory, attributes: tuple[str, ...]
) -> None:
    found = recorded_inventory(files_of(inventory, attributes=attributes))
    for name in ("site", "hosting", "as_of", "groups", "directories", "proof", "runner", "seat_limit"):
        assert getattr(found, name) == getattr(inventory, name), name
    assert found.claimed_domains == inventory.claimed_domains
    assert found.kept_attributes == attributes
    assert not inventory.recorded
    assert found.recorded
    for live, kept in zip(inventory.users, found.users, strict=True):
        # The first snapshot is the latest day from which on the status is so.
        told = live.status_since is not None or live.status == "unknown"
        check_user(replace(live, status_by=None if told else midnight(AS_OF)), kept)
        if live.attributes and attributes:
            assert kept.attributes == live.attributes


@given(some.inventories())
def test_the_last_use_is_never_narrower_than_what_was_read(inventory: Inventory) -> None:
    found = recorded_inventory(files_of(inventory))
    for live, kept in zip(inventory.users, found.users, strict=True):
        match live.seen:
            case Seen(earliest, latest, source):
                assert isinstance(kept.seen, Seen)
                assert kept.seen.source == "snapshot"
                assert kept.seen.earliest <= earliest
                assert kept.seen.latest >= min(latest + timedelta(days=LAG_DAYS[source]), AS_OF)
                assert kept.seen.latest <= AS_OF
            case Never(since, source):
                assert kept.seen == Never(midnight(since) if since else None, source)
            case unknown:
                assert kept.seen == unknown


@settings(max_examples=settings().max_examples * 2)
@given(CASES, st.integers(0, 40))
def test_planning_on_a_snapshot_adds_no_change(case: Case, gap: int) -> None:
    inventory, policies = case
    if any(one.reason == "last-administrator" for one in planned(inventory, policies).dispositions.values()):
        return  # an administrator who is left alone for another reason is one who remains
    first = files_of(replace(inventory, as_of=AS_OF - timedelta(days=gap)))
    live = with_history(inventory, history_of(first))
    kept = recorded_inventory(files_of(inventory, before=first))
    assert acts(planned(kept, policies)) <= acts(planned(live, policies))


def test_planning_on_a_snapshot_finds_most_of_what_planning_live_does() -> None:
    """A law that holds because nothing happens says nothing."""
    cases = [invented(seed) for seed in range(150)]
    live = sum(len(acts(planned(inventory, policies))) for inventory, policies in cases)
    kept = sum(len(acts(planned(recorded_inventory(files_of(one)), policies))) for one, policies in cases)
    assert live > 50
    assert kept > live / 10


@given(some.inventories())
def test_a_snapshot_of_a_snapshot_is_the_same(inventory: Inventory) -> None:
    first = files_of(inventory, attributes=("department",))
    again = recorded_inventory(first)
    assert {user.id: user.status for user in again.users} == {user.id: user.status for user in inventory.users}
    second = files_of(again, attributes=("department",), before=first)
    assert [row.members for row in read_manifest(second[layout.MANIFEST]).groups] == [
        row.members for row in read_manifest(first[layout.MANIFEST]).groups
    ]
    assert recorded_inventory(second).users == again.users


@pytest.mark.parametrize(
    ("seen", "earliest", "latest"),
    [
        (AS_OF - timedelta(days=3), "2026-10-26T00:00:00", "2026-11-22T09:15:00"),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), "2026-04-27T00:00:00", "2026-05-03T23:59:59"),
        # A Sunday, told by a source that may be a day late.
        (datetime(2026, 5, 3, 12, tzinfo=UTC), "2026-04-27T00:00:00", "2026-05-10T23:59:59"),
    ],
)
def test_an_interval_reaches_from_monday_to_sunday(seen: datetime, earliest: str, latest: str) -> None:
    kept = recorded_inventory(files_of(site(User(id="1", directory="d", seen=seen_at(seen))))).users[0].seen
    assert kept == Seen(
        datetime.fromisoformat(earliest).replace(tzinfo=UTC),
        datetime.fromisoformat(latest).replace(tzinfo=UTC),
        "snapshot",
    )


def test_an_interval_that_reaches_into_the_week_of_the_reading_ends_with_it() -> None:
    long = Seen(AS_OF - timedelta(days=200), AS_OF - timedelta(days=1))
    kept = recorded_inventory(files_of(site(User(id="1", directory="d", seen=long)))).users[0].seen
    assert isinstance(kept, Seen)
    assert kept.latest == AS_OF


def test_a_clock_that_runs_ahead_stays_visible() -> None:
    ahead = seen_at(AS_OF + timedelta(days=9), "content")
    kept = recorded_inventory(files_of(site(User(id="1", directory="d", seen=ahead)))).users[0].seen
    assert isinstance(kept, Seen)
    assert kept.earliest > AS_OF


def test_a_snapshot_reads_like_a_site_that_tells_no_names() -> None:
    inventory = organization(Random(3))
    reader = Recorded(files_of(inventory))
    live = reader.read()
    assert live.people is NOBODY
    assert (
        reader.ask(live.inventory, {user.id: frozenset({"roles"}) for user in live.inventory.users}) is live.inventory
    )
    assert reader.user(inventory.users[0].id, frozenset({"tokens"})) == live.inventory.users[0]
    assert reader.user("nobody") is None
    assert [reader.group_modifiable(one.id) for one in inventory.groups] == [one.modifiable for one in inventory.groups]
    assert reader.group_modifiable("nothing") is None


GROUPS = (Group(id="g-1", name="users", directory="d"), Group(id="g-2", name="all", directory="d"))
SOUND = files_of(
    site(
        User(id="1", directory="d", groups=("g-1", "g-2"), seats=(GroupSeat(("g-1",)),), seen=seen_at(AS_OF)),
        User(id="2", directory="d", groups=("g-1",), seats=(GroupSeat(("g-1",)),), seen=Never()),
        User(id="3", directory="d", seen=Unknown("not read")),
        groups=GROUPS,
    )
)


def shard(account: str) -> str:
    return layout.shard(account)


def test_members_of_a_group_without_a_file_are_told_by_the_ways_to_their_licenses() -> None:
    assert [row.file for row in read_manifest(SOUND[layout.MANIFEST]).groups] == [None, "groups/all.txt"]
    found = recorded_inventory(SOUND)
    assert [user.groups for user in found.users] == [("g-1", "g-2"), ("g-1",), None]


def changed(path: str, old: bytes, new: bytes) -> dict[str, bytes]:
    assert old in SOUND[path]
    return SOUND | {path: SOUND[path].replace(old, new)}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "There is no manifest.json"),
        (SOUND | {layout.MANIFEST: b"{"}, "manifest.json cannot be read"),
        (changed(layout.MANIFEST, b'"format": 1', b'"format": 2'), "has format 2; this version knows 1"),
        ({path: data for path, data in SOUND.items() if path != shard("2")}, "counts 3 accounts but there are 2"),
        (SOUND | {shard("1"): SOUND[shard("1")] + b"{}\n"}, f"{shard('1')}:2 cannot be read"),
        (SOUND | {shard("1"): SOUND[shard("1")] * 2}, "An account has several lines"),
        ({path: data for path, data in SOUND.items() if path != "groups/all.txt"}, "groups/all.txt is missing"),
        (SOUND | {"groups/all.txt": b"1"}, "The last line of groups/all.txt was cut off"),
        (SOUND | {"groups/all.txt": b"\xff\n"}, "groups/all.txt cannot be read"),
        (SOUND | {"groups/all.txt": b'"1\n'}, "groups/all.txt cannot be read"),
        (SOUND | {"groups/all.txt": b"1\n2\n"}, "counts 1 members of g-2 but 2 are told"),
        (SOUND | {"groups/all.txt": b"9\n"}, "lists an account that has no groups, or no line"),
        (SOUND | {"groups/all.txt": b"3\n"}, "lists an account that has no groups, or no line"),
        (changed(shard("1"), b'["g-1"]', b'["g-9"]'), "through a group that manifest.json does not have"),
        (changed(shard("1"), b'["g-1"]', b"[]"), "through a group that manifest.json does not have"),
        (changed(layout.MANIFEST, b'"ended": true', b'"ended": false'), "does not fit its manifest"),
    ],
)
def test_a_snapshot_that_does_not_fit_together_is_refused(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(StateError, match=said.replace(".", r"\.").replace("[", r"\[")) as caught:
        recorded_inventory(files)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "weeks",
    [("2026-W99", "2026-W99"), ("soon", "later"), ("2026-W20", "2026-W19"), ("9999-W52", "9999-W52"), ("", "")],
)
def test_weeks_that_are_none_are_refused(weeks: tuple[str, str]) -> None:
    use = b'{"first":"%s","is":"seen","last":"%s"}' % (weeks[0].encode(), weeks[1].encode())
    with pytest.raises(StateError, match="the snapshot cannot be read"):
        recorded_inventory(changed(shard("1"), b'{"is":"recent"}', use))


@settings(max_examples=200)
@given(st.sampled_from(sorted(SOUND)), st.integers(0, 10_000), st.integers(0, 255))
def test_any_bytes_are_an_inventory_or_a_clear_refusal(path: str, at: int, byte: int) -> None:
    data = bytearray(SOUND[path])
    data[at % len(data)] = byte
    with suppress(StateError):  # any other error would be a defect
        assert recorded_inventory(SOUND | {path: bytes(data)}).recorded

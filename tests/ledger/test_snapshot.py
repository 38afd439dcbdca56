from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger.chain import FORMAT
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.ledger.snapshot import (
    manifest_bytes,
    manifest_of,
    snapshot,
)
from cleanup_gitops.model.activity import LAG_DAYS, Activity, Never, Seen, Unknown, seen_at
from cleanup_gitops.model.group import Directory, Grant, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Since
from cleanup_gitops.model.user import GroupSeat, RoleSeat, User
from tests import strategies as some
from tests.ledger.snapshots import site

INTERNAL = frozenset({"acme.com"})
KEPT = {
    "id", "directory", "kind", "license", "status", "managed", "synced", "domain", "added",
    "seat_since", "seats", "seen", "groups", "status_since", "accepted", "writable", "admin",
    "external", "has_email", "roles", "attributes", "since",
}  # fmt: skip
CANARY = "Ada Canary <ada@canary.example>"


def files_of(inventory: Inventory) -> dict[str, bytes]:
    return snapshot(inventory, domains=INTERNAL).files


def rows(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """All account lines by id."""
    lines = [line for path in files if path.startswith("accounts/") for line in files[path].splitlines()]
    return {row["id"]: row for row in map(msgspec.json.decode, lines)}


def use_of(seen: Activity, as_of: datetime = some.AS_OF) -> dict[str, Any]:
    inventory = site(User(id="1", directory="d", seen=seen), as_of=as_of)
    found: dict[str, Any] = rows(files_of(inventory))["1"]["seen"]
    return found


@given(some.inventories())
def test_every_account_has_one_line_in_its_shard_sorted_and_with_known_keys_only(
    inventory: Inventory,
) -> None:
    files = files_of(inventory)
    found = rows(files)
    assert found.keys() == {user.id for user in inventory.users}
    for path, data in files.items():
        if path.startswith("accounts/"):
            ids = [msgspec.json.decode(line)["id"] for line in data.splitlines()]
            assert ids == sorted(ids)
            assert {hashlib.sha256(one.encode()).hexdigest()[:2] for one in ids} == {path[9:11]}
            assert data.endswith(b"\n")
    assert all(row.keys() <= KEPT for row in found.values())


@given(some.inventories())
def test_memberships_can_be_told_from_group_files_and_seat_paths(inventory: Inventory) -> None:
    shot = snapshot(inventory, domains=INTERNAL)
    accounts = rows(shot.files)
    for group in shot.groups:
        members = {user.id for user in inventory.users if group.id in (user.groups or ())}
        if group.file is None:
            told = {
                account
                for account, row in accounts.items()
                if any(seat.get("chain", [None])[0] == group.id for seat in row.get("seats", ()))
            }
        else:
            told = set(shot.files[group.file].decode().splitlines())
        assert told == members
        assert group.members == len(members)
    unread = {user.id for user in inventory.users if user.groups is None}
    assert {one for one, row in accounts.items() if row.get("groups") == "unknown"} == unread


@given(some.inventories())
def test_the_same_inventory_gives_the_same_bytes_whatever_the_order_of_its_sets(
    inventory: Inventory,
) -> None:
    turned = msgspec.structs.replace(
        inventory,
        users=tuple(
            msgspec.structs.replace(
                user,
                groups=user.groups and user.groups[::-1],
                seats=user.seats and user.seats[::-1],
            )
            for user in inventory.users
        ),
    )
    assert files_of(inventory) == files_of(turned)


@pytest.mark.case("E79", "F21")
@given(some.inventories())
def test_what_is_no_fact_of_an_account_never_gets_in(inventory: Inventory) -> None:
    marked = msgspec.structs.replace(
        inventory,
        users=tuple(
            msgspec.structs.replace(
                user,
                attributes=(("name", CANARY), (CANARY, "x")),
                elsewhere=((CANARY, Never()),),
                domain="canary.example",
            )
            for user in inventory.users
        ),
    )
    assert not any(b"anary" in data or b"@" in data for data in files_of(marked).values())


def test_a_domain_is_kept_only_when_it_is_internal_or_named() -> None:
    found = rows(
        files_of(
            site(
                User(id="1", directory="d", domain="acme.com"),
                User(id="2", directory="d", domain="private.example"),
                User(id="3", directory="d"),
            )
        )
    )
    assert [row.get("domain") for row in found.values()].count("acme.com") == 1
    assert "domain" not in found["2"]
    assert "domain" not in found["3"]


def test_unknown_facts_are_absent_and_no_seat_is_not_an_unknown_seat() -> None:
    found = rows(
        files_of(
            site(
                User(id="1", directory="d", groups=()),
                User(id="2", directory="d", groups=(), seats=(), managed=False),
            )
        )
    )
    assert found["1"] == {
        "id": "1",
        "directory": "d",
        "kind": "unknown",
        "license": "unknown",
        "status": "unknown",
        "seen": {"is": "unknown", "reason": "not read"},
    }
    assert found["2"]["seats"] == []
    assert found["2"]["managed"] is False


@pytest.mark.parametrize(
    ("seen", "use"),
    [
        (seen_at(some.AS_OF), {"is": "recent"}),
        (seen_at(some.AS_OF - timedelta(days=27)), {"is": "recent"}),
        (
            seen_at(some.AS_OF - timedelta(days=28), "content"),
            {"is": "seen", "first": "2026-W43", "last": "2026-W43"},
        ),
        # A Sunday in a source that may be a day late: perhaps it was Monday.
        (
            seen_at(datetime(2026, 5, 3, 12, tzinfo=UTC)),
            {"is": "seen", "first": "2026-W18", "last": "2026-W19"},
        ),
        # Not recent for sure: the interval begins long ago.
        (
            Seen(some.AS_OF - timedelta(days=200), some.AS_OF, "content"),
            {"is": "seen", "first": "2026-W19", "last": "2026-W47"},
        ),
        # A clock that runs ahead is not made to look right.
        (
            seen_at(some.AS_OF + timedelta(days=9), "content"),
            {"is": "seen", "first": "2026-W49", "last": "2026-W49"},
        ),
        (
            seen_at(datetime(2025, 12, 30, tzinfo=UTC), "content"),
            {"is": "seen", "first": "2026-W01", "last": "2026-W01"},
        ),
        (Never(datetime(2026, 1, 2, 3, tzinfo=UTC)), {"is": "never", "since": "2026-01-02"}),
        (Never(), {"is": "never", "since": None}),
        (Unknown("not in the answer"), {"is": "unknown", "reason": "not in the answer"}),
    ],
)
def test_the_last_use_is_kept_as_recent_or_by_week_or_honestly_not_at_all(seen: Activity, use: dict[str, Any]) -> None:
    assert use_of(seen) == use


@given(some.sightings())
def test_the_kept_interval_is_never_narrower_than_the_truth(seen: Seen) -> None:
    use = use_of(seen)
    today = some.AS_OF.date()
    if use["is"] == "recent":
        first, last = today - timedelta(days=27), today
    else:
        first, last = (datetime.strptime(f"{use[end]}-1", "%G-W%V-%u").date() for end in ("first", "last"))  # noqa: DTZ007
        last += timedelta(days=6)
    really = seen.latest.date() + timedelta(days=LAG_DAYS[seen.source])
    assert first <= seen.earliest.date()
    assert min(really, today) <= last


@given(some.inventories(), st.integers(0, 86_000))
def test_on_a_quiet_day_no_account_and_no_group_changes(inventory: Inventory, seconds: int) -> None:
    """Everybody who came lately came again later the same day; nobody else did anything."""
    later = some.AS_OF.replace(hour=0, minute=0) + timedelta(seconds=seconds)
    lately = some.AS_OF - timedelta(days=20)
    users = tuple(
        msgspec.structs.replace(user, seen=seen_at(later))
        if isinstance(user.seen, Seen) and user.seen.earliest > lately
        else user
        for user in inventory.users
    )
    again = msgspec.structs.replace(inventory, as_of=later, users=users)
    assert files_of(again) == files_of(inventory)


def test_a_group_of_nearly_everybody_has_no_file_when_seat_paths_tell_its_members() -> None:
    def member(number: int, *seats: GroupSeat | RoleSeat) -> User:
        return User(id=str(number), directory="d", groups=("g-1", "g-2"), seats=seats)

    groups = (Group(id="g-1", name="users", directory="d"), Group(id="g-2", name="all", directory="d"))
    path = GroupSeat(("g-1",))
    shot = snapshot(site(member(1, path), member(2, path), groups=groups), domains=INTERNAL)
    assert [row.file for row in shot.groups] == [None, "groups/all.txt"]
    assert shot.files["groups/all.txt"] == b"1\n2\n"
    odd = snapshot(site(member(1, path), member(2), groups=groups), domains=INTERNAL)
    assert [row.file for row in odd.groups] == ["groups/users.txt", "groups/all.txt"]


def test_an_empty_group_has_an_empty_file() -> None:
    files = files_of(site(groups=(Group(id="g-1", name="nobody", directory="d"),)))
    assert files == {"groups/nobody.txt": b""}


def test_an_id_that_is_no_single_line_is_written_as_json() -> None:
    users = [User(id=one, directory="d", groups=("g",)) for one in ("\na", '"b', "c d")]
    files = files_of(
        site(
            *users,
            User(id="d", directory="d", groups=()),
            User(id="e", directory="d"),
            User(id="f", directory="d"),
            groups=(Group(id="g", name="g", directory="d"),),
        )
    )
    assert files["groups/g.txt"] == b'"\\na"\n"\\"b"\nc d\n'


def test_facts_are_kept_so_that_none_and_unknown_stay_apart() -> None:
    facts: dict[str, Any] = {"external": False, "admin": True, "writable": True, "has_email": False}
    found = rows(
        files_of(
            site(
                User(id="1", directory="d", groups=(), roles=(), **facts),
                User(id="2", directory="d", groups=(), roles=("site-admin",)),
            )
        )
    )
    assert {name: found["1"][name] for name in facts} == facts
    assert found["1"]["roles"] == []
    assert found["2"]["roles"] == ["site-admin"]
    assert facts.keys().isdisjoint(found["2"])


def test_only_attributes_that_are_named_are_kept() -> None:
    inventory = site(User(id="1", directory="d", attributes=(("department", "Sales"), ("job_title", "Clerk"))))
    assert "attributes" not in rows(files_of(inventory))["1"]
    shot = snapshot(inventory, domains=INTERNAL, attributes=("department", "location"))
    assert rows(shot.files)["1"]["attributes"] == {"department": "Sales"}


def test_what_history_tells_stands_in_the_row() -> None:
    inventory = site(User(id="1", directory="d"), User(id="2", directory="d"))
    since = {"2": Since(status_by=date(2026, 5, 4), status_after=date(2026, 5, 1), seat=date(2026, 5, 4))}
    found = rows(snapshot(inventory, domains=INTERNAL, since=since).files)
    assert "since" not in found["1"]
    assert found["2"]["since"] == {"status_by": "2026-05-04", "status_after": "2026-05-01", "seat": "2026-05-04"}


def test_who_said_that_somebody_never_came_is_kept_where_it_was_not_the_directory() -> None:
    assert use_of(Never(None, "content")) == {"is": "never", "since": None, "source": "content"}


def test_a_group_is_kept_with_all_that_a_plan_asks_about_it() -> None:
    group = Group(
        id="g-1",
        name="users",
        directory="d",
        modifiable=False,
        synced=True,
        license="seat",
        admin=False,
        grants=(Grant("confluence", "user"),),
    )
    row = snapshot(site(groups=(group, Group(id="g-2", name="all", directory="d"))), domains=INTERNAL).groups
    assert msgspec.to_builtins(row) == (
        {
            "id": "g-1",
            "name": "users",
            "members": 0,
            "file": "groups/users.txt",
            "directory": "d",
            "modifiable": False,
            "synced": True,
            "license": "seat",
            "admin": False,
            "grants": ({"product": "confluence", "role": "user"},),
        },
        {"id": "g-2", "name": "all", "members": 0, "file": "groups/all.txt", "directory": "d"},
    )


def test_the_manifest_says_what_the_snapshot_is_and_proves_it_whole() -> None:
    users = (
        User(id="1", directory="d", status="active", license="seat"),
        User(id="2", directory="d", status="active", license="none", seen=Never()),
    )
    inventory = msgspec.structs.replace(
        site(*users), directories=(Directory(id="d", name="Default"),), runner=("1",), claimed_domains=("acme.com",)
    )
    manifest = manifest_of(
        inventory,
        (),
        lineage="sha256:l",
        serial=3,
        tool_version="0.1.0",
        state="sha256:s",
        attributes=("organization", "department"),
        began=some.AS_OF - timedelta(days=2),
    )
    assert msgspec.json.decode(manifest_bytes(manifest)) == {
        "format": FORMAT,
        "site": "acme",
        "hosting": "cloud",
        "tool_version": "0.1.0",
        "lineage": "sha256:l",
        "serial": 3,
        "as_of": "2026-11-22T09:15:00Z",
        "began": "2026-11-20T09:15:00Z",
        "counts": {"accounts": 2, "seats": 1, "groups": 0, "known": 1},
        "groups": [],
        "directories": [{"id": "d", "name": "Default", "writable": True}],
        "runner": ["1"],
        "claimed_domains": ["acme.com"],
        "seat_limit": None,
        "attributes": ["department", "organization"],
        "proof": msgspec.json.decode(msgspec.json.encode(inventory.proof)),
        "state": "sha256:s",
    }
    assert manifest_bytes(manifest).endswith(b"}\n")
    assert read_manifest(manifest_bytes(manifest)) == manifest


def test_a_first_snapshot_begins_with_itself() -> None:
    manifest = manifest_of(site(), (), lineage="l", serial=1, tool_version="0", state="s")
    assert manifest.began == some.AS_OF

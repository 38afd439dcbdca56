"""What only a row of snapshots knows: since when a status is so, and since when there is a seat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cleanup_gitops.ledger.recorded import recorded_inventory
from cleanup_gitops.ledger.rows import read_accounts
from cleanup_gitops.ledger.since import history_of, since_of, with_history
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Since
from cleanup_gitops.model.user import License, Status, User
from tests.ledger import snapshots
from tests.ledger.snapshots import files_of

START = datetime(2026, 5, 1, 7, 30, tzinfo=UTC)


def at(day: int) -> datetime:
    """The reading of a day, counted from the first snapshot."""
    return START + timedelta(days=day)


def on(day: int) -> date:
    return at(day).date()


def midnight(day: int) -> datetime:
    return at(day).replace(hour=0, minute=0)


def user(account: str = "1", **facts: Any) -> User:  # noqa: ANN401 - fields of a User
    return User(id=account, directory="d", **({"status": "active", "license": "seat"} | facts))


def site(day: int, *users: User) -> Inventory:
    return snapshots.site(*users, as_of=at(day))


def record(files: dict[str, bytes], inventory: Inventory) -> dict[str, bytes]:
    """The files after one more snapshot."""
    return files_of(inventory, before=files)


def recorded(days: Sequence[tuple[int, dict[str, Any] | None]]) -> dict[str, bytes]:
    """Snapshots of account "1" on these days; ``None``: it is not there. Another account always is."""
    files: dict[str, bytes] = {}
    for day, facts in days:
        own = () if facts is None else (user(**facts),)
        files = record(files, site(day, user("0"), *own))
    return files


def since(*days: tuple[int, dict[str, Any] | None]) -> Since | None:
    """What the row of account "1" says after these snapshots."""
    return read_accounts(recorded(days))["1"].since


def statuses(*days: tuple[int, Status]) -> Since | None:
    return since(*((day, {"status": status}) for day, status in days))


def seats(*days: tuple[int, License]) -> date | None:
    found = since(*((day, {"license": one}) for day, one in days))
    return found.seat if found else None


def test_what_is_as_in_the_first_snapshot_is_not_written() -> None:
    assert statuses((0, "suspended")) is None
    assert statuses((0, "suspended"), (1, "suspended"), (90, "suspended")) is None


def test_a_status_that_changed_did_so_between_two_snapshots() -> None:
    changed = Since(status_by=on(5), status_after=on(2))
    assert statuses((0, "active"), (2, "active"), (5, "suspended")) == changed
    assert statuses((0, "active"), (2, "active"), (5, "suspended"), (9, "suspended")) == changed
    again = Since(status_by=on(7), status_after=on(5), restored=on(7))
    assert statuses((0, "active"), (5, "suspended"), (7, "active")) == again


def test_a_clock_that_went_back_makes_no_status_older_than_the_snapshot_that_showed_another() -> None:
    assert statuses((0, "active"), (9, "active"), (1, "suspended")) == Since(status_by=on(9), status_after=on(9))


def test_a_new_account_is_so_since_its_first_snapshot_at_the_latest() -> None:
    assert since((0, None), (4, {"license": "none"}), (6, {"license": "none"})) == Since(status_by=on(4))


def test_an_unknown_status_tells_nothing_and_is_no_status_before() -> None:
    assert statuses((0, "active"), (3, "unknown"), (5, "active")) == Since(status_by=on(5))


def test_a_seat_is_dated_from_the_first_snapshot_with_one_after_one_without() -> None:
    assert seats((0, "seat"), (5, "seat")) is None
    assert seats((0, "none"), (5, "seat")) == on(5)
    assert seats((0, "guest"), (5, "seat"), (9, "seat")) == on(5)
    assert seats((0, "seat"), (5, "none")) is None
    assert seats((0, "seat"), (5, "none"), (6, "seat")) == on(6)
    new = since((0, None), (3, {}), (8, {}))
    assert new is not None
    assert new.seat == on(3)


def test_a_license_that_is_not_known_for_a_while_neither_grants_nor_loses_a_seat() -> None:
    assert seats((0, "seat"), (5, "unknown"), (6, "seat")) is None
    assert seats((0, "none"), (5, "seat"), (6, "unknown"), (7, "seat")) == on(5)
    assert seats((0, "none"), (5, "unknown"), (6, "seat")) == on(5)
    assert seats((0, "unknown"), (6, "seat")) is None


@pytest.mark.parametrize("closed", ["suspended", "disabled", "deactivated", "absent", "deleting"])
def test_an_account_that_was_closed_and_is_active_was_restored(closed: Status) -> None:
    back = statuses((0, closed), (3, "active"), (9, "active"))
    assert back == Since(status_by=on(3), status_after=on(0), restored=on(3))
    after = statuses((0, closed), (3, "active"), (9, closed))
    assert after == Since(status_by=on(9), status_after=on(3))


def test_what_the_site_tells_wins_over_what_snapshots_tell() -> None:
    told: dict[str, Any] = {"status_since": at(-40), "seat_since": at(-30), "status": "suspended"}
    files = recorded([(0, {"license": "none"}), (5, told)])
    live = with_history(site(6, user("0"), user(**told)), history_of(files)).users[1]
    assert (live.status_since, live.status_by, live.status_after) == (at(-40), None, None)
    assert live.seat_since == at(-30)
    # The site stops telling: what it told is not forgotten.
    later = with_history(site(7, user("0"), user(status="suspended")), history_of(files)).users[1]
    assert (later.status_since, later.status_by) == (None, midnight(-40))


def test_the_live_site_is_told_what_the_snapshots_know() -> None:
    files = recorded([(0, {"license": "none"}), (5, {}), (9, {})])
    same, mine = with_history(site(20, user("0"), user()), history_of(files)).users
    assert (same.status_by, same.status_after, same.seat_since, same.restored_at) == (midnight(0), None, None, None)
    assert (mine.status_by, mine.seat_since) == (midnight(0), midnight(5))


def test_what_changed_since_the_last_snapshot_changed_between_it_and_now() -> None:
    files = recorded([(0, {"status": "suspended"}), (9, {"status": "suspended"})])
    _, mine, new = with_history(site(20, user("0"), user(), user("2", license="none")), history_of(files)).users
    assert (mine.status_by, mine.status_after, mine.restored_at) == (midnight(20), midnight(9), midnight(20))
    assert (new.status_by, new.status_after, new.seat_since) == (midnight(20), None, None)


def test_before_the_first_snapshot_nothing_is_known() -> None:
    live = site(0, user())
    assert with_history(live, history_of({})) is live
    assert since_of({}, live) == {}


STEPS = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.none()
        | st.fixed_dictionaries(
            {
                "status": st.sampled_from(get_args(Status)),
                "license": st.sampled_from(get_args(License)),
                "status_since": st.none() | st.just(at(-90)),
            }
        ),
    ),
    min_size=1,
    max_size=5,
)


@given(STEPS)
def test_the_live_site_with_its_history_is_what_the_next_snapshot_records(
    steps: list[tuple[int, dict[str, Any] | None]],
) -> None:
    files, day = record({}, site(0, user("0"))), 0
    for gap, facts in steps:
        day += gap
        read = site(day, user("0"), *(() if facts is None else (user(**facts),)))
        live = with_history(read, history_of(files))
        after = record(files, read)
        assert recorded_inventory(record(files, live)).users == recorded_inventory(after).users
        for one, kept in zip(live.users, recorded_inventory(after).users, strict=True):
            assert kept.status_by == one.status_by
            assert kept.status_after == one.status_after
            assert kept.seat_since == one.seat_since
            assert kept.restored_at == one.restored_at
            assert one.status_after is None or (one.status_by is not None and one.status_after <= one.status_by)
        files = after


@given(STEPS)
def test_the_next_day_without_any_change_writes_the_same_rows(steps: list[tuple[int, dict[str, Any] | None]]) -> None:
    day, files = 0, dict[str, bytes]()
    for gap, facts in steps:
        day += gap
        read = site(day, user("0"), *(() if facts is None else (user(**facts),)))
        files = record(files, read)
    tomorrow = record(files, replace(read, as_of=at(day + 1)))
    assert read_accounts(tomorrow) == read_accounts(files)

"""What comes after a hit, to the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.activity import Activity, Never, Seen, Unknown, seen_at
from cleanup_gitops.rehearsal.hits import SEQUELS, SOON, Hit, Sequel, hit_of, told_of
from tests.rehearsal.test_backtest import member

AT = datetime(2026, 3, 1, 7, tzinfo=UTC)
LAST = datetime(2025, 11, 30, 23, 59, 59, tzinfo=UTC)
OLD = Seen(LAST - timedelta(days=7), LAST, "snapshot")


def days(number: int) -> datetime:
    return AT + timedelta(days=number)


def hit(seen: Activity = OLD) -> Hit:
    return hit_of(member("a", seen), AT)


@pytest.mark.parametrize(("after", "sequel"), [(SOON, "left"), (SOON + 1, "away")])
def test_whoever_is_gone_on_the_last_of_these_days_has_left(after: int, sequel: Sequel) -> None:
    one = hit()
    one.look(None, days(after).date())
    assert one.sequel(days(90).date()) == sequel


@pytest.mark.parametrize(("after", "sequel"), [(SOON - 1, "open"), (SOON, "away")])
def test_a_record_tells_of_a_hit_once_these_days_are_over(after: int, sequel: Sequel) -> None:
    assert hit().sequel(days(after).date()) == sequel


@pytest.mark.parametrize(
    ("before", "back", "sequel"),
    [(SOON - 1, SOON, "back"), (SOON - 1, SOON + 1, "perhaps"), (SOON, SOON + 1, "later")],
)
def test_the_snapshots_before_and_after_say_whether_it_was_so_soon(before: int, back: int, sequel: Sequel) -> None:
    one = hit()
    one.look(member("a", OLD), days(before).date())
    one.look(member("a", seen_at(days(back), "snapshot")), days(back).date())
    assert one.back == days(back).date()
    assert one.sequel(days(90).date()) == sequel


@pytest.mark.parametrize(
    ("then", "now", "back"),
    [
        (OLD, Seen(LAST, days(3), "snapshot"), False),
        (OLD, Seen(LAST + timedelta(seconds=1), days(3), "snapshot"), True),
        (Never(), Seen(AT - timedelta(days=400), AT - timedelta(days=390), "snapshot"), True),
        (Never(), Never(), False),
        (Unknown("not in the answer"), Seen(AT, days(3), "snapshot"), False),
        (Unknown("not in the answer"), Seen(AT + timedelta(seconds=1), days(3), "snapshot"), True),
    ],
)
def test_a_use_counts_when_all_of_its_interval_is_later(then: Activity, now: Activity, back: bool) -> None:
    one = hit(then)
    one.look(member("a", now), days(3).date())
    assert (one.back is not None) is back


@pytest.mark.parametrize(("after", "back"), [(0, False), (1, True)])
def test_an_account_that_is_opened_again_later_came_back(after: int, back: bool) -> None:
    one = hit()
    one.look(replace(member("a", OLD), restored_at=days(after).replace(hour=0)), days(5).date())
    assert (one.back is not None) is back


def test_a_closed_account_that_was_hit_has_left_only_when_it_is_gone() -> None:
    one = hit_of(replace(member("a", OLD), status="suspended"), AT)
    one.look(replace(member("a", OLD), status="suspended"), days(1).date())
    assert one.left is None
    one.look(None, days(2).date())
    assert one.left == days(2).date()


def test_what_is_too_young_and_what_is_not_clear_is_not_told() -> None:
    sequels = dict(zip(SEQUELS, (1, 2, 4, 8, 16, 32), strict=True))
    assert SEQUELS == ("back", "perhaps", "later", "away", "left", "open")
    assert told_of(sequels) == 1 + 4 + 8 + 16

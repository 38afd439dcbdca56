"""Schedules and windows on the clocks of a time zone: days that are left out, days that come twice, leap days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.policy.timing import Hours, Schedule, Windows, wrong_cron

OSLO = "Europe/Oslo"
WEEK = frozenset(range(5))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(*cron: str, zone: str = OSLO) -> Schedule:
    return Schedule(cron, zone)


@pytest.mark.case("E18")
@pytest.mark.parametrize(
    ("cron", "after", "found"),
    [
        ("17 7 * * 1-5", "2026-11-20T06:16", "2026-11-20T06:17"),  # a Friday, in winter
        ("17 7 * * 1-5", "2026-11-20T06:17", "2026-11-23T06:17"),
        ("17 7 * * *", "2026-07-01T00:00", "2026-07-01T05:17"),  # in summer
        ("30 2 * * *", "2026-03-28T12:00", "2026-03-29T01:00"),  # 02:30 is left out: when the clocks are put forward
        ("30 2 * * *", "2026-03-29T01:00", "2026-03-30T00:30"),
        ("30 2 * * *", "2026-10-24T12:00", "2026-10-25T00:30"),  # 02:30 comes twice: the first of them alone
        ("30 2 * * *", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("0 9 29 2 *", "2026-03-01T00:00", "2028-02-29T08:00"),
        ("0 0 1 * *", "2026-12-31T22:59", "2026-12-31T23:00"),  # the new year begins earlier there
    ],
)
def test_the_next_time_is_one_of_the_clocks_of_the_zone(cron: str, after: str, found: str) -> None:
    assert schedule(cron).next_after(at(after)) == at(found)


def test_of_several_lines_the_first_to_come_counts() -> None:
    both = schedule("0 6 * * *", "0 18 * * *", zone="UTC")
    assert both.next_after(at("2026-11-23T07:00")) == at("2026-11-23T18:00")
    assert both.next_after(at("2026-11-23T18:00")) == at("2026-11-24T06:00")


@pytest.mark.parametrize(
    ("since", "now", "due"),
    [
        ("2026-11-23T06:16", "2026-11-23T06:16", False),
        ("2026-11-23T06:16", "2026-11-23T06:17", True),
        ("2026-11-23T06:17", "2026-11-23T09:00", False),
        ("2026-11-01T00:00", "2026-11-22T00:00", True),  # however many times were missed
        ("2026-11-20T06:17", "2026-11-22T23:59", False),  # a weekend
    ],
)
def test_a_schedule_is_due_from_its_time_on(since: str, now: str, due: bool) -> None:
    assert schedule("17 7 * * 1-5").due(at(since), at(now)) is due


INSTANTS = st.integers(0, 3 * 365 * 1440).map(lambda number: at("2026-01-01T00:00") + timedelta(minutes=number))


@given(INSTANTS, st.integers(0, 23), st.integers(0, 59), st.sampled_from([OSLO, "America/New_York", "Australia/Perth"]))
def test_a_daily_schedule_comes_once_for_every_day_of_its_zone(
    begin: datetime, hour: int, minute: int, zone: str
) -> None:
    daily = schedule(f"{minute} {hour} * * *", zone=zone)
    first = daily.next_after(begin)
    second = daily.next_after(first)
    days = [one.astimezone(ZoneInfo(zone)).date() for one in (first, second)]
    assert days[1] - days[0] == timedelta(days=1)
    assert begin < first <= begin + timedelta(hours=26)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("17 7 * * 1-5", ""),
        ("*/5 * * * *", ""),
        ("0 0 29 2 *", ""),
        ("0 12 * * MON#1", ""),
        ("7 * * *", "must have five fields"),
        ("0 17 7 * * 1-5", "must have five fields"),
        ("@daily", "must have five fields"),
        ("61 7 * * *", "is no cron line: bad minute"),
        ("0 24 * * *", "is no cron line: bad hour"),
        ("0 0 30 2 *", "is no cron line: bad day-of-month"),
    ],
)
def test_a_cron_line_has_five_fields_and_a_time_that_comes(line: str, wrong: str) -> None:
    assert wrong_cron(line).startswith(wrong) if wrong else wrong_cron(line) == ""


OFFICE = (Hours(WEEK, 6 * 60, 18 * 60),)
FREEZE = ((date(2026, 12, 15), date(2027, 1, 5)),)


@pytest.mark.case("E18")
@pytest.mark.parametrize(
    ("windows", "now", "opens"),
    [
        (Windows(OSLO), "2026-11-22T03:00", "2026-11-22T03:00"),
        (Windows(OSLO, allow=OFFICE), "2026-11-20T16:59", "2026-11-20T16:59"),  # a Friday
        (Windows(OSLO, allow=OFFICE), "2026-11-20T17:00", "2026-11-23T05:00"),
        (Windows(OSLO, allow=OFFICE), "2026-06-05T16:00", "2026-06-08T04:00"),
        (Windows(OSLO, deny=FREEZE), "2026-12-14T22:59", "2026-12-14T22:59"),
        (Windows(OSLO, deny=FREEZE), "2026-12-14T23:00", "2027-01-05T23:00"),
        (Windows(OSLO, deny=FREEZE, allow=OFFICE), "2026-12-21T10:00", "2027-01-06T05:00"),  # deny wins
        (Windows(OSLO, allow=(Hours(frozenset({6}), 150, 180),)), "2026-03-28T10:00", "2026-04-05T00:30"),
        (Windows(OSLO, allow=(Hours(frozenset({6}), 150, 300),)), "2026-03-28T10:00", "2026-03-29T01:00"),
        (Windows(OSLO, allow=(Hours(frozenset({6}), 120, 180),)), "2026-10-25T00:59", "2026-10-25T00:59"),
        (Windows(OSLO, allow=(Hours(frozenset({0}), 0, 24 * 60),)), "2026-11-22T10:00", "2026-11-22T23:00"),
        (
            Windows(OSLO, allow=(Hours(frozenset({6}), 150, 360),)),
            "2026-10-24T20:00",
            "2026-10-25T00:30",
        ),  # comes twice
        (Windows("UTC", allow=(Hours(frozenset({6}), 1439, 24 * 60),)), "2026-11-22T20:00", "2026-11-22T23:59"),
        (Windows(OSLO, allow=(Hours(frozenset({6}), 135, 300),)), "2026-03-28T10:00", "2026-03-29T01:00"),
    ],
)
def test_windows_open_by_the_clocks_of_their_zone(windows: Windows, now: str, opens: str) -> None:
    assert windows.opens(at(now)) == at(opens)
    assert windows.open_at(at(now)) is (now == opens)


def test_windows_may_stay_closed() -> None:
    assert Windows("UTC", deny=((date(2026, 1, 1), date(2036, 1, 1)),)).opens(at("2026-11-22T00:00")) is None


HOURS = st.builds(
    lambda days, begin, length: Hours(frozenset(days), begin, min(begin + length, 1440)),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1380),
    st.integers(1, 300),
)


@given(
    st.sampled_from([at("2026-03-28T20:00"), at("2026-10-24T20:00"), at("2026-06-01T00:00")]),
    st.integers(0, 600),
    st.lists(HOURS, max_size=3),
    st.sampled_from([OSLO, "America/New_York", "UTC"]),
)
def test_windows_open_in_the_first_minute_in_which_they_are_open(
    begin: datetime, minutes: int, allow: list[Hours], zone: str
) -> None:
    windows = Windows(zone, deny=((date(2026, 3, 30), date(2026, 3, 30)),), allow=tuple(allow))
    now = begin + timedelta(minutes=minutes)
    ahead = (now + timedelta(minutes=number) for number in range(2 * 1440))
    slowly = next((one for one in ahead if windows.open_at(one)), None)
    found = windows.opens(now)
    assert found is not None
    assert found == slowly if slowly else found >= now + timedelta(days=2)

"""Everybody idle at once is a fault of the data; who counts as idle for that, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cleanup_gitops.model.plan import Check
from cleanup_gitops.policy.documents import Ensure, Stage
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InGroup, Match, Node
from tests.planner.guarded import broken, check_of, people, plan_for, site
from tests.planner.test_edge_cases_planner import TODAY, policy

ALL_IDLE = "reading:all_inactive"
FAULT = (
    ". That everybody is idle at once is a fault of the data: a source of activity that stands still, or answers for"
    " another product. Run again later; no Override lifts this"
)


@pytest.mark.case("E60")
@pytest.mark.parametrize("seen", ["2026-01-01", "never"])
@pytest.mark.parametrize(("idle", "busy", "passed"), [(5, 0, False), (50, 0, False), (50, 1, True), (4, 0, True)])
def test_everybody_idle_at_once_is_a_fault_of_the_data(idle: int, busy: int, passed: bool, seen: str) -> None:
    plan = plan_for(site(*people(idle, 0, seen=seen), *people(0, busy)))
    check = check_of(plan, ALL_IDLE)
    assert check.passed is passed
    assert plan.applyable is passed
    assert (check.found, check.override) == (idle, "")
    assert check.message.startswith(
        f"{idle} of {idle + busy} people with a seat look idle (not seen for more than 90 days"
    )
    assert ("run again later; no override lifts this" in check.message.lower()) is (not passed)


@pytest.mark.case("E60")
def test_an_unknown_last_use_does_not_hide_that_all_others_are_idle() -> None:
    users = [*people(30, 0), {"id": "u", "seen": "unknown: no answer"}]
    assert broken(plan_for(site(*users))) == [ALL_IDLE]


@pytest.mark.case("E60")
def test_people_who_just_came_and_never_looked_are_not_idle_and_guests_do_not_count() -> None:
    new = people(6, 0, seen="never", added="2026-11-20")
    assert check_of(plan_for(site(*new)), ALL_IDLE).passed
    guests = people(6, 0, groups=["g-guests"])
    assert check_of(plan_for(site(*guests)), ALL_IDLE).found == 0


@pytest.mark.case("E60")
def test_idle_is_what_the_policies_call_so_at_least_and_is_counted_from_the_reading() -> None:
    users = site(*people(6, 0, seen="2026-11-01"))
    assert check_of(plan_for(users), ALL_IDLE).passed
    strict = plan_for(users, policy(InactiveFor(14)))
    assert "not seen for more than 14 days" in check_of(strict, ALL_IDLE).message
    assert broken(strict) == [ALL_IDLE]
    assert broken(plan_for(users, policy(Match(none=(Match(none=(InactiveFor(14),)),))))) == [ALL_IDLE]
    assert check_of(plan_for(users, policy(InGroup(("users",)), Match(none=(InactiveFor(14),)))), ALL_IDLE).passed
    forecast = plan_for(users, created=TODAY + timedelta(days=300))
    assert check_of(forecast, ALL_IDLE).passed
    assert len(forecast.changes) == 6


def idle(*nodes: Node, none: Node | None = None, **facts: Any) -> Check:  # noqa: ANN401 - facts of all users
    """What is told of six people with these facts."""
    return check_of(plan_for(site(*people(6, 0, **facts)), policy(*nodes, none=none)), ALL_IDLE)


@pytest.mark.case("E60")
@pytest.mark.parametrize(("day", "passed"), [("2026-08-23", True), ("2026-08-22", False)])
def test_without_a_policy_about_idle_people_more_than_ninety_days_are_idle(day: str, passed: bool) -> None:
    """The directory may be a day late; a day begins at midnight."""
    midnight = f"{day}T23:59:59Z" if not passed else f"{day}T00:00:00Z"
    seen = {"is": "seen", "earliest": midnight, "latest": midnight, "source": "directory"}
    check = idle(HasSeat(wanted=True), seen=seen)
    assert check.passed is passed
    assert "(not seen for more than 90 days, or never)" in check.message
    never = {"is": "never", "since": midnight, "source": "directory"}
    assert idle(HasSeat(wanted=True), seen=never).passed is passed


@pytest.mark.case("E60")
def test_whoever_never_came_is_idle_since_the_day_they_were_added_as_far_as_it_is_known() -> None:
    def never(since: str | None, added: str | None) -> bool:
        seen = {"is": "never", "since": since, "source": "directory"}
        return idle(HasSeat(wanted=True), seen=seen, added=added).passed

    assert not never("2026-01-01T00:00:00Z", None)
    assert not never(None, "2026-01-01")
    assert never("2026-11-01T00:00:00Z", "2026-01-01")
    assert not never("2026-01-01T00:00:00Z", "2026-11-01")
    assert never(None, None)


@pytest.mark.case("E60")
def test_days_that_a_policy_excepts_say_nothing_of_what_is_idle() -> None:
    check = idle(InactiveFor(180), none=InactiveFor(7), seen="2026-10-01")
    assert "(not seen for more than 180 days, or never)" in check.message
    assert check.passed


@pytest.mark.case("E60")
@pytest.mark.parametrize(
    ("known", "allowed", "told"),
    [
        (0, 0, "; fewer than 5 people say nothing about the data"),
        (4, 4, "; fewer than 5 people say nothing about the data"),
        (5, 4, FAULT),
        (9, 8, FAULT),
    ],
)
def test_of_everybody_all_but_one_may_be_idle_and_of_a_handful_all(known: int, allowed: int, told: str) -> None:
    check = check_of(plan_for(site(*people(known, 0))), ALL_IDLE)
    assert (check.found, check.allowed, check.passed) == (known, allowed, known <= allowed)
    start = f"{known} of {known} people with a seat look idle (not seen for more than 90 days, or never)"
    assert check.message == start + told
    one_more = check_of(plan_for(site(*people(known, 5))), ALL_IDLE)
    assert (one_more.passed, one_more.allowed) == (True, known + 4)
    assert one_more.message == start.replace(f"of {known}", f"of {known + 5}")


@pytest.mark.case("E60")
def test_people_without_a_seat_and_robots_with_one_say_nothing_of_the_data() -> None:
    busy: list[dict[str, Any]] = [
        {"id": "bot", "kind": "app", "seen": "2026-11-21"},
        {"id": "reader", "groups": ["g-editors"], "seen": "2026-11-21"},
    ]
    assert broken(plan_for(site(*people(6, 0), *busy))) == [ALL_IDLE]


@pytest.mark.case("E60")
@pytest.mark.parametrize(("nodes", "none"), [((InactiveFor(30),), ()), ((), (InactiveFor(30),))])
def test_days_that_a_stage_asks_for_are_days_that_a_policy_asks_for(
    nodes: tuple[Node, ...], none: tuple[Node, ...]
) -> None:
    """Else a source that stands still for two months would take the seats of everybody."""
    stage = Stage(name="release", ensure=Ensure(groups_absent=("users",)), when=Match(all=nodes, none=none))
    asks = replace(policy(HasSeat(wanted=True)), stages=(stage,))
    plan = plan_for(site(*people(6, 0, seen="2026-10-01")), asks)
    assert broken(plan) == ([ALL_IDLE] if nodes else [])
    assert len(plan.changes) == (6 if nodes else 0)

"""Guards of single facts: dates that cannot be, actions that nobody allowed, groups that protect nobody, seats."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cleanup_gitops.model.activity import IN_FUTURE
from cleanup_gitops.model.plan import Seats
from cleanup_gitops.planner.guards.facts import seat_checks
from cleanup_gitops.policy.documents import Ensure, Protection
from tests.planner.guarded import broken, check_of, people, plan_for, site
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy

# -- dates ---------------------------------------------------------------------------------------------

AHEAD = f"unknown: {IN_FUTURE.reason}"
SECOND = timedelta(seconds=1)


def seen(at: datetime) -> dict[str, Any]:
    return {"is": "seen", "earliest": at.isoformat(), "latest": at.isoformat(), "source": "directory"}


def everywhere(at: datetime) -> list[dict[str, Any]]:
    """The places where a date can stand."""
    return [
        {"added": at.isoformat(), "seen": "2026-11-21"},
        {"seen": seen(at)},
        {"seen": "2026-11-21", "elsewhere": {"jira-software": "2026-11-01", "trello": seen(at)}},
    ]


@pytest.mark.parametrize(
    ("ahead", "wrong"), [(timedelta(hours=12), 0), (timedelta(days=1), 0), (timedelta(days=1) + SECOND, 3)]
)
def test_a_date_more_than_a_day_ahead_is_wrong_wherever_it_stands_and_less_are_two_clocks(
    ahead: timedelta, wrong: int
) -> None:
    users = [{"id": f"w-{number}", **facts} for number, facts in enumerate(everywhere(TODAY + ahead))]
    plan = plan_for(site(*users, *people(0, 7)), created=TODAY + timedelta(days=300))
    check = check_of(plan, "dates")
    assert check.passed is plan.applyable is (not wrong)
    assert check.message == f"{wrong} of 10 users have a date in the future" + (
        ": the site's dates, or the clock of this machine, cannot be trusted" if wrong else ""
    )


def test_a_last_use_that_a_site_reports_in_the_future_is_a_wrong_date_here_and_in_other_products() -> None:
    here = {"id": "a", "seen": AHEAD}
    elsewhere = {"id": "b", "seen": "2026-11-21", "elsewhere": {"trello": AHEAD}}
    unknown = {"id": "c", "seen": "unknown: no answer", "elsewhere": {"trello": "unknown: no answer"}, "added": None}
    plan = plan_for(site(here, elsewhere, *(unknown | {"id": one} for one in "cdef"), *people(0, 4)))
    assert check_of(plan, "dates").message == "2 of 10 users have a date in the future"


@pytest.mark.parametrize(
    ("wrong", "others", "passed"),
    [(1, 0, True), (2, 0, True), (3, 0, False), (2, 3, True), (3, 296, False), (3, 297, True), (4, 397, True)],
)
def test_from_three_wrong_dates_on_and_above_one_in_a_hundred_no_date_of_the_site_is_trusted(
    wrong: int, others: int, passed: bool
) -> None:
    users = [{"id": f"w-{number}", "added": "2027-01-01", "seen": "2026-11-21"} for number in range(wrong)]
    check = check_of(plan_for(site(*users, *people(0, others))), "dates")
    assert check.passed is passed
    assert check.message.startswith(f"{wrong} of {wrong + others} users have a date in the future")


# -- what is allowed at all ------------------------------------------------------------------------------


def test_an_action_that_nobody_allowed_stops_the_plan_and_the_line_that_would_allow_it_is_told() -> None:
    users, asks = site(*people(2, 9)), policy(IDLE)
    some = replace(WIDE, allow=frozenset({"user.disable", "membership.add"}), where="policies/g.yaml:3")
    plan = plan_for(users, asks, guardrails=some)
    assert broken(plan) == ["allow:membership.remove"]
    assert check_of(plan, "allow:membership.remove").message == (
        "2 planned, which Guardrails do not allow (policies/g.yaml:3); if it is meant, write under spec of a Guardrails"
        " document: allow: [user.disable, membership.remove, membership.add]"
    )
    fine = plan_for(users, asks, guardrails=replace(some, allow=frozenset({"membership.remove"})))
    assert check_of(fine, "allow:membership.remove").message == (
        "2 planned, which Guardrails allow (policies/g.yaml:3)"
    )
    assert [one.name for one in fine.checks if one.name.startswith("allow:")] == ["allow:membership.remove"]


@pytest.mark.parametrize(("group", "missing"), [("editors", ""), ("gone", "gone")])
def test_a_protected_group_that_is_not_there_protects_nobody_and_stops_everything(group: str, missing: str) -> None:
    shield = Protection(name="p", owner="o", groups=(group,))
    plan = plan_for(site(*people(1, 9)), protections=(shield,))
    check = check_of(plan, "protected-groups")
    assert check.passed is plan.applyable is (not missing)
    assert check.message == (
        f"protected groups that this site does not have: {missing} ()" if missing else "every protected group exists"
    )


# -- seats ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "taken", "passed", "told"),
    [
        (9, 9, 10, True, "the plan frees or needs none"),
        (9, 9, 12, True, "the plan frees or needs none"),
        (9, 7, 12, True, "the plan frees or needs none"),
        (9, 10, 9, True, "the plan needs 1 more"),
        (9, 10, 10, False, "the plan needs 1 more"),
        (5, 8, 7, True, "the plan needs 3 more"),
        (5, 8, 8, False, "the plan needs 3 more"),
    ],
)
def test_a_plan_takes_no_more_seats_than_are_left_and_one_that_takes_none_is_never_stopped(
    before: int, after: int, taken: int, passed: bool, told: str
) -> None:
    (check,) = seat_checks(Seats(before=before, after=after, limit=10), taken)
    assert (check.passed, check.message) == (passed, f"{taken} of 10 seats are taken, {told}")


def test_of_a_site_that_does_not_tell_how_many_seats_were_bought_nothing_is_checked() -> None:
    gives = policy(IDLE, ensure=Ensure(groups_present=("users",)))
    joins = people(2, 0, groups=["g-editors"])
    told = plan_for(site(*joins, *people(0, 6), seat_limit=7), gives)
    assert broken(told) == ["seats"]
    assert plan_for(site(*joins, *people(0, 6), seat_limit=8), gives).applyable
    silent = plan_for(site(*joins, *people(0, 6)), gives)
    assert silent.applyable
    assert "seats" not in {check.name for check in silent.checks}

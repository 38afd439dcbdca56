"""Rosters that came back short: rows that are missing neither say who left nor who stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cleanup_gitops.model.memory import Handed, Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guarding import Override
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.roster_rows import RosterRow, RosterRows
from tests.planner.guarded import broken, check_of, override, people, reading, site
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import TODAY


def roster(rows: int, name: str = "HR") -> RosterRows:
    """So many people who stay."""
    return RosterRows(name, tuple(RosterRow(line, account=f"busy-{line:03}") for line in range(rows)), "", "UTC")


def planned(now: int, before: int | None, *overrides: Override, drop: int | None = None, **more: RosterRows) -> Plan:
    """A plan with a roster of so many rows, of which a run used so many a week ago."""
    handed = () if before is None else (Handed(name="HR", rows=before, at=TODAY - timedelta(days=7)),)
    guardrails = replace(WIDE, where="g.yaml:1") if drop is None else reading(max_drop=drop)
    inventory = site(*people(0, 9))
    return make_plan(
        inventory,
        SitePolicies(site="acme", guardrails=guardrails, overrides=overrides),
        Memory(handed=handed),
        created=TODAY,
        as_of=TODAY,
        tool_version="0",
        lists=Lists(rosters={"hr": roster(now), **more}),
    )


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [(100, 100, 0), (100, 140, 0), (100, 97, 0), (4, 1, 0), (5, 1, 80), (100, 96, 4), (100, 90, 10), (100, 89, 11),
     (1000, 899, 11), (1000, 900, 10)],
)  # fmt: skip
def test_a_roster_that_lost_too_many_rows_stops_the_plan_and_a_few_do_not(before: int, now: int, found: int) -> None:
    plan = planned(now, before)
    check = check_of(plan, "roster:hr")
    assert (check.found, check.allowed, check.lifted) == (found, 10, ())
    assert check.passed is plan.applyable is (found <= 10)
    fewer = f"{found} % fewer; " if found else ""
    told = f"HR: {before:,} rows -> {now} since the run of 2026-11-15 ({fewer}max_drop 10 %; g.yaml:1)"
    assert check.message.startswith(told)
    assert (check.message == told) is bool(not check.override) is check.passed


def test_a_roster_that_came_back_short_says_what_may_be_the_cause_and_what_to_do() -> None:
    check = check_of(planned(60, 100), "roster:hr")
    assert check.message == (
        "HR: 100 rows -> 60 since the run of 2026-11-15 (40 % fewer; max_drop 10 %; g.yaml:1). An export that came back"
        " short looks like this: rows that are missing neither say who left nor who stays. Look at the file, and run"
        " again with a whole one"
    )
    assert "  guard: reading.max_drop\n  max: 40 # percent\n" in check.override


@pytest.mark.case("F7")
@pytest.mark.parametrize(
    ("now", "number", "passed"), [(89, 10, False), (89, 11, True), (60, 39, False), (60, 40, True)]
)
def test_an_override_lets_a_short_roster_in_up_to_its_percent_and_is_told(now: int, number: int, passed: bool) -> None:
    plan = planned(now, 100, override("reading.max_drop", number))
    check = check_of(plan, "roster:hr")
    assert (check.passed, check.allowed) == (passed, number if passed else 10)
    assert check.lifted == (("exception",) if passed else ())
    assert ("allows" in check.message and "which is not enough" in check.message) is not passed


def test_a_roster_that_no_run_has_used_has_nothing_to_be_compared_with_and_the_next_one_is_looked_at() -> None:
    plan = planned(60, 100, a=roster(5, "NEW"), z=roster(5, "LATE"))
    assert broken(plan) == ["roster:hr"]
    assert [one.name for one in plan.checks if one.name.startswith("roster:")] == ["roster:a", "roster:hr", "roster:z"]
    assert check_of(plan, "roster:a").message == (
        "NEW (5 rows): no run has used it yet, so there is nothing to compare with (max_drop 10 %; g.yaml:1)"
    )
    assert check_of(planned(60, None), "roster:hr").passed


def test_guardrails_say_how_much_a_roster_may_lose() -> None:
    assert broken(planned(60, 100, drop=39)) == ["roster:hr"]
    assert planned(60, 100, drop=40).applyable

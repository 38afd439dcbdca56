"""Schedules and windows: they only keep rows for later, one run catches up, and a quiet run leaves no second record."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import verify
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.errors import RefusedError, SiteError
from cleanup_gitops.model.run import Approval
from cleanup_gitops.model.standing import Approvals
from cleanup_gitops.policy.documents import Policy, Standing
from cleanup_gitops.policy.timing import Schedule, Windows
from cleanup_gitops.runner.desk import Stop
from cleanup_gitops.runner.standing import StandingChoice, with_notes
from cleanup_gitops.runner.times import times_of
from tests.fakes import NOON
from tests.runner.office import DORMANT, OTHERS, ROOMY, Office, open_git_office, open_office
from tests.runner.test_rollback import rollback

HOUR = 3600
DAY = 24 * HOUR
EVENING = Schedule(("0 18 * * *",), "UTC")
"""Six hours after the day of the tests begins, at noon."""
SCHEDULED = replace(DORMANT, schedule=EVENING)
SOAKED = replace(SCHEDULED, standing=Standing(9, timedelta(hours=2)))
KEY = Approval(kind="standing", by="SHA256:ben", at=NOON - timedelta(days=1), ref="approve/1")
APPROVED: Approvals = {"dormant": KEY}
FIRST, SECOND = "712020:0001", "712020:0002"
FROZEN = replace(ROOMY, windows=Windows("Europe/Oslo", deny=((date(2026, 11, 20), date(2026, 11, 23)),)))


def office_of(*idle: int, policy: Policy = SCHEDULED) -> Office:
    office = open_office(*idle)
    office.under(policies=(policy,))
    return office


def told(office: Office, standing: Approvals | None = None) -> dict[str, str]:
    """What a run does with each user: a result, or why it waits."""
    run = office.apply(standing=standing)
    return {one.user: one.result for one in run.outcomes} | {one.change.user: one.code for one in run.choice.left}


# -- schedules -----------------------------------------------------------------------------------------


def test_rows_wait_for_the_schedule_of_their_policy_and_it_is_said_until_when() -> None:
    office = office_of(100)
    run = office.apply()
    (left,) = run.choice.left
    assert (left.code, left.why) == ("schedule", "dormant acts next at 2026-11-22 18:00 UTC")
    assert left.until == NOON + timedelta(hours=6)
    assert not run.outcomes
    assert len(run.plan.changes) == 1
    office.clock.sleep(6 * HOUR - 1)
    assert told(office) == {FIRST: "schedule"}
    office.clock.sleep(1)
    assert told(office) == {FIRST: "applied"}


def test_however_many_times_were_missed_one_run_catches_up() -> None:
    office = office_of(100, 89)
    told(office)
    office.clock.sleep(3 * DAY)  # the second user is dormant by now
    assert told(office) == {FIRST: "applied", SECOND: "applied"}
    later = office_of(100, 90)
    told(later)
    later.clock.sleep(DAY)
    assert told(later) == {FIRST: "applied"}
    later.clock.sleep(HOUR)
    assert told(later) == {}
    later.clock.sleep(DAY - 2 * HOUR)
    assert told(later) == {SECOND: "applied"}


def test_the_times_of_a_new_schedule_count_from_the_first_run_that_knows_it() -> None:
    office = office_of(100, policy=DORMANT)
    office.under(policies=(replace(DORMANT, match=OTHERS.match, ensure=OTHERS.ensure),))
    office.apply()
    office.clock.sleep(7 * HOUR)
    office.under(policies=(SCHEDULED,))
    assert told(office) == {FIRST: "schedule"}


def test_a_run_that_was_void_does_not_use_up_the_time() -> None:
    office = office_of(100)
    told(office)
    office.clock.sleep(6 * HOUR)
    office.site.broken["read"] = [SiteError("The list of users broke off.")]
    with pytest.raises(SiteError):
        office.apply()
    office.clock.sleep(HOUR)
    assert told(office) == {FIRST: "applied"}
    assert told(office) == {}


def test_a_run_that_was_stopped_does_not_use_up_the_time_and_one_that_failed_does() -> None:
    office = office_of(100)
    told(office)
    office.clock.sleep(6 * HOUR)
    stop = Stop()
    stop.ask()
    office.apply(stop=stop)
    office.site.broken["write"] = [RefusedError("no")]
    assert told(office) == {FIRST: "failed"}
    assert told(office) == {FIRST: "schedule"}


def test_a_saved_plan_waits_for_the_schedule_too_and_its_rows_are_not_spent() -> None:
    office = office_of(100)
    saved = office.plan()
    run = office.apply(saved)
    assert [one.code for one in run.choice.left] == ["schedule"]
    assert not run.nothing_in_common
    office.clock.sleep(8 * HOUR)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]


def test_a_time_stays_due_until_somebody_has_approved() -> None:
    office = office_of(100)
    told(office)
    office.clock.sleep(7 * HOUR)
    assert told(office, {}) == {FIRST: "not-approved"}
    office.clock.sleep(2 * HOUR)
    assert [one.result for one in office.apply(office.plan()).outcomes] == ["applied"]


def test_a_soak_that_ends_within_the_hour_keeps_the_time_due() -> None:
    office = office_of(100, policy=SOAKED)
    office.clock.sleep(3.5 * HOUR)
    told(office, APPROVED)
    office.clock.sleep(1.6 * HOUR)  # not six yet
    assert told(office, APPROVED) == {FIRST: "soak"}
    soon = office_of(100, policy=SOAKED)
    soon.under(policies=(replace(SOAKED, schedule=None),))
    soon.clock.sleep(4.5 * HOUR)
    told(soon, APPROVED)
    soon.under(policies=(SOAKED,))
    soon.clock.sleep(0.1 * HOUR)
    assert told(soon, APPROVED) == {FIRST: "soak"}
    soon.clock.sleep(1.4 * HOUR)  # six o'clock; the soak ends in half an hour
    assert told(soon, APPROVED) == {FIRST: "soak"}
    soon.clock.sleep(HOUR)
    assert told(soon, APPROVED) == {FIRST: "applied"}


def test_a_soak_that_ends_later_waits_for_the_next_time() -> None:
    office = office_of(100, policy=SOAKED)
    told(office, APPROVED)
    office.under(policies=(replace(SOAKED, standing=Standing(9, timedelta(hours=9))),))
    office.clock.sleep(6 * HOUR)
    assert told(office, APPROVED) == {FIRST: "soak"}
    office.clock.sleep(4 * HOUR)
    assert told(office, APPROVED) == {FIRST: "schedule"}
    office.clock.sleep(20 * HOUR)
    assert told(office, APPROVED) == {FIRST: "applied"}


MONDAYS, TUESDAYS = Schedule(("0 18 * * 1",), "UTC"), Schedule(("0 18 * * 2",), "UTC")
AT_ONCE = Standing(9, timedelta(0))
BOTH_WAYS = pytest.mark.parametrize("standing", [None, {"dormant": KEY, "others": KEY}])


def days_until_done(office: Office, standing: Approvals | None) -> dict[str, int]:
    """After how many days each of an office's rows was carried out, with a run each day at noon."""
    found: dict[str, int] = {}
    for day in range(12):
        found |= {one.action: day for one in office.apply(standing=standing).outcomes if one.result == "applied"}
        office.clock.sleep(DAY)
    return found


@BOTH_WAYS
def test_what_takes_waits_for_what_gives_and_not_the_other_way_round(standing: Approvals | None) -> None:
    office = open_office(100)
    office.under(policies=(replace(SCHEDULED, standing=AT_ONCE), replace(OTHERS, standing=AT_ONCE)))
    run = office.apply(standing=standing)
    assert [one.action for one in run.outcomes] == ["membership.add"]
    assert [(one.code, one.behind) for one in run.choice.left] == [("schedule", None)]
    office = open_office(100)
    office.under(policies=(replace(DORMANT, standing=AT_ONCE), replace(OTHERS, standing=AT_ONCE, schedule=EVENING)))
    run = office.apply(standing=standing)
    assert not run.outcomes
    assert {one.code for one in run.choice.left} == {"schedule"}
    told_behind = {one.change.action: one.behind is not None for one in run.choice.left}
    assert told_behind == {"membership.add": False, "membership.remove": True}


@BOTH_WAYS
def test_rows_of_one_user_with_different_times_do_not_wait_for_each_other_for_good(standing: Approvals | None) -> None:
    office = open_office(100)  # it is a Sunday
    taking, giving = replace(DORMANT, schedule=MONDAYS), replace(OTHERS, schedule=TUESDAYS)
    office.under(policies=(replace(taking, standing=AT_ONCE), replace(giving, standing=AT_ONCE)))
    assert days_until_done(office, standing) == {"membership.add": 3, "membership.remove": 9}


@BOTH_WAYS
def test_a_row_of_two_policies_that_are_never_due_together_waits_for_the_first(standing: Approvals | None) -> None:
    office = open_office(100)
    same = replace(DORMANT, name="others", schedule=TUESDAYS, standing=AT_ONCE)
    office.under(policies=(replace(DORMANT, schedule=MONDAYS, standing=AT_ONCE), same))
    assert office.apply(standing=standing).choice.left[0].why == "dormant acts next at 2026-11-23 18:00 UTC"
    assert days_until_done(office, standing) == {"membership.remove": 2}


def test_who_leaves_does_not_wait_for_the_schedule_of_another_policy() -> None:
    office = office_of(100, policy=replace(DORMANT, termination=True))
    yearly = replace(DORMANT, name="yearly", termination=True, schedule=Schedule(("0 0 1 1 *",), "UTC"))
    office.under(policies=(*office.policies.policies, yearly))
    assert told(office) == {FIRST: "applied"}


# -- windows -------------------------------------------------------------------------------------------


@pytest.mark.case("E18")
def test_outside_the_windows_everything_waits_but_what_people_who_leave_lose() -> None:
    office = office_of(100, policy=DORMANT)
    office.under(guardrails=FROZEN)
    (left,) = office.apply().choice.left
    assert (left.code, left.why) == ("window", "they open at 2026-11-24 00:00 Europe/Oslo")
    office.under(policies=(replace(DORMANT, termination=True),))
    assert told(office) == {FIRST: "applied"}


def test_a_saved_plan_waits_for_the_windows() -> None:
    office = office_of(100, policy=DORMANT)
    saved = office.plan()
    office.under(guardrails=FROZEN)
    assert [one.code for one in office.apply(saved).choice.left] == ["window"]
    office.clock.sleep(36 * HOUR)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]


def test_a_freeze_keeps_nobody_from_taking_a_run_back() -> None:
    office = office_of(100, policy=DORMANT)
    run = office.apply()
    office.under(guardrails=FROZEN)
    office.clock.sleep(HOUR)
    assert [one.result for one in office.apply(rollback(office, run)).outcomes] == ["applied"]


def test_closed_windows_do_not_use_up_the_time_of_a_schedule() -> None:
    office = office_of(100)
    told(office)
    office.under(guardrails=FROZEN)
    office.clock.sleep(7 * HOUR)
    assert told(office) == {FIRST: "window"}
    office.clock.sleep(28 * HOUR)  # the windows opened at eleven in the evening
    assert told(office) == {FIRST: "applied"}


def test_a_plan_says_what_would_wait_and_keeps_it_for_a_review() -> None:
    office = office_of(100)
    plan = office.plan()
    times = times_of(plan, office.policies, memory_of(office.store.read()), office.site.read().inventory)
    noted = with_notes(plan, office.policies.policies, StandingChoice((), ()), times.wait)
    assert noted.changes[0].note.endswith("schedule: dormant acts next at 2026-11-22 18:00 UTC")
    assert noted.digest == plan.digest


SCHEDULES = st.sampled_from([None, EVENING, Schedule(("0 0 1 1 *",), "UTC")])


@given(st.booleans(), st.booleans(), st.integers(0, 72), SCHEDULES)
def test_schedules_and_windows_only_take_changes_away(
    frozen: bool, standing: bool, hours: int, schedule: Schedule | None
) -> None:
    def done(policy: Policy, windows: Windows | None) -> set[str]:
        office = open_office(100, 200)
        guardrails = replace(ROOMY, windows=windows)
        office.under(policies=(policy, OTHERS), guardrails=guardrails)
        stop = Stop()
        stop.ask()
        office.apply(stop=stop)  # it saw the schedule, and did nothing
        office.clock.sleep(hours * HOUR)
        return {one.change for one in office.apply(standing=APPROVED if standing else None).outcomes}

    policy = replace(DORMANT, standing=Standing(9, timedelta(0)) if standing else None)
    always = done(policy, None)
    assert done(replace(policy, schedule=schedule), FROZEN.windows if frozen else None) <= always
    assert standing or always


# -- runs that leave no record -------------------------------------------------------------------------


def kinds(office: Office) -> list[str]:
    return [one.kind for one in office.entries()]


@pytest.mark.case("E58")
def test_a_run_without_news_is_recorded_once_a_day() -> None:
    office = office_of(100)
    office.apply(standing={}, sparing=True)
    assert kinds(office) == ["run"]
    for _ in range(3):
        office.clock.sleep(HOUR)
        run = office.apply(standing={}, sparing=True)
        assert run.quiet
        assert run.commit == ""
    assert kinds(office) == ["run"]
    office.clock.sleep(DAY)
    assert not office.apply(standing={}, sparing=True).quiet
    office.clock.sleep(HOUR)
    assert office.apply(standing={}, sparing=True).quiet
    assert kinds(office) == ["run", "heartbeat"]


def test_what_is_newly_pending_is_recorded_at_once() -> None:
    office = office_of(100, 91, policy=SOAKED)
    office.apply(standing=APPROVED, sparing=True)
    office.clock.sleep(11 * HOUR)
    assert office.apply(standing=APPROVED, sparing=True).commit  # what was due was served
    office.clock.sleep(HOUR)  # midnight: the second user is dormant now
    run = office.apply(standing=APPROVED, sparing=True)
    assert run.commit
    assert len(memory_of(office.store.read()).waiting) == 1
    office.clock.sleep(HOUR)
    assert office.apply(standing=APPROVED, sparing=True).quiet


def test_other_runs_are_always_recorded() -> None:
    office = office_of(100)
    for _ in range(2):
        office.apply(standing={})
    assert kinds(office) == ["run", "run"]


def test_a_history_with_heartbeats_schedules_and_policies_that_are_spent_is_whole(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100, 5, 5, 5, 5, 5, 5, 5)
    once = replace(DORMANT, once=True, until=date(2026, 12, 31), digest="sha256:1")
    office.under(policies=(once, replace(OTHERS, schedule=EVENING, match=once.match)))
    office.apply(sparing=True)
    for _ in range(3):
        office.clock.sleep(DAY)
        office.apply(standing={}, sparing=True)
    assert "heartbeat" in kinds(office)
    memory = memory_of(office.store.read())
    assert [one.policy for one in memory.served] == ["others"]
    history = GitHistory(tmp_path, "acme", os.environ, branch=None)
    verdict = verify("acme", history.commits(), history.contents, oddities=history.oddities())
    assert verdict.findings == ()
    assert verdict.kinds["heartbeat"] == kinds(office).count("heartbeat")

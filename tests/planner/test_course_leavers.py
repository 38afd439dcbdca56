"""Terminations with stages: what was ended stays ended, is ended again when it is back, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.memory import Closed, Hold, Settling
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.policy.documents import Ensure, Policy, Stage
from cleanup_gitops.policy.tree import AttributeIs, HasSeat, Match, StatusIs
from tests.fakes import NOON
from tests.planner.staged import Days
from tests.planner.test_courses import IDLE, SUSPEND, WHO, becomes, days_of, rows
from tests.runner.office import SEATS

RELEASE = Stage(name="release", ensure=Ensure(no_access=True))
LEAVE = Stage(name="leave", ensure=Ensure(groups_absent=("others",)))
FIRST = replace(SUSPEND, after=0)
GIVES = Policy(
    name="gives",
    owner="iam",
    why="x",
    match=Match(all=(HasSeat(wanted=False),)),
    ensure=Ensure(groups_present=("confluence-users-acme",)),
)
SEATED = {"groups": (SEATS,), "seats": (GroupSeat((SEATS,)),), "license": "seat"}


def leaving(*stages: Stage, termination: bool = True, others: tuple[Policy, ...] = (), **facts: Any) -> Days:  # noqa: ANN401
    """One policy with these stages for who is idle, and other policies."""
    days = days_of(*stages)
    (policy,) = days.policies.policies
    days.policies = replace(days.policies, policies=(*others, replace(policy, termination=termination, **facts)))
    return days


def day(number: int) -> datetime:
    """So many days after the first one."""
    return NOON + timedelta(days=number)


def does(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.causes[0].name) for one in plan.changes if one.user == WHO]


@pytest.mark.parametrize("then", [(), (replace(LEAVE, after=20),)])
@pytest.mark.parametrize("termination", [True, False])
def test_what_was_so_before_a_stage_and_is_not_any_more_is_ended_again_for_who_has_left(
    then: tuple[Stage, ...], termination: bool
) -> None:
    """Others had suspended the account before. For a routine policy its stage is done, whatever comes later."""
    days = leaving(FIRST, *then, termination=termination)
    becomes(days, status="suspended")
    ended = [("closed", "suspend", "done")] * (not then)
    assert rows(days.run(NOON)) == [("entered", "suspend", None), ("done", "suspend", None), *ended]
    assert rows(days.run(day(1))) == []
    becomes(days, status="active")
    plan = days.run(day(2))
    if not termination:
        assert (rows(plan), does(plan)) == ([], [])
        return
    last = then[-1].name if then else "suspend"
    assert rows(plan) == [("closed", last, "restored"), ("entered", "suspend", None)]
    assert [one.episode for one in plan.lifecycle] == [1, 2]
    assert [one.known is not None for one in plan.lifecycle] == [False, True]
    assert does(plan) == [("user.disable", "p/suspend")]
    assert rows(days.run(day(3))) == ended


@pytest.mark.parametrize("termination", [True, False])
def test_an_access_that_a_run_ended_and_others_gave_back_is_ended_again_for_who_has_left_alone(
    termination: bool,
) -> None:
    days = leaving(RELEASE, SUSPEND, termination=termination)
    days.run(NOON)
    becomes(days, **SEATED)
    plan = days.run(day(3))
    again = [("entered", "release", None)] * termination
    assert rows(plan) == [("closed", "suspend", "restored"), *again]
    assert does(plan) == [("membership.remove", "p/release")] * termination
    assert {one.episode for one in days.memory.marks} == ({2} if termination else set())


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "suspended"},
        {"status": "deactivated"},
        {"status": "unknown"},
        {"status": "active", "direct": None},  # a list may show somebody who is active in another directory alone
    ],
)
def test_an_account_that_may_still_be_suspended_was_reopened_by_nobody(facts: dict[str, Any]) -> None:
    days = leaving(FIRST, replace(LEAVE, after=20))
    becomes(days, status="suspended")
    days.run(NOON)
    becomes(days, **facts)
    assert rows(days.plan(day(2))) == []


@pytest.mark.parametrize(("groups", "back"), [((SEATS,), False), (None, False), ((SEATS, "g-others"), True)])
def test_a_group_that_somebody_is_not_known_to_have_joined_is_not_left_again(
    groups: tuple[str, ...] | None, back: bool
) -> None:
    days = leaving(LEAVE, replace(SUSPEND, after=20))
    days.run(NOON)
    becomes(days, groups=groups)
    assert [row[0] for row in rows(days.plan(day(2)))] == ["closed", "entered"] * back


def test_nothing_of_a_stage_is_done_again_while_the_groups_of_somebody_are_not_known() -> None:
    days = leaving(replace(LEAVE, ensure=Ensure(groups_absent=("others",), no_tokens=True)), replace(SUSPEND, after=20))
    becomes(days, tokens=())
    days.run(NOON)
    becomes(days, tokens=("t-1",), groups=None)
    assert rows(days.plan(day(2))) == []
    becomes(days, groups=(SEATS,))
    assert [row[2] for row in rows(days.plan(day(2)))] == ["restored", None]


def test_what_was_sent_and_does_not_show_yet_is_not_taken_for_an_account_that_is_open_again() -> None:
    days = leaving(FIRST, replace(LEAVE, after=20))
    becomes(days, status="suspended")
    days.run(NOON)
    becomes(days, status="active")
    sent = Settling(run="r", address="token/t", user=WHO, at=day(2), after={"valid": False}, deadline=day(3))
    kept = list(days.lines)
    days.lines = [*kept, sent]
    assert rows(days.plan(day(2))) == []
    days.lines = [*kept, msgspec.structs.replace(sent, user="712020:runner")]
    assert [row[2] for row in rows(days.plan(day(2)))] == ["restored", None]


def test_who_was_told_at_the_end_is_not_told_again() -> None:
    days = leaving(FIRST, Stage(name="farewell", notify="farewell", after=1))
    days.run(NOON)
    assert [one.action for one in days.run(day(1)).changes] == ["notice.send"]
    assert rows(days.run(day(2))) == [("closed", "farewell", "done")]
    for later in (3, 4):
        plan = days.run(day(later))
        assert (rows(plan), does(plan)) == ([], [])


@pytest.mark.parametrize(("termination", "expected"), [(True, []), (False, [("closed", "suspend", "returned")])])
def test_who_leaves_and_goes_on_working_has_not_come_back(
    termination: bool, expected: list[tuple[str, str, str | None]]
) -> None:
    either = Match(any=(IDLE, StatusIs(("active",))))
    days = leaving(RELEASE, SUSPEND, termination=termination, match=either)
    days.run(NOON)
    becomes(days, seen=seen_at(day(3)))
    assert rows(days.plan(day(4))) == expected
    assert does(days.plan(day(7))) == [("user.disable", "p/suspend")] * termination


@pytest.mark.parametrize(
    ("why", "termination", "enters"),
    [("restored", True, True), ("rollback", True, False), ("restored", False, False), ("rollback", False, False)],
)
def test_only_a_rollback_keeps_who_has_left_out_of_the_first_stage(why: Any, termination: bool, enters: bool) -> None:  # noqa: ANN401
    days = leaving(RELEASE, SUSPEND, termination=termination)
    days.lines = [Hold(user=WHO, policy="p", until=day(5).date(), why=why, run="r")]
    plan = days.plan(NOON)
    assert rows(plan) == [("entered", "release", None)] * enters
    assert does(plan) == [("membership.remove", "p/release")] * enters


SALES = Match(all=(AttributeIs("department", ("sales",)),))


@pytest.mark.parametrize("last", ["release", "leave"])
def test_a_routine_policy_gives_back_what_was_ended_only_after_the_termination_is_over(last: str) -> None:
    """Not while its next stage is waited for, not on the day of its end, and not while the person goes on matching."""
    stages = (RELEASE, replace(LEAVE, after=2))[: 1 + (last == "leave")]
    days = leaving(*stages, others=(GIVES,), match=SALES)
    becomes(days, attributes=(("department", "sales"),))
    assert does(days.run(NOON)) == [("membership.remove", "p/release")]
    for later in range(1, 6):
        plan = days.run(day(later))
        assert does(plan) == []
        assert "also asked, but routine: gives" in plan.dispositions[WHO].note
    becomes(days, attributes=(("department", "legal"),))
    plan = days.run(day(6), apply=False)
    assert (rows(plan), does(plan)) == ([("free", last, "no-longer-matching")], [("membership.add", "gives")])
    assert does(days.plan(day(7))) == [("membership.add", "gives")]


def test_a_termination_that_was_broken_off_holds_nothing_from_who_matches_no_more() -> None:
    days = leaving(RELEASE, SUSPEND, others=(GIVES,), match=SALES)
    becomes(days, attributes=(("department", "sales"),))
    days.run(NOON)
    becomes(days, attributes=(("department", "legal"),))
    plan = days.run(day(2), apply=False)
    assert (rows(plan), does(plan)) == ([("closed", "suspend", "no-longer-matching")], [("membership.add", "gives")])
    assert does(days.plan(day(3))) == [("membership.add", "gives")]


@pytest.mark.parametrize("why", ["returned", "exempt"])
def test_a_termination_whose_first_condition_does_not_hold_keeps_nobody_from_anything(why: Any) -> None:  # noqa: ANN401
    """Also not who was in its stages once: nothing has been ended since."""
    first = replace(RELEASE, when=Match(all=(StatusIs(("suspended",)),)))
    days = leaving(first, SUSPEND, others=(GIVES,))
    days.lines = [Closed(user=WHO, policy="p", episode=1, at=day(-9), why=why)]
    becomes(days, groups=(), seats=(), license="none")
    assert does(days.plan(NOON)) == [("membership.add", "gives")]


def test_a_termination_that_waits_for_the_condition_of_a_stage_goes_on_being_meant() -> None:
    asleep = replace(SUSPEND, after=1, when=Match(all=(StatusIs(("deactivated",)),)))
    days = leaving(RELEASE, asleep, others=(GIVES,))
    days.run(NOON)
    for later in (1, 2):
        plan = days.run(day(later))
        assert does(plan) == []
        assert plan.dispositions[WHO].reason == "stage-condition"

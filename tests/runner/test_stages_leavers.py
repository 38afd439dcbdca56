"""Stages of terminations: an access that was ended stays ended, whoever had ended it, and nothing spares a leaver."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.planner import doubtful
from cleanup_gitops.policy.documents import Ensure, Policy, Protection, Stage
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InGroup, Match
from tests.runner.office import SEATS, Office
from tests.runner.test_stages import ONE, STAGED, closed, does, marks, rows, staged_office

IDLE = Match(all=(InactiveFor(90),))
LEAVES = replace(STAGED, match=IDLE, termination=True)
GIVES = Policy(
    name="gives",
    owner="iam",
    why="x",
    match=Match(all=(HasSeat(wanted=False),)),
    ensure=Ensure(groups_present=("confluence-users-acme",)),
)
SUSPENDED = replace(LEAVES, stages=(Stage(name="suspend", ensure=Ensure(status="suspended")),))


def leaving(*policies: Policy) -> Office:
    office = staged_office(200)
    office.under(policies=policies)
    return office


@pytest.mark.parametrize("then", ["done", "stuck"])
def test_a_routine_policy_gives_nothing_back_to_who_has_left(then: str) -> None:
    later = replace(STAGED.stages[1], after=1, when=Match(all=(InactiveFor(300),)))
    stages = (STAGED.stages[0],) if then == "done" else (STAGED.stages[0], later)
    office = leaving(replace(LEAVES, stages=stages), GIVES)
    office.apply()
    for _ in range(4):
        office.later(1)
        run = office.apply()
        assert does(run.plan) == []
        told = run.plan.dispositions[ONE]
        assert (told.state, told.reason) == ("unchanged", "already-so" if then == "done" else "stage-condition")
        assert "also asked, but routine: gives" in told.note
    routine = leaving(replace(LEAVES, stages=stages, termination=False), GIVES)
    routine.apply()
    routine.later(1)
    assert does(routine.plan()) == [("membership.add", "gives")]


def test_the_end_of_a_termination_frees_a_user_who_matches_no_more_for_other_policies() -> None:
    office = leaving(replace(LEAVES, stages=STAGED.stages[:1]), GIVES)
    office.apply()
    office.later(1)
    office.apply()
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    office.later(1)
    run = office.apply()
    assert rows(run.plan) == [("free", "release", "no-longer-matching")]
    assert does(run.plan) == [("membership.add", "gives")]


@pytest.mark.parametrize("by", ["before", "handed off", "a run"])
def test_who_left_and_has_an_open_account_again_is_closed_out_again(by: str) -> None:
    office = leaving(SUSPENDED)
    if by == "before":
        office.site.happens(ONE, status="suspended")
    if by == "handed off":
        office.site.happens(ONE, synced=True, writable=False)
    office.apply()
    office.later(1)
    office.site.happens(ONE, status="suspended")
    office.apply()
    assert closed(office) == [("0001", 1, "done")]
    office.later(1)
    assert rows(office.apply().plan) == []
    office.site.happens(ONE, status="active")
    office.later(1)
    run = office.apply()
    assert rows(run.plan) == [("closed", "suspend", "restored"), ("entered", "suspend", "")]
    if by == "handed off":
        assert [one.action for one in run.plan.handoffs] == ["user.disable"]
    else:
        assert does(run.plan) == [("user.disable", "dormant/suspend")]
    assert marks(office) == [("0001", 2, "suspend", by != "handed off")]


def test_a_first_stage_that_was_so_before_and_is_not_any_more_is_done_while_the_next_one_is_waited_for() -> None:
    office = leaving(replace(LEAVES, match=Match(all=(InGroup(("others",)),))))
    office.site.happens(ONE, groups=("g-others",), seats=(), license="none")
    office.apply()
    assert marks(office) == [("0001", 1, "release", True)]
    office.later(3)
    office.site.happens(ONE, groups=("g-others", SEATS), seats=(GroupSeat((SEATS,)),), license="seat")
    run = office.apply()
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    assert marks(office) == [("0001", 2, "release", True)]


def test_what_may_be_missing_in_lists_is_not_taken_for_an_access_that_is_back() -> None:
    office = leaving(SUSPENDED)
    office.site.late = True
    office.apply()
    office.later(0.001)
    run = office.apply()
    assert (rows(run.plan), marks(office)) == ([], [("0001", 1, "suspend", False)])


@pytest.mark.parametrize("leaves", [True, False])
def test_who_is_active_in_another_directory_alone_was_reopened_by_nobody(leaves: bool) -> None:
    office = leaving(replace(SUSPENDED, termination=leaves))
    office.apply()
    office.site.elsewhere = {ONE}
    for told in ([("closed", "suspend", "done")], []):
        office.later(1)
        run = office.apply()
        assert rows(run.plan) == told
        assert (does(run.plan), memory_of(office.store.read()).flaps) == ([], ())
    assert closed(office) == [("0001", 1, "done")]
    office.site.silent = {(ONE, "roles")}
    assert rows(office.apply().plan) == []
    office.site.silent = set()
    office.site.elsewhere = set()
    office.site.happens(ONE, status="active")
    run = office.apply()
    assert rows(run.plan)[0] == ("closed", "suspend", "restored")
    assert does(run.plan) == ([("user.disable", "dormant/suspend")] if leaves else [])


def test_who_leaves_and_goes_on_working_does_not_come_back_by_that() -> None:
    office = leaving(replace(LEAVES, match=Match(any=(InactiveFor(90), InGroup(("others",))))))
    office.site.happens(ONE, groups=("g-others", SEATS))
    office.apply()
    office.later(13)
    office.site.happens(ONE, seen=seen_at(office.clock.now() - timedelta(days=2)))
    office.apply()
    office.later(1)
    run = office.apply()
    assert does(run.plan) == [("user.disable", "dormant/suspend")]
    assert marks(office)[0][:3] == ("0001", 1, "release")


def test_a_termination_that_waits_spares_nobody_from_another_one() -> None:
    other = Policy(name="hr", owner="hr", why="x", match=IDLE, ensure=Ensure(status="deactivated"), termination=True)
    for priority in (0, 9):
        office = leaving(replace(LEAVES, priority=priority))
        office.apply()
        office.later(1)
        office.under(policies=(replace(LEAVES, priority=priority), replace(other, ensure=Ensure(status="removed"))))
        assert does(office.plan()) == [("user.remove", "hr")]
        assert "dormant" not in office.plan().changes[0].note


def test_who_left_is_protected_and_has_no_access_is_nobodys_task_and_one_with_access_is() -> None:
    office = leaving(SUSPENDED)
    office.apply()
    office.later(1)
    office.apply()
    office.under(protections=(Protection(name="vip", owner="s", accounts=(ONE,)),))
    assert office.plan().dispositions[ONE].state == "protected"
    office.site.happens(ONE, status="active")
    told = office.plan()
    assert told.dispositions[ONE].state == "handed_off"
    assert [(one.action, one.reason) for one in told.handoffs] == [("user.disable", "leaver-protected")]


def test_asked_is_about_those_alone_whom_a_run_suspended_and_a_list_shows_as_active() -> None:
    office = staged_office(200, 200)
    office.under(policies=(replace(SUSPENDED, termination=False),))
    office.apply()
    memory = memory_of(office.store.read())
    assert doubtful(office.site.read().inventory, memory, office.policies) == {}
    office.site.elsewhere = {ONE}
    assert doubtful(office.site.read().inventory, memory, office.policies) == {ONE: frozenset({"roles"})}
    office.site.happens(ONE, status="active")
    office.site.elsewhere = set()
    assert doubtful(office.site.read().inventory, memory, office.policies) == {}

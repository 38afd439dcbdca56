"""How episodes end: what others give back, whoever had taken it, and what is told of it afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.group import Grant
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.policy.documents import Ensure, Stage
from cleanup_gitops.policy.tree import InactiveFor, Match
from tests.runner.office import SEATS
from tests.runner.test_stages import ONE, STAGED, closed, does, rows, staged_office


@pytest.mark.parametrize("ended", [False, True])
def test_who_gets_back_what_was_handed_off_is_left_alone_like_anybody_else(ended: bool) -> None:
    office = staged_office(200)
    office.site.happens(ONE, groups=("g-others", SEATS))
    office.site.group_becomes("g-others", modifiable=False)
    out = Stage(name="out", ensure=Ensure(groups_absent=("others",)))
    stages = (out,) if ended else (out, STAGED.stages[1])
    office.under(policies=(replace(STAGED, match=Match(all=(InactiveFor(90),)), stages=stages),))
    office.apply()
    office.site.happens(ONE, groups=(SEATS,))
    office.later(1)
    office.apply()
    office.later(2)
    office.site.happens(ONE, groups=("g-others", SEATS))
    run = office.apply()
    assert [(what, why) for what, _, why in rows(run.plan)] == [("closed", "restored")]
    assert run.plan.dispositions[ONE].reason == "hold"
    assert len(memory_of(office.store.read()).flaps) == 1
    office.later(12)
    run = office.apply()
    assert (does(run.plan), rows(run.plan)) == ([], [])
    assert len(memory_of(office.store.read()).flaps[0].days) == 1
    office.later(5)
    assert rows(office.apply().plan) == [("entered", "out", "")]


def test_an_episode_that_ended_because_the_user_came_back_stays_so_when_the_seat_is_given_back() -> None:
    office = staged_office(200)
    office.apply()
    office.later(5)
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    office.apply()
    office.later(1)
    office.site.happens(ONE, groups=(SEATS,), seats=(GroupSeat((SEATS,)),), license="seat")
    office.apply()
    assert closed(office) == [("0001", 1, "returned")]
    assert [one.why for one in memory_of(office.store.read()).holds] == ["restored"]


@pytest.mark.parametrize("ended", [False, True])
def test_a_policy_that_asks_for_more_by_now_was_undone_by_nobody(ended: bool) -> None:
    office = staged_office(200)
    seats = (GroupSeat(("g-others",)), GroupSeat((SEATS,)))
    office.site.group_becomes("g-others", license="seat", grants=(Grant("confluence", "user"),))
    office.site.happens(ONE, groups=("g-others", SEATS), seats=seats)
    stages = STAGED.stages[: 1 if ended else 2]
    office.under(policies=(replace(STAGED, stages=stages),))
    office.apply()
    office.later(3)
    office.apply()
    harder = Stage(name="release", ensure=Ensure(no_access=True))
    office.under(policies=(replace(STAGED, stages=(harder, *stages[1:])),))
    run = office.apply()
    assert (does(run.plan), rows(run.plan)) == ([], [])
    assert (memory_of(office.store.read()).flaps, memory_of(office.store.read()).holds) == ((), ())

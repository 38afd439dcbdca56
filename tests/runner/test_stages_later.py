"""Stages beside rows that are left for later, writes that show late, and rollbacks of what others decided since."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.memory import Mark
from cleanup_gitops.model.standing import Approvals
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.policy.documents import Ensure, Stage, Standing
from tests.runner.office import SEATS, Office
from tests.runner.test_rollback import rollback
from tests.runner.test_rollback_others import drifts
from tests.runner.test_stages import ONE, STAGED, closed, does, marks, rows, staged_office
from tests.runner.test_times import APPROVED, EVENING
from tests.runner.test_undone import interrupted, undo


def mark(office: Office) -> Mark:
    (found,) = memory_of(office.store.read()).marks
    return found


@pytest.mark.parametrize("why", ["schedule", "not-approved", "soak"])
def test_what_is_left_for_later_ends_no_stage_has_no_effect_and_begins_no_clock(why: str) -> None:
    office = staged_office(200)
    policy = replace(STAGED, standing=Standing(9, timedelta(days=2)))
    office.under(policies=(replace(STAGED, schedule=EVENING) if why == "schedule" else policy,))
    given: dict[str, Approvals | None] = {"schedule": None, "not-approved": {}, "soak": APPROVED}
    for _ in range(2):
        run = office.apply(standing=given[why])
        assert [one.code for one in run.choice.left] == [why]
        assert run.outcomes == ()
        assert marks(office) == [("0001", 1, "release", False)]
        assert mark(office).effects == ()
        office.later(0.1)
    entered = mark(office).entered
    office.under(policies=(STAGED,))
    office.later(10)
    run = office.apply()
    assert (does(run.plan), rows(run.plan)) == ([("membership.remove", "dormant/release")], [])
    assert (mark(office).entered, mark(office).done) == (entered, run.outcomes[0].verified)
    office.later(13)
    assert office.plan().dispositions[ONE].reason == "waiting-stage"
    office.later(1)
    assert does(office.plan()) == [("user.disable", "dormant/suspend")]


def test_what_is_handed_off_while_the_rest_is_left_counts_as_an_effect_of_the_stage() -> None:
    office = staged_office(200)
    office.site.happens(ONE, groups=("g-others", SEATS))
    office.site.group_becomes(SEATS, modifiable=False)
    both = replace(STAGED.stages[0], ensure=Ensure(groups_absent=("confluence-users-acme", "others")))
    office.under(policies=(replace(STAGED, stages=(both, STAGED.stages[1]), schedule=EVENING),))
    run = office.apply()
    assert [one.code for one in run.choice.left] == ["schedule"]
    assert [one.action for one in run.plan.handoffs] == ["membership.remove"]
    assert [one.asked for one in mark(office).effects] == [True]
    office.later(0.1)
    office.site.happens(ONE, groups=("g-others",), seats=(), license="none")
    assert rows(office.apply().plan) == []
    office.later(0.2)
    run = office.apply()
    assert [(one.address, one.result) for one in run.outcomes] == [(f"membership/g-others/{ONE}", "applied")]
    assert marks(office) == [("0001", 1, "release", True)]


def test_what_an_identity_provider_does_after_a_handoff_is_no_drift() -> None:
    office = staged_office(200)
    office.site.group_becomes(SEATS, modifiable=False)
    office.apply()
    office.later(3)
    office.site.happens(ONE, groups=(), seats=(), license="none")
    run = office.apply()
    assert run.found is None, "no record that others changed something"
    assert rows(run.plan) == [("done", "release", "")]
    assert run.record.entry is not None
    assert run.record.entry.found == {}
    listed = (run.record.files[layout.run_file(run.record.entry.run, layout.DRIFT)] or b"").splitlines()
    assert {msgspec.json.decode(line)["asked"] for line in listed} == {"dormant/release"}
    office.site.happens(ONE, groups=(SEATS,), seats=(GroupSeat((SEATS,)),), license="seat")
    office.later(1)
    assert office.apply().found is not None, "others gave the seat back"


def test_who_matches_no_more_before_what_was_left_is_done_leaves_the_stages() -> None:
    office = staged_office(200)
    office.under(policies=(replace(STAGED, schedule=EVENING),))
    office.apply()
    office.site.happens(ONE, groups=("g-others",), seats=(), license="none")
    office.later(0.1)
    assert rows(office.apply().plan) == [("closed", "release", "no-longer-matching")]
    assert closed(office) == [("0001", 1, "no-longer-matching")]


@pytest.mark.case("F17")
def test_what_was_sent_and_not_read_again_ends_its_stage_once_a_reading_shows_it() -> None:
    office = interrupted(STAGED)
    (line,) = memory_of(office.store.read()).settling
    assert line.verified is not None
    assert mark(office).done is None
    assert [one.address for one in mark(office).effects] == [line.address]
    office.later(1)
    run = office.apply()
    assert (does(run.plan), rows(run.plan)) == ([], [("done", "release", "")])
    assert mark(office).done == run.plan.created


def test_what_may_still_show_ends_nothing_and_what_was_shown_and_is_gone_was_undone() -> None:
    office = interrupted(STAGED)
    undo(office)
    run = office.apply()
    assert [one.code for one in run.choice.left] == ["settling"]
    assert rows(run.plan) == []
    assert marks(office) == [("0001", 1, "release", False)]
    assert len(mark(office).effects) == 1
    office.later(0.1)
    assert rows(office.apply().plan) == [("closed", "release", "restored")]
    assert closed(office) == [("0001", 1, "restored")]
    assert [one.why for one in memory_of(office.store.read()).holds] == ["restored"]


def test_a_rollback_of_what_others_decided_since_moves_no_episode() -> None:
    office = staged_office(200)
    office.under(policies=(replace(STAGED, stages=(Stage(name="suspend", ensure=Ensure(status="suspended")),)),))
    run = office.apply()
    office.later(1)
    office.site.happens(ONE, status="active")
    drifts(office)
    office.later(1)
    office.site.happens(ONE, status="suspended")
    before = marks(office)
    back = rollback(office, run)
    assert back.changes == ()
    assert back.lifecycle == ()
    office.apply(back)
    assert (marks(office), closed(office)) == (before, [])

"""What others undid after a run that was stopped or cut off is not redone; what never showed is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import SiteError, StoreError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.runner.desk import Stop, UnrecordedError
from tests.fakes import FakeSite
from tests.runner.office import DORMANT, Office, office_site, open_office, person
from tests.runner.test_recover import open_run
from tests.runner.test_recover_journal import killed

FIRST = "712020:0001"
SUSPEND = replace(DORMANT, ensure=Ensure(status="suspended"))
HOUR = 3600


def interrupted(policy: Policy = DORMANT) -> Office:
    """An office whose run made its one change, saw it, and was asked to stop before it read the site again."""
    office = open_office(100)
    office.under(policies=(policy,))
    stop = Stop()

    class Stopping(FakeSite):
        def write(self, change: Change) -> Receipt:
            stop.ask()
            return super().write(change)

    office.site = Stopping(office_site(100))
    office.site.happens(FIRST, direct=())
    run = office.apply(office.plan(), stop)
    assert [(one.result, bool(one.verified)) for one in run.outcomes] == [("applied", True)]
    assert run.unread
    return office


def undo(office: Office) -> None:
    """An administrator gives everything back."""
    before = person(1, 100)
    office.site.happens(FIRST, status=before.status, groups=before.groups, seats=before.seats, license=before.license)


def memory(office: Office) -> Memory:
    return memory_of(office.store.read())


@pytest.mark.parametrize("policy", [DORMANT, SUSPEND])
def test_what_was_undone_after_an_interrupted_run_is_held_and_not_redone(policy: Policy) -> None:
    office = interrupted(policy)
    (line,) = memory(office).settling
    assert line.verified is not None
    assert line.deadline == line.at + timedelta(minutes=5)
    office.clock.sleep(2 * HOUR)
    undo(office)
    plan = office.plan()
    assert plan.changes == ()
    assert [one.reason for one in plan.pending] == ["hold"]
    run = office.apply()
    assert run.outcomes == ()
    assert len(office.site.written) == 1
    assert [(one.user, one.why) for one in memory(office).holds] == [(FIRST, "restored")]
    assert (memory(office).settling, memory(office).done) == ((), ())
    office.clock.sleep(3 * 24 * HOUR)
    assert [one.reason for one in office.plan().pending] == ["hold"]
    assert office.apply().outcomes == ()


def test_what_was_undone_before_the_site_could_be_read_again_is_held() -> None:
    office = open_office(100)
    office.site.broken["read"] = [None, SiteError("The site answered 503.")]
    assert office.apply().unread
    undo(office)
    office.clock.sleep(HOUR)
    assert office.apply().outcomes == ()
    assert len(memory(office).holds) == 1


def test_what_was_shown_and_is_missing_in_lists_at_once_waits_for_its_deadline() -> None:
    """Lists may lag behind the look at the account: that is neither an undo nor to be done again."""
    office = interrupted()
    undo(office)
    run = office.apply()
    assert [one.code for one in run.choice.left] == ["settling"]
    assert (run.outcomes, memory(office).holds) == ((), ())
    assert len(memory(office).settling) == 1
    office.clock.sleep(600)
    office.apply()
    assert len(memory(office).holds) == 1
    assert len(office.site.written) == 1


def test_what_an_interrupted_run_did_and_nobody_undid_is_found_as_ours() -> None:
    office = interrupted()
    office.clock.sleep(HOUR)
    run = office.apply()
    assert (run.found, run.outcomes) == (None, ())
    assert (memory(office).settling, memory(office).holds) == ((), ())
    undo(office)
    office.apply()
    assert len(memory(office).holds) == 1


@pytest.mark.case("F17")
def test_what_never_showed_is_done_again_after_its_deadline_and_is_no_undo() -> None:
    office = open_office(100)
    office.site.deaf = True
    office.apply()
    office.site.deaf = False
    office.clock.sleep(600)
    assert office.plan().changes[0].note.startswith("not effective: ")
    assert [one.result for one in office.apply().outcomes] == ["applied"]
    assert memory(office).holds == ()


# -- when nobody knows ----------------------------------------------------------------------------


def cut_off() -> Office:
    """An office whose run was cut off after it had made its change, which was undone before the run was ended."""
    office, _, journals = killed(100, at=2, durable=False)
    journals.files.clear()
    undo(office)
    office.clock.sleep(HOUR)
    assert [one.result for one in office.recover(open_run(office)).outcomes] == ["not_attempted"]
    return office


def test_what_may_have_been_sent_and_undone_is_done_only_by_a_plan_that_somebody_has_seen() -> None:
    office = cut_off()
    office.clock.sleep(24 * HOUR)
    for _ in range(2):
        run = office.apply()
        assert [(one.code, one.until) for one in run.choice.left] == [("doubtful", None)]
        assert not run.failed
    assert len(office.site.written) == 1
    saved = office.plan()
    (change,) = saved.changes
    assert "was cut off and may have done this by 2026-11-22 13:00 UTC: perhaps others undid it" in change.note
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]


def test_who_leaves_is_closed_again_though_nobody_knows_whether_others_undid_it() -> None:
    office = cut_off()
    office.under(policies=(replace(DORMANT, termination=True),))
    assert [one.result for one in office.apply().outcomes] == ["applied"]


def test_a_run_that_was_cut_off_is_finished_under_the_same_approval() -> None:
    office, saved, journals = killed(100, 200, at=1, durable=False)
    journals.files.clear()
    office.recover(open_run(office))
    assert [one.result for one in office.apply(saved).outcomes] == ["applied", "applied"]


@pytest.mark.parametrize(("wait", "left"), [(60, ()), (HOUR, ("doubtful",))])
def test_what_was_sent_and_first_looked_at_when_its_time_was_over_is_doubtful(wait: int, left: tuple[str, ...]) -> None:
    """Seen missing while it might still show, it is without effect; later nobody knows whether others undid it."""
    office, _, _ = killed(100, at=2, durable=True)
    undo(office)
    office.clock.sleep(wait)
    office.recover(open_run(office))
    office.clock.sleep(HOUR)
    run = office.apply()
    assert tuple(one.code for one in run.choice.left) == left
    assert bool(run.outcomes) is not bool(left)


def test_what_kept_outcomes_say_was_seen_and_is_no_more_was_undone() -> None:
    office = open_office(100)
    office.store.broken["commit"] = [None, StoreError("The push was refused.")]  # type: ignore[attr-defined]
    with pytest.raises(UnrecordedError) as caught:
        office.apply()
    undo(office)
    office.clock.sleep(HOUR)
    run = caught.value.run
    office.recover(run.id, run.record.files[f"runs/{run.id}/outcomes.jsonl"])
    assert [one.reason for one in office.plan().pending] == ["hold"]

"""What a run has sent and the site may still show is not sent again by the next one: it is left for later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import verify
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import ApprovalError, LostAnswerError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.policy.documents import Ensure, Standing
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.runner import Run, Stop
from tests.runner.office import DORMANT, ROOMY, Office, open_git_office, open_office, person
from tests.runner.test_recover_journal import begun
from tests.runner.test_standing import APPROVED, DAY

FIRST, SECOND = "712020:0001", "712020:0002"
SOAKED = replace(DORMANT, standing=Standing(2))

Way = Callable[[Office, Plan], Run]
WAYS: dict[str, Way] = {
    "saved": lambda office, saved: office.apply(saved),
    "auto": lambda office, _: office.apply(),
    "standing": lambda office, _: office.apply(standing=APPROVED),
}


@pytest.mark.case("E63", "E66")
@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_row_that_is_settling_is_not_sent_again_before_its_deadline(way: str) -> None:
    office = open_office(100, 200)
    office.under(policies=(SOAKED,))
    office.apply(standing=APPROVED)
    office.clock.sleep(DAY)
    saved = office.plan()
    office.site.late = True
    office.site.broken["write"] = [None, LostAnswerError("No answer")]
    first = WAYS[way](office, saved)
    assert [one.result for one in first.outcomes] == ["settling", "settling"]
    assert office.site.writes == 1

    again = WAYS[way](office, saved)
    assert again.outcomes == ()
    assert {(one.change.user, one.code) for one in again.choice.left} == {(FIRST, "settling"), (SECOND, "settling")}
    assert {one.until for one in again.choice.left} == {one.deadline for one in first.outcomes}
    assert (again.failed, again.nothing_in_common, again.intent) == (False, False, None)
    assert office.site.writes == 1
    assert memory_of(office.store.read()).consumed == ()
    assert all("it may show until" in one.note for one in again.plan.changes)

    office.clock.sleep(600)
    office.site.late = False
    if way == "standing":
        office.clock.sleep(DAY)  # what was sent counts for its day
    third = WAYS[way](office, saved)
    assert [one.result for one in third.outcomes] == ["applied", "applied"]


def test_what_is_settling_and_not_sent_again_counts_once_for_the_caps() -> None:
    """Planned and sent it is one change: a cap that is used up makes no later plan unsafe."""
    office = open_office(100, 200)
    office.under(guardrails=replace(ROOMY, caps={**ROOMY.caps, "membership.remove": Cap(2), "total": Cap(2)}))
    office.site.late = True
    saved = office.plan()
    office.apply(saved)
    assert office.plan().applyable
    assert [one.code for one in office.apply(saved).choice.left] == ["settling", "settling"]


def test_the_other_rows_of_its_user_wait_with_it_and_other_users_do_not() -> None:
    """What the user is to get does not show yet, so nothing is taken."""
    office = open_office(100, 10)
    ensure = Ensure(groups_present=("others",), groups_absent=("confluence-users-acme",))
    office.under(policies=(replace(DORMANT, ensure=ensure),))
    office.site.deaf = True
    assert [one.result for one in office.apply().outcomes] == ["settling", "not_attempted"]
    office.site.deaf = False
    office.site.happens(SECOND, seen=person(2, 100).seen)
    run = office.apply()
    assert {(one.user, one.result) for one in run.outcomes} == {(SECOND, "applied")}
    told = {one.change.action: (one.code, one.behind.action if one.behind else None) for one in run.choice.left}
    assert told == {"membership.add": ("settling", None), "membership.remove": ("settling", "membership.add")}
    office.clock.sleep(600)
    assert [one.result for one in office.apply().outcomes] == ["applied", "applied"]


def test_what_shows_meanwhile_is_planned_no_more() -> None:
    office = open_office(100)
    office.site.late = True
    saved = office.plan()
    office.apply(saved)
    office.apply(saved)
    office.site.settle()
    run = office.apply(saved)
    assert ([one.result for one in run.outcomes], office.site.writes) == (["superseded"], 1)


def test_a_resumed_row_that_is_settling_is_left_as_well() -> None:
    office, saved = begun()
    office.site.late = True
    assert [one.result for one in office.apply(saved).outcomes] == ["settling"]
    run = office.apply(saved)
    assert ([one.code for one in run.choice.left], run.outcomes) == (["settling"], ())
    office.clock.sleep(600)
    office.site.late = False
    assert [(one.action, one.result) for one in office.apply(saved).outcomes] == [("user.disable", "applied")]
    with pytest.raises(ApprovalError, match="applied before"):
        office.apply(saved)


@pytest.mark.parametrize("tries", [0, 1])
def test_what_is_left_of_a_user_whose_settling_row_shows_by_now_is_done(tries: int, tmp_path: Path) -> None:
    """Without the seat no policy asks any more for the account to be closed; it is approved all the same."""
    office = open_git_office(tmp_path, 100)
    office.under(policies=(replace(DORMANT, ensure=replace(DORMANT.ensure, status="suspended")),))
    saved, stop, write = office.plan(), Stop(), office.site.write

    def interrupted(change: Change) -> Receipt:
        stop.ask()
        return write(change)

    office.site.write = interrupted  # type: ignore[method-assign]
    office.site.late = True
    cut = office.apply(saved, stop)
    assert [(one.action, one.result) for one in cut.outcomes] == [
        ("membership.remove", "settling"),
        ("user.disable", "not_attempted"),
    ]
    office.site.write = write  # type: ignore[method-assign]
    office.site.late = False
    for _ in range(tries):
        assert [one.code for one in office.apply(saved).choice.left] == ["settling", "settling"]
    office.site.settle()
    office.clock.sleep(60)
    run = office.apply(saved)
    assert [(one.action, one.result) for one in run.outcomes] == [
        ("user.disable", "applied"),
        ("membership.remove", "superseded"),
    ]
    history = GitHistory(tmp_path, "acme")
    assert verify("acme", history.commits(), history.contents, oddities=history.oddities()).findings == ()


def test_a_user_who_waits_for_a_late_change_takes_nothing_from_the_day_of_a_policy() -> None:
    office = open_office(100, 10)
    office.under(policies=(replace(DORMANT, standing=Standing(1)),))
    office.apply(standing=APPROVED)
    office.clock.sleep(DAY)
    saved = office.plan()
    office.site.late = True
    office.apply(saved)
    office.site.happens(SECOND, seen=person(2, 100).seen)
    office.site.late = False
    run = office.apply(standing=APPROVED)
    assert {(one.change.user, one.code) for one in run.choice.left} == {(FIRST, "settling"), (SECOND, "soak")}

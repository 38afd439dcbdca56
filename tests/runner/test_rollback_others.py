"""A rollback beside what others decided since, and the holds for what it cannot give back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cleanup_gitops.ledger import memory as remembered
from cleanup_gitops.ledger import overtaken
from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.memory import read_lines
from cleanup_gitops.ledger.record import compose, ground_of, record_drift
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import CleanupError, SiteError
from cleanup_gitops.model.memory import Done, Hold
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.policy.documents import Ensure
from cleanup_gitops.runner import Run
from tests.runner.office import DORMANT, OTHERS, SEATS, Office, open_office
from tests.runner.test_accounts import TOKENS, Asked, office_of
from tests.runner.test_lease import KilledError, Mortal
from tests.runner.test_recover import open_run
from tests.runner.test_rollback import ONE, SUSPENDED, TWO, acts, later, lines, parts, people, returns, rollback

# -- what others decided since is theirs -----------------------------------------------------------


def closes_again(office: Office, between: str) -> Run:
    """A run closes two accounts; others open the first one and close it again, and our records see it so or so."""
    run = office.apply()
    later(office, hours=1)
    office.site.happens(ONE, status="active")
    if between == "apply":
        office.apply()
    elif between in ("drift", "drifts"):
        drifts(office)
    elif between == "late":  # opened after what a run plans from was read, so that only its second reading shows it
        office.site.happens(ONE, status="suspended")
        office.under(policies=(office.policies.policies[0], OTHERS))
        opens_while_writing(office)
        office.apply()
    later(office, hours=1)
    office.site.happens(ONE, status="suspended")
    if between == "drifts":
        drifts(office)
    return run


def drifts(office: Office) -> None:
    """``drift`` records what it finds."""
    ground = ground_of("acme", office.store.read(), tool_version="0")
    inventory = office.site.read().inventory
    drift = drift_of(ground.before, inventory, ground.memory.settling)
    assert drift is not None
    record = record_drift(ground, drift=drift, inventory=inventory, time=office.clock.now())
    office.store.commit(record.files, record.subject, record.trailers)


def opens_while_writing(office: Office) -> None:
    write = office.site.write

    def opened(change: Change) -> Receipt:
        office.site.write = write  # type: ignore[method-assign]
        office.site.happens(ONE, status="active")
        return write(change)

    office.site.write = opened  # type: ignore[method-assign]


@pytest.mark.case("E56", "F8")
@pytest.mark.parametrize("between", ["apply", "drift", "drifts", "late"])
def test_who_was_opened_and_closed_again_by_others_is_not_opened(between: str) -> None:
    office = office_of(SUSPENDED, open_office(100, 200, 1).site)
    run = closes_again(office, between)
    plan = rollback(office, run)
    assert parts(plan)[1] == {f"user/{ONE}": "changed-by-others"}
    assert acts(plan) == [("user.enable", f"user/{TWO}")]
    office.apply(plan)
    assert people(office)[ONE].status == "suspended"


@pytest.mark.case("E56", "F8")
def test_a_membership_that_others_gave_and_took_again_is_not_given() -> None:
    office = open_office(100, 200)
    run = office.apply()
    later(office, hours=1)
    returns(office)
    office.apply()
    office.site.happens(ONE, groups=(), license="none", seats=())
    plan = rollback(office, run)
    assert parts(plan)[1] == {f"membership/{SEATS}/{ONE}": "changed-by-others"}
    assert acts(plan) == [("membership.add", f"membership/{SEATS}/{TWO}")]


def test_who_left_after_a_rollback_of_the_run_is_not_opened_by_a_second_one() -> None:
    office = office_of(SUSPENDED, open_office(100).site)
    run = office.apply()
    office.apply(rollback(office, run))
    later(office, hours=1)
    office.site.happens(ONE, status="suspended")
    plan = rollback(office, run)
    assert (plan.changes, parts(plan)[1]) == ((), {f"user/{ONE}": "changed-by-others"})


def test_a_rollback_that_had_no_effect_can_be_tried_again() -> None:
    office = office_of(SUSPENDED, open_office(100).site)
    run = office.apply()
    plan = rollback(office, run)
    office.site.deaf = True
    assert {one.result for one in office.apply(plan).outcomes} <= {"settling", "not_effective"}
    office.site.deaf = False
    later(office, hours=2)
    assert acts(rollback(office, run)) == [("user.enable", f"user/{ONE}")]
    assert [one.result for one in office.apply(plan).outcomes] == ["applied"]


@pytest.mark.case("E56", "F8")
def test_who_left_after_a_rollback_whose_end_could_not_be_read_is_not_opened_by_a_second_one() -> None:
    """The rollback has seen that the account was open, so what is closed now others have closed."""
    office = office_of(SUSPENDED, open_office(100).site)
    run = office.apply()
    plan = rollback(office, run)
    office.site.broken["read"] = [None, SiteError("The site answered 503.")]
    undone = office.apply(plan)
    assert ([one.result for one in undone.outcomes], bool(undone.unread)) == (["applied"], True)
    later(office, hours=1)
    office.site.happens(ONE, status="suspended")
    plan = rollback(office, run)
    assert (plan.changes, parts(plan)[1]) == ((), {f"user/{ONE}": "changed-by-others"})


@pytest.mark.case("E63")
def test_what_may_still_show_is_not_said_to_be_as_before() -> None:
    office = office_of(SUSPENDED, open_office(100).site)
    office.site.late = True
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["settling"]
    assert parts(rollback(office, run))[1] == {f"user/{ONE}": "may-still-show"}
    office.site.late = False
    later(office, hours=1)
    assert parts(rollback(office, run))[1] == {f"user/{ONE}": "as-before"}
    office.site.settle()
    assert acts(rollback(office, run)) == [("user.enable", f"user/{ONE}")]


@pytest.mark.parametrize(("days", "acts_on"), [(399, 0), (401, 1)])
def test_what_is_forgotten_for_its_age_is_still_taken_back(days: int, acts_on: int) -> None:
    """The line of what was done is gone in both cases; only in one of them that says that others undid it."""
    office = office_of(SUSPENDED, open_office(100).site)
    run = office.apply()
    later(office, days=days)
    office.under(policies=())
    office.apply()
    without(office, Done)
    assert len(rollback(office, run).changes) == acts_on


def without(office: Office, sort: type[Any]) -> None:
    """Let memory forget these lines, in a record as any other."""
    ground = ground_of("acme", office.store.read(), tool_version="0")
    kept = [line for line in read_lines(ground.before) if not isinstance(line, sort)]
    seen = (office.site.read().inventory, kept)
    record = compose(ground, kind="drift", run="without", time=office.clock.now(), files={}, seen=seen)
    office.store.commit(record.files, record.subject, record.trailers)


def test_more_than_memory_holds_is_still_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overtaken, "MOST_DONE", 2)
    monkeypatch.setattr(remembered, "MOST_DONE", 2)
    office = office_of(SUSPENDED, open_office(100, 200, 300).site)
    run = office.apply()
    assert len(lines(office, Done)) == 2
    assert len(rollback(office, run).changes) == 3


# -- holds for what cannot be taken back -----------------------------------------------------------


def test_a_rollback_that_can_take_nothing_back_holds_the_policies_off_all_the_same() -> None:
    office = office_of(Ensure(no_tokens=True), Asked(TOKENS))
    run = office.apply()
    plan = rollback(office, run)
    assert (plan.changes, len(parts(plan)[0])) == ((), 2)
    assert plan.rollback is not None
    assert dict(plan.rollback.holds) == {ONE: ("dormant",)}
    undone = office.apply(plan)
    assert not undone.failed
    assert [entry.kind for entry in office.entries()] == ["run", "rollback"]
    assert [(one.user, one.policy, one.why) for one in lines(office, Hold)] == [(ONE, "dormant", "rollback")]
    office.site.happens(ONE, tokens=("t-3",))
    held = office.plan()
    assert (held.changes, [one.change.action for one in held.pending]) == ((), ["tokens.revoke"])


def test_who_gets_back_only_a_part_is_left_alone_by_the_policies_of_all_of_it() -> None:
    office = open_office(100)
    other = replace(DORMANT, name="others-too", ensure=Ensure(groups_absent=("others",), where_groups="p.yaml:1"))
    office.under(policies=(DORMANT, other))
    office.site.happens(ONE, groups=("g-others", SEATS))
    run = office.apply()
    office.site.delete_group("g-others")
    plan = rollback(office, run)
    assert parts(plan)[0] == {f"membership/g-others/{ONE}": "group-gone"}
    office.apply(plan)
    assert sorted(one.policy for one in lines(office, Hold)) == ["dormant", "others-too"]


def test_what_others_decided_since_is_held_by_no_rollback() -> None:
    office = office_of(SUSPENDED, open_office(100).site)
    run = office.apply()
    office.site.happens(ONE, status="deactivated")
    plan = rollback(office, run)
    assert plan.rollback is not None
    assert (dict(plan.rollback.holds), plan.changes) == ({}, ())
    office.apply(plan)
    assert not lines(office, Hold)


@pytest.mark.case("F17")
def test_a_write_that_showed_only_after_a_recovery_without_a_journal_is_taken_back() -> None:
    office = open_office()
    office.site = Mortal(100, 200, at=2, after=True)
    office.site.late = True
    with pytest.raises(KilledError):
        office.apply()
    run = open_run(office)
    office.later(0.1)
    recovered = office.recover(run)
    assert {one.result for one in recovered.outcomes} == {"not_attempted"}
    with pytest.raises(CleanupError, match="changed nothing"):
        rollback(office, run)
    office.site.settle()
    office.later(0.1)
    office.apply()
    plan = rollback(office, run)
    assert [one.action for one in plan.changes] == ["membership.add", "membership.add"]
    assert plan.rollback is not None
    assert plan.rollback.left == ()
    office.site.late = False
    assert [one.result for one in office.apply(plan).outcomes] == ["applied", "applied"]

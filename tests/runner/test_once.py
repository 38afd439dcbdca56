"""Policies for one-off work: they end on a day, and are spent after one run that left nothing of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cleanup_gitops.ledger.memory import memory_of, still_remembered
from cleanup_gitops.model.errors import RefusedError
from cleanup_gitops.model.memory import REMEMBERED, Spent
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.policy.expiry import ended_policies
from cleanup_gitops.policy.tree import InGroup, Match
from cleanup_gitops.runner.desk import Stop
from tests.fakes import NOON
from tests.runner.office import DORMANT, Office, open_office
from tests.runner.test_recover import open_run
from tests.runner.test_recover_journal import GONE, _killed

DAY = timedelta(days=1).total_seconds()
TODAY = NOON.date()
ONCE = replace(DORMANT, once=True, until=TODAY + timedelta(days=30), digest="sha256:1")
FIRST = "712020:0001"


def office_of(*idle: int, policy: Policy = ONCE) -> Office:
    office = open_office(*idle)
    office.under(policies=(policy,))
    return office


def spent(office: Office) -> list[str]:
    return [one.policy for one in memory_of(office.store.read()).spent]


def test_a_policy_that_acts_once_is_spent_after_a_run_that_left_nothing() -> None:
    office = office_of(100, 80)
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied"]
    (line,) = memory_of(office.store.read()).spent
    assert line == Spent(policy="dormant", digest="sha256:1", run=run.id, at=line.at)
    office.clock.sleep(20 * DAY)  # the second user is dormant by now
    plan = office.plan()
    assert not plan.changes
    assert not plan.pending
    assert any(f"which run {run.id} completed on {TODAY.isoformat()}" in one for one in plan.warnings)
    office.apply()
    assert spent(office) == ["dormant"]


def test_a_policy_whose_meaning_was_changed_is_a_new_one() -> None:
    office = office_of(100, 80)
    office.apply()
    office.clock.sleep(20 * DAY)
    office.under(policies=(replace(ONCE, digest="sha256:2"),))
    assert len(office.plan().changes) == 1


def test_one_that_only_ends_is_never_spent() -> None:
    office = office_of(100, policy=replace(ONCE, once=False))
    office.apply()
    assert spent(office) == []


def test_a_row_that_failed_keeps_it_open() -> None:
    office = office_of(100)
    office.site.broken["write"] = [RefusedError("no")]
    assert [one.result for one in office.apply().outcomes] == ["failed"]
    assert spent(office) == []
    office.apply()
    assert spent(office) == ["dormant"]


def test_rows_that_a_run_was_not_to_carry_out_keep_it_open() -> None:
    office = office_of(100)
    saved = office.plan()
    stop = Stop()
    stop.ask()
    office.apply(saved, stop=stop)
    assert spent(office) == []


def test_a_blocked_policy_is_not_spent() -> None:
    typo = replace(ONCE, match=Match(all=(InGroup(("nowhere",)),)))
    office = office_of(100, policy=typo)
    office.apply()
    assert spent(office) == []


def test_a_trial_is_not_spent() -> None:
    office = office_of(100, policy=replace(ONCE, report=True))
    office.apply()
    assert spent(office) == []


def test_what_others_have_to_do_does_not_keep_it_open() -> None:
    office = office_of(100, policy=replace(ONCE, ensure=Ensure(status="suspended")))
    office.site.happens(FIRST, writable=False)
    assert office.apply().plan.handoffs
    assert spent(office) == ["dormant"]


@pytest.mark.parametrize(("days", "acts"), [(30, True), (31, False)])
def test_a_policy_acts_up_to_and_including_its_last_day(days: int, acts: bool) -> None:
    office = office_of(100, policy=replace(ONCE, once=False, where="policies/one.yaml:3"))
    office.clock.sleep(days * DAY)
    plan = office.plan()
    assert bool(plan.changes) is acts
    told = "policies/one.yaml:3: policy dormant ended on 2026-12-22 and does nothing any more; remove it."
    assert (told in plan.warnings) is not acts
    assert ended_policies(office.policies.policies, office.clock.now().date()) == (() if acts else (told,))


def test_that_it_is_spent_is_remembered_for_longer_than_it_may_last() -> None:
    line = Spent(policy="dormant", digest="sha256:1", run="r", at=NOON)
    assert still_remembered([line], NOON + timedelta(days=367)) == [line]
    assert still_remembered([line], NOON + REMEMBERED + timedelta(days=1)) == []


@pytest.mark.parametrize("meanwhile", ["a failure", "another run"])
def test_a_policy_that_acts_once_is_not_over_for_whom_it_did_in_part(meanwhile: str) -> None:
    office = open_office(100, 10)
    office.under(policies=(replace(GONE, once=True, until=ONCE.until, digest=ONCE.digest),))
    office, saved, _ = _killed(office, 3, durable=True)
    office.recover(open_run(office))
    if meanwhile == "a failure":
        office.site.broken["write"] = [RefusedError("no")]
        assert [one.result for one in office.apply(saved).outcomes] == ["failed"]
        assert spent(office) == []
    else:
        office.apply(standing={})
    assert [(one.action, one.result) for one in office.apply(saved).outcomes] == [("user.disable", "applied")]

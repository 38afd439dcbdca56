"""Policies that only report, in whole runs."""

from __future__ import annotations

from dataclasses import replace

from cleanup_gitops.policy.documents import Ensure
from tests.runner.office import DORMANT, open_office


def test_a_trial_that_names_a_missing_group_is_told_as_blocked_and_keeps_no_change_back() -> None:
    office = open_office(100)
    trial = replace(DORMANT, name="trial", report=True, ensure=Ensure(groups_absent=("no such group",)))
    office.under(policies=(DORMANT, trial))
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied"]
    assert run.plan.pending == ()
    assert run.plan.blocked == ("trial (policies/dormant.yaml:11): no group matches no such group",)
    assert not run.plan.complete
    assert run.failed
    office.under(policies=(DORMANT,))
    assert not office.apply().failed

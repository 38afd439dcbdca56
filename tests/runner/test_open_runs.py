"""What a refused plan advises: no guard is lifted where ending a run, or reading again, is what helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cleanup_gitops.ledger.leases import leases_of
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.planner import make_plan, undone
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.runner.desk import BrokenGuardsError
from cleanup_gitops.runner.open_runs import beside_open_rollbacks, under_open_runs
from tests.runner.office import DORMANT, POLICIES, ROOMY, Office, open_office
from tests.runner.test_lease import KilledError, Mortal
from tests.runner.test_recover import open_run
from tests.runner.test_rollback import rollback


def cut_off() -> Office:
    """An office with a snapshot, whose run was killed after so many changes that a reading looks like a fault."""
    office = open_office()
    office.site = Mortal(*[100] * 8, *[1] * 4, at=6, after=True)
    office.under(policies=())
    office.apply()
    office.under(policies=(DORMANT,))
    with pytest.raises(KilledError):
        office.apply()
    return office


def drop_of(plan: Plan) -> Check:
    (check,) = [one for one in plan.checks if one.name == "reading:drop"]
    return check


@pytest.mark.case("F1", "F12")
def test_while_a_run_is_open_a_plan_leads_with_its_end_and_proposes_to_lift_no_reading_guard() -> None:
    office = cut_off()
    run, plan = open_run(office), office.plan()
    assert "guard: reading.max_drop" in drop_of(plan).override
    told = under_open_runs(plan, leases_of(office.store.read()))
    assert drop_of(told).override == ""
    assert drop_of(told).message.startswith(
        f"`cleanup-gitops recover {run} --site acme` ends the run that is open, whose changes are in no snapshot yet;"
        " plan again then. "
    )
    assert not told.applyable
    assert [one for one in told.checks if one.name != "reading:drop"] == [
        one for one in plan.checks if one.name != "reading:drop"
    ]
    office.recover(run)
    assert drop_of(office.plan()).passed
    assert under_open_runs(plan, ()) == plan


def test_only_a_broken_guard_of_the_reading_is_told_otherwise() -> None:
    office = cut_off()
    leases = leases_of(office.store.read())
    office.under(guardrails=replace(ROOMY, caps={**ROOMY.caps, "membership.remove": Cap(1)}))
    told = under_open_runs(office.plan(), leases)
    (cap,) = [one for one in told.checks if one.name == "cap:membership.remove"]
    assert "guard: membership.remove" in cap.override


@pytest.mark.case("F1")
def test_over_a_guard_of_the_reading_apply_does_not_say_that_policies_are_to_be_narrowed() -> None:
    office = open_office(*[1] * 12)
    office.apply()
    for number in range(1, 8):
        office.site.leaves(f"712020:{number:04}")
    with pytest.raises(BrokenGuardsError) as caught:
        office.apply()
    assert caught.value.hint.splitlines()[0] == (
        "No policy mends what was read: see how it differs with `cleanup-gitops drift --no-record`, and run again"
        " later. What is right all the same takes a reviewed Override; the plan shows which."
    )


def test_over_a_cap_apply_says_to_narrow_the_policies_and_over_a_cap_of_zero_proposes_no_override() -> None:
    office = open_office(100, 200, 1)
    office.under(guardrails=replace(ROOMY, caps={**ROOMY.caps, "membership.remove": Cap(1)}))
    with pytest.raises(BrokenGuardsError) as caught:
        office.apply()
    assert caught.value.hint.startswith("Narrow the policies. What is right all the same takes a reviewed Override;")
    office.under(guardrails=replace(ROOMY, caps={**ROOMY.caps, "membership.remove": Cap(0)}))
    with pytest.raises(BrokenGuardsError) as caught:
        office.apply()
    assert caught.value.hint.splitlines()[0] == "Narrow the policies."


@pytest.mark.case("F1", "F17")
def test_what_an_open_rollback_gives_back_was_undone_by_nobody_else() -> None:
    office = open_office()
    office.site = Mortal(100, 200, at=4, after=True)
    run = office.apply()
    office.later(1)
    with pytest.raises(KilledError):
        office.apply(rollback(office, run))
    files = office.store.read()
    memory, site = memory_of(files), office.site.read().inventory
    assert len(undone(site, POLICIES, memory, created=office.clock.now()).flaps) == 2
    beside = beside_open_rollbacks(memory, office.store, leases_of(files))
    now = office.clock.now()
    assert undone(site, POLICIES, beside, created=now).flaps == ()
    plan = make_plan(site, POLICIES, beside, created=now, as_of=now, tool_version="0")
    assert plan.changes == ()
    assert {one.note.partition(" ")[0] for one in plan.pending} == {"held"}
    assert all("after the rollback of" in one.note for one in plan.pending)
    assert len(plan.pending) == 2
    assert beside_open_rollbacks(memory, office.store, ()) == memory


def test_an_open_run_that_is_no_rollback_changes_nothing_of_what_is_remembered() -> None:
    office = cut_off()
    files = office.store.read()
    memory = memory_of(files)
    assert beside_open_rollbacks(memory, office.store, leases_of(files)) == memory

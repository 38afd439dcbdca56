"""What a run records when a guard holds only because of an Override."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import verify
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.policy.guarding import Guard, Override
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.runner.desk import BrokenGuardsError
from tests.fakes import NOON
from tests.runner.office import POLICIES, Office, open_git_office, open_office
from tests.runner.test_lease import kinds


def under(office: Office, removals: int, *overrides: Override) -> None:
    caps = {**POLICIES.guardrails.caps, "membership.remove": Cap(removals)}
    office.under(guardrails=replace(POLICIES.guardrails, caps=caps), overrides=overrides)


def override(number: int, guard: Guard = "membership.remove", name: str = "first") -> Override:
    return Override(
        name=name,
        guard=guard,
        max=number,
        until=(NOON + timedelta(days=3)).date(),
        reason="first-run",
        ticket="CHG-1",
        where="policies/o.yaml:1",
    )


@pytest.mark.case("F6", "F7")
def test_a_used_override_is_recorded_before_the_run_with_its_numbers_and_the_plan() -> None:
    office = open_office(100, 200, 5, 5, 5)
    under(office, 1)
    with pytest.raises(BrokenGuardsError, match="the plan shows which"):
        office.apply()
    under(office, 1, override(2))
    run = office.apply()
    assert [one.result for one in run.outcomes] == ["applied", "applied"]
    assert kinds(office) == ["void", "override", "intent", "run"]
    entry = office.entries()[1]
    assert entry.reason is not None
    assert entry.reason.code == "first"
    assert entry.reason.text == (
        "cap:membership.remove: 2 planned and 0 applied in the last 24 hours, 2 allowed by Override first until"
        f" {NOON.date() + timedelta(days=3)} (first-run, policies/o.yaml:1), otherwise 1 (max 1; default)"
    )
    assert set(entry.digests) == {f"runs/{entry.run}/plan.json"}
    assert (entry.plan, entry.serial) == (run.plan.digest, 0)


@pytest.mark.case("F7", "F8")
def test_a_plan_that_was_approved_under_an_override_is_refused_once_that_has_ended() -> None:
    office = open_office(100, 200, 5, 5, 5)
    last = replace(override(2), until=NOON.date())
    under(office, 1, last)
    saved = office.plan()
    assert saved.applyable
    office.clock.sleep(86400)
    with pytest.raises(BrokenGuardsError, match="2 planned and 0 applied in the last 24 hours, 1 allowed"):
        office.apply(saved)
    assert not office.site.written
    assert kinds(office) == ["void"]


@pytest.mark.case("F7")
def test_an_override_that_is_not_needed_is_not_recorded() -> None:
    office = open_office(100, 5)
    under(office, 1, override(600))
    office.apply()
    assert kinds(office) == ["intent", "run"]


@pytest.mark.case("F1", "F7")
def test_a_drop_is_void_until_an_override_lets_it_in_and_then_recorded_before_the_snapshot() -> None:
    office = open_office(*[5] * 40)
    office.apply()
    for number in range(1, 21):
        office.site.happens(f"712020:{number:04}", groups=(), license="none", seats=())
    with pytest.raises(BrokenGuardsError) as caught:
        office.apply()
    assert caught.value.broken == ("reading:drop",)
    assert kinds(office) == ["run", "void"]
    under(office, 1000, override(60, "reading.max_drop"))
    office.apply()
    assert kinds(office) == ["run", "void", "override", "drift", "run"]
    office.under(overrides=())
    office.apply()
    assert kinds(office)[-1] == "run"
    baseline = memory_of(office.store.read()).baseline
    assert baseline is not None
    assert baseline.seats == 21


def test_a_history_with_overrides_is_whole(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100, 200, 5, 5, 5)
    under(office, 1, override(2))
    office.apply()
    assert [entry.kind for entry in office.entries()] == ["override", "run"]
    history = GitHistory(tmp_path, "acme", os.environ, branch=None)
    verdict = verify("acme", history.commits(), history.contents, oddities=history.oddities())
    assert verdict.findings == ()
    assert (verdict.entries, verdict.intents) == (2, 1)

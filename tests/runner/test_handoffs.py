"""What a stage hands off has a time in which others should have done it; then it is overdue until the site shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.views.plan import render_text
from cleanup_gitops.views.waiting_hands import handed_off as recorded
from tests.runner.office import SEATS, Office
from tests.runner.test_stages import ONE, staged_office

OVERDUE = "1 change that a stage handed off is overdue, the longest since 2026-12-07: "


def overdue(plan: Plan) -> list[str]:
    return [text for text in plan.warnings if "handed off" in text]


def handed_off(*, handoff_sla: int = 14) -> Office:
    """The seat of a user comes from a group of the identity provider, which is asked to take the user out of it."""
    office = staged_office(200)
    office.under(guardrails=replace(office.policies.guardrails, handoff_sla=handoff_sla))
    office.site.group_becomes(SEATS, modifiable=False)
    office.apply()
    return office


@pytest.mark.case("E34")
@pytest.mark.parametrize("days", [0, 13, 14])
def test_within_the_time_it_only_waits(days: int) -> None:
    office = handed_off()
    office.later(days)
    plan = office.plan()
    assert {cause.due for one in plan.handoffs for cause in one.causes} == {datetime(2026, 12, 7, tzinfo=UTC)}
    assert overdue(plan) == []
    assert "; due by 2026-12-07 00:00 UTC" in render_text(plan)


@pytest.mark.case("E34")
@pytest.mark.parametrize(("days", "told"), [(0, "1 user"), (14, "1 user"), (15, "1 user, 1 overdue")])
def test_the_record_tells_whom_stages_wait_for(days: int, told: str) -> None:
    office = handed_off()
    office.later(days)
    found = recorded(memory_of(office.store.read()), office.clock.now(), 14)
    assert found.text == f"handed off by stages, waiting until the site shows it: {told}"
    office.site.happens(ONE, groups=(), seats=(), license="none")
    office.apply()
    assert recorded(memory_of(office.store.read()), office.clock.now(), 14).text == ""


@pytest.mark.case("E34", "E35")
def test_after_that_it_is_overdue_until_the_site_shows_it_and_the_next_stage_waits() -> None:
    office = handed_off()
    office.later(15)
    for _ in range(2):
        plan = office.apply().plan
        (told,) = overdue(plan)
        assert told.startswith(OVERDUE)
        assert "; overdue since 2026-12-07 00:00 UTC" in render_text(plan)
        assert (plan.changes, plan.dispositions[ONE].state) == ((), "handed_off")
        office.later(30)
    office.site.happens(ONE, groups=(), seats=(), license="none")
    plan = office.apply().plan
    assert (plan.handoffs, overdue(plan)) == ((), [])
    assert office.site.written == []


def test_guardrails_say_how_long_it_may_take() -> None:
    office = handed_off(handoff_sla=3)
    (one,) = office.plan().handoffs
    assert [cause.due for cause in one.causes] == [datetime(2026, 11, 26, tzinfo=UTC)]

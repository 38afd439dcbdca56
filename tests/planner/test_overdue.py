"""Changes that an earlier run has sent, or may have: they stay planned, and nobody approves them unaware."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace as changed

from cleanup_gitops.model.memory import BLANK, Settling
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner.overdue import sent_before
from tests.planner.guarded import DORMANT, plan_for
from tests.planner.test_edge_cases_planner import TODAY, site

HOUR = timedelta(hours=1)
LOOK = "perhaps others undid it, so look before it is done again"
RUN, SENT = "20261121T090000Z-aaaaaaaa", datetime.fromisoformat("2026-11-21T09:00:00Z")
LINE = Settling(
    run=RUN, address="membership/g-users/a", user="a", at=SENT, after={"member": False}, deadline=TODAY + HOUR
)


def planned(line: Settling) -> Plan:
    return plan_for(site({"id": "a"}, {"id": "b"}), DORMANT, memory=changed(BLANK, settling=(line,)))


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (
            LINE,
            "sent this by 2026-11-21 09:00 UTC, it may show until 2026-11-22 01:00 UTC and is not sent again before",
        ),
        (
            changed(LINE, deadline=TODAY),
            "sent this by 2026-11-21 09:00 UTC, it may show until 2026-11-22 00:00 UTC and is not sent again before",
        ),
        (changed(LINE, deadline=TODAY - HOUR), "sent this by 2026-11-21 09:00 UTC and it does not show"),
        (
            changed(LINE, deadline=TODAY - HOUR, verified=SENT),
            f"did this by 2026-11-21 09:00 UTC: {LOOK}",
        ),
        (
            changed(LINE, deadline=None),
            f"was cut off and may have done this by 2026-11-21 09:00 UTC: {LOOK}",
        ),
    ],
)
def test_a_change_that_was_sent_before_stays_planned_and_says_what_is_known_of_it(line: Settling, note: str) -> None:
    plan = planned(line)
    never = "not effective: " if "does not show" in note else ""
    assert [(one.user, one.note) for one in plan.changes] == [("a", f"{never}run {RUN} {note}"), ("b", "")]
    assert plan.digest == plan_for(site({"id": "a"}, {"id": "b"}), DORMANT).digest


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (LINE, "late"),
        (changed(LINE, verified=SENT), "late"),
        (changed(LINE, deadline=TODAY - HOUR), "without-effect"),
        (changed(LINE, deadline=TODAY - HOUR, verified=SENT), "doubtful"),
        (changed(LINE, deadline=None), "doubtful"),
    ],
)
def test_what_may_still_show_is_told_from_what_never_showed_and_from_what_nobody_knows(
    line: Settling, state: str
) -> None:
    memory = changed(BLANK, settling=(line,))
    found = sent_before(planned(line).changes, memory, TODAY)
    assert {address: one.state for address, one in found.items()} == {LINE.address: state}


def test_what_was_sent_the_other_way_round_is_another_change() -> None:
    given = changed(LINE, after={"member": True})
    assert {one.note for one in planned(given).changes} == {""}


def test_a_note_of_the_plan_stays_beside_it() -> None:
    harsh = replace(DORMANT, name="harsh", ensure=replace(DORMANT.ensure, groups_absent=None, status="suspended"))
    memory = changed(BLANK, settling=(LINE,))
    (change,) = plan_for(site({"id": "a"}), DORMANT, harsh, memory=memory).changes
    assert change.note.endswith("and is not sent again before; also asked, but harsher: harsh")

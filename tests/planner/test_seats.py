"""Seats in use before and after a plan, and which of those that a run freed are in use again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace as changed

from cleanup_gitops.model.change import UserInvite
from cleanup_gitops.model.memory import BLANK, Done, Flap
from cleanup_gitops.planner.seats import seats_of, suspended_with_license
from cleanup_gitops.policy.billing import License
from cleanup_gitops.policy.documents import Ensure
from tests.planner.guarded import DORMANT, plan_for
from tests.planner.test_edge_cases_planner import TODAY, site
from tests.planner.test_undoing import DISABLED

MONTHLY = License("monthly", 1)
FIRST = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_plan_counts_the_seats_that_it_frees_and_those_that_it_takes() -> None:
    gives = replace(DORMANT, ensure=Ensure(groups_present=("users",)), name="gives")
    inventory = site({"id": "a"}, {"id": "b"}, {"id": "c", "seen": "2026-11-21"})
    freed = plan_for(inventory, DORMANT, license=MONTHLY).seats
    assert (freed.before, freed.after, freed.saves_from) == (3, 1, date(2026, 12, 1))
    taken = plan_for(site({"id": "a", "groups": []}), gives, license=MONTHLY).seats
    assert (taken.before, taken.after, taken.saves_from) == (0, 1, UNSET)
    invite = UserInvite(address="invite/hr/0", user="invite/hr/0", directory="default", role="user")
    assert seats_of([invite], inventory, BLANK, None, TODAY.date()).after == 4


@pytest.mark.case("E53")
@pytest.mark.parametrize(("days", "number"), [(0, 1), (1, UNSET)])
def test_a_seat_that_came_back_on_the_first_day_of_a_period_saves_nothing_in_it(days: int, number: Any) -> None:  # noqa: ANN401
    before = timedelta(days=days)
    inventory = site({"id": "a", "seat_since": (FIRST - before).isoformat()}, {"id": "b"})
    again = changed(BLANK, flaps=(Flap(user="a", policy="dormant", days=((FIRST - before).date(),)),))
    assert seats_of((), inventory, again, MONTHLY, TODAY.date()).regained == number
    late = changed(BLANK, flaps=(Flap(user="a", policy="dormant", days=(TODAY.date(),)),))
    assert seats_of((), inventory, late, MONTHLY, TODAY.date()).regained == number


@pytest.mark.case("E53")
@pytest.mark.parametrize(("group", "number"), [("g-users", 1), ("g-editors", UNSET), ("g-gone", UNSET)])
def test_only_a_group_that_gives_a_seat_had_freed_one(group: str, number: Any) -> None:  # noqa: ANN401
    address = f"membership/{group}/a"
    done = Done(run="r", address=address, user="a", policies=("dormant",), at=FIRST, after={"member": False})
    seats = seats_of((), site({"id": "a"}), changed(BLANK, done=(done,)), MONTHLY, TODAY.date())
    assert seats.regained == number


@pytest.mark.case("E54")
@pytest.mark.parametrize(
    ("facts", "number"),
    [({"status": "suspended"}, 1), ({"status": "suspended", "groups": []}, 0), ({}, 0)],
)
def test_a_suspended_user_keeps_a_license_only_where_there_is_one(facts: dict[str, Any], number: int) -> None:
    assert suspended_with_license(site({"id": "a", **facts}, {"id": "b", "status": "suspended"}), [DISABLED]) == number

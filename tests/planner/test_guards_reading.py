"""Guards of the reading: what is complete and consistent may still be wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.memory import Settling
from cleanup_gitops.policy.documents import Protection
from cleanup_gitops.policy.tree import InactiveFor, InGroup, Match
from tests.planner.guarded import broken, check_of, override, people, plan_for, reading, remembered, site
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy

DROP, KNOWN, CANARIES, ALL_IDLE = "reading:drop", "reading:known_activity", "reading:canaries", "reading:all_inactive"


# -- the drop ------------------------------------------------------------------------------------------


@pytest.mark.case("F1")
@pytest.mark.parametrize(
    ("before", "now", "found"),
    [(100, 100, 0), (100, 97, 0), (100, 90, 10), (100, 89, 11), (8, 5, 0), (8, 4, 50), (100, 120, 0), (4, 1, 0)],
)
def test_counts_that_fell_too_far_since_the_snapshot_stop_the_plan_and_a_few_do_not(
    before: int, now: int, found: int
) -> None:
    plan = plan_for(site(*people(0, now)), memory=remembered(site(*people(0, before))))
    check = check_of(plan, DROP)
    assert (check.found, check.allowed) == (found, 10)
    assert check.passed is plan.applyable is (found <= 10)
    assert f"accounts {before} -> {now}" in check.message or check.passed


@pytest.mark.case("F1")
def test_a_refusal_names_all_numbers_what_may_be_the_cause_and_what_to_do() -> None:
    plan = plan_for(site(*people(0, 60)), memory=remembered(site(*people(0, 100))))
    check = check_of(plan, DROP)
    assert check.message == (
        "accounts 100 -> 60 (40 % fewer), members of users 100 -> 60 (40 % fewer), seats 100 -> 60 (40 % fewer) since"
        " the snapshot of 2026-11-21; 10 % allowed (max_drop 10 %; default). A list that came back short, or a key that"
        " sees less than before, looks like this. Look at `cleanup-gitops drift --no-record`, and run again later"
    )
    assert "  guard: reading.max_drop\n  max: 40 # percent\n" in check.override


def test_before_the_first_snapshot_there_is_nothing_to_compare_with() -> None:
    check = check_of(plan_for(site(*people(0, 1))), DROP)
    assert check.passed
    assert check.message == "there is no snapshot yet to compare with (max_drop 10 %; default)"


@pytest.mark.case("F1")
def test_nobody_left_is_never_let_in_whatever_an_override_says() -> None:
    memory = remembered(site(*people(0, 2)))
    plan = plan_for(site(), memory=memory, overrides=(override("reading.max_drop", 100),))
    check = check_of(plan, DROP)
    assert (check.passed, check.override) == (False, "")
    assert check.message.endswith("no Override lifts that nobody is left")


@pytest.mark.case("F1")
def test_a_group_of_which_something_depends_may_not_read_as_empty() -> None:
    everybody = people(0, 40)
    guarded = [{**one, "groups": ["g-users", "g-editors"]} for one in everybody[:5]] + everybody[5:]
    memory = remembered(site(*guarded))
    now = site(*everybody)
    assert check_of(plan_for(now, memory=memory), DROP).passed
    for more in (
        {"protections": (Protection(name="p", owner="o", groups=("edit*",)),)},
        {"guardrails": reading(canary_groups=("editors",))},
    ):
        facts: dict[str, Any] = dict(more)
        check = check_of(plan_for(now, memory=memory, **facts), DROP)
        assert (check.passed, check.found) == (False, 100)
        assert check.message.startswith("members of editors 5 -> 0 (100 % fewer) since")
    spared = policy(IDLE, none=InGroup(("editors",)))
    assert broken(plan_for(now, spared, memory=memory)) == [DROP]


def test_what_we_did_ourselves_and_the_site_shows_late_is_no_drop() -> None:
    before = site(*people(0, 40))
    late = tuple(
        Settling(
            run="r", address=f"membership/g-users/busy-{n:03}", user=f"busy-{n:03}", at=TODAY, after={"member": False}
        )
        for n in range(20)
    )
    memory = msgspec.structs.replace(remembered(before), settling=late)
    gone = [{**one, "groups": []} if number < 20 else one for number, one in enumerate(people(0, 40))]
    assert check_of(plan_for(site(*gone), memory=memory), DROP).passed
    assert not check_of(plan_for(site(*gone), memory=remembered(before)), DROP).passed


def test_an_override_lets_a_drop_in_up_to_its_percent_and_is_told() -> None:
    now, memory = site(*people(0, 60)), remembered(site(*people(0, 100)))
    assert not plan_for(now, memory=memory, overrides=(override("reading.max_drop", 39),)).applyable
    check = check_of(plan_for(now, memory=memory, overrides=(override("reading.max_drop", 40),)), DROP)
    assert (check.passed, check.found, check.allowed, check.lifted) == (True, 40, 40, ("exception",))
    assert "40 % allowed by Override exception until 2026-11-29 (first-run, policies/overrides.yaml:1)" in check.message


# -- activity that is known ------------------------------------------------------------------------------


@pytest.mark.parametrize(("unknown", "found"), [(0, 0), (3, 0), (4, 10), (5, 13), (40, 100)])
def test_the_last_use_of_enough_seats_must_be_known(unknown: int, found: int) -> None:
    said = [
        {**one, "seen": "unknown: no answer"} if number < unknown else one for number, one in enumerate(people(0, 40))
    ]
    plan = plan_for(site(*said))
    check = check_of(plan, KNOWN)
    assert (check.found, check.allowed) == (found, 10)
    assert check.passed is plan.applyable is (found <= 10)
    assert check.message.startswith(f"the last use of {unknown} of 40 seats is not known")
    assert ("A source of activity may be down" in check.message) is (not check.passed)


def test_an_override_counts_the_seats_that_are_not_known() -> None:
    said = site(*people(0, 30), *({"id": f"u-{n}", "seen": "unknown: no answer"} for n in range(10)))
    assert "max: 25" in check_of(plan_for(said), KNOWN).override
    lifted = plan_for(said, overrides=(override("reading.min_known_activity", 25),))
    assert check_of(lifted, KNOWN).lifted == ("exception",)
    assert check_of(plan_for(said, guardrails=reading(min_known=75)), KNOWN).passed


# -- canaries ------------------------------------------------------------------------------------------


@pytest.mark.case("F1")
def test_canaries_must_be_there_active_and_not_empty() -> None:
    canaries = reading(canary_accounts=("busy-000", "idle-000", "gone"), canary_groups=("Users", "admins", "nowhere"))
    users = people(1, 9)
    users[0]["status"] = "suspended"
    check = check_of(plan_for(site(*users), guardrails=canaries), CANARIES)
    assert (check.passed, check.found, check.allowed, check.override) == (False, 4, 0, "")
    assert check.message == (
        "4 of 6 canaries are not as they must be (policies/guardrails.yaml:2): account idle-000 is suspended, account"
        " gone is not there, group admins has no members, group nowhere is not there. Either the reading is wrong, or"
        " Guardrails name what is gone; no Override lifts this"
    )
    there = reading(canary_accounts=("busy-000",), canary_groups=("users",))
    assert check_of(plan_for(site(*users), guardrails=there), CANARIES).message.startswith("all 2 canaries are there")


# -- everybody idle --------------------------------------------------------------------------------------


@pytest.mark.case("E60")
@pytest.mark.parametrize("seen", ["2026-01-01", "never"])
@pytest.mark.parametrize(("idle", "busy", "passed"), [(5, 0, False), (50, 0, False), (50, 1, True), (4, 0, True)])
def test_everybody_idle_at_once_is_a_fault_of_the_data(idle: int, busy: int, passed: bool, seen: str) -> None:
    plan = plan_for(site(*people(idle, 0, seen=seen), *people(0, busy)))
    check = check_of(plan, ALL_IDLE)
    assert check.passed is passed
    assert plan.applyable is passed
    assert (check.found, check.override) == (idle, "")
    assert check.message.startswith(
        f"{idle} of {idle + busy} people with a seat look idle (not seen for more than 90 days"
    )
    assert ("run again later; no override lifts this" in check.message.lower()) is (not passed)


@pytest.mark.case("E60")
def test_an_unknown_last_use_does_not_hide_that_all_others_are_idle() -> None:
    users = [*people(30, 0), {"id": "u", "seen": "unknown: no answer"}]
    assert broken(plan_for(site(*users))) == [ALL_IDLE]


@pytest.mark.case("E60")
def test_people_who_just_came_and_never_looked_are_not_idle_and_guests_do_not_count() -> None:
    new = people(6, 0, seen="never", added="2026-11-20")
    assert check_of(plan_for(site(*new)), ALL_IDLE).passed
    guests = people(6, 0, groups=["g-guests"])
    assert check_of(plan_for(site(*guests)), ALL_IDLE).found == 0


@pytest.mark.case("E60")
def test_idle_is_what_the_policies_call_so_at_least_and_is_counted_from_the_reading() -> None:
    users = site(*people(6, 0, seen="2026-11-01"))
    assert check_of(plan_for(users), ALL_IDLE).passed
    strict = plan_for(users, policy(InactiveFor(14)))
    assert "not seen for more than 14 days" in check_of(strict, ALL_IDLE).message
    assert broken(strict) == [ALL_IDLE]
    assert broken(plan_for(users, policy(Match(none=(Match(none=(InactiveFor(14),)),))))) == [ALL_IDLE]
    assert check_of(plan_for(users, policy(InGroup(("users",)), Match(none=(InactiveFor(14),)))), ALL_IDLE).passed
    forecast = plan_for(users, created=TODAY + timedelta(days=300))
    assert check_of(forecast, ALL_IDLE).passed
    assert len(forecast.changes) == 6

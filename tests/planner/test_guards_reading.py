"""Guards of the reading: what is complete and consistent may still be wrong."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Settling
from cleanup_gitops.model.plan import Check
from cleanup_gitops.policy.documents import Ensure, Protection
from cleanup_gitops.policy.tree import InGroup
from tests.planner.guarded import broken, check_of, override, people, plan_for, reading, remembered, site
from tests.planner.test_edge_cases_planner import GROUPS, IDLE, TODAY, policy

DROP, KNOWN, CANARIES = "reading:drop", "reading:known_activity", "reading:canaries"


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


def counted(before: int, now: int, **facts: Any) -> Check:  # noqa: ANN401 - facts of all users
    """The drop of a site from so many people to so many."""
    return check_of(
        plan_for(site(*people(0, now, **facts)), memory=remembered(site(*people(0, before, **facts)))), DROP
    )


@pytest.mark.case("F1")
@pytest.mark.parametrize(("before", "now", "passed"), [(0, 0, True), (1, 0, False), (2, 0, False), (3, 3, True)])
def test_nobody_left_is_a_fault_whatever_may_be_missing_unless_there_was_nobody(
    before: int, now: int, passed: bool
) -> None:
    plan = plan_for(
        site(*people(0, now)), memory=remembered(site(*people(0, before))), guardrails=reading(max_drop=100)
    )
    check = check_of(plan, DROP)
    assert check.passed is passed
    assert ("no Override lifts that nobody is left" in check.message) is not passed


@pytest.mark.case("F1")
@pytest.mark.parametrize(
    ("before", "now", "passed"), [(0, 0, True), (0, 1, True), (1, 0, False), (4, 1, True), (3, 0, False)]
)
def test_the_last_seats_do_not_vanish_unnoticed_and_none_before_and_none_now_is_no_drop(
    before: int, now: int, passed: bool
) -> None:
    def with_seats(number: int) -> Inventory:
        return site(*({**one, "groups": ["g-users"] * (place < number)} for place, one in enumerate(people(0, 40))))

    plan = plan_for(
        with_seats(now), policy(IDLE, ensure=Ensure(status="suspended")), memory=remembered(with_seats(before))
    )
    assert check_of(plan, DROP).passed is passed


@pytest.mark.case("F1")
@pytest.mark.parametrize(("gone", "found"), [(0, 0), (3, 0), (4, 10), (5, 13)])
def test_groups_that_vanished_are_a_drop_as_well_and_a_few_are_not(gone: int, found: int) -> None:
    groups = [*GROUPS, *({"id": f"g-{number:02}", "name": f"team {number}"} for number in range(36))]
    memory = remembered(site(*people(0, 9), groups=groups))
    check = check_of(plan_for(site(*people(0, 9), groups=groups[: 40 - gone]), memory=memory), DROP)
    assert (check.found, check.passed) == (found, found <= 10)


def test_a_reading_that_passes_tells_its_counts_and_how_far_they_fell() -> None:
    assert counted(100, 92).message == (
        "accounts 100 -> 92, seats 100 -> 92, groups 4 -> 4 since the snapshot of 2026-11-21, at most 8 % fewer;"
        " 10 % allowed (max_drop 10 %; default)"
    )
    assert counted(1200, 1200).message == (
        "accounts 1,200 -> 1,200, seats 1,200 -> 1,200, groups 4 -> 4 since the snapshot of 2026-11-21;"
        " 10 % allowed (max_drop 10 %; default)"
    )


def test_of_many_counts_that_fell_three_are_named_and_the_others_counted() -> None:
    everybody = [{**one, "groups": ["g-users", "g-editors"]} for one in people(0, 100)]
    canaries = reading(canary_groups=("editors",))
    plan = plan_for(site(*everybody[:60]), memory=remembered(site(*everybody)), guardrails=canaries)
    check = check_of(plan, DROP)
    assert check.message.startswith(
        "accounts 100 -> 60 (40 % fewer), members of editors 100 -> 60 (40 % fewer), members of users 100 -> 60 (40 %"
        " fewer) and 1 more since"
    )
    dozen = [{"id": f"g-{number}", "name": f"team {number}"} for number in range(5)]
    members = [{**one, "groups": ["g-users", *(group["id"] for group in dozen)]} for one in people(0, 100)]
    asked = reading(canary_groups=tuple(group["name"] for group in dozen))
    now = site(*members[:60], groups=[*GROUPS, *dozen])
    many = plan_for(now, memory=remembered(site(*members, groups=[*GROUPS, *dozen])), guardrails=asked)
    assert " (40 % fewer) and 5 more since" in check_of(many, DROP).message


def test_what_fell_most_is_told_first() -> None:
    then = [{**one, "groups": ["g-users", "g-editors"]} for one in people(0, 5)] + people(0, 100)[5:]
    plan = plan_for(
        site(*people(0, 60)), memory=remembered(site(*then)), guardrails=reading(canary_groups=("editors",))
    )
    assert check_of(plan, DROP).message.startswith("members of editors 5 -> 0 (100 % fewer), accounts 100 -> 60 (40 %")


@pytest.mark.case("F1")
@pytest.mark.parametrize(("before", "passed"), [(0, True), (1, True), (2, False), (5, False)])
def test_a_group_that_had_several_members_may_not_read_as_empty_and_one_of_a_single_member_may(
    before: int, passed: bool
) -> None:
    everybody = people(0, 40)
    then = [{**one, "groups": ["g-users", "g-editors"]} for one in everybody[:before]] + everybody[before:]
    plan = plan_for(
        site(*everybody), memory=remembered(site(*then)), guardrails=reading(canary_groups=("editors", "nowhere"))
    )
    assert check_of(plan, DROP).passed is passed


@pytest.mark.case("F1")
@pytest.mark.parametrize(
    ("ensure", "passed"), [(Ensure(no_access=True), False), (Ensure(groups_absent=("users",)), True)]
)
def test_where_a_policy_ends_all_access_every_group_with_a_license_is_looked_at(ensure: Ensure, passed: bool) -> None:
    everybody = people(0, 40)
    then = [{**one, "groups": ["g-users", "g-guests"]} for one in everybody[:9]] + everybody[9:]
    plan = plan_for(site(*everybody), policy(IDLE, ensure=ensure), memory=remembered(site(*then)))
    check = check_of(plan, DROP)
    assert check.passed is passed
    assert ("members of guests 9 -> 0 (100 % fewer)" in check.message) is not passed


def awaited(address: str, after: dict[str, Any], number: int = 20) -> tuple[Settling, ...]:
    """What a run of ours awaits of so many people."""
    names = (f"busy-{one:03}" for one in range(number))
    return tuple(Settling(run="r", address=address.format(one), user=one, at=TODAY, after=after) for one in names)


def fallen(now: list[dict[str, Any]], late: tuple[Settling, ...]) -> list[str]:
    """What is told to have fallen since there were a hundred people, with what our own runs explain."""
    before = remembered(site(*people(0, 100)))
    check = check_of(plan_for(site(*now), memory=msgspec.structs.replace(before, settling=late)), DROP)
    return [] if check.passed else check.message.partition(" since ")[0].split(", ")


@pytest.mark.case("F1")
def test_whoever_we_took_out_of_the_directory_is_missing_everywhere_and_in_nothing_else() -> None:
    left = people(0, 100)[20:]
    assert fallen(left, awaited("user/{}", {"status": "absent"})) == []
    assert fallen(left, awaited("user/{}", {"status": "absent"}, 5)) != []
    assert fallen(left, awaited("user/{}", {"status": "suspended"})) == [
        "accounts 100 -> 80 (20 % fewer)",
        "members of users 100 -> 80 (20 % fewer)",
    ]


@pytest.mark.case("F1")
@pytest.mark.parametrize(
    ("address", "after", "explains"),
    [
        ("membership/g-users/{}", {"member": False}, True),
        ("role/user/{}", {"held": False}, True),
        ("user/{}", {"status": "suspended"}, True),
        ("membership/g-users/{}", {"member": True}, False),
        ("membership/g-editors/{}", {"member": False}, False),
        ("membership/g-gone/{}", {"member": False}, False),
        ("user/{}", {"status": "active"}, False),
        ("tokens/{}/t-1", {"valid": False}, False),
        ("invite/hr/{}", {"invited": True, "role": "user", "groups": "g-users"}, False),
    ],
)
def test_only_what_ends_a_seat_explains_that_there_are_fewer(
    address: str, after: dict[str, Any], explains: bool
) -> None:
    shut = [{**one, "status": "suspended"} if number < 20 else one for number, one in enumerate(people(0, 100))]
    assert fallen(shut, awaited(address, after)) == ([] if explains else ["seats 100 -> 80 (20 % fewer)"])


@pytest.mark.case("F7")
@pytest.mark.parametrize(("number", "passed"), [(10, False), (11, True), (12, True)])
def test_an_override_of_a_reading_holds_from_the_very_percent_that_is_found(number: int, passed: bool) -> None:
    lifts = (override("reading.max_drop", number), override("reading.min_known_activity", number, name="known"))
    now = [{**one, "seen": "unknown: no answer"} if one["id"] < "busy-010" else one for one in people(0, 89)]
    plan = plan_for(site(*now), memory=remembered(site(*people(0, 100))), overrides=lifts)
    drop, known = check_of(plan, DROP), check_of(plan, KNOWN)
    assert (drop.found, known.found) == (11, 12)
    assert (drop.passed, drop.lifted) == (passed, ("exception",) if passed else ())
    assert (known.passed, known.lifted) == (number == 12, ("known",) if number == 12 else ())
    assert ("which is not enough" in drop.message) is not passed


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


def test_how_many_seats_are_not_known_is_told_in_percent_where_it_is_more_than_a_few() -> None:
    few = check_of(plan_for(site(*people(0, 37), *people(3, 0, seen="unknown: no answer"))), KNOWN)
    assert few.message == "the last use of 3 of 40 seats is not known; 10 % allowed (min_known_activity 90 %; default)"
    more = check_of(plan_for(site(*people(0, 36), *people(4, 0, seen="unknown: no answer"))), KNOWN)
    assert more.message.startswith("the last use of 4 of 40 seats is not known, 10 %; 10 % allowed (")


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

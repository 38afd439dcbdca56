"""What a change is when a plan has it: what it needs to be still so, which way it takes, and what it says of seats."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace as changed

from cleanup_gitops.model.change import GroupModifiable, MemberIs, StatusIs
from cleanup_gitops.model.memory import BLANK, Spent
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.planner import questions
from cleanup_gitops.planner.ready import evaluate
from cleanup_gitops.policy.documents import Ensure, SitePolicies
from cleanup_gitops.policy.tree import AddedFor, InactiveFor, InGroup, Match, NeverActiveFor
from tests.planner.guarded import plan_for
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_accounts import ROLE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, fate, plan_of, policy, site
from tests.planner.test_stage_rows import RELEASE, SUSPEND, known, mark, staged

NO_ACCESS = Ensure(no_access=True)
NESTED = (
    {"id": "g-users", "name": "users", "license": "seat"},
    {"id": "g-one", "name": "one", "parents": ["g-users"]},
    {"id": "g-two", "name": "two", "parents": ["g-users"]},
)
DATA_CENTER: dict[str, Any] = {"hosting": "datacenter", "groups": NESTED}


def test_a_membership_is_changed_only_while_it_is_as_the_plan_read_it() -> None:
    gives = policy(IDLE, ensure=Ensure(groups_present=("editors",)), name="gives")
    plan = plan_of(site({"id": "a"}), gives, policy(IDLE))
    needs = {one.action: [need for need in one.needs if not hasattr(need, "product")] for one in plan.changes}
    assert needs == {
        "membership.remove": [StatusIs("active"), MemberIs("g-users", member=True), GroupModifiable("g-users")],
        "membership.add": [StatusIs("active"), MemberIs("g-editors", member=False), GroupModifiable("g-editors")],
    }


@pytest.mark.case("E39")
def test_a_nested_seat_is_left_by_the_group_that_the_user_is_in() -> None:
    inventory = site({"id": "a", "groups": ["g-one", "g-two"]}, **DATA_CENTER)
    plan = plan_of(inventory, policy(IDLE, ensure=NO_ACCESS))
    assert [(one.address, one.note) for one in plan.changes] == [
        ("membership/default/g-one/a", ""),
        ("membership/default/g-two/a", ""),
    ]
    (one,) = plan_of(inventory, policy(IDLE, ensure=Ensure(groups_absent=("one",)))).changes
    assert one.note == "no seat freed: still held through group two"
    assert GroupSeat(("g-one", "g-users")) in (inventory.user_by_id["a"].seats or ())


def test_an_account_of_a_data_center_is_opened_as_active() -> None:
    inventory = site({"id": "a", "status": "disabled"}, hosting="datacenter")
    (one,) = plan_of(inventory, policy(IDLE, ensure=Ensure(status="active"))).changes
    assert (one.before, one.after) == ({"status": "disabled"}, {"status": "active"})


def test_who_loses_access_as_a_guest_alone_is_told_of_no_seat() -> None:
    guest = {"by": "role", "role": "guest"}
    fixed = {"id": "g-users", "name": "users", "license": "seat", "modifiable": False}
    held = {"seats": [{"by": "group", "chain": ["g-users"]}, guest], "license": "seat"}
    plan = plan_of(site({"id": "a", **held}, groups=[fixed]), policy(IDLE, ensure=NO_ACCESS))
    assert [(one.action, one.note) for one in plan.changes] == [("role.revoke", "")]
    paid = {"seats": [{"by": "group", "chain": ["g-users"]}, ROLE], "license": "seat"}
    plan = plan_of(site({"id": "a", **paid}, groups=[fixed]), policy(IDLE, ensure=NO_ACCESS))
    assert [one.note for one in plan.changes] == ["no seat freed: still held through group users"]


def test_what_a_policy_asks_for_twice_is_one_change_for_one_reason() -> None:
    (one,) = plan_of(site({"id": "a"}), policy(IDLE, ensure=Ensure(no_access=True, groups_absent=("users",)))).changes
    assert [cause.policy for cause in one.causes] == ["dormant"]


def test_disabled_and_suspended_are_one_wish_on_a_cloud_site() -> None:
    two = [policy(IDLE, ensure=Ensure(status=one), name=one) for one in ("disabled", "suspended")]
    (one,) = plan_of(site({"id": "a"}), *two).changes
    assert [cause.policy for cause in one.causes] == ["disabled", "suspended"]


def test_groups_that_are_not_known_are_not_made_exactly_these() -> None:
    inventory = site({"id": "a", "groups": None, "seats": [], "license": "none", "admin": False})
    plan = plan_of(inventory, policy(IDLE, ensure=Ensure(groups_exactly=("editors",))))
    assert fate(plan, "a") == ("unknown", "groups-unknown")


@pytest.mark.case("E42")
@pytest.mark.parametrize("ensure", [Ensure(groups_present=("users",)), Ensure(groups_exactly=("users",))])
def test_nobody_is_put_into_a_group_that_their_directory_does_not_have(ensure: Ensure) -> None:
    places = [{"id": "one", "name": "One"}, {"id": "two", "name": "Two"}]
    inventory = site(
        {"id": "a", "directory": "one", "groups": []},
        {"id": "b", "directory": "two", "groups": []},
        groups=[{"id": "g-users", "name": "users", "directory": "one"}],
        directories=places,
    )
    plan = plan_of(inventory, policy(IDLE, ensure=ensure))
    assert [one.user for one in plan.changes] == ["a"]
    assert fate(plan, "b") == ("conflict", "group-not-in-directory")


@pytest.mark.case("E42")
@pytest.mark.parametrize(
    ("priority", "expected"), [(1, ("unchanged", "already-so")), (0, ("conflict", "group-not-in-directory"))]
)
def test_a_policy_that_does_not_count_is_in_conflict_with_no_directory(
    priority: int, expected: tuple[str, str]
) -> None:
    inventory = site(
        {"id": "a", "directory": "two", "groups": []},
        groups=[
            {"id": "g-users", "name": "users", "directory": "one"},
            {"id": "g-others", "name": "others", "directory": "two"},
        ],
        directories=[{"id": "one", "name": "One"}, {"id": "two", "name": "Two"}],
    )
    exact = policy(IDLE, ensure=Ensure(groups_exactly=("users",)), name="exact")
    first = replace(policy(IDLE, ensure=Ensure(groups_absent=("others",)), name="first"), priority=priority)
    assert fate(plan_of(inventory, exact, first), "a") == expected


@pytest.mark.case("E42")
def test_a_policy_that_wants_nothing_but_a_group_elsewhere_keeps_no_other_policy_from_acting() -> None:
    inventory = site(
        {"id": "a", "directory": "two", "groups": ["g-others"]},
        {"id": "b", "directory": "two", "groups": []},
        groups=[
            {"id": "g-users", "name": "users", "directory": "one"},
            {"id": "g-others", "name": "others", "directory": "two"},
        ],
        directories=[{"id": "one", "name": "One"}, {"id": "two", "name": "Two"}],
    )
    gives = policy(IDLE, ensure=Ensure(groups_present=("users",)), name="gives")
    takes = policy(IDLE, ensure=Ensure(groups_absent=("others",)), name="takes")
    plan = plan_of(inventory, gives, takes)
    assert [(one.user, one.action) for one in plan.changes] == [("a", "membership.remove")]
    assert fate(plan, "b") == ("conflict", "group-not-in-directory")


def test_what_a_stage_hands_off_should_be_done_within_the_days_of_the_guardrails() -> None:
    memory = known(mark(stage="suspend", entered=TODAY, done=None, effects=(), shut=False))
    inventory = site({"id": "a", "writable": False})
    (row,) = plan_for(inventory, staged(RELEASE, SUSPEND), memory=memory).handoffs
    assert [cause.due for cause in row.causes] == [datetime(2026, 12, 7, tzinfo=UTC)]


def test_days_of_grace_that_only_an_exception_names_are_promised_to_nobody() -> None:
    new = {"id": "a", "seen": "never", "added": "2026-11-20"}
    guests = Match(all=(NeverActiveFor(200), InGroup(("guests",))))
    plan = plan_of(site(new), policy(AddedFor(90), none=guests))
    assert fate(plan, "a") == ("unchanged", "no-policy-matches")
    twice = Match(none=(Match(none=(NeverActiveFor(200),)),))
    promised = fate(plan_of(site(new), policy(NeverActiveFor(200))), "a")
    assert promised != fate(plan, "a")
    assert fate(plan_of(site(new), policy(twice)), "a") == promised


def test_of_whom_the_directory_never_saw_all_are_counted() -> None:
    """Not those whose use the database of the site told."""
    told = {"seen": {"is": "never", "since": "2024-01-01T00:00:00Z", "source": "database"}}
    inventory = site({"id": "a", "seen": "never"}, {"id": "b", "seen": "never"}, {"id": "c", **told})
    (warning,) = plan_of(inventory, policy(NeverActiveFor(30))).warnings
    assert warning.startswith("2 users count as idle and never viewed a page")


# -- which policies act --------------------------------------------------------------------------------


@pytest.mark.parametrize(("until", "acts"), [(None, True), (date(2026, 11, 22), True), (date(2026, 11, 21), False)])
def test_a_policy_that_has_ended_acts_on_nobody_and_the_others_go_on(until: date | None, acts: bool) -> None:
    both = ["g-editors", "g-users"]
    ending = replace(policy(IDLE, ensure=Ensure(groups_absent=("editors",)), name="a"), until=until)
    plan = plan_of(site({"id": "a", "groups": both}), ending, policy(IDLE, name="b"))
    assert [one.causes[0].policy for one in plan.changes] == ["a", "b"] if acts else ["b"]


def test_a_policy_that_was_to_act_once_and_has_acts_no_more() -> None:
    once = replace(policy(IDLE, name="a"), once=True, digest="sha256:1")
    others = policy(IDLE, ensure=Ensure(groups_absent=("editors",)), name="b")
    spent = Spent(policy="a", digest="sha256:1", run="r", at=TODAY)
    memory = changed(BLANK, spent=(spent,))
    inventory = site({"id": "a", "groups": ["g-editors", "g-users"]})
    assert [one.causes[0].policy for one in plan_for(inventory, once, others, memory=memory).changes] == ["b"]
    other = changed(BLANK, spent=(changed(spent, digest="sha256:0"),))
    assert [one.causes[0].policy for one in plan_for(inventory, once, others, memory=other).changes] == ["b", "a"]


@pytest.mark.parametrize("stage", ["release", "gone"])
def test_what_the_next_stage_needs_is_asked_of_somebody_in_the_middle_of_it(stage: str) -> None:
    close = replace(SUSPEND, ensure=Ensure(status="deactivated"), after=7)
    rules = SitePolicies(site="acme", policies=(staged(RELEASE, close),), guardrails=WIDE)
    asked = questions(site({"id": "a", "groups": []}), rules, TODAY, memory=known(mark(stage=stage)))
    assert ("lifecycle" in asked.get("a", ())) is (stage == "release")


def test_only_rules_are_asked_about_somebody_that_may_say_yes() -> None:
    many = [policy(InactiveFor(days), name=f"{days:03}") for days in (30, 90, 365)]
    rules = SitePolicies(site="acme", policies=(*many, policy(NeverActiveFor(30), name="never")), guardrails=WIDE)
    seen = {"2026-11-20": [], "2026-09-20": ["030"], "2026-05-20": ["030", "090"], "2025-01-01": ["030", "090", "365"]}
    for day, names in seen.items():
        inventory = site({"id": "a", "seen": day})
        evaluation = evaluate(inventory, rules, TODAY)
        assert [one.name for one in evaluation.shortlist(inventory.users[0])] == names
    never = site({"id": "a", "seen": "never"})
    assert len(evaluate(never, rules, TODAY).shortlist(never.users[0])) == 4

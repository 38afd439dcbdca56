"""Edge cases of the planner whose point is a rule rather than a whole plan; the plans are in tests/cases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.plan import Disposition, Plan
from cleanup_gitops.planner import assume, make_plan
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, SitePolicies
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InGroup, KindIs, Match, NeverActiveFor, Node
from tests.case_files import read_inventory
from tests.planner.site_policies import WIDE

TODAY = datetime(2026, 11, 22, tzinfo=UTC)
GROUPS = (
    {"id": "g-users", "name": "users", "license": "seat"},
    {"id": "g-guests", "name": "guests", "license": "guest"},
    {"id": "g-admins", "name": "admins", "license": "seat", "admin": True},
    {"id": "g-editors", "name": "editors"},
)
LEAVE = Ensure(groups_absent=("users",))
IDLE = InactiveFor(90)


def site(*users: dict[str, Any], at: datetime = TODAY, **more: Any) -> Inventory:  # noqa: ANN401 - any JSON
    """A Cloud site. Users are dormant members of ``users`` unless they say otherwise."""
    usual = {"seen": "2026-01-01", "groups": ["g-users"]}
    file = {"about": "", "as_of": at.isoformat(), "groups": GROUPS, "users": [usual | user for user in users], **more}
    return read_inventory(json.dumps(file).encode())[1]


def policy(
    *nodes: Node, ensure: Ensure = LEAVE, name: str = "dormant", none: Node | None = None, include_admins: bool = False
) -> Policy:
    match = Match(all=nodes, none=(none,) if none else ())
    return Policy(
        name=name,
        owner="iam@acme.com",
        why="w",
        match=match,
        ensure=ensure,
        include_admins=include_admins,
        kinds=match.kinds,
    )


def plan_of(inventory: Inventory, *policies: Policy, **more: Any) -> Plan:  # noqa: ANN401 - fields of SitePolicies
    ordered = tuple(sorted(policies, key=lambda one: one.name))
    given: dict[str, Any] = {"site": "acme", "policies": ordered, "guardrails": WIDE} | more
    rules = SitePolicies(**given)
    return make_plan(inventory, rules, BLANK, created=inventory.as_of, as_of=inventory.as_of, tool_version="0")


def fate(plan: Plan, account: str) -> tuple[str, str]:
    one = plan.dispositions[account]
    return one.state, one.reason


HOURS = (timedelta(0), timedelta(hours=12), timedelta(hours=23, minutes=59, seconds=59))


@pytest.mark.case("E4", "E5")
@pytest.mark.parametrize("now", HOURS)
@pytest.mark.parametrize("then", HOURS)
@pytest.mark.parametrize(("source", "lag"), [("directory", 1), ("content", 0), ("database", 0)])
@pytest.mark.parametrize(("days", "acts"), [(89, False), (90, False), (91, True)])
def test_the_threshold_is_strictly_more_than_n_days_between_dates_after_the_lag(
    days: int, acts: bool, source: str, lag: int, then: timedelta, now: timedelta
) -> None:
    at = (TODAY - timedelta(days=days + lag) + then).isoformat()
    seen = {"is": "seen", "earliest": at, "latest": at, "source": source}
    never = {"is": "never", "since": at, "source": source}
    inventory = site({"id": "seen", "seen": seen}, {"id": "never", "seen": never, "added": at}, at=TODAY + now)
    plan = plan_of(inventory, policy(IDLE), policy(NeverActiveFor(90), name="never"))
    assert [change.user for change in plan.changes] == (["never", "seen"] if acts else [])


@pytest.mark.case("E10", "F2")
@pytest.mark.parametrize("predicate", [InactiveFor(1), NeverActiveFor(1), InactiveFor(1, "any")])
def test_unknown_activity_is_never_the_oldest_possible_one(predicate: Node) -> None:
    plan = plan_of(site({"id": "a", "seen": "unknown: no login is recorded"}), policy(predicate))
    one = plan.dispositions["a"]
    assert one == Disposition("unknown", "policy-undecided", ("dormant",), "not known: activity (no login is recorded)")


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("ensure", "named"),
    [
        (LEAVE, ("changed", "changed")),
        (Ensure(groups_exactly=("editors",)), ("changed", "changed")),
        (Ensure(status="suspended"), ("protected", "last-administrator")),
    ],
)
def test_no_policy_touches_an_administrator_without_saying_so(ensure: Ensure, named: tuple[str, str]) -> None:
    inventory = site({"id": "admin", "admin": True}, {"id": "perhaps", "admin": None}, {"id": "root", "admin": True})
    silent = plan_of(inventory, policy(IDLE, ensure=ensure))
    assert not silent.changes
    assert fate(silent, "admin") == fate(silent, "root") == ("protected", "administrator")
    saying = plan_of(inventory, policy(IDLE, ensure=ensure, include_admins=True))
    assert fate(saying, "admin") == fate(saying, "root") == named
    assert fate(silent, "perhaps") == fate(saying, "perhaps") == ("protected", "administrator-unknown")


@pytest.mark.case("E20")
@pytest.mark.parametrize(
    ("other", "taken"),
    [
        ({"seen": "2026-11-20"}, True),
        ({"seen": "2026-11-20", "status": "suspended"}, False),
        ({"seen": "2026-11-20", "kind": "app"}, False),
        ({"seen": "2026-11-20", "admin": False}, False),
        ({"seen": "2026-11-20", "admin": None}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("ensure", [Ensure(groups_absent=("admins",)), Ensure(status="suspended")])
def test_the_last_active_person_who_administers_is_never_taken(
    ensure: Ensure, other: dict[str, Any], taken: bool
) -> None:
    root = {"groups": ["g-admins"]}
    inventory = site({"id": "idle", **root}, {"id": "other", **root, **other})
    plan = plan_of(inventory, policy(IDLE, ensure=ensure, include_admins=True))
    expected = ("changed", "changed") if taken else ("protected", "last-administrator")
    assert fate(plan, "idle") == expected
    assert bool(plan.changes) is taken


@pytest.mark.case("E21")
@pytest.mark.parametrize("kind", ["person", "service", "app", "unknown"])
@pytest.mark.parametrize("admin", [True, False, None])
def test_the_account_that_runs_this_is_protected_from_every_policy(admin: bool | None, kind: str) -> None:
    inventory = site(
        {"id": "runner", "kind": kind, "admin": admin},
        {"id": "a", "admin": True, "seen": "2026-11-20"},
        runner=["runner"],
    )
    everybody = policy(KindIs(("person", "service", "app")), IDLE, include_admins=True)
    exempt = Exemption(
        account="runner", reason="project", owner="o", until=TODAY.date(), ticket="T-1", document="runner"
    )
    plan = plan_of(
        inventory, everybody, policy(IDLE, ensure=Ensure(status="suspended"), name="x"), exemptions=(exempt,)
    )
    assert fate(plan, "runner") == ("protected", "runner")
    assert not plan.changes


@pytest.mark.case("E23")
@pytest.mark.parametrize("kind", ["service", "app", "customer"])
def test_only_a_policy_that_names_the_type_speaks_about_accounts_that_are_no_person(kind: Any) -> None:  # noqa: ANN401
    inventory = site({"id": "looks-like-a-person", "kind": kind}, {"id": "svc-build", "kind": "person"})
    ordinary = plan_of(inventory, policy(IDLE))
    assert fate(ordinary, "looks-like-a-person") == ("protected", f"account-type-{kind}")
    assert [change.user for change in ordinary.changes] == ["svc-build"]
    named = plan_of(inventory, policy(KindIs((kind,)), IDLE))
    assert [change.user for change in named.changes] == ["looks-like-a-person"]
    denied = plan_of(inventory, policy(IDLE, none=KindIs(("person",))))
    assert not denied.changes


@pytest.mark.case("E27")
def test_who_is_included_and_excluded_stays_and_the_plan_names_the_policy() -> None:
    inventory = site({"id": "both", "groups": ["g-guests", "g-users"]}, {"id": "neither", "seen": "2026-11-20"})
    plan = plan_of(inventory, policy(IDLE, none=InGroup(("guests",))))
    assert plan.dispositions["both"] == Disposition("unchanged", "excluded", ("dormant",))
    assert plan.dispositions["neither"] == Disposition("unchanged", "no-policy-matches")


@pytest.mark.case("E27")
def test_a_protection_and_an_exemption_say_which_policies_they_win_against() -> None:
    inventory = site({"id": "exempt"}, {"id": "listed"}, {"id": "member", "groups": ["g-guests", "g-users"]})
    protections = (Protection(name="glass", owner="o", accounts=("listed",), groups=("guests",)),)
    exempt = Exemption(account="exempt", reason="absence", owner="o", until=TODAY.date(), ticket="T-1", document="l")
    plan = plan_of(inventory, policy(IDLE), protections=protections, exemptions=(exempt,))
    assert not plan.changes
    assert plan.dispositions == {
        "exempt": Disposition("exempt", "absence", ("dormant",), "absence until 2026-11-22"),
        "listed": Disposition("protected", "listed", ("dormant",), "glass"),
        "member": Disposition("protected", "protected-group", ("dormant",), "glass"),
    }


@pytest.mark.case("E28")
def test_doing_what_the_mild_policy_asks_does_not_wake_the_harsh_one() -> None:
    mild, harsh = policy(IDLE), policy(IDLE, ensure=Ensure(status="suspended"), name="harsh")
    inventory = site({"id": "a"})
    plan = plan_of(inventory, harsh, mild)
    assert [(change.action, change.note) for change in plan.changes] == [
        ("membership.remove", "also asked, but harsher: harsh")
    ]
    after = plan_of(assume(inventory, plan), harsh, mild)
    assert not after.changes
    assert after.dispositions["a"] == Disposition("unchanged", "already-so", (), "also asked, but harsher: harsh")
    assert [change.action for change in plan_of(inventory, harsh).changes] == ["user.disable"]


@pytest.mark.case("E28")
def test_what_only_gives_competes_with_nobody() -> None:
    joins = policy(IDLE, ensure=Ensure(groups_present=("editors",)), name="joins")
    harsh = policy(IDLE, ensure=Ensure(status="suspended"), name="harsh")
    plan = plan_of(site({"id": "a"}), joins, harsh)
    assert [(change.action, change.note) for change in plan.changes] == [("user.disable", ""), ("membership.add", "")]


@pytest.mark.case("E37")
def test_a_seat_that_is_held_in_another_way_too_is_not_freed() -> None:
    inventory = site(
        {"id": "a"},
        {"id": "b", "groups": ["g-admins", "g-users"], "admin": False},
        {"id": "c", "seats": [{"by": "group", "chain": ["g-users"]}, {"by": "role", "role": "user"}]},
        {"id": "d", "direct": None},
    )
    plan = plan_of(inventory, policy(IDLE))
    assert {change.user: change.note for change in plan.changes} == {
        "a": "",
        "b": "no seat freed: still held through group admins",
        "c": "no seat freed: still held through the direct role user",
        "d": "frees a seat unless a role is held directly, which is not known",
    }
    assert (plan.seats.before, plan.seats.after) == (4, 2)


JOIN = policy(InactiveFor(1), none=HasSeat(wanted=True), ensure=Ensure(groups_present=("users",)), name="join")


@pytest.mark.case("E51")
@pytest.mark.parametrize(
    ("limit", "state", "applyable"),
    [(1, "conflict", True), (2, "changed", False), (3, "changed", True), (None, "changed", True)],
)
def test_a_plan_does_not_take_more_seats_than_there_are(limit: int | None, state: str, applyable: bool) -> None:
    without: dict[str, Any] = {"groups": []}
    inventory = site(
        {"id": "a", **without}, {"id": "b", **without}, {"id": "has", "seen": "2026-11-22"}, seat_limit=limit
    )
    plan = plan_of(inventory, JOIN)
    assert {plan.dispositions[one].state for one in ("a", "b")} == {state}
    assert plan.applyable is applyable
    assert [check.name for check in plan.checks if not check.passed] == ([] if applyable else ["seats"])


def test_who_may_hold_a_seat_counts_as_one_when_seats_are_short() -> None:
    inventory = site({"id": "a", "groups": []}, {"id": "odd", "license": "unknown", "seen": "2026-11-22"}, seat_limit=1)
    assert fate(plan_of(inventory, JOIN), "a") == ("conflict", "no-seat-left")


def test_a_plan_over_the_seats_already_may_free_some() -> None:
    inventory = site({"id": "a"}, {"id": "b", "seen": "2026-11-22"}, {"id": "c", "seen": "2026-11-22"}, seat_limit=1)
    plan = plan_of(inventory, policy(IDLE))
    assert [change.user for change in plan.changes] == ["a"]
    assert plan.applyable

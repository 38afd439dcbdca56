"""Which policy counts when several match: the class, then the priority, then the mildest. And what leavers need."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cleanup_gitops.ledger.remember import Ran, remember
from cleanup_gitops.model.memory import Applied, Done, Flap, Hold, Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan, questions
from cleanup_gitops.planner.holds import noticed
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, SitePolicies
from cleanup_gitops.policy.guardrails import DEFAULT_CAPS, Cap, Guardrails
from cleanup_gitops.policy.tree import AttributeIs, InGroup, Node
from tests.planner.guarded import broken, check_of, override, people, plan_for
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, fate, plan_of, policy, site
from tests.planner.test_holds import applied

LEFT = InGroup(("editors",))
CLOSED = Ensure(status="deactivated")
ALLOWED = {"enablement": "", "deletion": ""}
GONE: dict[str, Any] = {"groups": ["g-users", "g-editors"], "lifecycle": ALLOWED, "tokens": []}


def leaving(*nodes: Node, ensure: Ensure = CLOSED, name: str = "left") -> Policy:
    """A policy that ends the access of people who leave."""
    return replace(policy(*(nodes or (LEFT,)), ensure=ensure, name=name), termination=True)


def actions(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.user) for one in plan.changes]


# -- which policy counts -------------------------------------------------------------------------------


def test_who_leaves_loses_everything_although_a_milder_policy_matches() -> None:
    plan = plan_of(site({"id": "a", **GONE}), policy(IDLE), leaving())
    assert actions(plan) == [("user.deactivate", "a")]
    assert plan.changes[0].note == "also asked, but routine: dormant"
    assert plan.changes[0].causes[0].termination


def test_a_conflict_of_others_keeps_nobody_who_leaves() -> None:
    opens = policy(IDLE, ensure=Ensure(status="active"), name="opens")
    closes = policy(IDLE, ensure=Ensure(status="suspended"), name="closes")
    inventory = site({"id": "a", **GONE}, {"id": "b"})
    plan = plan_of(inventory, opens, closes, leaving())
    assert actions(plan) == [("user.deactivate", "a")]
    assert fate(plan, "b") == ("conflict", "policies-disagree")


@pytest.mark.case("E30")
def test_a_blocked_policy_of_others_keeps_nobody_who_leaves() -> None:
    typo = policy(InGroup(("no such group",)), name="typo")
    inventory = site({"id": "a", **GONE}, {"id": "b"})
    plan = plan_of(inventory, typo, leaving())
    assert actions(plan) == [("user.deactivate", "a")]
    assert fate(plan, "b") == ("conflict", "blocked")
    assert fate(plan_of(inventory, policy(IDLE), leaving(LEFT, InGroup(("nowhere",)))), "a") == ("conflict", "blocked")


def test_what_ends_the_access_of_a_leaver_is_asked_although_a_policy_of_others_is_blocked() -> None:
    typo = policy(InGroup(("no such group",)), name="typo")
    inventory = site({"id": "a", "groups": ["g-users", "g-editors"]})
    policies = SitePolicies(site="acme", policies=(typo, leaving()), guardrails=WIDE)
    asked = questions(inventory, policies, TODAY)
    assert "lifecycle" in asked["a"]


SUSPENDED, NO_ACCESS = Ensure(status="suspended"), Ensure(no_access=True)


def test_several_terminations_do_all_that_they_ask_for_down_to_the_furthest_status() -> None:
    inventory = site({"id": "a", **GONE, "tokens": ["t"]})
    plan = plan_of(
        inventory,
        leaving(ensure=SUSPENDED, name="mild"),
        leaving(ensure=Ensure(status="deactivated", no_tokens=True), name="harsh"),
        leaving(ensure=NO_ACCESS, name="seats"),
    )
    assert sorted(actions(plan)) == [("membership.remove", "a"), ("tokens.revoke", "a"), ("user.deactivate", "a")]
    assert {one.action: [cause.policy for cause in one.causes] for one in plan.changes}["user.deactivate"] == ["harsh"]


def test_a_deletion_comes_after_all_else_that_terminations_ask_for() -> None:
    erased = leaving(ensure=Ensure(status="deleted"), name="erased")
    roster = leaving(ensure=CLOSED, name="roster")
    assert actions(plan_of(site({"id": "a", **GONE}), erased, roster)) == [("user.deactivate", "a")]
    closed = site({"id": "a", **GONE, "status": "deactivated"})
    assert actions(plan_of(closed, erased, roster)) == [("user.delete", "a")]


def test_of_several_statuses_comes_first_what_can_be_done_here_and_taken_back() -> None:
    removed = leaving(ensure=Ensure(status="removed"), name="removed")
    mild = leaving(ensure=SUSPENDED, name="mild")
    inventory = site({"id": "a", **GONE}, {"id": "b", **GONE, "status": "deactivated"})
    assert sorted(actions(plan_of(inventory, removed, leaving(), mild))) == [
        ("user.deactivate", "a"),
        ("user.remove", "b"),
    ]
    unmanaged = site({"id": "a", **GONE, "managed": False, "lifecycle": None})
    plan = plan_of(unmanaged, leaving(), mild)
    assert (actions(plan), plan.handoffs) == ([("user.disable", "a")], ())


def test_a_termination_of_higher_priority_may_ask_for_less() -> None:
    mild = replace(leaving(ensure=SUSPENDED, name="mild"), priority=1)
    plan = plan_of(site({"id": "a", **GONE}), mild, leaving())
    assert actions(plan) == [("user.disable", "a")]
    assert plan.changes[0].note == "also asked, but of lower priority: left"


@pytest.mark.parametrize("ensure", [CLOSED, SUSPENDED])
def test_a_termination_that_is_blocked_or_undecided_keeps_nobody_who_leaves_by_another(ensure: Ensure) -> None:
    inventory = site({"id": "a", **GONE})
    blocked = leaving(LEFT, InGroup(("nowhere",)), name="blocked", ensure=ensure)
    undecided = leaving(AttributeIs("department", ("left",)), name="undecided", ensure=ensure)
    plan = plan_of(inventory, blocked, undecided, leaving())
    assert actions(plan) == [("user.deactivate", "a")]
    assert not plan.complete


def test_an_undecided_termination_of_higher_priority_is_waited_for() -> None:
    department = AttributeIs("department", ("left",))
    above = replace(leaving(department, name="undecided", ensure=SUSPENDED), priority=1)
    assert fate(plan_of(site({"id": "a", **GONE}), above, leaving()), "a") == ("unknown", "policy-undecided")


@pytest.mark.case("F2")
def test_whether_somebody_leaves_must_be_known() -> None:
    plan = plan_of(site({"id": "a"}), policy(IDLE), leaving(AttributeIs("department", ("left",))))
    assert fate(plan, "a") == ("unknown", "policy-undecided")


def test_an_undecided_policy_of_others_does_not_matter_for_who_leaves() -> None:
    inventory = site({"id": "a", **GONE, "seen": "unknown: no answer"})
    assert actions(plan_of(inventory, policy(IDLE), leaving())) == [("user.deactivate", "a")]


@pytest.mark.case("E28")
@pytest.mark.parametrize(
    ("mild", "harsh", "action", "note"),
    [
        (0, 0, "membership.remove", "also asked, but harsher: harsh"),
        (0, 1, "user.disable", "also asked, but of lower priority: mild"),
        (1, 0, "membership.remove", "also asked, but of lower priority: harsh"),
        (-2, -1, "user.disable", "also asked, but of lower priority: mild"),
    ],
)
def test_a_priority_decides_before_the_mildest(mild: int, harsh: int, action: str, note: str) -> None:
    ensure = Ensure(status="suspended")
    plan = plan_of(
        site({"id": "a"}),
        replace(policy(IDLE, name="mild"), priority=mild),
        replace(policy(IDLE, ensure=ensure, name="harsh"), priority=harsh),
    )
    assert actions(plan) == [(action, "a")]
    assert plan.changes[0].note == note


def test_a_priority_is_never_over_the_class() -> None:
    plan = plan_of(site({"id": "a", **GONE}), replace(policy(IDLE), priority=1000), leaving())
    assert actions(plan) == [("user.deactivate", "a")]


@pytest.mark.case("E28")
def test_a_priority_settles_no_conflict() -> None:
    opens = replace(policy(IDLE, ensure=Ensure(status="active"), name="opens"), priority=9)
    closes = policy(IDLE, ensure=Ensure(status="suspended"), name="closes")
    assert fate(plan_of(site({"id": "a"}), opens, closes), "a") == ("conflict", "policies-disagree")


def test_nothing_is_asked_about_somebody_for_a_policy_that_cannot_count() -> None:
    tokens = replace(policy(IDLE, ensure=Ensure(no_tokens=True), name="tokens"), priority=-1)
    inventory = site({"id": "a"})
    own = SitePolicies(site="acme", policies=(policy(IDLE), tokens))
    assert "tokens" not in questions(inventory, own, TODAY)["a"]
    higher = SitePolicies(site="acme", policies=(policy(IDLE), replace(tokens, priority=1)))
    assert "tokens" in questions(inventory, higher, TODAY)["a"]


# -- leavers nobody here may touch ---------------------------------------------------------------------

SHIELDS: dict[str, dict[str, Any]] = {
    "protections": {
        "protections": (Protection(name="break-glass", owner="s", accounts=("a",)),),
    },
    "exemptions": {
        "exemptions": (
            Exemption(account="a", reason="absence", owner="hr", until=TODAY.date(), ticket="HR-1", document="leave"),
        ),
    },
}


@pytest.mark.case("E21", "E22")
@pytest.mark.parametrize(
    ("facts", "more", "reason", "note"),
    [
        ({}, SHIELDS["protections"], "leaver-protected", "listed, break-glass"),
        ({}, SHIELDS["exemptions"], "leaver-exempt", "absence until 2026-11-22"),
        ({"admin": True}, {}, "leaver-administrator", "administrator"),
        ({"admin": None}, {}, "leaver-protected", "administrator-unknown"),
        ({"kind": "unknown"}, {}, "leaver-protected", "account-type-unknown"),
    ],
)
def test_a_leaver_nobody_may_touch_is_handed_off_and_never_just_left_alone(
    facts: dict[str, Any], more: dict[str, Any], reason: str, note: str
) -> None:
    plan = plan_of(site({"id": "a", **GONE, **facts}), leaving(), policy(IDLE), **more)
    assert not plan.changes
    one = plan.dispositions["a"]
    assert (one.state, one.reason, one.policies, one.note) == ("handed_off", reason, ("left",), note)
    assert [(row.action, row.reason) for row in plan.handoffs] == [("user.deactivate", reason)]


@pytest.mark.case("E21", "E22")
@pytest.mark.parametrize(
    ("facts", "more"), [({}, SHIELDS["protections"]), ({}, SHIELDS["exemptions"]), ({"admin": True}, {})]
)
def test_what_others_have_to_end_is_asked_of_a_leaver_nobody_here_may_touch(
    facts: dict[str, Any], more: dict[str, Any]
) -> None:
    """A list tells neither: without the answers nothing could be said of what is to be done."""
    inventory = site({"id": "a", "groups": ["g-users", "g-editors"], **facts})
    rule = leaving(ensure=Ensure(status="deactivated", no_tokens=True))
    own = SitePolicies(site="acme", policies=(rule,), **more)
    assert {"lifecycle", "tokens"} <= questions(inventory, own, TODAY)["a"]
    assert questions(inventory, replace(own, policies=(replace(rule, termination=False),)), TODAY) == {}


@pytest.mark.case("E43", "E44")
@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"managed": False}, "account-unmanaged"),
        ({"lifecycle": {**ALLOWED, "enablement": "externalDirectory.scim"}}, "externalDirectory.scim"),
    ],
)
def test_nothing_of_a_leaver_is_done_by_halves(facts: dict[str, Any], reason: str) -> None:
    ensure = Ensure(status="deactivated", groups_absent=("users",))
    plan = plan_of(site({"id": "a", **GONE, **facts}), leaving(ensure=ensure))
    assert fate(plan, "a") == ("handed_off", reason)
    assert not plan.changes
    assert {row.action: row.reason for row in plan.handoffs} == {
        "user.deactivate": reason,
        "membership.remove": "leaver-elsewhere",
    }


def test_who_left_and_has_no_access_any_more_is_nobodys_task() -> None:
    plan = plan_of(site({"id": "a", **GONE, "status": "deactivated"}), leaving(), **SHIELDS["protections"])
    assert fate(plan, "a") == ("protected", "listed")
    assert not plan.handoffs


@pytest.mark.case("E23")
@pytest.mark.parametrize("kind", ["app", "service", "customer"])
def test_an_account_that_is_no_person_does_not_leave(kind: str) -> None:
    plan = plan_of(site({"id": "a", **GONE, "kind": kind}), leaving())
    assert fate(plan, "a") == ("protected", f"account-type-{kind}")


@pytest.mark.case("E20")
def test_the_last_administrator_who_leaves_is_handed_off() -> None:
    plan = plan_of(site({"id": "a", **GONE, "admin": True}), replace(leaving(), include_admins=True))
    assert not plan.changes
    assert fate(plan, "a") == ("handed_off", "leaver-administrator")
    assert [row.action for row in plan.handoffs] == ["user.deactivate"]


# -- what does not hold a termination up ---------------------------------------------------------------


def again(memory: Memory, *, days: int = 0) -> Plan:
    rules = SitePolicies(site="acme", policies=(leaving(),), guardrails=WIDE)
    at = TODAY + timedelta(days=days)
    return make_plan(site({"id": "a", **GONE}), rules, memory, created=at, as_of=at, tool_version="0")


def did() -> Done:
    return Done(run="r", address="user/a", user="a", policies=("left",), at=TODAY, after={"status": "deactivated"})


@pytest.mark.case("E35")
def test_what_others_undid_for_a_leaver_is_done_again_and_counted() -> None:
    found = noticed(Memory(done=(did(),)), site({"id": "a", **GONE}), TODAY, 14, {"left"})
    assert (found.holds, [one.days for one in found.flaps]) == ((), [(TODAY.date(),)])
    plan = again(Memory(done=(did(),)))
    assert actions(plan) == [("user.deactivate", "a")]
    assert plan.changes[0].note.startswith("will probably come back: others undid this once")
    days = tuple(TODAY.date() - timedelta(days=number) for number in (30, 20, 10))
    assert actions(again(Memory(flaps=(Flap(user="a", policy="left", days=days),))))


def test_a_rollback_holds_a_termination_too() -> None:
    def held(why: Any) -> Memory:  # noqa: ANN401 - one of two words
        return Memory(holds=(Hold(user="a", policy="left", until=TODAY.date(), why=why, run="r"),))

    assert fate(again(held("rollback")), "a") == ("pending", "hold")
    assert actions(again(held("rollback"), days=1))
    assert actions(again(held("restored")))


# -- caps ----------------------------------------------------------------------------------------------


def leavers(number: int) -> list[dict[str, Any]]:
    return [{"id": f"left-{one:03}", **GONE} for one in range(number)]


@pytest.mark.case("E59", "F4")
def test_terminations_have_a_cap_apart_from_the_actions() -> None:
    users = site(*leavers(20), *people(0, 980))
    plan = plan_for(users, leaving(), guardrails=Guardrails(per_domain=100))
    assert plan.applyable, broken(plan)
    by_name = {one.name: one for one in plan.limits}
    planned = [by_name[name].planned for name in ("user.deactivate", "termination", "total")]
    assert planned == [0, 20, 20]
    over = plan_for(site(*leavers(21), *people(0, 979)), leaving(), guardrails=Guardrails(per_domain=100))
    assert broken(over) == ["cap:termination"]
    lifted = override("termination", 21, policy="left")
    assert plan_for(
        site(*leavers(21), *people(0, 979)), leaving(), guardrails=Guardrails(per_domain=100), overrides=(lifted,)
    ).applyable


def test_terminations_take_no_room_from_other_policies_and_the_other_way_round() -> None:
    users = site(*leavers(2), *people(3, 95))
    tight = Guardrails(caps={**DEFAULT_CAPS, "termination": Cap(2), "membership.remove": Cap(3)}, per_domain=100)
    assert plan_for(users, leaving(), policy(IDLE), guardrails=tight).applyable


def test_a_limit_of_zero_means_never_for_terminations_as_well() -> None:
    never = Guardrails(caps={**DEFAULT_CAPS, "user.deactivate": Cap(0)}, per_domain=100)
    plan = plan_for(site(*leavers(1), *people(0, 99)), leaving(), guardrails=never)
    assert broken(plan) == ["cap:user.deactivate"]


def test_what_was_applied_lately_counts_for_its_own_cap() -> None:
    lines = (Applied(run="r", at=TODAY, actions={"user.deactivate": 9}, terminations={"user.deactivate": 7}),)
    plan = plan_for(site(*leavers(1), *people(0, 99)), leaving(), memory=Memory(applied=lines), guardrails=WIDE)
    by_name = {one.name: one.recent for one in plan.limits}
    assert [by_name[name] for name in ("user.deactivate", "termination", "total")] == [2, 7, 9]
    assert "1 planned and 7 applied" in check_of(plan, "cap:termination").message


def test_a_run_remembers_which_of_its_changes_were_terminations() -> None:
    plan = plan_for(site({"id": "a", **GONE}, {"id": "b"}), leaving(), policy(IDLE))
    ran = Ran(run="r", at=TODAY, envelope="e", outcomes=applied(plan.changes))
    (line,) = [one for one in remember([], ran) if isinstance(one, Applied)]
    assert line.actions == {"membership.remove": 1, "user.deactivate": 1}
    assert line.terminations == {"user.deactivate": 1}

"""What a reading changes in the stages of policies, and which access it shows to have come back.

What others undid is not done again while a hold lasts: a wrong answer keeps an access, or takes it from somebody.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace as changed

from cleanup_gitops.model.memory import BLANK, Closed, Done, Effect, Mark, Memory, Settling
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import undone
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies, Stage
from tests.planner.guarded import plan_for
from tests.planner.site_policies import WIDE
from tests.planner.test_edge_cases_planner import IDLE, TODAY, policy, site

LAST_WEEK = TODAY - timedelta(days=7)
RELEASE = Stage(name="release", ensure=Ensure(no_access=True))
SUSPEND = Stage(name="suspend", ensure=Ensure(status="suspended"), after=14)
REMOVE = Stage(name="remove", ensure=Ensure(status="removed"), after=14)
LEFT = Effect(address="membership/g-users/a", before={"member": True}, after={"member": False})


def staged(*stages: Stage, name: str = "dormant", **facts: Any) -> Policy:  # noqa: ANN401 - fields of a Policy
    return replace(policy(IDLE, name=name), ensure=Ensure(), stages=stages or (RELEASE, SUSPEND), **facts)


def mark(**facts: Any) -> Mark:  # noqa: ANN401 - fields of a Mark
    """``a`` is in the middle of it: access was ended a week ago."""
    given: dict[str, Any] = {"user": "a", "policy": "dormant", "episode": 1, "stage": "release", "entered": LAST_WEEK}
    return Mark(**given | {"done": LAST_WEEK, "effects": (LEFT,), "shut": True} | facts)


def closed(**facts: Any) -> Closed:  # noqa: ANN401 - fields of a Closed
    given: dict[str, Any] = {"user": "a", "policy": "dormant", "episode": 1, "at": LAST_WEEK, "why": "done"}
    return Closed(**given | {"effects": (LEFT,), "shut": True} | facts)


def known(*lines: Mark | Closed | Done | Settling) -> Memory:
    return changed(
        BLANK,
        marks=tuple(one for one in lines if isinstance(one, Mark)),
        closed=tuple(one for one in lines if isinstance(one, Closed)),
        done=tuple(one for one in lines if isinstance(one, Done)),
        settling=tuple(one for one in lines if isinstance(one, Settling)),
    )


def back(memory: Memory, *policies: Policy, **facts: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - any JSON
    """Of whom the reading tells that something was undone, and of which policy."""
    rules = SitePolicies(site="acme", policies=policies or (staged(),), guardrails=WIDE)
    inventory = site({"id": "a", **facts}, {"id": "b", "groups": []})
    return [(one.user, one.policy) for one in undone(inventory, rules, memory, created=TODAY).flaps]


A = [("a", "dormant")]


# -- access that is there again ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "again"),
    [
        ({}, A),
        ({"status": "suspended"}, A),
        ({"groups": ["g-guests"]}, A),
        ({"groups": []}, []),
        ({"license": "unknown"}, []),
        ({"status": "unknown"}, []),
        ({"status": "absent"}, []),
        ({"status": "deleting"}, []),
    ],
)
@pytest.mark.parametrize("line", [mark(), closed()])
def test_access_that_a_stage_had_ended_is_there_again_when_it_is_known_to_be(
    line: Mark | Closed, facts: dict[str, Any], again: list[tuple[str, str]]
) -> None:
    assert back(known(line), **facts) == again
    assert back(known(changed(line, user="nobody")), **facts) == []


@pytest.mark.parametrize(
    "line",
    [
        mark(shut=False),
        closed(shut=False),
        mark(stage="suspend"),
        mark(policy="other"),
        closed(policy="other"),
        mark(effects=(changed(LEFT, after={"member": True}),)),
        closed(effects=(Effect(address="user/a", before={"status": "suspended"}, after={"status": "active"}),)),
    ],
)
def test_access_that_no_stage_had_ended_or_that_it_gave_itself_has_not_come_back(line: Mark | Closed) -> None:
    assert back(known(line)) == []


def test_what_one_effect_took_and_another_gave_is_no_return() -> None:
    given = Effect(address="membership/g-editors/a", before={"member": False}, after={"member": True})
    assert back(known(mark(effects=(LEFT, given)))) == []


def test_a_policy_that_only_reports_or_ends_no_access_tells_of_no_return() -> None:
    assert back(known(mark()), staged(report=True)) == []
    assert back(known(mark(), closed(user="b")), staged(SUSPEND, replace(SUSPEND, name="release"))) == []


def sent(**facts: Any) -> Settling:  # noqa: ANN401 - fields of a Settling
    given: dict[str, Any] = {"run": "r", "address": LEFT.address, "user": "a", "at": LAST_WEEK, "after": LEFT.after}
    return Settling(**given | facts)


def test_what_may_be_late_is_no_return_and_of_others_nothing_is_late() -> None:
    assert back(known(mark(), sent())) == []
    assert back(known(mark(), sent(deadline=LAST_WEEK, verified=LAST_WEEK))) == A
    assert back(known(mark(), sent(user="b"))) == A
    assert back(known(mark(), sent(user="nobody"))) == A


# -- what was handed off and done ----------------------------------------------------------------------

ASKED = changed(LEFT, asked=True)
STAYS = Effect(address="membership/g-editors/a", before={"member": False}, after={"member": True}, asked=True)


@pytest.mark.parametrize(
    ("lines", "again"),
    [
        ([mark(effects=(ASKED,), shut=False)], A),
        ([closed(effects=(ASKED,), shut=False)], A),
        ([mark(effects=(ASKED,), shut=False, done=None)], []),
        ([mark(effects=(LEFT,), shut=False)], []),
        ([mark(effects=(ASKED,), shut=False, user="nobody")], []),
        # the newest is what counts
        ([closed(effects=(ASKED,), shut=False), mark(effects=(LEFT,), shut=False, episode=2)], []),
        ([closed(effects=(LEFT,), shut=False), mark(effects=(ASKED,), shut=False, episode=2)], A),
    ],
)
def test_what_others_did_for_a_stage_and_gave_back_since_is_told(
    lines: list[Mark | Closed], again: list[tuple[str, str]]
) -> None:
    assert back(known(*lines)) == again
    assert back(known(*lines), groups=[]) == []


def test_what_a_run_of_ours_has_changed_since_is_no_longer_theirs() -> None:
    done = Done(run="r", address=ASKED.address, user="a", policies=("other",), at=TODAY, after={"member": True})
    asked = mark(effects=(ASKED,), shut=False)
    assert back(known(asked, done)) == []
    assert back(known(asked, changed(done, address="membership/g-users/b", user="b", after={"member": False}))) == A


# -- rows ----------------------------------------------------------------------------------------------


def rows(memory: Memory, *policies: Policy, users: tuple[dict[str, Any], ...] = ({"id": "b", "groups": []},)) -> Plan:
    return plan_for(site(*users), *policies or (staged(),), memory=memory)


def told(plan: Plan) -> list[tuple[str, str, str, str | None]]:
    return [(one.user, one.what, one.stage, one.reason) for one in plan.lifecycle if one.user == "a"]


@pytest.mark.parametrize(
    ("stages", "line", "expected"),
    [
        ((RELEASE, SUSPEND), mark(), ("closed", "suspend", "no-longer-matching")),
        ((RELEASE, SUSPEND), mark(done=None), ("closed", "release", "no-longer-matching")),
        ((RELEASE, REMOVE), mark(stage="remove", done=None), ("closed", "remove", "done")),
        ((RELEASE, replace(REMOVE, ensure=Ensure(status="deleted"))), mark(stage="remove", done=None),
         ("closed", "remove", "done")),
        ((RELEASE, REMOVE), mark(), ("closed", "remove", "no-longer-matching")),
        ((RELEASE, SUSPEND), mark(stage="suspend"), ("closed", "suspend", "done")),
        ((RELEASE, SUSPEND), closed(), ("free", "suspend", "no-longer-matching")),
    ],
)  # fmt: skip
def test_an_account_that_is_gone_ends_its_episode_as_the_stage_wanted_or_as_somebody_else_did(
    stages: tuple[Stage, ...], line: Mark | Closed, expected: tuple[str, str, str]
) -> None:
    plan = rows(known(line), staged(*stages))
    assert told(plan) == [("a", *expected)]
    (row,) = (one for one in plan.lifecycle if one.user == "a")
    assert row.address == f"stage/a/dormant/{expected[1]}/1"
    assert row.since == (date(2026, 11, 15) if isinstance(line, Mark) else TODAY.date())


def test_an_episode_that_was_broken_off_needs_no_end() -> None:
    assert told(rows(known(closed(why="returned")))) == []
    assert told(rows(known(closed(why="returned")), policy(IDLE))) == []


def test_who_is_in_the_middle_of_a_policy_that_is_gone_is_told_and_counted() -> None:
    memory = known(mark(), mark(user="b"), mark(user="c", policy="old"), closed(user="d"))
    plan = rows(memory, policy(IDLE, name="other"))
    assert [(one.user, one.what, one.stage, one.reason, one.since) for one in plan.lifecycle] == [
        ("a", "closed", "release", "orphaned", date(2026, 11, 15)),
        ("b", "closed", "release", "orphaned", date(2026, 11, 15)),
        ("c", "closed", "release", "orphaned", date(2026, 11, 15)),
        ("d", "free", "", "orphaned", TODAY.date()),
    ]
    assert [one.partition(".")[0] for one in plan.warnings] == [
        "dormant leads nobody through stages any more: 2 users are orphaned in the middle of them",
        "old leads nobody through stages any more: 1 user is orphaned in the middle of them",
    ]
    last = known(mark(), mark(stage="suspend", entered=TODAY, done=None))
    assert told(rows(last, policy(IDLE, name="other"))) == [("a", "closed", "suspend", "orphaned")]


def test_rows_stand_by_user_policy_and_episode_in_the_order_in_which_they_happen() -> None:
    everybody: tuple[dict[str, Any], ...] = tuple({"id": one, "groups": []} for one in ("a", "b"))
    both = staged(RELEASE), staged(RELEASE, name="again")
    plan = rows(BLANK, *both, users=everybody)
    assert [(one.user, one.policy, one.what) for one in plan.lifecycle] == [
        (user, name, what) for user in "ab" for name in ("again", "dormant") for what in ("entered", "done", "closed")
    ]


def test_each_of_several_policies_with_stages_asks() -> None:
    plan = rows(BLANK, staged(RELEASE, name="again"), staged(RELEASE), users=({"id": "a"},))
    assert [[cause.policy for cause in one.causes] for one in plan.changes] == [["again", "dormant"]]


def test_of_several_stages_the_first_is_entered_and_what_is_done_is_told_once() -> None:
    holder: dict[str, Any] = {"id": "a"}
    assert told(rows(BLANK, users=(holder,))) == [("a", "entered", "release", None)]
    begun = known(mark(done=None, effects=(), shut=False))
    assert told(rows(begun, users=({"id": "a", "groups": []},))) == [("a", "done", "release", None)]
    assert told(rows(begun, users=(holder,))) == []


def test_nobody_enters_whom_the_policy_does_not_match() -> None:
    users = ({"id": "a", "seen": "2026-11-20"}, {"id": "b", "seen": "unknown: not read"})
    assert rows(BLANK, users=users).lifecycle == ()

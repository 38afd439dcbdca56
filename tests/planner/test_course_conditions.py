"""Who begins the stages of a policy, who is kept out of them, and what is said of both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.activity import Seen, seen_at
from cleanup_gitops.model.memory import Mark
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.policy.documents import Ensure, Policy, Protection, Stage
from cleanup_gitops.policy.tree import AttributeIs, InactiveFor, InGroup, Match, StatusIs
from tests.fakes import NOON
from tests.planner.staged import Days
from tests.planner.test_courses import IDLE, SUSPEND, WHO, becomes, days_of, rows

RELEASE = Stage(name="release", ensure=Ensure(no_access=True))
NOTICE = Stage(name="notice", notify="inactivity-notice")


def staged(days: Days, **facts: Any) -> Days:  # noqa: ANN401 - fields of a Policy
    """The same, with a policy that says this too."""
    (policy,) = days.policies.policies
    days.policies = replace(days.policies, policies=(replace(policy, **facts),))
    return days


def beside(days: Days, *others: Policy) -> Days:
    days.policies = replace(days.policies, policies=(*others, *days.policies.policies))
    return days


def attribute(value: bool | None) -> AttributeIs:
    """Whether the department is this one; ``None``: nobody tells it."""
    return AttributeIs("department" if value is not None else "company", ("sales" if value else "legal",))


@pytest.mark.parametrize(
    ("match", "when", "expected"),
    [
        (True, True, "changed"),
        (True, None, "unknown"),
        (True, False, "unchanged"),
        (None, True, "unknown"),
        (None, None, "unknown"),
        (None, False, "unchanged"),
        (False, True, "unchanged"),
        (False, None, "unchanged"),
        (False, False, "unchanged"),
    ],
)
def test_a_first_stage_with_a_condition_begins_only_where_both_are_known_to_hold(
    match: bool | None,
    when: bool | None,
    expected: str,
) -> None:
    first = replace(RELEASE, when=Match(all=(attribute(when),)))
    days = days_of(first, SUSPEND, match=(attribute(match),))
    becomes(days, attributes=(("department", "sales"),))
    plan = days.plan(NOON)
    assert plan.dispositions[WHO].state == expected
    assert [row[0] for row in rows(plan)] == ["entered"] * (expected == "changed")


def test_who_is_kept_out_of_the_first_stage_by_a_none_is_told_so() -> None:
    days = days_of(RELEASE, replace(SUSPEND, when=Match(all=(StatusIs(("deactivated",)),))))
    staged(days, match=Match(all=(IDLE,), none=(InGroup(("others",)),)))
    becomes(days, groups=("g-others", "g-seats"))
    one = days.plan(NOON).dispositions[WHO]
    assert (one.state, one.reason, one.policies) == ("unchanged", "excluded", ("p",))


@pytest.mark.parametrize("include_admins", [True, False])
def test_an_administrator_goes_through_the_stages_only_of_a_policy_that_says_so(*, include_admins: bool) -> None:
    days = staged(days_of(RELEASE, SUSPEND), include_admins=include_admins)
    days.becomes(msgspec.structs.replace(days.user("712020:runner"), admin=True))
    days.run(NOON)
    becomes(days, admin=True)
    plan = days.plan(NOON + timedelta(days=7))
    expected = ("entered", "suspend", None) if include_admins else ("closed", "suspend", "protected")
    assert rows(plan) == [expected]
    assert [one.action for one in plan.changes] == ["user.disable"] * include_admins


def test_where_it_is_not_known_any_more_whether_somebody_is_protected_the_episode_goes_on_and_asks_nothing() -> None:
    days = days_of(RELEASE, SUSPEND)
    shield = Protection(name="glass", owner="s", roles=("organization-admin",))
    days.policies = replace(days.policies, protections=(shield,))
    becomes(days, roles=())
    days.run(NOON)
    becomes(days, roles=None)
    plan = days.plan(NOON + timedelta(days=8))
    assert (rows(plan), plan.changes) == ([], ())
    assert plan.dispositions[WHO].reason == "role-unknown"
    becomes(days, roles=())
    assert rows(days.plan(NOON + timedelta(days=8))) == [("entered", "suspend", None)]


TAKES = Policy(
    name="takes", owner="o", why="w", match=Match(all=(StatusIs(("active",)),)),
    ensure=Ensure(groups_absent=("others",)),
)  # fmt: skip


@pytest.mark.parametrize("department", ["sales", "legal"])
def test_a_policy_that_is_blocked_moves_nobody_and_keeps_others_from_those_in_its_stages(department: str) -> None:
    """A group of a later stage is gone: nothing is done by halves, and nobody's episode ends meanwhile."""
    last = Stage(name="leave", ensure=Ensure(groups_absent=("nowhere",)), after=7)
    days = days_of(RELEASE, last, match=(AttributeIs("department", ("sales",)),))
    days.lines = [Mark(user=WHO, policy="p", episode=1, stage="release", entered=NOON - timedelta(days=9), done=NOON)]
    becomes(days, groups=("g-others", "g-seats"), attributes=(("department", department),))
    plan = beside(days, TAKES).plan(NOON + timedelta(days=8))
    assert (rows(plan), plan.changes, plan.complete) == ([], (), False)
    assert plan.dispositions[WHO].reason == "blocked"


@pytest.mark.parametrize(
    ("first", "action"), [(RELEASE, "membership.remove"), (replace(SUSPEND, after=0), "user.disable")]
)
def test_a_policy_that_only_reports_shows_its_first_stage_whatever_is_remembered(first: Stage, action: str) -> None:
    days = staged(days_of(first, replace(NOTICE, after=7)), report=True)
    days.lines = [Mark(user=WHO, policy="p", episode=4, stage=first.name, entered=NOON, done=NOON)]
    plan = days.plan(NOON + timedelta(days=8))
    assert plan.changes == ()
    assert [(one.change.action, one.reason) for one in plan.pending] == [(action, "report")]


def test_a_notice_that_is_only_reported_is_that_of_a_first_episode() -> None:
    days = staged(days_of(NOTICE, replace(RELEASE, after=7)), report=True)
    (row,) = days.plan(NOON).pending
    assert row.change.address == f"stage/{WHO}/p/notice/1"


# -- coming back ---------------------------------------------------------------------------------------

EITHER = Match(any=(IDLE, StatusIs(("active",))))


@pytest.mark.parametrize(("hours", "back"), [(0, False), (11, False), (12, True)])
def test_who_was_seen_on_the_day_of_the_first_stage_itself_has_not_come_back_after_it(hours: int, back: bool) -> None:
    days = staged(days_of(RELEASE, SUSPEND), match=EITHER)
    days.run(NOON)
    becomes(days, seen=seen_at(NOON + timedelta(hours=hours)))
    assert rows(days.plan(NOON + timedelta(days=3))) == [("closed", "suspend", "returned")] * back


def test_use_of_a_product_that_only_the_next_stage_asks_about_is_a_return_when_that_is_due() -> None:
    asleep = replace(SUSPEND, when=Match(all=(InactiveFor(30, "jira-software"),)))
    days = days_of(RELEASE, asleep)
    days.run(NOON)
    at = NOON + timedelta(days=3)
    becomes(days, elsewhere=(("jira-software", Seen(at, at)), ("trello", Seen(at, at))))
    assert rows(days.plan(NOON + timedelta(days=6))) == []
    assert rows(days.plan(NOON + timedelta(days=7))) == [("closed", "suspend", "returned")]
    becomes(days, elsewhere=(("trello", Seen(at, at)),))
    assert rows(days.plan(NOON + timedelta(days=7))) == []


# -- what others are to do -----------------------------------------------------------------------------


def due(plan: Plan) -> datetime | None:
    (handoff,) = plan.handoffs
    return handoff.causes[0].due


def test_what_a_stage_hands_off_is_due_so_many_days_after_the_stage_began() -> None:
    """Not after another stage, nor ever later because nobody has done it."""
    days = days_of(RELEASE, SUSPEND)
    becomes(days, writable=False, synced=True)
    days.run(NOON)
    sla = timedelta(days=days.policies.guardrails.handoff_sla + 1)
    began = datetime(NOON.year, NOON.month, NOON.day, tzinfo=UTC) + timedelta(days=7)
    for later in (7, 8, 20):
        assert due(days.run(NOON + timedelta(days=later))) == began + sla


def test_a_stage_that_was_put_back_before_another_one_does_not_hurry_it() -> None:
    days = days_of(RELEASE, SUSPEND)
    becomes(days, writable=False, synced=True)
    old, new = NOON - timedelta(days=40), NOON - timedelta(days=1)
    days.lines = [
        Mark(user=WHO, policy="p", episode=1, stage="release", entered=old),
        Mark(user=WHO, policy="p", episode=1, stage="suspend", entered=new),
    ]
    sla = timedelta(days=days.policies.guardrails.handoff_sla + 1)
    assert due(days.plan(NOON)) == datetime(new.year, new.month, new.day, tzinfo=UTC) + sla

"""Policies with stages beside protections, unknown facts and odd states: what moves somebody, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cleanup_gitops.model.activity import Never, Seen, seen_at
from cleanup_gitops.model.memory import Settling
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import Lifecycle, RoleSeat
from cleanup_gitops.policy.documents import Ensure, Policy, Protection, SitePolicies, Stage
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InStatusFor, Match, NeverActiveFor, Node, StatusIs
from tests.fakes import NOON
from tests.planner.staged import Days
from tests.runner.office import ROOMY, office_site

WHO = "712020:0001"
IDLE = InactiveFor(90)
SUSPEND = Stage(name="suspend", ensure=Ensure(status="suspended"), after=7)


def days_of(*stages: Stage, match: tuple[Node, ...] = (IDLE,), protected: tuple[str, ...] = ()) -> Days:
    policy = Policy(name="p", owner="o", why="w", match=Match(all=match), stages=stages)
    shields = (Protection(name="vip", owner="s", groups=protected),) if protected else ()
    site = office_site(200)
    users = tuple(msgspec.structs.replace(user, direct=()) for user in site.users)
    site = msgspec.structs.replace(site, users=users)
    return Days(site, SitePolicies(site="acme", policies=(policy,), protections=shields, guardrails=ROOMY))


def rows(plan: Plan) -> list[tuple[str, str, str | None]]:
    return [(one.what, one.stage, one.reason) for one in plan.lifecycle]


def becomes(days: Days, **facts: object) -> None:
    days.becomes(msgspec.structs.replace(days.user(WHO), **facts))


def test_who_a_stage_itself_put_into_a_protected_group_is_left_where_they_are() -> None:
    give = Stage(name="give", ensure=Ensure(groups_present=("others",)))
    days = days_of(give, SUSPEND, protected=("others",))
    assert rows(days.run(NOON)) == [("entered", "give", None)]
    later = days.run(NOON + timedelta(days=8))
    assert rows(later) == []
    assert later.changes == ()
    assert later.dispositions[WHO].state == "protected"
    becomes(days, groups=("g-seats", "g-others"), admin=None)
    assert rows(days.plan(NOON + timedelta(days=8))) == []


def test_only_a_sighting_that_was_certainly_later_is_a_return() -> None:
    either = Match(any=(IDLE, HasSeat(wanted=True)))
    days = days_of(Stage(name="give", ensure=Ensure(groups_present=("others",))), SUSPEND, match=(either,))
    days.run(NOON)
    at = NOON + timedelta(days=3)
    becomes(days, seen=Seen(NOON - timedelta(days=1), at, "content"))
    assert rows(days.plan(at)) == []
    becomes(days, seen=Seen(NOON + timedelta(days=1), at, "content"))
    assert rows(days.plan(at)) == [("closed", "suspend", "returned")]


def test_a_stage_that_contradicts_itself_is_never_done() -> None:
    days = days_of(Stage(name="odd", ensure=Ensure(no_access=True, groups_present=("confluence-users-acme",))))
    for later in range(3):
        plan = days.run(NOON + timedelta(days=later))
        assert plan.dispositions[WHO].state == "conflict"
        assert rows(plan) == ([] if later else [("entered", "odd", None)])


def test_what_is_not_known_is_not_done() -> None:
    days = days_of(Stage(name="leave", ensure=Ensure(groups_absent=("others",))))
    becomes(days, groups=None)
    assert rows(days.plan(NOON)) == [("entered", "leave", None)]
    becomes(days, groups=())
    assert rows(days.plan(NOON)) == [("entered", "leave", None), ("done", "leave", None), ("closed", "leave", "done")]


def test_an_account_that_is_to_be_deleted_has_regained_nothing() -> None:
    days = days_of(Stage(name="release", ensure=Ensure(no_access=True)), SUSPEND)
    becomes(days, status="deleting")
    days.run(NOON)
    assert [mark.done for mark in days.memory.marks] == [NOON]
    assert rows(days.plan(NOON + timedelta(days=1))) == []


@pytest.mark.parametrize(
    ("seen", "first", "last"),
    [
        (datetime(2026, 5, 4, tzinfo=UTC), (2026, 5, 4), (2026, 5, 10)),
        (datetime(2026, 5, 9, 23, tzinfo=UTC), (2026, 5, 4), (2026, 5, 10)),
        (datetime(2026, 5, 10, 1, tzinfo=UTC), (2026, 5, 4), (2026, 5, 17)),
    ],
)
def test_the_last_use_is_kept_to_the_week_and_with_its_lag(
    seen: datetime, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    days = days_of(Stage(name="release", ensure=Ensure(no_access=True)), SUSPEND)
    becomes(days, seen=seen_at(seen))
    (row,) = days.plan(NOON).lifecycle
    assert row.known is not None
    assert row.known.seen == Seen(datetime(*first, tzinfo=UTC), datetime(*last, tzinfo=UTC), "snapshot")
    assert row.known.status_by is None


def test_what_was_known_is_kept_only_where_the_policy_asks_for_it() -> None:
    stage = Stage(name="release", ensure=Ensure(no_access=True))
    never = days_of(stage, match=(NeverActiveFor(30),))
    becomes(never, seen=Never(NOON - timedelta(days=300)))
    (row,) = never.plan(NOON).lifecycle
    assert row.known is not None
    assert row.known.seen == Never(NOON - timedelta(days=300))
    (plain,) = (one for one in days_of(stage, match=(StatusIs(("active",)),)).plan(NOON).lifecycle if one.user == WHO)
    assert plain.known is None


def test_a_status_that_a_stage_changed_counts_on_from_the_day_that_was_known() -> None:
    long = (StatusIs(("suspended",)), InStatusFor(180))
    deactivate = Stage(name="deactivate", ensure=Ensure(status="deactivated"))
    days = days_of(deactivate, replace(SUSPEND, name="delete", ensure=Ensure(status="deleted")), match=long)
    allowed = Lifecycle("", "")
    becomes(days, status="suspended", status_by=NOON - timedelta(days=300), managed=True, lifecycle=allowed)
    assert rows(days.run(NOON)) == [("entered", "deactivate", None)]
    becomes(days, status_since=NOON)
    days.run(NOON + timedelta(days=1))
    assert [mark.done is not None for mark in days.memory.marks] == [True]
    assert rows(days.plan(NOON + timedelta(days=8))) == [("entered", "delete", None)]


def test_what_a_look_at_the_account_had_shown_hides_no_access_that_is_there_again() -> None:
    days = days_of(Stage(name="release", ensure=Ensure(no_access=True)), SUSPEND)
    days.run(NOON)
    at, soon = NOON + timedelta(days=3), NOON + timedelta(minutes=5)
    sent = Settling(run="r", address="user/x", user=WHO, at=NOON, after={"status": "active"}, deadline=soon)
    becomes(days, seats=(RoleSeat("atlassian/user"),), direct=("atlassian/user",), license="seat")
    without = list(days.lines)
    for verified, ends in ((None, False), (NOON, True)):
        days.lines = [*without, msgspec.structs.replace(sent, verified=verified)]
        assert [row[2] for row in rows(days.plan(at))] == ["restored"] * ends

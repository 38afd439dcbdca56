"""Who is invited and whose account somebody has to look at, beside all that else is known of a person who begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.memory import BLANK, Done, Memory, Settling
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.planner.joining import Joining
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.roster import Leavers, Roster
from cleanup_gitops.policy.tree import HasLeft, InactiveFor, InGroup, Match
from tests.fakes import NOON
from tests.runner.office import SEATS, office_site, replace_struct
from tests.runner.test_joiners import ADA, BO, KEY, NEW, PEOPLE, PEOPLE_BY_ID, PSEUDONYM, SOURCE, policies, roster, rows

SLA = timedelta(hours=24)
CLOSES = Ensure(status="deactivated")
LEAVES = Policy(name="gone", owner="hr", why="left", match=Match(all=(HasLeft("gone", SLA),)), ensure=CLOSES,
                termination=True)  # fmt: skip
GONE = Roster(name="gone", owner="hr", source=SOURCE, leavers=Leavers(CLOSES, SLA), policy=LEAVES)
SEATED = InGroup(("confluence-users-acme",))
NOT_READ = "not read"


def plan_of(
    begins: str,
    *rosters: Roster,
    left: str = "",
    beside: tuple[Policy, ...] = (),
    memory: Memory = BLANK,
    people: People = PEOPLE,
    of_site: Mapping[str, Any] = MappingProxyType({}),
    seats: Mapping[str, Any] = MappingProxyType({}),
    **ada: Any,  # noqa: ANN401 - any field of a user
) -> Plan:
    """A site with Ada and Bo. One row says who begins by every roster of joiners, one who has left by ``gone``.

    ``of_site`` and ``seats`` are other facts of the site, and of the group with seats.
    """
    asked = rosters or (roster(),)
    site = office_site(0, 0)
    users = tuple(replace_struct(user, **ada) if user.id == ADA else user for user in site.users)
    groups = tuple(msgspec.structs.replace(one, **seats) if one.id == SEATS else one for one in site.groups)
    read = {one.name: rows(begins) for one in asked if one.joiners and one.owner != NOT_READ}
    read |= {"gone": rows(left)} if left else {}
    acting = policies(*asked, *((GONE,) if left else ()))
    acting = replace(acting, policies=(*acting.policies, *((LEAVES,) if left else ()), *beside))
    return make_plan(
        msgspec.structs.replace(site, users=users, groups=groups, **of_site),
        acting,
        memory,
        created=NOON,
        as_of=NOON,
        tool_version="0",
        people=people,
        lists=Lists({}, read),
    )


def invited(plan: Plan) -> list[str]:
    return [one.address for one in plan.changes if one.action == "user.invite"]


def told(plan: Plan) -> list[tuple[str, str, str, str]]:
    return [(one.user, one.reason, one.action, one.label) for one in plan.handoffs]


FIRST_DAY = f",{NEW},2026-11-20,"


@pytest.mark.parametrize(
    "before",
    [
        GONE,  # nobody begins by it
        roster("nowhere", name="a"),  # its group is not there
        replace(roster(name="a"), owner=NOT_READ),
        replace(roster(name="a"), joining=None),
    ],
    ids=["leavers alone", "blocked", "not read", "without a policy"],
)
def test_one_roster_by_which_nobody_can_begin_keeps_nobody_of_another_one_from_being_invited(before: Roster) -> None:
    assert invited(plan_of(FIRST_DAY, before, roster())) == [PSEUDONYM]


@pytest.mark.parametrize(
    ("starts", "begins_anew"), [("2026-11-19", False), ("2026-11-20", False), ("2026-11-21", True)]
)
def test_who_begins_on_the_last_day_that_another_roster_tells_or_before_has_left(
    starts: str, begins_anew: bool
) -> None:
    stranger = plan_of(f",{NEW},{starts},", left=f",{NEW},,2026-11-20")
    assert invited(stranger) == ([PSEUDONYM] if begins_anew else [])
    assert [one.reason for one in stranger.handoffs] == ([] if begins_anew else ["joiner-has-left"])
    closed = plan_of(f",ada@acme.com,{starts},", left=",ada@acme.com,,2026-11-20", status="deactivated")
    assert told(closed) == ([(ADA, "joiner-closed", "user.enable", "")] if begins_anew else [])
    assert closed.changes == ()


def policy(name: str, *nodes: Any, **more: Any) -> Policy:  # noqa: ANN401 - conditions, and fields of a policy
    return Policy(name=name, owner="o", why="w", match=Match(all=nodes), ensure=CLOSES, **more)


@pytest.mark.parametrize(
    ("other", "somebody_looks"),
    [
        (policy("left", SEATED, termination=True), False),
        (policy("left", InactiveFor(90), termination=True), True),  # does not mean Ada
        (policy("left", SEATED, termination=True, report=True), True),  # ends no access
        (policy("idle", SEATED), True),  # is about no one who leaves
    ],
    ids=["means her", "means others", "only reports", "routine"],
)
def test_a_closed_account_of_who_begins_is_looked_at_unless_a_termination_keeps_it_closed(
    other: Policy, somebody_looks: bool
) -> None:
    plan = plan_of(",ada@acme.com,2026-11-20,", beside=(other,), status="deactivated")
    assert told(plan) == ([(ADA, "joiner-closed", "user.enable", "")] if somebody_looks else [])
    assert plan.changes == ()


def test_a_termination_without_a_day_keeps_an_account_closed_whatever_a_roster_tells_of_the_day() -> None:
    means_her = policy("left", SEATED, termination=True)
    began = ",ada@acme.com,2026-11-21,"
    plan = plan_of(began, left=",ada@acme.com,,2026-11-20", beside=(means_her,), status="deactivated")
    assert told(plan) == []


def test_of_an_open_account_that_several_have_the_address_of_the_groups_are_told() -> None:
    shared = People({one: Person("A", "ada@acme.com") for one in (ADA, BO)}, KEY)
    plan = plan_of(",ada@acme.com,2026-11-20,", people=shared, status="suspended")
    assert told(plan) == [
        (ADA, "joiner-unclear", "user.enable", ""),
        (BO, "joiner-unclear", "membership.add", "confluence-users-acme"),
    ]


@pytest.mark.parametrize(("accepted", "waits"), [(False, True), (True, False), (None, False)])
def test_only_who_is_known_never_to_have_accepted_is_waited_for(accepted: bool | None, waits: bool) -> None:
    plan = plan_of(",ada@acme.com,2026-11-20,", accepted=accepted)
    assert (plan.changes, plan.handoffs) == ((), ())
    found = plan.dispositions[ADA]
    assert (found.state, found.reason) == (("pending", "invited") if waits else ("unchanged", "already-so"))


def test_an_account_that_a_row_names_and_that_is_not_there_is_looked_for_by_somebody() -> None:
    plan = plan_of("712020:9,ada@acme.com,2026-11-20,")
    assert (plan.changes, told(plan)) == ((), [("712020:9", "joiner-account-gone", "user.invite", "")])


@pytest.mark.parametrize(
    ("account", "settling", "again"),
    [(PSEUDONYM, False, True), ("712020:8", False, False), ("712020:8", True, True)],
    ids=["no account came of it", "the account is gone", "it may still show, and is waited for"],
)
def test_nobody_is_invited_a_second_time_whose_account_is_gone(account: str, settling: bool, again: bool) -> None:
    after: dict[str, str | bool] = {"invited": True, "role": "user", "groups": "g-seats"}
    sent = Done(run="r", address=PSEUDONYM, user=account, policies=("hr",), at=NOON - SLA, after=after)
    late = Settling(run="r", address=PSEUDONYM, user=account, at=NOON - SLA, after=after)
    plan = plan_of(FIRST_DAY, memory=msgspec.structs.replace(BLANK, done=(sent,), settling=(late,) * settling))
    assert invited(plan) == ([PSEUDONYM] if again else [])
    assert [one.reason for one in plan.handoffs] == ([] if again else ["joiner-invited-before"])


def test_an_address_is_in_no_text_of_who_is_to_be_invited() -> None:
    joining = Joining(addresses={PSEUDONYM: NEW})
    assert NEW not in repr(joining)
    assert joining.addresses[PSEUDONYM] == NEW


@pytest.mark.parametrize(
    ("left", "begins"),
    [
        (f"712020:9,{NEW},,2026-11-20", False),
        (f"712020:9,{NEW},,2026-11-19", True),  # before the first day
        (f"712020:9,{NEW},,2026-11-20\n,{NEW},,", True),  # and is there again
        ("712020:9,other@acme.com,,2026-11-20", True),
    ],
)
def test_nobody_is_invited_whose_address_stands_in_the_row_of_somebody_who_left_by_an_id(
    left: str, begins: bool
) -> None:
    plan = plan_of(FIRST_DAY, left=left)
    assert invited(plan) == ([PSEUDONYM] if begins else [])
    assert [one.reason for one in plan.handoffs] == ([] if begins else ["joiner-has-left"])


@pytest.mark.case("E34")
@pytest.mark.parametrize(
    ("seats", "reason", "label"),
    [
        ({}, "", ""),
        ({"modifiable": False}, "group-managed-elsewhere", "confluence-users-acme"),
        ({"modifiable": None}, "group-modifiable-unknown", "confluence-users-acme"),
        ({"admin": True}, "administrator-group", "confluence-users-acme"),
        ({"admin": None}, "administrator-group", "confluence-users-acme"),
    ],
)
def test_nobody_is_invited_into_a_group_that_cannot_be_given_here(
    seats: dict[str, Any], reason: str, label: str
) -> None:
    plan = plan_of(FIRST_DAY, roster("others", "confluence-users-acme"), seats=seats)
    assert invited(plan) == ([] if reason else [PSEUDONYM])
    assert told(plan) == [(PSEUDONYM, reason, "user.invite", label)] * bool(reason)


@pytest.mark.parametrize(("limit", "free"), [(None, True), (4, True), (3, False), (2, False)])
def test_nobody_is_invited_when_no_seat_is_left(limit: int | None, free: bool) -> None:
    plan = plan_of(FIRST_DAY, of_site={"seat_limit": limit})
    assert invited(plan) == ([PSEUDONYM] if free else [])
    assert told(plan) == ([] if free else [(PSEUDONYM, "no-seat-left", "user.invite", "")])


def test_nobody_is_invited_without_a_key_for_pseudonyms_or_to_a_site_that_cannot_invite() -> None:
    unkeyed = plan_of(FIRST_DAY, people=People(PEOPLE_BY_ID))
    elsewhere = plan_of(FIRST_DAY, of_site={"hosting": "datacenter"})
    for plan in (unkeyed, elsewhere):
        assert (plan.changes, plan.handoffs, plan.pending) == ((), (), ())

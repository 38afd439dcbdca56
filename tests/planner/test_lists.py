"""What a plan says of the lists of people that it was made with: which they were, and nothing that stands in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.model.memory import BLANK
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import ListInput, Plan
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.lists import Lists, user_list
from cleanup_gitops.policy.tree import HasSeat, InGroup, ListedIn, Match
from cleanup_gitops.views.plan import render_markdown, render_text
from tests.planner.site_policies import WIDE
from tests.runner.office import office_site

BY_ID = ListedIn("id", env="LEAVERS")
BY_EMAIL = ListedIn("mail", "email", env="LEAVERS")
BESIDE = ListedIn("id", path="../hr/leave.csv")
ADA, BO = "712020:0001", "712020:0002"
PEOPLE = People({ADA: Person("Ada Example", "ada@acme.com"), BO: Person("Bo Example", "bo@acme.com")})
DATA = b"id,mail\n712020:0001,Ada@Acme.com\n712020:0009,gone@acme.com\n"


def plan_of(*nodes: Any, lists: Sequence[tuple[ListedIn, bytes]] = (), none: tuple[Any, ...] = ()) -> Plan:  # noqa: ANN401
    handed = Lists({asked: user_list(asked, data) for asked, data in lists})
    policy = Policy(
        name="leavers",
        owner="iam@acme.com",
        why="w",
        match=Match(all=nodes, none=none),
        ensure=Ensure(groups_absent=("confluence-users-acme",)),
        where="policies/leavers.yaml:9",
    )
    site = office_site(0, 0)
    return make_plan(
        site,
        SitePolicies(site="acme", policies=(policy,), guardrails=WIDE),
        BLANK,
        created=site.as_of,
        as_of=site.as_of,
        tool_version="0",
        people=PEOPLE,
        lists=handed,
    )


def touched(plan: Plan) -> list[str]:
    return [change.user for change in plan.changes]


@pytest.mark.parametrize("asked", [BY_ID, BY_EMAIL])
def test_whoever_is_listed_is_planned_for_and_the_cause_names_the_list(asked: ListedIn) -> None:
    plan = plan_of(HasSeat(wanted=True), asked, lists=[(asked, DATA)])
    assert touched(plan) == [ADA]
    assert [one.why for one in plan.changes[0].causes] == ["holds a seat; listed in LEAVERS (2 rows)"]
    assert plan.complete
    assert plan.warnings == ()


@pytest.mark.case("E79", "F21")
def test_a_plan_keeps_name_rows_and_digest_and_nobody_who_is_listed() -> None:
    both = [(BESIDE, b"id\n712020:0001\n"), (BY_EMAIL, DATA), (BY_ID, DATA)]
    plan = plan_of(BESIDE, BY_ID, BY_EMAIL, lists=both)
    digests = [user_list(BESIDE, both[0][1]).digest, user_list(BY_ID, DATA).digest]
    assert plan.inputs.lists == (
        ListInput(name="../hr/leave.csv", rows=1, digest=digests[0]),
        ListInput(name="LEAVERS", rows=2, digest=digests[1]),
    )
    assert read_plan(plan_bytes(plan)) == plan
    text, markdown = render_text(plan), render_markdown(plan)
    assert f"\nLists: ../hr/leave.csv, 1 row, {digests[0]}; LEAVERS, 2 rows, {digests[1]}.\n" in text
    assert f"\nLists: `../hr/leave.csv`, 1 row, `{digests[0]}`; `LEAVERS`, 2 rows, `{digests[1]}`.\n" in markdown
    for shown in (text, markdown, plan_bytes(plan).decode()):
        assert "@acme.com" not in shown
        assert "712020:0009" not in shown


def test_without_lists_a_plan_is_the_same_bytes_as_before_there_were_any() -> None:
    plan = plan_of(HasSeat(wanted=True))
    assert "lists" not in json.loads(plan_bytes(plan))["inputs"]
    assert read_plan(plan_bytes(plan)) == plan
    assert "Lists:" not in render_text(plan) + render_markdown(plan)


def test_another_list_changes_no_digest_of_a_change_that_is_the_same() -> None:
    longer = DATA + b"712020:0010,other@acme.com\n"
    one, other = (plan_of(BY_ID, lists=[(BY_ID, data)]) for data in (DATA, longer))
    assert one.inputs.lists != other.inputs.lists
    assert one.digest == other.digest


@pytest.mark.case("F1", "F2")
@pytest.mark.parametrize("none", [False, True])
def test_a_list_that_was_not_handed_over_blocks_the_policy(none: bool) -> None:
    missing = (BY_ID, InGroup(("nowhere",)))
    plan = plan_of(HasSeat(wanted=True), none=missing) if none else plan_of(*missing)
    assert plan.blocked == (
        "leavers (policies/leavers.yaml:9): no group matches nowhere; the list LEAVERS was not read",
    )
    assert not plan.complete
    assert touched(plan) == []
    alone = plan_of(HasSeat(wanted=True), none=(BY_EMAIL,))
    assert alone.blocked == ("leavers (policies/leavers.yaml:9): the list LEAVERS was not read",)


@pytest.mark.case("E25")
@pytest.mark.parametrize("asked", [BY_ID, BY_EMAIL])
def test_a_list_that_means_nobody_here_is_warned_of(asked: ListedIn) -> None:
    plan = plan_of(HasSeat(wanted=True), lists=[(asked, b"id,mail\n4711,x@acme.com\n")], none=(asked,))
    assert touched(plan) == [ADA, BO]
    (warning,) = plan.warnings
    assert warning.startswith(
        f"No account of acme is in LEAVERS (1 row), column {asked.column!r}: is it the right list,"
    )


@pytest.mark.case("E46")
def test_of_whom_an_address_does_not_tell_who_is_meant_the_plan_says_so() -> None:
    plan = plan_of(BY_EMAIL, lists=[(BY_EMAIL, DATA)])
    runner = plan.dispositions["712020:runner"]
    assert runner.state == "protected"
    assert plan.dispositions[BO].reason == "no-policy-matches"
    unknown = plan_of(HasSeat(wanted=True), lists=[(BY_EMAIL, DATA)], none=(BY_EMAIL,))
    assert touched(unknown) == [BO]

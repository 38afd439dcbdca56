"""People who leave, by a roster, over days: closed in time, again after an undo, handed off and overdue where not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval, OutcomeRecord
from cleanup_gitops.model.standing import Approvals, Missing
from cleanup_gitops.model.user import Lifecycle
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, Standing
from cleanup_gitops.policy.guarding import Override
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.roster import Leavers, Roster, Source
from cleanup_gitops.policy.roster_rows import roster_rows
from cleanup_gitops.policy.timing import Windows
from cleanup_gitops.policy.tree import HasLeft, InactiveFor, Match
from cleanup_gitops.runner.desk import BrokenGuardsError
from cleanup_gitops.views.leavers import overdue_rows
from tests.fakes import NOON, FakeSite
from tests.runner.office import DORMANT, Office, office_site, open_office
from tests.runner.test_rollback import rollback

ADA, BO = "712020:0001", "712020:0002"
PEOPLE = People({ADA: Person("Ada Example", "ada@acme.com"), BO: Person("Bo Example", "bo@acme.com")})
SOURCE = Source(
    columns={"account": "", "email": "mail", "starts": "", "ends": "until"}, time_zone="Europe/Oslo", env="HR"
)
SLA = timedelta(hours=24)
CLOSED = Ensure(status="deactivated", no_tokens=True)
POLICY = Policy(
    name="hr",
    owner="hr",
    why="left",
    match=Match(all=(HasLeft("hr", SLA),)),
    ensure=CLOSED,
    standing=Standing(20, timedelta()),
    termination=True,
)
ROSTER = Roster(name="hr", owner="hr", source=SOURCE, leavers=Leavers(CLOSED, SLA), policy=POLICY)
HOUR = 3600
OVER = datetime(2026, 11, 22, 23, tzinfo=UTC)
"""The end of the day of the tests in Oslo, eleven hours after they begin."""
APPROVED: Approvals = {"hr": Approval(kind="standing", by="SHA256:ben", at=NOON - SLA, ref="approve/1")}


def roster_office(*rows: str, **ada: Any) -> Office:  # noqa: ANN401 - any field of a user
    """Ada, who has one token and was seen yesterday, and Bo, seen long ago; ``rows`` are those of the roster."""
    office = open_office(1, 200)
    office.site = FakeSite(office_site(1, 200), PEOPLE)
    facts: dict[str, Any] = {"lifecycle": Lifecycle("", ""), "tokens": ("t-1",), "direct": ()}
    office.site.happens(ADA, **facts | ada)
    office.site.happens(BO, lifecycle=Lifecycle("", ""), tokens=(), direct=())
    office.under(policies=(DORMANT, POLICY), rosters=(ROSTER,))
    hand(office, *rows)
    return office


def hand(office: Office, *rows: str) -> None:
    """From now on these are the rows of the roster, below a header and a row of somebody who stays."""
    text = "\n".join(["mail;until", "stays@acme.com;", *rows, ""])
    office.lists = Lists(rosters={"hr": roster_rows(SOURCE, text.encode())})


def fates(plan: Plan) -> dict[str, tuple[str, str]]:
    return {account: (one.state, one.reason) for account, one in plan.dispositions.items() if one.state != "unchanged"}


def overdue(plan: Plan) -> list[str]:
    return [one.account for one in overdue_rows(plan, PEOPLE)]


def done(office: Office) -> list[tuple[str, str]]:
    return [(one.user, one.action) for one in office.site.written]


LAST_DAY = "ada@acme.com;2026-11-22"


@pytest.mark.case("E18")
def test_a_leaver_loses_all_at_the_end_of_the_last_day_under_a_standing_approval_without_a_soak() -> None:
    office = roster_office(LAST_DAY)
    assert office.apply(standing=APPROVED).outcomes == ()
    office.clock.sleep((OVER - NOON).total_seconds() - 1)
    assert office.apply(standing=APPROVED).outcomes == ()
    office.clock.sleep(1)
    run = office.apply(standing=APPROVED)
    assert {(one.user, one.action, one.result) for one in run.outcomes} == {
        (ADA, "user.deactivate", "applied"),
        (ADA, "tokens.revoke", "applied"),
    }
    recorded = {path: data or b"" for path, data in run.record.files.items()}
    lines = recorded[layout.run_file(run.id, layout.OUTCOMES)].splitlines()
    kept = [msgspec.json.decode(line, type=OutcomeRecord) for line in lines]
    assert {cause.due for one in kept for cause in one.causes} == {OVER + SLA}
    assert all(one.at <= OVER + SLA for one in kept)
    assert not [path for path, data in recorded.items() if b"ada@" in data or b"Ada" in data]


def test_another_termination_that_waits_for_an_approval_holds_up_no_leaver_of_an_approved_roster() -> None:
    office = roster_office("bo@acme.com;2026-11-20")
    match = Match(all=(InactiveFor(100),))
    by_plan = replace(POLICY, name="seats", match=match, ensure=Ensure(no_access=True), standing=None)
    office.under(policies=(POLICY, by_plan))
    run = office.apply(standing=APPROVED)
    assert [(one.user, one.action, one.result) for one in run.outcomes] == [(BO, "user.deactivate", "applied")]
    assert [(one.change.action, one.code) for one in run.choice.left] == [("membership.remove", "not-approved")]


@pytest.mark.case("E75")
def test_a_deletion_without_a_second_approval_holds_up_no_other_end_of_a_leavers_access() -> None:
    office = roster_office("bo@acme.com;2026-11-20")
    erased = replace(POLICY, name="erased", match=Match(all=(InactiveFor(100),)), ensure=Ensure(status="deleted"))
    office.under(policies=(replace(POLICY, ensure=Ensure(no_access=True)), erased))
    run = office.apply(office.plan(), second=Missing("nobody else has approved the plan"))
    assert [(one.user, one.action, one.result) for one in run.outcomes] == [(BO, "membership.remove", "applied")]
    assert [(one.change.action, one.code) for one in run.choice.left] == [("user.delete", "not-approved")]


def test_a_leaver_does_not_wait_for_a_window_and_a_routine_policy_does() -> None:
    office = roster_office("ada@acme.com;2026-11-21")
    today = NOON.date()
    office.under(guardrails=replace(office.policies.guardrails, windows=Windows("UTC", deny=((today, today),))))
    run = office.apply()
    assert {one.user for one in run.outcomes} == {ADA}
    assert {one.code for one in run.choice.left} == {"window"}


def test_a_leaver_who_is_brought_back_by_hand_is_closed_again_at_the_next_run_and_counted() -> None:
    office = roster_office("ada@acme.com;2026-11-21")
    office.apply()
    for number in (1, 2, 3, 4):
        office.later(1)
        office.site.happens(ADA, status="active")
        plan = office.plan()
        assert [one.action for one in plan.changes] == ["user.deactivate"]
        assert "will probably come back" in plan.changes[0].note
        office.apply()
        memory = memory_of(office.store.read())
        assert memory.holds == ()
        assert [len(one.days) for one in memory.flaps] == [number]
    assert done(office).count((ADA, "user.deactivate")) == 5


def test_after_a_rollback_a_leaver_is_held_and_shown_as_overdue() -> None:
    office = roster_office("ada@acme.com;2026-11-21", tokens=())
    run = office.apply()
    office.later(0.1)
    office.apply(rollback(office, run))
    office.later(1)
    plan = office.plan()
    assert fates(plan)[ADA] == ("pending", "hold")
    assert plan.dispositions[ADA].due == OVER
    assert overdue(plan) == [ADA]
    office.later(20)
    assert fates(office.plan())[ADA] == ("changed", "changed")


def test_a_leaver_who_is_protected_is_handed_off_with_a_deadline_and_then_overdue() -> None:
    office = roster_office(LAST_DAY)
    office.under(protections=(Protection(name="vips", owner="security", accounts=(ADA,)),))
    assert fates(office.plan())[ADA] == ("protected", "listed")
    office.later(0.5)
    plan = office.plan()
    assert fates(plan)[ADA] == ("handed_off", "leaver-protected")
    assert {one.action for one in plan.handoffs} == {"user.deactivate", "tokens.revoke"}
    assert {cause.due for one in plan.handoffs for cause in one.causes} == {OVER + SLA}
    assert plan.dispositions[ADA].due == OVER + SLA
    assert overdue(plan) == []
    office.apply()
    office.later(1)
    plan = office.plan()
    assert overdue(plan) == [ADA]
    assert ADA not in {user for user, _ in done(office)}
    office.under(protections=())
    office.apply()
    assert (ADA, "user.deactivate") in done(office)
    assert ADA not in fates(office.plan())


def test_when_the_row_vanishes_nothing_is_asked_any_more_and_the_account_stays_closed() -> None:
    office = roster_office("ada@acme.com;2026-11-21")
    office.apply()
    office.later(1)
    hand(office)
    assert office.plan().changes == ()
    assert office.apply().outcomes == ()
    assert [user.status for user in office.site.read().inventory.users if user.id == ADA] == ["deactivated"]


def test_an_end_that_is_put_off_asks_for_nothing() -> None:
    office = roster_office(LAST_DAY)
    hand(office, LAST_DAY, "ada@acme.com;2027-06-30")
    office.later(2)
    assert ADA not in fates(office.plan())


def test_rows_that_mean_nobody_are_told_by_their_line_alone() -> None:
    office = roster_office("gone@acme.com;2026-11-20", "soon@acme.com;2026-11-21", "later@acme.com;2027-01-01")
    (one,) = office.plan().unmatched
    assert (one.policy, one.source, one.lines, one.overdue) == ("hr", "HR", (3, 4), (3,))


@pytest.mark.parametrize(
    ("email", "left"),
    [("bo@acme.com", True), ("", True), ("bo.before@acme.com", True), ("ada@acme.com", False)],
)
def test_a_row_whose_id_and_address_are_those_of_two_accounts_says_of_nobody_that_he_left(
    email: str,
    left: bool,
) -> None:
    office = roster_office()
    source = replace(SOURCE, columns={**SOURCE.columns, "account": "id"})
    text = f"id;mail;until\n{BO};{email};2026-11-01\n"
    office.lists = Lists(rosters={"hr": roster_rows(source, text.encode())})
    plan = office.plan()
    assert fates(plan)[BO] == (("changed", "changed") if left else ("unknown", "policy-undecided"))
    assert ADA not in fates(plan)
    if not left:
        assert "the address in its row is that of another account" in plan.dispositions[BO].note


def test_without_its_rows_a_roster_blocks_its_policy_and_is_not_nobody_leaves() -> None:
    office = roster_office("ada@acme.com;2026-11-21")
    office.lists = Lists()
    plan = office.plan()
    assert not plan.complete
    assert plan.blocked == ("hr (): the roster hr was not read",)
    assert ADA not in {one.user for one in plan.changes}


@pytest.mark.case("F1")
def test_a_roster_that_came_back_short_makes_the_plan_unsafe_until_an_override_says_that_it_is_right() -> None:
    many = [f"p{number}@acme.com;" for number in range(98)]
    office = roster_office(*many, LAST_DAY)
    assert office.plan().applyable
    office.apply()
    assert [(one.name, one.rows) for one in memory_of(office.store.read()).handed] == [("HR", 100)]
    office.later(1)
    hand(office, *many[:88], LAST_DAY)
    assert office.plan().applyable
    hand(office, *many[:87], LAST_DAY)
    plan = office.plan()
    (check,) = [one for one in plan.checks if not one.passed]
    assert (check.name, check.found, check.allowed) == ("roster:hr", 11, 10)
    assert "HR: 100 rows -> 89 since the run of 2026-11-22 (11 % fewer; " in check.message
    with pytest.raises(BrokenGuardsError):
        office.apply()
    assert done(office) == [(BO, "membership.remove")]
    lifted = Override(
        name="smaller", guard="reading.max_drop", max=11, until=date(2026, 12, 1), reason="data-correction", ticket="T"
    )
    office.under(overrides=(lifted,))
    office.apply()
    assert {user for user, _ in done(office)} == {ADA, BO}
    assert [one.rows for one in memory_of(office.store.read()).handed] == [89]
    office.under(overrides=())
    assert office.plan().applyable


def test_a_roster_that_stays_as_it_is_leaves_nothing_new_to_record() -> None:
    office = roster_office("soon@acme.com;2027-01-01")
    office.under(policies=(POLICY,))
    assert not office.apply(sparing=True).quiet
    office.clock.sleep(HOUR)
    assert office.apply(sparing=True).quiet
    hand(office, "soon@acme.com;2027-01-01", "more@acme.com;2027-01-01")
    office.clock.sleep(HOUR)
    assert not office.apply(sparing=True).quiet


def test_a_roster_in_which_nobody_of_the_site_stands_is_perhaps_the_wrong_file() -> None:
    office = roster_office("gone@acme.com;2026-11-20")
    (told,) = [text for text in office.plan().warnings if "roster" in text]
    assert told == (
        "No account of acme is in HR (2 rows), the roster hr: is it the right file, and are `columns` right?"
    )
    hand(office, "bo@acme.com;")
    assert not [text for text in office.plan().warnings if "roster" in text]


@pytest.mark.parametrize("spared", ["protected", "exempt"])
def test_a_leaver_who_is_spared_and_has_no_access_any_more_is_not_overdue(spared: str) -> None:
    office = roster_office("ada@acme.com;2026-10-01", status="deactivated", tokens=())
    entry = Exemption(account=ADA, reason="absence", owner="hr", until=date(2027, 3, 1), ticket="T", document="leave")
    if spared == "exempt":
        office.under(exemptions=(entry,))
    else:
        office.under(protections=(Protection(name="vips", owner="security", accounts=(ADA,)),))
    plan = office.plan()
    assert plan.dispositions[ADA].state == spared
    assert plan.dispositions[ADA].due is None
    assert overdue(plan) == []

"""Seats are freed shortly before a billing period ends, and a run tells which were not (NOON is on 2026-11-22)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from msgspec import UNSET
from msgspec.structs import replace as changed

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.change import MembershipRemove, RoleRevoke, TokenRevoke, UserDisable
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Done, Flap
from cleanup_gitops.model.user import GroupSeat, RoleSeat, User
from cleanup_gitops.planner.seats import ends_seat, not_freed, seats_of
from cleanup_gitops.policy.billing import License
from cleanup_gitops.policy.documents import Ensure, Policy
from cleanup_gitops.policy.timing import Schedule
from cleanup_gitops.policy.tree import HasSeat, Match
from cleanup_gitops.runner.standing import StandingChoice, with_notes
from cleanup_gitops.runner.times import times_of
from cleanup_gitops.views.plan import render_text
from cleanup_gitops.views.run import render_run
from tests.fakes import NOON
from tests.runner.office import DORMANT, OTHERS, SEATS, Office, office_site, open_office, person
from tests.runner.test_times import APPROVED, DAY, FIRST, SOAKED

MONTHLY = License("monthly", 1, where="policies/site.yaml:9")
ENDING = replace(DORMANT, before_billing=3)
"""Its days are 28, 29 and 30 November: a period begins on the first of each month."""


def office_of(*idle: int, policies: Sequence[Policy] = (ENDING,), license_: License = MONTHLY) -> Office:
    office = open_office(*idle)
    office.under(policies=tuple(policies), license=license_)
    return office


def told(office: Office) -> dict[str, str]:
    run = office.apply()
    return {one.address: one.result for one in run.outcomes} | {one.change.address: one.code for one in run.choice.left}


REMOVAL = f"membership/{SEATS}/{FIRST}"


@pytest.mark.case("E52")
@pytest.mark.parametrize(
    ("days", "result"),
    [(0, "billing-day"), (5, "billing-day"), (6, "applied"), (8, "applied"), (9, "billing-day"), (37, "applied")],
)
def test_a_seat_is_freed_on_the_last_days_of_a_billing_period_alone(days: int, result: str) -> None:
    office = office_of(100)
    office.clock.sleep(days * DAY)
    assert told(office) == {REMOVAL: result}


@pytest.mark.case("E52")
@pytest.mark.parametrize(("days", "result"), [(6, "billing-day"), (7, "applied"), (9, "applied"), (10, "billing-day")])
def test_of_a_year_the_days_before_the_renewal_count_and_none_after_it(days: int, result: str) -> None:
    office = office_of(100, license_=License("annual", renews=date(2026, 12, 2)))
    office.clock.sleep(days * DAY)
    assert told(office) == {REMOVAL: result}


@pytest.mark.case("E52")
def test_it_is_told_from_when_on_and_where_to_correct_a_renewal_that_has_passed() -> None:
    (left,) = office_of(100).apply().choice.left
    why = "dormant frees seats from 2026-11-28 on: the billing period ends before 2026-12-01"
    assert (left.why, left.until) == (why, NOON.replace(day=28, hour=0))
    (late,) = office_of(100, license_=License("annual", renews=date(2026, 11, 1), where="a:3")).apply().choice.left
    assert late.until is None
    assert late.why.endswith("and that day has passed: correct `renews` (a:3)")


@pytest.mark.case("E52")
def test_a_saved_plan_waits_too_is_not_consumed_and_says_so() -> None:
    office = office_of(100)
    office.clock.sleep(5 * DAY)
    saved = office.plan()
    inventory = office.site.read().inventory
    wait = times_of(saved, office.policies, memory_of(office.store.read()), inventory).wait
    noted = with_notes(saved, office.policies.policies, StandingChoice((), ()), wait)
    assert "billing-day: dormant frees seats from 2026-11-28 on" in noted.changes[0].note
    assert "What is freed saves from 2026-12-01 on, when the next billing period begins." in render_text(noted)
    assert [one.code for one in office.apply(saved).choice.left] == ["billing-day"]
    office.clock.sleep(DAY)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]


def test_what_frees_no_seat_does_not_wait() -> None:
    office = office_of(100, policies=(replace(OTHERS, before_billing=3),))
    assert set(told(office).values()) == {"applied"}
    leave = replace(ENDING, ensure=Ensure(groups_absent=("others", "confluence-users-acme")))
    office.under(policies=(leave,))
    assert told(office) == {f"membership/g-others/{FIRST}": "applied", REMOVAL: "billing-day"}


def test_a_schedule_stays_due_until_the_days_of_billing_have_come() -> None:
    first_of_week = Schedule(("0 7 * * 1",), "UTC")
    office = office_of(100, policies=(replace(ENDING, schedule=first_of_week),))
    assert told(office) == {REMOVAL: "billing-day"}  # the later one: Monday is 23 November
    office.clock.sleep(2 * DAY)
    assert told(office) == {REMOVAL: "billing-day"}  # due since Monday, and too early
    office.clock.sleep(4 * DAY)
    assert told(office) == {REMOVAL: "applied"}


def test_a_row_goes_with_the_first_of_its_policies() -> None:
    office = office_of(100, policies=(ENDING, replace(DORMANT, name="now")))
    assert told(office) == {REMOVAL: "applied"}


def test_a_standing_approval_waits_as_well() -> None:
    policy = replace(SOAKED, schedule=None, before_billing=3)
    office = office_of(100, policies=(policy,))
    office.apply(standing=APPROVED)
    office.clock.sleep(DAY)
    assert [one.code for one in office.apply(standing=APPROVED).choice.left] == ["billing-day"]
    office.clock.sleep(5 * DAY)
    assert [one.result for one in office.apply(standing=APPROVED).outcomes] == ["applied"]


# -- which rows free a seat ------------------------------------------------------------------------------


def row(kind: type[MembershipRemove | RoleRevoke | TokenRevoke | UserDisable], **more: str) -> MembershipRemove:
    facts: dict[str, object] = {"address": "a", "user": FIRST, "directory": "default", "causes": (), "needs": ()}
    if kind is MembershipRemove:
        facts["label"] = "x"
    if kind is UserDisable:
        facts |= {"old": "active", "new": "suspended"}
    return kind(**facts, **more)  # type: ignore[arg-type, return-value]


def site_with(user: User) -> Inventory:
    site = office_site(100)
    return changed(site, users=(user, *(one for one in site.users if one.id != FIRST)))


HOLDER = person(1, 100)


@pytest.mark.parametrize(
    ("user", "change", "ends"),
    [
        (HOLDER, row(MembershipRemove, group=SEATS), True),
        (HOLDER, row(MembershipRemove, group="g-others"), False),
        (HOLDER, row(RoleRevoke, role="user"), False),
        (HOLDER, row(UserDisable), True),
        (HOLDER, row(TokenRevoke, token="t"), False),
        (changed(HOLDER, seats=(RoleSeat("user"),)), row(RoleRevoke, role="user"), True),
        (
            changed(HOLDER, seats=(GroupSeat((SEATS,)), RoleSeat("guest"))),
            row(RoleRevoke, role="guest"),
            False,
        ),
        (changed(HOLDER, seats=None, license="unknown"), row(MembershipRemove, group="g-others"), True),
        (changed(HOLDER, status="suspended"), row(UserDisable), False),  # it occupies none
        (changed(HOLDER, license="none", seats=()), row(UserDisable), False),
    ],
)
def test_a_row_frees_a_seat_when_it_ends_a_way_to_one_that_is_in_use(
    user: User, change: MembershipRemove, ends: bool
) -> None:
    assert ends_seat(change, site_with(user)) is ends


# -- what is saved, and what was not freed ---------------------------------------------------------------


def made(at: datetime, **after: str | bool) -> Done:
    address = REMOVAL if "member" in after else f"user/{FIRST}"
    return Done(run="r", address=address, user=FIRST, policies=("dormant",), at=at, after=after)


@pytest.mark.case("E53")
@pytest.mark.parametrize(
    ("done", "number"),
    [
        (made(NOON.replace(day=1, hour=0), member=False), 1),
        (made(NOON.replace(month=10, day=31), member=False), 0),  # in the period before: a month was saved
        (made(NOON.replace(day=1), member=True), 0),
        (made(NOON.replace(day=1), status="suspended"), 1),
        (made(NOON.replace(day=1), status="active"), 0),
        (made(NOON.replace(day=1), held=False), 1),
    ],
)
def test_a_seat_that_is_in_use_again_in_the_same_period_saves_nothing(done: Done, number: int) -> None:
    memory = changed(BLANK, done=(done,))
    seats = seats_of((), office_site(5), memory, MONTHLY, NOON.date())
    assert seats.regained == (number or UNSET)
    assert seats.saves_from is UNSET
    assert seats_of((), office_site(5), memory, None, NOON.date()).regained is UNSET


@pytest.mark.case("E53")
@pytest.mark.parametrize(("since", "number"), [(2, 1), (30, 0), (None, 0)])
def test_so_does_one_whose_return_was_recorded_before(since: int | None, number: int) -> None:
    again = changed(HOLDER, seat_since=None if since is None else NOON - timedelta(days=since))
    memory = changed(BLANK, flaps=(Flap(user=FIRST, policy="dormant", days=(date(2026, 11, 20),)),))
    seats = seats_of((), site_with(again), memory, MONTHLY, NOON.date())
    assert seats.regained == (number or UNSET)


@pytest.mark.case("E53")
def test_the_plan_says_so() -> None:
    office = office_of(100, policies=(DORMANT,))
    office.apply()
    office.site.happens(FIRST, groups=(SEATS,), seats=(GroupSeat((SEATS,)),), license="seat")
    text = render_text(office.plan())
    assert "1 seat that was freed in this period is in use again, and saves nothing." in text


@pytest.mark.case("E54")
def test_after_a_run_it_is_told_which_seats_were_not_freed() -> None:
    office = office_of(100, 100, policies=(DORMANT,))
    run = office.apply()
    assert run.seats is not None
    assert (run.seats.before, run.seats.after, run.seats.kept) == (3, 1, ())
    text = render_run(run.plan, run.outcomes, run.approval, run.commit, seats=run.seats)
    assert "Seats in use: 3 before the run, 1 now.\n" in text


@pytest.mark.case("E54")
def test_a_seat_that_somebody_gives_back_meanwhile_was_not_freed() -> None:
    before, change = office_site(100, 100), row(MembershipRemove, group=SEATS)
    after = site_with(changed(HOLDER, groups=(), seats=(RoleSeat("user"),)))
    assert not_freed(before, after, [change]) == (FIRST,)
    assert not_freed(before, site_with(changed(HOLDER, seats=None, license="unknown")), [change]) == (FIRST,)
    assert not_freed(before, site_with(changed(HOLDER, seats=(), license="none")), [change]) == ()
    assert not_freed(before, before, [row(MembershipRemove, group="g-others")]) == ()  # it was not to free one


@pytest.mark.case("E54")
def test_suspended_users_keep_a_license_which_a_free_plan_counts() -> None:
    suspend = replace(DORMANT, match=Match(all=(HasSeat(wanted=True),)), ensure=Ensure(status="suspended"))
    office = office_of(100, policies=(suspend,))
    run = office.apply()
    assert run.seats is not None
    assert run.seats.suspended == 1
    text = render_run(run.plan, run.outcomes, run.approval, run.commit, seats=run.seats)
    assert "1 suspended user keeps the license: on a Free plan such a seat is not freed" in text

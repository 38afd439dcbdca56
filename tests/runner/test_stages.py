"""Policies with stages over days: what is remembered, what is done when, and what ends an episode."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.record import ground_of, record_drift
from cleanup_gitops.model.activity import Unknown, seen_at
from cleanup_gitops.model.group import Grant
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.planner import undone
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, SitePolicies, Stage
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, Match
from cleanup_gitops.runner.desk import BrokenGuardsError
from cleanup_gitops.runner.quiet import nothing_new
from tests.fakes import NOON
from tests.runner.office import ROOMY, SEATS, Office, open_office
from tests.runner.test_lease import KilledError, Mortal
from tests.runner.test_recover import open_run
from tests.runner.test_rollback import rollback

ONE = "712020:0001"
STAGED = Policy(
    name="dormant",
    owner="iam@acme.com",
    why="seats",
    match=Match(all=(HasSeat(wanted=True), InactiveFor(90))),
    stages=(
        Stage(name="release", ensure=Ensure(groups_absent=("confluence-users-acme",)), where="p.yaml:9"),
        Stage(name="suspend", ensure=Ensure(status="suspended"), after=14, where="p.yaml:12"),
    ),
    where="p.yaml:8",
)
POLICIES = SitePolicies(site="acme", policies=(STAGED,), guardrails=ROOMY)


def staged_office(*idle: int) -> Office:
    office = open_office(*idle)
    office.policies = POLICIES
    return office


def marks(office: Office) -> list[tuple[str, int, str, bool]]:
    return [
        (one.user[-4:], one.episode, one.stage, one.done is not None) for one in memory_of(office.store.read()).marks
    ]


def closed(office: Office) -> list[tuple[str, int, str]]:
    return [(one.user[-4:], one.episode, one.why) for one in memory_of(office.store.read()).closed]


def rows(plan: Plan) -> list[tuple[str, str, str]]:
    return [(one.what, one.stage, one.reason or "") for one in plan.lifecycle]


def does(plan: Plan) -> list[tuple[str, str]]:
    return [(one.action, one.causes[0].name) for one in plan.changes]


def test_a_user_goes_through_the_stages_day_by_day() -> None:
    office = staged_office(200)
    run = office.apply()
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    assert rows(run.plan) == [("entered", "release", "")]
    assert marks(office) == [("0001", 1, "release", True)]
    office.later(13)
    waiting = office.plan()
    assert does(waiting) == []
    assert waiting.dispositions[ONE].state == "pending"
    assert waiting.dispositions[ONE].reason == "waiting-stage"
    office.later(1)
    run = office.apply()
    assert does(run.plan) == [("user.disable", "dormant/suspend")]
    assert marks(office) == [("0001", 1, "release", True), ("0001", 1, "suspend", True)]
    office.later(1)
    run = office.apply()
    assert does(run.plan) == []
    assert rows(run.plan) == [("closed", "suspend", "done")]
    assert closed(office) == [("0001", 1, "done")]
    office.later(1)
    assert rows(office.apply().plan) == []


def test_a_second_run_on_the_same_day_enters_nothing_again() -> None:
    office = staged_office(200)
    office.apply()
    before = memory_of(office.store.read()).marks
    office.later(0.1)
    assert rows(office.apply().plan) == []
    assert memory_of(office.store.read()).marks == before


def test_a_stage_whose_change_is_not_made_is_entered_and_begins_no_clock() -> None:
    office = staged_office(200)
    saved = office.plan()
    office.site.happens(ONE, groups=(SEATS, "g-others"))
    office.under(guardrails=replace(ROOMY, allow=frozenset()))
    with pytest.raises(BrokenGuardsError):
        office.apply(saved)
    assert marks(office) == []
    office.under(guardrails=ROOMY)
    office.site.deaf = True
    office.apply()
    assert marks(office) == [("0001", 1, "release", False)]
    entered = memory_of(office.store.read()).marks[0].entered
    office.later(40)
    office.site.deaf = False
    run = office.apply()
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    (mark,) = memory_of(office.store.read()).marks
    assert mark.entered == entered
    assert mark.done is not None
    office.later(13.4)
    assert office.plan().dispositions[ONE].reason == "waiting-stage"


@pytest.mark.case("E68")
def test_who_is_seen_again_leaves_the_stages_and_is_told_of_once() -> None:
    office = staged_office(200)
    office.apply()
    office.later(5)
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    run = office.apply()
    assert does(run.plan) == []
    assert rows(run.plan) == [("closed", "suspend", "returned")]
    assert closed(office) == [("0001", 1, "returned")]
    assert marks(office) == []
    office.later(1)
    assert rows(office.apply().plan) == []


def test_a_sighting_on_the_day_on_which_the_episode_opened_is_no_return() -> None:
    office = staged_office(200)
    office.apply()
    office.later(20)
    at = office.clock.now() - timedelta(days=20)
    office.site.happens(ONE, seen=seen_at(at))
    assert rows(office.plan()) == [("closed", "suspend", "no-longer-matching")]


def test_what_nobody_knows_ends_nothing_and_does_nothing() -> None:
    office = staged_office(200)
    office.apply()
    office.later(20)
    office.site.happens(ONE, seen=Unknown("not in the answer"), added=None)
    plan = office.plan()
    assert rows(plan) == []
    assert does(plan) == []
    assert plan.dispositions[ONE].state == "unknown"


def test_who_lost_access_is_told_less_about_and_goes_on_all_the_same() -> None:
    office = staged_office(200)
    office.apply()
    office.site.happens(ONE, seen=Unknown("no access to Confluence"))
    office.later(14)
    assert does(office.apply().plan) == [("user.disable", "dormant/suspend")]


def test_who_does_not_match_any_more_leaves_the_stages() -> None:
    office = staged_office(200)
    office.apply()
    office.later(5)
    office.under(policies=(replace(STAGED, match=Match(all=(InactiveFor(400),))),))
    run = office.apply()
    assert rows(run.plan) == [("closed", "suspend", "no-longer-matching")]


def test_protections_and_exemptions_end_an_episode() -> None:
    for shield, why in (
        ({"protections": (Protection(name="vip", owner="s", accounts=(ONE,)),)}, "protected"),
        ({"exemptions": (EXEMPT,)}, "exempt"),
    ):
        office = staged_office(200)
        office.apply()
        office.later(20)
        office.under(**shield)
        run = office.apply()
        assert does(run.plan) == []
        assert rows(run.plan) == [("closed", "suspend", why)]


EXEMPT = Exemption(
    account=ONE, reason="absence", owner="hr", until=(NOON + timedelta(days=25)).date(), ticket="HR-1", document="leave"
)


@pytest.mark.case("E26")
def test_after_an_exemption_the_first_stage_comes_at_once() -> None:
    office = staged_office(200)
    office.under(exemptions=(EXEMPT,))
    assert rows(office.apply().plan) == []
    office.later(26)
    run = office.apply()
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    assert rows(run.plan) == [("entered", "release", "")]


@pytest.mark.case("F1")
def test_who_gets_back_what_a_stage_took_is_left_alone_and_starts_anew() -> None:
    office = staged_office(200)
    office.apply()
    office.later(3)
    office.site.happens(ONE, groups=(SEATS,), seats=(GroupSeat((SEATS,)),), license="seat")
    run = office.apply()
    assert does(run.plan) == []
    assert rows(run.plan) == [("closed", "suspend", "restored")]
    assert run.plan.dispositions[ONE].reason == "hold"
    office.later(14)
    held = office.apply().plan
    assert (does(held), rows(held)) == ([], [])
    office.later(100)  # the seat is new again
    run = office.apply()
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    assert rows(run.plan) == [("entered", "release", "")]
    assert marks(office) == [("0001", 2, "release", True)]


NO_ACCESS = replace(
    STAGED,
    stages=(Stage(name="release", ensure=Ensure(no_access=True)), replace(STAGED.stages[1], after=14)),
)


@pytest.mark.parametrize("days", [3, 40])
def test_a_seat_that_comes_back_in_another_way_undoes_the_end_of_all_access(days: int) -> None:
    office = staged_office(200, 0)
    office.site.happens("712020:0002", groups=("g-others", SEATS), direct=None)
    office.under(policies=(replace(NO_ACCESS, stages=NO_ACCESS.stages[: 2 if days == 3 else 1]),))
    office.site.happens(ONE, direct=())
    office.apply()
    if days == 40:
        office.later(1)
        office.apply()
        assert closed(office) == [("0001", 1, "done")]
    office.later(days)
    office.site.group_becomes("g-others", license="seat", grants=(Grant("confluence", "user"),))
    office.site.happens(ONE, groups=("g-others",), seats=(GroupSeat(("g-others",)),), license="seat")
    run = office.apply()
    assert does(run.plan) == []
    assert [(what, why) for what, _, why in rows(run.plan)] == [("closed", "restored")]
    assert run.plan.dispositions[ONE].reason == "hold"
    assert [one.why for one in memory_of(office.store.read()).holds] == ["restored"]
    office.later(100)  # the hold has ended, and the seat is not new any more
    assert does(office.apply().plan) == [("membership.remove", "dormant/release")]
    assert marks(office)[0][1] == 2


def test_after_all_stages_the_policy_begins_anew_when_the_user_once_did_not_match() -> None:
    office = staged_office(200)
    office.under(policies=(replace(STAGED, stages=STAGED.stages[:1]),))
    office.apply()
    office.later(1)
    office.apply()
    assert closed(office) == [("0001", 1, "done")]
    office.later(30)
    assert rows(office.apply().plan) == []
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    run = office.apply()
    assert rows(run.plan) == [("free", "release", "no-longer-matching")]
    office.later(100)
    office.site.happens(ONE, groups=(SEATS,), seats=(GroupSeat((SEATS,)),), license="seat")
    assert rows(office.apply().plan) == []  # others undid what had been done, which is a hold
    office.later(15)
    run = office.apply()
    assert rows(run.plan) == [("entered", "release", "")]
    assert marks(office) == [("0001", 2, "release", True)]


@pytest.mark.case("E85")
def test_a_policy_that_goes_leaves_orphans_and_nothing_is_done_about_them() -> None:
    for policies in (
        (),
        (replace(STAGED, stages=(), ensure=Ensure(groups_absent=("others",))),),
        (replace(STAGED, report=True),),
    ):
        office = staged_office(200)
        office.apply()
        office.later(20)
        office.under(policies=policies)
        run = office.apply()
        assert does(run.plan) == []
        assert [(what, why) for what, _, why in rows(run.plan)] == [("closed", "orphaned")]
        assert any("orphaned" in text for text in run.plan.warnings)
        assert closed(office) == [("0001", 1, "orphaned")]
        office.under(policies=(STAGED,))
        assert rows(office.apply().plan) == []


def test_a_policy_that_only_reports_shows_its_first_stage_and_remembers_nothing() -> None:
    office = staged_office(200)
    office.under(policies=(replace(STAGED, report=True),))
    for _ in range(2):
        run = office.apply()
        assert rows(run.plan) == []
        assert [(one.reason, one.change.causes[0].name) for one in run.plan.pending] == [("report", "dormant/release")]
        assert marks(office) == []
        office.later(30)


def test_what_is_handed_off_is_waited_for_and_counts_as_an_effect_when_it_comes() -> None:
    office = staged_office(200)
    office.site.group_becomes(SEATS, modifiable=False)
    run = office.apply()
    assert [one.action for one in run.plan.handoffs] == ["membership.remove"]
    assert marks(office) == [("0001", 1, "release", False)]
    office.later(60)
    run = office.apply()
    assert run.plan.dispositions[ONE].state == "handed_off"
    assert marks(office) == [("0001", 1, "release", False)]
    office.site.happens(ONE, groups=(), seats=(), license="none")
    run = office.apply()
    assert rows(run.plan) == [("done", "release", "")]
    office.later(13)
    assert office.plan().dispositions[ONE].reason == "waiting-stage"
    office.later(1)
    assert does(office.apply().plan) == [("user.disable", "dormant/suspend")]


def test_a_user_who_waits_is_spared_from_a_harsher_policy_and_not_from_a_termination() -> None:
    harsher = Policy(
        name="harsh", owner="iam", why="x", match=Match(all=(InactiveFor(30),)), ensure=Ensure(status="removed")
    )
    office = staged_office(200)
    office.apply()
    office.under(policies=(STAGED, harsher))
    office.later(5)
    plan = office.plan()
    assert does(plan) == []
    assert plan.dispositions[ONE].reason == "waiting-stage"
    assert "harsh" in plan.dispositions[ONE].note
    office.under(policies=(STAGED, replace(harsher, termination=True)))
    assert does(office.plan()) == [("user.remove", "harsh")]


def test_a_condition_of_a_stage_is_waited_for() -> None:
    when = Match(all=(InactiveFor(90, "any"),))
    office = staged_office(200)
    office.under(policies=(replace(STAGED, stages=(STAGED.stages[0], replace(STAGED.stages[1], when=when))),))
    office.site.happens(ONE, elsewhere=(("jira", seen_at(NOON - timedelta(days=10))),))
    office.apply()
    office.later(30)
    assert does(office.apply().plan) == []
    office.later(51)
    assert does(office.apply().plan) == []
    office.later(1)
    assert does(office.apply().plan) == [("user.disable", "dormant/suspend")]


def test_an_account_that_is_gone_ends_its_episode() -> None:
    office = staged_office(200)
    office.apply()
    office.site.leaves(ONE)
    run = office.apply()
    assert rows(run.plan) == [("closed", "suspend", "no-longer-matching")]
    removal = replace(STAGED, stages=(Stage(name="remove", ensure=Ensure(status="removed")),))
    office = staged_office(200)
    office.under(policies=(removal,))
    office.apply()
    office.later(1)
    assert rows(office.apply().plan) == [("closed", "remove", "done")]


def test_a_rollback_ends_the_episodes_of_its_users_and_no_flap_is_counted() -> None:
    office = staged_office(200)
    run = office.apply()
    office.later(1)
    back = rollback(office, run)
    assert back.lifecycle == ()
    office.apply(back)
    assert closed(office) == [("0001", 1, "rolled-back")]
    assert marks(office) == []
    assert memory_of(office.store.read()).flaps == ()
    assert rows(office.apply().plan) == []
    office.later(200)
    office.apply()
    assert marks(office) == [("0001", 2, "release", True)]


def test_a_termination_that_was_undone_begins_anew_at_once() -> None:
    office = staged_office(200)
    office.under(policies=(replace(STAGED, match=Match(all=(InactiveFor(90),)), termination=True),))
    office.apply()
    office.later(100)
    office.site.happens(ONE, groups=(SEATS,), seats=(GroupSeat((SEATS,)),), license="seat", seat_since=NOON)
    run = office.apply()
    assert rows(run.plan) == [("closed", "suspend", "restored"), ("entered", "release", "")]
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    assert marks(office) == [("0001", 2, "release", True)]


def test_what_a_run_that_was_cut_off_had_entered_is_remembered_when_it_is_recovered() -> None:
    office = staged_office()
    office.site = Mortal(100, 200, at=1, after=True)
    with pytest.raises(KilledError):
        office.apply()
    assert marks(office) == []
    office.later(2)
    office.recover(open_run(office))
    assert [(user, stage, done) for user, _, stage, done in marks(office)] == [
        ("0001", "release", True),
        ("0002", "release", False),
    ]
    assert memory_of(office.store.read()).marks[0].entered == NOON


def test_what_others_undid_ends_an_episode_also_when_drift_finds_it() -> None:
    office = staged_office(200)
    office.apply()
    office.later(20)
    office.site.happens(ONE, groups=(SEATS,), seats=(GroupSeat((SEATS,)),), license="seat")
    before = ground_of("acme", office.store.read(), tool_version="0")
    now, live = office.clock.now(), office.site.read().inventory
    drift = drift_of(before.before, live, before.memory.settling)
    assert drift is not None
    seen = undone(live, office.policies, before.memory, created=now)
    record = record_drift(before, drift=drift, inventory=live, time=now, noticed=seen)
    office.store.commit(record.files, record.subject, record.trailers)
    assert (marks(office), closed(office)) == ([], [("0001", 1, "restored")])
    held = office.apply().plan
    assert (does(held), rows(held)) == ([], [])
    office.later(100)
    assert does(office.apply().plan) == [("membership.remove", "dormant/release")]


def test_a_stage_that_ends_is_worth_a_record_and_a_day_on_which_nothing_happens_is_not() -> None:
    office = staged_office(200)
    office.apply()
    quiet = memory_of(office.store.read())
    office.later(0.1)
    office.apply()
    assert nothing_new(quiet, memory_of(office.store.read()))
    office.site.happens(ONE, seen=seen_at(office.clock.now() + timedelta(days=1)))
    office.later(2)
    office.apply()
    assert not nothing_new(quiet, memory_of(office.store.read()))


@pytest.mark.case("E30")
def test_a_policy_whose_stage_names_a_missing_group_is_blocked_as_a_whole_and_moves_nobody() -> None:
    office = staged_office(200)
    office.apply()
    broken = replace(STAGED.stages[1], ensure=Ensure(groups_absent=("no such group",)))
    office.under(policies=(replace(STAGED, stages=(STAGED.stages[0], broken)),))
    office.later(20)
    before = marks(office)
    run = office.apply()
    assert (does(run.plan), rows(run.plan)) == ([], [])
    assert run.plan.blocked == ("dormant (p.yaml:8): no group matches no such group",)
    assert run.plan.dispositions[ONE].reason == "blocked"
    assert marks(office) == before

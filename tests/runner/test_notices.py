"""Notices over days: who is told when, what begins the days of the next stage, and what does not count as told."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import verify
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.errors import (
    CleanupError,
    CredentialError,
    LeaseHeldError,
    LostAnswerError,
    RefusedError,
    SiteError,
    StoreError,
)
from cleanup_gitops.model.notices import Notice, Sent
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, SitePolicies, Stage, Standing
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.policy.notifying import Notifications, Template
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, Match
from cleanup_gitops.runner import Run
from cleanup_gitops.runner.desk import BrokenGuardsError, UnrecordedError
from cleanup_gitops.runner.journal import UNKEPT
from cleanup_gitops.runner.notices import NOBODY_SENDS, Post
from cleanup_gitops.runner.undelivered import MailRoom, Returned, undelivered
from tests.fake_journal import FakeJournals
from tests.fake_store import FakeStore
from tests.fakes import FakeNotifier, FakeSite
from tests.runner.office import OTHERS, ROOMY, Office, office_site, open_office
from tests.runner.test_lease import KilledError
from tests.runner.test_recover import open_run
from tests.runner.test_rollback import rollback
from tests.runner.test_stages import ONE, closed, does, marks, rows
from tests.runner.test_times import APPROVED, EVENING

TWO = "712020:0002"
WARNED = Policy(
    name="dormant",
    owner="iam@acme.com",
    why="Seats are for those who use them.",
    match=Match(all=(HasSeat(wanted=True), InactiveFor(90))),
    stages=(
        Stage(name="notice", notify="inactivity-notice", where="p.yaml:9"),
        Stage(name="release", ensure=Ensure(groups_absent=("confluence-users-acme",)), after=14, where="p.yaml:12"),
    ),
    where="p.yaml:8",
)
TEXTS = {"inactivity-notice": Template(name="inactivity-notice", bodies={}, digest="sha256:aa")}
MAIL = Notifications(name="mail", folder="policies/templates", templates=TEXTS)
POLICIES = SitePolicies(site="acme", policies=(WARNED,), guardrails=ROOMY, notifications=MAIL)


def telling_office(*idle: int) -> Office:
    """A site with people who can be told, and a policy that tells them first."""
    office = open_office()
    people = {f"712020:{number:04}": Person(f"Person {number}", f"p{number}@acme.com") for number in range(1, 10)}
    office.site = FakeSite(office_site(*idle), People(people))
    office.policies = POLICIES
    office.post = Post(FakeNotifier(), "https://acme.atlassian.net")
    return office


def notifier(office: Office) -> FakeNotifier:
    assert office.post is not None
    assert isinstance(office.post.notifier, FakeNotifier)
    return office.post.notifier


def told(office: Office) -> list[tuple[str, str, int]]:
    return [(one.user[-4:], one.stage, one.episode) for one, _ in notifier(office).sent]


def results(run: Run) -> list[tuple[str, str]]:
    return [(one.action, one.result) for one in run.outcomes]


def says_undelivered(office: Office, text: str, *, again: bool = False) -> Returned:
    desk = MailRoom(office.policies, office.store, office.clock, "0", frozenset({"acme.com"}))
    return undelivered(desk, text.encode(), again=again)


def test_who_is_told_has_the_days_of_the_next_stage_from_then_on() -> None:
    office = telling_office(200)
    run = office.apply()
    assert does(run.plan) == [("notice.send", "dormant/notice")]
    assert rows(run.plan) == [("due", "notice", "")]
    assert results(run) == [("notice.send", "applied")]
    assert told(office) == [("0001", "notice", 1)]
    assert marks(office) == [("0001", 1, "notice", True)]
    office.later(13)
    assert does(office.plan()) == []
    assert office.plan().dispositions[ONE].reason == "waiting-stage"
    assert office.apply().outcomes == ()
    office.later(1)
    run = office.apply()
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    assert results(run) == [("membership.remove", "applied")]
    assert told(office) == [("0001", "notice", 1)]
    office.later(1)
    office.apply()
    assert closed(office) == [("0001", 1, "done")]


@pytest.mark.case("E71")
def test_a_second_run_on_the_same_day_or_in_the_same_episode_tells_nobody_again() -> None:
    office = telling_office(200, 200)
    office.apply()
    office.later(0.1)
    assert office.apply().outcomes == ()
    for _ in range(3):
        office.later(4)
        office.apply()
    assert told(office) == [("0001", "notice", 1), ("0002", "notice", 1)]


@pytest.mark.case("E72")
def test_a_plan_tells_nobody() -> None:
    office = telling_office(200)
    plan = office.plan()
    assert does(plan) == [("notice.send", "dormant/notice")]
    assert told(office) == []
    assert notifier(office).checks == 0


@pytest.mark.case("E68")
def test_who_comes_back_after_the_notice_leaves_the_stages_and_begins_anew_later_with_a_notice_of_its_own() -> None:
    office = telling_office(200)
    office.apply()
    office.later(5)
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    run = office.apply()
    assert does(run.plan) == []
    assert rows(run.plan) == [("closed", "release", "returned")]
    office.later(1)
    assert rows(office.apply().plan) == []
    office.later(91)
    run = office.apply()
    assert does(run.plan) == [("notice.send", "dormant/notice")]
    assert told(office) == [("0001", "notice", 1), ("0001", "notice", 2)]
    (_, first), (_, second) = notifier(office).sent
    assert first != second


@pytest.mark.case("E26")
def test_who_was_exempt_is_told_first_when_the_exemption_has_ended() -> None:
    office = telling_office(200)
    day = office.clock.now().date()
    entry = Exemption(account=ONE, reason="absence", owner="hr", until=day, ticket="HR-1", document="leave")
    office.under(exemptions=(entry,))
    assert does(office.apply().plan) == []
    office.later(1)
    run = office.apply()
    assert does(run.plan) == [("notice.send", "dormant/notice")]
    assert marks(office) == [("0001", 1, "notice", True)]


@pytest.mark.case("E69")
@pytest.mark.parametrize("why", ["refused", "unknown address"])
def test_who_cannot_be_told_does_not_count_as_told(why: str) -> None:
    office = telling_office(200)
    if why == "refused":
        notifier(office).broken["send"] = [RefusedError("550 no such mailbox")]
    else:
        office.site = FakeSite(office_site(200))
    run = office.apply()
    assert results(run) == [("notice.send", "failed")]
    assert run.failed
    assert marks(office) == []
    office.later(20)
    assert does(office.plan()) == [("notice.send", "dormant/notice")]


@pytest.mark.case("E69")
def test_who_shows_no_address_is_handed_over_to_people_and_nothing_follows() -> None:
    office = telling_office(200)
    office.site.happens(ONE, has_email=False)
    run = office.apply()
    assert does(run.plan) == []
    assert [(one.action, one.reason) for one in run.plan.handoffs] == [("notice.send", "no-address")]
    assert run.plan.dispositions[ONE].state == "handed_off"
    assert not run.failed
    office.later(30)
    assert marks(office) == []
    assert does(office.apply().plan) == []


def test_a_notice_of_which_nobody_knows_is_sent_again_with_the_same_message_id() -> None:
    office = telling_office(200)
    notifier(office).lost = LostAnswerError("The relay closed the connection.")
    run = office.apply()
    assert results(run) == [("notice.send", "not_effective")]
    assert run.failed
    assert marks(office) == []
    memory = memory_of(office.store.read())
    assert (memory.settling, memory.done) == ((), ())
    assert memory.applied[0].actions == {"notice.send": 1}  # it may have been sent, so it counts for the cap
    office.later(0.5)
    assert results(office.apply()) == [("notice.send", "applied")]
    assert marks(office) == [("0001", 1, "notice", True)]
    (_, first), (_, second) = notifier(office).sent
    assert first == second


BOTH = Policy(
    name="gone",
    owner="iam@acme.com",
    why="seats",
    match=Match(all=(HasSeat(wanted=True), InactiveFor(300))),
    ensure=Ensure(groups_absent=("confluence-users-acme",)),
    priority=1,
)


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("check", CredentialError("The relay refuses the password.")),
        ("send", CredentialError("The relay refuses the password.")),
        ("send", SiteError("The relay does not answer.")),
    ],
)
def test_a_relay_that_fails_stops_notices_and_nothing_else(method: str, error: SiteError) -> None:
    office = telling_office(200, 200, 400)
    office.under(policies=(WARNED, BOTH))
    notifier(office).broken[method] = [error]
    run = office.apply()
    assert results(run) == [
        ("notice.send", "not_attempted"),
        ("notice.send", "not_attempted"),
        ("membership.remove", "applied"),
    ]
    assert run.failed
    assert error.message in run.outcomes[0].detail
    assert marks(office) == []
    assert results(office.apply()) == [("notice.send", "applied"), ("notice.send", "applied")]


def test_where_nobody_sends_notices_none_is_attempted_and_all_else_is_done() -> None:
    office = telling_office(200, 400)
    office.under(policies=(WARNED, BOTH))
    office.post = None
    run = office.apply()
    assert results(run) == [("notice.send", "not_attempted"), ("membership.remove", "applied")]
    assert run.outcomes[0].detail == NOBODY_SENDS


@pytest.mark.case("E70")
def test_silent_notices_go_on_in_state_and_nobody_is_told() -> None:
    office = telling_office(200)
    office.post = Post(FakeNotifier(silent=True))
    office.under(notifications=replace(MAIL, silent=True))
    run = office.apply()
    assert results(run) == [("notice.send", "applied")]
    assert run.outcomes[0].receipt is not None
    assert run.outcomes[0].receipt.endpoint == "silent"
    assert marks(office) == [("0001", 1, "notice", True)]
    assert any("silent" in text for text in run.plan.warnings)
    office.later(14)
    assert does(office.apply().plan) == [("membership.remove", "dormant/release")]


def test_who_came_back_since_the_plan_is_not_told() -> None:
    office = telling_office(200)
    saved = office.plan()
    office.later(1)
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    run = office.apply(saved)
    assert results(run) == [("notice.send", "superseded")]
    assert told(office) == []


def test_a_notice_is_approved_with_what_it_says() -> None:
    office = telling_office(200)
    saved = office.plan()
    other = {"inactivity-notice": replace(TEXTS["inactivity-notice"], digest="sha256:bb")}
    office.under(notifications=replace(MAIL, templates=other))
    office.later(0.1)
    run = office.apply(saved)
    assert results(run) == [("notice.send", "superseded")]
    assert told(office) == []


def test_a_policy_of_notices_alone_reminds_once_for_each_time_that_it_begins_to_match() -> None:
    office = telling_office(200)
    office.under(policies=(replace(WARNED, stages=WARNED.stages[:1]),))
    office.apply()
    for _ in range(3):
        office.later(10)
        office.apply()
    assert told(office) == [("0001", "notice", 1)]
    assert closed(office) == [("0001", 1, "done")]
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    office.apply()
    office.later(100)
    office.apply()
    assert told(office) == [("0001", "notice", 1), ("0001", "notice", 2)]


@pytest.mark.case("E28")
def test_a_notice_is_milder_than_anything_else_and_waits_for_a_policy_that_waits() -> None:
    office = telling_office(200)
    harsher = replace(BOTH, name="harsh", match=WARNED.match, priority=0)
    office.under(policies=(WARNED, harsher))
    run = office.apply()
    assert does(run.plan) == [("notice.send", "dormant/notice")]
    assert "harsh" in run.plan.changes[0].note
    later = replace(WARNED, name="another")
    office.under(policies=(WARNED, later))
    office.later(3)
    run = office.apply()  # the first one waits, which is milder still
    assert does(run.plan) == []
    assert marks(office) == [("0001", 1, "notice", True)]
    office.later(11)
    run = office.apply()
    assert does(run.plan) == [("notice.send", "another/notice")]


def test_the_notice_says_what_is_known_and_what_follows_and_holds_no_name() -> None:
    office = telling_office(200)
    office.apply()
    ((notice, _),) = notifier(office).sent
    assert notice == Notice(
        address=f"stage/{ONE}/dormant/notice/1",
        user=ONE,
        site="acme",
        url="https://acme.atlassian.net",
        policy="dormant",
        stage="notice",
        episode=1,
        why="Seats are for those who use them.",
        owner="iam@acme.com",
        template="inactivity-notice",
        as_of=office.clock.now().date(),
        last_seen=notice.last_seen,
        days=199,
        next_stage="release",
        next_does="memberships of groups end",
        next_day=notice.next_day,
    )
    assert notice.last_seen is not None
    assert (notice.as_of - notice.last_seen).days == 200
    assert notice.next_day is not None
    assert (notice.next_day - notice.as_of).days == 14


def test_what_a_run_told_cannot_be_taken_back_and_its_rollback_ends_what_would_follow() -> None:
    office = telling_office(200)
    run = office.apply()
    plan = rollback(office, run.id)
    assert plan.rollback is not None
    assert [(one.action, one.reason) for one in plan.rollback.irreversible] == [("notice.send", "notice-sent")]
    assert plan.changes == ()
    office.apply(plan)
    assert closed(office) == [("0001", 1, "rolled-back")]
    office.later(14)
    assert does(office.apply().plan) == []
    office.later(1)
    run = office.apply()
    assert does(run.plan) == [("notice.send", "dormant/notice")]
    assert told(office) == [("0001", "notice", 1), ("0001", "notice", 2)]


@pytest.mark.case("E69")
@pytest.mark.parametrize("by", ["message id", "account id"])
def test_a_notice_that_came_back_stops_the_clock_until_it_is_sent_again(by: str) -> None:
    office = telling_office(200, 200)
    office.apply()
    office.later(3)
    found = says_undelivered(office, notifier(office).sent[0][1] if by == "message id" else f"{ONE}  # bounced")
    assert [(one.user, one.stage) for one in found.changed] == [(ONE, "notice")]
    assert (found.late, found.unknown) == ((), ())
    assert marks(office) == [("0001", 1, "notice", False), ("0002", 1, "notice", True)]
    assert office.entries()[-1].kind == "undelivered"
    office.later(20)
    run = office.apply()
    assert does(run.plan) == [("membership.remove", "dormant/release")]
    assert run.plan.changes[0].user == TWO
    assert run.plan.dispositions[ONE].reason == "undelivered"
    assert any("came back" in text for text in run.plan.warnings)
    assert says_undelivered(office, ONE).changed == ()
    assert len(says_undelivered(office, ONE, again=True).changed) == 1
    run = office.apply()
    assert does(run.plan) == [("notice.send", "dormant/notice")]
    assert notifier(office).sent[-1][1] == notifier(office).sent[0][1]
    office.later(13)
    assert does(office.plan()) == []
    office.later(1)
    assert does(office.plan()) == [("membership.remove", "dormant/release")]


def test_who_comes_back_or_leaves_the_policy_needs_no_notice_any_more_that_came_back() -> None:
    office = telling_office(200)
    office.apply()
    says_undelivered(office, ONE)
    office.later(3)
    office.site.happens(ONE, seen=seen_at(office.clock.now()))
    assert rows(office.apply().plan) == [("closed", "notice", "returned")]
    assert marks(office) == []


def test_a_notice_that_came_back_does_not_keep_other_policies_away() -> None:
    office = telling_office(200)
    office.apply()
    says_undelivered(office, ONE)
    office.later(1)
    office.under(policies=(WARNED, replace(BOTH, name="harsh", match=WARNED.match, priority=0)))
    assert does(office.plan()) == [("membership.remove", "harsh")]


def test_a_notice_that_comes_back_after_the_next_stage_has_begun_is_too_late() -> None:
    office = telling_office(200)
    office.apply()
    office.later(14)
    office.apply()
    before = office.entries()
    found = says_undelivered(office, f"{ONE}\n\n# nobody:\n712020:nobody\n<{'0' * 32}@acme.com>")
    assert [one.stage for one in found.late] == ["notice"]
    assert (found.changed, found.unknown, found.commit) == ((), (4, 5), "")
    assert office.entries() == before


@pytest.mark.parametrize("line", ["somebody@acme.com", "<abc@acme.com>", "712020:0001 712020:0002"])
def test_what_may_be_an_address_is_refused_and_never_told(line: str) -> None:
    office = telling_office(200)
    office.apply()
    with pytest.raises(CleanupError, match="Line 2") as caught:
        says_undelivered(office, f"{ONE}\n{line}")
    assert "acme.com" not in str(caught.value)
    assert marks(office) == [("0001", 1, "notice", True)]


def test_the_record_of_notices_that_came_back_is_part_of_a_history_that_is_whole(tmp_path: Path) -> None:
    office = telling_office(200)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    office.store = GitStore(tmp_path, "acme")
    office.apply()
    office.later(1)
    assert says_undelivered(office, ONE).commit
    office.later(1)
    assert says_undelivered(office, ONE, again=True).commit
    office.apply()
    history = GitHistory(tmp_path, "acme")
    verdict = verify("acme", history.commits(), history.contents, oddities=history.oddities())
    assert verdict.findings == ()
    assert verdict.kinds["undelivered"] == 2


def test_nothing_is_said_of_notices_while_a_run_is_under_way() -> None:
    office = telling_office(200)
    office.apply()
    office.later(14)
    assert isinstance(office.store, FakeStore)
    office.store.broken["commit"] = [None, StoreError("The push was refused.")]
    with pytest.raises(UnrecordedError):
        office.apply()
    with pytest.raises(LeaseHeldError):
        says_undelivered(office, ONE)


class Killed(FakeNotifier):
    """A process that ends when it is about to send its first notice, or right after."""

    def __init__(self, *, after: bool) -> None:
        super().__init__()
        self._after = after

    def send(self, notice: Notice, person: Person | None) -> Sent:
        if self._after:
            super().send(notice, person)
        raise KilledError


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kept", [False, True])
def test_a_run_that_was_cut_off_while_it_told_somebody_counts_nobody_as_told(*, after: bool, kept: bool) -> None:
    office = telling_office(200, 200)
    office.journals = FakeJournals() if kept else UNKEPT
    office.post = Post(killed := Killed(after=after))
    with pytest.raises(KilledError):
        office.apply()
    assert isinstance(office.store, FakeStore)
    office.later(0.1)
    found = office.recover(open_run(office))
    assert found.failed
    assert marks(office) == []
    memory = memory_of(office.store.read())
    assert memory.settling == ()
    assert sum(one.actions.get("notice.send", 0) for one in memory.applied) == (1 if kept else 2)
    office.post = Post(FakeNotifier())
    office.later(0.1)
    assert results(office.apply()) == [("notice.send", "applied"), ("notice.send", "applied")]
    assert marks(office) == [("0001", 1, "notice", True), ("0002", 1, "notice", True)]
    assert [one for _, one in killed.sent] == [notifier(office).sent[0][1]] * after


def test_what_the_relay_took_before_a_run_was_cut_off_counts() -> None:
    office = telling_office(200)
    journals = FakeJournals()
    office.journals = journals
    assert isinstance(office.store, FakeStore)
    office.store.broken["commit"] = [None, StoreError("The push was refused.")]
    with pytest.raises(UnrecordedError):
        office.apply()
    office.later(0.1)
    assert not office.recover(open_run(office)).failed
    assert marks(office) == [("0001", 1, "notice", True)]
    office.later(0.1)
    assert office.apply().outcomes == ()


def test_who_leaves_and_was_told_is_told_once() -> None:
    office = telling_office(200)
    office.under(policies=(replace(WARNED, match=Match(all=(InactiveFor(90),)), termination=True),))
    for _ in range(20):
        office.apply()
        office.later(1)
    assert told(office) == [("0001", "notice", 1)]
    assert [one.episode for one in memory_of(office.store.read()).closed] == [1]


def test_who_leaves_whose_notice_came_back_is_given_nothing_by_others_meanwhile() -> None:
    office = telling_office(200)
    leaves = replace(WARNED, match=Match(all=(InactiveFor(90),)), termination=True)
    office.under(policies=(leaves, replace(OTHERS, match=Match(all=(InactiveFor(30),)))))
    office.apply()
    says_undelivered(office, ONE)
    office.later(20)
    plan = office.apply().plan
    assert does(plan) == []
    assert plan.dispositions[ONE].reason == "undelivered"


def test_a_standing_approval_covers_notices_after_their_soak_and_up_to_its_daily_maximum() -> None:
    office = telling_office(200, 200)
    office.under(policies=(replace(WARNED, standing=Standing(1)),))
    run = office.apply(standing=APPROVED)
    assert [one.code for one in run.choice.left] == ["soak", "soak"]
    assert told(office) == []
    office.later(1)
    run = office.apply(standing=APPROVED)
    assert results(run) == [("notice.send", "applied")]
    assert [one.code for one in run.choice.left] == ["daily-maximum"]
    office.later(1)
    assert results(office.apply(standing=APPROVED)) == [("notice.send", "applied")]
    assert marks(office) == [("0001", 1, "notice", True), ("0002", 1, "notice", True)]


def test_a_notice_waits_for_its_schedule_and_begins_no_clock_before() -> None:
    office = telling_office(200)
    office.under(policies=(replace(WARNED, schedule=EVENING),))
    run = office.apply()
    assert [one.code for one in run.choice.left] == ["schedule"]
    assert marks(office) == []
    office.under(policies=(WARNED,))
    office.later(20)
    assert does(office.apply().plan) == [("notice.send", "dormant/notice")]


def test_notices_have_a_cap_of_their_own_and_no_other_cap_counts_them() -> None:
    office = telling_office(*[200] * 9)
    few = replace(ROOMY, caps={**ROOMY.caps, "total": Cap(1), "membership.remove": Cap(1)}, per_domain=1)
    office.under(guardrails=few)
    assert results(office.apply()) == [("notice.send", "applied")] * 9
    office = telling_office(*[200] * 9)
    office.under(guardrails=replace(ROOMY, caps={**ROOMY.caps, "notice.send": Cap(8)}))
    with pytest.raises(BrokenGuardsError) as caught:
        office.apply()
    assert caught.value.broken == ("cap:notice.send",)
    assert told(office) == []


def test_what_a_notice_took_stays_told_while_other_rows_of_its_user_are_made_in_the_same_run() -> None:
    office = telling_office(200)
    gives = Policy(
        name="gives",
        owner="iam",
        why="all",
        match=Match(all=(HasSeat(wanted=True),)),
        ensure=Ensure(groups_present=("others",)),
    )
    office.under(policies=(WARNED, gives))
    assert sorted(results(office.apply())) == [("membership.add", "applied"), ("notice.send", "applied")]


@pytest.mark.parametrize("kept", ["notice", "release"])
def test_nothing_of_a_person_is_in_what_is_recorded(kept: str) -> None:
    office = telling_office(200)
    office.apply()
    if kept == "release":
        office.later(14)
        office.apply()
    assert isinstance(office.store, FakeStore)
    everything = b"".join(office.store.repository.files.values())
    assert b"Person 1" not in everything
    assert b"p1@acme.com" not in everything

"""People who begin by a roster: invited once, found again by what their address became, and named nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import verify
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.model.change import UserInvite
from cleanup_gitops.model.errors import LostAnswerError, RefusedError
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval, Invitation, Invited
from cleanup_gitops.model.standing import Approvals
from cleanup_gitops.model.user import Lifecycle
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies, Standing
from cleanup_gitops.policy.groups import GroupEntry, Groups
from cleanup_gitops.policy.guests import with_guests
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.match import Scope
from cleanup_gitops.policy.roster import Joiners, Leavers, Roster, Source
from cleanup_gitops.policy.roster_rows import RosterRows, roster_rows
from cleanup_gitops.policy.tree import Begins, HasLeft, Match
from cleanup_gitops.runner import Desk, Run, Stop, execute, read_with_answers
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.journal import Line
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.views.plan import render_markdown, render_text
from cleanup_gitops.views.run import render_run
from tests.fake_journal import FakeJournals
from tests.fakes import NOON, FakeSite
from tests.runner.office import POLICIES, ROOMY, SEATS, Office, office_site, open_git_office, open_office
from tests.runner.test_lease import KilledError
from tests.runner.test_recover import open_run
from tests.runner.test_rollback import rollback

KEY = b"a key that nobody can guess, of 32 and more"
ADA, BO = "712020:0001", "712020:0002"
PEOPLE = People({ADA: Person("Ada Example", "ada@acme.com"), BO: Person("Bo Example", "Bo@ACME.com")}, KEY)
SOURCE = Source(columns={"account": "id", "email": "mail", "starts": "from", "ends": "to"}, time_zone="UTC", env="HR")
WHERE = "policies/hr.yaml:9"
TODAY = NOON.date()
NEW = "new.one@acme.com"
PSEUDONYM = f"invite/hr/{PEOPLE.pseudonym(NEW)}"


def roster(*groups: str, name: str = "hr", standing: Standing | None = None) -> Roster:
    given = groups or ("confluence-users-acme",)
    policy = Policy(
        name=name,
        owner="hr-ops@acme.com",
        why="w",
        match=Match(all=(Begins(name),)),
        ensure=Ensure(groups_present=given, where_groups=WHERE),
        standing=standing,
        where=WHERE,
        digest="sha256:00",
    )
    joiners = Joiners(given, "user", where=WHERE)
    return Roster(name=name, owner="hr-ops@acme.com", source=SOURCE, joiners=joiners, joining=policy, standing=standing)


def rows(*lines: str) -> RosterRows:
    return roster_rows(SOURCE, "\n".join(("id,mail,from,to", *lines)).encode())


def policies(*rosters: Roster) -> SitePolicies:
    joining = tuple(one.joining for one in rosters if one.joining)
    return replace(POLICIES, policies=joining, rosters=rosters, guardrails=ROOMY)


@dataclass
class Registry(Office):
    """An office whose policies are rosters."""

    lists: Lists = field(default_factory=Lists)

    def plan(self, adopt: frozenset[str] = frozenset()) -> Plan:
        now = self.clock.now()
        files = self.store.read()
        memory = memory_of(files)
        reader = remembering(self.site, files)
        live, _ = read_with_answers(reader, self.policies, now, self.lists, memory=memory)
        return make_plan(
            live.inventory, self.policies, memory,
            created=now, as_of=now, tool_version=self.version, people=live.people, lists=self.lists, adopt=adopt,
        )  # fmt: skip

    def apply(self, saved: Plan | None = None, stop: Stop | None = None, standing: Approvals | None = None) -> Run:  # type: ignore[override]
        hands = Hands(self.site, self.site, self.clock, self.progress, self.workers)
        desk = Desk(
            self.policies, hands, self.store, self.version, frozenset({"acme.com"}),
            process="process 1", journals=self.journals, lists=self.lists,
        )  # fmt: skip
        return execute(desk, saved=saved, stop=stop or Stop(), standing=standing)

    def everything(self, run: Run) -> bytes:
        """All bytes that are recorded."""
        return b"".join((self.store.read() | self.store.run_files(run.id)).values())


def registry(*lines: str, users: tuple[int, ...] = (0, 0), rosters: tuple[Roster, ...] = ()) -> Registry:
    """A site with Ada and Bo, and a roster with these rows."""
    asked = rosters or (roster(),)
    site = FakeSite(office_site(*users), PEOPLE)
    lists = Lists({}, {one.name: rows(*lines) for one in asked})
    office = open_office()
    return Registry(site, office.store, policies=policies(*asked), lists=lists)


def shown(office: Registry, account: str, email: str) -> None:
    """From now on the site shows the address of an account."""
    office.site.people_become(People({**PEOPLE_BY_ID, account: Person("New One", email)}, KEY))


PEOPLE_BY_ID = {ADA: Person("Ada Example", "ada@acme.com"), BO: Person("Bo Example", "Bo@ACME.com")}


def reasons(plan: Plan) -> list[tuple[str, str]]:
    return [(one.user, one.reason) for one in plan.handoffs]


# -- people who begin by one roster and have left by another ----------------------------------------


def beside_leavers(left: str, *lines: str) -> Registry:
    """The roster ``hr`` says who begins, ``gone`` who has left: one line of an address and a last day."""
    office = registry(*lines)
    own = roster()
    ensure, sla = Ensure(status="deactivated"), timedelta(hours=24)
    policy = Policy(
        name="gone", owner="hr", why="left", match=Match(all=(HasLeft("gone", sla),)), ensure=ensure, termination=True
    )
    other = Roster(name="gone", owner="hr", source=SOURCE, leavers=Leavers(ensure, sla), policy=policy)
    asked = policies(own, other)
    office.policies = replace(asked, policies=(*asked.policies, policy))
    office.lists = Lists({}, {"hr": rows(*lines), "gone": rows(left)})
    office.site.happens(ADA, lifecycle=Lifecycle("", ""), groups=("g-others",), seats=(), license="none")
    return office


def test_nobody_is_told_to_open_the_account_of_somebody_who_left_by_another_roster() -> None:
    office = beside_leavers(",ada@acme.com,,2026-11-20", ",ada@acme.com,2026-11-15,")
    assert [one.action for one in office.apply().plan.changes] == ["user.deactivate"]
    plan = office.plan()
    assert (plan.changes, reasons(plan)) == ((), [])
    again = beside_leavers(",ada@acme.com,,2026-11-10", ",ada@acme.com,2026-11-15,")
    again.apply()
    assert reasons(again.plan()) == [(ADA, "joiner-closed")]  # began anew after the last day: people have to look


def test_a_group_that_others_took_again_waits_and_whoever_leaves_meanwhile_does_not() -> None:
    office = registry(",ada@acme.com,2026-11-15,", rosters=(roster("others"),))
    ensure, sla = Ensure(status="deactivated"), timedelta(hours=24)
    match = Match(all=(HasLeft("hr", sla),))
    policy = Policy(name="hr", owner="hr", why="left", match=match, ensure=ensure, termination=True)
    both = replace(roster("others"), leavers=Leavers(ensure, sla), policy=policy)
    office.policies = replace(office.policies, policies=(policy,), rosters=(both,))
    office.site.happens(ADA, lifecycle=Lifecycle("", ""))
    assert [one.action for one in office.apply().plan.changes] == ["membership.add"]
    office.site.happens(ADA, groups=(SEATS,))
    for _ in range(2):
        office.later(1)
        plan = office.apply().plan
        assert plan.changes == ()
        assert [(one.change.action, one.reason) for one in plan.pending] == [("membership.add", "hold")]
    office.lists = Lists({}, {"hr": rows(",ada@acme.com,2026-11-15,2026-11-22")})
    assert [one.action for one in office.apply().plan.changes] == ["user.deactivate"]


def test_nobody_is_invited_who_left_by_another_roster_on_the_first_day_or_later() -> None:
    office = beside_leavers(f",{NEW},,2026-11-20", f",{NEW},2026-11-15,")
    assert reasons(office.plan()) == [(PSEUDONYM, "joiner-has-left")]
    assert office.plan().changes == ()
    before = beside_leavers(f",{NEW},,2026-11-10", f",{NEW},2026-11-15,")
    assert [one.action for one in before.plan().changes] == ["user.invite"]


# -- who is invited --------------------------------------------------------------------------------


def test_who_begins_and_has_no_account_is_invited_under_a_pseudonym() -> None:
    office = registry(f",{NEW},{TODAY},")
    (change,) = office.plan().changes
    assert isinstance(change, UserInvite)
    assert (change.address, change.user, change.directory) == (PSEUDONYM, PSEUDONYM, "default")
    assert (change.role, change.groups, change.label) == ("user", (SEATS,), "confluence-users-acme")
    assert [(cause.policy, cause.where) for cause in change.causes] == [("hr", WHERE)]
    run = office.apply()
    (outcome,) = run.outcomes
    assert (outcome.result, outcome.user, outcome.account) == ("applied", PSEUDONYM, "712020:invited-0")
    assert outcome.verified
    new = office.site.user(outcome.account)
    assert new is not None
    assert (new.groups, new.license, new.accepted) == ((SEATS,), "seat", False)


def test_nobody_is_named_in_plan_state_journal_or_ledger() -> None:
    office = registry(f",{NEW},{TODAY},", f",bo@acme.com,{TODAY},")
    office.journals = FakeJournals()
    plan = office.plan()
    assert b"new.one" not in plan_bytes(plan)
    assert read_plan(plan_bytes(plan)).changes == plan.changes
    run = office.apply(plan)
    recorded = office.everything(run)
    assert b"new.one" not in recorded
    assert b"bo@acme" not in recorded.lower()
    assert PSEUDONYM.encode() in recorded
    assert "new.one" not in repr(office.lists)


def test_views_of_live_data_say_who_it_is() -> None:
    office = registry(f",{NEW},{TODAY},")
    plan = office.plan()
    people = with_guests(PEOPLE, office.policies, office.lists)
    for render in (render_text, render_markdown):
        text = render(plan, people)
        assert NEW.partition("@")[0] in text
        assert "1 to add, 0 to change, 0 to remove" in text
        assert "invited" in text
    assert "new.one" not in render_text(plan, PEOPLE)
    run = office.apply(plan)
    text = render_run(run.plan, run.outcomes, run.approval, run.commit, people, place="main")
    assert "1 added" in text


@pytest.mark.parametrize(
    ("line", "invited"),
    [
        (",new.one@acme.com,2026-11-22,", True),
        (",new.one@acme.com,2026-11-23,", False),  # begins tomorrow
        (",new.one@acme.com,2026-10-24,", True),
        (",new.one@acme.com,2026-10-22,", False),  # for more than 30 days
        (",new.one@acme.com,,", False),  # was always there
        (",new.one@acme.com,2026-11-20,2026-11-21", False),  # has left again
        (",new.one@acme.com,2026-11-20,2026-11-22", True),  # the last day is not over
        ("712020:9,new.one@acme.com,2026-11-20,", False),  # the row says which account, and it is not there
    ],
)
def test_when_somebody_begins(line: str, invited: bool) -> None:
    assert bool(registry(line).plan().changes) == invited


def test_the_first_day_begins_by_the_clocks_of_the_roster() -> None:
    office = registry(f",{NEW},2026-11-23,")
    office.clock = type(office.clock)(datetime(2026, 11, 22, 22, 59, tzinfo=UTC))
    oslo = replace(office.lists.rosters["hr"], time_zone="Europe/Oslo")
    office.lists = Lists({}, {"hr": oslo})
    assert not office.plan().changes
    office.clock.sleep(60)
    assert office.plan().changes


@pytest.mark.case("E32")
def test_an_address_in_other_letters_is_the_same_person() -> None:
    office = registry(f",BO@acme.COM,{TODAY},", f",ada@acme.com,{TODAY},")
    plan = office.plan()
    assert not plan.changes
    assert not plan.handoffs


def test_who_has_an_account_is_put_into_the_groups() -> None:
    office = registry(f",ada@acme.com,{TODAY},", rosters=(roster("others"),))
    run = office.apply()
    assert [(one.action, one.user, one.result) for one in run.outcomes] == [("membership.add", ADA, "applied")]


def test_two_rows_and_two_rosters_invite_once() -> None:
    both = (roster(name="hr"), roster("others", name="people"))
    office = registry(f",{NEW},{TODAY},", f",New.One@acme.com,{TODAY},", rosters=both)
    run = office.apply()
    assert [one.address for one in run.outcomes] == [PSEUDONYM]
    shown(office, "712020:invited-0", NEW)
    again = office.apply()
    assert [(one.action, one.user) for one in again.outcomes] == [("membership.add", "712020:invited-0")]
    assert not office.plan().changes


# -- who is not ------------------------------------------------------------------------------------


@pytest.mark.case("E46")
@pytest.mark.parametrize("status", ["suspended", "deactivated", "deleting", "unknown"])
def test_a_closed_account_is_not_opened_for_an_address(status: str) -> None:
    office = registry(f",ada@acme.com,{TODAY},")
    office.site.happens(ADA, status=status)
    plan = office.plan()
    assert not plan.changes
    assert reasons(plan) == [(ADA, "joiner-closed")]
    assert plan.dispositions[ADA].state == "handed_off"
    assert "an address alone does not prove" in render_text(plan, PEOPLE)


@pytest.mark.case("E15")
def test_an_open_invitation_is_pending() -> None:
    office = registry(f",ada@acme.com,{TODAY},")
    office.site.happens(ADA, accepted=False)
    plan = office.plan()
    assert not plan.changes
    assert not plan.handoffs
    one = plan.dispositions[ADA]
    assert (one.state, one.reason, one.policies) == ("pending", "invited", ("hr",))
    assert "1 pending" in render_text(plan, PEOPLE)


@pytest.mark.case("E46")
def test_an_address_of_several_accounts_is_nobodys() -> None:
    office = registry(f",ada@acme.com,{TODAY},", rosters=(roster("others"),))
    office.site.people_become(People({one: Person("A", "ada@acme.com") for one in (ADA, BO)}, KEY))
    plan = office.plan()
    assert not plan.changes
    assert reasons(plan) == [(ADA, "joiner-unclear"), (BO, "joiner-unclear")]


def test_an_id_says_who_is_meant_whatever_the_address() -> None:
    office = registry(f"{BO},ada@acme.com,{TODAY},", rosters=(roster("others"),))
    assert [(one.action, one.user) for one in office.plan().changes] == [("membership.add", BO)]
    office = registry(f"712020:9,{NEW},{TODAY},")
    assert reasons(office.plan()) == [("712020:9", "joiner-account-gone")]


@pytest.mark.case("E34")
@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"modifiable": False}, "group-managed-elsewhere"),
        ({"modifiable": None}, "group-modifiable-unknown"),
        ({"admin": True}, "administrator-group"),
        ({"admin": None}, "administrator-group"),
    ],
)
def test_a_group_that_cannot_be_given_here_is_handed_off(facts: dict[str, bool | None], reason: str) -> None:
    office = registry(f",{NEW},{TODAY},")
    office.site.group_becomes(SEATS, **facts)
    plan = office.plan()
    assert not plan.changes
    (handoff,) = plan.handoffs
    assert (handoff.user, handoff.reason, handoff.label) == (PSEUDONYM, reason, "confluence-users-acme")


def test_a_group_whose_members_are_declared_is_not_joined_by_invitation() -> None:
    office = registry(f",{NEW},{TODAY},")
    entry = GroupEntry(name="confluence-users-acme", accounts=(ADA,), exactly=True, where="policies/groups.yaml:5")
    office.under(groups=(Groups(name="access", owner="iam@acme.com", entries=(entry,)),))
    plan = office.plan()
    assert not plan.changes
    assert reasons(plan) == [(PSEUDONYM, "group-declared")]


def test_a_group_that_is_not_there_blocks_the_roster() -> None:
    office = registry(f",{NEW},{TODAY},", rosters=(roster("confluence-usr"),))
    plan = office.plan()
    assert not plan.changes
    assert plan.blocked == ("hr (policies/hr.yaml:9): no group matches confluence-usr",)


def test_seats_are_counted_before_they_are_given() -> None:
    office = registry(f",{NEW},{TODAY},", f",new.two@acme.com,{TODAY},")
    office.site.sells(4)
    plan = office.plan()
    assert (plan.seats.before, plan.seats.after) == (3, 5)
    assert [check.name for check in plan.checks if not check.passed] == ["seats"]
    office.site.sells(3)
    plan = office.plan()
    assert {one.reason for one in plan.handoffs} == {"no-seat-left"}
    assert plan.applyable


def test_without_addresses_nobody_is_known_to_have_no_account() -> None:
    office = registry(f",{NEW},{TODAY},")
    office.site.people_become(People({ADA: Person("Ada Example")}, KEY))
    plan = office.plan()
    assert not plan.changes
    assert reasons(plan) == [(PSEUDONYM, "joiner-addresses-hidden")]
    office.site.people_become(People(PEOPLE_BY_ID))  # as in a snapshot: no key, and nobody is invited
    assert not office.plan().changes


def test_more_invitations_than_their_cap_allows_make_the_plan_unsafe() -> None:
    office = registry(*(f",new.{n}@acme.com,{TODAY}," for n in range(3)))
    caps = {**ROOMY.caps, "user.invite": replace(ROOMY.caps["user.invite"], max=2)}
    office.under(guardrails=replace(ROOMY, caps=caps))
    broken = [check for check in office.plan().checks if not check.passed]
    assert [check.name for check in broken] == ["cap:user.invite"]
    assert not office.plan().applyable


# -- what becomes of it ----------------------------------------------------------------------------


class Quick(FakeSite):
    """A site on which somebody invites the same person between the plan and the look before the write."""

    def __init__(self, **facts: object) -> None:
        super().__init__(office_site(0, 0), PEOPLE)
        self.facts = facts

    def find(self, email: str) -> tuple[str, ...]:
        if not self.writes:
            group = SEATS if self.facts.get("groups") is None else "g-others"
            invited = super().invite(Invitation(email, role=None, groups=(group,)))
            if status := self.facts.get("status"):
                self.happens(invited.account, status=status)
        return super().find(email)


@pytest.mark.parametrize(
    ("facts", "result", "detail"),
    [
        ({}, "already", ""),
        ({"groups": "others"}, "superseded", "which is not in all of the groups"),
        ({"status": "suspended"}, "superseded", "an invitation would open it again"),
    ],
)
def test_somebody_who_has_an_account_by_now_is_not_invited(facts: dict[str, object], result: str, detail: str) -> None:
    office = registry(f",{NEW},{TODAY},")
    office.site = Quick(**facts)
    (outcome,) = office.apply().outcomes
    assert outcome.result == result
    assert detail in outcome.detail
    assert office.site.writes == 1


def test_a_group_that_is_locked_meanwhile_is_not_tried() -> None:
    office = registry(f",{NEW},{TODAY},")

    class Locked(FakeSite):
        def group_modifiable(self, group: str) -> bool | None:
            del group
            return None

    office.site = Locked(office_site(0, 0), PEOPLE)
    (outcome,) = office.apply().outcomes
    assert (outcome.result, outcome.detail) == ("superseded", "the group can no longer be changed here")
    assert not office.site.writes


@pytest.mark.case("E61", "F17")
def test_an_answer_that_is_lost_is_looked_for_and_never_sent_again() -> None:
    office = registry(f",{NEW},{TODAY},")
    office.site.lost = LostAnswerError("no answer")
    (outcome,) = office.apply().outcomes
    assert (outcome.result, outcome.account) == ("applied", "712020:invited-0")
    assert office.site.writes == 1
    shown(office, "712020:invited-0", NEW)
    assert not office.plan().changes


def test_an_invitation_that_does_not_show_is_awaited_and_then_sent_anew() -> None:
    office = registry(f",{NEW},{TODAY},")
    office.site.late = True
    office.site.lost = LostAnswerError("no answer")
    (outcome,) = office.apply().outcomes
    assert (outcome.result, outcome.account) == ("settling", "")
    again = office.apply()
    assert not again.outcomes
    assert [left.code for left in again.choice.left] == ["settling"]
    assert office.site.writes == 1
    office.site._waiting.clear()
    office.later(0.01)
    office.site.late = False
    (change,) = office.plan().changes
    assert "not effective" in change.note
    (outcome,) = office.apply().outcomes
    assert outcome.result == "applied"


def test_an_invited_account_that_appears_late_is_no_drift() -> None:
    office = registry(f",{NEW},{TODAY},")
    office.site.late = True
    first = office.apply()
    (outcome,) = first.outcomes
    assert (outcome.result, outcome.account) == ("settling", "712020:invited-0")
    office.site.settle()
    second = office.apply()
    assert second.found is None
    assert [(one.user, one.what, one.run) for one in second.meanwhile] == []
    assert [entry.kind for entry in office.entries()] == ["run", "run"]
    assert memory_of(office.store.read()).settling == ()


def test_a_lost_invitation_is_linked_by_the_address_that_the_site_shows() -> None:
    office = registry(f",{NEW},{TODAY},")
    office.site.late = True
    office.site.lost = LostAnswerError("no answer")
    assert office.apply().outcomes[0].account == ""
    office.site.settle()
    shown(office, "712020:invited-0", NEW)
    second = office.apply()
    assert second.found is None
    assert not second.outcomes


def test_a_refusal_is_about_one_person() -> None:
    office = registry(f",{NEW},{TODAY},", f",new.two@acme.com,{TODAY},")
    office.site.broken["invite"] = [RefusedError("The site refused to invite the person (402).")]
    assert sorted(one.result for one in office.apply().outcomes) == ["applied", "failed"]


def test_what_was_refused_in_part_is_said_and_tried_as_a_membership() -> None:
    office = registry(f",{NEW},{TODAY},", rosters=(roster("confluence-users-acme", "others"),))

    class Partly(FakeSite):
        def invite(self, invitation: Invitation) -> Invited:
            self.group_becomes("g-others", modifiable=False)
            invited = super().invite(invitation)
            self.group_becomes("g-others", modifiable=True)
            return invited

    office.site = Partly(office_site(0, 0), PEOPLE)
    (outcome,) = office.apply().outcomes
    assert outcome.result == "settling"
    assert "not done: group g-others: refused" in outcome.detail
    shown(office, "712020:invited-0", NEW)
    assert [(one.action, one.user) for one in office.plan().changes] == [("membership.add", "712020:invited-0")]


def test_an_account_that_hides_its_address_is_not_invited_again() -> None:
    office = registry(f",{NEW},{TODAY},")
    office.apply()
    plan = office.plan()
    assert not plan.changes
    assert plan.dispositions["712020:invited-0"].reason == "invited"
    (line,) = memory_of(office.store.read()).done
    assert (line.address, line.user) == (PSEUDONYM, "712020:invited-0")


def test_whom_others_removed_is_not_invited_a_second_time() -> None:
    office = registry(f",{NEW},{TODAY},")
    office.apply()
    office.site.leaves("712020:invited-0")
    plan = office.plan()
    assert not plan.changes
    assert reasons(plan) == [(PSEUDONYM, "joiner-invited-before")]


@pytest.mark.case("E58")
@pytest.mark.parametrize("kept", [True, False])
def test_a_run_that_was_cut_off_is_ended_by_what_the_site_shows(kept: bool) -> None:
    office = registry(f",{NEW},{TODAY},")

    def kill(line: Line, done: bool) -> None:
        if line.event == "answered" and not done:
            raise KilledError

    office.journals = journals = FakeJournals(seen=kill)
    with pytest.raises(KilledError):
        office.apply()
    journals.seen = None
    if not kept:
        office.journals = FakeJournals()
    shown(office, "712020:invited-0", NEW)
    recovered = office.recover(open_run(office))
    (outcome,) = recovered.outcomes
    assert (outcome.result, outcome.account) == ("applied", "712020:invited-0")
    assert not recovered.meanwhile
    assert not office.plan().changes


def test_a_rollback_says_that_an_invitation_cannot_be_taken_back() -> None:
    office = registry(f",{NEW},{TODAY},")
    run = office.apply()
    plan = rollback(office, run)
    assert plan.rollback is not None
    assert [(one.action, one.reason) for one in plan.rollback.irreversible] == [("user.invite", "invitation-sent")]
    assert "no way to take an invitation back" in render_text(plan, PEOPLE)


def test_a_standing_approval_covers_invitations() -> None:
    office = registry(f",{NEW},{TODAY},", rosters=(roster(standing=Standing(1, NOON - NOON)),))
    approval = Approval(kind="standing", by="SHA256:x", at=NOON, ref="approve/00")
    (outcome,) = office.apply(standing={"hr": approval}).outcomes
    assert outcome.result == "applied"


@pytest.mark.parametrize("address", ["invite/hr/new.one@acme.com", "user/712020:0001", f"{PSEUDONYM}0"])
def test_a_plan_file_with_more_than_a_pseudonym_is_refused(address: str) -> None:
    plan = registry(f",{NEW},{TODAY},").plan()
    change = msgspec.structs.replace(plan.changes[0], address=address, user=address)
    data = plan_bytes(msgspec.structs.replace(plan, changes=(change,)))
    with pytest.raises(Exception, match="altered"):
        read_plan(data)


# -- the record and the laws -----------------------------------------------------------------------


def test_the_history_of_invitations_can_be_checked(tmp_path: Path) -> None:
    site = FakeSite(office_site(0, 0), PEOPLE)
    lists = Lists({}, {"hr": rows(f",{NEW},{TODAY},", f",new.two@acme.com,{TODAY},")})
    office = Registry(site, open_git_office(tmp_path).store, policies=policies(roster()), lists=lists)
    office.apply(office.plan())
    site.happens("712020:invited-0", accepted=True)
    office.apply()
    history = GitHistory(tmp_path, "acme")
    verdict = verify("acme", history.commits(), history.contents, oddities=history.oddities())
    assert verdict.findings == ()
    assert [entry.kind for entry in office.entries()] == ["run", "run"]


LINES = st.builds(
    lambda who, first, last: f"{who},{first},{last}",
    st.sampled_from(
        [",ada@acme.com", ",bo@acme.com", ",new.one@acme.com", ",New.One@ACME.com", ",new.two@acme.com",
         "712020:0001,x@acme.com", "712020:9,y@acme.com"]
    ),
    st.sampled_from(["", "2026-10-01", "2026-11-20", "2026-11-22", "2026-11-23"]),
    st.sampled_from(["", "2026-11-23", "2027-01-01"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=8), st.sampled_from(["active", "suspended", "unknown"]), st.booleans())
def test_everybody_who_begins_is_counted_once(lines: list[str], status: str, shared: bool) -> None:
    """Every user has one disposition, no invitation is about a user, and each beginner is in one place."""
    office = registry(*lines)
    office.site.happens(ADA, status=status)
    if shared:
        office.site.people_become(People({one: Person("A", "ada@acme.com") for one in (ADA, BO)}, KEY))
    plan = office.plan()
    site = office.site.read().inventory
    assert plan.dispositions.keys() == site.user_by_id.keys()
    assert plan.summary.users == len(site.users)
    invited = [one for one in plan.changes if isinstance(one, UserInvite)]
    assert plan.summary.actions.get("user.invite", 0) == len(invited)
    assert not {one.user for one in invited} & site.user_by_id.keys()
    scope = Scope(office.clock.now(), site, office.site.read().people, office.lists)
    begun = scope.beginning("hr")
    assert begun is not None
    strangers = {one.email for one in begun.people if not one.accounts and not one.named}
    assert len(invited) == len({one.user for one in invited}) == len(strangers)
    for one in begun.people:
        for account in one.accounts:
            told = plan.dispositions[account]
            assert "hr" in told.policies
            assert (told.state == "changed") == (account in {row.user for row in plan.changes})
    theirs = [account for one in begun.people for account in one.accounts]
    closed = {account for account in theirs if site.user_by_id[account].status != "active"}
    assert not closed & {one.user for one in plan.changes}
    assert read_plan(plan_bytes(plan)).changes == plan.changes

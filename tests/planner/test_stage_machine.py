"""Days on which anything may happen to people in the stages of a policy, in any order, and what always holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cleanup_gitops.ledger.undelivered import place_of, with_returned
from cleanup_gitops.model.activity import Seen, Unknown, seen_at
from cleanup_gitops.model.change import NoticeSend
from cleanup_gitops.model.memory import Closed, Mark
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.user import GroupSeat, Status
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, SitePolicies, Stage
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, Match
from tests.fakes import NOON
from tests.planner.staged import Days
from tests.runner.office import ROOMY, SEATS, office_site

AFTER = 14
STAGED = Policy(
    name="dormant",
    owner="iam@acme.com",
    why="seats",
    match=Match(all=(HasSeat(wanted=True), InactiveFor(90))),
    stages=(
        Stage(name="release", ensure=Ensure(no_access=True)),
        Stage(name="suspend", ensure=Ensure(status="suspended"), after=AFTER),
    ),
)
TELLING = replace(
    STAGED,
    stages=(Stage(name="notice", notify="inactivity-notice"), replace(STAGED.stages[0], after=AFTER), STAGED.stages[1]),
)
PEOPLE = ("712020:0001", "712020:0002", "712020:0003")
WHO = st.sampled_from(PEOPLE)


class Stages(RuleBasedStateMachine):
    """One policy with two stages, three people, and a site that others change too."""

    policy = STAGED

    def __init__(self) -> None:
        super().__init__()
        site = office_site(200, 120, 30)
        users = tuple(msgspec.structs.replace(user, direct=()) for user in site.users)
        site = msgspec.structs.replace(site, users=users)
        self.days = Days(site, SitePolicies(site="acme", policies=(self.policy,), guardrails=ROOMY))
        self.at = NOON
        self.entered: dict[tuple[str, int, str], Mark] = {}
        self.numbers: dict[str, int] = {}

    @rule(days=st.sampled_from([1, 13, 14, 15]), apply=st.sampled_from([True, True, True, False]))
    def a_run_some_days_later(self, days: int, apply: bool) -> None:
        self.at += timedelta(days=days)
        self.a_run(apply=apply)

    @rule(apply=st.booleans())
    def a_run(self, apply: bool) -> None:
        before = self.days.memory
        plan = self.days.run(self.at, apply=apply)
        self.only_what_is_due(plan, {(one.user, one.stage): one for one in before.marks})

    def only_what_is_due(self, plan: Plan, marks: dict[tuple[str, str], Mark]) -> None:
        for change in plan.changes:
            (cause,) = change.causes
            user = self.days.inventory.user_by_id[change.user]
            assert not isinstance(user.seen, Unknown) or marks
            self.stage_before_is_done(change.user, cause.stage, marks)
        for row in plan.lifecycle:
            if row.what in ("entered", "due"):
                self.stage_before_is_done(row.user, row.stage, marks)

    def stage_before_is_done(self, user: str, stage: str, marks: dict[tuple[str, str], Mark]) -> None:
        names = [one.name for one in self.policy.stages]
        if number := names.index(stage):
            done = marks[user, names[number - 1]].done
            assert done is not None
            assert (self.at.date() - done.date()).days >= AFTER

    @rule(who=WHO)
    def comes_back(self, who: str) -> None:
        self.days.becomes(msgspec.structs.replace(self.days.user(who), seen=seen_at(self.at)))

    @precondition(lambda self: any(one.done for one in self.days.memory.marks))
    @rule(which=st.integers(0, 9))
    def gets_the_seat_back(self, which: int) -> None:
        waiting = [one.user for one in self.days.memory.marks if one.done]
        user = self.days.user(waiting[which % len(waiting)])
        facts = {"groups": (SEATS,), "seats": (GroupSeat((SEATS,)),), "license": "seat"}
        self.days.becomes(msgspec.structs.replace(user, **facts))

    @rule(who=WHO, status=st.sampled_from(["active", "suspended", "deactivated"]))
    def gets_another_status(self, who: str, status: Status) -> None:
        self.days.becomes(msgspec.structs.replace(self.days.user(who), status=status))

    @rule(who=WHO)
    def is_not_told_of_for_a_moment(self, who: str) -> None:
        """A reading without a fact: nothing enters and nothing ends in it, and the next one goes on."""
        told = self.days.user(who)
        usual = {(one.address, one.what) for one in self.days.plan(self.at).lifecycle}
        for facts in ({"seen": Unknown("not read")}, {"license": "unknown", "seats": None}, {"admin": None}):
            self.days.becomes(msgspec.structs.replace(told, **facts))
            plan = self.days.plan(self.at)
            assert {(one.address, one.what) for one in plan.lifecycle} <= usual
            assert "admin" not in facts or all(change.user != who for change in plan.changes)
        self.days.becomes(told)

    @rule(who=WHO, days=st.integers(1, 5))
    def is_exempt_for_a_while(self, who: str, days: int) -> None:
        entry = Exemption(
            account=who, reason="absence", owner="hr", until=self.at.date() + timedelta(days=days), ticket="1",
            document="leave",
        )  # fmt: skip
        others = tuple(one for one in self.days.policies.exemptions if one.account != who)
        self.days.policies = SitePolicies(
            site="acme", policies=(self.policy,), guardrails=ROOMY, exemptions=(*others, entry)
        )

    @invariant()
    def what_was_entered_first_stays(self) -> None:
        for mark in self.days.memory.marks:
            key = (mark.user, mark.episode, mark.stage)
            first = self.entered.setdefault(key, mark)
            assert mark.entered == first.entered
            assert first.done is None or mark.done == first.done
            self.entered[key] = mark

    @invariant()
    def there_is_one_episode_and_its_number_only_grows(self) -> None:
        memory = self.days.memory
        numbers: dict[str, set[int]] = {}
        lines: tuple[Mark | Closed, ...] = (*memory.marks, *memory.closed)
        for line in lines:
            numbers.setdefault(line.user, set()).add(line.episode)
        for user, own in numbers.items():
            assert len(own) == 1
            assert not ({one.user for one in memory.marks} & {one.user for one in memory.closed})
            assert max(own) >= self.numbers.get(user, 0)
            self.numbers[user] = max(own)

    @invariant()
    def a_plan_never_acts_on_who_was_seen_lately_or_is_exempt(self) -> None:
        exempt = {one.account for one in self.days.policies.exemptions if one.until >= self.at.date()}
        for change in self.days.plan(self.at).changes:
            user = self.days.user(change.user)
            assert change.user not in exempt
            assert not isinstance(user.seen, Seen) or (self.at.date() - user.seen.latest.date()).days > 90


class Notices(Stages):
    """The same after a notice, which may come back, and be sent again."""

    policy = TELLING

    def __init__(self) -> None:
        super().__init__()
        self.told: set[str] = set()

    @precondition(lambda self: self.open_notices())
    @rule(which=st.integers(0, 9), again=st.booleans())
    def a_notice_comes_back(self, which: int, again: bool) -> None:
        waiting = self.open_notices()
        mark = waiting[which % len(waiting)]
        self.days.lines = with_returned(self.days.lines, {place_of(mark)}, self.at, again=again)
        del self.entered[mark.user, mark.episode, mark.stage]
        if again:
            self.told.discard(f"stage/{mark.user}/dormant/notice/{mark.episode}")
        assert all(one.user != mark.user for one in self.days.plan(self.at).changes) or again

    def open_notices(self) -> list[Mark]:
        """The notices after which no other stage has begun."""
        marks = self.days.memory.marks
        later = {one.user for one in marks if one.stage != "notice"}
        return [one for one in marks if one.stage == "notice" and one.user not in later]

    def a_run(self, apply: bool) -> None:
        before = {one.address for one in self.days.plan(self.at).changes if isinstance(one, NoticeSend)}
        super().a_run(apply)
        if apply:
            assert self.told.isdisjoint(before)
            self.told |= before


Stages.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
Notices.TestCase.settings = Stages.TestCase.settings
TestStages = Stages.TestCase
TestNotices = pytest.mark.slow(Notices.TestCase)

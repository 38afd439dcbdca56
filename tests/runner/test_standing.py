"""What a run may do under standing approvals: never before the soak is over, never more than a day's maximum."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.pending import with_daily
from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.change import Change, MembershipRemove, RoleRevoke, UserDelete, change_digest
from cleanup_gitops.model.errors import RefusedError, StoreError
from cleanup_gitops.model.group import Grant
from cleanup_gitops.model.memory import Daily, Memory, Waiting
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Approval, Outcome, OutcomeRecord, Result
from cleanup_gitops.model.standing import Approvals, Missing, approval_of, joint
from cleanup_gitops.model.user import GroupSeat
from cleanup_gitops.policy.documents import Ensure, Policy, Standing
from cleanup_gitops.policy.guardrails import Cap
from cleanup_gitops.policy.tree import InGroup, Match
from cleanup_gitops.runner.desk import BrokenGuardsError, Stop, UnrecordedError
from cleanup_gitops.runner.standing import choose_standing, dated, with_notes
from tests.fakes import NOON
from tests.runner.office import DORMANT, OTHERS, RUNNER, SEATS, Office, open_git_office, open_office, person

DAY = timedelta(days=1).total_seconds()
SOAKED = replace(DORMANT, standing=Standing(2))
KEY = Approval(kind="standing", by="SHA256:ben", at=NOON - timedelta(days=1), ref="approve/1")
APPROVED: Approvals = {"dormant": KEY}


def office_of(*idle: int, policy: Policy = SOAKED) -> Office:
    """An office with one policy that was approved as a whole."""
    office = open_office(*idle)
    office.under(policies=(policy,))
    return office


def codes(office: Office, approvals: Approvals = APPROVED) -> dict[str, str]:
    """What a run under standing approvals does with each user: a result, or why it waits."""
    run = office.apply(standing=approvals)
    return {one.user: one.result for one in run.outcomes} | {one.change.user: one.code for one in run.choice.left}


def waiting(office: Office) -> dict[str, datetime]:
    """Since when which changes wait."""
    return {one.change: one.since for one in memory_of(office.store.read()).waiting}


FIRST, SECOND, THIRD = "712020:0001", "712020:0002", "712020:0003"


@pytest.mark.case("E55")
def test_a_row_is_carried_out_once_a_run_has_recorded_it_for_long_enough() -> None:
    office = office_of(100)
    assert codes(office) == {FIRST: "soak"}
    office.clock.sleep(DAY - 1)
    assert codes(office) == {FIRST: "soak"}
    office.clock.sleep(1)
    assert codes(office) == {FIRST: "applied"}
    assert waiting(office) == {}
    assert not office.plan().changes


def test_it_is_said_from_when_on_a_row_is_due() -> None:
    office = office_of(100)
    (left,) = office.apply(standing=APPROVED).choice.left
    (since,) = waiting(office).values()
    assert left.until == since + timedelta(hours=24)
    office.clock.sleep(3600)
    (left,) = office.apply(standing=APPROVED).choice.left
    assert left.until == since + timedelta(hours=24)


def test_every_recorded_run_begins_the_soak_also_one_that_carries_out_a_saved_plan() -> None:
    office = office_of(100, 200)
    saved = office.plan()
    office.site.happens(FIRST, seen=seen_at(office.clock.now()))
    office.apply(saved)
    office.site.happens(FIRST, seen=person(1, 100).seen)
    office.under(policies=(replace(SOAKED, name="other"),))
    stop = Stop()
    stop.ask()
    office.apply(read_plan(plan_bytes(office.plan())), stop=stop)
    (line,) = memory_of(office.store.read()).waiting
    office.clock.sleep(DAY)
    assert line.policy == "other"
    assert codes(office, {"other": KEY}) == {FIRST: "applied"}


def test_who_leaves_does_not_wait_and_the_days_maximum_holds() -> None:
    leaving = replace(SOAKED, termination=True, standing=Standing(1, timedelta(0)))
    office = office_of(100, 200, policy=leaving)
    assert codes(office) == {FIRST: "applied", SECOND: "daily-maximum"}
    office.clock.sleep(DAY)
    assert codes(office) == {SECOND: "applied"}


def test_a_termination_under_a_standing_approval_revokes_tokens() -> None:
    leaving = replace(SOAKED, ensure=Ensure(no_tokens=True), termination=True, standing=Standing(9, timedelta(0)))
    office = office_of(100, policy=leaving)
    office.site.happens(FIRST, managed=True, tokens=("t-1",))
    assert codes(office) == {FIRST: "applied"}
    other = office_of(100, policy=replace(leaving, termination=False))
    other.site.happens(FIRST, managed=True, tokens=("t-1",))
    assert codes(other) == {FIRST: "not-approved"}


def test_the_soak_begins_anew_when_a_row_was_not_planned_in_between() -> None:
    office = office_of(100)
    codes(office)
    office.clock.sleep(DAY / 2)
    office.site.happens(FIRST, seen=seen_at(office.clock.now()))
    assert codes(office) == {}
    assert waiting(office) == {}
    office.site.happens(FIRST, seen=person(1, 100).seen)
    office.clock.sleep(DAY / 2)
    assert codes(office) == {FIRST: "soak"}
    office.clock.sleep(DAY)
    assert codes(office) == {FIRST: "applied"}


def test_the_soak_begins_anew_when_the_policy_means_something_else() -> None:
    """Rows are the same under 90 and 30 days; who could object had read the other policy."""
    office = office_of(100, policy=replace(SOAKED, digest="sha256:90"))
    codes(office)
    office.clock.sleep(DAY)
    office.under(policies=(replace(SOAKED, digest="sha256:30", why="sooner"),))
    assert codes(office) == {FIRST: "soak"}
    assert len(waiting(office)) == 1
    office.clock.sleep(DAY - 1)
    assert codes(office) == {FIRST: "soak"}
    office.clock.sleep(1)
    assert codes(office) == {FIRST: "applied"}


def test_the_soak_of_another_policy_goes_on_when_one_of_two_means_something_else() -> None:
    twin = replace(SOAKED, name="twin", digest="sha256:1")
    office = office_of(100)
    office.under(policies=(replace(SOAKED, digest="sha256:1"), twin))
    codes(office)
    before = {one.policy: one.since for one in memory_of(office.store.read()).waiting}
    office.clock.sleep(DAY)
    office.under(policies=(replace(SOAKED, digest="sha256:2"), twin))
    run = office.apply(standing={"dormant": KEY, "twin": KEY})
    after = {one.policy: one.since for one in memory_of(office.store.read()).waiting}
    assert after["twin"] == before["twin"]
    (left,) = run.choice.left
    assert left.until == after["dormant"] + timedelta(hours=24) > before["dormant"] + timedelta(hours=24)


def test_lines_of_an_earlier_version_are_read_and_soak_anew() -> None:
    line = b'{"change":"sha256:1","kind":"waiting","policy":"dormant","since":"2026-11-22T12:00:00Z"}'
    assert msgspec.json.decode(line, type=Waiting).meaning == ""


def test_no_more_than_a_days_maximum_is_carried_out_longest_pending_first() -> None:
    office = office_of(100, 91, 200, 300)
    office.clock.sleep(3600)
    codes(office)
    office.clock.sleep(DAY - 3600)
    codes(office)  # the second user is dormant from this day on
    office.clock.sleep(DAY)
    assert codes(office) == {
        FIRST: "applied",
        THIRD: "applied",
        "712020:0004": "daily-maximum",
        SECOND: "daily-maximum",
    }
    assert codes(office) == {"712020:0004": "daily-maximum", SECOND: "daily-maximum"}
    office.clock.sleep(DAY / 2)  # midnight in UTC
    assert codes(office) == {"712020:0004": "applied", SECOND: "applied"}


def test_what_was_done_under_a_saved_plan_does_not_count_for_the_day() -> None:
    office = office_of(100, 200, 300, 400)
    codes(office)
    office.clock.sleep(DAY)
    saved = office.plan()
    office.site.broken["write"] = [RefusedError("403"), RefusedError("403")]
    assert [one.result for one in office.apply(saved).outcomes] == ["failed", "failed", "applied", "applied"]
    assert codes(office) == {FIRST: "applied", SECOND: "applied"}


def test_a_row_that_failed_is_tried_again_without_a_new_soak() -> None:
    office = office_of(100)
    codes(office)
    office.clock.sleep(DAY)
    office.site.broken["write"] = [RefusedError("403")]
    assert codes(office) == {FIRST: "failed"}
    assert codes(office) == {FIRST: "applied"}


@pytest.mark.parametrize("approvals", [{}, {"dormant": Missing("no tag")}])
def test_without_an_approval_of_the_policy_nothing_is_done(approvals: Approvals) -> None:
    office = office_of(100)
    codes(office)
    office.clock.sleep(DAY)
    run = office.apply(standing=approvals)
    assert [(one.code, one.why) for one in run.choice.left] == [("not-approved", "no approval of dormant counts")]
    assert run.choice.unapproved is bool(approvals)
    assert not office.site.written


def test_rows_of_policies_that_are_approved_plan_by_plan_are_left_alone() -> None:
    office = office_of(10, 100)
    office.site.happens(SECOND, groups=(SEATS, "g-others"))
    office.under(policies=(SOAKED, OTHERS))
    codes(office)
    office.clock.sleep(DAY)
    run = office.apply(standing=APPROVED)
    assert [one.action for one in office.site.written] == ["membership.remove"]
    assert {one.why for one in run.choice.left} == {"others is approved plan by plan"}
    assert not run.choice.unapproved


# -- the rows of one user ---------------------------------------------------------------------------

MOVED = Policy(
    name="dormant",
    owner="iam@acme.com",
    why="they belong elsewhere",
    match=Match(all=(InGroup(("others",)),)),
    ensure=Ensure(groups_absent=("others",), groups_present=("confluence-users-acme",)),
    standing=Standing(2),
)
KINDER = replace(SOAKED, ensure=replace(DORMANT.ensure, groups_present=("others",)))


def groups(office: Office, user: str) -> tuple[str, ...]:
    """The groups that the user is in now."""
    (found,) = (one.groups for one in office.site.read().inventory.users if one.id == user)
    return found or ()


def test_a_days_maximum_never_parts_what_a_user_loses_from_what_the_user_gets() -> None:
    office = office_of(100, 200, policy=MOVED)
    for user in (FIRST, SECOND):
        office.site.happens(user, groups=("g-others",), license="none", seats=())
    codes(office)
    office.clock.sleep(DAY)
    assert codes(office) == {FIRST: "applied", SECOND: "daily-maximum"}
    assert groups(office, FIRST) == (SEATS,)
    assert groups(office, SECOND) == ("g-others",)
    office.clock.sleep(DAY)
    assert codes(office) == {SECOND: "applied"}
    assert groups(office, SECOND) == (SEATS,)


def test_a_days_maximum_turns_nobody_with_a_seat_into_a_guest() -> None:
    office = office_of(100, 110, policy=replace(SOAKED, ensure=Ensure(no_access=True)))
    guests = msgspec.structs.replace(
        office.site._groups["g-others"], id="h-guests", license="guest", grants=(Grant("confluence", "guest"),)
    )
    office.site._groups["h-guests"] = msgspec.structs.replace(guests, name="guests")
    for user in (FIRST, SECOND):
        both = (GroupSeat((SEATS,)), GroupSeat(("h-guests",)))
        office.site.happens(user, groups=(SEATS, "h-guests"), seats=both, direct=())
    office.site.happens(RUNNER, groups=(SEATS, "h-guests"))
    codes(office)
    office.clock.sleep(DAY)
    assert codes(office) == {FIRST: "applied", SECOND: "daily-maximum"}
    assert (groups(office, FIRST), groups(office, SECOND)) == ((), (SEATS, "h-guests"))


def test_what_was_due_waits_with_what_a_kinder_policy_adds() -> None:
    office = office_of(100)
    codes(office)
    office.clock.sleep(DAY)
    office.under(policies=(KINDER,))
    run = office.apply(standing=APPROVED)
    assert not office.site.written
    (since,) = (one for one in waiting(office).values() if one > run.plan.created - timedelta(hours=1))
    due = since + timedelta(hours=24)
    assert {one.change.action: (one.code, one.why, one.until) for one in run.choice.left} == {
        "membership.add": ("soak", "recorded as pending", due),
        "membership.remove": ("soak", "waits for the user's other changes: recorded as pending", due),
    }
    office.clock.sleep(DAY)
    assert codes(office) == {FIRST: "applied"}
    assert groups(office, FIRST) == ("g-others",)


def test_a_user_waits_whole_for_a_policy_that_is_approved_plan_by_plan() -> None:
    office = office_of(100)
    office.under(policies=(SOAKED, OTHERS))
    codes(office)
    office.clock.sleep(DAY)
    run = office.apply(standing=APPROVED)
    assert not office.site.written
    assert {one.change.action: (one.code, one.why) for one in run.choice.left} == {
        "membership.add": ("not-approved", "others is approved plan by plan"),
        "membership.remove": ("not-approved", "waits for the user's other changes: others is approved plan by plan"),
    }
    assert not run.choice.unapproved


def test_a_user_with_more_changes_than_a_days_maximum_is_told_of_and_blocks_nobody() -> None:
    office = office_of(100, 91, policy=replace(KINDER, standing=Standing(1)))
    office.site.happens(SECOND, groups=(SEATS, "g-others"))
    codes(office)
    office.clock.sleep(DAY)
    codes(office)  # the second user is dormant from this day on
    office.clock.sleep(DAY)
    run = office.apply(standing=APPROVED)
    assert [(one.user, one.result) for one in run.outcomes] == [(SECOND, "applied")]
    why = "the user needs 2 changes for dormant, more than max_per_day allows: raise it or approve a plan"
    assert [(one.change.user, one.code, one.why, one.until) for one in run.choice.left] == [
        (FIRST, "daily-maximum", why, None)
    ] * 2
    office.apply(office.plan())
    assert groups(office, FIRST) == ("g-others",)


@pytest.mark.case("F6")
def test_standing_approvals_open_no_guard() -> None:
    office = office_of(100, 200)
    codes(office)
    office.clock.sleep(DAY)
    caps = dict(office.policies.guardrails.caps) | {"membership.remove": Cap(1)}
    office.under(guardrails=replace(office.policies.guardrails, caps=caps))
    with pytest.raises(BrokenGuardsError):
        office.apply(standing=APPROVED)
    assert not office.site.written


@pytest.mark.case("E56", "F10")
def test_who_comes_back_between_plan_and_write_is_left_alone_and_waits_anew() -> None:
    office = office_of(100)
    codes(office)
    office.clock.sleep(DAY)
    original = office.site.user

    def user(*args: object, **kwargs: object) -> object:
        office.site.happens(FIRST, seen=seen_at(office.clock.now()))
        return original(*args, **kwargs)  # type: ignore[arg-type]

    office.site.user = user  # type: ignore[method-assign,assignment]
    assert codes(office) == {FIRST: "superseded"}
    assert waiting(office) == {}
    assert not office.site.written


def lines(office: Office, run: str) -> list[OutcomeRecord]:
    """The recorded outcomes of a run."""
    data = office.store.run_files(run)[layout.run_file(run, layout.OUTCOMES)]
    return [msgspec.json.decode(line, type=OutcomeRecord) for line in data.splitlines()]


def test_the_record_says_who_approved_the_policy_of_each_change(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100, 200)
    office.under(policies=(SOAKED,))
    codes(office)
    office.clock.sleep(DAY)
    run = office.apply(standing=APPROVED)
    assert run.intent is not None
    assert run.intent.approvals == {"dormant": KEY}
    assert run.intent.actor == "712020:runner"
    entry = office.entries()[-1]
    assert entry.approval == Approval(kind="standing", by="SHA256:ben", at=run.plan.created, ref=run.plan.envelope)
    office.store.read()
    assert [(one.approval, one.actor) for one in lines(office, run.id)] == [(KEY, "712020:runner")] * 2


def test_a_run_that_has_nothing_due_names_no_key() -> None:
    office = office_of(100)
    office.apply(standing=APPROVED)
    approval = office.entries()[-1].approval
    assert approval is not None
    assert (approval.kind, approval.by) == ("standing", "")


def test_a_run_that_was_cut_off_is_recovered_with_its_approvals_and_its_day() -> None:
    office = office_of(100, 200)
    codes(office)
    office.clock.sleep(DAY)
    office.store.broken["commit"] = [None, StoreError("gone")]  # type: ignore[attr-defined]
    with pytest.raises(UnrecordedError) as caught:
        office.apply(standing=APPROVED)
    kept = next(
        data for path, data in caught.value.run.record.files.items() if data and path.endswith("outcomes.jsonl")
    )
    done = office.recover(caught.value.run.id, kept)
    assert [one.result for one in done.outcomes] == ["applied", "applied"]
    office.store.read()
    assert [(one.approval, one.actor) for one in lines(office, caught.value.run.id)] == [(KEY, "712020:runner")] * 2
    memory = memory_of(office.store.read())
    assert memory.waiting == ()
    assert memory.daily == (Daily(policy="dormant", day=office.clock.now().date(), changes=2),)


def test_what_may_have_been_sent_counts_for_the_day() -> None:
    office = office_of(100, 200, 300)
    codes(office)
    office.clock.sleep(DAY)
    office.store.broken["commit"] = [None, StoreError("gone")]  # type: ignore[attr-defined]
    with pytest.raises(UnrecordedError) as caught:
        office.apply(standing=APPROVED)
    again = person(1, 100)
    office.site.happens(again.id, groups=again.groups, seats=again.seats, license=again.license)
    office.recover(caught.value.run.id)
    assert memory_of(office.store.read()).daily == (Daily(policy="dormant", day=office.clock.now().date(), changes=2),)
    assert codes(office) == {FIRST: "doubtful", THIRD: "daily-maximum"}


# -- the choice alone ------------------------------------------------------------------------------

RULES = {
    "a": Standing(2, timedelta(hours=24)),
    "b": Standing(1, timedelta(hours=48)),
    "c": Standing(3, timedelta(hours=1)),
}
KEYS = {name: msgspec.structs.replace(KEY, ref=f"approve/{name}") for name in RULES}


def policy(name: str, rule: Standing | None) -> Policy:
    """A policy of which only the approval matters."""
    return replace(DORMANT, name=name, standing=rule)


POLICIES = [*(policy(name, rule) for name, rule in RULES.items()), policy("plain", None)]


def row(number: int, names: tuple[str, ...], user: int | None = None) -> Change:
    """A change that these policies ask for; of a user of its own unless there is another."""
    causes = tuple(Cause(policy=name) for name in names)
    whom = f"{number if user is None else user:03}"
    return MembershipRemove(address=f"membership/g/{number:03}", user=whom, directory="d", group="g", causes=causes)


EMPTY = open_office().plan()
names_of = st.lists(st.sampled_from([*RULES, "plain"]), min_size=1, max_size=2, unique=True).map(
    lambda one: tuple(sorted(one))
)


mostly = st.sampled_from([True, True, True, False])


@given(st.data())
def test_the_choice_is_that_of_the_plain_rules(data: st.DataObject) -> None:
    """User by user, in the order of the rules, with nothing cached or counted ahead."""
    wished = data.draw(st.lists(st.tuples(names_of, st.integers(0, 6)), max_size=12))
    changes = [row(number, names, user) for number, (names, user) in enumerate(wished)]
    plan = msgspec.structs.replace(EMPTY, changes=tuple(changes))
    hours = st.integers(0, 144)
    lines = tuple(
        Waiting(change=change_digest(change), policy=cause.policy, since=NOON - timedelta(hours=data.draw(hours)))
        for change in changes
        for cause in change.causes
        if data.draw(mostly)
    )
    daily = tuple(Daily(policy=name, day=NOON.date(), changes=data.draw(st.integers(0, 3))) for name in RULES)
    approvals = {name: KEYS[name] if data.draw(mostly) else Missing("no") for name in RULES}
    choice = choose_standing(plan, POLICIES, approvals, Memory(waiting=lines, daily=daily), NOON)

    since = {(one.change, one.policy): one.since for one in lines}
    users: defaultdict[str, list[Change]] = defaultdict(list)
    ready: defaultdict[str, list[datetime]] = defaultdict(list)
    for change in changes:
        users[change.user].append(change)
        ends = [since.get((change_digest(change), cause.policy)) for cause in change.causes]
        if all(isinstance(approvals.get(cause.policy), Approval) for cause in change.causes) and all(
            end is not None and NOON - end >= RULES[cause.policy].after
            for end, cause in zip(ends, change.causes, strict=True)
        ):
            ready[change.user].append(max(end for end in ends if end))
    due = [user for user in users if len(ready[user]) == len(users[user])]
    used = Counter({one.policy: one.changes for one in daily})
    expected: set[str] = set()
    for user in sorted(due, key=lambda one: (max(ready[one]), min(change.address for change in users[one]))):
        takes = Counter(cause.policy for change in users[user] for cause in change.causes)
        if all(used[name] + number <= RULES[name].max_per_day for name, number in takes.items()):
            used += takes
            expected.add(user)
    assert [one.address for one in choice.changes] == [one.address for one in changes if one.user in expected]
    assert [one.change.address for one in choice.left] == [one.address for one in changes if one.user not in expected]
    assert {one.change.user for one in choice.left if one.code == "daily-maximum"} == set(due) - expected


def test_what_is_ready_waits_for_the_one_that_waits_longest_and_is_dated_with_it() -> None:
    changes = [row(1, ("c",), 9), row(2, ("a",), 9), row(3, ("b",), 9)]
    plan = msgspec.structs.replace(EMPTY, changes=tuple(changes))
    lines = tuple(
        Waiting(change=digest, policy=name, since=NOON - timedelta(hours=10))
        for digest, name in zip(plan.manifest, "ca", strict=False)
    )
    choice = choose_standing(plan, POLICIES, KEYS, Memory(waiting=lines), NOON)
    ready, pending, new = choice.left
    assert (ready.code, ready.behind, ready.until) == ("soak", changes[2], None)
    assert (pending.behind, pending.until) == (None, NOON + timedelta(hours=14))
    assert new.until is None
    recorded = (*lines, Waiting(change=plan.manifest[2], policy="b", since=NOON))
    ends = [one.until for one in dated(choice.left, POLICIES, Memory(waiting=recorded))]
    assert ends == [NOON + timedelta(hours=48), NOON + timedelta(hours=14), NOON + timedelta(hours=48)]


def test_what_cannot_be_put_back_holds_up_the_rest_of_its_user_alone() -> None:
    causes = (Cause(policy="a"),)
    role = RoleRevoke(address="role/user/001", user="001", directory="d", role="user", causes=causes)
    plan = msgspec.structs.replace(EMPTY, changes=(role, row(1, ("a",)), row(2, ("a",))))
    lines = tuple(Waiting(change=one, policy="a", since=NOON - timedelta(days=9)) for one in plan.manifest)
    choice = choose_standing(plan, POLICIES, KEYS, Memory(waiting=lines), NOON)
    assert [one.user for one in choice.changes] == ["002"]
    assert [(one.code, one.behind) for one in choice.left] == [("not-approved", None), ("not-approved", role)]


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=12), st.integers(1, 3))
def test_over_any_runs_no_day_has_more_than_its_maximum_and_no_row_comes_before_its_soak(
    pauses: list[tuple[int, bool]], most: int
) -> None:
    """``pauses`` are hours between runs, and whether one of the users comes back for that run."""
    after = timedelta(hours=20)
    office = office_of(100, 200, 300, 400, 500, policy=replace(DORMANT, standing=Standing(most, after)))
    first: dict[str, datetime] = {}
    made: defaultdict[date, int] = defaultdict(int)
    for hours, back in pauses:
        office.clock.sleep(hours * 3600)
        office.site.happens(FIRST, seen=seen_at(office.clock.now()) if back else person(1, 100).seen)
        run = office.apply(standing=APPROVED)
        planned = {change.user for change in run.plan.changes}
        first = {user: since for user, since in first.items() if user in planned}
        for one in run.outcomes:
            assert one.result == "applied"
            assert run.plan.created - first[one.user] >= after
            made[one.at.astimezone(UTC).date()] += 1
        assert run.record.entry is not None
        for user in planned:
            first.setdefault(user, run.record.entry.time)
    assert all(number <= most for number in made.values())


def test_what_cannot_be_put_back_is_not_covered() -> None:
    causes = (Cause(policy="a"),)
    changes: list[Change] = [
        RoleRevoke(address="role/user/1", user="1", directory="d", role="user", causes=causes),
        UserDelete(address="user/2", user="2", directory="d", old="active", new="deleting", causes=causes),
        row(3, ()),
    ]
    plan = msgspec.structs.replace(EMPTY, changes=tuple(changes))
    lines = tuple(Waiting(change=one, policy="a", since=NOON - timedelta(days=9)) for one in plan.manifest)
    choice = choose_standing(plan, POLICIES, KEYS, Memory(waiting=lines), NOON)
    assert not choice.changes
    assert {one.why for one in choice.left} == {"no standing approval covers what cannot be put back"}


def test_a_plan_says_of_each_row_what_a_run_would_do_with_it_and_keeps_its_digests() -> None:
    changes = [row(1, ("a",)), row(2, ("a",)), row(3, ("b",)), row(4, ("plain",)), row(5, ("a", "plain"))]
    plan = msgspec.structs.replace(EMPTY, changes=tuple(changes))
    lines = (Waiting(change=plan.manifest[0], policy="a", since=NOON - timedelta(days=9)),)
    choice = choose_standing(plan, POLICIES, {"a": KEY, "b": Missing("no tag")}, Memory(waiting=lines), NOON)
    noted = with_notes(plan, POLICIES, choice)
    assert noted.manifest == plan.manifest
    assert [one.note for one in noted.changes] == [
        "standing approval: due",
        "standing approval: not recorded as pending yet, due 24 hours after a run has done that",
        "standing approval: not approved, no approval of b counts",
        "",
        "standing approval: not approved, plain is approved plan by plan",
    ]


def test_several_policies_are_approved_by_all_their_keys_at_the_time_of_the_newest() -> None:
    other = Approval(kind="standing", by="SHA256:ada", at=NOON, ref="approve/0")
    both = Approval(kind="standing", by="SHA256:ada SHA256:ben", at=NOON, ref="approve/0 approve/1")
    assert joint([KEY, other, KEY]) == both
    run = Approval(kind="standing", by="", at=NOON, ref="sha256:1")
    causes = (Cause(policy="x"), Cause(policy="y"))
    assert approval_of(causes, run, {"x": KEY, "y": other, "z": KEY}) == both
    plan = msgspec.structs.replace(run, kind="plan")
    assert approval_of(causes, plan, {}) is plan


@pytest.mark.parametrize("unsure", [frozenset(), frozenset({"sha256:2"})])
def test_a_change_counts_on_the_day_on_which_it_was_sent(unsure: frozenset[str]) -> None:
    """A run that goes on over midnight takes from both days."""

    def outcome(digest: str, result: Result, hours: int) -> Outcome:
        return Outcome(
            address="x", action="membership.remove", change=digest, user="u", result=result,
            at=NOON + timedelta(hours=hours), before={}, after={}, causes=(Cause(policy="a"), Cause(policy="plain")),
        )  # fmt: skip

    outcomes = [
        outcome("sha256:1", "applied", 11),
        outcome("sha256:2", "failed", 11),
        outcome("sha256:3", "settling", 12),
        outcome("sha256:4", "already", 12),
        outcome("sha256:5", "not_effective", 13),
    ]
    today, tomorrow = NOON.date(), NOON.date() + timedelta(days=1)
    before = [Daily(policy="a", day=today, changes=4), Daily(policy="b", day=today, changes=1)]
    after = with_daily(before, outcomes, {"a": KEY}, unsure)
    assert sorted(after, key=lambda one: (one.policy, one.day)) == [  # type: ignore[union-attr]
        Daily(policy="a", day=today, changes=5 + len(unsure)),
        Daily(policy="a", day=tomorrow, changes=2),
        Daily(policy="b", day=today, changes=1),
    ]
    assert with_daily(before, outcomes, {}, unsure) == before

"""What memory keeps of changes that were made, undone, and left alone."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger import memory
from cleanup_gitops.ledger.memory import read_lines, still_remembered, write_lines
from cleanup_gitops.ledger.remember import Ran, remember
from cleanup_gitops.model.change import Change, UserRemove
from cleanup_gitops.model.memory import Done, Flap, Hold, Noticed, Remembered, Settling
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Outcome, Result
from tests import strategies as some
from tests.ledger.four_changes import ADD, REMOVE, SUSPEND

AT = some.AS_OF
CAUSE = (Cause(policy="dormant"), Cause(policy="leavers"))


def outcome(change: Change, result: Result) -> Outcome:
    return msgspec.structs.replace(some.outcome_of(change, result, AT), causes=CAUSE)


def ran(*outcomes: Outcome, **more: object) -> Ran:
    return Ran(run="r-1", at=AT, envelope="e", outcomes=outcomes, **more)  # type: ignore[arg-type]


def done(change: Change, run: str = "r-0") -> Done:
    return Done(
        run=run,
        address=change.address,
        user=change.user,
        policies=("old",),
        at=AT - timedelta(days=9),
        after=change.after,
    )


def only(lines: object, sort: type) -> list:  # type: ignore[type-arg]
    return [line for line in lines if isinstance(line, sort)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        ("applied", True),
        ("settling", True),
        ("not_effective", True),
        ("already", False),
        ("superseded", False),
        ("failed", False),
        ("not_attempted", False),
    ],
)
def test_what_a_run_did_or_may_have_done_is_remembered_with_its_policies(result: Result, kept: bool) -> None:
    found = only(remember([], ran(outcome(SUSPEND, result))), Done)
    assert bool(found) is kept
    if kept:
        assert found == [
            Done(
                run="r-1",
                address=SUSPEND.address,
                user=SUSPEND.user,
                policies=("dormant", "leavers"),
                at=AT,
                after={"status": "suspended"},
            )
        ]


def test_a_change_that_may_have_been_sent_by_a_run_that_was_cut_off_is_remembered() -> None:
    one = outcome(SUSPEND, "not_attempted")
    assert only(remember([], ran(one, unsure={one.change})), Done)


def test_the_newest_change_of_an_address_takes_the_place_of_the_older_one() -> None:
    lines = remember([done(SUSPEND), done(REMOVE)], ran(outcome(SUSPEND, "applied")))
    assert sorted((one.address, one.run) for one in only(lines, Done)) == [
        (REMOVE.address, "r-0"),
        (SUSPEND.address, "r-1"),
    ]


def test_whoever_left_the_directory_has_left_groups_and_roles_with_it() -> None:
    gone = UserRemove(address="user/712020:1", user="712020:1", directory="default", old="active", new="absent")
    lines = remember([done(ADD), done(REMOVE)], ran(outcome(gone, "applied")))
    assert sorted(one.address for one in only(lines, Done)) == [REMOVE.address, gone.address]


def test_what_others_undid_is_done_no_longer_and_held_and_counted() -> None:
    hold = Hold(user=SUSPEND.user, policy="old", until=date(2026, 12, 6), why="restored", run="r-0")
    before = Flap(user=SUSPEND.user, policy="old", days=(date(2026, 1, 1),))
    flap = Flap(user=SUSPEND.user, policy="old", days=(date(2026, 1, 1), AT.date()))
    noticed = Noticed(undone=(done(SUSPEND),), holds=(hold,), flaps=(flap,))
    lines = remember([done(SUSPEND), done(REMOVE), before], ran(noticed=noticed))
    assert only(lines, Done) == [done(REMOVE)]
    assert only(lines, Hold) == [hold]
    assert only(lines, Flap) == [flap]


def test_of_several_holds_the_longest_stays() -> None:
    short = Hold(user="u", policy="p", until=date(2026, 12, 1), why="restored", run="r")
    long = Hold(user="u", policy="p", until=date(2026, 12, 9), why="rollback", run="r")
    for first, second in ((short, long), (long, short)):
        assert only(remember([first], ran(noticed=Noticed(holds=(second,)))), Hold) == [long]


def test_a_rollback_takes_back_what_was_done_and_holds_whom_it_reached() -> None:
    whole = some.rolled_back([ADD, SUSPEND])
    back = msgspec.structs.replace(whole, irreversible=())
    reached = outcome(SUSPEND, "applied")
    lines = remember([done(SUSPEND), done(REMOVE)], ran(reached, outcome(ADD, "failed"), rollback=back))
    assert only(lines, Done) == [done(REMOVE)]
    assert only(lines, Hold) == [
        Hold(user=SUSPEND.user, policy="dormant-members", until=back.until, why="rollback", run=back.run)
    ]
    nothing = only(remember([], ran(outcome(ADD, "failed"), rollback=whole)), Hold)
    assert [one.user for one in nothing] == [ADD.user]  # nothing can be given back to this one


@pytest.mark.parametrize(("days", "kept"), [(400, True), (401, False)])
def test_what_was_done_is_remembered_for_four_hundred_days(days: int, kept: bool) -> None:
    line = msgspec.structs.replace(done(SUSPEND), at=AT - timedelta(days=days))
    flap = Flap(user="u", policy="p", days=(AT.date() - timedelta(days=days),))
    assert bool(still_remembered([line], AT)) is kept
    assert bool(still_remembered([flap], AT)) is kept
    both = Flap(user="u", policy="p", days=(*flap.days, AT.date()))
    assert still_remembered([both], AT) == [both if kept else Flap(user="u", policy="p", days=(AT.date(),))]


def test_only_the_newest_changes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_DONE", 2)
    ages = ((SUSPEND, 3), (ADD, 2), (REMOVE, 1))
    old, new, newest = (msgspec.structs.replace(done(one), at=AT - timedelta(days=days)) for one, days in ages)
    assert still_remembered([newest, old, new], AT) == [new, newest]


def test_what_never_showed_is_forgotten_with_the_wait_for_it() -> None:
    late = Settling(run="r-0", address=SUSPEND.address, user=SUSPEND.user, at=AT, after=SUSPEND.after)
    after = AT + timedelta(days=31)
    assert still_remembered([late, done(SUSPEND), done(REMOVE)], after) == [done(REMOVE)]


@pytest.mark.parametrize(("days", "kept"), [(31, True), (400, True), (401, False)])
def test_what_a_look_had_shown_and_no_list_does_is_remembered_as_what_was_done(days: int, kept: bool) -> None:
    """Lists show a suspended account as active while it is active in another directory."""
    shown = Settling(run="r-0", address=SUSPEND.address, user=SUSPEND.user, at=AT, after=SUSPEND.after, verified=AT)
    lines: list[Remembered] = [shown, msgspec.structs.replace(done(SUSPEND), at=AT)]
    assert still_remembered(lines, AT + timedelta(days=days)) == (lines if kept else [])


def test_what_a_rollback_gave_back_is_waited_for_no_longer_than_before() -> None:
    shown = Settling(run="r-0", address=SUSPEND.address, user=SUSPEND.user, at=AT, after=SUSPEND.after, verified=AT)
    assert still_remembered([shown], AT + timedelta(days=31)) == []


LINES = st.one_of(
    st.builds(
        Done,
        run=st.just("r"),
        address=st.sampled_from(["user/1", "membership/g/1"]),
        user=st.just("1"),
        policies=st.sampled_from([(), ("p",), ("p", "q")]),
        at=some.instants(),
        after=st.sampled_from([{"member": True}, {"status": "suspended"}]),
    ),
    st.builds(Flap, user=st.just("1"), policy=st.just("p"), days=st.lists(st.dates(), max_size=3).map(tuple)),
    st.builds(
        Hold,
        user=st.just("1"),
        policy=st.just("p"),
        until=st.dates(),
        why=st.sampled_from(["restored", "rollback"]),
        run=st.sampled_from(["", "r"]),
    ),
)


@given(st.lists(LINES, max_size=5))
def test_lines_are_read_back_as_they_were_written(lines: list[Done | Flap | Hold]) -> None:
    read = read_lines({"memory.jsonl": write_lines(lines)})
    assert sorted(read, key=repr) == sorted(lines, key=repr)

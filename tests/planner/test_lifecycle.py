"""Where a user stands in the stages of a policy: every combination of what is remembered and what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, Literal, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.model.memory import BLANK, Closed, Effect, Ended, Known, Mark
from cleanup_gitops.planner.lifecycle import (
    NO_EPISODE,
    Episode,
    Facts,
    Position,
    Row,
    current,
    episodes_of,
    over,
    position,
)
from cleanup_gitops.policy.documents import Ensure, Stage

ASKED = Ensure(status="suspended")
STAGES = (
    Stage(name="first", ensure=ASKED),
    Stage(name="second", ensure=ASKED, after=14),
    Stage(name="third", ensure=ASKED, after=30),
)
OPENED = datetime(2026, 11, 1, 22, 30, tzinfo=UTC)
TODAY = date(2026, 11, 22)
EITHER: tuple[bool | None, ...] = (True, False, None)


def mark(stage: str, entered: datetime = OPENED, done: datetime | None = None) -> Mark:
    return Mark(user="u", policy="p", episode=3, stage=stage, entered=entered, done=done)


def closed(why: Ended) -> Closed:
    return Closed(user="u", policy="p", episode=3, at=OPENED, why=why)


FIRST = Episode((mark("first"),))
FIRST_DONE_LATELY = Episode((mark("first", done=OPENED + timedelta(days=15)),))
FIRST_DONE = Episode((mark("first", done=OPENED + timedelta(days=1)),))
SECOND = Episode((*FIRST_DONE.marks, mark("second", OPENED + timedelta(days=15))))
ALL_DONE = Episode(tuple(mark(one.name, done=OPENED + timedelta(days=1)) for one in STAGES))
OPEN = (FIRST, FIRST_DONE_LATELY, FIRST_DONE, SECOND, ALL_DONE)
BROKEN_OFF = tuple(Episode(closed=closed(why)) for why in get_args(Ended) if why != "done")
FINISHED = Episode(closed=closed("done"))
EPISODES = (NO_EPISODE, *OPEN, *BROKEN_OFF, FINISHED)


def facts(**given_facts: Any) -> Facts:  # noqa: ANN401 - any fact
    told = {"matches": True, "when": True, "met": False, "returned": False} | given_facts
    when, met, returned = told.pop("when"), told.pop("met"), told.pop("returned")
    return Facts(when=lambda _: when, met=lambda _: met, returned=lambda _: returned, **told)


def all_facts() -> Iterator[dict[str, Any]]:
    spared: tuple[Literal["", "protected", "exempt"], ...] = ("", "protected", "exempt")
    both = (False, True)
    for matches, when, met, returned, spares, held, undone in product(EITHER, EITHER, both, both, spared, both, both):
        yield {
            "matches": matches, "when": when, "met": met, "returned": returned, "spared": spares, "held": held,
            "undone": undone,
        }  # fmt: skip


def where(episode: Episode, told: dict[str, Any]) -> Position:
    return position(STAGES, episode, facts(**told), TODAY)


EVERYTHING = [(episode, told) for episode in EPISODES for told in all_facts()]


@pytest.mark.case("F18")
def test_an_unknown_match_enters_and_ends_nothing_and_asks_for_nothing() -> None:
    for episode, told in EVERYTHING:
        if told["matches"] is None and not told["undone"] and not told["spared"]:
            found = where(episode, told)
            assert episode is ALL_DONE or not found.rows
            assert found.asks is not True


def test_what_is_known_no_more_adds_no_row() -> None:
    for episode, told in EVERYTHING:
        for name in ("matches", "when"):
            assert set(where(episode, told | {name: None}).rows) <= set(where(episode, told).rows)


def test_only_what_matches_and_holds_is_asked() -> None:
    for episode, told in EVERYTHING:
        if where(episode, told).asks:
            assert told["matches"]
            assert told["when"]
            assert not told["undone"] or not (episode.open or episode is FINISHED)


def test_who_is_spared_or_held_enters_nothing() -> None:
    for episode, told in EVERYTHING:
        if told["spared"] or (told["held"] and not episode.open):
            assert all(row.what != "entered" for row in where(episode, told).rows)


def test_an_episode_that_is_done_opens_no_other_one_and_asks_for_nothing() -> None:
    for told in all_facts():
        found = where(FINISHED, told)
        assert found.asks is False
        assert all(row.what in ("free", "closed") for row in found.rows)
        assert ([row.what for row in found.rows] == ["free"]) == (told["matches"] is False and not told["undone"])


def test_each_end_has_its_reason_and_comes_once() -> None:
    for episode, told in EVERYTHING:
        ends = [row.reason for row in where(episode, told).rows if row.what == "closed"]
        assert len(ends) <= 1
        assert where(episode, told).ended is bool(ends)
        if ends:
            assert ends[0] == _expected(episode, told)


def _expected(episode: Episode, told: dict[str, Any]) -> Ended:
    """The reasons in the order in which they count."""
    if told["undone"]:
        return "restored"
    if told["spared"] and episode.open:
        return "protected" if told["spared"] == "protected" else "exempt"
    if episode is ALL_DONE:
        return "done"
    if told["returned"]:
        return "returned"
    return "done" if told["matches"] else "no-longer-matching"


def test_a_number_is_never_given_twice() -> None:
    for episode, told in EVERYTHING:
        found = where(episode, told)
        again = episode.open or episode is FINISHED
        assert found.episode == (episode.number if again else episode.number + 1)
        assert found.episode == (1 if episode is NO_EPISODE else 3 if again else 4)


def test_a_stage_is_entered_once_and_done_when_all_of_it_is_seen() -> None:
    assert position(STAGES, NO_EPISODE, facts(), TODAY).rows == (Row("entered", 0),)
    assert position(STAGES, NO_EPISODE, facts(met=True), TODAY).rows == (Row("entered", 0), Row("done", 0))
    assert position(STAGES, FIRST, facts(), TODAY).rows == ()
    assert position(STAGES, FIRST, facts(met=True), TODAY).rows == (Row("done", 0),)
    assert position(STAGES, FIRST_DONE, facts(), TODAY).rows == (Row("entered", 1),)
    alone = position(STAGES[:1], FIRST, facts(met=True), TODAY)
    assert alone.rows == (Row("done", 0), Row("closed", 0, "done"))


DONE = [
    datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC),  # Europe goes back to winter time on the 25th
    datetime(2026, 10, 25, 0, 0, tzinfo=UTC),
    datetime(2027, 3, 27, 23, 30, tzinfo=UTC),  # and to summer time on the 28th
    datetime(2028, 2, 28, 12, 0, tzinfo=UTC),  # a leap day follows
    datetime(2028, 2, 29, 0, 0, 1, tzinfo=UTC),
    datetime(2027, 2, 28, 23, 59, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
]


@pytest.mark.case("E18", "F18")
@pytest.mark.parametrize("done", DONE, ids=lambda one: one.isoformat())
@pytest.mark.parametrize("after", [1, 14, 366])
def test_a_stage_is_due_on_the_day_and_not_on_the_day_before(done: datetime, after: int) -> None:
    stages = (STAGES[0], Stage(name="second", ensure=ASKED, after=after))
    episode = Episode((mark("first", done - timedelta(days=9), done),))
    day = done.date() + timedelta(days=after)
    before, on, later = (position(stages, episode, facts(), day + timedelta(days=step)) for step in (-1, 0, 1))
    assert (before.due, before.asks, before.rows) == (day, False, ())
    assert (on.due, on.asks, on.rows) == (None, True, (Row("entered", 1),))
    assert later == on


@given(st.lists(st.integers(0, 60), unique=True), st.integers(1, 40), st.integers(0, 59))
def test_days_without_a_run_shift_no_clock(runs: list[int], after: int, hour: int) -> None:
    """Whichever days have runs: a stage is entered on the first of them that is not before the day it is due."""
    stages = (STAGES[0], Stage(name="second", ensure=ASKED, after=after))
    done = datetime(2027, 3, 20, hour % 24, tzinfo=UTC)
    episode = Episode((mark("first", done, done),))
    entered = [
        day for day in sorted(runs) if position(stages, episode, facts(), done.date() + timedelta(days=day)).rows
    ]
    assert entered == [day for day in sorted(runs) if day >= after]


def test_a_condition_of_a_stage_that_does_not_hold_is_waited_for() -> None:
    found = position(STAGES, FIRST_DONE, facts(when=False), TODAY)
    assert (found.stage, found.asks, found.due, found.rows) == (1, False, None, ())
    assert position(STAGES, NO_EPISODE, facts(when=False), TODAY).rows == ()
    assert position(STAGES, FIRST_DONE, facts(when=None), TODAY).asks is None


def test_a_return_counts_for_the_stage_that_is_due_alone() -> None:
    asked: list[int | None] = []

    def returned(number: int | None) -> bool:
        asked.append(number)
        return False

    known = Facts(matches=True, when=lambda _: True, met=lambda _: False, returned=returned)
    for episode in (FIRST, FIRST_DONE_LATELY, FIRST_DONE, SECOND):
        position(STAGES, episode, known, TODAY)
    assert asked == [0, None, 1, 1]


def test_stages_that_were_renamed_put_in_or_taken_out_move_nobody_back() -> None:
    put_in = (Stage(name="new", ensure=ASKED), *STAGES)
    assert current(put_in, SECOND)[:2] == (2, True)
    assert current(STAGES[1:], FIRST_DONE) == (0, False, None)
    gone = Episode((mark("old", done=OPENED + timedelta(days=8)), mark("first", done=OPENED)))
    assert current(STAGES, gone) == (1, False, (OPENED + timedelta(days=22)).date())
    assert position(STAGES[:2], ALL_DONE, facts(), TODAY).rows == (Row("closed", 1, "done"),)


def test_effects_of_all_stages_count_while_the_episode_is_open_and_after_it_was_done() -> None:
    effect = Effect(address="user/u", before={"status": "active"}, after={"status": "suspended"})
    known = Known(status_by=TODAY)
    marks = tuple(
        Mark(user="u", policy="p", episode=1, stage=name, entered=OPENED, effects=(effect,), known=known)
        for name in ("first", "second")
    )
    assert Episode(marks).effects == (effect, effect)
    assert Episode(marks).known == known
    for why in get_args(Ended):
        line = Closed(user="u", policy="p", episode=1, at=OPENED, why=why, effects=(effect,), known=known)
        assert Episode(closed=line).effects == ((effect,) if why == "done" else ())
        assert Episode(closed=line).known == (known if why == "done" else None)


# -- which stage, and of which episode ------------------------------------------------------------------


def test_a_row_about_an_episode_names_the_stage_that_the_user_was_in_or_the_last_one() -> None:
    undone, done = facts(undone=True), facts(matches=False)
    assert position(STAGES, FIRST, undone, TODAY).rows == (Row("closed", 0, "restored"),)
    assert position(STAGES, SECOND, undone, TODAY).rows == (Row("closed", 1, "restored"),)
    assert position(STAGES, ALL_DONE, undone, TODAY).rows == (Row("closed", 2, "restored"),)
    assert position(STAGES, FINISHED, undone, TODAY) == Position(3, 2, rows=(Row("closed", 2, "restored"),))
    assert position(STAGES, FINISHED, done, TODAY) == Position(3, 2, rows=(Row("free", 2, "no-longer-matching"),))
    assert position(STAGES, FINISHED, facts(), TODAY) == Position(3, 2)


@pytest.mark.case("F18")
@pytest.mark.parametrize("matches", EITHER)
def test_who_is_in_no_episode_stands_before_the_first_stage_and_is_asked_about_its_condition(
    matches: bool | None,
) -> None:
    for holds in (0, 1, 2):
        known = replace(facts(matches=matches), when=holds.__eq__)
        found = position(STAGES, NO_EPISODE, known, TODAY)
        assert (found.stage, found.asks) == (0, matches and holds == 0)
        assert found.rows == ((Row("entered", 0),) if found.asks else ())


@pytest.mark.parametrize("came_back", ["second", "first"])
def test_a_stage_whose_notice_came_back_does_not_ask_and_one_before_it_is_forgotten(came_back: str) -> None:
    at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    second = mark("second", OPENED + timedelta(days=15))
    marks = [msgspec.structs.replace(one, undelivered=at if one.stage == came_back else None)
             for one in (*FIRST_DONE.marks, second)]  # fmt: skip
    found = position(STAGES, Episode(tuple(marks)), facts(met=True), TODAY)
    if came_back == "second":
        assert found == Position(3, 1, asks=False, undelivered=at.date())
    else:
        assert found == Position(3, 1, asks=True, rows=(Row("done", 1),))


def test_of_whom_it_is_not_known_whether_they_match_the_day_of_the_next_stage_is_known_until_it_comes() -> None:
    due = OPENED.date() + timedelta(days=29)
    waits = position(STAGES, FIRST_DONE_LATELY, facts(matches=None), TODAY)
    assert waits == Position(3, 1, None, due)
    assert position(STAGES, FIRST_DONE_LATELY, facts(matches=None), due) == Position(3, 1, None)


def test_of_what_is_remembered_the_open_episode_counts_and_its_stages_in_their_order() -> None:
    effect = Effect(address="user/u", before={"status": "active"}, after={"status": "suspended"})
    second = msgspec.structs.replace(mark("a second"), effects=(msgspec.structs.replace(effect, asked=True),))
    first = msgspec.structs.replace(mark("first", done=OPENED), effects=(effect,))
    older = mark("zero", OPENED - timedelta(days=1), OPENED)
    other = msgspec.structs.replace(mark("first"), user="v")
    broken_off = closed("returned")
    memory = msgspec.structs.replace(
        BLANK, marks=(second, other, first, older), closed=(broken_off, msgspec.structs.replace(broken_off, user="w"))
    )
    found = episodes_of(memory)
    assert found.keys() == {("u", "p"), ("v", "p"), ("w", "p")}
    assert found["u", "p"].marks == (older, first, second)
    assert [one.asked for one in found["u", "p"].effects] == [False, True]
    assert found["v", "p"] == Episode((other,))
    assert (found["w", "p"].open, found["w", "p"].number) == (False, 3)


def test_an_episode_is_left_over_when_its_policy_is_gone_and_it_is_open_or_done() -> None:
    episodes = {("u", "p"): FIRST, ("v", "p"): FINISHED, ("w", "p"): BROKEN_OFF[0], ("u", "kept"): FIRST}
    assert over(episodes, frozenset({"kept"})) == [("u", "p", FIRST), ("v", "p", FINISHED)]
    assert over(episodes, frozenset({"kept", "p"})) == []

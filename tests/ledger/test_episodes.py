"""What memory keeps of stages after a run: marks, effects, what is done, what is over, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec
import pytest

from cleanup_gitops.ledger.episodes import with_ended, with_stages
from cleanup_gitops.ledger.memory import still_remembered
from cleanup_gitops.model.change import Change, MembershipRemove, TokenRevoke, UserDisable, change_digest
from cleanup_gitops.model.memory import BLANK, Closed, Effect, Ended, Hold, Known, Mark, Remembered
from cleanup_gitops.model.plan import Handoff, Pending, Plan, StageRow
from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.model.run import Outcome, Result
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from tests.fakes import NOON
from tests.runner.office import office_site, person

SITE = office_site(200)
WHO = person(1, 200).id
CAUSE = (Cause(policy="dormant", stage="release"),)
LEAVES = MembershipRemove(address=f"membership/g/{WHO}", user=WHO, directory="default", causes=CAUSE, group="g")
CLOSES = UserDisable(address=f"user/{WHO}", user=WHO, directory="default", causes=CAUSE, old="active", new="suspended")
MARK = Mark(user=WHO, policy="dormant", episode=1, stage="release", entered=NOON)
LATER = NOON + timedelta(days=14)


def plan(*changes: Change, **more: object) -> Plan:
    empty = make_plan(SITE, SitePolicies(site="acme"), BLANK, created=LATER, as_of=LATER, tool_version="0")
    return msgspec.structs.replace(empty, changes=changes, **more)


def outcome(change: Change, result: Result = "applied") -> Outcome:
    return Outcome(
        address=change.address, action=change.action, change=change_digest(change), user=change.user, result=result,
        at=LATER, before=change.before, after=change.after, causes=change.causes, verified=LATER,
    )  # fmt: skip


def row(what: str, stage: str = "release", **more: object) -> StageRow:
    told = {"address": "a", "user": WHO, "policy": "dormant", "episode": 1, "since": date(2026, 11, 22)} | more
    return StageRow(stage=stage, what=what, **told)  # type: ignore[arg-type]


def after(lines: Iterable[Remembered], made: Plan, *outcomes: Outcome, open_: Iterable[str] = ()) -> list[Remembered]:
    return with_stages(lines, made, outcomes, SITE, open_=set(open_))


def test_a_stage_is_entered_when_the_plan_was_made_and_never_again() -> None:
    known = Known(status_by=date(2026, 1, 1))
    (mark,) = after([], plan(lifecycle=(row("entered", known=known),)))
    assert mark == msgspec.structs.replace(MARK, entered=LATER, known=known)
    assert after([MARK], plan(lifecycle=(row("entered"),))) == [MARK]


def test_a_stage_is_done_when_all_of_it_was_made_and_seen() -> None:
    (mark,) = after([MARK], plan(LEAVES, CLOSES), outcome(LEAVES), outcome(CLOSES, "already"))
    assert isinstance(mark, Mark)
    assert mark.done == LATER


@pytest.mark.parametrize(
    ("more", "outcomes", "unseen"),
    [
        ({}, (), False),
        ({}, (outcome(LEAVES),), False),
        ({}, (outcome(LEAVES), outcome(CLOSES, "settling")), False),
        ({}, (outcome(LEAVES), outcome(CLOSES, "failed")), False),
        ({}, (outcome(LEAVES), outcome(CLOSES)), True),
        (
            {"handoffs": (Handoff(address="x", user=WHO, action="membership.remove", reason="r", causes=CAUSE),)},
            (outcome(LEAVES), outcome(CLOSES)),
            False,
        ),
        ({"pending": (Pending(change=CLOSES, reason="hold"),)}, (outcome(LEAVES), outcome(CLOSES)), False),
    ],
)
def test_a_stage_of_which_something_is_left_is_not_done(
    more: dict[str, object], outcomes: tuple[Outcome, ...], unseen: bool
) -> None:
    open_ = [change_digest(CLOSES)] if unseen else []
    (mark,) = after([MARK], plan(LEAVES, CLOSES, **more), *outcomes, open_=open_)
    assert isinstance(mark, Mark)
    assert mark.done is None


def test_what_was_sent_counts_as_an_effect_and_what_failed_does_not() -> None:
    results: dict[Result, bool] = {
        "applied": True, "settling": True, "not_effective": True, "failed": False, "already": False,
        "superseded": False, "not_attempted": False,
    }  # fmt: skip
    effect = Effect(address=CLOSES.address, before={"status": "active"}, after={"status": "suspended"})
    for result, counts in results.items():
        (mark,) = after([MARK], plan(CLOSES), outcome(CLOSES, result))
        assert isinstance(mark, Mark)
        assert mark.effects == ((effect,) if counts else ()), result
    (mark,) = after([MARK], plan(CLOSES), outcome(CLOSES, "not_attempted"), open_=[change_digest(CLOSES)])
    assert isinstance(mark, Mark)
    assert mark.effects == (effect,)


def test_an_effect_keeps_what_was_before_the_first_of_its_kind() -> None:
    first = Effect(address=CLOSES.address, before={"status": "deactivated"}, after={"status": "active"})
    (mark,) = after([msgspec.structs.replace(MARK, effects=(first,))], plan(CLOSES), outcome(CLOSES))
    assert isinstance(mark, Mark)
    (effect,) = mark.effects
    assert (effect.before, effect.after) == ({"status": "deactivated"}, {"status": "suspended"})


def test_tokens_leave_no_effect_that_could_be_taken_back() -> None:
    token = TokenRevoke(address=f"token/{WHO}/t", user=WHO, directory="default", causes=CAUSE, token="t")
    (mark,) = after([MARK], plan(token), outcome(token))
    assert isinstance(mark, Mark)
    assert (mark.effects, mark.done) == ((), LATER)


def test_what_is_handed_off_is_an_effect_that_was_asked_for() -> None:
    handoffs = (
        Handoff(address=f"user/{WHO}", user=WHO, action="user.deactivate", reason="r", causes=CAUSE),
        Handoff(address=f"membership/g/{WHO}", user=WHO, action="membership.remove", reason="r", causes=CAUSE),
        Handoff(address=f"token/{WHO}", user=WHO, action="tokens.revoke", reason="r", causes=CAUSE),
    )
    (mark,) = after([MARK], plan(handoffs=handoffs))
    assert isinstance(mark, Mark)
    assert mark.effects == (
        Effect(address=f"user/{WHO}", before={"status": "active"}, after={"status": "deactivated"}, asked=True),
        Effect(address=f"membership/g/{WHO}", before={"member": True}, after={"member": False}, asked=True),
    )
    assert after([mark], plan(handoffs=handoffs)) == [mark]


def test_an_end_takes_the_place_of_the_marks_and_keeps_effects_only_when_all_is_done() -> None:
    effect = Effect(address=CLOSES.address, before={"status": "active"}, after={"status": "suspended"})
    known = Known(status_by=date(2026, 1, 1))
    mark = msgspec.structs.replace(MARK, done=NOON, effects=(effect,), known=known)
    (done,) = after([mark], plan(lifecycle=(row("closed", reason="done"),)))
    assert done == Closed(user=WHO, policy="dormant", episode=1, at=LATER, why="done", effects=(effect,), known=known)
    (returned,) = after([mark], plan(lifecycle=(row("closed", reason="returned"),)))
    assert returned == Closed(user=WHO, policy="dormant", episode=1, at=LATER, why="returned")
    (free,) = after([done], plan(lifecycle=(row("free", reason="no-longer-matching"),)))
    assert free == Closed(user=WHO, policy="dormant", episode=1, at=LATER, why="no-longer-matching")
    (again,) = after([free], plan(lifecycle=(row("entered", episode=2),)))
    assert isinstance(again, Mark)
    assert again.episode == 2


def test_who_got_back_what_a_policy_took_leaves_its_stages_and_no_others() -> None:
    other = msgspec.structs.replace(MARK, policy="other")
    hold = Hold(user=WHO, policy="dormant", until=date(2026, 12, 1), why="restored")
    for why in ("restored", "rolled-back"):
        found = with_ended([MARK, other, hold], {(WHO, "dormant")}, why, LATER)
        ended = Closed(user=WHO, policy="dormant", episode=1, at=LATER, why=why)
        assert found == [other, hold, ended]


def test_marks_and_a_done_end_are_remembered_for_ever_and_other_ends_for_400_days() -> None:
    whys: tuple[Ended, ...] = ("done", "returned", "restored", "orphaned")
    lines: list[Remembered] = [MARK, *(Closed(user=why, policy="p", episode=1, at=NOON, why=why) for why in whys)]
    assert still_remembered(lines, NOON + timedelta(days=400)) == lines
    assert still_remembered(lines, NOON + timedelta(days=401)) == lines[:2]

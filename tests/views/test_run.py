"""What an apply did, and errors, as text."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cleanup_gitops.model.change import GroupModifiable, MemberIs, Need, NotSeenAfter, StatusIs
from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval, Result
from cleanup_gitops.policy.problems import PolicyError, Problem
from cleanup_gitops.runner.later import Left
from cleanup_gitops.views.problems import render_problem
from cleanup_gitops.views.run import render_run
from cleanup_gitops.views.words import no_longer
from tests.golden import check
from tests.views import plans

GOLDEN = Path(__file__).parent / "golden"
COMMIT = "9d3c1e0f5b7a9d3c1e0f5b7a9d3c1e0f5b7a9d3c"


def test_runs_read_as_agreed() -> None:
    plan = plans.usual()
    done = [plans.outcome(change, "applied", verified=plans.CREATED) for change in plan.changes[:4]]
    good = [*done, plans.outcome(plan.changes[4], "already")]
    stopped = [
        plans.outcome(plan.changes[0], "applied", verified=plans.CREATED),
        *(plans.outcome(one, "not_attempted", "the site stopped answering") for one in plan.changes[1:]),
    ]
    approval, auto = plans.approval(plan), plans.approval(plan, "auto")
    empty = plans.empty()
    texts = {
        "good": render_run(plan, good, approval, COMMIT, plans.PEOPLE),
        "mixed": render_run(plan, plans.mixed_run(plan), approval, COMMIT, plans.PEOPLE),
        "stopped": render_run(plan, stopped, auto, "", plans.PEOPLE),
        "standing": standing_run(plan),
        "nothing": render_run(empty, [], plans.approval(empty, "auto"), COMMIT),
    }
    for name, text in texts.items():
        check(GOLDEN / f"run-{name}.txt", text)
    assert {path.name for path in GOLDEN.glob("run-*")} == {f"run-{name}.txt" for name in texts}


def standing_run(plan: Plan) -> str:
    """Two rows under standing approvals, and one left for each reason."""
    why = ("soak", "recorded as pending"), ("daily-maximum", "the changes of this day are used up: 2 for dormant")
    left = [
        Left(change, code, text, plans.CREATED + timedelta(hours=24))  # type: ignore[arg-type]
        for change, (code, text) in zip(plan.changes[2:], why, strict=False)
    ]
    left.append(Left(plan.changes[4], "not-approved", "no approval of leavers counts"))
    approval = Approval(kind="standing", by="SHA256:ada SHA256:ben", at=plan.created, ref=plan.envelope)
    done = [plans.outcome(change, "applied", verified=plans.CREATED) for change in plan.changes[:2]]
    told = ["leavers has no standing approval: there is no tag approve/9c1e. Somebody approves it with: git tag …"]
    return render_run(plan, done, approval, COMMIT, plans.PEOPLE, left=left, to_approve=told)


def test_a_run_with_nothing_due_says_that_and_names_no_key() -> None:
    plan = plans.usual()
    approval = Approval(kind="standing", by="", at=plan.created, ref=plan.envelope)
    text = render_run(plan, [], approval, COMMIT, left=[Left(one, "soak", "why") for one in plan.changes])
    assert "Apply complete! Nothing is due on acme; 5 changes left for later.\n" in text
    assert "Approved:" not in text
    assert "Next:" not in text


def test_a_run_for_which_nothing_is_approved_does_not_call_itself_complete() -> None:
    plan = plans.usual()
    approval = Approval(kind="standing", by="", at=plan.created, ref=plan.envelope)
    text = render_run(plan, [], approval, COMMIT, left=[Left(one, "not-approved", "why") for one in plan.changes])
    assert "\nNothing was applied: nothing is approved on acme; 5 changes left for later.\n" in text
    assert "complete" not in text


def test_what_an_earlier_run_has_sent_is_told_with_when_and_how_to_go_on() -> None:
    plan = plans.usual()
    left = [
        Left(plan.changes[0], "settling", "run 1 sent this", plans.CREATED + timedelta(minutes=5)),
        Left(plan.changes[1], "settling", "waits for the user's other changes", plans.CREATED + timedelta(minutes=5)),
        Left(plan.changes[2], "doubtful", "run 2 may have done this"),
    ]
    text = render_run(plan, [], plans.approval(plan), COMMIT, left=left)
    at = f"{plans.CREATED + timedelta(minutes=5):%Y-%m-%d %H:%M} UTC"
    assert "Sent by an earlier run, and may still show:\n" in text
    assert f"{plan.changes[0].address}" in text
    assert f": run 1 sent this, due from {at}\n" in text
    assert "Perhaps done by an earlier run and undone by others, so only a saved plan does it:\n" in text
    assert "Apply complete! Nothing is due on acme; 3 changes left for later.\n" in text
    assert f"Next: For what may still show, apply the same plan again after {at}: what shows by then is not" in text
    assert "Next: Look whether others changed these users back; then make a plan and have it reviewed.\n" in text


def test_a_seat_that_is_not_freed_yet_is_told_with_its_day_once() -> None:
    plan = plans.usual()
    why = "dormant frees seats from 2026-11-28 on"
    left = [Left(plan.changes[0], "billing-day", why, plans.CREATED + timedelta(days=5))]
    assert f": {why}\n" in render_run(plan, [], plans.approval(plan), COMMIT, left=left)


def test_every_outcome_that_needs_a_look_is_listed_with_its_reason() -> None:
    plan = plans.usual()
    changes = plan.changes[0]
    results: list[Result] = ["failed", "not_effective", "not_attempted", "superseded", "settling"]
    for result in results:
        text = render_run(plan, [plans.outcome(changes, result, "a reason")], plans.approval(plan), COMMIT)
        assert f"* {changes.address} was to be suspended: a reason\n" in text


def test_what_needs_a_look_comes_in_the_order_of_the_plan() -> None:
    plan = plans.usual()
    outcomes = [plans.outcome(one, "not_attempted", "the run was interrupted") for one in reversed(plan.changes)]
    text = render_run(plan, outcomes, plans.approval(plan), COMMIT, unread="the run was interrupted.")
    listed = [line.split()[1] for line in text.splitlines() if line.startswith("  * ")]
    assert listed == [one.address for one in plan.changes]
    assert "could not be read" not in text  # nobody tried
    assert "There is no later reading that counts: the run was interrupted." in text


def test_only_what_a_rollback_reached_is_left_alone_for_a_while() -> None:
    plan = plans.rollback()
    assert plan.rollback is not None
    plan = replace(plan, rollback=replace(plan.rollback, irreversible=()))
    assert plan.rollback is not None
    told = f"the policies of run {plan.rollback.run} leave these users alone"
    cases: list[tuple[Result, bool]] = [("applied", True), ("already", True), ("settling", True), ("failed", False)]
    for result, said in cases:
        text = render_run(plan, [plans.outcome(plan.changes[0], result)], plans.approval(plan), COMMIT)
        assert (told in text) is said


def test_whom_a_rollback_cannot_help_is_left_alone_too() -> None:
    plan = plans.nothing_to_roll_back()
    undo = plan.rollback
    assert undo is not None
    told = f"Until 2026-12-06 the policies of run {undo.run} leave these users alone"
    assert told not in render_run(plan, [], plans.approval(plan), COMMIT)
    holds = {one.user: ("dormant-members",) for one in undo.irreversible}
    plan = replace(plan, rollback=replace(undo, holds=holds))
    assert told in render_run(plan, [], plans.approval(plan), COMMIT)


def test_only_unfinished_rows_make_a_run_incomplete() -> None:
    plan = plans.usual()
    unfinished: list[Result] = ["failed", "not_effective", "not_attempted", "settling"]
    finished: list[Result] = ["applied", "already", "superseded"]
    for result in unfinished:
        outcomes = [plans.outcome(plan.changes[0], result)]
        text = render_run(plan, outcomes, plans.approval(plan), COMMIT)
        assert "Apply incomplete:" in text
    for result in finished:
        outcomes = [plans.outcome(plan.changes[0], result)]
        text = render_run(plan, outcomes, plans.approval(plan), COMMIT)
        assert "Apply complete!" in text


def test_what_nobody_approved_yet_and_a_site_that_could_not_be_read_again_are_said() -> None:
    plan = plans.usual()
    text = render_run(
        plan, [], plans.approval(plan), COMMIT, not_approved=plan.changes[:1], unread="The site answered 503."
    )
    assert f"left for the next approval):\n  * {plan.changes[0].address}" in text
    assert "There is no later reading that counts: The site answered 503.\n" in text
    assert "Next: Make a new plan for what was not approved." in text


def test_where_a_run_is_recorded_and_what_others_had_changed_before_it_is_said() -> None:
    plan = plans.usual()
    drift = "Since the snapshot of 2026-11-21 07:17 UTC, not by us: 1 account changed (recorded apart, commit 5e6f)."
    text = render_run(plan, [], plans.approval(plan), COMMIT, place="origin/state", found=[drift])
    assert text.startswith(f"{drift}\nApply complete!")
    assert f"Recorded: commit {COMMIT}, state/acme/ in origin/state.\n" in text


@pytest.mark.case("F12")
def test_a_run_that_was_recovered_says_what_is_in_effect_and_how_to_go_on() -> None:
    plan = plans.usual()
    good = plans.outcome(plan.changes[0], "applied", verified=plans.CREATED)
    bad = plans.outcome(plan.changes[1], "not_attempted", "not in effect when the run was recovered")
    texts = {
        kind: render_run(plan, [good, bad], plans.approval(plan, kind), COMMIT, recovered="20261122T091500Z-1c2d")
        for kind in ("plan", "auto")
    }
    for kind, again in (("plan", "apply the same plan again"), ("auto", "plan and apply again")):
        assert "Run 20261122T091500Z-1c2d recovered: 1 of 2 changes are not in effect.\n" in texts[kind]
        assert f"Next: For what was not attempted, {again}: what is done is not repeated." in texts[kind]
    whole = render_run(plan, [good], plans.approval(plan), COMMIT, recovered="20261122T091500Z-1c2d")
    assert "recovered: all that it meant to do is in effect, or no longer to be done." in whole


def test_a_run_without_a_commit_says_that_it_is_not_recorded() -> None:
    plan = plans.usual()
    text = render_run(plan, [], plans.approval(plan), "")
    assert "Recorded: not in git." in text
    assert "Next: Find out why the record is not in git" in text


@pytest.mark.parametrize(
    ("need", "text"),
    [
        (StatusIs("active"), "the account is no longer active"),
        (MemberIs("g", True), "the account had already left the group"),
        (MemberIs("g", False), "the account had already joined the group"),
        (NotSeenAfter("any", None), "the user has come back"),
        (GroupModifiable("g"), "the group's members can no longer be changed here"),
    ],
)
def test_a_dropped_row_says_which_need_no_longer_held(need: Need, text: str) -> None:
    plan = plans.usual()
    outcomes = [plans.outcome(plan.changes[0], "superseded", unmet=(need,))]
    assert no_longer(need) == text
    assert f"was to be suspended: {text}\n" in render_run(plan, outcomes, plans.approval(plan), COMMIT)


@pytest.mark.case("E80")
def test_hostile_texts_in_a_run_stay_in_their_line() -> None:
    plan = plans.usual()
    bad = "\n::error::x\x1b[2J"
    people = People({plans.ADA: Person(bad)})
    text = render_run(plan, [plans.outcome(plan.changes[0], "failed", bad)], plans.approval(plan), COMMIT, people)
    assert "(\\n::error::x\\x1b[2J)" in text
    assert "\x1b" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_errors_say_what_happened_and_what_to_do() -> None:
    error = CredentialError("ATLASSIAN_ORG_API_KEY is not set.", "Set it and run the command again.")
    assert render_problem(error) == ("Error: ATLASSIAN_ORG_API_KEY is not set.\n  Set it and run the command again.\n")
    assert render_problem(error, colour=True).startswith("\x1b[1;31mError:\x1b[0m ATLASSIAN")
    assert render_problem(SiteError("No route.")) == "Error: No route.\n"
    assert render_problem(IncompleteReadingError("")) == "Error: IncompleteReadingError\n"


def test_errors_of_several_lines_are_indented_and_harmless() -> None:
    text = render_problem(SiteError("The site said:\n::error::x\x1b[2J", "one\ntwo"))
    assert text == "Error: The site said:\n  \\x3a:error::x\\x1b[2J\n  one\n  two\n"


def test_policy_problems_come_one_a_line_with_their_count() -> None:
    error = PolicyError(
        [
            Problem("policies/b.yaml", 7, 3, "unknown key"),
            Problem("policies/a.yaml", 1, 1, "no document\n::error::x"),
        ]
    )
    assert render_problem(error) == (
        "Error: 2 problems in the policies. Nothing was done.\n"
        "policies/a.yaml:1:1: no document\\n::error::x\n"
        "policies/b.yaml:7:3: unknown key\n"
    )
    one = PolicyError([Problem("::x", 1, 1, "odd")])
    assert render_problem(one) == "Error: 1 problem in the policies. Nothing was done.\n\\x3a:x:1:1: odd\n"

"""Apply, roll back, hold, and go on: over real HTTP and real git."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from tests.cli.workspace import Workspace

SUSPEND = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: long-idle, owner: iam@acme.com, why: seats}
spec:
  match:
    all:
      - inactive_for: {for: 200d, product: any}
  ensure:
    status: suspended
"""
ROOMY = """\
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: roomy, owner: iam@acme.com}
spec:
  caps:
    user.disable: {max: 100, percent: 100}
    user.enable: {max: 100, percent: 100}
    membership.add: {max: 100, percent: 100}
    membership.remove: {max: 100, percent: 100}
    total: {max: 200, percent: 100}
  grace: 14d
"""


def states(workspace: Workspace) -> dict[str, tuple[object, ...]]:
    """What a rollback is to bring back: status and groups of everybody."""
    users = json.loads(workspace.run("users", "--format", "json", "--columns", "id,status,groups").out)
    rows = users["rows"] if isinstance(users, dict) else users
    return {one["id"]: (one["status"], tuple(sorted(group["id"] for group in one["groups"] or ()))) for one in rows}


def last_run(workspace: Workspace) -> str:
    return str(json.loads(workspace.run("status", "--format", "json").out)["recorded"]["run"])


@pytest.fixture
def applied(workspace: Workspace) -> tuple[Workspace, str, dict[str, tuple[object, ...]]]:
    """A workspace whose policies have been applied, the name of the run, and what was before it."""
    workspace.policy("long-idle.yaml", SUSPEND)
    workspace.policy("guardrails.yaml", ROOMY)
    before = states(workspace)
    assert workspace.run("apply", "--auto-approve").code == 0
    return workspace, last_run(workspace), before


def days_from_now(days: int) -> str:
    return (SystemClock().now() + timedelta(days=days)).date().isoformat()


@pytest.mark.slow
def test_a_run_is_taken_back_and_its_policies_wait_until_the_hold_ends(
    applied: tuple[Workspace, str, dict[str, tuple[object, ...]]], tmp_path: Path
) -> None:
    workspace, run, before = applied
    now = states(workspace)
    hit = {user for user in before if before[user] != now[user]}
    assert {now[user][0] for user in hit} >= {"suspended"}
    plan = tmp_path / "undo.json"
    made = workspace.run("rollback", run, "--out", str(plan))
    assert made.code == 0, made.err
    assert f"This plan undoes run {run} of " in made.out
    assert f"apply {plan}" in made.err
    writes = len(workspace.writes())
    assert states(workspace) == now
    done = workspace.run("apply", str(plan))
    assert done.code == 0, done.out + done.err
    assert len(workspace.writes()) > writes
    assert states(workspace) == before
    assert workspace.kinds()[-2:] == ["intent", "rollback"]
    held = workspace.run("plan")
    assert held.code == 0, held.out
    assert "left alone for now.\n" in held.out
    assert "No changes. But acme does not match all of its policies" in held.out
    assert f"held until {days_from_now(14)} after the rollback of {run}" in held.out
    assert workspace.run("apply", "--auto-approve").code == 0
    assert states(workspace) == before
    shown = workspace.run("status")
    assert f"on hold after a rollback: {len(hit)} users, until {days_from_now(14)} at the latest" in shown.out
    assert suspended_by(workspace, days_from_now(14)) == set()
    assert suspended_by(workspace, days_from_now(15)) == {user for user in hit if now[user][0] == "suspended"}
    later = json.loads(workspace.run("plan", "--as-of", days_from_now(120), "--format", "json").out)["changes"]
    assert {one["user"] for one in later} >= hit  # a seat that was given back counts as given on that day
    assert workspace.run("audit", "verify").code == 0
    twice = workspace.run("rollback", run)
    assert "Nothing of run" in twice.out
    assert "was a rollback itself" in workspace.run("rollback", next_to_last(workspace)).err


def suspended_by(workspace: Workspace, day: str) -> set[str]:
    """Whom a plan for that day suspends."""
    plan = json.loads(workspace.run("plan", "--as-of", day, "--format", "json").out)
    return {one["user"] for one in plan["changes"] if one["action"] == "user.disable"}


def next_to_last(workspace: Workspace) -> str:
    """The name of the rollback, before the last run that had nothing to do."""
    found = workspace.git("log", "--format=%(trailers:key=Run-Id,valueonly,separator=)").split()
    return found[1]


def test_one_person_is_taken_back_alone(
    applied: tuple[Workspace, str, dict[str, tuple[object, ...]]], tmp_path: Path
) -> None:
    workspace, run, before = applied
    now = states(workspace)
    one, *others = sorted(user for user in before if before[user] != now[user])
    plan = tmp_path / "undo.json"
    assert workspace.run("rollback", run, "--user", one, "--out", str(plan)).code == 0
    done = workspace.run("apply", str(plan))
    assert done.code == 0, done.out + done.err
    after = states(workspace)
    assert after[one] == before[one]
    assert {user: after[user] for user in others} == {user: now[user] for user in others}
    assert "Not approved" not in done.out


@pytest.mark.slow
def test_what_somebody_undid_by_hand_is_not_done_again(
    applied: tuple[Workspace, str, dict[str, tuple[object, ...]]],
) -> None:
    workspace, run, before = applied
    now = states(workspace)
    one = min(user for user in before if now[user][0] == "suspended" != before[user][0])
    person = next(user for user in workspace.box.world.users if user.id == one)
    person.directories["default"] = "active"
    workspace.box.refresh()
    held = workspace.run("plan")
    assert f"held until {days_from_now(14)}: others undid what {run} had done" in held.out
    assert workspace.run("apply", "--auto-approve").code == 0
    assert states(workspace)[one][0] == "active"
    memory = (workspace.folder / "state/acme/memory.jsonl").read_text().splitlines()
    kept = [json.loads(line) for line in memory]
    assert [(line["user"], line["why"]) for line in kept if line["kind"] == "hold"] == [(one, "restored")]
    assert [len(line["days"]) for line in kept if line["kind"] == "flap"] == [1]
    assert "No changes." in workspace.run("plan").out


@pytest.mark.parametrize("first", [(), pytest.param(("--no-record",), marks=pytest.mark.slow)])
def test_the_end_of_a_hold_is_fixed_by_the_first_record_of_what_others_undid(
    applied: tuple[Workspace, str, dict[str, tuple[object, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    first: tuple[str, ...],
) -> None:
    workspace, run, before = applied
    now = states(workspace)
    one = min(user for user in before if now[user][0] == "suspended" != before[user][0])
    next(user for user in workspace.box.world.users if user.id == one).directories["default"] = "active"
    workspace.box.refresh()
    told = workspace.run("drift", *first)
    assert told.code == 0, told.err
    assert "Others undid what runs had done to 1 user: " in told.out
    assert (f"alone until {days_from_now(14)}." in told.out) is not bool(first)
    assert workspace.run("audit", "verify").code == 0
    recorded = days_from_now(14)
    real = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: real(self) + timedelta(days=3))
    until = days_from_now(14) if first else recorded
    assert f"held until {until}: others undid what {run} had done" in workspace.run("plan").out
    again = workspace.run("drift")
    assert ("Others undid" in again.out) is bool(first)
    document = json.loads(workspace.run("status", "--format", "json").out)
    assert [(hold["user"], hold["until"], hold["why"]) for hold in document["recorded"]["holds"]] == [
        (one, until, "restored")
    ]


def test_a_plan_that_takes_a_run_back_over_its_limits_says_where_it_is_and_how_it_is_made_anew(
    applied: tuple[Workspace, str, dict[str, tuple[object, ...]]], tmp_path: Path
) -> None:
    workspace, run, _ = applied
    workspace.policy("guardrails.yaml", ROOMY.replace("total: {max: 200, percent: 100}", "total: {max: 1}"))
    plan = tmp_path / "undo.json"
    made = workspace.run("rollback", run, "--out", str(plan))
    assert made.code == 3
    assert f"plan again with `cleanup-gitops rollback {run}`" in made.out
    assert f"The plan was saved to {plan}. It is unsafe, so it cannot be applied." in made.err
    refused = workspace.run("apply", str(plan))
    assert refused.code == 4
    assert f"Make a new plan with `cleanup-gitops rollback {run} --out undo.json`" in refused.err


@pytest.mark.slow
def test_a_run_that_nobody_recorded_cannot_be_taken_back(workspace: Workspace) -> None:
    said = workspace.run("rollback", "20260101T000000Z-00000000")
    assert said.code == 1
    assert "There is no record of a run 20260101T000000Z-00000000 of acme." in said.err
    assert workspace.run("apply", "--auto-approve").code == 0
    stranger = workspace.run("rollback", last_run(workspace), "--user", "712020:nobody")
    assert stranger.code == 1
    assert "changed nothing of 712020:nobody" in stranger.err

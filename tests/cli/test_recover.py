"""`recover` and what other commands say about a run that was cut off, over real HTTP and real git."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter

import pytest

from cleanup_gitops.runner.workers import CREW
from tests import canaries
from tests.cli.workspace import DORMANT, ROOMY, Workspace
from tests.patience import STALLED, until


def begun(workspace: Workspace) -> tuple[subprocess.Popen[str], str]:
    """An apply whose first changes are under way, and the name of the run."""
    workspace.policy("guardrails.yaml", ROOMY)
    workspace.policy("dormant.yaml", DORMANT.replace("90d", "30d"))
    workspace.fault(kind="slow", seconds=5.0, match={"method": "DELETE", "times": CREW.number})
    command = [sys.executable, "-m", "cleanup_gitops", "-C", str(workspace.folder), "apply", "--auto-approve"]
    before = len(workspace.writes())
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: len(workspace.writes()) >= before + 2)
    (lease,) = (workspace.folder / "state" / "acme" / "leases").iterdir()
    return process, str(json.loads(lease.read_text())["run"])


def removals(workspace: Workspace) -> Counter[str]:
    """Who was removed from which group, and how often."""
    return Counter(str(one.about) for one in workspace.box.world.events if one.action == "user_removed_from_group")


def killed(workspace: Workspace) -> str:
    """An apply that is killed while its first changes are under way; the name of the run."""
    process, run = begun(workspace)
    process.kill()
    process.communicate(timeout=STALLED)
    return run


@pytest.mark.slow
@pytest.mark.case("F12")
def test_it_is_told_whether_the_process_of_an_open_run_lives_where_that_can_be_known(workspace: Workspace) -> None:
    process, run = begun(workspace)
    process.send_signal(signal.SIGSTOP)  # it lives as long as this test looks
    living = workspace.run("recover")
    looked = [workspace.run(*command) for command in (("status",), ("status", "--format", "json"), ("plan",))]
    process.kill()
    process.communicate(timeout=STALLED)
    assert "\nIts process lives on this machine.\n" in living.out
    wait_for_it = "Wait until it ends. Should it not, end its process, and then the run with: "
    assert f"{wait_for_it}cleanup-gitops recover {run} --site acme\n" in living.out
    assert "\nIts process lives on this machine.\n" in looked[0].out
    (lease,) = json.loads(looked[1].out)["recorded"]["leases"]
    assert lease["process_lives"] is True
    assert "Its process lives on this machine." in looked[2].err
    dead = workspace.run("recover")
    assert "\nIts process has ended: the run was cut off.\n" in dead.out
    assert f"\nEnd the run with: cleanup-gitops recover {run} --site acme\n" in dead.out
    journal = workspace.folder / ".cleanup-gitops" / "acme" / f"{run}.journal.jsonl"
    journal.rename(workspace.folder.with_name("elsewhere"))
    unknown = workspace.run("recover")
    assert "Whether its process lives is not known here: it began on another machine or in another clone." in (
        unknown.out
    )
    assert "none is here, so the site alone will tell" in unknown.out
    assert f"If it no longer works, end it with: cleanup-gitops recover {run}" in unknown.out


@pytest.mark.slow
@pytest.mark.case("F12", "E65", "E78")
def test_a_run_that_was_killed_is_told_ended_and_the_rest_done_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SERVER_URL": "https://github.com", "REPOSITORY": "acme/people", "RUN_ID": "7"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    run = killed(workspace)
    refused = workspace.run("apply", "--auto-approve")
    assert refused.code == 6
    assert " at https://github.com/acme/people/actions/runs/7, since " in refused.err
    assert f"run {run} of acme by {workspace.box.runner_account}, process " in refused.err
    assert f"`cleanup-gitops recover {run} --site acme`" in refused.err
    assert "A run is under way or was cut off:" in workspace.run("status").out
    document = json.loads(workspace.run("status", "--format", "json").out)
    assert [one["run"] for one in document["recorded"]["leases"]] == [run]
    assert f"Warning: a run is under way or was cut off: run {run}" in workspace.run("plan").err
    listed = workspace.run("recover")
    assert listed.code == 0
    assert f"Directory default: run {run} of acme" in listed.out
    assert f"Journal of what it sent: it is here: .cleanup-gitops/acme/{run}.journal.jsonl." in listed.out
    journal = workspace.folder / ".cleanup-gitops" / "acme" / f"{run}.journal.jsonl"
    noted = journal.read_text()
    assert [json.loads(line).get("event") for line in noted.splitlines()].count("sending") <= CREW.number
    before = len(workspace.writes())
    ended = workspace.run("recover", run)
    assert ended.code == 5, ended.out + ended.err
    assert "This run began only" not in ended.err  # its journal is here, and nobody works on the site
    assert f"Run {run} recovered: " in ended.out
    assert not journal.exists()
    again = workspace.run("recover", run)
    assert again.code == 1
    assert f"Run {run} of acme is recorded already, by a recovery" in again.err
    assert len(workspace.writes()) == before
    applied = workspace.run("apply", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    assert workspace.kinds() == ["intent", "recovery", "intent", "run"]
    planned = workspace.run("plan").out
    late = planned.count("and is not sent again before")  # what was under way when the run was killed may still show
    assert late <= CREW.number
    assert ("No changes." in planned) == (not late)
    assert not late or "left for later" in applied.out
    asked = len(set(workspace.writes()))
    until(lambda: len(removals(workspace)) == asked)
    assert asked > CREW.number
    assert set(removals(workspace).values()) == {1}  # what was under way may have been asked for again
    assert workspace.run("recover").out == "Nothing to recover: every run that began has been recorded.\n"
    assert workspace.run("audit", "verify").code == 0
    said = "".join(one.out + one.err for one in (refused, listed, ended, again, applied))
    told = said + noted + workspace.git("log", "-p")
    assert canaries.found(told) == []
    assert workspace.box.user_email not in told


@pytest.mark.slow
@pytest.mark.case("F1", "F12")
def test_while_a_run_is_open_no_plan_proposes_to_lift_a_guard_of_the_reading(workspace: Workspace) -> None:
    workspace.policy("guardrails.yaml", ROOMY)
    workspace.policy("dormant.yaml", DORMANT.replace("90d", "300d"))
    assert workspace.run("apply", "--auto-approve").code == 0
    first = str(json.loads(workspace.run("status", "--format", "json").out)["recorded"]["run"])
    run = killed(workspace)
    for user in workspace.box.world.users[::3]:
        if user.id != workspace.box.runner_account and not user.platform_roles:
            user.directories.clear()
            user.groups.clear()
            user.roles.clear()
    for said in (workspace.run("plan"), workspace.run("rollback", first)):
        assert said.code == 3, said.err
        assert f"* reading:drop: `cleanup-gitops recover {run} --site acme` ends the run that is open" in said.out
        assert "guard: reading.max_drop" not in said.out
        assert f"Warning: a run is under way or was cut off: run {run}" in said.err


def test_a_run_that_is_not_open_cannot_be_recovered(workspace: Workspace) -> None:
    said = workspace.run("recover", "20261122T091500Z-1c2d3e4f")
    assert said.code == 1
    assert "No run 20261122T091500Z-1c2d3e4f of acme is open." in said.err
    assert workspace.run("recover", "--outcomes", "kept.jsonl").code == 1
    assert workspace.kinds() == []


@pytest.mark.case("E77", "F12")
def test_a_result_that_cannot_be_committed_is_kept_with_the_command_that_records_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = workspace.folder.with_name("remote.git")
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    workspace.git("remote", "add", "origin", str(remote))
    workspace.git("push", "-q", "-u", "origin", "HEAD")
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nread old new ref; git log -1 --format=%B $new | grep -q '^Kind: intent' || exit 1\n")
    hook.chmod(0o755)
    monkeypatch.chdir(workspace.folder)
    said = workspace.run("apply", "--auto-approve")
    assert said.code == 5, said.out + said.err
    assert "Recorded: not in git." in said.out
    typed = said.err.partition("record them with: ")[2].splitlines()[0]
    program, *arguments = typed.split()
    assert program == "cleanup-gitops"
    hook.unlink()
    again = workspace.run("apply", "--auto-approve")
    assert again.code == 6, again.err
    before = workspace.writes()
    ended = workspace.run(*arguments[2:])
    assert ended.code == 0, ended.out + ended.err
    assert "is in effect, or no longer to be done" in ended.out
    assert " in origin/" in ended.out
    assert workspace.writes() == before
    assert len(set(before)) == len(before) > 2
    assert workspace.kinds() == ["intent", "recovery"]


@pytest.mark.case("E84")
def test_a_snapshot_of_another_version_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("cleanup_gitops.cli.commands.apply.__version__", "0.0.1")
        assert workspace.run("apply", "--auto-approve").code == 0
    assert "the last snapshot is by version 0.0.1" in workspace.run("status").out

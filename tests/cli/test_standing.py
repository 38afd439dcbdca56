"""Standing approvals over real HTTP, with real git and real keys: a tag, a day to object, a maximum a day."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from tests.cli.workspace import DORMANT, SITE, Workspace
from tests.ledger.approvers import People

STANDING = DORMANT.replace("spec:\n", "spec:\n  approval: standing\n  standing: {max_per_day: 2}\n")
Later = Callable[[timedelta], None]


@pytest.fixture
def people(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> People:
    """A policy by somebody of the workspace that wants a standing approval; Ben may give it."""
    folder = tmp_path_factory.mktemp("people")
    people = People(folder, workspace.folder, dict(os.environ))
    monkeypatch.setenv("APPROVERS", str(people.approvers))
    people.allow("ben")
    people.allow("tester", "tester@localhost")
    values = {
        "url": workspace.box.url,
        "organization": workspace.box.org_id,
        "directory": "default",
        "runner": workspace.box.runner_account,
    }
    workspace.policy("site.yaml", SITE.format(**values) + "  approvers: {env: APPROVERS}\n")
    workspace.policy("dormant.yaml", STANDING)
    return people


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Let so much time pass for the commands; the site does not notice."""
    passed = timedelta()
    real = SystemClock.now

    def go_on(span: timedelta) -> None:
        nonlocal passed
        passed += span

    def now(self: SystemClock) -> datetime:
        return real(self) + passed

    monkeypatch.setattr(SystemClock, "now", now)
    return go_on


@pytest.mark.slow
@pytest.mark.case("E55", "F6", "F8")
def test_a_policy_is_approved_waits_and_is_carried_out_up_to_its_daily_maximum(
    workspace: Workspace, people: People, later: Later
) -> None:
    refused = workspace.run("apply", "--standing")
    assert refused.code == 4
    assert "No policy that asks for something is approved" in refused.err
    typed = re.search(r"git -c gpg.format=ssh tag -u \S+ -m 'Approve dormant' (approve/[0-9a-f]{64})\n", refused.err)
    assert typed
    number = re.search(r"nothing is approved on acme; (\d+) changes left for later", refused.out)
    assert number
    assert f"acme: nothing done, {number[1]} left for later ({number[1]} not approved)" in workspace.git("log", "-1")
    assert f"nothing done, {number[1]} left for later" in workspace.run("status").out
    assert "no approval of dormant counts" in refused.out
    people.approve(by="tester")
    own = workspace.run("apply", "--standing")
    assert own.code == 4
    assert "made by an author of the policy" in own.err
    assert "tester@localhost" not in own.out + own.err
    people.git("tag", "-d", typed[1])
    assert people.approve(by="ben") == typed[1]

    early = workspace.run("apply", "--standing")
    assert early.code == 0, early.err
    assert f"Nothing is due on acme; {number[1]} changes left for later." in early.out
    assert f"acme: nothing done, {number[1]} left for later ({number[1]} soak)" in workspace.git("log", "-1")
    assert "Pending for too short a time, so that people can object:" in early.out
    assert workspace.writes() == []
    assert "standing approval: pending since" in workspace.run("plan").out

    later(timedelta(hours=24))
    assert "standing approval: due" in workspace.run("plan").out
    done = workspace.run("apply", "--standing")
    assert done.code == 0, done.err
    assert re.search(r"0 added, 0 changed, 2 removed on acme; \d+ changes left for later\.", done.out)
    counted = r"acme: 2 memberships removed, 0 failed, \d+ left for later \(\d+ daily maximum"
    assert re.search(counted, workspace.git("log", "-1"))
    assert "Over what their policies may do on this day:" in done.out
    assert f"Approved: policy by policy, with the key {people.approval(SystemClock().now()).by}." in done.out
    assert len(workspace.writes()) == 2
    again = workspace.run("apply", "--standing")
    assert again.code == 0
    assert len(workspace.writes()) == 2

    assert workspace.kinds() == ["run", "run", "run", "intent", "run", "run"]
    assert workspace.run("audit", "verify").code == 0
    (path,) = workspace.git("ls-files", "state/acme/runs/*/intent.json").split()
    rows = (workspace.folder / path).with_name("outcomes.jsonl").read_text().splitlines()
    told = [json.loads(row)["approval"] for row in rows]
    assert [(one["kind"], one["ref"], one["by"][:7]) for one in told] == [("standing", typed[1], "SHA256:")] * 2
    recorded = workspace.git("log", "-p", "--", "state")
    assert "tester@localhost" not in recorded
    assert "ben@acme.example" not in recorded
    assert f"Approved-by: {told[0]['by']}" in recorded


@pytest.mark.case("F8")
def test_a_policy_that_was_changed_after_its_approval_does_nothing_until_it_is_approved_again(
    workspace: Workspace, people: People, later: Later
) -> None:
    people.approve(by="ben")
    workspace.run("apply", "--standing")
    workspace.policy("dormant.yaml", STANDING.replace("max_per_day: 2", "max_per_day: 1"))
    later(timedelta(hours=24))
    assert workspace.run("apply", "--standing").code == 4
    people.approve(by="ben")
    later(timedelta(hours=23))
    assert workspace.run("apply", "--standing").code == 0
    assert workspace.writes() == []  # the rows are the same, but nobody could object to the policy as it is now
    later(timedelta(hours=1))
    assert workspace.run("apply", "--standing").code == 0
    assert len(workspace.writes()) == 1


@pytest.mark.usefixtures("people")
def test_approvers_that_are_not_known_stop_a_run_and_only_warn_a_plan(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APPROVERS")
    said = workspace.run("apply", "--standing")
    assert said.code == 1
    assert "The environment variable APPROVERS is not set" in said.err
    planned = workspace.run("plan")
    assert planned.code == 0
    assert "Which policies have a standing approval is not known here." in planned.out


@pytest.mark.parametrize("arguments", [(), ("--standing", "--auto-approve"), ("plan.json", "--standing")])
def test_one_way_of_approving_is_named(workspace: Workspace, arguments: tuple[str, ...]) -> None:
    said = workspace.run("apply", *arguments)
    assert said.code == 1
    assert "Give either a saved plan, or --auto-approve, or --standing, or --due." in said.err


@pytest.mark.slow
def test_a_job_that_runs_often_waits_for_the_schedule_and_leaves_one_record_a_day(
    workspace: Workspace, people: People, later: Later
) -> None:
    rare = "spec:\n  schedule: {cron: ['0 0 29 2 *'], time_zone: Europe/Oslo}\n"
    workspace.policy("dormant.yaml", STANDING.replace("spec:\n", rare))
    people.approve(by="ben")
    assert "Pending for too short a time" in workspace.run("apply", "--due").out
    later(timedelta(hours=24))
    waits = workspace.run("apply", "--due")
    assert waits.code == 0, waits.err
    assert "Not a time of their policies' schedules:" in waits.out
    assert re.search(r"dormant acts next at \d{4}-02-29 00:00 Europe/Oslo, due from \d{4}-02-28 23:00 UTC", waits.out)
    assert "standing approval: dormant acts next at" in workspace.run("plan").out
    assert "Recorded: nothing new, and the day has a record." in workspace.run("apply", "--due").out
    assert workspace.writes() == []
    assert workspace.kinds() == ["run", "run"]  # one more person was newly pending on the second day
    assert workspace.run("audit", "verify").code == 0
    assert workspace.run("apply", "--due", "--standing").code == 1


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("how", ["mode: report", "until: 2026-01-31"])
def test_a_policy_that_does_nothing_needs_no_approval(workspace: Workspace, how: str) -> None:
    assert "dormant has no standing approval" in workspace.run("plan").out
    workspace.policy("dormant.yaml", STANDING.replace("spec:\n", f"spec:\n  {how}\n"))
    said = workspace.run("plan")
    assert said.code == 0, said.err
    assert "no standing approval" not in said.out

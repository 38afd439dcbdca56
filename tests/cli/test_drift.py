"""`drift`: what others changed since the last snapshot, over real HTTP and with real git."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.ledger.record import lease_bytes
from cleanup_gitops.model.run import Approval, Intent
from cleanup_gitops.sandbox.world import User
from tests.cli.workspace import Workspace
from tests.patience import STALLED


class Others:
    """The other administrators of the site, through its own API."""

    def __init__(self, workspace: Workspace) -> None:
        self.box = workspace.box
        self.directory = f"{self.box.url}/admin/v2/orgs/{self.box.org_id}/directories/default"
        httpx.post(
            f"{self.box.url}/_sandbox/options", json={"late": {}}, verify=False, timeout=STALLED
        ).raise_for_status()

    def call(self, method: str, path: str, **options: Any) -> None:  # noqa: ANN401 - handed on
        headers = {"Authorization": f"Bearer {self.box.org_api_key}"}
        httpx.request(
            method, f"{self.directory}/{path}", headers=headers, **options, verify=False, timeout=STALLED
        ).raise_for_status()

    def group(self, name: str) -> str:
        return next(one.id for one in self.box.world.groups if one.name == name)

    def someone(self, *, out_of: str = "", within: str = "") -> User:
        """An active member of one group, or of none of that name."""
        state = self.box.state
        return next(
            one
            for one in self.box.world.users
            if state.status(one) == "active"
            and one.id != self.box.runner_account
            and (not out_of or self.group(out_of) not in one.groups)
            and (not within or self.group(within) in one.groups)
        )


@pytest.fixture
def others(workspace: Workspace) -> Others:
    """The other administrators of a site of which there is a snapshot, made by an apply with nothing left to do."""
    found = Others(workspace)
    said = workspace.run("apply", "--auto-approve")
    assert said.code == 0, said.out + said.err
    return found


def differences(workspace: Workspace, *options: str) -> list[dict[str, Any]]:
    said = workspace.run("drift", "--format", "json", *options)
    assert said.code == 0, said.out + said.err
    found: list[dict[str, Any]] = json.loads(said.out)["differences"]
    return found


def head(workspace: Workspace) -> str:
    return workspace.git("rev-parse", "HEAD")


def test_what_nobody_changed_is_no_drift_and_no_commit(workspace: Workspace, others: Others) -> None:
    del others
    before = head(workspace)
    said = workspace.run("drift", "--detailed-exitcode")
    assert (said.code, head(workspace)) == (0, before), said.out + said.err
    assert said.out.startswith("No drift. acme is as it was recorded at ")
    assert "nothing, because nothing is new" in said.out


def test_exactly_what_others_did_is_listed_and_recorded_apart(workspace: Workspace, others: Others) -> None:
    joined, suspended = others.someone(out_of="team-001"), others.someone(within="confluence-users-acme")
    team, gone = others.group("team-001"), others.group("team-002")
    members = sorted(one.id for one in others.box.world.users if gone in one.groups)
    others.call("POST", f"groups/{team}/memberships", json={"accountId": joined.id})
    others.call("POST", f"users/{suspended.id}/suspend")
    others.call("DELETE", f"groups/{gone}")

    listed = differences(workspace, "--no-record")
    by_what = {one["what"]: one for one in listed}
    assert sorted(one["what"] for one in listed) == ["group.vanished", "membership.added", "user.changed"]
    assert by_what["membership.added"]["address"] == f"membership/{team}/{joined.id}"
    assert by_what["user.changed"]["address"] == f"user/{suspended.id}"
    assert by_what["user.changed"]["before"] == {"status": "active"}
    assert by_what["user.changed"]["after"] == {"status": "suspended"}
    assert by_what["group.vanished"]["address"] == f"group/{gone}"
    assert by_what["group.vanished"]["before"]["members"] == members

    said = workspace.run("drift", "--detailed-exitcode")
    assert said.code == 2, said.out + said.err
    assert joined.name in said.out
    assert '("team-002") is gone: it had ' in said.out
    assert "Recorded: commit " in said.out
    log = workspace.git("log", "-1", "--format=%s%n%(trailers:only)")
    assert log.startswith("acme: not by us: 1 account changed, 1 membership added, 1 group vanished\n")
    assert "Kind: drift\n" in log
    assert "Found: group.vanished=1 membership.added=1 user.changed=1\n" in log
    assert not workspace.git("status", "--porcelain")
    assert joined.name not in workspace.git("show", "HEAD")
    recorded = workspace.git("show", "--format=", "--name-only", "HEAD", "--", "state/acme/runs").split()
    assert [path.rpartition("/")[2] for path in recorded] == ["drift.jsonl"]
    lines = [json.loads(line) for line in workspace.git("show", f"HEAD:{recorded[0]}").splitlines()]
    assert lines == listed


@pytest.mark.slow
def test_what_was_recorded_is_no_drift_any_more_and_plans_go_on_from_it(workspace: Workspace, others: Others) -> None:
    joined = others.someone(out_of="team-001")
    others.call("POST", f"groups/{others.group('team-001')}/memberships", json={"accountId": joined.id})
    found = json.loads(workspace.run("drift", "--format", "json").out)
    again = json.loads(workspace.run("drift", "--format", "json").out)
    assert (len(found["differences"]), again["differences"]) == (1, [])
    assert again["serial"] == found["serial"] + 1
    assert again["snapshot_run"].endswith("-drift")
    assert found["commit"] == head(workspace).strip()
    plan = json.loads(workspace.run("plan", "--format", "json").out)
    assert plan["inputs"]["serial"] == again["serial"]
    assert workspace.run("apply", "--auto-approve").code == 0
    verified = workspace.run("audit", "verify")
    assert verified.code == 0, verified.out + verified.err


def test_looking_records_nothing(workspace: Workspace, others: Others) -> None:
    others.call("DELETE", f"groups/{others.group('team-002')}")
    before = head(workspace)
    said = workspace.run("drift", "--no-record", "--detailed-exitcode")
    assert said.code == 2
    assert "Recorded: nothing. The next apply" in said.out
    assert head(workspace) == before
    markdown = workspace.run("drift", "--no-record", "--format", "markdown")
    assert markdown.code == 0
    assert markdown.out.startswith("## acme: 1 difference since the last snapshot\n")
    assert head(workspace) == before


@pytest.mark.slow
@pytest.mark.case("F1", "F7")
def test_a_reading_that_looks_like_a_fault_is_shown_but_not_recorded_until_an_override_lets_it_in(
    workspace: Workspace, others: Others
) -> None:
    seats = others.group("confluence-users-acme")
    for one in [one for one in others.box.world.users if seats in one.groups][:60]:
        others.call("DELETE", f"groups/{seats}/memberships/{one.id}")
    before = head(workspace)
    looked = workspace.run("drift", "--no-record")
    assert looked.code == 0
    assert "Warning: this reading would not be recorded, because it looks like a fault:" in looked.err
    refused = workspace.run("drift")
    assert (refused.code, head(workspace)) == (3, before)
    assert "Error: What was read of acme looks like a fault of the data; it was not recorded." in refused.err
    found = re.search(r"reading:drop: .*members of confluence-users-acme (\d+) -> (\d+) \((\d+) % fewer\)", refused.err)
    assert found
    assert int(found[1]) - int(found[2]) == 60
    proposed = refused.err[refused.err.index("apiVersion:") : refused.err.index("Error:")]
    assert f"  max: {found[3]} # percent\n" in proposed
    decided = re.sub("reason: <.*", "reason: data-correction", re.sub("ticket: <.*", "ticket: CHG-1", proposed))
    (workspace.folder / "policies" / "overrides.yaml").write_text(decided, "utf-8")
    assert workspace.run("drift").code == 0
    log = workspace.git("log", "-2", "--format=%s").splitlines()
    assert log[0].startswith("acme: not by us: ")
    assert log[1].startswith("acme: override: reading-max-drop-")
    verified = workspace.run("audit", "verify")
    assert verified.code == 0, verified.out + verified.err


def test_before_the_first_snapshot_it_is_said_what_makes_one(workspace: Workspace) -> None:
    said = workspace.run("drift")
    assert said.code == 1
    assert "There is no snapshot of acme yet" in said.err
    assert "The first `cleanup-gitops apply` makes the first snapshot" in said.err
    assert workspace.requests("POST") == []


@pytest.mark.parametrize("options", [(), pytest.param(("--no-record",), marks=pytest.mark.slow)])
def test_an_incomplete_reading_is_refused_and_nothing_is_recorded(
    workspace: Workspace, others: Others, options: tuple[str, ...]
) -> None:
    others.call("DELETE", f"groups/{others.group('team-002')}")
    before = head(workspace)
    workspace.fault(kind="drop_rows", match={"path_regex": "users/search$"})
    said = workspace.run("drift", *options)
    assert said.code == 3, said.out + said.err
    assert said.out == ""
    assert "Nothing of what was read was used. Run the command again" in said.err
    assert "plan" not in said.err
    assert head(workspace) == before


@pytest.mark.parametrize("options", [(), pytest.param(("--no-record",), marks=pytest.mark.slow)])
def test_a_run_under_way_is_waited_for(workspace: Workspace, others: Others, options: tuple[str, ...]) -> None:
    """What a run is just changing is neither as it was recorded nor drift."""
    del others
    now = SystemClock().now()
    approval = Approval(kind="auto", by="712020:1", at=now, ref="sha256:0")
    intent = Intent(
        format=1, run="20261122T091500Z-1c2d3e4f", site="acme", directories=("default",), holder="712020:1, process 1",
        since=now, lineage="", serial=1, plan="", envelope="sha256:0", approval=approval, policy_commit="",
        tool_version="0.1.0", changes=(), digests={},
    )  # fmt: skip
    path = workspace.folder / "state" / "acme" / "leases" / "default.json"
    path.parent.mkdir()
    path.write_bytes(lease_bytes(intent, "default", "sha256:0"))
    workspace.git("add", "-A")
    workspace.git("commit", "-q", "-m", "a run began elsewhere")
    asked = len(workspace.requests("POST"))
    said = workspace.run("drift", *options)
    assert said.code == 6, said.out + said.err
    assert "A run is under way on directory default, or was cut off: run 20261122T091500Z-1c2d3e4f of acme" in said.err
    assert len(workspace.requests("POST")) == asked


@pytest.mark.slow
def test_a_late_effect_of_our_own_is_told_apart_and_is_remembered_no_longer(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleanup_gitops.runner.attempt.READ_BACK_WAITS", (0.0,))
    control = f"{workspace.box.url}/_sandbox"
    httpx.post(
        f"{control}/options", json={"late": {"membership": {"reads": 1_000_000}}}, verify=False, timeout=STALLED
    ).raise_for_status()
    applied = workspace.run("apply", "--auto-approve")
    assert applied.code == 5, applied.out + applied.err
    run = re.findall(r"state/acme/runs/(.+)/outcomes.jsonl", workspace.git("show", "--format=", "--name-only"))[0]
    memory = workspace.folder / "state" / "acme" / "memory.jsonl"
    assert '"kind":"settling"' in memory.read_text()
    assert differences(workspace, "--no-record") == []
    httpx.post(f"{control}/settle", verify=False, timeout=STALLED).raise_for_status()
    said = workspace.run("drift", "--detailed-exitcode")
    assert said.code == 0, said.out + said.err
    assert "Late effects of our own (" in said.out
    lines = [line for line in said.out.splitlines() if line.startswith("  ")]
    assert lines
    assert all(line.endswith(f", by run {run}") for line in lines)
    assert "Kind: drift\n" in workspace.git("log", "-1", "--format=%(trailers:only)")
    assert '"kind":"settling"' not in memory.read_text()
    assert differences(workspace) == []


def test_an_edited_snapshot_is_not_compared_with_anything(workspace: Workspace, others: Others) -> None:
    del others
    path = workspace.folder / "state" / "acme" / "manifest.json"
    path.write_text(path.read_text().replace('"serial": 1', '"serial": 7'))
    workspace.git("commit", "-q", "-a", "-m", "edited")
    said = workspace.run("drift")
    assert said.code == 3
    assert "manifest.json is of serial 7" in said.err

"""The main job over real HTTP and real git: validate, plan, apply, plan again."""

from __future__ import annotations

import json
import shlex
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.model.run import SETTLES_WITHIN
from tests.cli.workspace import DORMANT, ROOMY, Workspace
from tests.patience import STALLED

ADDITIVE = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: give, owner: iam@acme.com, why: all}
spec:
  match: {all: [{in_group: break-glass}]}
  ensure: {groups: {present: [no-such-group]}}
"""


def test_plan_apply_and_plan_again(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.run("validate").code == 0
    planned = workspace.run("plan", "--out", str(tmp_path / "plan.json"), "--detailed-exitcode")
    assert planned.code == 2
    assert "will be removed" in planned.out
    applied = workspace.run("apply", str(tmp_path / "plan.json"))
    assert applied.code == 0, applied.out + applied.err
    assert "Apply complete!" in applied.out
    again = workspace.run("plan", "--detailed-exitcode")
    assert again.code == 0
    assert "No changes." in again.out
    log = workspace.git("log", "-1", "--format=%an %s%n%(trailers:only)")
    assert "Plan-Digest: sha256:" in log
    assert "Ledger-Head: " in log
    assert not workspace.git("status", "--porcelain", "state")


def test_planning_changes_nothing(workspace: Workspace) -> None:
    head = workspace.git("rev-parse", "HEAD")
    workspace.run("plan")
    assert workspace.writes() == []
    assert workspace.git("rev-parse", "HEAD") == head
    assert not (workspace.folder / "state").exists()


def test_no_name_or_address_reaches_state_plan_or_log(workspace: Workspace, tmp_path: Path) -> None:
    """E79 of the record: ids only. Every name and address of the organization is searched for."""
    workspace.run("plan", "--out", str(tmp_path / "plan.json"))
    said = workspace.run("apply", str(tmp_path / "plan.json"))
    recorded = workspace.git("log", "-p", "--", "state") + (tmp_path / "plan.json").read_text() + said.err
    people = [user for user in workspace.box.world.users if user.name and len(user.name) > 6]
    assert people
    for user in people:
        assert user.name not in recorded
        assert not user.email or user.email not in recorded


def test_the_same_plan_has_the_same_digest_later(workspace: Workspace) -> None:
    first = json.loads(workspace.run("plan", "--format", "json").out)
    workspace.policy("dormant.yaml", "# a comment moves every line\n" + DORMANT)
    second = json.loads(workspace.run("plan", "--format", "json").out)
    assert first["digest"] == second["digest"]
    assert first["changes"]


def test_as_of_counts_ages_for_another_day(workspace: Workspace) -> None:
    now = json.loads(workspace.run("plan", "--format", "json").out)
    later = json.loads(workspace.run("plan", "--format", "json", "--as-of", "2099-01-01").out)
    assert later["summary"]["actions"].get("membership.remove", 0) > now["summary"]["actions"]["membership.remove"]


def test_days_ahead_are_counted_from_now(workspace: Workspace) -> None:
    ahead = json.loads(workspace.run("plan", "--format", "json", "--as-of", "+14d").out)
    at = datetime.fromisoformat(ahead["created"]) + timedelta(days=14)
    assert datetime.fromisoformat(ahead["as_of"]) - at < timedelta(minutes=1)
    named = json.loads(workspace.run("plan", "--format", "json", "--as-of", at.date().isoformat()).out)
    assert ahead["digest"] == named["digest"]
    weeks = json.loads(workspace.run("plan", "--format", "json", "--as-of", "+2w").out)
    assert weeks["digest"] == ahead["digest"]


def test_a_plan_for_another_day_does_not_make_apply_do_what_is_not_due_today(workspace: Workspace) -> None:
    path = workspace.folder.parent / "ahead.json"
    workspace.policy("caps.yaml", ROOMY)
    ahead = json.loads(workspace.run("plan", "--format", "json", "--as-of", "+60d", "--out", str(path)).out)
    now = json.loads(workspace.run("plan", "--format", "json").out)
    assert len(ahead["changes"]) > len(now["changes"]) > 0
    assert workspace.run("apply", str(path)).code in (0, 5)
    assert len(workspace.writes()) <= len(now["changes"])


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("yesterday", "is not a date like"),
        ("+14", "is not a date like"),
        ("+1m", "is not a date like"),
        ("-3d", "is not a date like"),
        ("+99999d", "is not between the years 2000 and 2200"),
        ("2026-02-30", "is not a date like"),
        ("2026-11-22T10:00:00", "has no time zone"),
        ("0001-01-01", "is not between the years 2000 and 2200"),
        ("0001-01-01T00:00:00+14:00", "is not between the years 2000 and 2200"),
        ("1999-12-31", "is not between the years 2000 and 2200"),
        ("2201-01-01", "is not between the years 2000 and 2200"),
        ("9999-12-31T23:59:59-14:00", "is not between the years 2000 and 2200"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(capsys: pytest.CaptureFixture[str], when: str, message: str) -> None:
    assert run(["plan", "--as-of", when]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("when", ["2000-01-01", "2200-12-31T23:59:59-14:00"])
def test_the_first_and_the_last_time_can_be_planned_for(workspace: Workspace, when: str) -> None:
    assert workspace.run("plan", "--as-of", when).code in (0, 3)


@pytest.mark.case("E57")
def test_an_edited_plan_file_is_refused_by_show_and_apply(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    workspace.run("plan", "--out", str(path))
    assert workspace.run("show", str(path)).code == 0
    path.write_text(path.read_text().replace('"member": true', '"member": false', 1))
    for command in (("show", str(path)), ("apply", str(path))):
        said = workspace.run(*command)
        assert said.code == 4
        assert "altered" in said.err
    assert workspace.writes() == []


@pytest.mark.case("E59")
def test_a_plan_over_a_cap_is_shown_as_unsafe_and_not_applied(workspace: Workspace) -> None:
    workspace.policy(
        "guardrails.yaml",
        "apiVersion: cleanup-gitops/v1\nkind: Guardrails\nmetadata: {name: tight, owner: s@acme.com}\n"
        "spec: {caps: {membership.remove: {max: 1, percent: 50}}}\n",
    )
    planned = workspace.run("plan")
    assert planned.code == 3
    assert "1 allowed (max 1, 50 %" in planned.out
    applied = workspace.run("apply", "--auto-approve")
    assert applied.code == 3
    assert "unsafe" in applied.err
    commit = workspace.git("log", "-1", "--format=%H").strip()
    assert f"That nothing was done is recorded: commit {commit} in " in applied.err
    assert workspace.writes() == []
    assert workspace.kinds() == ["void"]
    assert workspace.git("log", "-1", "--format=%s") == "acme: void, nothing was done: unsafe plan\n"


@pytest.mark.case("E59")
@pytest.mark.parametrize("cap", ["{max: 0}", "{max: 100, percent: 0}"])
def test_a_cap_of_zero_means_never(workspace: Workspace, cap: str) -> None:
    guardrails = (
        "apiVersion: cleanup-gitops/v1\nkind: Guardrails\nmetadata: {name: tight, owner: s@acme.com}\n"
        "spec: {caps: {membership.remove: CAP, user.disable: {max: 0}}}\n"
    )
    workspace.policy("guardrails.yaml", guardrails.replace("CAP", cap))
    planned = json.loads(workspace.run("plan", "--format", "json").out)
    checks = {check["name"]: check for check in planned["checks"]}
    assert not planned["applyable"]
    assert "0 allowed (max " in checks["cap:membership.remove"]["message"]
    assert not checks["cap:membership.remove"]["passed"]
    assert checks["cap:user.disable"]["passed"]


@pytest.mark.case("E67")
def test_validate_and_plan_warn_before_a_key_ends(workspace: Workspace) -> None:
    site = (workspace.folder / "policies" / "site.yaml").read_text()
    soon = SystemClock().now().date() + timedelta(days=9)
    workspace.policy("site.yaml", site.replace("{env: ORG_KEY}", f"{{env: ORG_KEY, expires: {soon}}}"))
    where = "(policies/site.yaml:9). Make a new one and change $ORG_KEY"
    validated = workspace.run("validate")
    assert validated.code == 0
    assert "Warning: acme: the organization's API key expires on" in validated.err
    assert where in validated.err
    assert any(where in warning for warning in json.loads(workspace.run("plan", "--format", "json").out)["warnings"])
    shown = workspace.run("plan")
    assert shown.code == 0
    assert where in shown.out


def test_how_to_apply_a_saved_plan_is_said_as_it_can_be_typed(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "a plan.json"
    said = workspace.run("plan", "--out", str(out))
    typed = said.err.rpartition("Apply it with: ")[2]
    program, *arguments = shlex.split(typed)
    assert program == "cleanup-gitops"
    assert arguments == ["-C", str(workspace.folder), "apply", str(out)]
    assert run(arguments) == 0
    assert "Apply it" not in workspace.run("plan", "--out", "/dev/null").err


def test_a_saved_plan_that_is_unsafe_is_not_offered_to_be_applied(workspace: Workspace, tmp_path: Path) -> None:
    workspace.policy(
        "guardrails.yaml",
        "apiVersion: cleanup-gitops/v1\nkind: Guardrails\nmetadata: {name: tight, owner: s@acme.com}\n"
        "spec: {caps: {total: {max: 0}}}\n",
    )
    said = workspace.run("plan", "--out", str(tmp_path / "plan.json"))
    assert said.code == 3
    assert "It is unsafe, so it cannot be applied." in said.err
    assert "Apply it with" not in said.err


@pytest.mark.case("E58")
def test_an_empty_plan_is_recorded_too(workspace: Workspace) -> None:
    workspace.run("apply", "--auto-approve")
    said = workspace.run("apply", "--auto-approve")
    assert said.code == 0
    assert "Nothing to do" in said.out
    ledger = "".join(path.read_text() for path in (workspace.folder / "state" / "acme" / "ledger").iterdir())
    entries = [json.loads(line) for line in ledger.splitlines()]
    assert [entry["seq"] for entry in entries] == [1, 2]
    assert not entries[1].get("actions")
    assert not entries[1].get("intent")
    assert entries[1]["accounts"] > 100


def test_the_same_approval_twice_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = str(tmp_path / "plan.json")
    workspace.run("plan", "--out", path)
    assert workspace.run("apply", path).code == 0
    said = workspace.run("apply", path)
    assert said.code == 4
    assert "applied before" in said.err


@pytest.mark.case("E66")
def test_a_write_without_effect_is_not_a_success(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cleanup_gitops.runner.attempt.READ_BACK_WAITS", (0.0, 0.01))
    monkeypatch.setitem(SETTLES_WITHIN, "membership.remove", timedelta(seconds=-1))
    workspace.fault(kind="no_effect", match={"method": "DELETE", "nth": 1})
    said = workspace.run("apply", "--auto-approve")
    assert said.code == 5
    assert "1 not effective" in said.out


def test_a_blocked_policy_acts_on_nobody_and_shows_in_the_exit_code(workspace: Workspace) -> None:
    workspace.policy("give.yaml", ADDITIVE)
    planned = workspace.run("plan")
    assert "no-such-group" in planned.out
    assert workspace.run("apply", "--auto-approve").code == 5


def test_what_somebody_does_by_hand_after_the_plan_is_respected(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    workspace.run("plan", "--out", str(path))
    account = json.loads(path.read_text())["changes"][0]["user"]
    httpx.post(
        f"{workspace.box.url}/_sandbox/users/{account}", json={"status": "suspended"}, verify=False, timeout=STALLED
    ).raise_for_status()
    said = workspace.run("apply", str(path))
    assert "superseded" in said.out
    assert not any(account in request for request in workspace.writes())


def test_apply_wants_a_plan_or_an_explicit_approval(workspace: Workspace) -> None:
    said = workspace.run("apply")
    assert said.code == 1
    assert "--auto-approve" in said.err
    assert workspace.run("apply", "plan.json", "--auto-approve").code == 1


def test_several_sites_need_a_name_to_apply(workspace: Workspace) -> None:
    site = (workspace.folder / "policies" / "site.yaml").read_text()
    workspace.policy("other.yaml", site.replace("{name: acme}", "{name: globex}"))
    workspace.policy("dormant.yaml", DORMANT.replace("kind: Policy", "kind: Policy\nsites: [acme, globex]"))
    assert workspace.run("apply", "--auto-approve").code == 1
    said = workspace.run("plan", "--site", "initech")
    assert said.code == 1
    assert "Sites: acme, globex" in said.err
    assert workspace.run("plan").code == 0
    assert workspace.run("plan", "--site", "globex").code == 0
    for several in (("--format", "json"), ("--out", "plan.json")):
        said = workspace.run("plan", *several)
        assert said.code == 1
        assert said.out == ""
        assert "--site NAME" in said.err
    assert json.loads(workspace.run("plan", "--format", "json", "--site", "globex").out)["site"] == "globex"


def test_schema_is_json(workspace: Workspace) -> None:
    assert json.loads(workspace.run("schema").out)["$schema"].startswith("https://json-schema.org/")


def test_the_whole_help_works(workspace: Workspace) -> None:
    assert "Exit codes" in workspace.run("--help").out
    for command in ("apply", "demo", "init", "plan", "recover", "sandbox", "schema", "show", "validate"):
        said = workspace.run(command, "--help")
        assert said.code == 0
        assert "Usage:" in said.out
    assert workspace.run("--version").out.startswith("cleanup-gitops ")
    assert workspace.run("plna").code == 1

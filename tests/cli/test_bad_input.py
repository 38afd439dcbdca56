"""Bad input, broken credentials, failing sites: one clear line, the documented exit code, nothing written."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cleanup_gitops.runner.workers import CREW
from tests import canaries
from tests.cli.workspace import DORMANT, ROOMY, Said, Workspace
from tests.patience import STALLED, until

SEARCH = r"users/search$"


def refused(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.out + said.err
    assert said.out == ""
    errors = [line for line in said.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, said.err
    for word in words:
        assert word in said.err


@pytest.mark.case("E67")
def test_a_wrong_organization_key_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORG_KEY", canaries.STRAY)
    said = workspace.run("plan")
    refused(said, 1, "ORG_KEY", "401")
    assert canaries.found(said.out + said.err) == []


@pytest.mark.case("E67")
def test_an_expired_key_is_refused_at_the_start(workspace: Workspace) -> None:
    workspace.box.world.credentials.org_api_key_expires = "2020-01-01T00:00:00Z"
    workspace.box.refresh()
    refused(workspace.run("apply", "--auto-approve"), 1, "ORG_KEY", "expired")
    assert workspace.writes() == []


@pytest.mark.case("E67")
def test_a_wrong_site_token_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_TOKEN", canaries.STRAY)
    said = workspace.run("plan")
    refused(said, 1, "SITE_TOKEN")
    assert canaries.found(said.out + said.err) == []


def test_a_missing_environment_variable_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORG_KEY")
    refused(workspace.run("plan"), 1, "ORG_KEY")


def test_an_unreachable_host_is_one_line(workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        workspace.site(url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        refused(workspace.run("plan"), 1, "127.0.0.1")


def test_a_tls_error_is_one_line(workspace: Workspace) -> None:
    """The sandbox speaks plain HTTP here, so a TLS handshake with it fails."""
    workspace.site(url=workspace.box.url.replace("http://", "https://"))
    refused(workspace.run("plan"), 1, "TLS")


def test_html_instead_of_json_is_one_line(workspace: Workspace) -> None:
    workspace.fault(kind="html", match={"path_regex": "directories$"})
    refused(workspace.run("plan"), 1, "HTML")


def test_a_directory_the_key_may_not_manage_is_one_line(workspace: Workspace) -> None:
    workspace.site(directory="headquarters")
    refused(workspace.run("plan"), 1, "headquarters", "default")


def test_an_unknown_organization_is_one_line(workspace: Workspace) -> None:
    workspace.site(organization="0f5e0000-0000-0000-0000-00000000dead")
    refused(workspace.run("plan"), 1, "organization")


@pytest.mark.case("E61", "F1")
@pytest.mark.parametrize(
    "kind", [*(pytest.param(one, marks=pytest.mark.slow) for one in ("cursor_loop", "repeat_page")), "drop_rows"]
)
def test_a_listing_that_is_not_complete_is_no_plan(workspace: Workspace, kind: str) -> None:
    workspace.fault(kind=kind, match={"path_regex": SEARCH, "after": 1 if kind == "repeat_page" else 0})
    refused(workspace.run("apply", "--auto-approve"), 3, "not complete" if kind == "drop_rows" else "")
    assert workspace.writes() == []
    assert workspace.kinds() == ["void"]
    assert not (workspace.folder / "state" / "acme" / "manifest.json").exists()


@pytest.mark.case("E61", "F1")
def test_a_page_that_fails_midway_is_no_plan(workspace: Workspace) -> None:
    workspace.fault(kind="status", status=400, match={"path_regex": SEARCH, "after": 1})
    refused(workspace.run("plan"), 3, "users/search")


@pytest.mark.case("E82")
def test_wrong_policies_are_all_reported_at_once(workspace: Workspace) -> None:
    workspace.policy("wrong.yaml", "kind: Policy\nspec: {match: {}, ensure: {}}\nmetadata: {nam: x}\n")
    workspace.policy("worse.yaml", "a: b\na: c\n")
    said = workspace.run("validate")
    assert said.code == 1
    assert "policies/wrong.yaml:3:" in said.err
    assert "policies/worse.yaml:2:1: " in said.err
    assert workspace.requests("GET") == []


def test_a_plan_file_that_is_none_is_one_line(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    refused(workspace.run("apply", str(tmp_path / "plan.json")), 4, "not a plan")
    refused(workspace.run("show", str(tmp_path / "nothing.json")), 1, "nothing.json")
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe")
    refused(workspace.run("show", str(tmp_path / "plan.json")), 4, "not JSON")
    (tmp_path / "plan.json").write_bytes(b"[" * 100_000)
    refused(workspace.run("show", str(tmp_path / "plan.json")), 4, "nested too deeply")


def test_an_unwritable_target_is_one_line(workspace: Workspace) -> None:
    refused(workspace.run("plan", "--out", "/nowhere/plan.json"), 1, "/nowhere/plan.json")


def test_a_folder_without_policies_says_how_to_start(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = workspace.run("-C", str(tmp_path / "empty"), "validate")
    assert said.code == 1
    assert "init" in said.err


def test_policies_without_a_site_say_what_is_missing(workspace: Workspace) -> None:
    (workspace.folder / "policies" / "site.yaml").unlink()
    for command in (("validate",), ("plan",), ("plan", "--site", "acme"), ("apply", "--auto-approve")):
        refused(workspace.run(*command), 1, "kind Site", "cleanup-gitops init")


def test_no_repository_no_record(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.folder / ".git").rename(tmp_path / "git-elsewhere")
    refused(workspace.run("apply", "--auto-approve"), 1, "git init")
    assert workspace.writes() == []


@pytest.mark.case("F12")
def test_no_journal_no_write(workspace: Workspace) -> None:
    (workspace.folder / ".cleanup-gitops").write_text("a file where the folder belongs\n")
    refused(workspace.run("apply", "--auto-approve"), 1, "The journal .cleanup-gitops/acme cannot be written")
    assert workspace.writes() == []
    assert workspace.kinds() == []


@pytest.mark.parametrize(
    "signal_number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_while_applying_ends_cleanly_and_says_what_was_done(
    workspace: Workspace, signal_number: signal.Signals
) -> None:
    """In a process of its own, since a signal is for a process. Slow writes leave time to interrupt.

    Many more changes than workers, so that some of them are not begun.
    """
    workspace.policy("guardrails.yaml", ROOMY)
    workspace.policy("dormant.yaml", DORMANT.replace("90d", "30d"))
    workspace.fault(kind="slow", seconds=1.0, match={"method": "DELETE"})
    command = [sys.executable, "-m", "cleanup_gitops", "-C", str(workspace.folder), "apply", "--auto-approve"]
    told = workspace.folder.with_name("told")
    with (
        told.open("w") as stream,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, text=True) as process,
    ):
        until(lambda: workspace.requests("DELETE") or process.poll() is not None)
        process.send_signal(signal_number)
        until(lambda: "Stopping after" in told.read_text() or process.poll() is not None)
        begun = len(workspace.requests("DELETE"))
        process.send_signal(signal_number)  # whoever is impatient loses nothing either
        out, _ = process.communicate(timeout=STALLED)
    err = told.read_text()
    assert process.returncode == 5, out + err
    assert "Stopping after the changes under way" in err
    assert "interrupted" in out
    assert "Recorded: commit" in out
    written = len(workspace.writes())
    assert 1 <= written <= begun + CREW.number
    assert f"{written} applied" in out  # whatever was begun was finished and read back
    assert "Traceback" not in out + err
    assert not list((workspace.folder / ".cleanup-gitops" / "acme").iterdir())  # recorded, so no journal is needed


@pytest.mark.slow
@pytest.mark.case("F12")
def test_a_reader_of_the_output_that_goes_away_does_not_end_the_apply(workspace: Workspace) -> None:
    """As with `apply 2>&1 | head -3`: the work goes on and is recorded."""
    workspace.fault(kind="slow", seconds=0.2, match={"method": "DELETE"})
    command = [sys.executable, "-m", "cleanup_gitops", "-C", str(workspace.folder), "apply", "--auto-approve"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=STALLED)
    assert workspace.writes()
    assert "removed" in workspace.git("log", "-1", "--format=%s")


@pytest.mark.slow
def test_ctrl_c_while_reading_writes_nothing(workspace: Workspace) -> None:
    workspace.fault(kind="slow", seconds=3.0, match={"path_regex": SEARCH})
    command = [sys.executable, "-m", "cleanup_gitops", "-C", str(workspace.folder), "apply", "--auto-approve"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: any(path.endswith("/search") for path in workspace.requests("POST")))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=STALLED)
    assert process.returncode == 1, out + err
    assert "Interrupted. Nothing was written." in err
    assert workspace.writes() == []


@pytest.mark.parametrize(
    ("typed", "meant"), [("aply", "; did you mean `apply`?"), ("xyz", "; known here: apply, audit, ")]
)
def test_a_mistyped_command_names_the_one_that_is_meant(workspace: Workspace, typed: str, meant: str) -> None:
    said = workspace.run(typed)
    assert said.code == 1, said.err
    assert f"Error: There is no command `{typed}`{meant}" in said.err

"""Output that nobody reads or that cannot be written: no traceback, no wrong exit code, no half-done work."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleanup_gitops.cli import main
from cleanup_gitops.cli.main import Asked, run
from cleanup_gitops.policy.problems import PolicyError
from tests.cli.workspace import Workspace

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
ROOT = Path(__file__).parent.parent.parent


def shell(workspace: Workspace, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one line of bash in the workspace; ``cg`` is the program, and the exit code is the program's own."""
    script = f'cg() {{ "{sys.executable}" -m cleanup_gitops "$@"; }}\n{line}\nexit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=workspace.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    for word in ("defect", "Traceback", "Exception ignored"):
        assert word not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("cg plan | true", 0),
        pytest.param("cg plan --detailed-exitcode | true", 2, marks=pytest.mark.slow),
        pytest.param("cg plan --detailed-exitcode >&-", 2, marks=pytest.mark.slow),
        pytest.param("cg plan --detailed-exitcode >&- 2>&-", 2, marks=pytest.mark.slow),
        ("cg --help | true", 0),
        ("cg schema | true", 0),
        ("cg plna 2>&-", 1),
    ],
)
def test_whoever_does_not_listen_changes_no_exit_code(workspace: Workspace, line: str, code: int) -> None:
    assert shell(workspace, line).returncode == code


@needs_full
@pytest.mark.parametrize(
    ("line", "code"),
    [("cg plan", 1), pytest.param("cg plan --detailed-exitcode", 2, marks=pytest.mark.slow), ("cg --version", 1)],
)
def test_a_full_disk_is_told_and_is_no_success(workspace: Workspace, line: str, code: int) -> None:
    done = shell(workspace, f"{line} > /dev/full")
    assert done.returncode == code
    assert "Error: the output could not be written completely: No space left on device." in done.stderr


@pytest.mark.slow
@needs_full
def test_an_apply_that_nobody_can_read_is_done_and_recorded(workspace: Workspace) -> None:
    done = shell(workspace, "cg apply --auto-approve > /dev/full")
    assert done.returncode == 0, done.stderr
    assert "Plan-Digest: " in workspace.git("log", "-1", "--format=%(trailers:only)")


@pytest.mark.slow
def test_an_encoding_without_arrows_gets_escapes(workspace: Workspace) -> None:
    done = shell(workspace, "cg plan --format markdown", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert r"\u2192" in done.stdout


def test_streams_are_put_back_after_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    before = (sys.stdout, sys.stderr)
    assert run(["--version"]) == 0
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out.startswith("cleanup-gitops ")


class Narrow(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, _text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(("number", "code"), [(errno.EPIPE, 0), (errno.ENOSPC, 1), (errno.EIO, 1)])
def test_a_stream_that_fails_is_given_up(monkeypatch: pytest.MonkeyPatch, number: int, code: int) -> None:
    monkeypatch.setattr(sys, "stdout", Narrow(number))
    assert run(["schema"]) == code


def test_a_process_without_streams_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert run(["schema"]) == 0
    assert run(["nonsense"]) == 1


def test_what_the_operating_system_refuses_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The folder of temporary files is gone, say; a command has no words of its own for it."""
    missing = tmp_path / "gone"

    def refuse(*_arguments: object, **_options: object) -> int:
        missing.open()
        return 0

    monkeypatch.setattr(main.cli, "main", refuse)
    assert run(["validate"]) == 1
    assert capsys.readouterr().err == f"Error: {missing}: No such file or directory.\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "Interrupted.\n"),
        ("apply", "Interrupted.\n"),
        ("demo", "Interrupted.\n"),
        ("plan", "Interrupted. Nothing was written.\n"),
        ("show", "Interrupted. Nothing was written.\n"),
    ],
)
def test_an_interrupt_claims_only_what_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, said: str
) -> None:
    """After an apply has recorded its run, say, while it prints what it did."""

    def interrupted(*_arguments: object, obj: Asked, **_options: object) -> int:
        obj.command = command
        raise KeyboardInterrupt

    monkeypatch.setattr(main.cli, "main", interrupted)
    assert run([command]) == 1
    assert capsys.readouterr().err == said


def test_the_command_that_was_asked_for_is_known(tmp_path: Path) -> None:
    asked = Asked()
    with pytest.raises(PolicyError):
        main.cli.main(["-C", str(tmp_path), "validate"], standalone_mode=False, obj=asked)
    assert asked.command == "validate"

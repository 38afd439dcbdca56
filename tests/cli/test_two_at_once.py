"""Two applies at once, each in its own clone of one remote: exactly one acts."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run
from tests.cli.workspace import Workspace

STATE = "  state: {branch: state, remote: origin}\n"


def clones(workspace: Workspace, folder: Path) -> list[Path]:
    """The workspace twice, as clones of one remote that keeps the record on a branch of its own."""
    site = (workspace.folder / "policies" / "site.yaml").read_text()
    workspace.policy("site.yaml", site + STATE)
    remote = folder / "remote.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(workspace.folder), str(remote)], check=True)
    both = [folder / "one", folder / "two"]
    for clone in both:
        subprocess.run(["git", "clone", "-q", str(remote), str(clone)], check=True)
    return both


@pytest.mark.case("E65", "F11", "F13")
@pytest.mark.parametrize("number", [0, *(pytest.param(one, marks=pytest.mark.slow) for one in range(1, 6))])
def test_of_two_applies_at_once_exactly_one_acts(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, number: int
) -> None:
    both = clones(workspace, tmp_path_factory.mktemp(f"round-{number}"))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "cleanup_gitops", "-C", str(clone), "apply", "--auto-approve"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for clone in both
    ]
    said = [process.communicate(timeout=120) for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes in ([0, 6], [0, 0]), said
    acted = [out for out, _ in said if " removed on acme." in out and "Nothing to do" not in out]
    assert len(acted) == 1, said
    written = Counter(workspace.writes())
    assert written
    assert set(written.values()) == {1}
    assert run(["-C", str(both[0]), "apply", "--auto-approve"]) == 0
    assert Counter(workspace.writes()) == written
    assert run(["-C", str(both[1]), "audit", "verify", "--branch", "origin/state"]) == 0

"""``cleanup-gitops sandbox past``: a repository as it would be had the sandbox been recorded daily."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from cleanup_gitops.cli.demo.embedded import credentials, environment
from cleanup_gitops.cli.demo.folder import git
from cleanup_gitops.cli.main import run
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.policy.loader import load
from cleanup_gitops.sandbox.past import Past
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import World, format_time

DAYS = 4
NOW = datetime.fromisoformat("2026-11-22T09:00:00Z")


@dataclass(frozen=True)
class Made:
    """The folder, and what was said when it was made."""

    folder: Path
    said: str

    @property
    def world(self) -> World:
        return World.load(self.folder / "world.json")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    base = tmp_path_factory.mktemp("past")
    options = ["--days", str(DAYS), "--users", "200", "--examples"]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as said:
        patch.setattr(SystemClock, "now", lambda _: NOW)
        assert run(["-C", str(base), "sandbox", "past", "wiki", *options]) == 0
    return Made(base / "wiki", said.getvalue())


def dated(made: Made) -> list[tuple[str, str]]:
    """Day and subject of each commit, oldest first."""
    lines = git(made.folder, "log", "--reverse", "--date=iso-strict", "--format=%ad %cd %s").splitlines()
    rows = [line.split(" ", 2) for line in lines]
    assert all(written == committed for written, committed, _ in rows)
    return [(written, subject) for written, _, subject in rows]


def test_there_is_one_run_a_day_with_the_date_of_its_day_and_policies_of_today(made: Made) -> None:
    commits = dated(made)
    runs = [at for at, subject in commits if "nothing to do" in subject]
    days = [NOW - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
    assert [datetime.fromisoformat(at) for at in runs] == days
    assert commits[0][1] == "Record acme daily"
    assert datetime.fromisoformat(commits[-1][0]) == NOW
    assert commits[-1][1] == "Policies for acme"
    assert [datetime.fromisoformat(at) for at, _ in commits] == sorted(datetime.fromisoformat(at) for at, _ in commits)


def test_what_is_recorded_of_a_day_is_the_world_of_that_day(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    past = Past(seed(users=200, now=format_time(NOW)), DAYS)
    commits = git(made.folder, "log", "--format=%h %cd %s", "--date=short").splitlines()
    for ago in (1, DAYS):
        day = (NOW - timedelta(days=ago)).date().isoformat()
        commit = next(line.split()[0] for line in commits if f" {day} " in line and "nothing to do" in line)
        assert run(["-C", str(made.folder), "users", "--recorded", commit, "--format", "json"]) == 0
        rows = json.loads(capsys.readouterr().out)["rows"]
        assert {row["id"] for row in rows} <= {user.id for user in past.day(ago).users}
        assert len(rows) > 190


def test_the_record_passes_its_check(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(made.folder), "audit", "verify"]) == 0
    assert f"{DAYS} runs" in capsys.readouterr().out


def test_git_knows_nobody_and_the_folder_is_clean(made: Made) -> None:
    assert git(made.folder, "status", "--porcelain") == ""
    assert "world.json" not in git(made.folder, "ls-files").split()
    everything = git(made.folder, "log", "-p", "--", "state")
    names = [user.name for user in made.world.users if len(user.name) > 6 and "\n" not in user.name]
    assert not [name for name in names if name in everything]


def test_it_is_gone_on_with_as_it_says(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda _: NOW)
    assert made.world.encode() == seed(users=200, now=format_time(NOW)).encode()
    port = re.search(r"sandbox serve --world world.json --port (\d+)$", made.said, re.MULTILINE)
    assert port
    url = f"http://127.0.0.1:{port[1]}"
    assert load(made.folder / "policies").sites[0].url == url
    with running(made.world) as box, environment(credentials(box.world)):
        site = made.folder / "policies" / "site.yaml"
        site.write_text(site.read_text().replace(url, box.url))  # another test may have taken the port
        git(made.folder, "commit", "--quiet", "--all", "--message", "Another port")
        assert run(["-C", str(made.folder), "plan"]) == 0
    assert re.search(r"^Plan: \d+ to add, \d+ to change, [1-9]\d* to remove\.", capsys.readouterr().out, re.MULTILINE)


def test_a_folder_that_is_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert run(["-C", str(tmp_path), "sandbox", "past", "."]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

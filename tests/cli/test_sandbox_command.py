"""The embedded Confluence from the command line: made, served, stopped."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.sandbox.world import World
from tests.patience import STALLED

SEED = ["sandbox", "seed", "--users", "40", "--now", "2026-11-22T09:00:00Z"]


def seeded(folder: Path, *options: str) -> Path:
    path = folder / "world.json"
    assert run([*SEED, "--out", str(path), *options]) == 0
    return path


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``sandbox serve`` as a process of its own, and what it printed before it waits."""
    command = [sys.executable, "-m", "cleanup_gitops", "sandbox", "serve", "--port", "0", *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        said = ""
        while "spec.runner.accounts" not in said:
            line = started.stdout.readline()
            assert line, said
            said += line
        try:
            yield started, said
        finally:
            started.send_signal(signal.SIGINT)
            started.wait(STALLED)


def url_in(said: str) -> str:
    found = re.search(r"at (http://\S+):", said)
    assert found is not None, said
    return found[1]


def test_the_same_options_give_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        seeded(tmp_path / name)
    assert (tmp_path / "one" / "world.json").read_bytes() == (tmp_path / "two" / "world.json").read_bytes()
    assert "40 accounts" in capsys.readouterr().out
    other = seeded(tmp_path / "three", "--seed", "2")
    assert other.read_bytes() != (tmp_path / "one" / "world.json").read_bytes()


def test_a_world_without_a_time_begins_now(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    assert run(["sandbox", "seed", "--users", "1", "--out", str(path)]) == 0
    assert abs(World.load(path).clock().timestamp() - path.stat().st_mtime) < 3600


def test_an_existing_file_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "world.json"
    path.write_text("mine")
    assert run([*SEED, "--out", str(path)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "mine"


def test_it_serves_a_world_says_how_to_reach_it_and_keeps_what_happened(tmp_path: Path) -> None:
    path = seeded(tmp_path)
    with served(tmp_path, "--world", "world.json", "--tick") as (started, said):
        url = url_in(said)
        for line in (f"spec.url: {url}", f"spec.cloud.api_url: {url}", "export ATLASSIAN_ORG_API_KEY="):
            assert line in said
        variables = dict(re.findall(r"export (\w+)=(\S+)", said))
        who = httpx.get(
            f"{url}/wiki/rest/api/user/current",
            auth=(variables["CONFLUENCE_USER"], variables["CONFLUENCE_API_TOKEN"]),
            verify=False,
        )
        assert who.json()["accountId"] in said
        assert httpx.get(f"{url}/wiki/rest/api/user/current", verify=False, timeout=STALLED).status_code != 200
        moved = httpx.post(f"{url}/_sandbox/clock", json={"set": "2027-01-01T00:00:00Z"}, verify=False, timeout=STALLED)
        moved.raise_for_status()
        started.send_signal(signal.SIGINT)
        assert started.stdout is not None
        assert started.stdout.read() == "Stopped. world.json holds the world as it is now.\n"
        assert started.wait(STALLED) == 0
    world = World.load(path)
    assert world.now == "2027-01-01T00:00:00Z"
    assert world.options.ticking


@pytest.mark.slow
def test_without_a_file_it_serves_a_world_that_is_forgotten(tmp_path: Path) -> None:
    with served(tmp_path) as (_, said):
        assert "480 accounts" in said
        assert "forgotten" in said
        assert httpx.get(f"{url_in(said)}/_sandbox/world", verify=False, timeout=STALLED).json()["users"] == 480
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_faults_of_a_file_are_in_force_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text('{"kind": "status", "status": 503, "match": {"nth": 1}}')
    with served(tmp_path, "--faults", "faults.json") as (_, said):
        url = f"{url_in(said)}/wiki/rest/api/user/current"
        assert [httpx.get(url, verify=False, timeout=STALLED).status_code for _ in range(2)] == [503, 401]


def test_a_file_that_holds_no_faults_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = seeded(tmp_path)
    (tmp_path / "faults.json").write_text('{"kind": "earthquake"}')
    options = ["--world", str(path), "--faults", str(tmp_path / "faults.json")]
    assert run(["sandbox", "serve", *options]) == 1
    said = capsys.readouterr().err
    assert "faults.json: not a list of faults: Invalid enum value 'earthquake'" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])
def test_it_serves_this_machine_only(tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str) -> None:
    path = seeded(tmp_path)
    assert run(["sandbox", "serve", "--world", str(path), "--host", host]) == 1
    assert f"Error: host {host}: the sandbox serves this machine only" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = seeded(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["sandbox", "serve", "--world", str(path), "--port", str(port)]) == 1
    said = capsys.readouterr().err
    assert f"port {port}" in said
    assert "choose another port" in said


@pytest.mark.parametrize("options", [[], ["--tick"]])
def test_a_file_that_is_no_world_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    (tmp_path / "world.json").write_text("{}")
    assert run(["sandbox", "serve", "--world", str(tmp_path / "world.json"), *options]) == 1
    said = capsys.readouterr().err
    assert "not a sandbox world" in said
    assert "Traceback" not in said


def test_a_file_that_is_no_world_is_named_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "world.json").write_text("{}")
    assert run(["sandbox", "serve", "--world", "world.json"]) == 1
    assert "Error: world.json: not a sandbox world" in capsys.readouterr().err

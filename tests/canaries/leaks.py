"""Tests that let a secret out, each in another way. No part of the suite: `test_canaries` runs a copy of this file."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sites.exchange import checked_base
from tests import canaries

WORLD = seed(users=1)
KEY = canaries.ORG_KEY


def git(folder: Path, *args: str, data: bytes | None = None) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@localhost", *args]
    return subprocess.run(command, check=True, capture_output=True, input=data).stdout.decode().strip()


def test_output() -> None:
    print(WORLD.credentials.org_api_key)


def test_error_output() -> None:
    print(canaries.TOKEN, file=sys.stderr)


def test_output_that_the_test_reads(capsys: pytest.CaptureFixture[str]) -> None:
    print(KEY)
    capsys.readouterr()


def test_output_of_file_descriptors(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, KEY.encode())
    capfd.readouterr()


def test_output_of_a_process() -> None:
    subprocess.run([sys.executable, "-c", f"print({KEY!r})"], capture_output=True, check=True)


def test_log() -> None:
    logging.getLogger("any").warning("sent %s", KEY)


@pytest.mark.filterwarnings("default")
def test_warning() -> None:
    warnings.warn(f"{KEY} is old", stacklevel=1)


def test_failure() -> None:
    assert KEY == "", "the key"


def test_error_in_a_fixture(leaking: None) -> None:
    pass


@pytest.fixture
def leaking() -> Iterator[None]:
    yield
    print(KEY)


def test_error_of_ours_that_nobody_sees() -> None:
    SiteError("refused", f"the key was {KEY}")


def test_expected_error() -> None:
    with pytest.raises(ValueError):
        raise ValueError(KEY)


def test_error_behind_an_expected_error() -> None:
    error = ValueError("clean")
    error.__context__ = KeyError(KEY)
    error.__suppress_context__ = True
    with pytest.raises(ValueError):
        raise error


def test_note_of_an_error() -> None:
    error = ValueError("clean")
    error.add_note(KEY)
    with pytest.raises(ValueError):
        raise error


def test_local_in_a_traceback() -> None:
    with pytest.raises(SiteError):
        checked_base(f"ftp://{KEY}/")


def test_thread() -> None:
    thread = threading.Thread(target=lambda: SiteError(KEY))
    thread.start()
    thread.join()


def test_base64() -> None:
    print(base64.b64encode(f"ada@acme.com:{KEY}".encode()).decode())


def test_url() -> None:
    print("https://acme.example/?key=" + quote(KEY, safe=""))


def test_json() -> None:
    print(json.dumps({"key": KEY}).replace("/", "\\/"))


def test_first_half() -> None:
    print(KEY[:18])


def test_second_half() -> None:
    print(KEY[18:])


def test_file(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"key": KEY}))


def test_file_deep_below(tmp_path: Path) -> None:
    deep = tmp_path / ".cleanup-gitops" / "acme"
    deep.mkdir(parents=True)
    (deep / "1.journal.jsonl").write_bytes(b"\0" * 100_000 + KEY.encode())


def test_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", f"run with {KEY}")


def test_object_that_nothing_leads_to(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "hash-object", "-w", "--stdin", data=KEY.encode())


def test_packed_object(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare")
    for number in range(3):
        blob = git(tmp_path, "hash-object", "-w", "--stdin", data=f"{number}{KEY}".encode())
        git(tmp_path, "pack-objects", "-q", str(tmp_path / "objects/pack/pack"), data=blob.encode())
    git(tmp_path, "prune-packed", "-q")
    assert not list(tmp_path.glob("objects/??"))


def test_shared_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    (tmp_path_factory.mktemp("shared") / "x").write_text(KEY)


def test_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert WORLD.credentials.org_api_key == KEY
    print(f"export ATLASSIAN_ORG_API_KEY={KEY}")
    capsys.readouterr()
    (tmp_path / "world.json").write_text(KEY)
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", f"https://u:{quote(KEY, safe='')}@host/x")
    with pytest.raises(ValueError):
        raise ValueError("clean")

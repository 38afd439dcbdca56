"""A working tree and its index, and how contents get into the object store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ledger.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def stored(repository: Repository) -> dict[str, int]:
    """What git has: numbers of loose objects (``count``) and of packs (``packs``), among others."""
    rows = (line.split(": ") for line in repository.git("count-objects", "-v").splitlines())
    return {name: int(number) for name, number in rows}


def test_an_index_that_is_no_newer_than_the_files_is_written_again_once(repository: Repository) -> None:
    repository.store().commit({"accounts/00.jsonl": b"{}\n"}, "first", {})
    index, file = repository.path / ".git/index", repository.path / "state/acme/accounts/00.jsonl"
    then = index.stat().st_mtime_ns - 3_600_000_000_000
    os.utime(file, ns=(then, then))
    repository.git("update-index", "--refresh")
    os.utime(index, ns=(then, then))
    assert repository.store().read() == {"accounts/00.jsonl": b"{}\n"}
    once = index.stat().st_mtime_ns
    assert once != then
    repository.store().read()
    assert index.stat().st_mtime_ns == once


def test_a_large_record_of_few_files_is_not_taken_apart_and_a_small_one_is(repository: Repository) -> None:
    repository.store().commit({f"accounts/{number:02x}.jsonl": b"{}\n" * number for number in range(8)}, "small", {})
    assert (stored(repository)["count"] > 8, stored(repository)["packs"]) == (True, 0)
    before = stored(repository)["count"]
    large = {f"accounts/{number:02x}.jsonl": os.urandom(400_000) for number in range(8)}
    repository.store().commit(large, "large", {})
    assert repository.store().read() == large
    assert stored(repository)["packs"] == 2
    assert stored(repository)["count"] < before + 8

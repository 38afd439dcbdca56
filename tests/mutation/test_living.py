"""Mutation testing by itself: a changed program is put into living functions, and forked work answers."""

from __future__ import annotations

import importlib
import time
from functools import partial
from pathlib import Path

import pytest

from tests.mutation.forks import Broken, Forks
from tests.mutation.living import Living

SOURCE = """
LIMIT = 3

def most(numbers: list[int], least: int = 0) -> list[int]:
    return sorted(one for one in numbers if one > least)[:LIMIT]

class Box:
    size = 1

    def room(self) -> int:
        def inner() -> int:
            return self.size + 1
        return inner()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "to_be_changed.py"
    path.write_text(SOURCE, "utf-8")
    return path


def test_functions_that_live_do_what_the_changed_program_says(module: Path) -> None:
    living = Living(module)
    program = importlib.import_module("to_be_changed")
    kept = program.most
    for old, new in (("one > least", "one >= least"), ("self.size + 1", "self.size - 1")):
        assert living.can_take(SOURCE.replace(old, new))
    living.take(SOURCE.replace("one > least", "one < least").replace("self.size + 1", "self.size - 1"))
    assert kept([1, 2, 3], 2) == [1]
    assert program.Box().room() == 0


@pytest.mark.parametrize("changed", ["LIMIT = 4", "least: int = 1", "size = 2"])
def test_what_runs_at_import_only_is_not_put_into_a_living_program(module: Path, changed: str) -> None:
    name, _, _ = changed.rpartition(" ")
    line = next(line for line in SOURCE.splitlines() if name in line)
    number = line[line.index(name) : line.index(name) + len(changed)]
    assert not Living(module).can_take(SOURCE.replace(number, changed))


def test_answers_of_forked_work_come_in_order_and_tell_what_broke() -> None:
    with Forks(2) as forks:
        for seconds in (0.05, 0.0):
            forks.start(partial(_after, seconds), limit=60)
        forks.start(partial(int, "no number"), limit=60)
        forks.start(partial(time.sleep, 600), limit=0.2)
        first, second, broken, killed = forks.answers()
    assert (first, second) == (0.05, 0.0)
    assert isinstance(broken, Broken)
    assert "no number" in broken
    assert killed == Broken("")


def _after(seconds: float) -> float:
    time.sleep(seconds)
    return seconds

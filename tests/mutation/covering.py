"""Which tests run which lines, and how long each takes."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import coverage
import pytest

from tests.mutation.forks import Broken, Forks, passes


@dataclass(frozen=True, slots=True)
class Covered:
    """Of one test: its number, its seconds, and the lines that it runs, by file."""

    test: int
    seconds: float
    lines: dict[str, tuple[int, ...]]


def covered(items: Sequence[pytest.Item], files: Iterable[Path], jobs: int) -> list[Covered]:
    """Run every test once, in forked processes, and see what it runs of the files. Tests that fail are left out."""
    names = [str(file) for file in files]
    shares: dict[Path, list[int]] = {}
    for number, item in enumerate(items):
        shares.setdefault(item.path, []).append(number)
    with Forks(jobs) as forks:
        for numbers in sorted(shares.values(), key=len, reverse=True):
            forks.start(partial(_measure, items, numbers, names), limit=1800.0)
        answers = forks.answers()
    broken = [answer for answer in answers if isinstance(answer, Broken)]
    if broken:
        raise RuntimeError(broken[0] or "measuring the tests took too long")
    return sorted((one for answer in answers for one in answer), key=lambda one: one.seconds)


def _measure(items: Sequence[pytest.Item], numbers: Sequence[int], names: Sequence[str]) -> list[Covered]:
    found = []
    for number in numbers:
        seen = coverage.Coverage(data_file=None, include=list(names), config_file=False)
        seen.start()
        began = time.perf_counter()
        good = passes([items[number]])
        seconds = time.perf_counter() - began
        seen.stop()
        if good:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a test runs nothing of the files
                data = seen.get_data()
            lines = {name: tuple(data.lines(name) or ()) for name in names}
            found.append(Covered(number, seconds, {name: some for name, some in lines.items() if some}))
    return found

"""Trying changes: the tests that run a changed line, quickest first, until one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.mutation.changes import Change
from tests.mutation.covering import Covered
from tests.mutation.forks import Forks, passes
from tests.mutation.living import Living

HANGS = 60.0
"""Seconds in which a test that usually takes a moment must have ended; a change that makes it hang was noticed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change. ``tests``: how many could have noticed it; 0 means that none runs the line."""

    change: Change
    killed: bool
    tests: int


def tried(
    path: Path,
    changes: Sequence[Change],
    items: Sequence[pytest.Item],
    known: Sequence[Covered],
    seconds: float,
    jobs: int,
) -> list[Result]:
    """Try every change of a module with at most ``seconds`` of tests each."""
    living = Living(path)
    fit = [_fit(change, str(path), known, seconds) for change in changes]
    with Forks(jobs) as forks:
        for change, tests in zip(changes, fit, strict=True):
            chosen = [items[number] for number in tests]
            if living.can_take(change.source):
                forks.start(partial(_notices, living, change, chosen), HANGS + seconds)
            else:
                forks.start(partial(_notices_anew, path, change, chosen), HANGS + 10 * seconds)
        answers = forks.answers()
    return [
        Result(change, bool(tests) and answer is not False, len(tests))
        for change, tests, answer in zip(changes, fit, answers, strict=True)
    ]


def _fit(change: Change, path: str, known: Sequence[Covered], seconds: float) -> list[int]:
    """Tests that run the line, else those that run anything of the module: it may be one that runs at import only."""
    near = [one for one in known if change.line in one.lines.get(path, ())] or [
        one for one in known if path in one.lines
    ]
    found: list[int] = []
    spent = 0.0
    for one in near:
        if found and spent + one.seconds > seconds:
            break
        found.append(one.test)
        spent += one.seconds
    return found


def _notices(living: Living, change: Change, items: Sequence[pytest.Item]) -> bool:
    living.take(change.source)
    return bool(items) and not passes(items)


def _notices_anew(path: Path, change: Change, items: Sequence[pytest.Item]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "changed.py"
        changed.write_text(change.source, "utf-8")
        names = [f"{item.path}{item.nodeid[item.nodeid.index('::') :]}" for item in items]
        usual = ("-q", "-x", "--capture=sys", "-p", "no:cacheprovider", "-p", "tests.mutation.replaced")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *usual, *names],
            env=os.environ | {"CHANGED_MODULE": str(path), "CHANGED_SOURCE": str(changed)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    return done.returncode != 0

"""Mutation testing: modules are changed in many small ways, and each change must make a test fail.

    python -m tests.mutation planner/settle.py
    python -m tests.mutation policy planner --survivors survivors.txt

Needs cosmic-ray, which makes the changes: `.venv/bin/pip install cosmic-ray`. Prints a row for each module, and every
change that no test noticed; docs/mutation.md tells how to read them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation.changes import changes_of
from tests.mutation.covering import covered
from tests.mutation.trying import Result, tried

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cleanup_gitops"
TESTS = (
    "tests/planner",
    "tests/policy",
    "tests/rehearsal",
    "tests/runner",
    "tests/test_cases.py",
    "tests/test_cookbook.py",
)
"""Where the tests of policies and plans lie."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run; 1 when a change was survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="+", help="modules or folders below cleanup_gitops/")
    parser.add_argument("--tests", nargs="+", default=list(TESTS), help="where the tests lie that may notice a change")
    parser.add_argument("--seconds", type=float, default=10.0, help="of tests, for one change (default: 10)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument("--survivors", type=Path, help="write what was not noticed there instead of printing it")
    given = parser.parse_args(arguments)
    files: list[Path] = []
    for name in given.modules:
        here = PACKAGE / name
        if not here.exists():
            parser.error(f"there is no cleanup_gitops/{name}")
        files += sorted(here.rglob("*.py")) if here.is_dir() else [here]
    run = _Run(files, given.seconds, given.jobs, given.survivors)
    usual = ["-q", "--capture=sys", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    ended = pytest.main([*usual, *given.tests], plugins=[run])
    return int(ended) or int(run.survived)


class _Run:
    """Takes the place of the usual run of the collected tests."""

    def __init__(self, files: Sequence[Path], seconds: float, jobs: int, survivors: Path | None) -> None:
        self._files, self._seconds, self._jobs, self._survivors = files, seconds, jobs, survivors
        self.survived = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Measure, then try the changes of one module after the other."""
        began = time.perf_counter()
        known = covered(session.items, self._files, self._jobs)
        _say(f"\n{len(known)} of {len(session.items)} tests measured in {time.perf_counter() - began:.0f} s")
        measured = {one.test for one in known}
        for item in (item for number, item in enumerate(session.items) if number not in measured):
            _say(f"not measured, because it fails by itself: {item.nodeid}")
        for path in self._files:
            began = time.perf_counter()
            results = tried(path, changes_of(path), session.items, known, self._seconds, self._jobs)
            self._report(path, results, time.perf_counter() - began)
        return True

    def _report(self, path: Path, results: Sequence[Result], seconds: float) -> None:
        name = path.relative_to(PACKAGE).as_posix()
        lost = [one for one in results if not one.killed]
        self.survived = self.survived or bool(lost)
        _say(f"| `{name}` | {len(results)} | {len(results) - len(lost)} | {len(lost)} | {seconds:.0f} s")
        told = "".join(_told(name, one) for one in lost)
        if self._survivors:
            with self._survivors.open("a", encoding="utf-8") as file:
                file.write(told)
        else:
            _say(told)


def _told(name: str, lost: Result) -> str:
    tests = f"survived {lost.tests} tests" if lost.tests else "no test runs it"
    return f"\n{name}:{lost.change.line}  {tests}\n{lost.change.difference}\n"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

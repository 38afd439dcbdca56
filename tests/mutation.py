"""Mutation testing: one module is changed in many small ways, and each change must make its tests fail.

    python -m tests.mutation planner/settle.py
    python -m tests.mutation policy/idle.py --tests tests/policy/test_match_boundaries.py

Needs cosmic-ray, in whatever environment: `pipx install cosmic-ray`, or name its folder of programs in
`COSMIC_RAY_BIN`. It works on a copy of the repository, one change at a time; a module of a hundred lines takes some
minutes. What was survived is printed as differences; docs/mutation.md tells how to read them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS: dict[str, tuple[str, ...]] = {
    "planner/settle.py": ("tests/planner/test_settle.py", "tests/planner/test_classes.py"),
    "planner/lifecycle.py": ("tests/planner/test_lifecycle.py",),
    "planner/seats.py": ("tests/runner/test_billing.py",),
    "policy/billing.py": ("tests/policy/test_billing.py",),
    "policy/idle.py": ("tests/planner/test_shortlist.py",),
    "policy/match.py": ("tests/policy/test_match_boundaries.py",),
    "policy/timing.py": ("tests/policy/test_timing.py",),
}
"""Tests that are to notice a change of a module, by its path in the package."""
LEFT_OUT = (
    "core/ReplaceBinaryOperator_(?!Add_Sub$|Sub_Add$).*",
    "core/ReplaceComparisonOperator_.*_(Is|IsNot)$",
    "core/ReplaceComparisonOperator_Is(Not)?_(?!Is(Not)?$).*",
    "core/RemoveDecorator",
)
"""Kinds of changes that say little: `|` in types, and comparisons that no code would have."""


def config(module: str, tests: Sequence[str]) -> str:
    """What cosmic-ray is told, as TOML."""
    command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider {' '.join(tests)}"
    kinds = ", ".join(f"'{one}'" for one in LEFT_OUT)
    return (
        f'[cosmic-ray]\nmodule-path = "cleanup_gitops/{module}"\ntimeout = 300.0\nexcluded-modules = []\n'
        f'test-command = "{command}"\n\n[cosmic-ray.distributor]\nname = "local"\n\n'
        f"[cosmic-ray.filters.operators-filter]\nexclude-operators = [{kinds}]\n"
    )


def run(module: str, tests: Sequence[str], programs: Path | None) -> int:
    """Change the module in every way, and print what its tests did not notice; 1 when there is such a change."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "repository"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".*_cache", "__pycache__", ".hypothesis"))
        (copy / "mutation.toml").write_text(config(module, tests), "utf-8")
        for step in (
            ("cosmic-ray", "init", "mutation.toml", "session.sqlite"),
            ("cr-filter-operators", "session.sqlite", "mutation.toml"),
            ("cosmic-ray", "baseline", "mutation.toml"),
            ("cosmic-ray", "exec", "mutation.toml", "session.sqlite"),
        ):
            _call(step, copy, programs)
        report = _call(("cr-report", "--show-diff", "--surviving-only", "session.sqlite"), copy, programs)
    print(report, end="")
    return int("SURVIVED" in report)


def _call(step: Iterable[str], folder: Path, programs: Path | None) -> str:
    name, *rest = step
    path = str(programs / name) if programs else name
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [path, *rest],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("module", help="path below cleanup_gitops/, such as planner/settle.py")
    parser.add_argument("--tests", nargs="+", help="test files instead of the usual ones")
    given = parser.parse_args(arguments)
    if not (ROOT / "cleanup_gitops" / given.module).is_file():
        parser.error(f"there is no cleanup_gitops/{given.module}")
    tests = given.tests or TESTS.get(given.module)
    if not tests:
        parser.error(f"no tests are known for {given.module}: name them with --tests (known: {', '.join(TESTS)})")
    named = os.environ.get("COSMIC_RAY_BIN")
    return run(given.module, tests, Path(named) if named else None)


if __name__ == "__main__":
    raise SystemExit(main())

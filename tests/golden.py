"""Golden files: expected outputs that are kept beside the tests and compared byte by byte.

A test calls ``check(path, actual)``. When an output changes on purpose, read the difference, then accept it:

    python -m tests.golden --accept            all of them
    python -m tests.golden --accept tests/views

The command runs the tests as always, rewrites what differs, and lists it. Nothing else ever writes a golden file.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python -m tests.golden --accept"
CASES = ROOT / "tests" / "cases"
OF_ALL_CASES = f"{ROOT}/tests/test_cases.py::test_the_plan_is_the_expected_one_in_every_form"


class Accepting:
    """Whether differences are accepted in this run, and what was rewritten. Set only by the command below."""

    def __init__(self) -> None:
        self.on = False
        self.rewritten: list[Path] = []


accepting = Accepting()


def check(path: Path, actual: str | bytes) -> None:
    """Fail with a difference unless the file holds exactly this output. Text is UTF-8."""
    data = actual.encode() if isinstance(actual, str) else actual
    expected = path.read_bytes() if path.exists() else None
    if data == expected:
        return
    if accepting.on:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        accepting.rewritten.append(path)
        return
    pytest.fail(_difference(path, expected, data), pytrace=False)


def _difference(path: Path, expected: bytes | None, actual: bytes) -> str:
    name = _name(path)
    head = f"{name} {'does not exist yet' if expected is None else 'differs from the output'}."
    lines = difflib.unified_diff(_lines(expected or b""), _lines(actual), f"{name} (expected)", "output", lineterm="")
    folder = _name(path.parent.parent if path.parent.name == "golden" else path.parent)
    return "\n".join([head, *lines, "", f"If the change is meant: {COMMAND} {folder}"])


def _lines(data: bytes) -> list[str]:
    """Lines as they can be printed; a missing line end at the end shows."""
    text = data.decode(errors="backslashreplace")
    lines = [ascii(line)[1:-1] if not line.isprintable() else line for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], lines[-1] + "\\ no line end"]


def _name(path: Path) -> str:
    resolved = path.resolve()
    return resolved.relative_to(ROOT).as_posix() if resolved.is_relative_to(ROOT) else str(path)


def _tests(paths: Sequence[str]) -> list[str]:
    """The tests to run for these paths: folders of cases have no tests of their own, others run them by name."""
    return [_test(path, Path(path).resolve()) for path in paths]


def _test(path: str, place: Path) -> str:
    if place == CASES:
        return OF_ALL_CASES
    return f"{OF_ALL_CASES}[{place.name}]" if place.parent == CASES else path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests and accept what differs. Exit code of pytest: other failures stay failures."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description="Accept changed golden files.")
    parser.add_argument("--accept", action="store_true", required=True, help="rewrite what differs")
    parser.add_argument("paths", nargs="*", help="tests to run; all when omitted")
    chosen = parser.parse_args(arguments)
    accepting.on = True
    try:
        code = pytest.main(["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", *_tests(chosen.paths)])
    finally:
        accepting.on = False
    for path in accepting.rewritten:
        print(f"accepted {_name(path)}")
    print(f"{len(accepting.rewritten)} golden files rewritten; read them with git diff before you commit them.")
    return int(code)


if __name__ == "__main__":
    # The module that the tests import: this one, under the name __main__, is another.
    sys.exit(importlib.import_module("tests.golden").main())

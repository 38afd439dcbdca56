"""Which numbers of docs/edge-cases.md exist, and which of them the tests name.

Read from the files, not from a test run: the answer does not depend on what was selected, skipped
or spread over processes.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "edge-cases.md"
TESTS = ROOT / "tests"

ALL_IDS = tuple([f"E{n}" for n in range(1, 86)] + [f"F{n}" for n in range(1, 31)])

_ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \| (?P<what>[^|]+) \| (?P<does>[^|]+) \|$")


def documented(document: Path = DOCUMENT) -> dict[str, tuple[str, str]]:
    """What happens and what is done about it, by number. A number that stands twice is an error."""
    rows: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(document.read_text("utf-8").splitlines(), start=1):
        if row := _ROW.match(line):
            if row["id"] in rows:
                msg = f"{document.name}:{number}: {row['id']} stands there twice"
                raise ValueError(msg)
            rows[row["id"]] = (row["what"].strip(), row["does"].strip())
    return rows


def marks_in(source: str) -> set[str]:
    """The numbers in all `pytest.mark.case(...)` of one file, which must stand there as text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="mark"), attr="case"), args=args):
                for arg in args:
                    match arg:
                        case ast.Constant(value=str(text)):
                            found.add(text)
                        case _:
                            msg = f"line {arg.lineno}: the numbers of a case mark must be text"
                            raise ValueError(msg)
    return found


@cache
def named_in_tests(tests: Path = TESTS) -> dict[str, list[str]]:
    """The test files that name a number, by number."""
    named: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("*.py")):
        source = path.read_text("utf-8")
        if "mark.case(" not in source:
            continue  # parsing is what takes the time
        for case in marks_in(source):
            named.setdefault(case, []).append(path.relative_to(tests).as_posix())
    return named


def uncovered() -> list[str]:
    """The numbers that no test names, in the order of the document."""
    named = named_in_tests()
    return [case for case in ALL_IDS if case not in named]


def summary() -> str:
    """One line for the end of a test run."""
    missing = uncovered()
    counted = f"edge cases: {len(ALL_IDS) - len(missing)} of {len(ALL_IDS)} named in tests"
    return f"{counted}; uncovered: {' '.join(missing)}" if missing else counted

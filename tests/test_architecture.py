"""House rules that no linter knows: who may read the environment, the clock, and end the process.

The layers themselves are checked by import-linter (pyproject.toml).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cleanup_gitops"

MAX_FUNCTION_LINES = 60
MAX_LINES = 400
LONG_MODULES: frozenset[str] = frozenset()  # with a reason in docs/architecture.md

ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"}
EXITS = {"SystemExit", "sys.exit", "os._exit", "exit", "quit"}
WALL_CLOCK = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
}


def modules() -> list[tuple[str, str]]:
    """Path below the package and source of every module."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return [(path.relative_to(PACKAGE).as_posix(), path.read_text("utf-8")) for path in paths]


def imported_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: `dt` -> `datetime`, `now` -> `time.time`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    first = alias.name.split(".")[0]
                    names[alias.asname or first] = alias.name if alias.asname else first
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names.update({a.asname or a.name: f"{module}.{a.name}" for a in aliases})
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    """The full name of an expression such as `dt.datetime.now`, its imports resolved."""
    match node:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            owner = dotted(value, names)
            return f"{owner}.{attr}" if owner else None
        case _:
            return None


def uses(source: str, forbidden: set[str]) -> Iterator[str]:
    """Each place of a source that names something forbidden, as `line: name`."""
    tree = ast.parse(source)
    names = imported_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Name() | ast.Attribute():
                name = dotted(node, names)
                if name in forbidden:
                    yield f"{node.lineno}: {name}"


def offenders(forbidden: set[str], *, allowed: tuple[str, ...]) -> list[str]:
    return [
        f"{path}:{place}"
        for path, source in modules()
        if not path.startswith(allowed)
        for place in uses(source, forbidden)
    ]


def test_only_the_cli_reads_the_environment() -> None:
    assert offenders(ENVIRONMENT, allowed=("cli/",)) == []


def test_only_the_cli_ends_the_process() -> None:
    assert offenders(EXITS, allowed=("cli/", "__main__.py")) == []


def test_only_the_cli_and_the_sandbox_read_the_wall_clock() -> None:
    assert offenders(WALL_CLOCK, allowed=("cli/", "sandbox/")) == []


def test_only_the_sandbox_is_asynchronous() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, source in modules()
        if not path.startswith("sandbox/")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await)
    ]
    assert found == []


def test_no_module_is_longer_than_a_reader_bears() -> None:
    long = {path for path, source in modules() if len(source.splitlines()) > MAX_LINES}
    assert long == LONG_MODULES


def long_functions(source: str, most: int) -> list[str]:
    """Each function of a source with more lines than these, decorators aside, as `line: name (lines)`."""
    return [
        f"{node.lineno}: {node.name} ({lines})"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > most
    ]


def test_every_function_stands_on_one_screen() -> None:
    paths = [path for folder in (PACKAGE, ROOT / "tests") for path in sorted(folder.rglob("*.py"))]
    found = [
        f"{path.relative_to(ROOT)}:{place}"
        for path in paths
        for place in long_functions(path.read_text("utf-8"), MAX_FUNCTION_LINES)
    ]
    assert found == []


def test_no_text_was_left_in_two_versions_by_a_merge() -> None:
    mark = "<" * 7 + " "
    texts = [path for kind in ("*.py", "*.md", "*.yaml", "*.j2", "*.toml") for path in ROOT.rglob(kind)]
    ours = [path for path in texts if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
    assert [str(path.relative_to(ROOT)) for path in ours if f"\n{mark}" in path.read_text(encoding="utf-8")] == []


def test_a_long_function_is_found_wherever_it_stands() -> None:
    source = "class A:\n    @property\n    def b(self):\n        x = 1\n        return x\n\ndef c():\n    return 1\n"
    assert long_functions(source, 2) == ["3: b (3)"]


@pytest.mark.parametrize(
    ("source", "forbidden"),
    [
        ("import os\nx = os.environ['A']", ENVIRONMENT),
        ("from os import environ as e\nx = e['A']", ENVIRONMENT),
        ("import os as o\nx = o.getenv('A')", ENVIRONMENT),
        ("import datetime as dt\nx = dt.datetime.now(dt.UTC)", WALL_CLOCK),
        ("from datetime import datetime\nx = datetime.now()", WALL_CLOCK),
        ("from datetime import date\nx = date.today()", WALL_CLOCK),
        ("from time import time as now\nx = now()", WALL_CLOCK),
        ("import time\nclock = time.time", WALL_CLOCK),
        ("import sys\nsys.exit(1)", EXITS),
        ("raise SystemExit(2)", EXITS),
    ],
)
def test_a_forbidden_use_is_found_under_any_import(source: str, forbidden: set[str]) -> None:
    assert list(uses(source, forbidden)) != []


def test_monotonic_time_and_given_instants_are_no_wall_clock() -> None:
    source = "import time\nfrom datetime import datetime\ntime.monotonic()\ndatetime.fromtimestamp(0)"
    assert list(uses(source, WALL_CLOCK)) == []

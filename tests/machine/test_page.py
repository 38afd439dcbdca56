"""docs/reliability.md names tests that exist."""

from __future__ import annotations

import ast
import re

from tests.case_marks import ROOT

PAGE = ROOT / "docs" / "reliability.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_that_the_page_on_reliability_names_exists() -> None:
    named = NAMED.findall(PAGE.read_text("utf-8"))
    assert len(named) >= 16
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{name}"


def test_every_promise_on_the_page_has_a_test() -> None:
    section = PAGE.read_text("utf-8").partition("## Promises")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 14
    assert all(NAMED.search(row) for row in rows)


def test_the_files_that_the_page_speaks_of_exist() -> None:
    for path in re.findall(r"`(tests/[\w/.]+)`", PAGE.read_text("utf-8")):
        assert (ROOT / path).exists(), path

"""docs/threat-model.md names tests that exist, and is found from where people begin."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "threat-model.md"
NAME = re.compile(r"`(test_\w+)`")


@cache
def existing() -> set[str]:
    """The names of all test functions."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return found


def unknown(text: str) -> set[str]:
    """Names of tests in the text that no test has."""
    return set(NAME.findall(text)) - existing()


def test_every_test_that_the_threat_model_names_exists() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert unknown(text) == set()
    assert len(set(NAME.findall(text))) >= 60


def test_a_name_that_no_test_has_is_found() -> None:
    assert unknown("`test_that_was_renamed` and `test_a_name_that_no_test_has_is_found`") == {"test_that_was_renamed"}


def test_every_row_of_a_table_of_rails_names_a_test() -> None:
    rows, head = 0, ""
    for number, line in enumerate(DOCUMENT.read_text("utf-8").splitlines(), start=1):
        if not line.startswith("|"):
            head = ""
            continue
        head = head or line
        if head.rstrip("| ").endswith("tests") and line != head and not line.startswith("|---"):
            rows += 1
            assert NAME.search(line.rstrip("| ").rpartition("|")[2]), f"docs/threat-model.md:{number}"
    assert rows >= 30


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/architecture.md", "docs/state.md"])
def test_whoever_looks_for_it_is_led_there(page: str) -> None:
    assert "threat-model.md" in (ROOT / page).read_text("utf-8")

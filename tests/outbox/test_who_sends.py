"""Nothing that plans, rehearses, records or shows can send, and of the commands only those that act do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cleanup_gitops

PACKAGE = Path(cleanup_gitops.__file__).parent
SENDING = ("cleanup_gitops.outbox", "cleanup_gitops.cli.telling", "cleanup_gitops.cli.posting", "smtplib")
ACTING = {"cli/telling.py", "cli/posting.py", "cli/commands/apply.py", "cli/commands/notices.py"}
"""Modules beside the outbox that may have to do with sending; `notices` renders previews."""


def imported(path: Path) -> set[str]:
    """Every module that a module imports, wherever the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.case("E72")
def test_only_commands_that_act_can_send_anything() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(name.startswith(SENDING) for name in imported(path))
    }
    outside = {path for path in found if not path.startswith("outbox/")}
    assert outside <= ACTING
    assert "cli/telling.py" in outside

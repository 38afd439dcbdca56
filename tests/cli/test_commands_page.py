"""docs/commands.md says what the commands say of themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from cleanup_gitops.cli.main import COMMANDS, EPILOG, cli, run
from cleanup_gitops.views.administrator_columns import ADMINISTRATOR_COLUMNS
from cleanup_gitops.views.columns import Column
from cleanup_gitops.views.ending_columns import ENDING_COLUMNS
from cleanup_gitops.views.event_columns import EVENT_COLUMNS
from cleanup_gitops.views.gap_columns import GAP_COLUMNS
from cleanup_gitops.views.group_columns import GROUP_COLUMNS
from cleanup_gitops.views.user_columns import USER_COLUMNS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "commands.md").read_text("utf-8")


def section(title: str) -> str:
    """A section of the page without what follows it."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_named_with_what_it_says_of_itself(command: str) -> None:
    assert f"\n| `{command}` | {COMMANDS[command]} |\n" in PAGE


@pytest.mark.parametrize(
    ("title", "columns"),
    [
        ("users", USER_COLUMNS),
        ("groups", GROUP_COLUMNS),
        ("audit log", EVENT_COLUMNS),
        ("audit admins", ADMINISTRATOR_COLUMNS),
        ("audit gaps", GAP_COLUMNS),
        ("audit leavers", ENDING_COLUMNS),
    ],
)
def test_every_column_stands_there_with_its_meaning(title: str, columns: Mapping[str, Column[Any]]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section(title), re.MULTILINE)
    assert rows == [(name, column.meaning) for name, column in columns.items()]


@pytest.mark.parametrize(
    "name",
    [
        "apply",
        "audit admins",
        "audit gaps",
        "audit leavers",
        "audit log",
        "audit metrics",
        "audit roll-over",
        "audit user",
        "audit verify",
        "bulk",
        "drift",
        "effect",
        "exempt",
        "explain",
        "forecast",
        "groups",
        "plan",
        "recover",
        "rollback",
        "status",
        "suggest",
        "test",
        "users",
        "why-not",
    ],
)
def test_every_option_stands_there(name: str) -> None:
    command: click.Command | None = cli
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert any(f"`{option}" in section(name) for option in parameter.opts), parameter.opts


@pytest.mark.parametrize("name", [*sorted(COMMANDS), "audit log", "audit verify", "sandbox seed", "sandbox serve"])
def test_examples_in_help_stand_on_lines_of_their_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not any("\b" in line or r"\b" in line for line in lines)
    if "  Examples:" in lines:
        examples = lines[lines.index("  Examples:") + 1 :]
        assert examples[0].startswith("    cleanup-gitops ")


def test_there_is_one_word_for_rows_of_an_approval_that_cannot_be_applied_again() -> None:
    root = Path(__file__).parent.parent.parent
    pages = [root / "README.md", root / "SECURITY.md", *sorted((root / "docs").glob("*.md"))]
    others = re.compile(r"\b(?:spen[dt]s?|used up|used only once)\b")
    lines = [*EPILOG.splitlines(), *(line for page in pages for line in page.read_text("utf-8").splitlines())]
    assert [line for line in lines if "approv" in line and others.search(line)] == []
    assert "consumed" in EPILOG


def test_a_line_that_is_to_be_copied_from_a_help_text_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--help"]) == 0
    assert "\n    # yaml-language-server: $schema=schema.json\n" in capsys.readouterr().out

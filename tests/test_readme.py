"""What the front page and its neighbours say is what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import COMMANDS
from cleanup_gitops.sandbox.seed import seed

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "state").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text)
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("name", ["demo", "test"])
def test_both_commands_are_complete_in_themselves(name: str) -> None:
    block = re.search(rf"^<!-- ci:{name} -->\n```sh\n(.+?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    assert lines[0].startswith("git clone https://github.com/cleanup-gitops/cleanup-gitops && cd cleanup-gitops && ")
    assert all(line.endswith("&&") for line in lines[:-1])
    assert name != "demo" or lines[-1].strip() == ".venv/bin/cleanup-gitops demo"


def test_the_people_of_the_plan_that_is_shown_are_those_of_the_demo() -> None:
    people = {user.id: user.name for user in seed().users}
    shown = re.findall(r"^  # (?:user|membership/\S+?)/(\S+) \((.+?)\) will be", README, re.MULTILINE)
    assert len(shown) >= 2
    assert dict(shown).items() <= people.items()


def test_the_policy_that_is_shown_is_the_example() -> None:
    (block,) = re.findall(r"```yaml\n(.+?)```", README, re.DOTALL)
    assert block in (ROOT / "policies" / "dormant-members.yaml").read_text("utf-8")


def test_every_command_and_every_exit_code_is_named() -> None:
    section = README.split("## Commands and exit codes")[1].split("\n## ")[0]
    assert set(re.findall(r"`([\w-]+)`", section)) >= set(COMMANDS)
    assert re.findall(r"^\| (\d) \|", section, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "6"]

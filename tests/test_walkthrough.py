"""docs/tutorial.md and the recipes for rehearsals are typed against a served sandbox, and show what they show."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click
import pytest

from cleanup_gitops.cli.demo.embedded import VARIABLES, credentials
from cleanup_gitops.cli.demo.folder import AUTHOR, git
from cleanup_gitops.cli.main import COMMANDS, cli, run
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.policy.loader import load
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import World
from tests.ledger.repository import plain_git
from tests.walkthrough import Reader, commands, shown, steps

ROOT = Path(__file__).parent.parent
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
REHEARSE = (ROOT / "docs" / "cookbook.md").read_text("utf-8").partition("\n## Rehearse\n")[2].partition("\n## ")[0]
NOW = datetime.fromisoformat("2026-11-22T09:00:00Z")
FOLDER = "wiki"


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day of the pages, somebody whom git knows, and an environment that is as before in the end."""
    plain_git(monkeypatch)
    monkeypatch.setattr(SystemClock, "now", lambda _: NOW)
    for role in ("AUTHOR", "COMMITTER"):
        for what, value in zip(("NAME", "EMAIL", "DATE"), (*AUTHOR, NOW.isoformat()), strict=True):
            monkeypatch.setenv(f"GIT_{role}_{what}", value)
    for name in VARIABLES:
        monkeypatch.setenv(name, "")


@pytest.fixture
def served(day: None) -> Iterator[Reader]:  # noqa: ARG001 - the day has to be set before
    """Somebody who types; a block that serves the sandbox is a server of this process, on a free port."""
    with ExitStack() as stack:
        reader = Reader(Path())

        def apart(block: str) -> None:
            if "sandbox serve" in block:
                reader.held = credentials(serve(reader.folder, stack))

        reader.apart = apart
        yield reader


def serve(folder: Path, stack: ExitStack) -> World:
    """Serve the world in the folder, and have its Site document name the server."""
    world = World.load(folder / "world.json")
    world.options.rate_limits = []  # nobody who types is so quick that a limit matters
    box = stack.enter_context(running(world))
    site = folder / "policies" / "site.yaml"
    site.write_text(site.read_text("utf-8").replace(load(site.parent).sites[0].url, box.url), "utf-8")
    git(folder, "commit", "--quiet", "--all", "--message", "Another port", at=NOW)
    return world


@pytest.mark.slow
def test_the_tutorial_is_typed_from_an_empty_folder_to_the_end(tmp_path: Path, served: Reader) -> None:
    served.folder = tmp_path
    served.read(TUTORIAL)
    assert [code for code in served.codes if code] == [1, 1], "the two tests that the page shows as failed"
    assert not git(served.folder, "status", "--porcelain")


@pytest.mark.slow
def test_the_recipes_for_rehearsals_are_typed(tmp_path: Path, served: Reader) -> None:
    assert run(["-C", str(tmp_path), "sandbox", "past", FOLDER, "--examples"]) == 0
    served.folder = tmp_path / FOLDER
    served.apart("sandbox serve")
    os.environ.update(served.held)
    before = git(served.folder, "rev-parse", "HEAD")
    served.read(REHEARSE)
    assert [code for code in served.codes if code] == [1], "the test that the page shows as failed"
    assert not git(served.folder, "status", "--porcelain")
    assert git(served.folder, "rev-parse", "HEAD") == before


def option_names(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("--")}


@pytest.mark.parametrize("page", [TUTORIAL, REHEARSE], ids=["tutorial", "rehearse"])
def test_every_command_and_option_that_is_typed_is_there(page: str) -> None:
    typed = [words for step in steps(page) if step.kind in ("sh", "apart") for words in commands(step.text)]
    ours = [words[1:] for words in typed if words[0] == "cleanup-gitops"]
    assert len(ours) > 4
    for name, *rest in ours:
        assert name in COMMANDS
        context = click.Context(cli)
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            command = command.get_command(context, rest[0])
        assert command is not None
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert option_names(rest) <= known


def test_what_the_tutorial_exports_is_what_the_sandbox_takes() -> None:
    exports = [
        words for step in steps(TUTORIAL) if step.kind == "sh" for words in commands(step.text) if words[0] == "export"
    ]
    values = dict(words[1].split("=", 1) for words in exports)
    made = (ROOT / "cleanup_gitops" / "sandbox" / "seed.py").read_text("utf-8")  # tests plant other keys
    assert tuple(values) == VARIABLES
    assert values["CONFLUENCE_USER"] == credentials(seed(users=1))["CONFLUENCE_USER"]
    assert f'ORG_API_KEY = "{values["ATLASSIAN_ORG_API_KEY"]}"' in made
    assert f'API_TOKEN = "{values["CONFLUENCE_API_TOKEN"]}"' in made


def test_the_tutorial_has_only_little_that_is_not_typed() -> None:
    apart = [step for step in steps(TUTORIAL) if step.kind == "apart"]
    assert len(apart) == 2
    assert sum(step.kind == "text" for step in steps(TUTORIAL)) > 10


# -- how a page is compared ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        ("one\ntwo\n", ""),
        ("two\n...\nfour 4 four\n", ""),
        ("two\n...\nfour … four\n", ""),
        ("one\nthree\n", "one\nthree\n"),
        ("three\n...\none\n", "one\n"),
        ("wo\n", "wo\n"),
        ("two\n...\ntwo\n", "two\n"),
        ("tw\n", "tw\n"),
    ],
)
def test_lines_are_compared_whole_and_in_order(wanted: str, missing: str) -> None:
    assert shown(wanted, "one\ntwo\nthree\nfour 4 four\n") == missing


def test_a_page_that_shows_what_was_not_said_fails(tmp_path: Path, served: Reader) -> None:
    served.folder = tmp_path
    with pytest.raises(AssertionError, match=r"line 5 shows\nsomething else"):
        served.read("```sh\ncleanup-gitops --version\n```\n\n```text\nsomething else\n```\n")


def test_a_file_is_written_where_the_page_says_and_an_edit_has_to_fit(tmp_path: Path, served: Reader) -> None:
    served.folder = tmp_path
    written = "Write `policies/one.yaml`:\n\n```yaml\na: 90d\n```\n\n"
    served.read(f"{written}In `policies/one.yaml` write `60d` instead of `90d`.\n")
    assert (tmp_path / "policies" / "one.yaml").read_text() == "a: 60d\n"
    with pytest.raises(AssertionError, match="line 7: 30d is not there once"):
        served.read(f"{written}In `policies/one.yaml` write `60d` instead of `30d`.\n")
    with pytest.raises(ValueError, match="line 1: no file is named"):
        list(steps("```yaml\na: 90d\n```\n"))

"""A workspace for each test that asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from tests.cli import day
from tests.cli.workspace import DORMANT, Workspace


@pytest.fixture(autouse=True)
def same_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """No midnight between what a test writes down as today and the command that reads it."""
    monkeypatch.setattr(SystemClock, "now", day.now)


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it is installed, whatever whoever runs the tests has set up: signing, hooks, colours, an own diff."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Workspace]:
    """A repository with one policy for dormant members, and a sandbox of 120 users as of now."""
    now = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with running(seed(users=120, seed=7, now=now)) as box:
        found = Workspace(tmp_path, box, capsys)
        found.git("init", "-q")
        found.site()
        found.policy("dormant.yaml", DORMANT)
        monkeypatch.setenv("ORG_KEY", box.org_api_key)
        monkeypatch.setenv("SITE_USER", box.user_email)
        monkeypatch.setenv("SITE_TOKEN", box.api_token)
        yield found

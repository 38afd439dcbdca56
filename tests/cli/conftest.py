"""A workspace for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from tests.cli import day
from tests.cli.workspace import DORMANT, Workspace
from tests.ledger.repository import plain_git


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No midnight between what a test writes down as today and the command that reads it, and no setting of git."""
    plain_git(monkeypatch)
    monkeypatch.setattr(SystemClock, "now", day.now)


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

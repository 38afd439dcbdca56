"""People who begin, from a file to an invitation, as a user types it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.sites.secret import PSEUDONYM_KEY
from tests.cli.workspace import Workspace

ROSTER = """\
apiVersion: cleanup-gitops/v1
kind: Roster
metadata: {name: hr, owner: hr-ops@acme.com}
spec:
  source: {env: HR_ROSTER_CSV, columns: {email: mail, starts: first_day, ends: last_day}, time_zone: UTC}
  joiners: {groups: [confluence-users-acme]}
"""


@pytest.fixture
def hired(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    today = SystemClock().now().date()
    file = workspace.folder.parent / "hr.csv"
    later = today + timedelta(days=3)
    file.write_text(f"mail,first_day,last_day\nNew.One@acme.com,{today},\nnew.two@acme.com,{later},\n")
    monkeypatch.setenv("HR_ROSTER_CSV", str(file))
    (workspace.folder / "policies" / "dormant.yaml").unlink()
    workspace.policy("roster.yaml", ROSTER)
    return workspace


def test_somebody_is_invited_once_and_named_on_the_screen_alone(hired: Workspace) -> None:
    saved = hired.folder.parent / "plan.json"
    plan = hired.run("plan", "--out", str(saved))
    assert plan.code == 0, plan.err
    assert "(new.one@acme.com) will be invited" in plan.out
    assert "Plan: 1 to add, 0 to change, 0 to remove." in plan.out
    assert "new.two" not in plan.out
    assert "new.one" not in saved.read_text()
    done = hired.run("apply", str(saved))
    assert done.code == 0, done.err
    assert "1 added" in done.out
    again = hired.run("plan", "--detailed-exitcode")
    assert (again.code, "1 pending" in again.out) == (0, True)
    assert [path for path in hired.writes() if path.endswith("/invite")] == hired.writes()
    assert len(hired.writes()) == 1
    kept = b"".join(path.read_bytes() for path in (hired.folder / "state").rglob("*") if path.is_file())
    assert b"new.one" not in kept
    assert b"invite/hr/" in kept
    assert "new.one" not in hired.git("log", "-p")
    assert hired.run("audit", "verify").code == 0


def test_pseudonyms_depend_on_their_key_and_a_short_one_is_refused(
    hired: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pseudonym() -> str:
        (line,) = (one for one in hired.run("plan").out.splitlines() if one.strip().startswith("# invite/hr/"))
        return line.split()[1]

    by_api_key = pseudonym()
    assert pseudonym() == by_api_key
    monkeypatch.setenv(PSEUDONYM_KEY, "0123456789abcdef0123456789abcdef")
    own = pseudonym()
    assert own != by_api_key
    monkeypatch.setenv(PSEUDONYM_KEY, "too short")
    said = hired.run("plan")
    assert said.code != 0
    assert f"{PSEUDONYM_KEY} is shorter than 32 characters" in said.err
    assert "too short" not in said.err

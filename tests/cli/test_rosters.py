"""A roster outside the repository, from its document to the site: `validate`, `plan`, `apply`, `status`."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.policy.patterns import normal_email
from tests.cli.day import TODAY
from tests.cli.workspace import Workspace
from tests.ledger.approvers import People

ROSTER = """\
apiVersion: cleanup-gitops/v1
kind: Roster
metadata: {name: hr, owner: hr-ops@acme.com}
spec:
  source: {env: HR_ROSTER_CSV, columns: {email: mail, ends: until}, time_zone: Europe/Oslo, days: DD.MM.YYYY}
  leavers: {ensure: {status: suspended}, sla: 24h}
---
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: wide, owner: security}
spec: {caps: {termination: {max: 10, percent: 100}, total: {max: 10, percent: 100}}}
"""


@pytest.fixture
def roster(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the roster will lie; it is the only policy of the workspace."""
    file = tmp_path_factory.mktemp("hr") / "roster.csv"
    monkeypatch.setenv("HR_ROSTER_CSV", str(file))
    (workspace.folder / "policies" / "dormant.yaml").unlink()
    workspace.policy("hr.yaml", ROSTER)
    return file


def day(ago: int) -> str:
    return f"{TODAY - timedelta(days=ago):%d.%m.%Y}"


def someone(workspace: Workspace) -> dict[str, Any]:
    """A managed person who can be suspended here, and whose address nobody else has."""
    rows: list[dict[str, Any]] = json.loads(workspace.run("users", "--columns", "all", "--format", "json").out)["rows"]
    used = [normal_email(row["email"]) for row in rows if row["email"]]
    return next(
        row
        for row in rows
        if row["managed"]
        and row["kind"] == "person"
        and row["status"] == "active"
        and not (row["admin"] or row["synced"])
        and row["email"]
        and used.count(normal_email(row["email"])) == 1
    )


def test_who_left_is_planned_closed_and_recorded_without_an_address(workspace: Workspace, roster: Path) -> None:
    who = someone(workspace)
    text = f"mail;until\r\n{who['email']};{day(3)}\r\ngone@acme.com;{day(3)}\r\nnext@acme.com;\r\n"
    roster.write_bytes(text.encode("utf-16"))
    assert workspace.run("validate").code == 0
    shown = workspace.run("plan")
    assert f"user/{who['id']}" in shown.out
    assert "hr (policies/hr.yaml:6): last day " in shown.out
    assert "; overdue since " in shown.out
    assert "hr: 1 row tells of somebody who left and whom no account here means for certain" in shown.out
    assert "(HR_ROSTER_CSV, line 3; overdue: line 3)" in shown.out
    assert "Lists: HR_ROSTER_CSV, 3 rows, sha256:" in shown.out
    applied = workspace.run("apply", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    recorded = b"".join(path.read_bytes() for path in (workspace.folder / "state").rglob("*") if path.is_file())
    assert who["email"].encode() not in recorded
    assert b"gone@acme.com" not in recorded
    again = workspace.run("plan")
    assert "No changes." in again.out
    assert workspace.run("status").code == 0
    assert workspace.run("audit", "verify").code == 0


@pytest.mark.case("E14", "F1")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mail;until\nsecret@acme.com;Never accessed\n", ":2: column 'until' holds no day in the form DD.MM.YYYY."),
        ("mail;until\nsecret@acme.com;2026-11-20\n", ":2: column 'until' holds no day in the form DD.MM.YYYY."),
        ("mail;until\n", ":1: there is no row below the header."),
        ("mail;ends\nsecret@acme.com;\n", ":1: the column 'until', which `columns` of the Roster names, is not there."),
        (None, "The list HR_ROSTER_CSV cannot be read (No such file or directory)."),
    ],
)
def test_a_roster_that_cannot_be_understood_is_an_error_before_the_site_is_asked(
    workspace: Workspace, roster: Path, text: str | None, said: str
) -> None:
    if text is not None:
        roster.write_text(text, "utf-8")
    for command in (["plan"], ["apply", "--auto-approve"]):
        refused = workspace.run(*command)
        assert refused.code == 1
        assert said in refused.err
        assert "the Roster hr (policies/hr.yaml:1)" in refused.err
        assert "secret" not in refused.out + refused.err
    assert workspace.writes() == []


@pytest.mark.slow
def test_a_roster_that_somebody_else_approved_is_carried_out_at_once(
    workspace: Workspace, roster: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = someone(workspace)
    roster.write_text(f"mail;until\n{who['email']};{day(3)}\n", "utf-8")
    people = People(tmp_path_factory.mktemp("people"), workspace.folder, dict(os.environ))
    monkeypatch.setenv("APPROVERS", str(people.approvers))
    people.allow("ben")
    site = (workspace.folder / "policies" / "site.yaml").read_text("utf-8")
    workspace.policy("site.yaml", site + "  approvers: {env: APPROVERS}\n")
    workspace.policy("hr.yaml", ROSTER.replace("  leavers:", "  approval: standing\n  leavers:"))
    refused = workspace.run("apply", "--standing")
    assert refused.code == 4
    assert "no approval of hr counts" in refused.out
    people.approve("hr", by="ben")
    done = workspace.run("apply", "--standing")
    assert done.code == 0, done.out + done.err
    assert "1 applied" in done.out
    assert workspace.run("audit", "verify").code == 0

"""`audit leavers` and `audit metrics`: figures of a period, told from git alone."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from tests.cli.test_drift import Others
from tests.cli.test_rosters import day, roster, someone
from tests.cli.workspace import Workspace

__all__ = ["roster"]


def leavers(workspace: Workspace, *options: str) -> list[dict[str, Any]]:
    said = workspace.run("audit", "leavers", "--format", "json", *options)
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["rows"]
    return found


def metrics(workspace: Workspace, *options: str) -> dict[str, Any]:
    said = workspace.run("audit", "metrics", "--format", "json", *options)
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


@pytest.fixture
def left(workspace: Workspace, roster: Path) -> dict[str, Any]:
    """Somebody who left three days ago, and whom a run has suspended."""
    who = someone(workspace)
    roster.write_text(f"mail;until\n{who['email']};{day(3)}\n")
    assert workspace.run("apply", "--auto-approve").code == 0
    return who


def test_how_long_the_access_of_a_leaver_outlived_the_last_day(workspace: Workspace, left: dict[str, Any]) -> None:
    (one,) = leavers(workspace)
    outcome = json.loads(next(workspace.folder.glob("state/acme/runs/*/outcomes.jsonl")).read_text())
    (cause,) = outcome["causes"]
    assert (one["user"], one["by"], one["late"], one["policies"]) == (left["id"], "us", True, ["hr"])
    assert (one["left"], one["due"]) == (cause["left"], cause["due"])
    assert (one["written"], one["ended"]) == (outcome["at"], outcome["verified"])
    took = datetime.fromisoformat(one["ended"]) - datetime.fromisoformat(one["left"])
    assert one["took"] == int(took.total_seconds())
    assert one["planned"] <= one["approved"] <= one["written"] <= one["ended"]
    assert (one["first"], one["record"]) == (1, 1)
    found = metrics(workspace)
    assert found["leavers"] == {
        "n": 1,
        "before": 0,
        "ended": 1,
        "open": 0,
        "late": 1,
        "unlimited": 0,
        "took": {"n": 1, "median": one["took"], "p95": one["took"], "max": one["took"]},
        "used": {one["used"]: 1},
    }
    assert found["actions"] == {"user.disable": 1}
    assert found["records"] == {"run": 1}
    assert found["seats"]["used"] > 0
    text = workspace.run("audit", "metrics").out
    assert "Leavers: 1 person whose last day was over" in text
    assert "(median)" in text


def test_who_is_let_in_again_has_not_lost_access(workspace: Workspace, left: dict[str, Any]) -> None:
    others = Others(workspace)
    others.call("POST", f"users/{left['id']}/restore")
    assert workspace.run("drift").code == 0
    (one,) = leavers(workspace)
    assert (one["ended"], one["took"], one["by"], one["late"]) == (None, None, None, True)
    assert metrics(workspace)["leavers"]["open"] == 1


def test_who_was_closed_by_others_counts_from_the_snapshot_that_shows_it(workspace: Workspace, roster: Path) -> None:
    who = someone(workspace)
    roster.write_text(f"mail;until\n{who['email']};{day(3)}\n")
    workspace.fault(kind="status", status=403, match={"method": "POST", "path_regex": "/suspend$", "times": 1})
    assert workspace.run("apply", "--auto-approve").code == 5
    (one,) = leavers(workspace)
    assert (one["ended"], one["written"], one["late"]) == (None, None, True)
    Others(workspace).call("POST", f"users/{who['id']}/suspend")
    assert workspace.run("drift").code == 0
    (one,) = leavers(workspace)
    manifest = json.loads((workspace.folder / "state/acme/manifest.json").read_text())
    assert (one["ended"], one["by"], one["approval"]) == (manifest["as_of"], "others", None)


def test_a_period_has_the_leavers_of_its_days(workspace: Workspace, left: dict[str, Any]) -> None:
    del left
    today = SystemClock().now().date()
    assert leavers(workspace, "--until", str(today - timedelta(days=10))) == []
    assert leavers(workspace, "--since", str(today)) == []
    assert len(leavers(workspace, "--since", str(today - timedelta(days=10)), "--until", str(today))) == 1
    found = metrics(workspace, "--until", "2020-01-01")
    assert (found["records"], found["leavers"]["n"], found["seats"]) == ({}, 0, None)


@pytest.mark.usefixtures("left")
def test_csv_has_one_figure_a_line(workspace: Workspace) -> None:
    said = workspace.run("audit", "metrics", "--format", "csv")
    rows = dict(list(csv.reader(io.StringIO(said.out)))[1:])
    assert rows["site"] == "acme"
    assert rows["leavers.n"] == rows["actions.user.disable"] == "1"
    assert rows["first"] == ""
    assert int(rows["leavers.took.median"]) == metrics(workspace)["leavers"]["took"]["median"]

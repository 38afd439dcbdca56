"""``cleanup-gitops forecast`` over real HTTP: it reads once, writes nothing, and names nobody."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from tests.cli.workspace import ROOMY, Workspace

EXEMPT = """\
apiVersion: cleanup-gitops/v1
kind: Exemptions
metadata: {{name: leave, owner: hr@acme.com}}
spec:
  - {{account: "{account}", reason: absence, until: {until}, ticket: HR-1}}
"""


def test_a_forecast_begins_with_the_plan_of_today_and_writes_nothing(workspace: Workspace) -> None:
    workspace.policy("caps.yaml", ROOMY)
    plan = json.loads(workspace.run("plan", "--format", "json").out)
    before = workspace.git("status", "--porcelain"), workspace.git("rev-parse", "HEAD"), workspace.writes()
    said = workspace.run("forecast", "--days", "5", "--format", "json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert len(told["days"]) == 6
    assert told["days"][0]["actions"] == plan["summary"]["actions"]
    assert told["seats"]["now"] == plan["seats"]["before"]
    assert told["days"][0]["seats"] == plan["seats"]["after"]
    assert (workspace.git("status", "--porcelain"), workspace.git("rev-parse", "HEAD"), workspace.writes()) == before


def test_the_site_is_read_once_however_many_days_are_planned(workspace: Workspace) -> None:
    workspace.policy("caps.yaml", ROOMY)

    def readings() -> int:
        return sum("/users/search" in path for path in workspace.requests("POST"))

    workspace.run("plan")
    once = readings()
    workspace.run("forecast", "--days", "20")
    assert readings() == 2 * once


def test_nobody_is_named(workspace: Workspace) -> None:
    workspace.policy("caps.yaml", ROOMY)
    people = json.loads(workspace.run("users", "--columns", "id,name,email", "--format", "json").out)["rows"]
    assert len(people) > 100
    for form in ("text", "json", "markdown"):
        told = workspace.run("forecast", "--days", "40", "--format", form)
        assert told.code == 0
        shown = {text for one in people for text in one.values() if text and text in told.out + told.err}
        assert not shown


@pytest.mark.case("F30")
def test_what_ends_is_told_on_its_last_day(workspace: Workspace) -> None:
    last = (SystemClock().now() + timedelta(days=3)).date()
    workspace.policy("leave.yaml", EXEMPT.format(account="712020:nobody", until=last))
    told = json.loads(workspace.run("forecast", "--days", "4", "--format", "json").out)
    ends = {day["at"][:10]: day["ends"] for day in told["days"] if day["ends"]}
    assert ends == {last.isoformat(): [{"kind": "exemptions", "name": "leave", "number": 1, "where": ""}]}
    assert "Last day of: 1 exemption of leave" in workspace.run("forecast", "--days", "4").out


def test_a_site_that_cannot_be_read_has_no_forecast(workspace: Workspace) -> None:
    workspace.fault(kind="status", status=400, match={"path_regex": "users/search$"})
    said = workspace.run("forecast", "--days", "2")
    assert said.code != 0
    assert "Forecast" not in said.out


@pytest.mark.parametrize("days", ["0", "367", "x"])
def test_days_that_cannot_be_meant_are_refused(workspace: Workspace, days: str) -> None:
    assert workspace.run("forecast", "--days", days).code == 1

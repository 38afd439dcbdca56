"""`explain`: one user of the live site, or of a snapshot, and why the plan does what it does."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from cleanup_gitops.sandbox.world import User
from tests.cli.day import TODAY
from tests.cli.workspace import Workspace

STAGED = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: long-gone, owner: iam@acme.com, why: accounts}
spec:
  match: {all: [{inactive_for: {for: 90d, product: any}}]}
  stages:
    - {name: release, ensure: {product_access: absent}}
    - {name: suspend, after: 14d, ensure: {status: suspended}}
"""


def asked(workspace: Workspace, who: str, *args: str) -> dict[str, Any]:
    said = workspace.run("explain", who, "--format", "json", *args)
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def planned(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(workspace.run("plan", "--format", "json").out)
    return found


def removed(workspace: Workspace) -> User:
    """Somebody whom the plan takes out of a group, and whose address and name the site shows to everybody."""
    accounts = {one["user"] for one in planned(workspace)["changes"]}
    names = [one.name for one in workspace.box.world.users]
    return next(
        one
        for one in workspace.box.world.users
        if one.id in accounts and one.email and not one.email_hidden and names.count(one.name) == 1
    )


def test_an_id_an_address_and_a_name_show_the_same_person_as_the_plan_treats_it(workspace: Workspace) -> None:
    user, plan = removed(workspace), planned(workspace)
    assert user.email
    texts = [workspace.run("explain", who).out for who in (user.id, user.email, user.name)]
    assert len({text.partition("\n")[2] for text in texts}) == 1  # the first line has the time of the reading
    text = texts[0]
    assert text.startswith(f"{user.id} (")
    assert user.email in text
    assert re.search(r"^  dormant \(policies/dormant\.yaml:\d+\): meant, and acts$", text, re.MULTILINE)
    assert "inactive_for 90d: yes, last seen " in text
    found = asked(workspace, user.id)
    assert found["disposition"] == plan["dispositions"][user.id]
    assert found["changes"] == [one for one in plan["changes"] if one["user"] == user.id]
    assert (found["user"]["name"], found["user"]["email"]) == (user.name, user.email)


def test_without_people_nobody_is_named(workspace: Workspace) -> None:
    user = removed(workspace)
    assert user.email
    for form in ("text", "json", "markdown"):
        said = workspace.run("explain", user.email, "--ids-only", "--format", form)
        assert said.code == 0
        assert user.id in said.out
        assert user.email not in said.out + said.err
        assert user.name not in said.out + said.err


def test_one_policy_is_shown_alone_and_one_that_is_not_there_is_an_error(workspace: Workspace) -> None:
    workspace.policy("staged.yaml", STAGED)
    user = removed(workspace)
    assert [one["name"] for one in asked(workspace, user.id)["policies"]] == ["dormant", "long-gone"]
    assert [one["name"] for one in asked(workspace, user.id, "--policy", "dormant")["policies"]] == ["dormant"]
    before = len(workspace.requests("GET"))
    said = workspace.run("explain", user.id, "--policy", "dormand")
    assert (said.code, said.out) == (1, "")
    assert "acme has no policy 'dormand'; did you mean `dormant`?\n" in said.err
    assert len(workspace.requests("GET")) == before


@pytest.mark.parametrize("who", ["nobody@acme.com", "712020:nobody", "Nobody At All"])
def test_who_is_not_there_is_an_error_that_does_not_repeat_it(workspace: Workspace, who: str) -> None:
    said = workspace.run("explain", who)
    assert (said.code, said.out) == (1, "")
    assert "No account of acme" in said.err
    assert who not in said.err


def test_nothing_is_written_to_the_site_or_the_repository(workspace: Workspace) -> None:
    user = removed(workspace)
    before, writes = workspace.git("rev-parse", "HEAD"), workspace.writes()
    assert workspace.run("explain", user.id).code == 0
    assert workspace.git("rev-parse", "HEAD") == before
    assert workspace.git("status", "--porcelain") == ""
    assert workspace.writes() == writes


def test_an_episode_is_shown_with_the_day_of_its_next_stage_live_and_as_recorded(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.folder / "policies/dormant.yaml").unlink()
    workspace.policy("staged.yaml", STAGED)
    workspace.policy("roomy.yaml", ROOMY)
    user = removed(workspace)
    (ahead,) = asked(workspace, user.id)["policies"]
    first = {"number": 0, "opened": None, "ended": None}
    assert {key: ahead["episode"][key] for key in first} == first
    days = [TODAY.isoformat(), (TODAY + timedelta(days=14)).isoformat()]
    assert [one["earliest"] for one in ahead["episode"]["stages"]] == days
    assert workspace.run("apply", "--auto-approve").code == 0
    live = asked(workspace, user.id)["policies"][0]["episode"]
    assert (live["number"], live["opened"]) == (1, days[0])
    assert [(one["entered"], one["earliest"]) for one in live["stages"]] == [(days[0], None), (None, days[1])]

    for name in ("ORG_KEY", "SITE_USER", "SITE_TOKEN"):
        monkeypatch.delenv(name)
    workspace.fault(kind="reset")
    found = asked(workspace, user.id, "--recorded", "HEAD")
    assert found["commit"] == workspace.git("rev-parse", "HEAD").strip()
    assert found["user"]["name"] is found["user"]["email"] is None
    assert found["policies"][0]["episode"]["stages"] == live["stages"]
    said = workspace.run("explain", user.id, "--recorded", "HEAD", "--format", "markdown")
    assert ", as recorded with serial 1 in commit " in said.out.splitlines()[0]
    said = workspace.run("explain", user.email or "", "--recorded", "HEAD")
    assert said.code == 1
    assert "A snapshot holds neither names nor addresses." in said.err


def test_why_a_policy_does_not_mean_somebody_yet_and_from_when_on_it_will(workspace: Workspace) -> None:
    lately = json.loads(
        workspace.run(
            "users", "--format", "json", "--where", "has_seat: true", "--where", "none: [{inactive_for: 90d}]"
        ).out
    )["rows"]
    user = next(one for one in lately if one["seen"]["is"] == "seen" and one["idle"] < 60)
    said = workspace.run("why-not", user["id"], "--policy", "dormant", "--format", "json")
    assert said.code == 0, said.err
    (found,) = json.loads(said.out)["policies"]
    assert found["verdict"] is False
    assert [one["asked"] for one in found["ways"][0]] == ["inactive_for 90d"]
    day = found["ways"][0][0]["from_day"]
    assert found["from_day"] == day
    added = (TODAY - timedelta(days=user["idle"] + 1)).isoformat()
    assert added <= day <= (TODAY + timedelta(days=92)).isoformat()
    for form in ("text", "markdown"):
        said = workspace.run("why-not", user["id"], "--policy", "dormant", "--format", form, "--ids-only")
        assert said.code == 0
        assert f"will mean the user from {day} on if nothing but time passes" in said.out
        assert user["name"] not in said.out


def test_why_not_needs_a_policy_with_conditions(workspace: Workspace) -> None:
    said = workspace.run("why-not", "712020:anybody")
    assert said.code == 1
    assert "--policy" in said.err
    said = workspace.run("why-not", "712020:anybody", "--policy", "gone")
    assert said.code == 1
    assert "acme has no policy 'gone'; known here: dormant\n" in said.err


ROOMY = """\
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: roomy, owner: security@acme.com}
spec:
  caps:
    membership.remove: {max: 200, percent: 100}
    user.disable: {max: 200, percent: 100}
    total: {max: 200, percent: 100}
"""

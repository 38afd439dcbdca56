"""`suggest`: a policy for people whom none covers, and what it would do, told beforehand."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.policy.loader import load
from tests.cli.workspace import DORMANT, ROOMY, Workspace

NARROW = DORMANT.replace("      - inactive", "      - email_domain: northwind.example\n      - inactive")


def planned(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(workspace.run("plan", "--format", "json").out)
    return found


@pytest.fixture
def narrow(workspace: Workspace) -> Workspace:
    """Its only policy means people of another company; nobody of our own is covered."""
    workspace.policy("dormant.yaml", NARROW)
    workspace.policy("roomy.yaml", ROOMY)
    return workspace


def test_a_suggestion_is_valid_and_a_plan_does_with_it_what_was_said(narrow: Workspace) -> None:
    said = narrow.run("suggest", "--domain", "acme.com")
    assert said.code == 0, said.err
    before = planned(narrow)
    assert before["changes"] == []
    narrow.policy("idle-acme-com.yaml", said.out)
    (policy,) = [one for one in load(narrow.folder / "policies").for_site("acme").policies if one.name != "dormant"]
    assert (policy.name, policy.owner) == ("idle-acme-com", "iam@acme.com")
    after = planned(narrow)
    users = {one["user"] for one in after["changes"]}
    assert users
    assert f"#   changed: {len(users)}\n" in said.out
    assert f"# Changes: {len(after['changes'])} membership.remove.\n" in said.out
    given_back = before["seats"]["after"] - after["seats"]["after"]
    assert given_back
    assert f"# Seats: {given_back} given back.\n" in said.out
    for state in ("protected", "unknown"):
        meant = [one for one in after["dispositions"].values() if one["state"] == state and one.get("policies")]
        assert f"#   {state}: {len(meant)}, " in said.out or not meant


def test_it_names_nobody_and_writes_nothing(narrow: Workspace) -> None:
    said = narrow.run("suggest", "--domain", "acme.com", "--owner", "iam-team")
    for user in narrow.box.world.users:
        assert user.id not in said.out
        assert len(user.name) < 5 or user.name not in said.out
        assert not user.email or user.email not in said.out
    assert narrow.git("status", "--porcelain") == ""
    assert narrow.writes() == []


def test_who_is_counted_is_whom_no_policy_may_ever_mean(narrow: Workspace) -> None:
    domain = json.loads(narrow.run("users", "--format", "json").out)["rows"]
    mine = [
        one
        for one in domain
        if one["domain"] == "acme.com"
        and one["kind"] == "person"
        and one["status"] == "active"
        and one["admin"] is False
    ]
    spared = {narrow.box.runner_account}
    counted = len([one for one in mine if one["id"] not in spared])
    seats = len([one for one in mine if one["billed"] and one["id"] not in spared])
    out = narrow.run("suggest", "--domain", "acme.com").out
    assert f"# No policy covers {counted} active people of acme.com, who hold {seats} seats.\n" in out


def test_nothing_is_suggested_where_policies_cover_everybody(workspace: Workspace) -> None:
    said = workspace.run("suggest", "--domain", "northwind.example")
    assert (said.code, said.out) == (0, "")
    assert "No policy is needed: " in said.err


@pytest.mark.parametrize("keys", ["mode: report", "until: 2020-01-31", "once: true\n  until: {soon}"])
def test_a_policy_that_does_not_last_covers_nobody(workspace: Workspace, keys: str) -> None:
    soon = (SystemClock().now() + timedelta(days=9)).date()
    workspace.policy("dormant.yaml", DORMANT.replace("spec:", f"spec:\n  {keys.format(soon=soon)}"))
    said = workspace.run("suggest", "--domain", "acme.com")
    assert said.code == 0
    assert "# No policy covers " in said.out


def test_a_group_is_meant_by_name_or_glob(narrow: Workspace) -> None:
    said = narrow.run("suggest", "--group", "dept-*", "--days", "45")
    assert said.code == 0
    assert '      - in_group: "dept-*"\n' in said.out
    assert "          - inactive_for: 45d\n          - never_active_for: 45d\n" in said.out
    assert "  name: idle-dept\n" in said.out
    told = narrow.run("suggest", "--group", "nobody-is-called-so")
    assert (told.code, told.out) == (1, "")
    assert "No group of acme is called 'nobody-is-called-so'." in told.err


def test_what_it_would_break_is_said(narrow: Workspace) -> None:
    tight = ROOMY.replace("{max: 200, percent: 100}, total", "{max: 1, percent: 100}, total")
    narrow.policy("roomy.yaml", tight)
    out = narrow.run("suggest", "--domain", "acme.com").out
    assert "# Over a guard: " in out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "Say whom it is about: --domain or --group."),
        (("--domain", "a.com", "--group", "b"), "Say whom it is about: --domain or --group."),
        (("--domain", "ada@acme.com"), "--domain: `email_domain` must be a domain alone"),
        (("--group", "*"), "--group: `in_group` would mean every name"),
        (("--domain", "a.com\n"), "--domain: `email_domain` must"),
    ],
)
def test_who_is_meant_is_asked_before_anybody_is(workspace: Workspace, args: tuple[str, ...], said: str) -> None:
    told = workspace.run("suggest", *args)
    assert (told.code, told.out) == (1, "")
    assert said in told.err
    assert workspace.requests("GET") == []

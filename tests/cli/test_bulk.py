"""`bulk`: many accounts at once, as a policy that is reviewed, and what it would do, told beforehand."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.cli.day import TODAY
from tests.cli.workspace import ROOMY, SITE, Workspace

WHO = ("--where", "email_domain: acme.com", "--where", "{inactive_for: 120d}", "--where", "has_seat: true")
WHAT = ("--ensure", "groups: {absent: [confluence-users-acme]}")
REST = ("--ticket", "CHG-1", "--owner", "iam-team")


def planned(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(workspace.run("plan", "--format", "json").out)
    return found


def written(workspace: Workspace) -> list[str]:
    return [line[3:] for line in workspace.git("status", "--porcelain", "-uall").splitlines()]


def test_a_one_off_policy_is_written_and_a_plan_does_what_was_said(workspace: Workspace) -> None:
    workspace.policy("roomy.yaml", ROOMY)
    (workspace.folder / "policies" / "dormant.yaml").unlink()
    said = workspace.run("bulk", *WHO, *WHAT, *REST)
    assert said.code == 0, said.err
    assert "policies/bulk-chg-1.yaml" in written(workspace)
    text = (workspace.folder / "policies" / "bulk-chg-1.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n# One-off change CHG-1, ")
    until = TODAY + timedelta(days=14)
    assert (
        f"  why: One-off change of ticket CHG-1.\nspec:\n  once: true\n  until: {until}\n  match:\n    all:\n" in text
    )
    assert "      - email_domain: acme.com\n      - {inactive_for: 120d}\n      - has_seat: true\n" in text
    plan = planned(workspace)
    users = {one["user"] for one in plan["changes"]}
    assert users
    assert {cause["policy"] for one in plan["changes"] for cause in one["causes"]} == {"bulk-chg-1"}
    assert f"  changed: {len(users)}\n" in said.out
    assert f"Seats: {plan['seats']['before'] - plan['seats']['after']} given back.\n" in said.out
    assert said.out.index("Seats: ") < said.out.index("+  once: true\n")
    assert " add policies/bulk-chg-1.yaml\n" in said.err


def test_who_is_meant_is_whom_users_lists(workspace: Workspace) -> None:
    listed = json.loads(workspace.run("users", "--format", "json", *WHO).out)
    out = workspace.run("bulk", *WHO, *WHAT, *REST).out
    undecided = f"; of {listed['undecided']} more that is not known" if listed["undecided"] else ""
    assert out.startswith(f"{listed['count']} users of acme would be meant by the policy{undecided}.\n")


def test_what_others_do_already_is_told_apart(workspace: Workspace) -> None:
    """The policy of the workspace asks for less of the same people, so it wins with all who are in its group."""
    workspace.policy("roomy.yaml", ROOMY)
    idle = ("--where", "has_seat: true", "--where", "inactive_for: {for: 90d, product: any}")
    said = workspace.run("bulk", *idle, "--ensure", "status: suspended", *REST)
    assert said.code == 0, said.err
    plan = planned(workspace)
    rows = json.loads(workspace.run("users", "--format", "json", *idle).out)["rows"]
    ids = {one["id"] for one in rows}
    others = {
        one["user"]
        for one in plan["changes"]
        if one["user"] in ids and [cause["policy"] for cause in one["causes"]] == ["dormant"]
    }
    assert others
    assert f"  changed by other policies alone: {len(others)}\n" in said.out


def refused(workspace: Workspace, *args: str) -> str:
    before = written(workspace)
    said = workspace.run("bulk", *args)
    assert said.code == 1
    assert "+++" not in said.out
    assert written(workspace) == before
    return said.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*WHAT, *REST), "Missing option '--where'"),
        ((*WHO, *REST), "Missing option '--ensure'"),
        ((*WHO, *WHAT, "--owner", "x"), "Missing option '--ticket'"),
        (("--where", "has_saet: true", *WHAT, *REST), "--where:1:1: unknown key `has_saet`; did you mean `has_seat`?"),
        ((*WHO, "--ensure", "status: gone", *REST), "--ensure:1:9: `status` cannot be `gone`"),
        ((*WHO, *WHAT, *REST, "--until", "2020-01-01"), "--until 2020-01-01 is past."),
        ((*WHO, *WHAT, *REST, "--name", "Two Words"), "`name` must be lower-case letters, digits and `-`"),
        ((*WHO, *WHAT, *REST, "--name", "dormant"), "policies/dormant.yaml is there already"),
        ((*WHO, *WHAT, *REST, "--name", "dormant", "--out", "policies/x.yaml"), "there is another Policy `dormant`"),
        ((*WHO, *WHAT, *REST, "--out", "x.yaml"), "x.yaml is no place for policies"),
        (("--where", "none: [{has_seat: true}]", *WHAT, *REST), "say who is meant"),
        ((*WHO, "--ensure", "status: suspended", *REST), "closing an account on Cloud (acme) takes away every product"),
        ((*WHO, *WHAT, *REST, "--until", f"{TODAY.year + 2}-01-01"), "`until` must be at most 12 months ahead"),
    ],
)
def test_what_is_wrong_is_told_before_anybody_is_asked(workspace: Workspace, args: tuple[str, ...], said: str) -> None:
    assert said in refused(workspace, *args)
    assert workspace.requests("GET") == []


def test_a_policy_that_means_nobody_or_names_a_missing_group_is_not_written(workspace: Workspace) -> None:
    told = refused(workspace, "--where", "email_domain: nowhere.example", *WHAT, *REST)
    assert "Nothing was written: no user of acme meets these conditions." in told
    told = refused(workspace, *WHO, "--ensure", "groups: {absent: [no-such-group]}", *REST)
    assert "Nothing was written: the policy would act on nobody." in told
    assert "no-such-group" in told


def test_no_address_of_anybody_is_kept(workspace: Workspace) -> None:
    user = next(one for one in workspace.box.world.users if one.email and not one.email_hidden)
    assert user.email
    told = refused(workspace, *WHO, *WHAT, "--ticket", "CHG-1", "--owner", user.email)
    assert "--owner holds the name or the e-mail address of somebody on acme" in told
    assert user.email not in told


def test_with_several_sites_the_policy_says_of_which_it_is(workspace: Workspace) -> None:
    other = SITE.format(
        url=workspace.box.url, organization="other", directory="default", runner=workspace.box.runner_account
    )
    workspace.policy("other.yaml", other.replace("name: acme", "name: other"))
    (workspace.folder / "policies" / "dormant.yaml").unlink()
    assert workspace.run("bulk", *WHO, *WHAT, *REST, "--site", "acme", "--out", "policies/once/a.yaml").code == 0
    text = (workspace.folder / "policies" / "once" / "a.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../schema.json\n")
    assert "\nsites: [acme]\n" in text
    assert workspace.run("validate").code == 0

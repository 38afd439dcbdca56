"""`groups`: the groups of the live site, or the members of one."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.views.group_columns import GROUP_COLUMNS
from tests.cli.workspace import Workspace

PROTECTION = """\
apiVersion: cleanup-gitops/v1
kind: Protection
metadata: {name: emergency, owner: security@acme.com}
spec: {groups: [break-glass]}
"""
MEMBERS = "confluence-users-acme"


def rows(workspace: Workspace, *args: str) -> list[dict[str, Any]]:
    said = workspace.run("groups", "--format", "json", *args)
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["rows"]
    return found


def test_every_group_is_listed_by_name_with_what_it_is(workspace: Workspace) -> None:
    workspace.policy("protection.yaml", PROTECTION)
    found = {one["name"]: one for one in rows(workspace)}
    assert list(found) == sorted(found)
    assert {one.name for one in workspace.box.world.groups} == set(found)
    assert list(next(iter(found.values()))) == list(GROUP_COLUMNS)
    assert found["break-glass"]["protected_by"] == "emergency"
    assert found[MEMBERS]["protected_by"] is None
    assert found[MEMBERS]["license"] == "seat"
    assert found["confluence-guests-acme"]["license"] == "guest"
    assert found["org-admins"]["admin"] is True
    assert (found["wiki-users-idp"]["synced"], found["wiki-users-idp"]["modifiable"]) == (True, False)
    assert found["jira-users-acme"]["grants"] == [{"product": "jira-software", "role": "user"}]


def test_members_and_seats_are_those_of_the_list_of_users(workspace: Workspace) -> None:
    found = {one["name"]: one for one in rows(workspace)}
    users = json.loads(workspace.run("users", "--format", "json").out)["rows"]
    for name, group in found.items():
        inside = [one for one in users if name in [group["name"] for group in one["groups"]]]
        assert group["members"] == len(inside)
        through = [one for one in users if one["billed"] and group["id"] in str(one["seats"])]
        assert group["seats"] == len(through)
    assert found[MEMBERS]["members"] > found[MEMBERS]["seats"] > 0


def test_names_and_globs_choose_groups(workspace: Workspace) -> None:
    found = [one["name"] for one in rows(workspace, "DEPT-*", "org-admins")]
    assert "org-admins" in found
    assert len(found) > 3
    assert all(name.startswith("dept-") or name == "org-admins" for name in found)


@pytest.mark.case("E31")
@pytest.mark.parametrize("args", [("org-admin",), ("--members", "org-admin")])
def test_a_group_that_is_not_there_is_an_error(workspace: Workspace, args: tuple[str, ...]) -> None:
    said = workspace.run("groups", *args)
    assert (said.code, said.out) == (1, "")
    assert "'org-admin' (did you mean `org-admins`?)" in said.err


def test_members_are_listed_by_name_and_by_id(workspace: Workspace) -> None:
    group = rows(workspace, MEMBERS)[0]
    by_name = rows(workspace, "--members", MEMBERS.upper())
    assert len(by_name) == group["members"]
    assert rows(workspace, "--members", group["id"]) == by_name
    users = json.loads(workspace.run("users", "--format", "json", "--where", f"in_group: {MEMBERS}").out)["rows"]
    assert by_name == users


def test_members_can_be_listed_without_names(workspace: Workspace) -> None:
    said = workspace.run("groups", "--members", MEMBERS, "--ids-only")
    assert said.out.split("\n")[0].split() == ["ID", "STATUS", "KIND", "LICENSE", "LAST", "SEEN", "IDLE"]
    assert f"members of {MEMBERS} (acme) at " in said.err


def test_a_table_and_a_csv_hold_the_same_groups(workspace: Workspace) -> None:
    table = workspace.run("groups", "--columns", "id,members", "--sort", "-members,id").out.splitlines()
    text = workspace.run("groups", "--format", "csv", "--columns", "id,members", "--sort", "-members,id").out
    listed = [[row["id"], row["members"]] for row in csv.DictReader(io.StringIO(text))]
    assert [line.split() for line in table[1:]] == listed
    numbers = [int(number) for _, number in listed]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("a", "--members", "b"), "either names of groups or --members"),
        (("--columns", "seen"), "there is no column 'seen'"),
        (("--members", "a", "--columns", "grants"), "there is no column 'grants'"),
    ],
)
def test_what_cannot_be_meant_is_refused(capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str) -> None:
    assert run(["groups", *args]) == 1
    assert said in capsys.readouterr().err


def test_the_help_names_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["groups", "--help"]) == 0
    text = capsys.readouterr().out
    for name in GROUP_COLUMNS:
        assert f"  {name} " in text

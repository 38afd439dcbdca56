"""Creating and deleting groups, and removing people from the directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import World
from tests.sandbox.caller import Caller


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def create(caller: Caller, name: str, **more: object) -> httpx.Response:
    return caller.admin("POST", caller.groups, json={"name": name, **more})


def by_name(caller: Caller, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = caller.search("groups", groupNames=[name])["data"]
    return rows


def test_a_new_group_is_found_by_its_name_as_the_answer_does_not_name_it(lab: Caller) -> None:
    answer = create(lab, "wiki-readers", description="Who reads")
    assert (answer.status_code, answer.content) == (201, b"")
    (row,) = by_name(lab, "Wiki-Readers")
    assert (row["description"], row["externalSynced"], row["managedBy"]) == ("Who reads", False, "admins")
    user = lab.someone(status="active", group="confluence-users-acme")
    path = f"{lab.groups}/{row['id']}/memberships"
    assert lab.admin("POST", path, json={"accountId": user.id}).status_code == 204
    assert [item["accountId"] for item in lab.search(groupIds=[row["id"]])["data"]] == [user.id]
    assert lab.admin("DELETE", f"{lab.groups}/{row['id']}").status_code == 204
    assert by_name(lab, "wiki-readers") == []
    assert code(lab.admin("GET", f"{lab.groups}/{row['id']}")) == (404, "ADMIN-404-10")
    groups = lab.search(accountIds=[user.id], expand=["groups"])["data"][0]["groups"]
    assert row["id"] not in {group["id"] for group in groups}


def test_a_name_is_taken_whatever_its_case(lab: Caller) -> None:
    assert code(create(lab, "Team-001")) == (409, "ADMIN-409-28")
    assert create(lab, "again").status_code == 201
    lab.admin("DELETE", f"{lab.groups}/{by_name(lab, 'again')[0]['id']}")
    assert create(lab, "again").status_code == 201


@pytest.mark.parametrize("body", [b"", b"{}", b'{"name": ""}', b'{"name": "  "}', b'{"name": 7}', b"["])
def test_a_group_without_a_name_is_refused(lab: Caller, body: bytes) -> None:
    assert code(lab.admin("POST", lab.groups, content=body)) == (400, "ADMIN-400-24")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("confluence-users-acme", (403, "ADMIN-403-6")),
        ("confluence-admins-acme", (403, "ADMIN-403-7")),
        ("org-admins", (403, "ADMIN-403-7")),
        ("wiki-users-idp", (403, "ADMIN-403-5")),
    ],
)
def test_groups_that_somebody_depends_on_cannot_be_deleted(lab: Caller, name: str, expected: tuple[int, str]) -> None:
    assert code(lab.admin("DELETE", f"{lab.groups}/{lab.group_id(name)}")) == expected
    assert len(by_name(lab, name)) == 1


def test_a_group_is_created_and_deleted_in_one_directory(lab: Caller) -> None:
    dash = f"{lab.directories}/-/groups"
    assert code(lab.admin("POST", dash, json={"name": "anywhere"})) == (400, "ADMIN-400-4")
    assert code(lab.admin("DELETE", f"{dash}/{lab.group_id('team-001')}")) == (400, "ADMIN-400-4")
    assert code(lab.admin("DELETE", f"{lab.groups}/nowhere")) == (404, "ADMIN-404-10")


def test_a_deleted_group_takes_its_access_along(caller: Caller) -> None:
    ari = f"ari:cloud:confluence::site/{caller.box.cloud_id}"
    suite = caller.group_id("product-suite-acme")
    user = next(
        user
        for user in caller.box.world.users
        if suite in user.groups and caller.group_id("confluence-users-acme") not in user.groups
    )
    assert caller.search(accountIds=[user.id], resourceIds=[ari])["data"]
    assert caller.admin("DELETE", f"{caller.groups}/{suite}").status_code == 204
    caller.control("POST", "settle")
    assert caller.search(accountIds=[user.id], resourceIds=[ari])["data"] == []


def test_a_new_group_shows_after_a_while_and_its_name_is_taken_at_once(caller: Caller) -> None:
    assert create(caller, "late-comers").status_code == 201
    assert code(create(caller, "Late-Comers")) == (409, "ADMIN-409-28")
    assert by_name(caller, "late-comers") == []
    assert len(by_name(caller, "late-comers")) == 1


def test_groups_deleted_between_two_pages_push_nobody_off(caller: Caller) -> None:
    caller.control("POST", "options", {"late": {}})
    every = [row["id"] for row in caller.all_rows("groups", limit=100)]
    first = caller.search("groups", limit=5)
    victim = next(row["id"] for row in first["data"] if row["name"].startswith(("break-glass", "contractors")))
    caller.admin("DELETE", f"{caller.groups}/{victim}")
    rest = caller.search("groups", limit=100, cursor=first["links"]["next"])
    assert [row["id"] for row in [*first["data"], *rest["data"]]] == every


def test_who_is_removed_is_gone_from_the_directory_a_little_later(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-users-acme", managed=True)
    answer = caller.admin("DELETE", f"{caller.users}/{user.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert caller.search(accountIds=[user.id])["data"][0]["status"] == "active"
    row = caller.search(accountIds=[user.id], expand=["groups", "counts.resources"])["data"][0]
    assert (row["status"], row["groups"], row["counts"]["resources"]) == ("not_invited", [], 0)
    assert code(caller.admin("POST", f"{caller.users}/{user.id}/suspend")) == (404, "ADMIN-404-8")
    assert code(caller.admin("DELETE", f"{caller.users}/{user.id}")) == (404, "ADMIN-404-8")
    managed = caller.admin("GET", f"{caller.org}/users").json()["data"]
    more = caller.admin("GET", f"{caller.org}/users").json()["links"].get("next")
    managed += caller.admin("GET", more).json()["data"] if more else []
    assert user.id in {row["account_id"] for row in managed}


def test_who_is_not_managed_is_gone_altogether(lab: Caller) -> None:
    user = lab.someone(status="active", group="confluence-users-acme", managed=False)
    assert lab.admin("DELETE", f"{lab.users}/{user.id}").status_code == 204
    assert lab.search(accountIds=[user.id])["data"] == []
    assert code(lab.admin("GET", f"{lab.users}/{user.id}")) == (404, "ADMIN-404-8")


def test_who_is_invited_again_starts_anew(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-users-acme", managed=True)
    caller.admin("DELETE", f"{caller.users}/{user.id}")
    path = f"/admin/v2/orgs/{caller.box.org_id}/users/invite"
    assert caller.admin("POST", path, json={"emails": [user.email]}).status_code == 200
    row = caller.search(accountIds=[user.id], expand=["groups"])["data"][0]
    assert (row["status"], row["groups"], row["addedToOrg"]) == ("active", [], "2026-11-22T09:00:00Z")
    caller.control("POST", "settle")
    assert caller.search(accountIds=[user.id])["data"][0]["status"] == "active"


def test_what_was_accepted_is_in_the_file_when_the_sandbox_has_stopped(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    seed(users=20).save(path)
    with running(World.load(path), path) as box:
        caller = Caller(box)
        with caller.http:
            create(caller, "accepted")
            assert all(group.name != "accepted" for group in World.load(path).groups)
    assert sum(group.name == "accepted" for group in World.load(path).groups) == 1

"""Writing to the admin host, and the file that remembers it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import World
from tests.sandbox.caller import Caller


def status(caller: Caller, account: str) -> str:
    return str(caller.search(accountIds=[account])["data"][0]["status"])


def groups(caller: Caller, account: str) -> set[str]:
    row = caller.search(accountIds=[account], expand=["groups"])["data"][0]
    return {group["id"] for group in row["groups"]}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_suspending_and_restoring_keeps_groups_and_roles(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-users-acme")
    before = groups(caller, user.id)
    for _ in range(2):
        answer = caller.admin("POST", f"{caller.users}/{user.id}/suspend")
        assert (answer.status_code, answer.content) == (204, b"")
        assert status(caller, user.id) == "suspended"
    assert groups(caller, user.id) == before
    assert caller.admin("POST", f"{caller.users}/{user.id}/restore").status_code == 204
    assert status(caller, user.id) == "active"
    assert groups(caller, user.id) == before


def test_a_suspended_user_holds_no_seat(caller: Caller) -> None:
    used = caller.control("GET", "world")["seats"]["confluence"]["used"]
    user = caller.someone(status="active", group="confluence-users-acme")
    caller.admin("POST", f"{caller.users}/{user.id}/suspend")
    assert caller.control("GET", "world")["seats"]["confluence"]["used"] == used - 1


def test_nothing_protects_administrators_here(caller: Caller) -> None:
    path = f"{caller.users}/{caller.box.runner_account}/suspend"
    assert caller.admin("POST", path).status_code == 204


def test_a_deactivated_account_stays_deactivated_when_suspended(caller: Caller) -> None:
    user = caller.someone(status="deactivated")
    caller.admin("POST", f"{caller.users}/{user.id}/suspend")
    row = caller.search(accountIds=[user.id])["data"][0]
    assert (row["status"], row["membershipStatus"]) == ("deactivated", "suspended")


def test_who_is_not_in_the_directory_cannot_be_suspended(caller: Caller) -> None:
    user = caller.someone(status="not_invited")
    for account in (user.id, "nobody"):
        answer = caller.admin("POST", f"{caller.users}/{account}/suspend")
        assert code(answer) == (404, "ADMIN-404-8")


def test_a_write_needs_one_directory(caller: Caller) -> None:
    user = caller.someone(status="active", group="team-001")
    group = caller.group_id("team-001")
    dash = f"{caller.directories}/-"
    for answer in (
        caller.admin("POST", f"{dash}/users/{user.id}/suspend"),
        caller.admin("DELETE", f"{dash}/groups/{group}/memberships/{user.id}"),
        caller.admin("POST", f"{dash}/groups/{group}/memberships", json={"accountId": user.id}),
    ):
        assert code(answer) == (400, "ADMIN-400-4")
    assert status(caller, user.id) == "active"


def test_members_leave_and_join_groups(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-users-acme")
    group = caller.group_id("confluence-users-acme")
    path = f"{caller.groups}/{group}/memberships"
    count = f"{caller.users}/count?groupIds={group}"
    members = caller.admin("GET", count).json()["count"]
    answer = caller.admin("DELETE", f"{path}/{user.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert group not in groups(caller, user.id)
    assert caller.admin("GET", count).json()["count"] == members - 1
    assert code(caller.admin("DELETE", f"{path}/{user.id}")) == (404, "ADMIN-404-8")
    assert caller.admin("POST", path, json={"accountId": user.id}).status_code == 204
    assert group in groups(caller, user.id)
    again = caller.admin("POST", path, json={"accountId": user.id})
    assert code(again) == (409, "ADMIN-409-28")
    assert "already" in again.json()["errors"][0]["detail"]
    assert caller.admin("GET", count).json()["count"] == members


def test_searches_by_resource_follow_the_memberships(caller: Caller) -> None:
    ari = f"ari:cloud:confluence::site/{caller.box.cloud_id}"
    group = caller.group_id("confluence-users-acme")
    holders = [row["accountId"] for row in caller.all_rows(resourceIds=[ari], limit=100)]
    granting = {g.id for g in caller.box.world.groups if "confluence" in g.roles}
    user = next(u for u in caller.box.world.users if granting & set(u.groups) == {group} and not u.roles)
    assert user.id in holders
    caller.admin("DELETE", f"{caller.groups}/{group}/memberships/{user.id}")
    left = [row["accountId"] for row in caller.all_rows(resourceIds=[ari], limit=100)]
    assert left == [account for account in holders if account != user.id]


def test_a_synced_group_cannot_be_changed(caller: Caller) -> None:
    user = caller.someone(status="active", group="wiki-users-idp")
    path = f"{caller.groups}/{caller.group_id('wiki-users-idp')}/memberships"
    assert code(caller.admin("DELETE", f"{path}/{user.id}")) == (403, "ADMIN-403-5")
    other = {"accountId": caller.box.runner_account}
    assert code(caller.admin("POST", path, json=other)) == (403, "ADMIN-403-5")


def test_without_a_free_seat_nobody_joins(caller: Caller) -> None:
    caller.box.world.resources[0].capacity = caller.box.state.seats("confluence")
    outside = caller.someone(status="active", type="customer")
    member = caller.someone(status="active", group="confluence-users-acme")
    suite, plain = caller.group_id("product-suite-acme"), caller.group_id("team-001")
    users = caller.group_id("confluence-users-acme")

    def join(group: str, account: str) -> httpx.Response:
        path = f"{caller.groups}/{group}/memberships"
        return caller.admin("POST", path, json={"accountId": account})

    assert code(join(users, outside.id)) == (409, "ADMIN-409-3")
    assert join(plain, outside.id).status_code == 204
    assert join(suite, member.id).status_code == 204
    caller.box.world.resources[0].capacity = None
    assert join(users, outside.id).status_code == 204


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"accountId": 7}', b"{"])
def test_a_membership_without_an_account_is_refused(caller: Caller, body: bytes) -> None:
    path = f"{caller.groups}/{caller.group_id('team-001')}/memberships"
    assert code(caller.admin("POST", path, content=body)) == (400, "ADMIN-400-24")


def test_unknown_groups_and_members_are_not_found(caller: Caller) -> None:
    body = {"accountId": caller.box.runner_account}
    nowhere = f"{caller.groups}/nowhere/memberships"
    assert code(caller.admin("POST", nowhere, json=body)) == (404, "ADMIN-404-10")
    path = f"{caller.groups}/{caller.group_id('team-001')}/memberships"
    for account in ("nobody", caller.someone(status="not_invited").id):
        answer = caller.admin("POST", path, json={"accountId": account})
        assert code(answer) == (404, "ADMIN-404-8")


def test_every_change_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    world = seed(users=60)
    world.save(path)
    with running(World.load(path), path) as box:
        caller = Caller(box)
        with caller.http:
            user = caller.someone(status="active", group="confluence-users-acme")
            caller.admin("POST", f"{caller.users}/{user.id}/suspend")
            stored = next(item for item in World.load(path).users if item.id == user.id)
            assert stored.directories == {"default": "suspended"}
            caller.control("POST", "clock", {"advance_days": 2})
    assert World.load(path).now == "2026-11-24T09:00:00Z"
    assert world.now == "2026-11-22T09:00:00Z"

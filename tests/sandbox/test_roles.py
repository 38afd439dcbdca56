"""Roles of users and groups, given and taken by request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox.world import User
from tests.sandbox.caller import Caller

USER, GUEST, ORG_ADMIN = "atlassian/user", "atlassian/guest", "atlassian/org-admin"


def code(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["errors"][0]
    assert error["status"] == str(answer.status_code)
    return answer.status_code, error["code"]


@pytest.fixture(scope="module")
def strangers(lab: Caller) -> Iterator[User]:
    """Active accounts that hold no role on Confluence, one after the other."""
    users = lab.box.world.users
    return iter(
        [
            user
            for user in users
            if lab.box.state.status(user) == "active" and user.type == "customer" and user.groups == []
        ]
    )


@pytest.fixture
def stranger(strangers: Iterator[User]) -> User:
    return next(strangers)


def ari(caller: Caller, name: str = "confluence") -> str:
    return caller.box.state.resources[name].id


def user_role(caller: Caller, account: str, what: str, **body: object) -> httpx.Response:
    return caller.admin("POST", f"{caller.org}/users/{account}/roles/{what}", json=body)


def group_role(caller: Caller, group: str, what: str, **body: object) -> httpx.Response:
    return caller.admin("POST", f"{caller.groups}/{group}/role-assignments/{what}", json=body)


def holds(caller: Caller, account: str, role: str = USER) -> bool:
    return bool(caller.search(accountIds=[account], resourceIds=[ari(caller)], roleIds=[role])["data"])


def platform_roles(caller: Caller, account: str) -> Any:  # noqa: ANN401 - JSON
    return caller.search(accountIds=[account], expand=["platformRoles"])["data"][0]["platformRoles"]


def test_a_direct_role_is_given_and_taken(lab: Caller, stranger: User) -> None:
    used = lab.control("GET", "world")["seats"]["confluence"]["used"]
    for _ in range(2):
        answer = user_role(lab, stranger.id, "assign", role=USER, resource=ari(lab))
        assert (answer.status_code, answer.content) == (204, b"")
        assert holds(lab, stranger.id)
    assert lab.control("GET", "world")["seats"]["confluence"]["used"] == used + 1
    for _ in range(2):
        answer = user_role(lab, stranger.id, "revoke", role=USER, resource=ari(lab))
        assert (answer.status_code, answer.content) == (204, b"")
        assert not holds(lab, stranger.id)
    assert lab.control("GET", "world")["seats"]["confluence"]["used"] == used


def test_taking_a_direct_role_leaves_what_a_group_gives(lab: Caller) -> None:
    group = lab.group_id("confluence-users-acme")
    both = next(user for user in lab.box.world.users if group in user.groups and "confluence" in user.roles)
    assert user_role(lab, both.id, "revoke", role=USER, resource=ari(lab)).status_code == 204
    row = lab.admin("GET", f"{lab.users}/{both.id}/role-assignments?resourceOwners=confluence").json()["data"][0]
    assert row["roleAssignments"] == [{"role": USER, "roleAssignmentMethods": ["group_direct"]}]


def test_an_administrator_of_the_site_is_named_and_dismissed(lab: Caller, stranger: User) -> None:
    site = {"role": "atlassian/site-admin", "resource": ari(lab, "site")}
    assert user_role(lab, stranger.id, "assign", **site).status_code == 204
    assert platform_roles(lab, stranger.id) == ["atlassian/site-admin"]
    assert user_role(lab, stranger.id, "revoke", **site).status_code == 204
    assert platform_roles(lab, stranger.id) == []
    assert user_role(lab, stranger.id, "assign", role=ORG_ADMIN).status_code == 204
    assert platform_roles(lab, stranger.id) == [ORG_ADMIN]
    assert user_role(lab, stranger.id, "revoke", role=ORG_ADMIN).status_code == 204


def test_what_cannot_be_given_is_said_in_the_codes_of_the_role_service(lab: Caller, stranger: User) -> None:
    confluence = ari(lab)
    for body, expected in (
        ({}, (400, "ADMIN-UAM-400-1")),
        ({"role": "atlassian/king", "resource": confluence}, (400, "ADMIN-UAM-400-1")),
        ({"role": USER}, (400, "ADMIN-UAM-400-1")),
        ({"role": "atlassian/site-admin", "resource": confluence}, (400, "ADMIN-UAM-400-3")),
        ({"role": USER, "resource": ari(lab, "site")}, (400, "ADMIN-UAM-400-3")),
        ({"role": USER, "resource": "ari:cloud:confluence::site/nowhere"}, (404, "ADMIN-UAM-404-3")),
    ):
        for what in ("assign", "revoke"):
            assert code(user_role(lab, stranger.id, what, **body)) == expected
    whole = {"role": USER, "resource": confluence}
    assert code(user_role(lab, "nobody", "assign", **whole)) == (404, "ADMIN-UAM-404-3")
    outside = lab.someone(status="not_invited").id
    assert code(user_role(lab, outside, "assign", **whole)) == (404, "ADMIN-UAM-404-3")
    inactive = lab.someone(status="deactivated").id
    assert code(user_role(lab, inactive, "assign", **whole)) == (400, "ADMIN-UAM-400-2")
    path = f"{lab.org}/users/{stranger.id}/roles/assign"
    assert code(lab.admin("POST", path, content=b"{")) == (400, "ADMIN-UAM-400-1")


def test_without_a_free_seat_no_role_is_given(caller: Caller) -> None:
    caller.box.world.resources[0].capacity = caller.box.state.seats("confluence")
    outside = caller.someone(status="active", type="customer")
    refused = user_role(caller, outside.id, "assign", role=USER, resource=ari(caller))
    assert code(refused) == (409, "ADMIN-UAM-409-3")
    assert user_role(caller, outside.id, "assign", role=GUEST, resource=ari(caller)).status_code == 204
    team = caller.group_id("contractors-it")
    assert (
        caller.admin("POST", f"{caller.groups}/{team}/memberships", json={"accountId": outside.id}).status_code == 204
    )
    refused = group_role(caller, team, "assign", resourceId=ari(caller), roleId=USER)
    assert code(refused) == (409, "ADMIN-409-3")


def test_a_role_in_the_organization_shows_late(caller: Caller) -> None:
    user = caller.someone(status="active", group="team-001", platform_roles=[])
    caller.control("POST", "options", {"late": {"org_role": {"seconds": 30}}})
    path = f"{caller.org}/users/{user.id}/role-assignments"
    assert caller.admin("POST", f"{path}/assign", json={"role": ORG_ADMIN}).status_code == 204
    assert platform_roles(caller, user.id) == []
    caller.control("POST", "clock", {"advance_seconds": 29})
    assert platform_roles(caller, user.id) == []
    caller.control("POST", "clock", {"advance_seconds": 1})
    assert platform_roles(caller, user.id) == [ORG_ADMIN]
    assert caller.admin("POST", f"{path}/revoke", json={"role": ORG_ADMIN}).status_code == 204
    caller.control("POST", "settle")
    assert platform_roles(caller, user.id) == []


def test_only_one_role_is_of_the_organization(lab: Caller, stranger: User) -> None:
    path = f"{lab.org}/users/{stranger.id}/role-assignments"
    for what in ("assign", "revoke"):
        assert code(lab.admin("POST", f"{path}/{what}", json={"role": USER})) == (400, "ADMIN-UAM-400-1")
        assert code(lab.admin("POST", f"{path}/{what}", json={})) == (400, "ADMIN-UAM-400-1")
        nobody = f"{lab.org}/users/nobody/role-assignments/{what}"
        assert code(lab.admin("POST", nobody, json={"role": ORG_ADMIN})) == (404, "ADMIN-UAM-404-3")


def test_a_group_is_given_a_role_and_all_its_members_have_it(lab: Caller, stranger: User) -> None:
    group = lab.group_id("contractors-it")
    body = {"accountId": stranger.id}
    assert lab.admin("POST", f"{lab.groups}/{group}/memberships", json=body).status_code == 204
    assert not holds(lab, stranger.id, GUEST)
    for _ in range(2):
        answer = group_role(lab, group, "assign", resourceId=ari(lab), roleId=GUEST)
        assert (answer.status_code, answer.content) == (200, b"")
        assert holds(lab, stranger.id, GUEST)
    row = lab.admin("GET", f"{lab.groups}/{group}/role-assignments").json()["data"][0]
    assert row["roles"] == [GUEST]
    for _ in range(2):
        answer = group_role(lab, group, "revoke", resourceId=ari(lab), roleId=GUEST)
        assert (answer.status_code, answer.content) == (204, b"")
        assert not holds(lab, stranger.id, GUEST)
    assert lab.admin("GET", f"{lab.groups}/{group}/role-assignments").json()["data"] == []


def test_a_group_without_its_default_role_is_no_default_group(caller: Caller) -> None:
    group = caller.group_id("confluence-users-acme")
    assert group_role(caller, group, "revoke", resourceId=ari(caller), roleId=USER).status_code == 204
    assert caller.admin("GET", f"{caller.groups}/{group}/role-assignments").json()["data"] == []


def test_what_a_group_cannot_be_given_is_said(lab: Caller) -> None:
    group = lab.group_id("team-001")
    confluence = ari(lab)
    for body, expected in (
        ({}, (400, "ADMIN-400-24")),
        ({"resourceId": confluence, "roleId": "atlassian/king"}, (400, "ADMIN-400-24")),
        ({"resourceId": confluence, "roleId": ORG_ADMIN}, (400, "ADMIN-400-4")),
        ({"resourceId": "ari:cloud:confluence::site/nowhere", "roleId": USER}, (404, "ADMIN-404-1")),
    ):
        for what in ("assign", "revoke"):
            assert code(group_role(lab, group, what, **body)) == expected
            assert code(group_role(lab, "nowhere", what, **body)) == (404, "ADMIN-404-10")
    dash = f"{lab.directories}/-/groups/{group}/role-assignments/assign"
    assert code(lab.admin("POST", dash, json={"resourceId": confluence, "roleId": USER})) == (400, "ADMIN-400-4")

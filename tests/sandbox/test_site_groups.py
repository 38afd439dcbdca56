"""The Confluence site: groups and their members."""

from __future__ import annotations

from typing import Any

import httpx

from cleanup_gitops.sandbox.world import User
from tests.sandbox.caller import Caller

REST = "/wiki/rest/api"


def call(caller: Caller, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - handed on
    return caller.http.request(method, f"{REST}/{path}", auth=(caller.box.user_email, caller.box.api_token), **options)


def failed(answer: httpx.Response) -> int:
    assert answer.json()["statusCode"] == answer.status_code
    return answer.status_code


def members(caller: Caller, name: str) -> list[str]:
    found: list[str] = []
    start = 0
    while True:
        path = f"group/{caller.group_id(name)}/membersByGroupId"
        page = call(caller, "GET", path, params={"start": start, "limit": 50}).json()
        found += [row["accountId"] for row in page["results"]]
        assert page["size"] == len(page["results"])
        if "next" not in page["_links"]:
            return found
        assert page["_links"]["next"].startswith("/rest/api/group/")
        start += 50


def outsider(caller: Caller, name: str) -> User:
    group = caller.group_id(name)
    return next(
        user
        for user in caller.box.world.users
        if caller.box.state.status(user) == "active" and group not in user.groups
    )


def test_groups_come_by_name_in_pages_of_any_size(demo: Caller) -> None:
    names = sorted(group.name for group in demo.box.world.groups)
    assert [row["name"] for row in call(demo, "GET", "group").json()["results"]] == names
    page = call(demo, "GET", "group", params={"start": 3, "limit": 2}).json()
    assert [row["name"] for row in page["results"]] == names[3:5]
    assert (page["start"], page["limit"], page["size"]) == (3, 2, 2)
    assert page["_links"]["base"] == f"{demo.box.url}/wiki"
    following = demo.site("/wiki" + page["_links"]["next"]).json()
    assert [row["name"] for row in following["results"]] == names[5:7]
    assert call(demo, "GET", "group", params={"limit": 900}).json()["limit"] == 200
    assert call(demo, "GET", "group", params={"limit": 0}).json()["results"] == []


def test_groups_are_chosen_by_what_they_grant(demo: Caller) -> None:
    def named(access: str) -> list[str]:
        return [row["name"] for row in call(demo, "GET", "group", params={"accessType": access}).json()["results"]]

    assert named("user") == ["confluence-users-acme", "product-suite-acme", "wiki-users-idp"]
    assert named("admin") == ["confluence-admins-acme"]
    assert named("site-admin") == ["site-admins"]
    assert failed(call(demo, "GET", "group", params={"accessType": "god"})) == 400


def test_a_group_says_who_manages_it(demo: Caller) -> None:
    def shown(name: str) -> tuple[str, str]:
        row = call(demo, "GET", "group/by-id", params={"id": demo.group_id(name)}).json()
        assert (row["type"], row["name"]) == ("group", name)
        return row["usageType"], row["managedBy"]

    assert shown("wiki-users-idp") == ("USERBASE_GROUP", "EXTERNAL")
    assert shown("dept-it") == ("USERBASE_GROUP", "ADMINS")
    assert shown("team-001") == ("TEAM_COLLABORATION", "TEAM_MEMBERS")
    assert failed(call(demo, "GET", "group/by-id", params={"id": "none"})) == 404
    assert failed(call(demo, "GET", "group/by-id")) == 400


def test_groups_are_picked_by_a_part_of_their_name(demo: Caller) -> None:
    page = call(demo, "GET", "group/picker", params={"query": "ADMINS", "shouldReturnTotalSize": "true"}).json()
    assert page["totalSize"] == page["size"] == 5
    assert "totalSize" not in call(demo, "GET", "group/picker", params={"query": "admins"}).json()
    assert failed(call(demo, "GET", "group/picker")) == 400
    assert failed(call(demo, "GET", "group/picker", params={"query": "a", "shouldReturnTotalSize": "si"})) == 400


def test_suspended_and_deactivated_members_are_silently_missing(demo: Caller) -> None:
    group = demo.group_id("confluence-users-acme")
    state = demo.box.state
    inside = [user for user in demo.box.world.users if group in user.groups]
    shown = members(demo, "confluence-users-acme")
    assert shown == [user.id for user in inside if state.status(user) == "active"]
    assert {state.status(user) for user in inside if user.id not in shown} >= {"suspended", "deactivated"}
    path = f"group/{group}/membersByGroupId"
    total = call(demo, "GET", path, params={"shouldReturnTotalSize": "true", "limit": 1}).json()["totalSize"]
    assert total == len(shown)


def test_members_come_by_200_at_most(demo: Caller) -> None:
    path = f"group/{demo.group_id('confluence-users-acme')}/membersByGroupId"
    assert call(demo, "GET", path, params={"limit": 200}).json()["size"] == 200
    refused = call(demo, "GET", path, params={"limit": 201})
    assert failed(refused) == 400
    assert "200" in refused.json()["message"]
    assert failed(call(demo, "GET", "group/none/membersByGroupId")) == 404


def test_a_member_is_added_and_removed_and_the_log_says_so(lab: Caller) -> None:
    user = outsider(lab, "dept-it")
    group = lab.group_id("dept-it")
    for _ in range(2):  # the second one changes nothing and is answered the same
        answer = call(lab, "POST", "group/userByGroupId", params={"groupId": group}, json={"accountId": user.id})
        assert (answer.status_code, answer.content) == (201, b"")
    assert user.groups.count(group) == 1
    assert user.id in members(lab, "dept-it")
    record = lab.box.world.audit[-1]
    assert (record.summary, record.object_name, record.author) == (
        "User added to group",
        "dept-it",
        lab.box.runner_account,
    )
    for _ in range(2):
        answer = call(lab, "DELETE", "group/userByGroupId", params={"groupId": group, "accountId": user.id})
        assert (answer.status_code, answer.content) == (204, b"")
    assert user.id not in members(lab, "dept-it")


def test_unknown_groups_and_users_are_told_apart_from_bad_requests(lab: Caller) -> None:
    group, user = lab.group_id("dept-it"), lab.box.runner_account
    body = {"accountId": user}
    assert failed(call(lab, "POST", "group/userByGroupId", params={"groupId": "none"}, json=body)) == 404
    assert failed(call(lab, "POST", "group/userByGroupId", json=body)) == 400
    assert failed(call(lab, "POST", "group/userByGroupId", params={"groupId": group}, json={})) == 400
    nobody = {"accountId": "nobody"}
    assert failed(call(lab, "POST", "group/userByGroupId", params={"groupId": group}, json=nobody)) == 404
    for params, status in (
        ({"groupId": "none", "accountId": user}, 404),
        ({"groupId": group, "accountId": "nobody"}, 404),
        ({"groupId": group}, 400),
    ):
        assert failed(call(lab, "DELETE", "group/userByGroupId", params=params)) == status


def test_synced_groups_and_full_sites_refuse_members(caller: Caller) -> None:
    user = outsider(caller, "wiki-users-idp")
    body = {"accountId": user.id}
    synced = {"groupId": caller.group_id("wiki-users-idp")}
    assert failed(call(caller, "POST", "group/userByGroupId", params=synced, json=body)) == 403
    assert failed(call(caller, "DELETE", "group/userByGroupId", params=synced | body)) == 403
    free = next(one for one in caller.box.world.users if not caller.box.state.roles(one) and one.directories)
    resource = next(item for item in caller.box.world.resources if item.name == "confluence")
    resource.capacity = caller.box.state.seats("confluence")
    seat = {"groupId": caller.group_id("confluence-users-acme")}
    full = call(caller, "POST", "group/userByGroupId", params=seat, json={"accountId": free.id})
    assert failed(full) == 400
    assert "limit" in full.json()["message"]


def test_groups_are_made_and_deleted(lab: Caller) -> None:
    made = call(lab, "POST", "group", json={"name": "reading circle"})
    assert made.status_code == 201
    assert call(lab, "GET", "group/by-id", params={"id": made.json()["id"]}).json() == made.json()
    assert failed(call(lab, "POST", "group", json={"name": "Reading Circle"})) == 400
    assert failed(call(lab, "POST", "group", json={"name": " "})) == 400
    assert failed(call(lab, "POST", "group", content=b"{")) == 400
    gone = {"id": made.json()["id"]}
    assert call(lab, "DELETE", "group/by-id", params=gone).status_code == 204
    assert failed(call(lab, "DELETE", "group/by-id", params=gone)) == 404
    assert failed(call(lab, "DELETE", "group/by-id", params={"id": lab.group_id("confluence-users-acme")})) == 403


def test_only_site_administrators_write(caller: Caller) -> None:
    runner = caller.box.state.user(caller.box.runner_account)
    assert runner is not None
    runner.platform_roles = []
    caller.box.state.remove_member(runner, caller.group_id("org-admins"))
    group = caller.group_id("dept-it")
    params = {"groupId": group, "accountId": runner.id}
    assert failed(call(caller, "POST", "group", json={"name": "x"})) == 403
    assert failed(call(caller, "DELETE", "group/by-id", params={"id": group})) == 403
    assert failed(call(caller, "DELETE", "group/userByGroupId", params=params)) == 403
    body = {"accountId": runner.id}
    assert failed(call(caller, "POST", "group/userByGroupId", params={"groupId": group}, json=body)) == 403
    assert call(caller, "GET", "group").status_code == 200


def test_pages_can_be_sabotaged(caller: Caller) -> None:
    def page(start: int) -> dict[str, Any]:
        found: dict[str, Any] = call(caller, "GET", "group", params={"start": start, "limit": 3}).json()
        return found

    first = page(0)["results"]
    for kind, nth in (("drop_rows", 1), ("repeat_page", 3), ("cursor_loop", 4)):
        caller.control("POST", "faults", {"kind": kind, "match": {"path_regex": "api/group$", "nth": nth}})
    assert page(0)["results"] == first[:-1]
    assert page(0)["results"] == first
    assert page(3)["results"] == first
    assert page(3)["_links"]["next"] == "/rest/api/group?start=3&limit=3"

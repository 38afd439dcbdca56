"""Lists, counts and single things of the admin host beside the searches."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import Domain
from tests.sandbox.caller import Caller

CONFLUENCE = ["confluence"]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def follow(caller: Caller, path: str) -> list[dict[str, Any]]:
    """All rows of a list of the first generation, whose pages are linked by whole URLs."""
    rows: list[dict[str, Any]] = []
    url: str | None = path
    while url is not None:
        page = caller.admin("GET", url).json()
        rows += page["data"]
        url = page["links"].get("next")
        assert url is None or url.startswith(caller.box.url)
    return rows


def test_managed_accounts_are_listed_by_whole_urls(demo: Caller) -> None:
    rows = follow(demo, f"{demo.org}/users")
    managed = [user for user in demo.box.world.users if user.managed]
    assert [row["account_id"] for row in rows] == [user.id for user in managed]
    first = demo.admin("GET", f"{demo.org}/users").json()
    assert first["meta"] == {"total": len(managed)}
    assert len(first["data"]) == 50
    assert {user.id for user in managed if not user.directories} <= {row["account_id"] for row in rows}


def test_a_suspension_does_not_show_in_the_list_of_managed_accounts(demo: Caller) -> None:
    suspended = demo.someone(status="suspended", managed=True)
    deactivated = demo.someone(status="deactivated", managed=True)
    rows = {row["account_id"]: row for row in follow(demo, f"{demo.org}/users")}
    assert rows[suspended.id]["account_status"] == "active"
    assert rows[suspended.id]["access_billable"] is True
    assert rows[deactivated.id]["account_status"] == "inactive"
    row = rows[suspended.id]
    assert row["last_active"] == row["product_access"][0]["last_active"]
    assert row["product_access"][0]["key"] == "confluence"
    assert row["email"] == suspended.email


@pytest.mark.parametrize("path", ["users", "domains", "events", "events-stream"])
def test_a_made_up_cursor_of_the_first_generation_is_refused(demo: Caller, path: str) -> None:
    assert code(demo.admin("GET", f"{demo.org}/{path}?cursor=nonsense")) == (400, "ADMIN-400-1")


def test_domains_are_listed_and_found(demo: Caller) -> None:
    rows = follow(demo, f"{demo.org}/domains")
    assert [(row["attributes"]["name"], row["attributes"]["claim"]["status"]) for row in rows] == [
        ("acme.com", "verified"),
        ("eu.acme.com", "verified"),
        ("acme-labs.example", "unverified"),
    ]
    single = demo.admin("GET", rows[0]["links"]["self"]).json()
    assert single == {"data": rows[0]}
    assert code(demo.admin("GET", f"{demo.org}/domains/abc123")) == (404, "ADMIN-404-3")
    assert code(demo.admin("GET", f"{demo.org}/domains/not%20one")) == (400, "ADMIN-400-2")


def test_more_domains_than_fit_on_a_page_are_linked() -> None:
    world = seed(users=3)
    world.domains = [Domain(id=f"d{number}", name=f"d{number}.example") for number in range(120)]
    with running(world) as box:
        caller = Caller(box)
        with caller.http:
            assert [row["id"] for row in follow(caller, f"{caller.org}/domains")] == [item.id for item in world.domains]


def test_the_deprecated_lists_still_hold_everybody(demo: Caller) -> None:
    for path, what, key in ((demo.users, "users", "accountId"), (demo.groups, "groups", "id")):
        rows, cursor = [], ""
        while True:
            page = demo.admin("GET", f"{path}?limit=100" if not cursor else f"{path}?cursor={cursor}").json()
            rows += page["data"]
            cursor = page["links"].get("next", "")
            if not cursor:
                break
        assert [row[key] for row in rows] == [row[key] for row in demo.all_rows(what, limit=100)]
        assert len(demo.admin("GET", path).json()["data"]) == 20


def test_the_deprecated_lists_take_filters_and_an_order(demo: Caller) -> None:
    group = demo.group_id("org-admins")
    rows = demo.admin("GET", f"{demo.users}?groupIds={group}&status=active").json()["data"]
    assert {row["accountId"] for row in rows} == {user.id for user in demo.box.world.users if group in user.groups}
    assert not any("groups" in row or "productAccess" in row for row in rows)
    order = 'sortBy={"field":"name","direction":"desc"}&includeUsers=true&includeResources=false'
    groups = demo.admin("GET", f"{demo.groups}?{order}").json()["data"]
    names = [row["name"].casefold() for row in groups]
    assert names == sorted(names, reverse=True)
    assert set(groups[0]["counts"]) == {"users"}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "emails=a@b.c", "expand=groups", "sortBy=name", "status=asleep", "shoeSize=44"],
)
def test_a_deprecated_list_outside_the_documented_limits_is_refused(demo: Caller, query: str) -> None:
    assert code(demo.admin("GET", f"{demo.users}?{query}")) == (400, "ADMIN-400-24")
    assert code(demo.admin("GET", f"{demo.groups}?{query}")) == (400, "ADMIN-400-24")


def test_groups_are_counted_with_the_filters_of_the_search(demo: Caller) -> None:
    every = demo.all_rows("groups", limit=100)
    assert demo.admin("GET", f"{demo.groups}/count").json() == {"count": len(every)}
    found = demo.search("groups", resourceOwners=CONFLUENCE, limit=100)["data"]
    assert demo.admin("GET", f"{demo.groups}/count?resourceOwners=confluence").json() == {"count": len(found)}
    for query in ("groupNames=x", "limit=3", "roleIds=king", "searchTerm=a&searchTerm=b"):
        assert code(demo.admin("GET", f"{demo.groups}/count?{query}")) == (400, "ADMIN-400-24")


def test_stats_add_up(demo: Caller) -> None:
    stats = demo.admin("GET", f"{demo.groups}/stats").json()
    rows = demo.all_rows("groups", limit=100)
    synced = sum(row["externalSynced"] for row in rows)
    assert stats["totals"] == {"all": len(rows), "managed": len(rows) - synced, "synced": synced}
    assert sum(item["count"] for item in stats["types"]) == len(rows)
    users = demo.admin("GET", f"{demo.users}/stats").json()
    expected = Counter(row["accountStatus"] for row in demo.all_rows(limit=100))
    assert {item["status"]: item["count"] for item in users["accountStatus"] if item["count"]} == expected
    roles = {item["roleId"]: item["count"] for item in users["roles"]}
    assert (
        roles["atlassian/org-admin"]
        == demo.admin("GET", f"{demo.users}/count?roleIds=atlassian/org-admin").json()["count"]
    )


def assignments(caller: Caller, account: str, query: str = "") -> dict[str, dict[str, Any]]:
    answer = caller.admin("GET", f"{caller.users}/{account}/role-assignments{query}")
    assert answer.status_code == 200, answer.text
    return {row["resourceOwner"] + row["resourceId"][-5:]: row for row in answer.json()["data"]}


def test_a_user_tells_by_which_way_each_role_is_held(demo: Caller) -> None:
    group = demo.group_id("confluence-users-acme")
    both = next(user for user in demo.box.world.users if group in user.groups and "confluence" in user.roles)
    row = next(row for row in assignments(demo, both.id).values() if row["resourceOwner"] == "confluence")
    assert row["roleAssignments"] == [{"role": "atlassian/user", "roleAssignmentMethods": ["direct", "group_direct"]}]
    assert (row["directoryId"], row["userDirectoryStatus"]) == ("default", "active")
    assert row["roles"] == ["atlassian/user"]
    assert assignments(demo, demo.someone(status="active", type="app").id) == {}


def test_roles_in_the_organization_are_of_no_directory(demo: Caller) -> None:
    rows = assignments(demo, demo.box.runner_account, "?resourceOwners=platform")
    assert all(row["directoryId"] is None and row["userDirectoryStatus"] is None for row in rows.values())
    methods = {item["role"]: item["roleAssignmentMethods"] for row in rows.values() for item in row["roleAssignments"]}
    assert methods == {"atlassian/org-admin": ["group_direct"], "atlassian/site-admin": ["inferred"]}


def test_role_assignments_are_filtered_and_paged(demo: Caller) -> None:
    path = f"{demo.users}/{demo.box.runner_account}/role-assignments"
    every = demo.admin("GET", path).json()["data"]
    assert len(every) == 3
    rows, query = [], "?limit=1"
    while query:
        page = demo.admin("GET", path + query).json()
        rows += page["data"]
        query = f"?cursor={page['links']['next']}" if "next" in page["links"] else ""
    assert rows == every
    ari = f"ari:cloud:confluence::site/{demo.box.cloud_id}"
    wanted = f"?resourceIds={ari}&roleIds=atlassian/admin"
    assert [row["roles"] for row in demo.admin("GET", path + wanted).json()["data"]] == [["atlassian/admin"]]
    by_directory = demo.admin("GET", f"{path}?directoryIds=default").json()["data"]
    assert [row["resourceOwner"] for row in by_directory] == CONFLUENCE
    assert code(demo.admin("GET", f"{path}?roleIds=atlassian/king")) == (400, "ADMIN-400-24")
    assert code(demo.admin("GET", f"{demo.users}/nobody/role-assignments")) == (404, "ADMIN-404-8")


def workspaces(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    answer = caller.admin("POST", f"/admin/v2/orgs/{caller.box.org_id}/workspaces", json=body)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_a_workspace_tells_the_seats_that_were_bought(demo: Caller) -> None:
    only = {"query": {"and": [{"field": {"name": "attributes.type", "values": CONFLUENCE}}]}}
    page = workspaces(demo, only)
    assert [row["id"] for row in page["data"]] == [f"ari:cloud:confluence::site/{demo.box.cloud_id}"]
    attributes = page["data"][0]["attributes"]
    assert (attributes["capacity"], attributes["usage"], attributes["status"]) == (500, 412, "online")
    assert attributes["hostUrl"] == "https://acme.atlassian.net"
    assert page["meta"] == {"pageSize": 1, "startIndex": 0, "endIndex": 1, "total": 1}


def test_workspaces_are_paged_sorted_and_searched(demo: Caller) -> None:
    body: dict[str, Any] = {"limit": 2, "sort": [{"field": "attributes.type", "order": "desc"}]}
    first = workspaces(demo, body)
    second = workspaces(demo, {"cursor": first["links"]["next"]})
    assert [row["attributes"]["type"] for row in [*first["data"], *second["data"]]] == [
        "jira-software",
        "jira-servicedesk",
        "confluence",
    ]
    assert "next" not in second["links"]
    assert workspaces(demo, {"query": {"searchWorkspaces": "ACME"}})["meta"]["total"] == 3
    jira = {"nor": [{"field": {"name": "attributes.type", "values": CONFLUENCE}}]}
    assert workspaces(demo, {"query": jira})["meta"]["total"] == 2
    assert workspaces(demo, {"query": {"features": ["release-tracks"]}})["meta"]["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0},
        {"limit": 1001},
        {"query": {"field": {"name": "attributes.colour", "values": ["red"]}}},
        {"sort": [{"field": "name", "order": "sideways"}]},
        {"cursor": "CURSOR", "limit": 3},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_search_for_workspaces_outside_the_documented_limits_is_refused(demo: Caller, body: dict[str, Any]) -> None:
    path = f"/admin/v2/orgs/{demo.box.org_id}/workspaces"
    if "cursor" in body:
        body = body | {"cursor": workspaces(demo, {"limit": 1})["links"]["next"]}
    answer = demo.admin("POST", path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "ADMIN-400-4")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "groups/stats"), ("PUT", "users"), ("PATCH", "groups"), ("POST", "users/count")],
)
def test_lists_and_counts_do_not_take_every_method(demo: Caller, method: str, path: str) -> None:
    assert code(demo.admin(method, f"{demo.directories}/default/{path}")) == (405, "ADMIN-405-1")

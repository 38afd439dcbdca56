"""Groups as the admin host tells of them."""

from __future__ import annotations

import pytest

from tests.sandbox.caller import Caller


def test_groups_say_whether_they_may_be_changed(demo: Caller) -> None:
    rows = {row["name"]: row for row in demo.all_rows("groups", limit=7)}
    assert len(rows) == len(demo.box.world.groups)
    synced = rows["wiki-users-idp"]
    assert (synced["externalSynced"], synced["managedBy"]) == (True, "external")
    assert synced["managementAccess"] == {
        "readable": True,
        "modifiable": False,
        "deletable": False,
    }
    assert rows["confluence-users-acme"]["managementAccess"]["modifiable"]
    assert {row["managedBy"] for row in rows.values()} == {
        "admins",
        "external",
        "team-members",
        "open",
    }


def test_groups_are_found_by_name_term_member_resource_and_role(demo: Caller) -> None:
    def names(**body: object) -> list[str]:
        return [row["name"] for row in demo.all_rows("groups", **body)]

    assert names(groupNames=["ORG-Admins", "none"]) == ["org-admins"]
    assert names(searchTerm="contractors") == ["contractors-it", "contractors-legal"]
    assert "org-admins" in names(accountIds=[demo.box.runner_account])
    assert names(accountIds=["nobody"]) == []
    ari = f"ari:cloud:confluence::site/{demo.box.cloud_id}"
    seats = names(resourceIds=[ari], roleIds=["atlassian/user", "atlassian/admin"])
    assert seats == [
        "confluence-admins-acme",
        "confluence-users-acme",
        "product-suite-acme",
        "wiki-users-idp",
    ]
    assert len(names(resourceOwners=["confluence"])) == 6
    assert names(directoryIds=["elsewhere"]) == []
    backwards = names(sortBy=[{"field": "name", "direction": "desc"}], limit=9)
    assert backwards == sorted(backwards, reverse=True)


@pytest.mark.parametrize(
    "body",
    [
        {"groupIds": ["a"], "groupNames": ["b"]},
        {"groupNames": ["a"], "searchTerm": "b"},
        {"groupIds": ["a"], "searchTerm": "b"},
        {"groupNames": [str(n) for n in range(101)]},
        {"groupIds": ["a", "a"]},
        {"expand": []},
        {"expand": ["counts"]},
        {"limit": 101},
        {"sortBy": [{"field": "id", "direction": "asc"}]},
        {"status": ["active"]},
    ],
    ids=str,
)
def test_a_search_for_groups_outside_the_documented_limits_is_refused(demo: Caller, body: object) -> None:
    answer = demo.admin("POST", f"{demo.groups}/search", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "ADMIN-400-24"


def test_a_group_tells_its_roles(demo: Caller) -> None:
    suite = demo.group_id("product-suite-acme")
    path = f"{demo.groups}/{suite}/role-assignments"
    rows = demo.admin("GET", path).json()["data"]
    assert [(row["resourceOwner"], row["roles"], row["defaultRole"]) for row in rows] == [
        ("confluence", ["atlassian/user"], None),
        ("jira-software", ["atlassian/user"], None),
    ]
    only = demo.admin("GET", f"{path}?resourceOwners=jira-software").json()["data"]
    assert [row["resourceOwner"] for row in only] == ["jira-software"]
    first = demo.admin("GET", f"{path}?limit=1").json()
    second = demo.admin("GET", f"{path}?cursor={first['links']['next']}").json()
    assert first["data"] + second["data"] == rows
    assert second["links"] == {}
    users = demo.group_id("confluence-users-acme")
    default = demo.admin("GET", f"{demo.groups}/{users}/role-assignments").json()["data"]
    assert default[0]["defaultRole"] == "atlassian/user"


def test_a_group_by_id_has_its_counts(demo: Caller) -> None:
    group = demo.group_id("break-glass")
    data = demo.admin("GET", f"{demo.groups}/{group}").json()["data"]
    assert (data["name"], data["counts"]) == ("break-glass", {"users": 2, "resources": 0})

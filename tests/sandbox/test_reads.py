"""Reading from the admin host and from the site."""

from __future__ import annotations

from typing import Any

import pytest

from cleanup_gitops.sandbox.world import Directory, Options, User, World
from tests.sandbox.caller import Caller

ALL = ["productAccess", "groups", "platformRoles", "counts.resources"]


def test_the_organization_is_found_with_the_key_alone(demo: Caller) -> None:
    listed = demo.admin("GET", "/admin/v1/orgs").json()["data"]
    assert [item["id"] for item in listed] == [demo.box.org_id]
    single = demo.admin("GET", demo.org).json()["data"]
    assert single == listed[0]
    assert single["type"] == "orgs"
    for path in ("/admin/v1/orgs", f"{demo.org}/directory/users/{demo.box.runner_account}/last-active-dates"):
        assert demo.admin("GET", f"{path}?cursor=nonsense").status_code == 400
    assert single["links"]["self"].endswith(demo.org)


def test_directories_are_listed_and_filtered(caller: Caller) -> None:
    world = caller.box.world
    world.directories += [
        Directory(id="d2", name="Partners"),
        Directory(id="d3", name="Hidden", manageable=False),
    ]
    caller.box.refresh()

    def ids(query: str) -> list[str]:
        answer = caller.admin("GET", f"{caller.directories}?{query}")
        return [item["directoryId"] for item in answer.json()["data"]]

    assert ids("") == ["default", "d2"]
    assert ids("searchTerm=part") == ["d2"]
    assert ids("directoryIds=d2&directoryIds=d3") == ["d2"]
    assert ids(f"accountId={caller.box.runner_account}") == ["default"]
    assert ids("accountId=nobody") == []
    first = caller.admin("GET", f"{caller.directories}?limit=1").json()
    cursor = first["links"]["next"]
    assert ids(f"cursor={cursor}&searchTerm=ignored") == ["d2"]


@pytest.mark.parametrize("size", [1, 7, 50, 97, 100])
def test_pages_of_any_size_hold_everybody_once(demo: Caller, size: int) -> None:
    rows = demo.all_rows(limit=size)
    listed = [row["accountId"] for row in rows]
    assert listed == [user.id for user in demo.box.world.users if user.directories or user.managed]


def test_a_page_has_50_users_and_20_groups_by_default(demo: Caller) -> None:
    assert len(demo.search()["data"]) == 50
    assert len(demo.search("groups")["data"]) == 20


def test_the_last_page_names_no_next_one(demo: Caller) -> None:
    assert demo.search(accountIds=[demo.box.runner_account])["links"] == {}
    exact = demo.search(limit=2, accountIds=[user.id for user in demo.box.world.users[:2]])
    assert exact["links"] == {}


def test_a_cursor_is_a_bare_token_that_belongs_to_its_filters(demo: Caller) -> None:
    cursor = demo.search(limit=5, status=["active"])["links"]["next"]
    assert "/" not in cursor
    assert len(demo.search(limit=9, status=["active"], cursor=cursor)["data"]) == 9
    other = demo.admin("POST", f"{demo.users}/search", json={"limit": 5, "cursor": cursor})
    assert other.status_code == 400
    assert other.json()["errors"][0]["code"] == "ADMIN-400-1"


@pytest.mark.parametrize("cursor", ["", "x", "nonsense", "MDAwMDAwMDB7fQ", "\u00e6\u00f8\u00e5"])
def test_a_made_up_cursor_is_refused(demo: Caller, cursor: str) -> None:
    for path in (f"{demo.users}/search", f"{demo.groups}/search"):
        answer = demo.admin("POST", path, json={"cursor": cursor})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "ADMIN-400-1"


def test_rows_that_vanish_between_pages_push_nobody_off(caller: Caller) -> None:
    first = caller.search(limit=10, status=["active"])
    everybody = [row["accountId"] for row in caller.all_rows(status=["active"])]
    for row in first["data"][:5]:
        caller.control("POST", f"users/{row['accountId']}", {"status": "suspended"})
    rest = caller.all_rows(limit=10, status=["active"])
    second = caller.search(limit=10, status=["active"], cursor=first["links"]["next"])
    assert [row["accountId"] for row in second["data"]] == everybody[10:20]
    assert len(rest) == len(everybody) - 5


def test_sorting_by_nickname_goes_both_ways_and_pages(demo: Caller) -> None:
    names = [
        row["nickname"].casefold()
        for row in demo.all_rows(limit=41, sortBy=[{"field": "nick_name", "direction": "asc"}])
    ]
    assert names == sorted(names)
    backwards = demo.all_rows(limit=41, sortBy=[{"field": "nick_name", "direction": "desc"}])
    assert [row["nickname"].casefold() for row in backwards] == names[::-1]


def test_users_have_only_what_was_asked_for(demo: Caller) -> None:
    runner = [demo.box.runner_account]
    plain = demo.search(accountIds=runner)["data"][0]
    assert not {"platformRoles", "productAccess", "groups", "counts"} & plain.keys()
    full = demo.search(accountIds=runner, expand=ALL)["data"][0]
    assert full["platformRoles"] == ["atlassian/org-admin"]
    assert full["counts"] == {"resources": 2}
    assert {"confluence-users-acme", "org-admins"} <= {group["name"] for group in full["groups"]}
    access = full["productAccess"][0]
    assert access["key"] == "confluence"
    assert access["id"] == f"ari:cloud:confluence::site/{demo.box.cloud_id}"
    assert len(access["lastActiveTimestamp"]) == len("2026-11-22T07:28:46.313866605Z")


def test_a_product_that_was_never_used_is_simply_missing(demo: Caller) -> None:
    seats = demo.group_id("confluence-users-acme")
    user = next(user for user in demo.box.world.users if seats in user.groups and not user.activity)
    row = demo.search(accountIds=[user.id], expand=["productAccess"])["data"][0]
    assert row["productAccess"] == []
    path = f"{demo.org}/directory/users/{user.id}/last-active-dates"
    assert demo.admin("GET", path).json()["data"]["product_access"] == []


def test_last_active_dates_agree_with_the_search(demo: Caller) -> None:
    user = next(user for user in demo.box.world.users if len(user.activity) == 2 and user.added)
    data = demo.admin("GET", f"{demo.org}/directory/users/{user.id}/last-active-dates").json()
    row = demo.search(accountIds=[user.id], expand=["productAccess"])["data"][0]
    for old, new in zip(data["data"]["product_access"], row["productAccess"], strict=True):
        assert (old["id"], old["key"]) == (new["id"], new["key"])
        assert old["last_active"] == new["lastActiveTimestamp"][:10]
        assert old["last_active_timestamp"] == new["lastActiveTimestamp"][:19] + "Z"
    assert data["data"]["added_to_org_timestamp"] == row["addedToOrg"]


def test_an_unknown_added_date_is_absent_or_null(demo: Caller) -> None:
    user = demo.someone(added=None, status="active")
    assert "addedToOrg" not in demo.search(accountIds=[user.id])["data"][0]
    data = demo.admin("GET", f"{demo.org}/directory/users/{user.id}/last-active-dates").json()
    assert data["data"]["added_to_org"] is None


def test_a_hidden_address_is_absent_and_no_search_finds_it(demo: Caller) -> None:
    user = demo.someone(email_hidden=True)
    assert user.email
    assert "email" not in demo.search(accountIds=[user.id])["data"][0]
    assert demo.search(emails=[user.email])["data"] == []
    assert user.id not in {row["accountId"] for row in demo.all_rows(emailDomains=[user.email.split("@")[1]])}


def _statuses(user: User, demo: Caller) -> tuple[str, str, str]:
    state = demo.box.state
    return state.status(user), user.account, state.membership_status(user)


FILTERS: list[dict[str, Any]] = [
    {},
    {"status": ["active"]},
    {"status": ["suspended", "not_invited", "deactivated", "for_deletion"]},
    {"accountStatus": ["inactive"]},
    {"membershipStatus": ["no_membership", "suspended"]},
    {"claimStatus": "managed"},
    {"claimStatus": "unmanaged", "status": ["active"]},
    {"directoryIds": ["default"]},
    {"directoryIds": ["elsewhere"]},
    {"searchTerm": "KOFI"},
    {"emailDomains": ["acme.com"]},
    {"emailDomains": ["@Globex.example", "initech.example"]},
    {"roleIds": ["atlassian/org-admin"]},
    {"roleIds": ["atlassian/guest", "atlassian/customer"]},
    {"mfaEnabled": False},
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_the_count_equals_the_search(demo: Caller, wanted: dict[str, Any]) -> None:
    rows = demo.all_rows(limit=100, **wanted)
    query = {key: str(value).lower() if isinstance(value, bool) else value for key, value in wanted.items()}
    answer = demo.admin("GET", f"{demo.users}/count", params=query)
    assert answer.json() == {"count": len(rows)}
    if wanted != {"directoryIds": ["elsewhere"]}:
        assert 0 < len(rows) <= len(demo.box.world.users)


def test_status_filters_are_what_their_rows_say(demo: Caller) -> None:
    for status in ("active", "suspended", "not_invited", "deactivated", "for_deletion"):
        rows = demo.all_rows(status=[status])
        expected = [u.id for u in demo.box.world.users if _statuses(u, demo)[0] == status]
        assert [row["accountId"] for row in rows] == expected
        assert {row["status"] for row in rows} == {status}


def test_composite_statuses_follow_from_account_and_membership(demo: Caller) -> None:
    found = {(row["status"], row["accountStatus"], row["membershipStatus"]) for row in demo.all_rows(limit=100)}
    assert found == {
        ("active", "active", "active"),
        ("suspended", "active", "suspended"),
        ("not_invited", "active", "no_membership"),
        ("deactivated", "inactive", "active"),
        ("for_deletion", "inactive", "active"),
    }


def test_managed_accounts_in_no_directory_are_listed_by_default(demo: Caller) -> None:
    uninvited = {user.id for user in demo.box.world.users if not user.directories}
    assert uninvited
    assert uninvited <= {row["accountId"] for row in demo.all_rows()}
    assert not uninvited & {row["accountId"] for row in demo.all_rows(directoryIds=["default"])}


def test_members_of_a_group_are_found_and_counted(demo: Caller) -> None:
    users, suite = (demo.group_id(f"{name}-acme") for name in ("confluence-users", "product-suite"))
    rows = demo.all_rows(groupIds=[users])
    expected = [user.id for user in demo.box.world.users if users in user.groups]
    assert [row["accountId"] for row in rows] == expected
    both = demo.all_rows(groupIds=[suite, users])
    either = [u.id for u in demo.box.world.users if {users, suite} & set(u.groups)]
    assert [row["accountId"] for row in both] == either
    shown = demo.search("groups", groupIds=[users], expand=["counts.users", "counts.resources"])
    assert shown["data"][0]["counts"] == {"users": len(expected), "resources": 1}
    assert demo.search(groupIds=["unknown"])["data"] == []


def test_a_direct_role_is_found_through_the_resource_alone(demo: Caller) -> None:
    ari = f"ari:cloud:confluence::site/{demo.box.cloud_id}"
    holders = demo.all_rows(resourceIds=[ari], expand=["groups"], limit=100)
    granting = {group.id for group in demo.box.world.groups if "confluence" in group.roles}
    direct = [row for row in holders if not granting & {g["id"] for g in row["groups"]}]
    assert len(direct) == 6
    guests = demo.all_rows(resourceIds=[ari], roleIds=["atlassian/guest"])
    assert len(guests) == 13
    assert demo.search(resourceIds=["ari:cloud:confluence::site/other"])["data"] == []
    jira = f"ari:cloud:jira-software::site/{demo.box.cloud_id}"
    assert len(demo.all_rows(resourceIds=[ari, jira])) > len(holders)


def test_addresses_are_matched_whole_and_without_case(demo: Caller) -> None:
    rows = demo.search(emails=["CLEANUP-RUNNER@acme.com", "cleanup@acme.com"])["data"]
    assert [row["accountId"] for row in rows] == [demo.box.runner_account]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "50"},
        {"limit": None},
        {"accountIds": []},
        {"accountIds": ["a"] * 11},
        {"resourceIds": ["a"] * 21},
        {"groupIds": ["a"] * 11},
        {"emails": []},
        {"emails": [f"{n}@x.example" for n in range(101)]},
        {"emails": ["a@x.example", "a@x.example"]},
        {"emails": ["a@x.example"], "searchTerm": "a"},
        {"status": ["nonsense"]},
        {"status": ["active", "suspended", "not_invited", "deactivated", "for_deletion"]},
        {"claimStatus": "both"},
        {"roleIds": ["admin"]},
        {"sortBy": [{"field": "name", "direction": "asc"}]},
        {"sortBy": []},
        {"expand": ["everything"]},
        {"expand": ["groups", "groups"]},
        {"acountIds": ["a"]},
        [],
    ],
    ids=str,
)
def test_a_search_for_users_outside_the_documented_limits_is_refused(demo: Caller, body: object) -> None:
    answer = demo.admin("POST", f"{demo.users}/search", json=body)
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert (error["status"], error["code"]) == ("400", "ADMIN-400-24")


@pytest.mark.parametrize(
    "query",
    ["status=x", "limit=5", "claimStatus=managed&claimStatus=unmanaged", "emails=a", "mfaEnabled=x"],
)
def test_a_count_outside_the_documented_limits_is_refused(demo: Caller, query: str) -> None:
    answer = demo.admin("GET", f"{demo.users}/count?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "ADMIN-400-24"


def test_a_body_that_is_no_json_is_refused_and_an_empty_one_means_no_filter(demo: Caller) -> None:
    assert demo.admin("POST", f"{demo.users}/search", content=b"{").status_code == 400
    assert len(demo.admin("POST", f"{demo.users}/search").json()["data"]) == 50


def test_a_user_by_id_has_roles_and_the_day_of_deactivation(demo: Caller) -> None:
    runner = demo.admin("GET", f"{demo.users}/{demo.box.runner_account}").json()["data"]
    assert runner["platformRoles"] == ["atlassian/org-admin"]
    assert not {"groups", "productAccess", "deactivatedOn"} & runner.keys()
    gone = demo.someone(status="deactivated")
    data = demo.admin("GET", f"{demo.users}/{gone.id}").json()["data"]
    assert data["deactivatedOn"] == gone.deactivated_on


def test_the_colon_of_an_account_id_may_be_escaped(demo: Caller) -> None:
    escaped = demo.box.runner_account.replace(":", "%3A")
    assert demo.admin("GET", f"{demo.users}/{escaped}").status_code == 200


def test_the_dash_means_all_directories_in_reads(caller: Caller) -> None:
    caller.box.world.directories.append(Directory(id="d2", name="Partners"))
    caller.box.world.users[5].directories = {"d2": "active"}
    caller.box.refresh()
    everywhere = f"{caller.directories}/-/users"
    total = len(caller.box.world.users)
    assert caller.admin("GET", f"{everywhere}/count").json() == {"count": total}
    assert caller.admin("GET", f"{caller.users}/count").json() == {"count": total - 1}
    moved = caller.box.world.users[5].id
    assert caller.admin("GET", f"{everywhere}/{moved}").status_code == 200
    assert caller.admin("GET", f"{caller.users}/{moved}").status_code == 404


def test_suspended_in_one_of_two_directories_is_still_active(caller: Caller) -> None:
    caller.box.world.directories += [
        Directory(id="d2", name="Partners"),
        Directory(id="d3", name="Hidden", manageable=False),
    ]
    user = caller.box.world.users[6]
    user.directories = {"default": "suspended", "d2": "active"}
    caller.box.refresh()
    assert caller.search(accountIds=[user.id])["data"][0]["status"] == "active"
    user.directories = {"default": "suspended", "d3": "active"}
    assert caller.search(accountIds=[user.id])["data"][0]["status"] == "suspended"


def test_expanded_groups_carry_aris_where_the_world_says_so(world: World, caller: Caller) -> None:
    world.options = Options(group_ids_as_ari=True)
    row = caller.search(accountIds=[caller.box.runner_account], expand=["groups"])["data"][0]
    users = caller.group_id("confluence-users-acme")
    assert f"ari:cloud:identity::group/{users}" in {group["id"] for group in row["groups"]}
    world.options = Options()
    caller.box.refresh()
    row = caller.search(accountIds=[caller.box.runner_account], expand=["groups"])["data"][0]
    assert users in {group["id"] for group in row["groups"]}


def test_the_site_tells_who_asks_and_which_site_it_is(demo: Caller) -> None:
    user = demo.site("/wiki/rest/api/user/current").json()
    assert (user["type"], user["accountId"]) == ("known", demo.box.runner_account)
    info = demo.site("/wiki/rest/api/settings/systemInfo").json()
    assert info["cloudId"] == demo.box.cloud_id
    assert info["baseUrl"] == f"{demo.box.url}/wiki"

"""Provisioning: what an identity provider does, and who is linked to it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox.furnishing import SCIM_KEY
from cleanup_gitops.sandbox.records import ScimUser
from cleanup_gitops.sandbox.scim_answers import ATLASSIAN, ENTERPRISE, ERROR, GROUP, LIST, USER
from tests.sandbox.caller import Caller

KEY = {"Authorization": f"Bearer {SCIM_KEY}"}


class Provider:
    """An identity provider that knows the directory's key."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.base = f"/scim/directory/{caller.box.world.scim_directories[0].id}"

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - handed on
        return self.caller.http.request(method, f"{self.base}/{path}", headers=KEY, **options)

    def patch(self, path: str, *operations: dict[str, Any], name: str = "Operations") -> httpx.Response:
        return self("PATCH", path, json={name: list(operations)})


@pytest.fixture
def idp(caller: Caller) -> Provider:
    return Provider(caller)


def record_of(caller: Caller, place: int = 0) -> ScimUser:
    state = caller.box.state
    found = [
        one
        for one in caller.box.world.scim_users
        if (user := state.user(one.account or "")) is not None and user.managed and user.account == "active"
    ]
    return found[place]


def problem(answer: httpx.Response) -> tuple[int, str | None]:
    body = answer.json()
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(answer.status_code)
    return answer.status_code, body.get("scimType")


def new_user(name: str, **more: object) -> dict[str, object]:
    return {"userName": name, "emails": [{"value": name, "primary": True}], "displayName": "New One", **more}


def test_every_synced_account_has_a_record_with_an_id_of_its_own(caller: Caller, idp: Provider) -> None:
    page = idp("GET", "Users").json()
    synced = [user.id for user in caller.box.world.users if user.source == "synced"]
    assert page["schemas"] == [LIST]
    assert page["totalResults"] == page["itemsPerPage"] == len(synced)
    assert [row[ATLASSIAN]["atlassianAccountId"] for row in page["Resources"]] == synced
    assert not {row["id"] for row in page["Resources"]} & set(synced)
    row = idp("GET", f"Users/{page['Resources'][0]['id']}").json()
    assert row == page["Resources"][0]
    assert row["active"] is True
    assert row["emails"][0]["primary"] is True


def test_pages_start_at_one(idp: Provider) -> None:
    everybody = idp("GET", "Users").json()
    page = idp("GET", "Users", params={"startIndex": 3, "count": 2}).json()
    assert page["Resources"] == everybody["Resources"][2:4]
    assert (page["startIndex"], page["itemsPerPage"]) == (3, 2)
    assert problem(idp("GET", "Users", params={"count": "many"})) == (400, "invalidValue")


def test_filters_are_exact_and_only_two(caller: Caller, idp: Provider) -> None:
    record = record_of(caller)
    record.external_id = "00u1"
    for text in (f'userName eq "{record.user_name.upper()}"', 'externalId eq "00u1"'):
        rows = idp("GET", "Users", params={"filter": text}).json()["Resources"]
        assert [row["id"] for row in rows] == [record.id]
    for text in ('displayName eq "x"', 'userName sw "x"', 'userName eq "a" and active eq true'):
        assert problem(idp("GET", "Users", params={"filter": text})) == (400, "invalidFilter")


def test_attributes_choose_what_is_shown(caller: Caller, idp: Provider) -> None:
    path = f"Users/{record_of(caller).id}"
    assert set(idp("GET", path, params={"attributes": "userName"}).json()) == {"schemas", "id", "userName"}
    assert "userName" not in idp("GET", path, params={"excludedAttributes": "userName"}).json()
    both = {"attributes": "a", "excludedAttributes": "b"}
    assert problem(idp("GET", "Users", params=both)) == (400, "invalidValue")


def test_active_false_deactivates_the_account_and_true_activates_it(caller: Caller, idp: Provider) -> None:
    record = record_of(caller)
    path = f"Users/{record.id}"
    answer = idp.patch(path, {"op": "replace", "path": "active", "value": False})
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    row = caller.search(accountIds=[record.account])["data"][0]
    assert (row["status"], row["accountStatus"]) == ("deactivated", "inactive")
    assert idp.patch(path, {"op": "Replace", "value": {"active": True}}, name="operations").json()["active"] is True
    assert caller.search(accountIds=[record.account])["data"][0]["status"] == "active"


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "replace", "path": "active", "value": "False"}, "invalidValue"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "shoeSize", "value": "x"}, "invalidPath"),
        ({"op": "copy", "path": "title", "value": "x"}, "invalidSyntax"),
        ({"op": "remove", "path": "userName"}, "noTarget"),
        ({"op": "replace", "value": 7}, "invalidValue"),
        ({"op": "replace", "path": 7, "value": "x"}, "invalidPath"),
    ],
)
def test_a_patch_that_makes_no_sense_changes_nothing(
    caller: Caller, idp: Provider, operation: dict[str, Any], kind: str
) -> None:
    record = record_of(caller)
    before = caller.box.world.encode()
    assert problem(idp.patch(f"Users/{record.id}", {"op": "add", "path": "title", "value": "x"}, operation)) == (
        400,
        kind,
    )
    assert caller.box.world.encode() == before
    assert problem(idp("PATCH", f"Users/{record.id}", json={"Operations": []})) == (400, "invalidSyntax")
    assert problem(idp("PATCH", f"Users/{record.id}", content=b"{")) == (400, "invalidSyntax")


def test_a_new_user_makes_an_account_of_a_claimed_domain(caller: Caller, idp: Provider) -> None:
    answer = idp("POST", "Users", json=new_user("fresh.one@acme.com", title="Cook", externalId="00u7"))
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["userName"], shown["title"], shown["externalId"]) == ("fresh.one@acme.com", "Cook", "00u7")
    row = caller.search(emails=["fresh.one@acme.com"])["data"][0]
    assert row["accountId"] == shown[ATLASSIAN]["atlassianAccountId"]
    assert (row["status"], row["managementSource"], row["claimStatus"]) == ("active", "synced", "managed")
    assert problem(idp("POST", "Users", json=new_user("FRESH.one@acme.com"))) == (409, "uniqueness")
    assert problem(idp("POST", "Users", json=new_user("me@globex.example"))) == (400, "invalidValue")
    assert problem(idp("POST", "Users", json={"userName": "x@acme.com"})) == (400, "invalidValue")
    assert problem(idp("POST", "Users", json={"emails": []})) == (400, "invalidValue")


def test_a_new_user_with_the_address_of_an_account_is_linked_to_it(caller: Caller, idp: Provider) -> None:
    user = next(one for one in caller.box.world.users if one.managed and one.source == "invited" and one.department)
    answer = idp("POST", "Users", json={"userName": user.email, "emails": [{"value": user.email}]})
    assert answer.json()[ATLASSIAN] == {"atlassianAccountId": user.id}
    assert answer.json()["displayName"] == user.name
    assert answer.json()[ENTERPRISE]["department"] == user.department
    assert user.source == "synced"


def test_replacing_forgets_what_is_not_sent(caller: Caller, idp: Provider) -> None:
    record = record_of(caller)
    email = record.user_name
    idp.patch(f"Users/{record.id}", {"op": "add", "path": "preferredLanguage", "value": "nb"})
    body = new_user(email, active=False)
    shown = idp("PUT", f"Users/{record.id}", json=body).json()
    assert (shown["active"], shown["displayName"]) == (False, "New One")
    assert "preferredLanguage" not in shown
    other = record_of(caller, 1)
    taken = new_user(other.user_name)
    assert problem(idp("PUT", f"Users/{record.id}", json=taken)) == (400, "uniqueness")


def test_deleting_unlinks_and_deactivates(caller: Caller, idp: Provider) -> None:
    record = record_of(caller)
    user = caller.box.state.user(record.account or "")
    assert user is not None
    assert idp("DELETE", f"Users/{record.id}").status_code == 204
    assert (user.account, user.source) == ("inactive", "invited")
    for method in ("GET", "DELETE"):
        assert problem(idp(method, f"Users/{record.id}")) == (404, None)


def test_groups_list_members_by_their_scim_ids(caller: Caller, idp: Provider) -> None:
    page = idp("GET", "Groups", params={"filter": 'displayName eq "wiki-users-idp"'}).json()
    (group,) = page["Resources"]
    assert group["schemas"] == [GROUP]
    known = {one.id: one.account for one in caller.box.world.scim_users}
    members = {known[row["value"]] for row in group["members"]}
    listed = caller.all_rows(groupIds=[caller.group_id("wiki-users-idp")])
    assert members == {row["accountId"] for row in listed}
    assert idp("GET", f"Groups/{group['id']}").json() == group
    assert problem(idp("GET", "Groups", params={"filter": 'id eq "x"'})) == (400, "invalidFilter")
    assert problem(idp("GET", "Groups/x")) == (404, None)


def test_members_are_added_removed_and_replaced(caller: Caller, idp: Provider) -> None:
    group = idp("POST", "Groups", json={"displayName": "made-by-idp"})
    assert group.status_code == 201
    caller.search("groups")  # new groups show late
    caller.search("groups")
    path = f"Groups/{group.json()['id']}"
    one, two = record_of(caller), record_of(caller, 1)
    add = {"op": "add", "path": "members", "value": [{"value": one.id}, {"value": two.id}]}
    assert {row["value"] for row in idp.patch(path, add).json()["members"]} == {one.id, two.id}
    user = caller.box.state.user(one.account or "")
    assert user is not None
    row = caller.search("groups", groupNames=["made-by-idp"])["data"][0]
    assert row["externalSynced"] is True
    assert row["id"] in user.groups
    for remove in (
        {"op": "remove", "path": f'members[value eq "{two.id}"]'},
        {"op": "remove", "path": "members", "value": [{"value": two.id}]},
    ):
        assert [member["value"] for member in idp.patch(path, remove).json()["members"]] == [one.id]
    replaced = idp.patch(path, {"op": "replace", "value": {"members": [{"value": two.id}]}}).json()
    assert [member["value"] for member in replaced["members"]] == [two.id]
    assert idp.patch(path, {"op": "remove", "path": "members"}).json()["members"] == []
    whole = idp("PUT", path, json={"displayName": "made-by-idp", "members": [{"value": one.id}]}).json()
    assert [member["value"] for member in whole["members"]] == [one.id]
    assert problem(idp("PUT", path, json={"displayName": "other"})) == (400, "mutability")
    assert problem(idp.patch(path, {"op": "replace", "path": "displayName", "value": "x"})) == (400, "mutability")
    assert problem(idp.patch(path, {"op": "add", "path": "owner", "value": []})) == (400, "invalidPath")
    assert problem(idp.patch(path, {"op": "add", "path": "members", "value": [{"value": "x"}]})) == (404, None)
    assert problem(idp.patch(path, {"op": "add", "path": "members", "value": "x"})) == (400, "invalidValue")
    assert problem(idp("POST", "Groups", json={"displayName": "made-by-idp"})) == (409, "uniqueness")
    assert problem(idp("POST", "Groups", json={})) == (400, "invalidValue")
    assert idp("DELETE", path).status_code == 204


def test_each_directory_has_its_own_key(caller: Caller, idp: Provider) -> None:
    path = f"{idp.base}/Users"
    for headers, status in (({}, 401), ({"Authorization": "Bearer x"}, 403), (caller.key, 403)):
        answer = caller.http.get(path, headers=headers)
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "traceId"}
    assert problem(caller.http.get("/scim/directory/other/Users", headers=KEY)) == (404, None)
    assert problem(idp("GET", "Elsewhere")) == (404, None)
    assert caller.http.get("/scim/elsewhere", headers=KEY).status_code == 404


def test_it_says_what_it_can_do(idp: Provider) -> None:
    assert idp("GET", "ServiceProviderConfig").json()["sort"] == {"supported": False}
    assert [row["id"] for row in idp("GET", "ResourceTypes").json()["Resources"]] == ["User", "Group"]
    assert idp("GET", "ResourceTypes/User").json()["schema"] == USER
    assert idp("GET", f"Schemas/{GROUP}").json()["name"] == "Group"
    assert idp("GET", "Schemas").json()["totalResults"] == 3
    assert problem(idp("GET", "ResourceTypes/x")) == (404, None)
    assert problem(idp("GET", "Schemas/x")) == (404, None)


def test_the_organizations_key_finds_out_who_is_provisioned(caller: Caller) -> None:
    base = f"/admin/user-provisioning/v1/org/{caller.box.org_id}"
    record = record_of(caller)
    expected = [
        {
            "atlassianAccountId": record.account,
            "directoryId": record.directory,
            "orgId": caller.box.org_id,
            "scimUserId": record.id,
        }
    ]
    assert caller.admin("GET", f"{base}/user/{record.account}/get-scim-links").json() == {"scimLinks": expected}
    asked = {"email": record.user_name.upper()}
    found = caller.admin("POST", f"{base}/get-scim-links-for-email", json=asked)
    assert found.json() == {"scimLinks": expected}
    nobody = f"{base}/user/{caller.box.runner_account}/get-scim-links"
    assert caller.admin("GET", nobody).json() == {"scimLinks": []}
    assert caller.admin("GET", f"{base}/user/nobody/get-scim-links").status_code == 404
    assert caller.admin("POST", f"{base}/get-scim-links-for-email", json={}).status_code == 400
    assert caller.admin("GET", f"{base}/elsewhere").status_code == 404
    assert caller.http.get(nobody).status_code == 401


def test_unlinking_and_deleting_the_record_leave_the_account_as_it_is(caller: Caller) -> None:
    base = f"/admin/user-provisioning/v1/org/{caller.box.org_id}"
    one, two = record_of(caller), record_of(caller, 1)
    users = [caller.box.state.user(record.account or "") for record in (one, two)]
    path = f"{base}/scimDirectoryId/{one.directory}/scimUserId"
    assert caller.admin("PATCH", f"{path}/{one.id}/unlink").status_code == 204
    assert caller.admin("PATCH", f"{path}/x/unlink").status_code == 404
    assert (one.account, one in caller.box.world.scim_users) == (None, True)
    assert caller.admin("DELETE", f"{base}/user/{two.account}/onlyDeleteUserInDB").status_code == 204
    assert two not in caller.box.world.scim_users
    assert [(user.account, user.source) for user in users if user] == [("active", "invited")] * 2
    outsider = next(user for user in caller.box.world.users if not user.managed)
    assert caller.admin("DELETE", f"{base}/user/{outsider.id}/onlyDeleteUserInDB").status_code == 403

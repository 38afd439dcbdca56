"""Inviting people."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.caller import Caller

USER = "atlassian/user"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def ari(caller: Caller, name: str = "confluence") -> str:
    return caller.box.state.resources[name].id


def invite(caller: Caller, **body: object) -> httpx.Response:
    return caller.admin("POST", f"/admin/v2/orgs/{caller.box.org_id}/users/invite", json=body)


def found(caller: Caller, email: str) -> dict[str, Any]:
    row: dict[str, Any] = caller.search(emails=[email], expand=["groups"])["data"][0]
    return row


def test_somebody_new_is_invited_with_a_role_and_a_group(lab: Caller) -> None:
    team = lab.group_id("team-001")
    rules = [{"resource": ari(lab), "role": USER}]
    answer = invite(lab, emails=["new.one@acme.com"], permissionRules=rules, additionalGroups=[team])
    assert answer.status_code == 200
    row = found(lab, "new.one@acme.com")
    ok = {"status": "INVITED", "statusReason": None}
    assert answer.json() == {
        "data": [
            {
                "id": row["accountId"],
                "email": "new.one@acme.com",
                "results": [
                    {
                        "roleAssignmentResult": [{"resource": ari(lab), "role": USER, **ok}],
                        "groupAssignmentResult": [{"group": team, **ok}],
                    }
                ],
            }
        ]
    }
    assert (row["status"], row["emailVerified"], row["claimStatus"]) == ("active", False, "managed")
    assert row["addedToOrg"] == "2026-11-22T09:00:00Z"
    assert {group["name"] for group in row["groups"]} == {"team-001", "confluence-users-acme"}
    dates = f"{lab.org}/directory/users/{row['accountId']}/last-active-dates"
    assert lab.admin("GET", dates).json()["data"]["product_access"] == []


def test_a_guest_of_another_domain_is_unmanaged_and_holds_the_role_directly(lab: Caller) -> None:
    rules = [{"resource": ari(lab), "role": "atlassian/guest"}]
    assert invite(lab, emails=["a.guest@globex.example"], permissionRules=rules).status_code == 200
    row = found(lab, "a.guest@globex.example")
    assert (row["claimStatus"], row["groups"]) == ("unmanaged", [])
    path = f"{lab.users}/{row['accountId']}/role-assignments"
    held = lab.admin("GET", path).json()["data"][0]["roleAssignments"]
    assert held == [{"role": "atlassian/guest", "roleAssignmentMethods": ["direct"]}]


def test_a_message_is_sent_only_when_asked_for(lab: Caller) -> None:
    before = lab.control("GET", "mails")
    invite(lab, emails=["silent@acme.com"], notificationText="Welcome")
    assert lab.control("GET", "mails") == before
    invite(lab, emails=["loud@acme.com"], sendNotification=True)
    assert lab.control("GET", "mails") == [*before, found(lab, "loud@acme.com")["accountId"]]


def test_every_item_says_what_failed(lab: Caller) -> None:
    inactive = lab.someone(status="deactivated")
    synced, open_group = lab.group_id("all-staff-idp"), lab.group_id("team-001")
    emails = [inactive.email, "no address", "fine@acme.com"]
    rules = [{"resource": ari(lab, "jira-software"), "role": USER}]
    answer = invite(lab, emails=emails, permissionRules=rules, additionalGroups=[synced, open_group])
    assert answer.status_code == 206
    rows = {row["email"]: row for row in answer.json()["data"]}
    assert "id" not in rows["no address"]
    roles = {email: row["results"][0]["roleAssignmentResult"][0] for email, row in rows.items()}
    assert [roles[email]["status"] for email in emails] == ["ERROR", "ERROR", "INVITED"]
    assert "not active" in roles[inactive.email]["statusReason"]
    groups = [item["status"] for item in rows["fine@acme.com"]["results"][0]["groupAssignmentResult"]]
    assert groups == ["ERROR", "INVITED"]
    assert [group["name"] for group in found(lab, "fine@acme.com")["groups"]] == ["team-001", "jira-users-acme"]
    assert lab.search(emails=["no address"])["data"] == []


def test_somebody_known_is_invited_again_by_the_address_in_any_case(lab: Caller) -> None:
    user = lab.someone(status="not_invited")
    assert user.email is not None
    assert invite(lab, emails=[user.email.upper()]).json()["data"][0]["id"] == user.id
    row = lab.search(accountIds=[user.id])["data"][0]
    assert (row["status"], row["addedToOrg"]) == ("active", "2026-11-22T09:00:00Z")


def test_without_enough_seats_nobody_of_them_is_invited(caller: Caller) -> None:
    caller.box.world.resources[0].capacity = caller.box.state.seats("confluence") + 1
    rules = [{"resource": ari(caller), "role": USER}]
    two = {"emails": ["one@acme.com", "two@acme.com"], "permissionRules": rules}
    assert code(invite(caller, **two)) == (409, "ADMIN-UAM-409-3")
    assert caller.search(emails=["one@acme.com"])["data"] == []
    by_group = {"emails": two["emails"], "additionalGroups": [caller.group_id("product-suite-acme")]}
    assert code(invite(caller, **by_group)) == (409, "ADMIN-UAM-409-3")
    assert invite(caller, emails=["one@acme.com"], permissionRules=rules).status_code == 200


def test_without_a_paid_subscription_nobody_is_invited(caller: Caller) -> None:
    caller.control("POST", "options", {"paid": False})
    assert code(invite(caller, emails=["one@acme.com"])) == (402, "ADMIN-UAM-402-1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "ADMIN-UAM-400-1")),
        ({"emails": []}, (400, "ADMIN-UAM-400-1")),
        ({"emails": [f"{n}@acme.com" for n in range(26)]}, (400, "ADMIN-UAM-400-1")),
        ({"emails": ["a@acme.com"], "shoeSize": 44}, (400, "ADMIN-UAM-400-1")),
        (
            {"emails": ["a@acme.com"], "permissionRules": [{"resource": "CONFLUENCE", "role": "atlassian/king"}]},
            (400, "ADMIN-UAM-400-1"),
        ),
        (
            {"emails": ["a@acme.com"], "permissionRules": [{"resource": "ari:nowhere", "role": USER}]},
            (404, "ADMIN-UAM-404-1"),
        ),
        ({"emails": ["a@acme.com"], "additionalGroups": ["nowhere"]}, (404, "ADMIN-UAM-404-3")),
        (
            {"emails": ["a@acme.com"], "permissionRules": [{"resource": "SITE", "role": USER}]},
            (400, "ADMIN-UAM-400-3"),
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_invitation_that_makes_no_sense_is_refused(
    lab: Caller, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    for rule in body.get("permissionRules", []):
        names = {"CONFLUENCE": "confluence", "SITE": "site"}
        if rule["resource"] in names:
            rule["resource"] = ari(lab, names[rule["resource"]])
    assert code(invite(lab, **body)) == expected
    assert lab.search(emails=["a@acme.com"])["data"] == []

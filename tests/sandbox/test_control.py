"""The control endpoints: clock, changes from outside, log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import World
from tests import canaries
from tests.sandbox.caller import Caller


def shown_activity(caller: Caller, account: str) -> dict[str, str]:
    row = caller.search(accountIds=[account], expand=["productAccess"])["data"][0]
    return {item["key"]: item["lastActiveTimestamp"] for item in row["productAccess"]}


def test_the_summary_counts_the_demo(demo: Caller) -> None:
    summary = demo.control("GET", "world")
    assert (summary["site"], summary["users"], summary["now"]) == (
        "acme",
        480,
        "2026-11-22T09:00:00Z",
    )
    assert summary["seats"]["confluence"] == {"used": 412, "capacity": 500}
    assert sum(summary["status"].values()) == 480


def test_the_clock_stands_until_it_is_moved(caller: Caller) -> None:
    assert caller.control("POST", "clock", {"advance_days": 0.5}) == {"now": "2026-11-22T21:00:00Z"}
    later = {"set": "2027-01-01T00:00:00Z"}
    assert caller.control("POST", "clock", later) == {"now": "2027-01-01T00:00:00Z"}
    assert caller.control("GET", "world")["now"] == "2027-01-01T00:00:00Z"


def test_the_clock_advances_by_seconds_too(caller: Caller) -> None:
    assert caller.control("POST", "clock", {"advance_seconds": 30}) == {"now": "2026-11-22T09:00:30Z"}


def test_somebody_is_claimed_and_confirms_an_address(caller: Caller) -> None:
    user = caller.someone(status="active", managed=False, type="atlassian", email_hidden=False)
    caller.control("POST", f"users/{user.id}", {"managed": True, "email_verified": False})
    row = caller.search(accountIds=[user.id])["data"][0]
    assert (row["claimStatus"], row["emailVerified"]) == ("managed", False)


def test_a_ticking_clock_goes_on_by_itself_and_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    world = seed(users=3)
    world.options.ticking = True
    state = State(world, path)
    first = state.now()
    while state.now() == first:
        time.sleep(0.05)
    later = state.now()
    assert later > first
    state.save()
    assert later <= World.load(path).clock() <= state.now()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("clock", {}, 400),
        ("clock", {"set": "soon"}, 400),
        ("clock", {"advance_days": 1, "advance_seconds": 1}, 400),
        ("clock", {"advance_days": 1, "set": "2027-01-01T00:00:00Z"}, 400),
        ("users/nobody", {}, 404),
        ("users/RUNNER", {"add_groups": ["nowhere"]}, 404),
        ("users/RUNNER", {"activity": {"nowhere": "now"}}, 400),
        ("users/RUNNER", {"activity": {"confluence": "lately"}}, 400),
        ("users/RUNNER", {"status": "asleep"}, 400),
        ("users/RUNNER", {"unknown": 1}, 400),
        ("faults", {"kind": "earthquake"}, 400),
        ("faults", {"kind": "reset", "match": {"path_regex": "("}}, 400),
    ],
    ids=str,
)
def test_what_fate_cannot_do_is_said(caller: Caller, path: str, body: dict[str, Any], status: int) -> None:
    path = path.replace("RUNNER", caller.box.runner_account)
    answer = caller.http.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("status", ["active", "suspended", "not_invited", "deactivated", "for_deletion"])
def test_somebody_changes_a_status_by_hand(caller: Caller, status: str) -> None:
    user = caller.someone(status="active", managed=True)
    caller.control("POST", f"users/{user.id}", {"status": status})
    assert caller.search(accountIds=[user.id])["data"][0]["status"] == status
    caller.control("POST", f"users/{user.id}", {"status": "active"})
    assert caller.search(accountIds=[user.id])["data"][0]["status"] == "active"


def test_somebody_leaves_for_good(caller: Caller) -> None:
    user = caller.someone(status="active", managed=True, source="invited")
    caller.control("POST", f"users/{user.id}", {"status": "closed"})
    assert caller.search(accountIds=[user.id])["data"] == []
    assert caller.admin("POST", f"{caller.users}/{user.id}/suspend").status_code == 404


def test_somebody_changes_groups_roles_and_names_by_hand(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-users-acme")
    change: dict[str, Any] = {"groups": ["team-001", "break-glass"], "name": "New Name"}
    caller.control("POST", f"users/{user.id}", change)
    row = caller.search(accountIds=[user.id], expand=["groups"])["data"][0]
    assert {group["name"] for group in row["groups"]} == {"team-001", "break-glass"}
    assert row["name"] == "New Name"
    change = {"add_groups": ["org-admins"], "remove_groups": ["team-001"]}
    caller.control("POST", f"users/{user.id}", change | {"platform_roles": ["atlassian/org-admin"]})
    row = caller.search(accountIds=[user.id], expand=["groups", "platformRoles"])["data"][0]
    assert {group["name"] for group in row["groups"]} == {"break-glass", "org-admins"}
    assert row["platformRoles"] == ["atlassian/org-admin"]
    ari = f"ari:cloud:confluence::site/{caller.box.cloud_id}"
    assert caller.search(accountIds=[user.id], resourceIds=[ari])["data"] == []
    roles = {"roles": {"confluence": ["atlassian/user"]}}
    caller.control("POST", f"users/{user.id}", roles)
    assert len(caller.search(accountIds=[user.id], resourceIds=[ari])["data"]) == 1


def test_activity_shows_at_once_without_a_lag(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-guests-acme")
    caller.control("POST", f"users/{user.id}", {"activity": {"confluence": "now"}})
    assert shown_activity(caller, user.id) == {"confluence": "2026-11-22T09:00:00Z"}
    caller.control("POST", f"users/{user.id}", {"activity": {"confluence": None}})
    assert shown_activity(caller, user.id) == {}


def test_activity_shows_late_with_a_lag(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-guests-acme")
    before = shown_activity(caller, user.id)
    late = {"activity": {"confluence": "now"}, "lag_hours": 24}
    caller.control("POST", f"users/{user.id}", late)
    assert shown_activity(caller, user.id) == before
    caller.control("POST", "clock", {"advance_days": 0.9})
    assert shown_activity(caller, user.id) == before
    caller.control("POST", "clock", {"advance_days": 0.1})
    assert shown_activity(caller, user.id) == {"confluence": "2026-11-22T09:00:00Z"}


def test_the_log_names_requests_and_no_secrets(caller: Caller) -> None:
    caller.admin("GET", f"{caller.users}/count?searchTerm=kari@acme.com")
    caller.http.get("/admin/v1/orgs")
    caller.site("/wiki/rest/api/user/current")
    log = caller.control("GET", "requests")
    assert [(row["method"], row["path"], row["status"]) for row in log] == [
        ("GET", f"{caller.users}/count", 200),
        ("GET", "/admin/v1/orgs", 401),
        ("GET", "/wiki/rest/api/user/current", 200),
    ]
    text = str(log)
    assert canaries.found(text) == []
    assert "kari@acme.com" not in text
    caller.control("DELETE", "requests")
    assert caller.control("GET", "requests") == []

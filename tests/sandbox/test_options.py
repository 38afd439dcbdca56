"""Behaviour that a world may show one way or the other: late changes, and what is not documented."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from cleanup_gitops.sandbox.options import RateLimit
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from tests.sandbox.caller import Caller


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def options(caller: Caller, **change: object) -> None:
    caller.control("POST", "options", change)


def row(caller: Caller, account: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - handed on
    found: dict[str, Any] = caller.search(accountIds=[account], **more)["data"][0]
    return found


def suspend(caller: Caller, account: str, what: str = "suspend") -> httpx.Response:
    return caller.admin("POST", f"{caller.users}/{account}/{what}")


def test_a_suspension_shows_after_seconds_of_the_virtual_clock(caller: Caller) -> None:
    options(caller, late={"status": {"seconds": 60}})
    user = caller.someone(status="active", group="confluence-users-acme")
    assert suspend(caller, user.id).status_code == 204
    for _ in range(3):
        assert row(caller, user.id)["status"] == "active"
    assert caller.control("GET", "world")["waiting_changes"] == 1
    caller.control("POST", "clock", {"advance_seconds": 60})
    assert row(caller, user.id)["status"] == "suspended"
    assert caller.control("GET", "world")["waiting_changes"] == 0


def test_a_membership_shows_after_a_number_of_reads_and_not_before_its_time(caller: Caller) -> None:
    options(caller, late={"membership": {"seconds": 10, "reads": 2}})
    user = caller.someone(status="active", group="confluence-users-acme")
    group = caller.group_id("confluence-users-acme")
    path = f"{caller.groups}/{group}/memberships/{user.id}"

    def member() -> bool:
        return group in {item["id"] for item in row(caller, user.id, expand=["groups"])["groups"]}

    assert caller.admin("DELETE", path).status_code == 204
    assert [member() for _ in range(4)] == [True] * 4
    caller.control("POST", "clock", {"advance_seconds": 10})
    assert not member()
    assert caller.admin("POST", path.rpartition("/")[0], json={"accountId": user.id}).status_code == 204
    caller.control("POST", "clock", {"advance_seconds": 11})
    assert [member() for _ in range(3)] == [False, False, True]


def test_with_a_ticking_clock_the_seconds_are_real(caller: Caller) -> None:
    options(caller, late={"status": {"seconds": 0.3}})
    caller.box.state.ticking = True
    user = caller.someone(status="active", group="confluence-users-acme")
    suspend(caller, user.id)
    while row(caller, user.id)["status"] == "active":
        time.sleep(0.02)
    assert caller.box.world.now == "2026-11-22T09:00:00Z"


def test_all_that_is_late_can_be_shown_at_once(caller: Caller) -> None:
    options(caller, late={"status": {"seconds": 600}, "removal": {"seconds": 600}})
    first = caller.someone(status="active", group="confluence-users-acme", managed=True)
    suspend(caller, first.id)
    caller.admin("DELETE", f"{caller.users}/{first.id}")
    assert row(caller, first.id)["status"] == "active"
    assert caller.control("POST", "settle") == {"waiting_changes": 0}
    assert row(caller, first.id)["status"] == "not_invited"


def test_what_is_done_at_once_comes_after_what_is_on_its_way(caller: Caller) -> None:
    options(caller, late={"status": {"seconds": 600}})
    user = caller.someone(status="active", group="confluence-users-acme")
    suspend(caller, user.id)
    options(caller, late={})
    suspend(caller, user.id, "restore")
    caller.control("POST", "settle")
    assert row(caller, user.id)["status"] == "active"


def test_a_later_change_overtakes_no_earlier_one_of_the_same_user(caller: Caller) -> None:
    options(caller, late={"status": {"seconds": 60}, "removal": {"reads": 1}})
    first, second = [user for user in caller.box.world.users if user.managed and user.groups][-2:]
    suspend(caller, first.id)
    for user in (first, second):
        caller.admin("DELETE", f"{caller.users}/{user.id}")
    row(caller, first.id)
    assert row(caller, second.id)["status"] == "not_invited"
    assert row(caller, first.id)["status"] == "active"
    caller.control("POST", "clock", {"advance_seconds": 60})
    assert row(caller, first.id)["status"] == "not_invited"


def test_a_repeated_status_can_be_an_error(caller: Caller) -> None:
    options(caller, repeated_status=400)
    user = caller.someone(status="active", group="confluence-users-acme")
    assert code(suspend(caller, user.id, "restore")) == (400, "ADMIN-400-4")
    assert suspend(caller, user.id).status_code == 204
    assert code(suspend(caller, user.id)) == (400, "ADMIN-400-4")


def test_suspending_can_be_refused_for_whom_it_may_be(caller: Caller) -> None:
    synced = caller.someone(status="active", source="synced")
    admins = [user for user in caller.box.world.users if "atlassian/org-admin" in user.platform_roles]
    options(caller, refuse_suspending=["synced", "self", "last_admin"])
    assert code(suspend(caller, synced.id)) == (403, "ADMIN-403-3")
    assert code(suspend(caller, caller.box.runner_account)) == (403, "ADMIN-403-3")
    options(caller, refuse_suspending=["last_admin"])
    assert suspend(caller, synced.id).status_code == 204
    assert [suspend(caller, user.id).status_code for user in admins] == [204] * (len(admins) - 1) + [403]


def test_restoring_can_need_a_seat(caller: Caller) -> None:
    user = caller.someone(status="suspended", group="confluence-users-acme")
    caller.box.world.resources[0].capacity = caller.box.state.seats("confluence")
    options(caller, restore_checks_seats=True)
    assert code(suspend(caller, user.id, "restore")) == (409, "ADMIN-409-3")
    options(caller, restore_checks_seats=False)
    assert suspend(caller, user.id, "restore").status_code == 204


def test_removing_somebody_who_is_no_member_can_be_a_success(caller: Caller) -> None:
    user = caller.someone(status="active", group="confluence-guests-acme")
    path = f"{caller.groups}/{caller.group_id('break-glass')}/memberships/{user.id}"
    assert code(caller.admin("DELETE", path)) == (404, "ADMIN-404-8")
    options(caller, remove_non_member=204)
    assert caller.admin("DELETE", path).status_code == 204


def test_a_conflict_can_keep_its_reason_to_itself(caller: Caller) -> None:
    member = caller.someone(status="active", group="confluence-users-acme")
    outside = caller.someone(status="active", type="customer")
    caller.box.world.resources[0].capacity = 1
    options(caller, vague_conflicts=True)
    path = f"{caller.groups}/{caller.group_id('confluence-users-acme')}/memberships"
    answers = [caller.admin("POST", path, json={"accountId": user.id}) for user in (member, outside)]
    assert [code(answer) for answer in answers] == [(409, "ADMIN-409-28")] * 2
    assert answers[0].json() == answers[1].json()


def test_with_units_nobody_joins_the_group_of_organization_administrators(caller: Caller) -> None:
    user = caller.someone(status="active", group="team-001")
    path = f"{caller.groups}/{caller.group_id('org-admins')}/memberships"
    options(caller, units=True)
    assert code(caller.admin("POST", path, json={"accountId": user.id})) == (403, "ADMIN-403-5")
    options(caller, units=False)
    assert caller.admin("POST", path, json={"accountId": user.id}).status_code == 204


def test_a_search_in_all_directories_can_lack_activity(caller: Caller) -> None:
    def shown(directory: str) -> dict[str, Any]:
        body = {"accountIds": [caller.box.runner_account], "expand": ["productAccess"]}
        answer = caller.admin("POST", f"{caller.directories}/{directory}/users/search", json=body)
        found: dict[str, Any] = answer.json()["data"][0]
        return found

    assert shown("-")["productAccess"] == shown("default")["productAccess"]
    options(caller, product_access_of_all=False)
    assert "productAccess" not in shown("-")
    assert shown("default")["productAccess"]


def test_addresses_of_other_organizations_can_be_hidden(caller: Caller) -> None:
    user = caller.someone(status="active", managed=False, type="atlassian", email_hidden=False)
    assert row(caller, user.id)["email"] == user.email
    options(caller, unmanaged_addresses=False)
    assert "email" not in row(caller, user.id)
    assert caller.search(emails=[user.email])["data"] == []
    assert row(caller, caller.box.runner_account)["email"] == caller.box.user_email


@pytest.mark.parametrize("shape", ["gateway", "application", "spring"])
def test_too_many_requests_are_refused_in_any_shape_with_or_without_retry_after(shape: str) -> None:
    world = seed(users=3)
    world.options.rate_limits = [RateLimit(path="/v1/orgs$", limit=1, window_seconds=3600)]
    with running(world) as box:
        caller = Caller(box)
        with caller.http:
            options(caller, throttled_body=shape)
            answers = [caller.admin("GET", "/admin/v1/orgs") for _ in range(3)]
            options(caller, retry_after=True)
            told = caller.admin("GET", "/admin/v1/orgs")
    keys = {"gateway": "code", "application": "errors", "spring": "requestId"}
    assert answers[-1].status_code == 429
    assert keys[shape] in answers[-1].json()
    assert "retry-after" not in answers[-1].headers
    assert told.headers["x-ratelimit-remaining"] == "0"
    assert 0 < int(told.headers["retry-after"]) <= 3600


@pytest.mark.parametrize(
    "change",
    [{"repeated_status": 500}, {"late": {"weather": {}}}, {"late": {"status": {"days": 1}}}, {"unknown": True}],
    ids=str,
)
def test_an_option_that_does_not_exist_is_refused(caller: Caller, change: dict[str, object]) -> None:
    before = caller.control("GET", "options")
    answer = caller.http.post("/_sandbox/options", json=change)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert caller.control("GET", "options") == before

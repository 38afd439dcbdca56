"""Credentials, scopes of a key, rate limits and error bodies."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import LAST_ACTIVE_DATES, Directory, RateLimit
from tests import canaries
from tests.sandbox.caller import Caller


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {canaries.ORG_KEY}"}],
    ids=["none", "wrong", "basic"],
)
@pytest.mark.parametrize("path", ["/admin/v1/orgs", "/admin/nowhere"])
def test_without_the_key_the_gateway_answers(demo: Caller, headers: dict[str, str], path: str) -> None:
    answer = demo.http.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"code": 401, "message": "Unauthorized"}


def test_a_site_token_is_no_key(demo: Caller) -> None:
    answer = demo.http.get("/admin/v1/orgs", headers={"Authorization": f"Bearer {demo.box.api_token}"})
    assert answer.status_code == 401


def test_key_and_token_expire_by_the_virtual_clock(caller: Caller) -> None:
    assert caller.admin("GET", "/admin/v1/orgs").status_code == 200
    assert caller.site("/wiki/rest/api/user/current").status_code == 200
    caller.control("POST", "clock", {"advance_days": 200})
    assert caller.admin("GET", "/admin/v1/orgs").status_code == 401
    refused = caller.site("/wiki/rest/api/user/current")
    assert refused.status_code == 401
    assert refused.json()["statusCode"] == 401


def test_the_edge_of_the_site_answers_in_plain_text(demo: Caller) -> None:
    for headers in ({}, {"Authorization": "Basic %%%"}, {"Authorization": "Bearer x"}):
        answer = demo.http.get("/wiki/rest/api/user/current", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("auth", [("x@acme.com", canaries.TOKEN), ("cleanup-runner@acme.com", "wrong")])
def test_a_wrong_token_gets_confluences_own_error_body(demo: Caller, auth: tuple[str, str]) -> None:
    answer = demo.http.get("/wiki/rest/api/user/current", auth=auth)
    assert answer.status_code == 401
    assert answer.json()["statusCode"] == 401
    assert answer.json()["data"]["authorized"] is False


def test_a_suspended_site_user_has_no_access_to_the_site(caller: Caller) -> None:
    caller.control("POST", f"users/{caller.box.runner_account}", {"status": "suspended"})
    answer = caller.site("/wiki/rest/api/user/current")
    assert answer.status_code == 403
    assert answer.json()["statusCode"] == 403


def test_an_unknown_page_of_the_site_is_not_found(demo: Caller) -> None:
    answer = demo.site("/wiki/rest/api/group/member")
    assert answer.status_code == 404
    assert answer.json()["data"] == {
        "authorized": True,
        "valid": True,
        "errors": [],
        "successful": False,
    }


def code(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["errors"][0]
    assert error["status"] == str(answer.status_code)
    assert error["id"]
    assert error["title"]
    assert error["detail"]
    return answer.status_code, error["code"]


def test_what_does_not_exist_is_not_found(demo: Caller) -> None:
    none = "00000000-0000-0000-0000-000000000000"
    other = demo.directories.replace(demo.box.org_id, none)
    assert code(demo.admin("GET", f"/admin/v1/orgs/{none}")) == (404, "ADMIN-404-2")
    assert code(demo.admin("GET", other)) == (404, "ADMIN-404-2")
    missing = f"{demo.directories}/missing/users"
    assert code(demo.admin("POST", f"{missing}/search")) == (404, "ADMIN-404-1")
    assert code(demo.admin("GET", f"{missing}/count")) == (404, "ADMIN-404-1")
    assert code(demo.admin("GET", f"{demo.users}/nobody")) == (404, "ADMIN-404-8")
    assert code(demo.admin("GET", f"{demo.groups}/{none}")) == (404, "ADMIN-404-10")
    assert code(demo.admin("GET", "/admin/v2/nowhere")) == (404, "ADMIN-404-1")
    dates = f"{demo.org}/directory/users/nobody/last-active-dates"
    assert code(demo.admin("GET", dates)) == (404, "ADMIN-404-8")


def test_what_the_key_may_not_manage_is_forbidden(caller: Caller) -> None:
    foreign = caller.box.world.foreign_organizations[0]
    path = caller.directories.replace(caller.box.org_id, foreign)
    assert code(caller.admin("GET", path)) == (403, "ADMIN-403-3")
    spring = caller.admin("GET", f"/admin/v1/orgs/{foreign}")
    assert spring.status_code == 403
    assert spring.json()["error"] == "Forbidden"
    assert spring.json()["path"] == f"/api/admin/v1/orgs/{foreign}"
    caller.box.world.directories.append(Directory(id="d3", name="Hidden", manageable=False))
    caller.box.refresh()
    hidden = f"{caller.directories}/d3/users"
    assert code(caller.admin("POST", f"{hidden}/search")) == (403, "ADMIN-403-3")
    assert code(caller.admin("POST", f"{hidden}/x/suspend")) == (403, "ADMIN-403-3")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "users/search"),
        ("POST", "users/invite"),
        ("POST", "groups/search"),
        ("POST", "directory/users/x/suspend-access"),
        ("POST", "directory/users/x/restore-access"),
        ("DELETE", "directory/users/x"),
        ("POST", "directory/groups"),
        ("DELETE", "directory/groups/x/memberships/y"),
    ],
)
def test_endpoints_of_the_first_generation_are_gone(demo: Caller, method: str, path: str) -> None:
    answer = demo.admin(method, f"{demo.org}/{path}")
    assert code(answer) == (404, "ADMIN-404-1")
    assert "removed" in answer.json()["errors"][0]["detail"]


def test_a_known_path_does_not_take_every_method(demo: Caller) -> None:
    assert code(demo.admin("GET", f"{demo.users}/x/suspend")) == (405, "ADMIN-405-1")
    assert code(demo.admin("DELETE", f"{demo.org}")) == (405, "ADMIN-405-1")


def test_last_active_dates_are_limited_per_organization(caller: Caller) -> None:
    path = f"{caller.org}/directory/users/{caller.box.runner_account}/last-active-dates"
    answer = caller.admin("GET", path)
    assert answer.headers["x-ratelimit-limit"] == "200"
    assert answer.headers["x-ratelimit-remaining"] == "199"
    reset = datetime.fromisoformat(answer.headers["x-ratelimit-reset"])
    wait = reset - parsedate_to_datetime(answer.headers["date"])
    assert 0 < wait.total_seconds() <= 60


def test_over_the_limit_the_gateway_refuses_without_retry_after() -> None:
    world = seed(users=10)
    world.options.rate_limits = [RateLimit(path=LAST_ACTIVE_DATES, limit=3, window_seconds=3600, reset="short")]
    world.options.virtual_limits = True
    with running(world) as box:
        caller = Caller(box)
        with caller.http:
            path = f"{caller.org}/directory/users/{box.runner_account}/last-active-dates"
            answers = [caller.admin("GET", path) for _ in range(5)]
            free = caller.admin("POST", f"{caller.users}/search")
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json() == {"code": 429, "message": "Rate limit exceeded"}
    assert answers[-1].headers["x-ratelimit-remaining"] == "0"
    assert answers[-1].headers["x-ratelimit-reset"].count(":") == 1
    assert "retry-after" not in answers[-1].headers
    assert "x-ratelimit-limit" not in free.headers


def test_a_limit_ends_with_its_window_and_can_be_switched_off() -> None:
    world = seed(users=10)
    world.options.rate_limits = [RateLimit(path="/v1/orgs$", limit=1)]
    world.options.virtual_limits = True
    with running(world) as box:
        caller = Caller(box)
        with caller.http:
            assert [caller.admin("GET", "/admin/v1/orgs").status_code for _ in range(2)] == [200, 429]
            caller.control("POST", "clock", {"advance_seconds": 60})
            assert caller.admin("GET", "/admin/v1/orgs").status_code == 200
            other = caller.admin("GET", caller.org)
    assert "x-ratelimit-limit" not in other.headers

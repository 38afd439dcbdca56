"""Failures on request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.patience import STALLED
from tests.sandbox.caller import Caller
from tests.sandbox.faulty import SEARCH, ask, fault, status_of, suspend


@pytest.mark.parametrize(
    ("shape", "key"),
    [
        ("application", "errors"),
        ("gateway", "code"),
        ("spring", "requestId"),
        ("confluence", "statusCode"),
    ],
)
def test_a_status_comes_in_any_of_the_shapes(caller: Caller, shape: str, key: str) -> None:
    fault(caller, "status", status=503, shape=shape, headers={"Retry-After": "7"})
    answer = ask(caller)
    assert answer.status_code == 503
    assert key in answer.json()
    assert answer.headers["retry-after"] == "7"


def test_a_status_may_have_no_body(caller: Caller) -> None:
    fault(caller, "status", status=502, shape="empty")
    assert (ask(caller).status_code, ask(caller).content) == (502, b"")


def test_rules_choose_by_method_path_and_number(caller: Caller) -> None:
    fault(caller, "status", {**SEARCH, "method": "POST", "nth": 2}, status=500)
    fault(caller, "status", {**SEARCH, "after": 3, "times": 2}, status=503)
    fault(caller, "status", {**SEARCH, "method": "GET"}, status=504)
    assert [ask(caller).status_code for _ in range(6)] == [200, 500, 200, 503, 503, 200]
    assert caller.admin("GET", "/admin/v1/orgs").status_code == 200
    assert len(caller.control("GET", "faults")) == 3
    kinds = [row["fault"] for row in caller.control("GET", "requests")]
    assert kinds == [None, "status", None, "status", "status", None, None]
    caller.control("DELETE", "faults")
    assert caller.control("GET", "faults") == []
    assert ask(caller).status_code == 200


def test_several_rules_are_set_at_once(caller: Caller) -> None:
    rules = [{"kind": "html", "match": {"nth": 1}}, {"kind": "not_json", "match": {"nth": 2}}]
    caller.control("POST", "faults", rules)
    page, text = ask(caller), ask(caller)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
    assert text.headers["content-type"] == "application/json"
    with pytest.raises(json.JSONDecodeError):
        text.json()


def test_a_reset_connection_gives_no_answer_and_the_next_one_works(caller: Caller) -> None:
    fault(caller, "reset", {**SEARCH, "nth": 1})
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        ask(caller)
    assert ask(caller).status_code == 200
    assert caller.control("GET", "requests")[0]["status"] == 0


def test_a_truncated_answer_is_noticed_by_http(caller: Caller) -> None:
    fault(caller, "truncate", {**SEARCH, "nth": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        ask(caller)
    assert ask(caller).status_code == 200


def test_a_slow_answer_is_late_but_whole(caller: Caller) -> None:
    fault(caller, "slow", seconds=0.05)
    answer = ask(caller)
    assert len(answer.json()["data"]) == 10
    assert answer.elapsed.total_seconds() >= 0.05


def test_a_looping_cursor_points_at_its_own_page(caller: Caller) -> None:
    first = ask(caller).json()["links"]["next"]
    fault(caller, "cursor_loop")
    second = ask(caller, cursor=first).json()
    assert second["links"]["next"] == first
    assert ask(caller).json()["links"]["next"] == first


def test_a_repeated_page_has_old_rows_and_goes_on(caller: Caller) -> None:
    fault(caller, "repeat_page", {**SEARCH, "nth": 2})
    first = ask(caller).json()
    second = ask(caller, cursor=first["links"]["next"]).json()
    assert second["data"] == first["data"]
    assert second["links"]["next"] != first["links"]["next"]


def test_a_repeated_page_is_of_the_same_search_even_between_others(caller: Caller) -> None:
    fault(caller, "repeat_page", {**SEARCH, "nth": 3})
    first = ask(caller).json()
    other = ask(caller, accountIds=[caller.box.runner_account]).json()
    second = ask(caller, cursor=first["links"]["next"]).json()
    assert second["data"] == first["data"]
    assert other["data"] != first["data"]


def test_a_repeated_first_page_is_about_somebody_else(caller: Caller) -> None:
    fault(caller, "repeat_page", {**SEARCH, "nth": 2})
    runner = ask(caller, accountIds=[caller.box.runner_account]).json()
    other = caller.someone(status="active", managed=False)
    assert ask(caller, accountIds=[other.id]).json()["data"] == runner["data"]


def test_dropped_rows_are_missing_silently(caller: Caller) -> None:
    fault(caller, "drop_rows", {**SEARCH, "nth": 1}, rows=3)
    assert len(ask(caller).json()["data"]) == 7
    assert len(ask(caller).json()["data"]) == 10


def test_rows_are_dropped_from_what_a_group_gives_as_well(caller: Caller) -> None:
    suite = next(group for group in caller.box.world.groups if group.name == "product-suite-acme")
    path = f"{caller.users.removesuffix('users')}groups/{suite.id}/role-assignments"
    whole = caller.admin("GET", path).json()["data"]
    fault(caller, "drop_rows", {"path_regex": "role-assignments$"})
    assert caller.admin("GET", path).json()["data"] == whole[:1]
    assert len(whole) == 2


def test_a_write_without_effect_answers_as_if_it_had_worked(caller: Caller) -> None:
    fault(caller, "no_effect", {"path_regex": "suspend$"})
    answer, account = suspend(caller)
    assert answer.status_code == 204
    assert status_of(caller, account) == "active"


def test_a_late_write_shows_after_so_many_reads(caller: Caller) -> None:
    fault(caller, "late", {"path_regex": "suspend$"}, reads=2)
    answer, account = suspend(caller)
    assert answer.status_code == 204
    assert caller.control("GET", "world")["waiting_changes"] == 1
    seen = [status_of(caller, account) for _ in range(4)]
    assert seen == ["active", "active", "suspended", "suspended"]
    assert caller.control("GET", "world")["waiting_changes"] == 0


@pytest.mark.parametrize("carry_out", [True, False])
def test_a_write_whose_answer_was_lost_may_have_happened(caller: Caller, carry_out: bool) -> None:
    fault(caller, "reset", {"path_regex": "suspend$"}, carry_out=carry_out)
    account = caller.someone(status="active", managed=False).id
    with pytest.raises(httpx.TransportError):
        suspend(caller)
    assert status_of(caller, account) == ("suspended" if carry_out else "active")


def test_an_answer_may_lie_about_a_write_that_happened(caller: Caller) -> None:
    fault(caller, "status", {"path_regex": "suspend$"}, status=504, carry_out=True)
    answer, account = suspend(caller)
    assert answer.status_code == 504
    assert status_of(caller, account) == "suspended"


def test_pages_linked_by_urls_go_wrong_too(caller: Caller) -> None:
    path = f"{caller.org}/users"
    second = caller.admin("GET", path).json()["links"]["next"]
    caller.control("POST", "faults", {"kind": "cursor_loop", "match": {"path_regex": "/v1/orgs/[^/]+/users$"}})
    assert caller.admin("GET", second).json()["links"]["next"] == second
    caller.control("DELETE", "faults")
    whole = caller.admin("GET", path).json()["data"]
    caller.control("POST", "faults", {"kind": "drop_rows", "rows": 2, "match": {"path_regex": "/users$"}})
    assert caller.admin("GET", path).json()["data"] == whole[:-2]


ACCOUNT = "/users/712020:nobody/manage"
SCIM = "/scim/directory/nowhere/Users"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/admin/v1/orgs", 500, {"errors"}),
        ("/admin/v1/orgs", 401, {"code", "message"}),
        ("/admin/v1/orgs", 429, {"code", "message"}),
        (ACCOUNT, 401, {"key"}),
        (ACCOUNT, 500, {"code", "message"}),
        (SCIM, 403, {"error", "traceId"}),
        (SCIM, 500, {"schemas", "status", "detail"}),
        ("/wiki/rest/api/group", 500, {"statusCode", "data", "message"}),
        ("/wiki/api/v2/users-bulk", 404, {"errors"}),
    ],
)
def test_without_a_shape_an_error_is_as_the_api_tells_it(
    caller: Caller, path: str, status: int, body: set[str]
) -> None:
    fault(caller, "status", {"nth": 1}, status=status)
    answer = caller.admin("GET", path)
    assert answer.status_code == status
    assert answer.json().keys() == body


@pytest.mark.parametrize(
    ("path", "keys"),
    [("/admin/v1/orgs", {"errors"}), (ACCOUNT, {"code", "message"}), ("/wiki/rest/api/group", {"statusCode"})],
)
def test_a_200_may_hold_an_error(caller: Caller, path: str, keys: set[str]) -> None:
    fault(caller, "error_in_ok", {"nth": 1}, status=503)
    answer = caller.admin("GET", path)
    assert answer.status_code == 200
    assert keys <= answer.json().keys()
    assert "503" in answer.text


@pytest.mark.parametrize("status", [None, 410])
def test_a_cursor_expires_between_two_pages(caller: Caller, status: int | None) -> None:
    first = ask(caller).json()["links"]["next"]
    fault(caller, "cursor_expired", {**SEARCH, "nth": 1}, status=status)
    answer = ask(caller, cursor=first)
    assert answer.status_code == (status or 400)
    assert answer.json()["errors"][0]["code"] == "ADMIN-400-1"
    assert ask(caller, cursor=first).status_code == 200


def test_a_cursor_of_the_site_expires_too(caller: Caller) -> None:
    fault(caller, "cursor_expired", {"path_regex": "^/wiki/"}, status=410)
    answer = caller.site("/wiki/rest/api/search?cql=type=page&cursor=abc")
    assert (answer.status_code, answer.json()["statusCode"]) == (410, 410)


def test_somebody_vanishes_between_reading_and_writing(caller: Caller) -> None:
    fault(caller, "vanish", {"path_regex": "suspend$"})
    answer, account = suspend(caller)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "ADMIN-404-8"
    assert caller.search(accountIds=[account])["data"] == []


def test_somebody_vanishes_between_two_pages(caller: Caller) -> None:
    first = ask(caller).json()
    cursor = first["links"]["next"]
    before = [row["accountId"] for row in ask(caller, cursor=cursor).json()["data"]]
    fault(caller, "vanish", {**SEARCH, "nth": 1})
    after = [row["accountId"] for row in ask(caller, cursor=cursor).json()["data"]]
    assert after == before[:-1]
    caller.control("DELETE", "faults")
    assert ask(caller, accountIds=before[-1:]).json()["data"] == []


def test_a_named_account_vanishes_whatever_is_asked(caller: Caller) -> None:
    account = caller.someone(status="active", managed=False).id
    fault(caller, "vanish", {"path_regex": "/orgs$"}, account=account)
    caller.admin("GET", "/admin/v1/orgs")
    assert caller.search(accountIds=[account])["data"] == []


@pytest.mark.parametrize("seconds", [3600, -86400])
def test_a_clock_that_is_wrong_is_wrong_in_header_and_body(caller: Caller, seconds: int) -> None:
    account = caller.someone(status="active", group="confluence-users-acme").id
    right = caller.search(accountIds=[account])["data"][0]["addedToOrg"]
    fault(caller, "skew", {"path_regex": "."}, seconds=seconds)
    answer = caller.admin("POST", f"{caller.users}/search", json={"accountIds": [account]})
    wrong = answer.json()["data"][0]["addedToOrg"]
    assert (datetime.fromisoformat(wrong) - datetime.fromisoformat(right)).total_seconds() == seconds
    off = parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)
    assert abs(off.total_seconds() - seconds) < STALLED


def test_a_wrong_clock_comes_beside_another_fault(caller: Caller) -> None:
    fault(caller, "skew", {"path_regex": "."}, seconds=3600)
    fault(caller, "status", status=503)
    answer = ask(caller)
    assert answer.status_code == 503
    assert (parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)).total_seconds() > 3000
    assert caller.control("GET", "requests")[-1]["fault"] == "status+skew"


@pytest.mark.parametrize("status", [None, 403])
def test_a_key_that_is_revoked_midway_opens_nothing_any_more(caller: Caller, status: int | None) -> None:
    assert ask(caller).status_code == 200
    fault(caller, "revoked", {**SEARCH, "nth": 1}, status=status)
    answers = [ask(caller), ask(caller), caller.admin("GET", "/admin/v1/orgs"), caller.admin("GET", ACCOUNT)]
    assert {answer.status_code for answer in answers} == {status or 401}
    assert answers[0].json().keys() == ({"code", "message"} if status is None else {"errors"})
    assert answers[-1].json() == {"key": "unauthorized" if status is None else "forbidden"}
    assert caller.site("/wiki/rest/api/user/current").status_code == 200
    caller.control("DELETE", "faults")
    assert ask(caller).status_code == 200


def test_a_late_write_may_wait_for_the_clock(caller: Caller) -> None:
    fault(caller, "late", {"path_regex": "suspend$"}, reads=0, seconds=600)
    _, account = suspend(caller)
    assert [status_of(caller, account) for _ in range(3)] == ["active"] * 3
    caller.control("POST", "clock", {"advance_seconds": 600})
    assert status_of(caller, account) == "suspended"


def test_every_answer_has_a_date_and_only_one(caller: Caller) -> None:
    answers = [ask(caller), caller.http.get("/_sandbox/world"), caller.http.get("/nowhere")]
    for answer in answers:
        (date,) = answer.headers.get_list("date")
        assert abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()) < STALLED


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "status", "status": 99},
        {"kind": "status", "reset": "soon"},
        {"kind": "storm", "rate": 0.5},
        {"kind": "storm", "seed": 1, "rate": 1.5},
        {"kind": "storm", "seed": 1, "rate": 1, "faults": [{"kind": "storm", "seed": 1, "rate": 1}]},
        {"kind": "storm", "seed": 1, "rate": 1, "faults": [{"kind": "reset", "match": {"nth": 1}}]},
        {"kind": "storm", "seed": 1, "rate": 1, "faults": [{"kind": "reset", "match": {"path_regex": "("}}]},
        [1],
        "reset",
    ],
    ids=str,
)
def test_what_is_no_rule_is_refused_and_changes_nothing(caller: Caller, rule: object) -> None:
    answer = caller.http.post("/_sandbox/faults", json=rule)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert caller.control("GET", "faults") == []

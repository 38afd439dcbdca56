"""Failures on request."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.sandbox.caller import Caller

SEARCH = {"path_regex": "users/search$"}


def fault(caller: Caller, kind: str, match: dict[str, Any] | None = None, **more: object) -> None:
    caller.control("POST", "faults", {"kind": kind, "match": match or SEARCH, **more})


def ask(caller: Caller, **body: object) -> httpx.Response:
    return caller.admin("POST", f"{caller.users}/search", json={"limit": 10, **body})


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
    with pytest.raises(httpx.TransportError):
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


def suspend(caller: Caller) -> tuple[httpx.Response, str]:
    user = caller.someone(status="active", managed=False)
    return caller.admin("POST", f"{caller.users}/{user.id}/suspend"), user.id


def status_of(caller: Caller, account: str) -> str:
    return str(caller.search(accountIds=[account])["data"][0]["status"])


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

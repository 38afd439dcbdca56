"""Answers that are wrong in their headers or their bytes."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.sandbox.caller import Caller
from tests.sandbox.faulty import SEARCH, ask, fault, status_of, suspend

RESETS = ["iso", "short", "seconds", "absurd", "past", "none"]
RETRIES = ["seconds", "date", "absurd", "none"]


@pytest.mark.parametrize("reset", RESETS)
def test_a_429_tells_when_it_gets_better_in_every_form(caller: Caller, reset: str) -> None:
    fault(caller, "throttle", seconds=90, reset=reset)
    answer = ask(caller)
    assert (answer.status_code, answer.json()["code"]) == (429, 429)
    told = answer.headers.get("x-ratelimit-reset")
    date = parsedate_to_datetime(answer.headers["date"])
    match reset:
        case "none":
            assert told is None
        case "seconds":
            assert told == "90"
        case "past" | "absurd":
            assert abs(datetime.fromisoformat(told).year - date.year) > 30
        case _:
            assert -30 <= (datetime.fromisoformat(told) - date).total_seconds() <= 91
            assert told.count(":") == (1 if reset == "short" else 2)
    assert answer.headers["x-ratelimit-remaining"] == "0"


@pytest.mark.parametrize("retry", RETRIES)
def test_a_429_may_say_after_how_long_to_retry(caller: Caller, retry: str) -> None:
    fault(caller, "throttle", {"path_regex": "^/wiki"}, seconds=90, retry_after=retry)
    answer = caller.site("/wiki/rest/api/group")
    told = answer.headers.get("retry-after")
    match retry:
        case "none":
            assert told is None
        case "seconds":
            assert told == "90"
        case "absurd":
            assert int(told) > 10**9
        case _:
            wait = parsedate_to_datetime(told) - parsedate_to_datetime(answer.headers["date"])
            assert 90 <= wait.total_seconds() <= 91
    assert answer.headers["ratelimit-reason"] == "confluence-burst-based"
    assert answer.json()["statusCode"] == 429


def test_headers_may_say_that_a_limit_is_near(caller: Caller) -> None:
    fault(caller, "near_limit", {"path_regex": "."}, seconds=30)
    for answer in (ask(caller), caller.site("/wiki/rest/api/group")):
        assert answer.status_code == 200
        assert answer.headers["x-ratelimit-remaining"] == "5"
    assert answer.headers["x-ratelimit-nearlimit"] == "true"


@pytest.mark.parametrize("length", ["whole", "part"])
def test_a_truncated_answer_may_or_may_not_admit_its_length(caller: Caller, length: str) -> None:
    fault(caller, "truncate", {**SEARCH, "nth": 1}, length=length)
    if length == "whole":
        with pytest.raises(httpx.RemoteProtocolError):
            ask(caller)
    else:
        answer = ask(caller)
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(answer.content)
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_an_answer_without_a_body_is_truncated_too(caller: Caller) -> None:
    fault(caller, "truncate", {"path_regex": "suspend$"})
    account = caller.someone(status="active", managed=False).id
    with pytest.raises(httpx.RemoteProtocolError):
        suspend(caller)
    assert status_of(caller, account) == "suspended"


def test_bytes_trickle_and_come_whole_in_the_end(caller: Caller) -> None:
    whole = ask(caller).content
    fault(caller, "drip", piece=len(whole) // 4, seconds=0.01)
    pieces = []
    with caller.http.stream("POST", f"{caller.users}/search", json={"limit": 10}, auth=caller.auth) as answer:
        pieces += list(answer.iter_raw())
    assert b"".join(pieces) == whole
    assert answer.elapsed.total_seconds() >= 0.03


@pytest.mark.parametrize("path_regex", ["users/search$", "suspend$"])
def test_an_answer_that_never_ends_goes_on_until_the_client_gives_up(caller: Caller, path_regex: str) -> None:
    fault(caller, "drip", {"path_regex": path_regex}, endless=True, piece=200, seconds=0)
    account = caller.someone(status="active", managed=False).id
    path = "search" if path_regex.startswith("users") else f"{account}/suspend"
    with caller.http.stream("POST", f"{caller.users}/{path}", auth=caller.auth, json={}) as answer:
        got = 0
        for part in answer.iter_raw():
            got += len(part)
            if got > 200_000:
                break
    caller.control("DELETE", "faults")
    assert ask(caller).status_code == 200


def test_a_right_body_may_be_called_something_else(caller: Caller) -> None:
    whole = ask(caller).content
    fault(caller, "content_type", media_type="text/html")
    answer = ask(caller)
    assert (answer.headers["content-type"], answer.content) == ("text/html", whole)

"""The organization's audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cleanup_gitops import sandbox
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from cleanup_gitops.sandbox.world import Event
from tests.sandbox.caller import Caller


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture(scope="module")
def log() -> Iterator[Caller]:
    """An organization with 70 events, one an hour, without a limit on requests."""
    world = seed(users=20)
    world.options.rate_limits = []
    world.events = [
        Event(
            id=f"e{number}",
            at=f"2026-11-{10 + number // 24:02d}T{number % 24:02d}:00:00Z",
            action=("user_added_to_group", "group_created")[number % 2],
            actor=world.users[number % 3].id,
            about={"group": f"g{number}"},
            product="confluence" if number % 5 == 0 else "",
            ip=f"192.0.2.{number % 4}",
        )
        for number in range(70)
    ]
    with running(world) as box:
        found = Caller(box)
        with found.http:
            yield found


def pages(caller: Caller, path: str) -> list[list[str]]:
    found = []
    url: str | None = path
    while url is not None:
        answer = caller.admin("GET", url)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append([row["id"] for row in page["data"]])
        assert page["meta"]["page_size"] == len(page["data"])
        url = page["links"].get("next")
    return found


def test_events_come_newest_first_thirty_a_page(log: Caller) -> None:
    found = pages(log, f"{log.org}/events")
    assert [len(page) for page in found] == [30, 30, 10]
    assert [row for page in found for row in page] == [f"e{number}" for number in reversed(range(70))]


def test_a_bare_cursor_works_like_the_whole_url(log: Caller) -> None:
    first = log.admin("GET", f"{log.org}/events?limit=40&action=group_created").json()
    cursor = first["meta"].get("next")
    assert cursor is None
    first = log.admin("GET", f"{log.org}/events?limit=20&action=group_created").json()
    by_cursor = log.admin("GET", f"{log.org}/events?cursor={first['meta']['next']}").json()
    by_url = log.admin("GET", first["links"]["next"]).json()
    assert by_cursor["data"] == by_url["data"]
    assert len(by_url["data"]) == 15


def ms(text: str) -> str:
    return str(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000))


def test_events_are_filtered(log: Caller) -> None:
    def ids(**query: Any) -> list[str]:  # noqa: ANN401 - query values
        page = log.admin("GET", f"{log.org}/events", params={"limit": 500, **query}).json()
        return [row["id"] for row in page["data"]]

    assert len(ids(action="group_created")) == 35
    actors = [log.box.world.users[0].id, log.box.world.users[1].id]
    assert len(ids(actor=actors)) == len(ids(actor=",".join(actors))) == 47
    assert len(ids(ip=["192.0.2.1"])) == 18
    assert len(ids(product="confluence")) == 14
    assert ids(q="G13") == ["e13"]
    span = {"from": ms("2026-11-10T05:00:00"), "to": ms("2026-11-10T07:00:00")}
    assert ids(**span) == ["e7", "e6", "e5"]
    assert ids(location='[{"city": "Oslo"}]') == ids()
    assert ids(location='[{"city": "Oslo", "countryName": "Sweden"}]') == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("from=yesterday", "ADMIN-400-3"),
        ("to=99999999999999999999", "ADMIN-400-3"),
        ("limit=0", "ADMIN-400-19"),
        ("limit=501", "ADMIN-400-19"),
        ("product=trello", "ADMIN-400-19"),
        ("location=Oslo", "ADMIN-400-19"),
        ("shoeSize=44", "ADMIN-400-19"),
        ("q=two%20words", "ADMIN-400-21"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(log: Caller, query: str, expected: str) -> None:
    assert code(log.admin("GET", f"{log.org}/events?{query}")) == (400, expected)


def test_the_stream_goes_both_ways(log: Caller) -> None:
    forwards = pages(log, f"{log.org}/events-stream?limit=50")
    assert [row for page in forwards for row in page] == [f"e{number}" for number in range(70)]
    backwards = pages(log, f"{log.org}/events-stream?limit=50&sortOrder=desc")
    assert [row for page in backwards for row in page] == [f"e{number}" for number in reversed(range(70))]
    assert code(log.admin("GET", f"{log.org}/events-stream?q=x")) == (400, "ADMIN-400-19")


def test_the_last_page_of_the_stream_has_a_cursor_for_what_comes_later(caller: Caller) -> None:
    path = f"{caller.org}/events-stream"
    first = caller.admin("GET", path).json()
    assert "next" not in first["links"]
    again = caller.admin("GET", f"{path}?cursor={first['meta']['next']}").json()
    assert again["data"] == []
    user = caller.someone(status="active", group="confluence-users-acme")
    caller.admin("POST", f"{caller.users}/{user.id}/suspend")
    (event,) = caller.admin("GET", f"{path}?cursor={again['meta']['next']}").json()["data"]
    attributes = event["attributes"]
    assert attributes["action"] == "user_suspended_in_directory"
    assert attributes["actor"]["id"] == caller.box.runner_account
    assert {item["type"]: item["id"] for item in attributes["context"]} == {"user": user.id}
    assert attributes["time"] == attributes["processedAt"] == "2026-11-22T09:00:00Z"


def test_one_event_is_found_by_its_link(log: Caller) -> None:
    row = log.admin("GET", f"{log.org}/events?limit=1").json()["data"][0]
    assert log.admin("GET", row["links"]["self"]).json() == {"data": row}
    assert code(log.admin("GET", f"{log.org}/events/nowhere")) == (404, "ADMIN-404-4")


def test_the_actions_of_the_log_are_described(log: Caller) -> None:
    rows = log.admin("GET", f"{log.org}/event-actions").json()["data"]
    sources = Path(sandbox.__file__).parent.glob("*.py")
    traced = {
        name for path in sources for name in re.findall(r'"((?:user|group)_\w+ed(?:_\w+)?)"', path.read_text("utf-8"))
    }
    assert {"user_added_to_group", "group_created", "user_deactivated"} <= traced
    assert traced <= {row["id"] for row in rows}
    assert all(row["attributes"]["displayName"] and row["attributes"]["groupDisplayName"] for row in rows)


def test_a_write_without_effect_leaves_no_event(caller: Caller) -> None:
    before = len(caller.box.world.events)
    user = caller.someone(status="active", group="confluence-users-acme")
    caller.control("POST", "faults", {"kind": "no_effect", "match": {"path_regex": "suspend$"}})
    assert caller.admin("POST", f"{caller.users}/{user.id}/suspend").status_code == 204
    assert len(caller.box.world.events) == before


def test_ten_searches_a_minute_are_allowed(caller: Caller) -> None:
    answers = [caller.admin("GET", f"{caller.org}/events") for _ in range(21)]
    assert answers[0].headers["x-ratelimit-limit"] == "10"
    assert 429 in {answer.status_code for answer in answers}
    assert caller.admin("GET", f"{caller.org}/events-stream").headers["x-ratelimit-limit"] == "50"

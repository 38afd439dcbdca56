"""The law of limits: how many requests pass, and what the headers promise."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.sandbox.limits import Limits, reset_header
from cleanup_gitops.sandbox.options import Options, RateLimit
from tests.sandbox.caller import Caller

START = 1_790_000_000.0
waits = st.lists(st.floats(0, 30, allow_nan=False), max_size=60)


class Counted:
    """Limits with a clock that only moves when it is told to."""

    def __init__(self, *limits: RateLimit) -> None:
        self.now = START
        self.limits = Limits(Options(rate_limits=list(limits)), lambda: self.now)

    def passes(self, path: str = "/admin/v1/orgs/one/events") -> bool:
        told = self.limits.ask(path, "GET")
        assert told is not None
        return not told.refused


@given(limit=st.integers(1, 12), window=st.floats(1, 60), pauses=waits)
def test_no_stretch_of_time_lets_more_through_than_a_bucket_holds(
    limit: int, window: float, pauses: list[float]
) -> None:
    box = Counted(RateLimit(path="events", limit=limit, window_seconds=window, law="bucket"))
    passed = []
    for pause in pauses:
        box.now += pause
        if box.passes():
            passed.append(box.now)
    for number, first in enumerate(passed):
        for count, last in enumerate(passed[number:], 1):
            assert count <= limit + (last - first) * limit / window + 1e-6


@given(limit=st.integers(1, 5), window=st.floats(0.5, 60), pauses=waits, law=st.sampled_from(["window", "bucket"]))
def test_who_waits_as_long_as_a_refusal_says_is_let_in(
    limit: int, window: float, pauses: list[float], law: str
) -> None:
    box = Counted(
        RateLimit(path="events", limit=limit, window_seconds=window, law="bucket" if law == "bucket" else "window")
    )
    for pause in pauses:
        box.now += pause
        told = box.limits.ask("/events", "GET")
        assert told is not None
        if told.refused:
            reset = datetime.fromisoformat(told.headers()["X-RateLimit-Reset"]).timestamp()
            assert reset <= box.now + told.wait + 1
            box.now = reset
            assert box.passes("/events")


@given(pauses=waits)
def test_a_bucket_says_how_many_may_still_come_at_once(pauses: list[float]) -> None:
    box = Counted(RateLimit(path="events", limit=8, window_seconds=40, law="bucket"))
    for pause in pauses:
        box.now += pause
        told = box.limits.ask("/events", "GET")
        assert told is not None
        kept = dict(box.limits.used)
        assert [box.passes("/events") for _ in range(told.remaining + 1)] == [True] * told.remaining + [False]
        box.limits.used = kept


def test_families_and_organizations_have_a_budget_each() -> None:
    box = Counted(
        RateLimit(path="/events$", limit=1, law="bucket"),
        RateLimit(path="/users/", limit=1, law="bucket", method="GET"),
    )
    assert box.passes("/admin/v1/orgs/one/events")
    assert not box.passes("/admin/v1/orgs/one/events")
    assert box.passes("/admin/v1/orgs/two/events")
    assert box.passes("/admin/v1/orgs/one/users/1")
    assert not box.passes("/admin/v1/orgs/one/users/2")
    assert box.limits.ask("/admin/v1/orgs/one/users/2", "POST") is None


def test_the_tightest_of_several_limits_is_told() -> None:
    box = Counted(RateLimit(path="/events$", limit=3), RateLimit(path=".", limit=50))
    told = box.limits.ask("/events", "GET")
    assert told is not None
    assert (told.headers()["X-RateLimit-Limit"], told.headers()["X-RateLimit-Remaining"]) == ("3", "2")


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ("iso", "2026-09-21T14:13:21Z"),
        ("short", "2026-09-21T14:13Z"),
        ("seconds", "1"),
        ("absurd", "9999-12-31T23:59:59Z"),
        ("past", "1970-01-01T00:00:00Z"),
        ("none", ""),
    ],
)
def test_a_reset_is_told_in_every_form(form: str, header: str) -> None:
    limit = RateLimit(path=".", limit=1, reset=form)  # type: ignore[arg-type]
    assert reset_header(START + 0.5, START, limit.reset) == header


def test_limits_by_the_virtual_clock_end_when_that_moves(caller: Caller) -> None:
    limits = [{"path": "/count$", "limit": 2, "window_seconds": 3600, "law": "bucket"}]
    caller.control("POST", "options", {"rate_limits": limits, "virtual_limits": True})
    answers = [caller.admin("GET", f"{caller.users}/count") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    reset = datetime.fromisoformat(answers[-1].headers["x-ratelimit-reset"])
    assert (reset - parsedate_to_datetime(answers[-1].headers["date"])).total_seconds() == 1800
    caller.control("POST", "clock", {"advance_seconds": 1799})
    assert caller.admin("GET", f"{caller.users}/count").status_code == 429
    caller.control("POST", "clock", {"advance_seconds": 1})
    assert caller.admin("GET", f"{caller.users}/count").status_code == 200


def test_a_limit_is_put_back_with_the_world(caller: Caller) -> None:
    caller.control("POST", "options", {"rate_limits": [{"path": "/count$", "limit": 1, "law": "bucket"}]})
    before = caller.box.snapshot()
    for _ in range(2):
        answers = [caller.admin("GET", f"{caller.users}/count").status_code for _ in range(2)]
        assert answers == [200, 429]
        caller.box.restore(before)


@pytest.mark.parametrize("limit", [{"limit": 0}, {"limit": 1, "window_seconds": 0}, {"limit": 1, "path": "("}])
def test_a_limit_that_cannot_be_kept_is_refused(caller: Caller, limit: dict[str, object]) -> None:
    answer = caller.http.post("/_sandbox/options", json={"rate_limits": [{"path": ".", **limit}]})
    assert answer.status_code == 400
    assert caller.control("GET", "options")["rate_limits"] != []


def test_one_family_across_hosts_is_one_count(caller: Caller) -> None:
    caller.control("POST", "options", {"rate_limits": [{"path": "^/", "limit": 2, "law": "bucket"}]})
    org = caller.box.org_id
    assert caller.admin("GET", f"/admin/v1/orgs/{org}").status_code == 200
    assert caller.admin("GET", f"/admin/api-access/v1/orgs/{org}/api-tokens/count").status_code == 200
    assert caller.admin("GET", f"/admin/v1/orgs/{org}").status_code == 429

"""The server's wait, and workers that wait for each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.sites.waits import Gates, Interrupted, asked_wait, backoff, instant
from tests.fakes import FakeClock

NOW = datetime(2026, 3, 26, 15, 59, 30, tzinfo=UTC)
DATE = "Thu, 26 Mar 2026 15:59:50 GMT"


@pytest.mark.case("E62")
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Thu, 26 Mar 2026 16:00:00 GMT"}, 30.0),
        ({"x-ratelimit-reset": "2026-03-26T16:00:10Z"}, 40.0),
        ({"x-ratelimit-reset": "2026-03-26T16:00Z"}, 30.0),
        ({"x-ratelimit-reset": "2026-03-26T18:00+02:00"}, 30.0),
        ({"x-ratelimit-reset": "2026-03-26T16:00:10Z", "date": DATE}, 20.0),
        ({"x-ratelimit-reset": "12"}, 12.0),
        ({"x-ratelimit-reset": str(int((NOW + timedelta(seconds=5)).timestamp()))}, 5.0),
        ({"x-ratelimit-reset": "2026-03-26T15:00Z"}, 0.0),
        ({"retry-after": "3", "x-ratelimit-reset": "60"}, 3.0),
        ({"retry-after": "soon", "x-ratelimit-reset": "60"}, 60.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"x-ratelimit-reset": "tomorrow"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_from_either_header(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-11-06T23:07:29.936941226Z", datetime(2025, 11, 6, 23, 7, 29, 936941, UTC)),
        ("2026-03-26", datetime(2026, 3, 26, tzinfo=UTC)),
        ("2026-03-26T16:00Z", datetime(2026, 3, 26, 16, tzinfo=UTC)),
        ("Never accessed", None),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00+23:00", None),
    ],
)
def test_instants_are_read_leniently_and_never_guessed(text: str | None, at: datetime | None) -> None:
    assert instant(text) == at


def test_backoff_grows_within_its_bounds() -> None:
    for attempt in range(1, 12):
        middle = min(30.0, 0.5 * 2 ** (attempt - 1))
        assert 0.7 * middle <= backoff(attempt) <= 1.3 * middle


def test_a_shut_gate_makes_everybody_wait_through_the_clock() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    gates.wait("GET a")
    gates.shut("GET a", 2.5)
    gates.wait("GET b")
    assert clock.slept == []
    gates.wait("GET a")
    assert sum(clock.slept) == 3.0
    gates.wait("GET a")
    assert sum(clock.slept) == 3.0


@pytest.mark.case("E62")
def test_an_answer_that_leaves_no_request_shuts_the_gate_before_a_refusal_comes() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    gates.learn("GET a", {"x-ratelimit-remaining": "1", "x-ratelimit-reset": "2026-03-26T16:00Z"})
    gates.wait("GET a")
    assert clock.slept == []
    gates.learn("GET a", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-03-26T16:00Z"})
    gates.wait("GET a")
    assert clock.now() == datetime(2026, 3, 26, 16, tzinfo=UTC)


def test_closing_ends_every_wait_and_every_call() -> None:
    gates = Gates(FakeClock(NOW))
    gates.shut("GET a", 100)
    gates.close()
    for endpoint in ("GET a", "GET b"):
        with pytest.raises(Interrupted):
            gates.wait(endpoint)
    with pytest.raises(Interrupted):
        gates.pause(1)


class Interrupting(FakeClock):
    """Somebody asks to stop during the third second of waiting, as a signal handler does: in the middle of a sleep."""

    gates: Gates

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if len(self.slept) == 3:
            self.gates.stop()


@pytest.mark.case("E62")
def test_stopping_ends_waits_and_nothing_else_until_they_are_allowed_again() -> None:
    clock = Interrupting(NOW)
    gates = clock.gates = Gates(clock)
    gates.shut("GET a", 100)
    with pytest.raises(Interrupted, match="rate limit was interrupted; nothing was sent"):
        gates.wait("GET a")
    assert sum(clock.slept) == 3
    gates.wait("GET b")
    with pytest.raises(SiteError):
        gates.wait("GET a")
    assert sum(clock.slept) == 3
    gates.resume()
    gates.wait("GET a")
    assert sum(clock.slept) == 100

"""Workers that wait for the site, and for each other, without anybody really waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.sites.buckets import Slot
from cleanup_gitops.sites.families import LAST_ACTIVE_DATES
from cleanup_gitops.sites.gates import Gates, Interrupted
from tests.fakes import FakeClock
from tests.patience import STALLED
from tests.sites.endpoints_called import READS, WRITES

NOW = datetime(2026, 3, 26, 15, 59, 30, tzinfo=UTC)
DATES = next(endpoint for endpoint in READS if endpoint.endswith("/last-active-dates"))
RESET = {"x-ratelimit-reset": "2026-03-26T16:00Z"}


def called(gates: Gates, endpoint: str, headers: dict[str, str] | None = None) -> None:
    """One call and its answer."""
    gates.answered(endpoint, gates.enter(endpoint), headers or {})


def test_a_shut_gate_makes_everybody_wait_through_the_clock() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    called(gates, "GET a")
    gates.shut("GET a", 2.5)
    called(gates, "GET b")
    assert clock.slept == []
    called(gates, "GET a")
    assert sum(clock.slept) == pytest.approx(2.5)
    called(gates, "GET a")
    assert sum(clock.slept) == pytest.approx(2.5)


@pytest.mark.case("E62")
def test_an_answer_that_leaves_no_request_shuts_the_gate_before_a_refusal_comes() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    called(gates, "GET a", {"x-ratelimit-remaining": "1", **RESET})
    called(gates, "GET a", {"x-ratelimit-remaining": "0", **RESET})
    assert clock.slept == []
    called(gates, "GET a")
    assert clock.now() == datetime(2026, 3, 26, 16, tzinfo=UTC)


@pytest.mark.case("E62")
def test_a_call_waits_for_the_one_under_way_that_may_have_taken_the_last_request_of_the_window() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    called(gates, "GET a", {"x-ratelimit-remaining": "1", **RESET})
    first = gates.enter("GET a")
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(gates.enter, "GET a")
        assert clock.slept == []
        gates.answered("GET a", first, {"x-ratelimit-remaining": "0", **RESET})
        assert isinstance(second.result(), Slot)
    assert clock.now() == datetime(2026, 3, 26, 16, tzinfo=UTC)


def test_a_wait_that_is_too_long_is_an_error_and_not_a_wait() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock, longest=900)
    gates.shut("GET a", 3600)
    with pytest.raises(SiteError, match="allows no more calls of this kind for 3600 s"):
        gates.enter("GET a")
    assert clock.slept == []


def test_without_published_limits_only_the_site_limits_the_calls() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock, published=False)
    for _ in range(LAST_ACTIVE_DATES.limit + 1):
        called(gates, DATES)
    assert clock.slept == []


def test_a_published_limit_is_worth_its_wait_whatever_is_too_long_otherwise() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock, longest=1)
    for _ in range(LAST_ACTIVE_DATES.limit + 1):
        called(gates, DATES)
    assert sum(clock.slept) == pytest.approx(LAST_ACTIVE_DATES.seconds)


def test_whoever_came_first_goes_first_and_everybody_goes() -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    for _ in range(LAST_ACTIVE_DATES.limit):
        called(gates, DATES)
    went: list[int] = []

    def go(number: int) -> None:
        called(gates, DATES)
        went.append(number)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(STALLED)
    assert sorted(went) == list(range(20))
    assert clock.elapsed() >= LAST_ACTIVE_DATES.seconds


def test_closing_ends_every_wait_and_every_call() -> None:
    gates = Gates(FakeClock(NOW))
    gates.shut("GET a", 100)
    gates.close()
    for endpoint in ("GET a", "GET b"):
        with pytest.raises(Interrupted):
            gates.enter(endpoint)
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
        gates.enter("GET a")
    assert sum(clock.slept) == 3
    called(gates, "GET b")
    with pytest.raises(SiteError):
        gates.enter("GET a")
    assert sum(clock.slept) == 3
    gates.resume()
    called(gates, "GET a")
    assert sum(clock.slept) == 100


@pytest.mark.case("E62")
@pytest.mark.parametrize("end", ["stop", "close"])
def test_stopping_and_closing_end_the_waits_of_many_threads(end: str) -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    began = threading.Barrier(9)

    def wait() -> None:
        began.wait(STALLED)
        gates.shut("GET a", 1e9)
        gates.enter("GET a")

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(wait) for _ in range(8)]
        began.wait(STALLED)
        getattr(gates, end)()
        assert {type(one.exception(STALLED)) for one in waiting} == {Interrupted}


@pytest.mark.parametrize("endpoint", sorted({*READS, *WRITES}))
def test_a_refusal_in_one_family_does_not_hold_up_another(endpoint: str) -> None:
    clock = FakeClock(NOW)
    gates = Gates(clock)
    gates.refused("GET other", gates.enter("GET other"), {}, 50)
    called(gates, endpoint)
    assert clock.slept == []

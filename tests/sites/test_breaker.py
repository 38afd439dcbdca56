"""A site that fails is left alone by all workers, and tried again with care."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec
import pytest

from cleanup_gitops.model.errors import LostAnswerError, SiteError
from cleanup_gitops.sites.breaker import Breaker, Fuse
from cleanup_gitops.sites.exchange import Call
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, bearer
from tests.fakes import NOON, FakeClock
from tests.patience import STALLED
from tests.sites.scripted import Reply, scripted
from tests.sites.things import LIMITS

FUSE = Fuse(calls=5, seconds=10, writes=3, rest=30, probes=2)
GET = Call(method="GET", template="/things")
POST = Call(method="POST", template="/things")
ANY = msgspec.json.Decoder(dict[str, object])
DOWN, GOOD = Reply(status=500), Reply()


def fail(breaker: Breaker, clock: FakeClock, times: int, *, writing: bool = False) -> None:
    for _ in range(times):
        breaker.failed(writing=writing)
        clock.sleep(3)


def broken() -> tuple[Breaker, FakeClock]:
    clock = FakeClock()
    breaker = Breaker("acme.example", clock, FUSE)
    fail(breaker, clock, 5)
    return breaker, clock


def test_failures_in_a_row_over_a_while_end_every_call_and_say_how_many_since_when() -> None:
    breaker, _ = broken()
    for writing in (False, True):
        with pytest.raises(SiteError) as caught:
            breaker.admit(writing=writing)
        since = f"{NOON:%Y-%m-%dT%H:%M:%SZ}"
        assert caught.value.message == (
            f"acme.example is failing: 5 calls in a row failed since {since}; nothing more was sent."
        )


def test_a_short_trouble_is_borne_however_many_workers_meet_it() -> None:
    clock = FakeClock()
    breaker = Breaker("acme.example", clock, FUSE)
    for _ in range(50):
        breaker.failed(writing=False)
    breaker.admit(writing=True)


def test_one_answer_in_between_begins_the_count_anew() -> None:
    clock = FakeClock()
    breaker = Breaker("acme.example", clock, FUSE)
    for _ in range(10):
        fail(breaker, clock, 4)
        breaker.worked(writing=False)
    breaker.admit(writing=True)


def test_after_a_rest_one_read_probes_and_no_write_ever_does() -> None:
    breaker, clock = broken()
    clock.sleep(30)
    with pytest.raises(SiteError):
        breaker.admit(writing=True)
    breaker.admit(writing=False)
    with pytest.raises(SiteError):
        breaker.admit(writing=False)
    breaker.worked(writing=False)
    breaker.admit(writing=True)


def test_probes_are_bounded() -> None:
    breaker, clock = broken()
    for _ in range(FUSE.probes):
        clock.sleep(30)
        breaker.admit(writing=False)
        breaker.failed(writing=False)
        with pytest.raises(SiteError):
            breaker.admit(writing=False)
    clock.sleep(3000)
    with pytest.raises(SiteError, match="7 calls in a row"):
        breaker.admit(writing=False)


def test_a_probe_that_was_broken_off_here_does_not_block_the_next() -> None:
    breaker, clock = broken()
    clock.sleep(30)
    breaker.admit(writing=False)
    breaker.undecided()
    breaker.admit(writing=False)


def test_lost_writes_in_a_row_end_writing_and_not_reading() -> None:
    clock = FakeClock()
    breaker = Breaker("acme.example", clock, FUSE)
    for _ in range(FUSE.writes):
        breaker.failed(writing=True)
        breaker.worked(writing=False)
    breaker.admit(writing=False)
    for _ in range(2):
        with pytest.raises(SiteError, match="3 writes in a row failed since"):
            breaker.admit(writing=True)
        clock.sleep(10_000)


def client(url: str, clock: FakeClock) -> Http:
    limits = replace(LIMITS, fuse=FUSE)
    return Http(url, bearer(Secret("key", "KEY")), clock, limits=limits)


def test_a_site_that_loses_every_write_is_not_sent_the_whole_list() -> None:
    clock = FakeClock()
    with scripted(DOWN) as server:
        http = client(server.url, clock)
        for _ in range(FUSE.writes):
            with pytest.raises(LostAnswerError):
                http.write(POST)
        with pytest.raises(SiteError) as caught:
            http.write(POST)
        http.close()
    assert type(caught.value) is SiteError
    assert len(server.requests) == FUSE.writes


def test_eight_workers_leave_a_failing_site_alone_together() -> None:
    clock = FakeClock()
    with scripted(Reply(status=503)) as server:
        http = client(server.url, clock)
        together = threading.Barrier(8)

        def work() -> list[str]:
            together.wait(STALLED)
            return [failure(http) for _ in range(50)]

        with ThreadPoolExecutor(8) as pool:
            told = [text for one in [pool.submit(work) for _ in range(8)] for text in one.result()]
        http.close()
    assert len(told) == 400
    assert sum("is failing" in text for text in told) > 300
    assert len(server.requests) < 100


def failure(http: Http) -> str:
    """What a read fails with."""
    with pytest.raises(SiteError) as caught:
        http.read(GET, ANY)
    return caught.value.message


def test_a_site_that_is_back_is_read_again() -> None:
    clock = FakeClock()
    with scripted(*[DOWN] * 5, GOOD) as server:
        http = client(server.url, clock)
        for _ in range(5):
            failure(http)
            clock.sleep(3)
        assert "is failing" in failure(http)
        clock.sleep(30)
        assert http.read(GET, ANY) == {}
        http.close()

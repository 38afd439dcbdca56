"""Laws of the limits, on a made-up scale of time."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.sites.buckets import FASTEST, PACED_BURST, SLOWEST, UNTIL_ANSWERED, Bucket, Slot, Told
from cleanup_gitops.sites.families import FAMILIES, LAST_ACTIVE_DATES, Family, family_of
from tests.sites.endpoints_called import READS, WRITES

FREE = Family("free")
Server = Callable[[float], tuple[bool, Told]]
"""Whether a request that comes now is let through, and what the answer says."""


def filling(burst: int, rate: float) -> Server:
    """A site with a token bucket that says nothing of it."""
    tokens, at = float(burst), 0.0

    def hit(now: float) -> tuple[bool, Told]:
        nonlocal tokens, at
        tokens, at = min(burst, tokens + (now - at) * rate), now
        if tokens < 1:
            return False, Told()
        tokens -= 1
        return True, Told()

    return hit


def windows(limit: int, seconds: float, *, told: bool = True, near: float = 0.0, fine: bool = True) -> Server:
    """A site that counts in fixed windows; below the share ``near`` it warns. Not ``fine``: it tells whole seconds."""
    used: dict[int, int] = {}

    def hit(now: float) -> tuple[bool, Told]:
        number = int(now // seconds)
        used[number] = used.get(number, 0) + 1
        left = max(0, limit - used[number])
        resets = (number + 1) * seconds - (now if fine else math.floor(now))
        says = Told(left, limit, resets, left < near * limit) if told else Told()
        return used[number] <= limit, says

    return hit


@dataclass
class Worker:
    """One of the workers: ``out`` is its call on the way to the server, ``back`` the answer on its way here."""

    busy: bool = False
    failures: int = 0
    out: Slot | None = None
    back: tuple[Slot, bool, Told] | None = None


@dataclass
class Work:
    """So many calls by eight workers against a server, event by event.

    A call takes ``latency`` seconds, half of them there and half back, or what ``ways`` tells for each way.
    """

    server: Server
    calls: int
    family: Family = FREE
    latency: float = 0.05
    ways: Callable[[], float] | None = None
    sent: list[float] = field(default_factory=list)
    refused: int = 0
    ended: float = 0.0

    def run(self) -> Work:
        """Do it all."""
        bucket = Bucket(self.family, 0.0)
        events = [(0.0, number, Worker()) for number in range(8)]
        number = len(events)
        while events:
            now, _, worker = heapq.heappop(events)
            if worker.out:
                worker.back, worker.out = (worker.out, *self.server(now)), None
                heapq.heappush(events, (now + self._way(), number := number + 1, worker))
                continue
            if worker.back:
                self._answered(bucket, worker, *worker.back, now)
            if not worker.busy and self.calls == 0:
                continue
            if not worker.busy:
                worker.busy, self.calls = True, self.calls - 1
            heapq.heappush(events, (self._asked(bucket, worker, now), number := number + 1, worker))
        return self

    def _answered(self, bucket: Bucket, worker: Worker, slot: Slot, good: bool, told: Told, now: float) -> None:
        worker.back = None
        if good:
            bucket.answered(slot, told, now)
            worker.busy, worker.failures, self.ended = False, 0, now
            return
        bucket.refused(slot, told, max(min(30.0, 0.5 * 2**worker.failures), told.resets or 0.0), now)
        worker.failures += 1
        self.refused += 1

    def _asked(self, bucket: Bucket, worker: Worker, now: float) -> float:
        """When the worker comes again: with its answer, or to ask again."""
        asked = bucket.ask(now)
        if not isinstance(asked, Slot):
            return now + (self.latency / 8 if asked == UNTIL_ANSWERED else asked)
        self.sent.append(now)
        worker.out = asked
        return now + self._way()

    def _way(self) -> float:
        return self.ways() if self.ways else self.latency / 2


def most_within(times: list[float], seconds: float) -> int:
    """The largest number of times in any stretch that is shorter than ``seconds``."""
    first = most = 0
    for last, at in enumerate(times):
        while at - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


# -- the published bound -----------------------------------------------------------------------------


@pytest.mark.case("E62")
@given(
    limit=st.integers(1, 30),
    seconds=st.sampled_from([1.0, 7.0, 60.0]),
    calls=st.integers(1, 150),
    latency=st.sampled_from([0.001, 0.05, 3.0]),
)
def test_no_stretch_of_time_ever_holds_more_calls_than_published(
    limit: int, seconds: float, calls: int, latency: float
) -> None:
    work = Work(lambda _: (True, Told()), calls, Family("x", limit, seconds), latency).run()
    assert len(work.sent) == calls
    assert most_within(work.sent, seconds) <= limit
    assert work.ended <= (calls / limit + 1) * (seconds + latency) + (calls / 8 + 1) * latency


@pytest.mark.case("E62")
def test_the_published_limit_is_used_up_and_never_exceeded() -> None:
    limit, seconds = LAST_ACTIVE_DATES.limit, LAST_ACTIVE_DATES.seconds
    work = Work(windows(limit, seconds, told=False), 2000, LAST_ACTIVE_DATES).run()
    assert work.refused == 0
    assert work.ended <= 1.05 * (2000 / limit - 1) * seconds


# -- what the site tells -----------------------------------------------------------------------------


@pytest.mark.case("E62")
@given(limit=st.integers(8, 60), seconds=st.sampled_from([2.0, 10.0, 60.0]), near=st.sampled_from([0.0, 0.2]))
def test_a_window_that_the_site_tells_is_used_up_without_a_refusal(limit: int, seconds: float, near: float) -> None:
    calls = 6 * limit
    work = Work(windows(limit, seconds, near=near), calls).run()
    assert len(work.sent) == calls
    assert work.refused == 0
    assert work.ended <= 5 * seconds + seconds * (0.1 if near == 0 else 1.0) + 1


@pytest.mark.case("E62")
@pytest.mark.parametrize("mean", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("fine", [True, False])
def test_answers_that_come_late_and_out_of_turn_lead_to_no_refusal(mean: float, fine: bool) -> None:
    for number in range(8):
        drawn = random.Random(number)
        site = windows(25, 60.0, fine=fine)
        work = Work(site, 200, latency=mean, ways=partial(drawn.expovariate, 1 / mean)).run()
        assert (work.refused, len(work.sent)) == (0, 200)


def test_an_answer_that_was_long_on_its_way_is_not_taken_for_a_new_window() -> None:
    bucket = Bucket(FREE, 0.0)
    late, quick = bucket.ask(0.0), bucket.ask(0.0)
    assert isinstance(late, Slot)
    assert isinstance(quick, Slot)
    bucket.answered(quick, Told(remaining=0, limit=9, resets=60.0), 0.1)
    bucket.answered(late, Told(remaining=8, limit=9, resets=60.0), 20.0)
    assert bucket.ask(20.0) == pytest.approx(40.1)


def test_the_first_answer_of_a_new_window_counts_although_the_window_before_seemed_to_last() -> None:
    bucket = Bucket(FREE, 0.0)
    first = bucket.ask(0.0)
    assert isinstance(first, Slot)
    bucket.answered(first, Told(remaining=1, limit=9, resets=60.0), 1.0)
    last = bucket.ask(60.5)
    assert isinstance(last, Slot)
    bucket.answered(last, Told(remaining=8, limit=9, resets=59.5), 60.6)
    assert all(isinstance(bucket.ask(60.7), Slot) for _ in range(8))
    assert bucket.ask(60.7) == UNTIL_ANSWERED


# -- what refusals teach -----------------------------------------------------------------------------


@pytest.mark.case("E62")
@pytest.mark.parametrize(("burst", "rate"), [(20, 10), (100, 5), (10, 2), (50, 50), (30, 1)])
def test_a_limit_that_nobody_tells_is_found_with_few_refusals(burst: int, rate: float) -> None:
    work = Work(filling(burst, rate), 1000).run()
    assert work.refused <= 0.05 * 1000
    assert work.ended <= 1.05 * (1000 - burst) / rate


@given(rates=st.lists(st.booleans(), min_size=1, max_size=120))
def test_a_pace_keeps_its_bounds_whatever_is_answered(rates: list[bool]) -> None:
    bucket, now = Bucket(FREE, 0.0), 0.0
    sent: list[float] = []
    for good in rates:
        while not isinstance(asked := bucket.ask(now), Slot):
            now += asked
        sent.append(now)
        if good:
            bucket.answered(asked, Told(), now)
        else:
            bucket.refused(asked, Told(), 0.5, now)
        assert bucket.pace is None or SLOWEST <= bucket.pace < FASTEST
    assert all(later >= earlier for earlier, later in pairwise(sent))


@given(times=st.lists(st.floats(0, 3), min_size=2, max_size=60), pace=st.floats(SLOWEST, 20))
def test_a_pace_lets_no_more_through_than_its_burst_and_rate(times: list[float], pace: float) -> None:
    bucket, now = Bucket(FREE, 0.0), 0.0
    bucket.pace = pace
    sent = []
    for step in times:
        now += step
        if isinstance(bucket.ask(now), Slot):
            sent.append(now)
    for first, begin in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= PACED_BURST + pace * (sent[last] - begin) + 1e-6


@pytest.mark.case("E62")
def test_after_a_storm_of_refusals_the_pace_recovers_quickly() -> None:
    bucket, now = Bucket(FREE, 0.0), 0.0
    for _ in range(30):
        while not isinstance(asked := bucket.ask(now), Slot):
            now += asked
        bucket.refused(asked, Told(), 0.5, now)
    slowest = bucket.pace
    began = now
    for _ in range(60):
        while not isinstance(asked := bucket.ask(now), Slot):
            now += asked
        bucket.answered(asked, Told(), now)
    assert (slowest, bucket.pace) == (SLOWEST, None)
    assert now - began < 15


def test_refusals_of_calls_that_were_under_way_together_are_one_lesson() -> None:
    bucket = Bucket(FREE, 0.0)
    slots = [slot for slot in (bucket.ask(0.0) for _ in range(8)) if isinstance(slot, Slot)]
    paces = []
    for slot in slots:
        bucket.refused(slot, Told(), 0.5, 0.1)
        paces.append(bucket.pace)
    assert len(slots) == 8
    assert len(set(paces)) == 1


@pytest.mark.case("E62")
def test_a_warning_without_numbers_slows_down_once_in_a_while() -> None:
    bucket, now = Bucket(FREE, 0.0), 0.0
    for number in range(100):
        now += 0.05
        while not isinstance(slot := bucket.ask(now), Slot):
            now += slot
        bucket.answered(slot, Told(near=number >= 50), now)
    assert bucket.pace == pytest.approx(19, abs=1)


# -- the table ---------------------------------------------------------------------------------------


def test_the_table_names_only_calls_that_there_are() -> None:
    assert FAMILIES.keys() <= READS | WRITES


def test_the_one_published_limit_is_that_of_last_active_dates() -> None:
    bounded = {endpoint: family_of(endpoint) for endpoint in READS | WRITES if family_of(endpoint).limit}
    assert {family.name: (family.limit, family.seconds) for family in bounded.values()} == {
        "last-active dates": (200, 60.0)
    }
    assert [endpoint.rpartition("/")[2] for endpoint in bounded] == ["last-active-dates"]


def test_writes_and_reads_of_the_organizations_api_share_no_family() -> None:
    admin_reads = {family_of(one).name for one in READS if "/admin/" in one}
    assert not admin_reads & {family_of(one).name for one in WRITES}

"""Durations as an auditor reads them."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.evidence.leavers import Ending
from cleanup_gitops.evidence.metrics import Spread, leavers_in, spread

LEFT = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ending(hours: int | None, sla: int | None = 24, now: int = 100) -> Ending:
    """Somebody whose access ended so many hours after the last day was over."""
    return Ending(
        user="712020:one",
        policies=("hr",),
        left=LEFT,
        due=None if sla is None else LEFT + sla * HOUR,
        planned=LEFT,
        first=1,
        approval=None,
        written=None,
        ended=None if hours is None else LEFT + hours * HOUR,
        record=None,
        used="no",
        now=LEFT + now * HOUR,
    )


def test_of_nobody_there_is_no_duration() -> None:
    assert spread([]) == Spread(n=0, median=None, p95=None, max=None)


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=60))
def test_the_figures_are_those_of_the_textbook(seconds: list[int]) -> None:
    seconds.sort()
    found = spread(seconds)
    assert found.n == len(seconds)
    assert found.median == math.floor(statistics.median(seconds))
    assert found.max == seconds[-1]
    assert found.p95 is not None
    within = sum(one <= found.p95 for one in seconds)
    below = sum(one < found.p95 for one in seconds)
    assert 100 * within >= 95 * len(seconds) > 100 * below


@pytest.mark.parametrize(
    ("hours", "sla", "now", "late"),
    [(23, 24, 100, False), (24, 24, 100, False), (25, 24, 100, True), (None, 24, 24, False), (None, 24, 25, True)],
)
def test_late_is_what_took_or_takes_longer_than_allowed(hours: int | None, sla: int, now: int, late: bool) -> None:
    assert ending(hours, sla, now).late is late


def test_what_had_ended_before_and_what_lasts_is_in_no_duration() -> None:
    found = leavers_in([ending(-5), ending(2), ending(30), ending(None), ending(None, sla=None)])
    assert (found.n, found.before, found.ended, found.open, found.late, found.unlimited) == (5, 1, 2, 2, 2, 1)
    assert found.took == Spread(n=2, median=16 * 3600, p95=30 * 3600, max=30 * 3600)

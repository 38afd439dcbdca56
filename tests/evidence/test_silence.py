"""Gaps: stretches of time in which no run looked at the site."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.evidence.records import Record
from cleanup_gitops.evidence.silence import USUAL, Gap, gaps_of
from cleanup_gitops.model.run import Kind, LedgerEntry, Reason

BEGAN = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOUND: tuple[Kind, ...] = ("run", "recovery", "rollback", "heartbeat")
OTHERS: tuple[Kind, ...] = ("drift", "override", "review", "undelivered", "void")


def record(number: int, hours: int, kind: Kind = "run", why: str = "incomplete-reading") -> Record:
    """An entry so many hours after the beginning."""
    entry = LedgerEntry(
        format=1,
        seq=number,
        prev="",
        time=BEGAN + hours * HOUR,
        kind=kind,
        run=f"run-{number}",
        site="acme",
        lineage="",
        serial=number,
        tool_version="0",
        state="",
        parts={},
        digests={},
        accounts=0,
        results={},
        actions={},
        reason=Reason(code=why, text="why") if kind == "void" else None,
    )
    return Record(commit="", entry=entry, head="")


def spans(gaps: tuple[Gap, ...]) -> list[tuple[int, int | None]]:
    return [(gap.begun, gap.ended) for gap in gaps]


def test_a_run_every_day_leaves_no_gap() -> None:
    found = [record(number, 24 * number) for number in range(1, 10)]
    assert gaps_of(found, BEGAN + 24 * 10 * HOUR) == ()


def test_missed_days_and_void_runs_make_one_gap() -> None:
    found = [
        record(1, 0),
        record(2, 24, "void"),
        record(3, 48, "void", "too-many-changes"),
        record(4, 72, "void"),
        record(5, 73, "drift"),
        record(6, 96),
    ]
    (gap,) = gaps_of(found, BEGAN + 97 * HOUR)
    assert (gap.begun, gap.ended, gap.length, gap.open) == (1, 6, timedelta(days=4), False)
    assert gap.void == {"incomplete-reading": 2, "too-many-changes": 1}
    assert gap.days == (date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4))


def test_the_last_gap_lasts_until_now() -> None:
    now = BEGAN + 100 * HOUR
    (gap,) = gaps_of([record(1, 0), record(2, 24), record(3, 90, "void")], now)
    assert (gap.begun, gap.ended, gap.until, gap.open, gap.void) == (2, None, now, True, {"incomplete-reading": 1})
    assert gaps_of([record(1, 0), record(2, 24)], BEGAN + 60 * HOUR) == ()


def test_nothing_is_said_where_no_run_was_ever_sound() -> None:
    assert gaps_of([record(1, 0, "void"), record(2, 400, "void")], BEGAN + 900 * HOUR) == ()


@pytest.mark.parametrize(("hours", "gaps"), [(36, 0), (37, 1)])
def test_exactly_as_long_as_usual_is_no_gap(hours: int, gaps: int) -> None:
    assert USUAL == 36 * HOUR
    assert len(gaps_of([record(1, 0), record(2, hours)], BEGAN + hours * HOUR)) == gaps


@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from((*SOUND, *OTHERS))), max_size=12),
    st.integers(0, 60),
    st.integers(0, 100),
)
def test_a_moment_is_in_a_gap_exactly_when_no_sound_record_is_near(
    steps: list[tuple[int, Kind]], longer: int, later: int
) -> None:
    hours, found = 0, []
    for number, (step, kind) in enumerate(steps, start=1):
        hours += step
        found.append(record(number, hours, kind))
    now = hours + later
    gaps = gaps_of(found, BEGAN + now * HOUR, longer * HOUR)
    sound = [int((one.entry.time - BEGAN) / HOUR) for one in found if one.entry.kind in SOUND]
    for half in range(2 * now):
        at = half / 2 + 0.25
        before = [one for one in sound if one < at]
        after = [one for one in sound if one > at] or [now]
        silent = bool(before) and min(after) - max(before) > longer
        inside = [gap for gap in gaps if gap.since < BEGAN + at * HOUR < gap.until]
        assert len(inside) == silent
    assert sum(sum(gap.void.values()) for gap in gaps_of(found, BEGAN + now * HOUR, -HOUR)) == sum(
        one.entry.kind == "void" and any(number < one.entry.seq for number in _numbers(found)) for one in found
    )


def _numbers(found: list[Record]) -> list[int]:
    return [one.entry.seq for one in found if one.entry.kind in SOUND]

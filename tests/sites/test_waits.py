"""What a server says of waits and limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cleanup_gitops.sites.buckets import Told
from cleanup_gitops.sites.waits import asked_wait, backoff, instant, told

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
        ({"x-ratelimit-reset": "2026-03-26T16:59:30Z"}, 3600.0),
        ({"x-ratelimit-reset": "2026-03-27T16:00Z"}, None),
        ({"x-ratelimit-reset": "9999-12-31T23:59:59Z"}, None),
        ({"x-ratelimit-reset": "86400"}, None),
        ({"x-ratelimit-reset": "2026-03-26T16:00Z", "date": "Wed, 25 Mar 2026 16:00:00 GMT"}, None),
        ({"x-ratelimit-reset": "2026-03-26T16:00Z", "date": "Fri, 27 Mar 2026 16:00:00 GMT"}, 0.0),
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


@pytest.mark.case("E62")
@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, Told()),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-03-26T16:00Z"}, Told(0, None, 30.0)),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-limit": "200", "x-ratelimit-reset": "9"}, Told(7, 200, 9.0)),
        ({"x-ratelimit-nearlimit": "true"}, Told(near=True)),
        ({"x-ratelimit-nearlimit": "false"}, Told()),
        ({"x-ratelimit-remaining": "-1", "x-ratelimit-limit": "many", "x-ratelimit-reset": "soon"}, Told()),
        ({"x-ratelimit-reset": "2026-03-26T16:00:10Z", "date": DATE}, Told(resets=20.0)),
    ],
)
def test_what_an_answer_says_of_its_limit_is_read_and_never_guessed(headers: dict[str, str], says: Told) -> None:
    assert told(headers, NOW) == says

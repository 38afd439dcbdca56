"""How long a server asks to be left alone, and what it says of its limits.

Two headers say how long: ``Retry-After`` (seconds) and ``X-RateLimit-Reset``
(an instant in ISO 8601, with or without seconds, or a number of seconds). What is due at an instant is measured
against the server's own Date header where there is one, so that a wrong clock here does no harm.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from cleanup_gitops.sites.buckets import Told

EPOCH_FROM = 1_000_000_000
"""A number of seconds this large is an instant since 1970, not a wait."""
LONGEST_WINDOW = 3660.0
"""Seconds: the longest window of a published limit is an hour. What ends later is no limit, but a wrong clock."""


def instant(text: str | None) -> datetime | None:
    """An ISO 8601 date or time as UTC, or ``None`` when it is not one. Without a zone it is taken as UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the answer asks to wait, never negative; ``None`` when it asks for nothing that can be read."""
    date = _http_date(headers.get("date")) or now
    after = headers.get("retry-after", "")
    if (seconds := _number(after)) is not None:
        return seconds
    if at := _http_date(after):
        return max(0.0, (at - date).total_seconds())
    return _reset(headers, date)


def told(headers: Mapping[str, str], now: datetime) -> Told:
    """What the answer says of the limit that it was counted for."""
    remaining, limit = _number(headers.get("x-ratelimit-remaining", "")), _number(headers.get("x-ratelimit-limit", ""))
    return Told(
        remaining=None if remaining is None else int(remaining),
        limit=None if limit is None else int(limit),
        resets=_reset(headers, _http_date(headers.get("date")) or now),
        near=headers.get("x-ratelimit-nearlimit", "").strip().casefold() == "true",
    )


def _reset(headers: Mapping[str, str], date: datetime) -> float | None:
    reset = headers.get("x-ratelimit-reset", "")
    seconds = _number(reset)
    if seconds is None:
        at = instant(reset)
        seconds = None if at is None else (at - date).total_seconds()
    elif seconds >= EPOCH_FROM:
        seconds -= date.timestamp()
    return None if seconds is None or seconds > LONGEST_WINDOW else max(0.0, seconds)


def backoff(attempt: int, first: float = 0.5, most: float = 30.0) -> float:
    """Seconds before the next try after ``attempt`` failed ones, with jitter so that workers do not march in step."""
    return float(min(most, first * 2 ** (attempt - 1)) * random.uniform(0.7, 1.3))  # noqa: S311 - no secret


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

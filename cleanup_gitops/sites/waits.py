"""How long a server asks to be left alone, and who waits for whom.

All waits go through the Clock port. Two headers say how long: ``Retry-After`` (seconds) and ``X-RateLimit-Reset``
(an instant in ISO 8601, with or without seconds, or a number of seconds). What is due at an instant is measured
against the server's own Date header where there is one, so that a wrong clock here does no harm.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.model.ports import Clock

EPOCH_FROM = 1_000_000_000
"""A number of seconds this large is an instant since 1970, not a wait."""


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
    reset = headers.get("x-ratelimit-reset", "")
    if (seconds := _number(reset)) is not None:
        return max(0.0, seconds - date.timestamp()) if seconds >= EPOCH_FROM else seconds
    if at := instant(reset):
        return max(0.0, (at - date).total_seconds())
    return None


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


class Interrupted(SiteError):  # noqa: N818 - not the site's fault: somebody asked to stop
    """A wait ended before its time, and with it the call that waited. The request was not under way."""

    def __init__(self) -> None:
        super().__init__("The wait for the site's rate limit was interrupted; nothing was sent.")


class Gates:
    """When each endpoint may be asked again: one worker that is told to wait makes the others wait as well.

    ``stop`` ends every wait within a second and allows none until ``resume``; calls that need not wait go on, so that
    what was written can still be read back. ``close`` lets no call through any more.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._opens: dict[str, datetime] = {}
        self._lock = threading.Lock()
        # Plain flags: a signal handler may set them at any moment, also while it interrupts another one.
        self._closed = False
        self._stopped = False

    def shut(self, endpoint: str, seconds: float) -> None:
        """Let nobody through for the next ``seconds``."""
        # The Clock port has whole seconds, so the present second may be nearly over: round up.
        opens = self._clock.now() + timedelta(seconds=math.ceil(seconds))
        with self._lock:
            self._opens[endpoint] = max(opens, self._opens.get(endpoint, opens))

    def learn(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Close the gate when an answer says that no request is left in the present window."""
        if headers.get("x-ratelimit-remaining") == "0":
            seconds = asked_wait(headers, self._clock.now())
            if seconds:
                self.shut(endpoint, seconds)

    def wait(self, endpoint: str) -> None:
        """Wait until the endpoint may be asked. Raises `Interrupted` once closed, or when it must wait and may not."""
        if self._closed:
            raise Interrupted
        for _ in range(10):  # others may push the gate further while this one waits, but not for ever
            left = self._left(endpoint)
            if left <= 0:
                return
            self.pause(left)

    def pause(self, seconds: float) -> None:
        """Wait in steps of at most a second. Raises `Interrupted` once stopped or closed."""
        while seconds > 0:
            if self._closed or self._stopped:
                raise Interrupted from None
            step = min(1.0, seconds)
            self._clock.sleep(step)
            seconds -= step

    def stop(self) -> None:
        """End all waits, those to come as well, until `resume`."""
        self._stopped = True

    def resume(self) -> None:
        """Allow waits again."""
        self._stopped = False

    def close(self) -> None:
        """End all waits and all calls for good."""
        self._closed = True

    def _left(self, endpoint: str) -> float:
        with self._lock:
            opens = self._opens.get(endpoint)
        return 0.0 if opens is None else (opens - self._clock.now()).total_seconds()

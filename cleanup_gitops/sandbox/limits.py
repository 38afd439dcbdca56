"""Rate limits, one for each family of endpoints: windows of the clock, or token buckets.

A window lets `limit` requests pass between two instants that are multiples of its length. A token bucket holds
`limit` tokens at most and starts full; each request takes one, and they come back evenly, `limit` in every
`window_seconds`. So in any stretch of T seconds a bucket lets at most `limit` + T * `limit` / `window_seconds`
requests pass, and whoever waits until the instant that a refusal tells is let in if nobody else asks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cleanup_gitops.sandbox.options import Options, RateLimit, ResetForm

PAST = "1970-01-01T00:00:00Z"
ABSURD = "9999-12-31T23:59:59Z"


@dataclass(frozen=True)
class Allowance:
    """What one request is told: how many may still come, and at which instant it gets better."""

    limit: RateLimit
    remaining: int
    reset: float
    now: float
    refused: bool

    @property
    def wait(self) -> int:
        """Seconds until `reset`, rounded up; 1 at least."""
        return max(1, math.ceil(self.reset - self.now))

    def headers(self) -> dict[str, str]:
        """The documented headers."""
        shown = {
            "X-RateLimit-Limit": str(self.limit.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": reset_header(self.reset, self.now, self.limit.reset),
        }
        return {name: value for name, value in shown.items() if value}


class Limits:
    """Counts requests by family and organization; `clock` gives seconds since 1970."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._known: list[RateLimit] = []
        self._patterns: list[re.Pattern[str]] = []
        self.used: dict[tuple[int, str], tuple[float, float]] = {}
        """By place of the limit and organization: window and requests in it, or instant and tokens."""

    def ask(self, path: str, method: str) -> Allowance | None:
        """Count a request; the tightest of its limits, None where nothing limits it.

        Paths that differ only in ids of users share one budget per organization. What one limit refuses is
        not counted by those after it.
        """
        if self._known != self._options.rate_limits:
            self._known = list(self._options.rate_limits)
            self._patterns = [re.compile(limit.path) for limit in self._known]
            self.used.clear()
        found = re.search(r"/orgs?/([^/]+)", path)
        owner = found.group(1) if found else ""
        tightest: Allowance | None = None
        for number, (limit, pattern) in enumerate(zip(self._known, self._patterns, strict=True)):
            if limit.method not in (None, method) or not pattern.search(path):
                continue
            count = self._bucket if limit.law == "bucket" else self._window
            told = count(limit, (number, owner))
            if told.refused:
                return told
            if tightest is None or told.remaining < tightest.remaining:
                tightest = told
        return tightest

    def _window(self, limit: RateLimit, key: tuple[int, str]) -> Allowance:
        now = self._clock()
        window = math.floor(now / limit.window_seconds)
        last, used = self.used.get(key, (window, 0))
        used = used + 1 if last == window else 1
        self.used[key] = (window, used)
        reset = (window + 1) * limit.window_seconds
        return Allowance(limit, max(0, int(limit.limit - used)), reset, now, used > limit.limit)

    def _bucket(self, limit: RateLimit, key: tuple[int, str]) -> Allowance:
        now = self._clock()
        before, tokens = self.used.get(key, (now, float(limit.limit)))
        back = limit.limit / limit.window_seconds
        # A clock that was put back gives nothing and takes nothing.
        tokens = min(float(limit.limit), tokens + max(0.0, now - before) * back)
        refused = tokens < 1
        tokens -= 0 if refused else 1
        self.used[key] = (now, tokens)
        missing = max(0.0, 1 - tokens)
        return Allowance(limit, int(tokens), now + missing / back, now, refused)


def reset_header(reset: float, now: float, form: ResetForm) -> str:
    """The instant `reset` as a value of ``X-RateLimit-Reset``; empty: no such header.

    ``iso`` rounds up to the second, ``short`` leaves the seconds out as the real service sometimes does,
    ``seconds`` counts them from `now`.
    """
    match form:
        case "iso":
            return _instant(math.ceil(reset)).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "short":
            return _instant(reset).strftime("%Y-%m-%dT%H:%MZ")
        case "seconds":
            return str(max(0, math.ceil(reset - now)))
        case "absurd":
            return ABSURD
        case "past":
            return PAST
        case "none":
            return ""


def _instant(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

"""How long a test waits for what should come at once: no machine is so slow, so whatever takes longer hangs."""

from __future__ import annotations

import time
from collections.abc import Callable

STALLED = 120.0
"""Seconds of real time. A limit that only ends what hangs: no test tells a fast machine from a slow one by it."""


def until(happened: Callable[[], object]) -> None:
    """Wait until it did. Raises AssertionError when it does not."""
    end = time.monotonic() + STALLED
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)

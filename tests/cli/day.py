"""The day of a test run: commands that run in its process see no midnight come between two of them."""

from __future__ import annotations

from datetime import UTC, datetime, time

from cleanup_gitops.cli.terminal import SystemClock

TODAY = SystemClock().now().date()
_LAST = datetime.combine(TODAY, time(23, 59, 59), UTC)
_present = SystemClock.now


def now(clock: SystemClock) -> datetime:
    """The present moment, or the last of the day."""
    return min(_present(clock), _LAST)

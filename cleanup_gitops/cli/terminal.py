"""The terminal: colours or not, progress as a bar or as plain lines, and the real clock."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from cleanup_gitops.model.ports import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

PLAIN_EVERY = 5.0
"""Seconds between two plain lines about the same work."""


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """The present moment, UTC, whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)

    def elapsed(self) -> float:
        """Seconds since some fixed moment, whatever is done to the machine's clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def colours(stream: TextIO | None) -> bool:
    """Whether to write colours: a terminal, and nobody asked for none (NO_COLOR, TERM=dumb, CI)."""
    if stream is None or stream.closed:
        return False
    quiet = os.environ.get("NO_COLOR") or os.environ.get("CI") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not quiet


class PlainProgress:
    """One line when a piece of work starts, now and then while it lasts, and when it is done."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def step(self, what: str, done: int, total: int | None) -> None:
        """Write a line if it is time for one."""
        now = time.monotonic()
        finished = total is not None and done >= total
        with self._lock:
            if not finished and now - self._last.get(what, float("-inf")) < PLAIN_EVERY:
                return
            self._last[what] = now
        of = f" of {total}" if total is not None else ""
        count = f": {done}{of}" if done or of else ""
        with suppress(OSError, ValueError):  # a closed stream must not end the work that is reported
            sys.stderr.write(f"{what}{count}\n")
            sys.stderr.flush()


class BarProgress:
    """A bar for each piece of work, on a terminal."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def step(self, what: str, done: int, total: int | None) -> None:
        """Move the bar."""
        with suppress(OSError, ValueError), self._lock:
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(what, total=total)
            self._bars.update(self._tasks[what], completed=done, total=total)


@contextmanager
def progress() -> Iterator[Progress]:
    """Bars when standard error is a terminal, plain lines elsewhere."""
    if not colours(sys.stderr):
        yield PlainProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield BarProgress(bars)

"""Who may call now, and who waits: one bucket for each family of calls, shared by all workers of a host.

All waits for a time go through the Clock port, in steps of at most a second; only for the answer to another worker's
call a thread waits for that worker itself. Whoever came first goes first.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.model.ports import Clock
from cleanup_gitops.sites.buckets import UNTIL_ANSWERED, Bucket, Slot
from cleanup_gitops.sites.families import Family, family_of
from cleanup_gitops.sites.waits import told

LOOK = 0.1
"""Seconds between two looks of a thread that waits for other threads: a flag may have been raised."""

LEAST = 0.001
"""Seconds of the shortest sleep: a clock need not notice a shorter one."""


class Interrupted(SiteError):  # noqa: N818 - not the site's fault: somebody asked to stop
    """A wait ended before its time, and with it the call that waited. The request was not under way."""

    def __init__(self) -> None:
        super().__init__("The wait for the site's rate limit was interrupted; nothing was sent.")


class _Line:
    """One family: its bucket, and who waits for it."""

    def __init__(self, family: Family, now: float) -> None:
        self.family = family
        self.bucket = Bucket(family, now)
        self.waiting: deque[object] = deque()


class Gates:
    """When each family may be asked again: what one worker learns holds for the others as well.

    ``longest`` is the longest wait that is worth it, ``published`` whether published limits are kept; ``tell`` hears of
    waits as they begin. ``stop`` ends every wait within a second and allows none until ``resume``; calls that need not
    wait go on, so that what was written can still be read back. ``close`` lets no call through any more.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        longest: float = math.inf,
        published: bool = True,
        tell: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._longest = longest
        self._published = published
        self._tell = tell
        self._lines: dict[str, _Line] = {}
        self._moved = threading.Condition()  # over a lock that its holder may take again
        # Plain flags: a signal handler may set them at any moment, also while it interrupts another one.
        self._closed = False
        self._stopped = False

    def enter(self, endpoint: str) -> Slot:
        """Wait until one call may go out. The slot goes back through `answered`, `refused` or `lost`.

        Raises `Interrupted` once closed, or when it must wait and may not; `SiteError` when the wait is too long.
        """
        me = object()
        line = self._line(endpoint)
        with self._moved:
            line.waiting.append(me)
        try:
            return self._in_turn(line, me)
        finally:
            with self._moved:
                line.waiting.remove(me)
                self._moved.notify_all()

    def answered(self, endpoint: str, slot: Slot, headers: Mapping[str, str]) -> None:
        """The answer came and was no refusal for the rate."""
        says = told(headers, self._clock.now())
        with self._moved:
            self._line(endpoint).bucket.answered(slot, says, self._clock.elapsed())
            self._moved.notify_all()

    def refused(self, endpoint: str, slot: Slot, headers: Mapping[str, str], wait: float) -> None:
        """The answer was 429, and means so many seconds for the whole family."""
        says = told(headers, self._clock.now())
        with self._moved:
            self._line(endpoint).bucket.refused(slot, says, wait, self._clock.elapsed())
            self._moved.notify_all()

    def lost(self, endpoint: str) -> None:
        """No answer came."""
        with self._moved:
            self._line(endpoint).bucket.lost(self._clock.elapsed())
            self._moved.notify_all()

    def shut(self, endpoint: str, seconds: float) -> None:
        """Let nobody of the family through for so long."""
        with self._moved:
            self._line(endpoint).bucket.shut(seconds, self._clock.elapsed())

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

    def _line(self, endpoint: str) -> _Line:
        family = family_of(endpoint)
        if not self._published:
            family = Family(family.name)
        with self._moved:
            line = self._lines.get(family.name)
            if line is None:
                line = self._lines[family.name] = _Line(family, self._clock.elapsed())
            return line

    def _in_turn(self, line: _Line, me: object) -> Slot:
        told_of = False
        after_stop = 0.0
        while True:
            if self._closed:
                raise Interrupted
            with self._moved:
                # Nobody waits for a turn once waits are over: whoever may not go almost at once is told so.
                mine = line.waiting[0] is me or self._stopped
                got = line.bucket.ask(self._clock.elapsed()) if mine else UNTIL_ANSWERED
                if isinstance(got, Slot):
                    return got
                if mine and self._stopped:
                    after_stop += LOOK if got == UNTIL_ANSWERED else got
                    if after_stop > 1.0:
                        raise Interrupted
                if got == UNTIL_ANSWERED:
                    self._moved.wait(LOOK)
                    continue
            if got > max(self._longest, line.family.seconds):  # a published limit is always worth its wait
                raise SiteError(
                    f"The site allows no more calls of this kind for {got:.0f} s.", "Run the command again after that."
                )
            if not told_of:
                told_of = True
                self._tell(got)
            self._clock.sleep(max(LEAST, min(got, 1.0)))

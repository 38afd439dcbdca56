"""A site that fails call after call is left alone, by all workers together, instead of being hammered.

A failure is a call without an answer, or an answer of 5xx. A refusal is none: the site works. When enough of them came
in a row, over a while, the site counts as failing and every call ends at once. After a rest single reads probe whether
it is back; a write is never a probe. Writes have a row of their own, as a site may be read well and still lose every
write: then no further write goes out with this connection, and what was written can be read back.
"""

from __future__ import annotations

import threading
from datetime import datetime

from msgspec import Struct

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.model.ports import Clock


class Fuse(Struct, frozen=True, kw_only=True):
    """How much is borne: ``calls`` failures in a row over ``seconds``, or ``writes`` failed writes in a row.

    A failing site rests for ``rest`` seconds before each of at most ``probes`` reads.
    """

    calls: int = 20
    seconds: float = 10.0
    writes: int = 10
    rest: float = 30.0
    probes: int = 5


class _Row:
    """Failures one after the other."""

    def __init__(self) -> None:
        self.length = 0
        self.since: datetime | None = None
        self.began = 0.0

    def add(self, clock: Clock) -> None:
        """One more."""
        if not self.length:
            self.since, self.began = clock.now(), clock.elapsed()
        self.length += 1


class Breaker:
    """The state of one host in this process. Safe between threads."""

    def __init__(self, host: str, clock: Clock, fuse: Fuse) -> None:
        self._host = host
        self._clock = clock
        self._fuse = fuse
        self._lock = threading.Lock()
        self._calls = _Row()
        self._writes = _Row()
        self._broken: float | None = None
        self._probing = False
        self._probes = 0

    def admit(self, *, writing: bool) -> None:
        """Let a call through, or raise the `SiteError` that says how many failed since when."""
        with self._lock:
            if writing and self._writes.length >= self._fuse.writes:
                raise self._failing("writes", self._writes)
            if self._broken is None or self._may_probe(writing=writing):
                return
            raise self._failing("calls", self._calls)

    def worked(self, *, writing: bool) -> None:
        """An answer came that shows a working site."""
        with self._lock:
            self._calls = _Row()
            if writing:
                self._writes = _Row()
            self._broken, self._probing, self._probes = None, False, 0

    def failed(self, *, writing: bool) -> None:
        """No answer, or one of 5xx."""
        with self._lock:
            self._calls.add(self._clock)
            if writing:
                self._writes.add(self._clock)
            now = self._clock.elapsed()
            lasting = now - self._calls.began >= self._fuse.seconds
            if self._broken is not None or (lasting and self._calls.length >= self._fuse.calls):
                self._broken = now
            self._probing = False

    def undecided(self) -> None:
        """A call was broken off here, which says nothing of the site."""
        with self._lock:
            self._probing = False

    def _may_probe(self, *, writing: bool) -> bool:
        if writing or self._probing or self._probes >= self._fuse.probes or self._broken is None:
            return False
        if self._clock.elapsed() - self._broken < self._fuse.rest:
            return False
        self._probing = True
        self._probes += 1
        return True

    def _failing(self, what: str, row: _Row) -> SiteError:
        since = row.since.strftime("%Y-%m-%dT%H:%M:%SZ") if row.since else "now"
        return SiteError(
            f"{self._host} is failing: {row.length} {what} in a row failed since {since}; nothing more was sent.",
            "The service or the way to it has trouble (https://status.atlassian.com). Run the command again later.",
        )

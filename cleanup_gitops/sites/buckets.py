"""How many calls of one family may go out when: what is published, what answers say, and what refusals teach.

Three limits hold at once, and the narrowest decides:

* the published one: a token comes back so many seconds after the answer to the call that took it, so that no stretch of
  that length ever holds more calls than allowed, however long the way to the site takes;
* the window that the site tells in its headers (limit, remaining, reset): calls that are under way count as spent;
* a pace, after a refusal (429) or a warning of a site that tells no such window. It is set to what the site let through
  between two refusals, or halved where that was next to nothing; successes bring it back quickly to what went well
  before and beyond that in small steps, until it is so fast that it is none.

Pure: time comes in as seconds on any scale that only goes forward. Not safe between threads; `gates` is.
"""

from __future__ import annotations

import math
from collections import deque

from msgspec import Struct

from cleanup_gitops.sites.families import Family

SLOWEST = 0.5
"""Calls a second below which no pace falls."""
FASTEST = 100.0
"""Calls a second from which on a pace is none."""
CAUTIOUS = 5.0
"""The pace after a refusal before which hardly anything went through."""
ENOUGH = 10
"""Successes from which on the rate of successes says something."""
FIRST_CUT, LATER_CUT = 0.5, 0.95
"""What is kept of the observed rate: after the first refusal, and when the stretch began with a refusal as well."""
RECOVERY, GROWTH = 1.25, 0.002
"""With every success: the factor below the pace that went well, and the share of that by which it is exceeded."""
STEADY = 40
"""Successes from which on that share grows, with their square: nothing was refused for long."""
PACED_BURST = 2
"""Calls that a pace lets out at once after a rest."""
LOOK_BACK = 10.0
"""Seconds over which the rate is observed before there was any refusal."""
SAME_WINDOW = 1.5
"""Seconds by which the reported end of one window may differ from answer to answer, the way of the call aside."""
UNTIL_ANSWERED = -1.0
"""A wait for the answer to another call, not for a time."""


class Told(Struct, frozen=True):
    """What an answer says of the family's limit; ``resets`` in seconds from now. ``None``: not said."""

    remaining: int | None = None
    limit: int | None = None
    resets: float | None = None
    near: bool = False


class Slot(Struct, frozen=True):
    """The right to send one call, given back with its answer: ``at`` is when, ``epoch`` counts the refusals before."""

    epoch: int
    at: float


class Bucket:
    """The state of one family in this process. `ask` before a call; `answered`, `refused` or `lost` after it."""

    def __init__(self, family: Family, now: float) -> None:
        self._family = family
        self._under_way = 0
        self._spent: deque[float] = deque()
        self._opens = -math.inf
        self._left: int | None = None
        self._size: int | None = None
        self._resets: float | None = None
        self._epoch = 0
        self._began = now
        self._successes = 0
        self._recent: deque[float] = deque(maxlen=256)
        self._warned = -math.inf
        self.pace: float | None = None
        """Calls a second, ``None`` while nothing asks for one."""
        self._spread: float | None = None
        """Calls a second that make the rest of the window last, once the site has warned."""
        self._good = FASTEST
        self._due = -math.inf

    def ask(self, now: float) -> Slot | float:
        """A slot, or the seconds to wait before asking again (`UNTIL_ANSWERED`: until another call is answered)."""
        waits = (max(0.0, self._opens - now), self._published(now), self._window(now), self._paced(now))
        longest = max(waits)
        if longest > 0:
            return longest
        if UNTIL_ANSWERED in waits:
            return UNTIL_ANSWERED
        self._under_way += 1
        pace = self._pace()
        if pace is not None:
            self._due = max(self._due, now - (PACED_BURST - 1) / pace) + 1 / pace
        return Slot(self._epoch, now)

    def answered(self, slot: Slot, told: Told, now: float) -> None:
        """An answer that is no refusal for the rate."""
        self.lost(now)
        if slot.epoch == self._epoch:
            self._successes += 1
            self._recent.append(now)
        if self.pace is not None and not told.near:
            self.pace = self._faster(self.pace)
        self._learn(told, slot.at, now)
        if told.near and self._resets is None and now - self._warned >= LOOK_BACK and self._successes >= ENOUGH:
            self._warned = now
            self._good = max(SLOWEST, self._observed(now) * LATER_CUT)
            self._slow(self._good)
        if self.pace is not None and self.pace >= FASTEST:
            self.pace = None

    def refused(self, slot: Slot, told: Told, wait: float, now: float) -> None:
        """429: nothing goes out for ``wait`` seconds, and after that more slowly unless the site counts for us."""
        self.lost(now)
        self._learn(told, slot.at, now)
        self.shut(wait, now)
        if slot.epoch != self._epoch:
            return  # sent before a refusal that was the lesson already
        if self._resets is None:
            self._cut(now)
        self._epoch += 1
        self._began, self._successes = now, 0
        self._recent.clear()

    def lost(self, now: float) -> None:
        """No answer came; the site may have counted the call all the same."""
        self._under_way -= 1
        if self._family.limit:
            self._spent.append(now)

    def shut(self, wait: float, now: float) -> None:
        """Nothing goes out for so many seconds."""
        self._opens = max(self._opens, now + wait)

    def _published(self, now: float) -> float:
        limit, seconds = self._family.limit, self._family.seconds
        if not limit:
            return 0.0
        while self._spent and self._spent[0] + seconds <= now:
            self._spent.popleft()
        if len(self._spent) + self._under_way < limit:
            return 0.0
        return self._spent[0] + seconds - now if self._spent else UNTIL_ANSWERED

    def _window(self, now: float) -> float:
        if self._resets is not None and now >= self._resets:
            self._left, self._resets, self._spread = self._size, None, None
        if self._left is None or self._left > self._under_way:
            return 0.0
        if self._under_way and (self._left > 0 or self._resets is None):
            return UNTIL_ANSWERED
        return 0.0 if self._resets is None else self._resets - now

    def _paced(self, now: float) -> float:
        return 0.0 if self._pace() is None else max(0.0, self._due - now)

    def _pace(self) -> float | None:
        paces = [pace for pace in (self.pace, self._spread) if pace is not None]
        return min(paces) if paces else None

    def _learn(self, told: Told, sent: float, now: float) -> None:
        """The site spoke at some moment between ``sent`` and ``now``, so its window ends between two moments as well.

        An answer that was long on its way is old news of the same window, and must not pass for the first of a new one.
        """
        if told.remaining is None or not told.resets:
            if self._resets is None:
                self._left = None  # nothing is told of the window that has begun
            return
        earliest, latest = sent + told.resets - SAME_WINDOW, now + told.resets
        if self._resets is None or earliest > self._resets:
            self._left, self._resets = told.remaining, latest
        elif latest >= self._resets - SAME_WINDOW:
            self._left = told.remaining if self._left is None else min(self._left, told.remaining)
            self._resets = min(self._resets, latest)
        self._size = told.limit or None
        if told.near and told.remaining:
            self._spread = max(SLOWEST, told.remaining / told.resets)

    def _faster(self, pace: float) -> float:
        if pace < self._good:
            return min(self._good, pace * RECOVERY)
        return pace + self._good * GROWTH * max(1.0, self._successes / STEADY) ** 2

    def _cut(self, now: float) -> None:
        """Slow down after a refusal. One without a success before it says nothing of a rate that would go well."""
        if self._successes >= ENOUGH:
            self._good = max(SLOWEST, self._observed(now) * (LATER_CUT if self._epoch else FIRST_CUT))
            self._slow(self._good)
            return
        pace = self.pace or 2 * CAUTIOUS
        if self._successes:
            self._good = max(SLOWEST, pace * 0.75)
        self._slow(pace / 2)

    def _observed(self, now: float) -> float:
        """Calls a second that the site let through: since its last refusal, else within the last seconds."""
        if self._epoch:
            return self._successes / max(now - self._began, 1.0)
        since = max(self._began, now - LOOK_BACK)
        return sum(1 for at in self._recent if at >= since) / max(now - since, 1.0)

    def _slow(self, pace: float) -> None:
        self.pace = max(SLOWEST, pace if self.pace is None else min(pace, self.pace))

"""What a check of a recorded history says: what was found, and what was counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from msgspec import Struct

from cleanup_gitops.model.run import Origin

Odd = tuple[str, str]
"""A place below the site's folder, and what does not fit there."""
Odds = Iterator[Odd]
CLOCKS = timedelta(minutes=5)
"""Records are made on many machines: so far apart their clocks may be."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that does not fit. ``where`` is a path below the site's folder, with a line where that helps."""

    commit: str
    where: str
    what: str


class OpenRun(Struct, frozen=True, kw_only=True):
    """A run that was begun and has no end yet: it is under way, or was cut off."""

    run: str
    holder: str
    since: datetime


class Signatures(Struct, frozen=True, kw_only=True):
    """Commits with and without a signature; ``judged``: each of them was compared with a list of keys."""

    signed: int
    unsigned: int
    judged: bool


class Verdict(Struct, frozen=True, kw_only=True):
    """What the check found. ``head`` is the SHA-256 of the last ledger line; ``pinned`` is ``None`` without a pin.

    ``kinds`` counts entries, ``intents`` the commits that claimed a run. ``quiet_days`` are UTC days between the first
    and the last record on which there is none, ``void_days`` those on which there are only void ones. ``origin`` is the
    end of an earlier record that this one goes on from.
    """

    site: str
    commits: int
    entries: int
    kinds: dict[str, int]
    intents: int
    first: date | None
    last: date | None
    head: str
    pinned: bool | None
    quiet_days: tuple[date, ...]
    void_days: tuple[date, ...]
    open_runs: tuple[OpenRun, ...]
    signatures: Signatures
    origin: Origin | None
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was found that does not fit."""
        return not self.findings

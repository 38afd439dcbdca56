"""All the planner and the runner know of ``state/``: lineage, serial, counts, what was applied and consumed."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Consumed(Struct, frozen=True, kw_only=True):
    """Rows (change digests) of one approval (envelope digest) that were carried out or superseded."""

    envelope: str
    rows: tuple[str, ...]


class Applied(Struct, frozen=True, kw_only=True):
    """How many changes of each action one earlier run applied, at a UTC time. Caps count the last 24 hours."""

    run: str
    at: datetime
    actions: dict[str, int]


class Memory(Struct, frozen=True, kw_only=True):
    """What earlier runs left. Before the first run everything is empty and ``lineage`` is "".

    ``lineage`` is the envelope digest under which the state was born; ``head`` is the SHA-256 of the last ledger line.
    """

    lineage: str = ""
    serial: int = 0
    accounts: int | None = None
    head: str = ""
    sequence: int = 0
    """Ledger entries written so far."""
    applied: tuple[Applied, ...] = ()
    consumed: tuple[Consumed, ...] = ()


BLANK = Memory()
"""Before the first run."""

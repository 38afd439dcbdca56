"""Runs that leave nothing worth a record: nothing due, nothing newly pending, and the day has a record. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.run import Kind

_LIFE: tuple[Kind, ...] = ("run", "recovery", "rollback", "heartbeat")
"""Kinds of records that show that runs go on."""
_OF_EVERY_RECORD = frozenset({"lineage", "serial", "head", "sequence", "state", "baseline", "last"})
"""What any record changes, also one that brings nothing."""
_REMEMBERED = tuple(name for name in Memory.__struct_fields__ if name not in _OF_EVERY_RECORD)


def nothing_new(before: Memory, after: Memory) -> bool:
    """Whether a run would remember just what was remembered before it."""
    return _lines(before) == _lines(after)


def _lines(memory: Memory) -> tuple[object, ...]:
    return tuple(getattr(memory, name) for name in _REMEMBERED)


def has_record_of(memory: Memory, now: datetime) -> bool:
    """Whether a run was recorded on the UTC day of ``now``."""
    today = now.astimezone(UTC).date()
    return any(memory.last[kind].astimezone(UTC).date() == today for kind in _LIFE if kind in memory.last)

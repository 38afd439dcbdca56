"""Everything as it was at one moment, kept in memory and put back in place within milliseconds.

A snapshot holds the world, the clock, changes that show late, mails, the log of requests, effects, the rules
in force and the limits with what they have counted. Putting it back changes the same objects in place, so that
whoever holds one (a test, a change on its way) holds the right one afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from types import CellType, FunctionType
from typing import Any

import msgspec

from cleanup_gitops.sandbox.effects import Effect, LogEntry
from cleanup_gitops.sandbox.late import Late
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.storms import Rules
from cleanup_gitops.sandbox.traffic import Traffic

PASSES = 20
"""So often the server looks for requests that wait in sockets before the world is kept or put back."""
Kept = tuple[msgspec.Struct, bytes]


@dataclass(frozen=True)
class Snapshot:
    """One moment; `records` are all records with their contents, `lists` those of the world in their order."""

    records: tuple[Kept, ...]
    lists: dict[str, tuple[Any, ...]]
    moment: datetime
    late: tuple[tuple[Late, int], ...]
    mails: tuple[str, ...]
    reserved: dict[str, tuple[str, str]]
    effects: tuple[Effect, ...]
    log: tuple[LogEntry, ...]
    asked: int
    rules: Rules
    pages: dict[bytes, list[Any]]
    used: dict[tuple[int, str], tuple[float, float]]


class Snapshots:
    """Keeps and puts back one state and its traffic; to be used on the server's thread."""

    def __init__(self, state: State, traffic: Traffic) -> None:
        self._state = state
        self._traffic = traffic
        self.named: dict[str, Snapshot] = {}
        """Those that the control endpoint keeps."""

    def take(self) -> Snapshot:
        """Everything as it is now."""
        state, traffic = self._state, self._traffic
        world = state.world
        lists = {
            name: tuple(value) for name in world.__struct_fields__ if isinstance(value := getattr(world, name), list)
        }
        single = [world.site, world.organization, world.credentials, world.options]
        rows = [row for rows in lists.values() for row in rows if isinstance(row, msgspec.Struct)]
        waiting = [record for item in state.late.items for record in _held(item.change)]
        written = [*state.effects.rows, *traffic.log]
        unique = {id(record): record for record in (*single, *rows, *waiting, *written)}
        return Snapshot(
            records=tuple((record, msgspec.msgpack.encode(record)) for record in unique.values()),
            lists=lists,
            moment=state.moment(),
            late=tuple((item, item.reads) for item in state.late.items),
            mails=tuple(state.mails),
            reserved=dict(state.reserved),
            effects=tuple(state.effects.rows),
            log=tuple(traffic.log),
            asked=traffic.asked,
            rules=traffic.rules.copy(),
            pages=copy(traffic.pages),
            used=dict(state.limits.used),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Everything as it was then; requests that are under way end without effect and answer."""
        state, traffic = self._state, self._traffic
        traffic.epoch += 1
        for record, contents in snapshot.records:
            _put_back(record, contents)
        for name, rows in snapshot.lists.items():
            getattr(state.world, name)[:] = rows
        for item, reads in snapshot.late:
            item.reads = reads
        state.late.items = [item for item, _ in snapshot.late]
        state.mails[:] = snapshot.mails
        state.reserved = dict(snapshot.reserved)
        state.effects.rows[:] = snapshot.effects
        traffic.log[:] = snapshot.log
        traffic.asked = snapshot.asked
        traffic.rules = snapshot.rules.copy()
        traffic.pages = copy(snapshot.pages)
        state.limits.used = dict(snapshot.used)
        state.rewind(snapshot.moment)


async def arrived() -> None:
    """Let every request that was sent already arrive, so that none of them acts after what comes next."""
    for _ in range(PASSES):
        await asyncio.sleep(0)


def _put_back(record: msgspec.Struct, contents: bytes) -> None:
    if msgspec.msgpack.encode(record) == contents:
        return
    before = msgspec.msgpack.decode(contents, type=type(record))
    for name in record.__struct_fields__:
        setattr(record, name, getattr(before, name))


def _held(change: Callable[[], None]) -> Iterator[msgspec.Struct]:
    """The records that a change on its way will write to, also those that the world does not have yet."""
    cells: tuple[CellType, ...] = (change.__closure__ or ()) if isinstance(change, FunctionType) else ()
    for cell in cells:
        value = cell.cell_contents
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, msgspec.Struct):
                yield one
            elif isinstance(one, FunctionType):
                yield from _held(one)

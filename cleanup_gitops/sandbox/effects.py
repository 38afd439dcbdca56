"""What every write did to the world: the other half of the request log.

An `Effect` is written down for each change that a request asked for and the sandbox accepted. Whether it did
anything is found by comparing what it is about before and after, so that suspending somebody twice is one
effective write and one without effect.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

import msgspec


class LogEntry(msgspec.Struct):
    """One request in the log: no headers, no bodies, no queries. Status 0 means no answer.

    `number` counts the requests from 1; `identity` is that of equal requests, see ``faults``.
    """

    method: str
    path: str
    status: int
    fault: str | None = None
    number: int = 0
    identity: str = ""


ASKED: ContextVar[LogEntry | None] = ContextVar("ASKED", default=None)
"""The request that is being answered."""


class Effect(msgspec.Struct):
    """One accepted change: `request` is the number of the request that asked for it.

    `about` are the ids that it is about by kind, `changed` the ids of those users, groups and provisioned
    people that it really changed. `effective` is None as long as the change was accepted and does not show.
    """

    number: int
    request: int
    method: str
    path: str
    action: str
    about: dict[str, str]
    changed: list[str] = []
    effective: bool | None = None


Facts = dict[str, bytes]


@dataclass
class Effects:
    """The effects of all writes, oldest first."""

    rows: list[Effect] = field(default_factory=list)

    def accept(self, action: str, about: dict[str, str]) -> Effect:
        """Write down that a change was accepted; what it does is not known yet."""
        asked = ASKED.get() or LogEntry(method="", path="", status=0)
        row = Effect(len(self.rows) + 1, asked.number, asked.method, asked.path, action, dict(about))
        self.rows.append(row)
        return row


def compare(effect: Effect, before: Facts, after: Facts) -> None:
    """Write down what changed between two sets of facts."""
    effect.changed = sorted(one for one in before.keys() | after.keys() if before.get(one) != after.get(one))
    effect.effective = bool(effect.changed)

"""What the sandbox remembers of the requests it got, beside the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cleanup_gitops.sandbox.effects import LogEntry
from cleanup_gitops.sandbox.storms import Rules


class Stale(Exception):  # noqa: N818 - a request without an answer, not a failure
    """The world was put back while this request was on its way: it has no effect and gets no answer."""


@dataclass
class Traffic:
    """The rules in force, the log, and the rows of pages that were answered, by search.

    `asked` counts all requests, also those that the log forgot. `epoch` counts how often the world was
    put back: a request that arrived before has no effect after.
    """

    rules: Rules = field(default_factory=Rules)
    log: list[LogEntry] = field(default_factory=list)
    asked: int = 0
    epoch: int = 0
    pages: dict[bytes, list[Any]] = field(default_factory=dict)

    def note(self, method: str, path: str) -> LogEntry:
        """A new entry of the log."""
        self.asked += 1
        entry = LogEntry(method=method, path=path, status=0, number=self.asked)
        self.log.append(entry)
        return entry

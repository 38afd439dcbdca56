"""Journals in memory: the same laws as files', checked by tests/runner/test_journal.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cleanup_gitops.runner.journal import Header, Journal, JournalError, Line, line_bytes


@dataclass
class FakeJournals:
    """What survives a process that is killed.

    ``seen`` is called with each line: before it is written (``False``) and when it is on the disk (``True``). ``full``
    lets no line but the first so many be written.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    seen: Callable[[Line, bool], None] | None = None
    full: int | None = None
    locked: bool = False

    def place(self, run: str) -> str:
        return f"memory/{run}" if run in self.files else ""

    def check(self) -> None:
        if self.locked:
            raise JournalError("memory", "Read-only file system")

    def begin(self, header: Header) -> Journal:
        self.files[header.run] = line_bytes(header)
        return _Kept(self, header)

    def read(self, run: str) -> bytes | None:
        return self.files.get(run)

    def end(self, run: str) -> None:
        self.files.pop(run, None)


class _Kept:
    def __init__(self, journals: FakeJournals, header: Header) -> None:
        self._journals = journals
        self._header = header
        self._lines = 0

    def add(self, line: Line) -> None:
        kept = self._journals
        if kept.seen:
            kept.seen(line, False)
        if kept.full is not None and self._lines >= kept.full:
            raise JournalError("memory", "No space left on device")
        self._lines += 1
        kept.files[self._header.run] += line_bytes(line)
        if kept.seen:
            kept.seen(line, True)

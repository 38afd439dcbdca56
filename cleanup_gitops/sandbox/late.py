"""Changes that were accepted and do not show yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cleanup_gitops.sandbox.options import Lag

Change = Callable[[], None]


@dataclass(eq=False)
class Late:
    """A change that shows after `reads` more reads, and not before the virtual clock shows `due`."""

    change: Change
    reads: int
    due: datetime | None = None
    about: str = ""


@dataclass
class Waiting:
    """The changes on their way, oldest first."""

    items: list[Late] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items)

    def add(self, change: Change, lag: Lag, now: datetime, about: str) -> None:
        """`change` shows `lag` after the virtual instant `now`; `about` is the id of what it changes."""
        due = now + timedelta(seconds=lag.seconds) if lag.seconds else None
        reads = -1 if due is not None and not lag.reads else lag.reads
        self.items.append(Late(change, reads, due, about))

    def count_read(self) -> None:
        """One more read was asked for."""
        for item in self.items:
            item.reads -= 1

    def take_due(self, now: datetime) -> list[Late]:
        """Take out what shows now; nothing overtakes an earlier change of the same user or group."""
        held: set[str] = set()

        def shows(item: Late) -> bool:
            due = item.about not in held and item.reads < 0 and (item.due is None or item.due <= now)
            if not due and item.about:
                held.add(item.about)
            return due

        return self._take(shows)

    def take_about(self, about: str) -> list[Late]:
        """Take out what is on its way about one user or group, as what is done to it later comes after."""
        return self._take(lambda item: bool(about) and item.about == about)

    def take_all(self) -> list[Late]:
        """Take out everything."""
        return self._take(lambda item: True)  # noqa: ARG005 - whatever it is

    def _take(self, wanted: Callable[[Late], bool]) -> list[Late]:
        found = [item for item in self.items if wanted(item)]
        if found:
            self.items = [item for item in self.items if item not in found]
        return found

"""Runs that are not recorded yet: who holds them, and whether their processes live, as far as that is known here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cleanup_gitops.ledger.leases import describe
from cleanup_gitops.model.run import Lease
from cleanup_gitops.views.documents import render

_LIVES = {
    True: "Its process lives on this machine.",
    False: "Its process has ended: the run was cut off.",
    None: "Whether its process lives is not known here: it began on another machine or in another clone.",
}
_END = {
    True: "Wait until it ends. Should it not, end its process, and then the run with",
    False: "End the run with",
    None: "If it no longer works, end it with",
}


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run with the leases that it holds. ``journal`` is where its journal is, "" when none is here.

    ``lives`` is whether its process does; ``None``: nobody here can know.
    """

    leases: tuple[Lease, ...]
    journal: str
    lives: bool | None

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.leases[0].run

    @property
    def process(self) -> str:
        """A sentence on its process."""
        return _LIVES[self.lives]

    @property
    def end(self) -> str:
        """How it is ended."""
        return f"{_END[self.lives]}: cleanup-gitops recover {self.name} --site {self.leases[0].site}"

    def held(self, now: datetime) -> list[str]:
        """Each directory with who works on it, since when."""
        return [f"directory {one.directory}: {describe(one, now)}" for one in self.leases]


def render_open_runs(runs: Iterable[OpenRun], now: datetime) -> str:
    """The open runs, and how to end each."""
    return render("open_runs.txt.j2", runs=tuple(runs), now=now)

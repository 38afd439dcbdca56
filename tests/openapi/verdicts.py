"""What is wrong with exchanges, each kind of them looked at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.openapi.deviations import DEVIATIONS
from tests.openapi.exchanges import Exchange
from tests.openapi.published import Problem, Published
from tests.openapi.shapes import Shapes


class Verdicts:
    """Judges by the published files of a folder and the table of deviations."""

    def __init__(self, folder: Path) -> None:
        self._published = Published(folder)
        self._shapes = Shapes(self._published)
        self._told: set[Problem] = set()
        self.distinct = 0
        self.rows: set[int] = set()

    def problems(self, heard: Iterable[Exchange]) -> list[str]:
        """Problems that no row knows and that were not told before."""
        found: list[str] = []
        for exchange in heard:
            if not self._shapes.new(exchange):
                continue
            self.distinct += 1
            for problem in self._published.problems(exchange):
                rows = [number for number, row in enumerate(DEVIATIONS) if row.covers(problem)]
                self.rows.update(rows)
                if not rows and problem not in self._told:
                    self._told.add(problem)
                    found.append(str(problem))
        return found

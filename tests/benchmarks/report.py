"""Results as JSON and as a Markdown table, and the table's place in docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from msgspec import Struct

from tests.benchmarks.children import ROOT
from tests.benchmarks.measures import Measure, Sample, Unit

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


class Result(Struct, frozen=True, kw_only=True):
    """One row. ``measured`` is the median of ``samples``; ``reached`` is ``None`` where there is no budget.

    ``wall`` (seconds) and ``peak`` (MiB) are medians too, of the measured command or part.
    """

    name: str
    what: str
    size: int
    unit: Unit
    budget: float | None
    measured: float
    reached: bool | None
    wall: float
    peak: float
    samples: tuple[float, ...]


class Report(Struct, frozen=True, kw_only=True):
    """All rows of one run, and where it ran."""

    date: str
    machine: str
    runs: int
    results: tuple[Result, ...]


def result(measure: Measure, size: int, samples: Iterable[Sample]) -> Result:
    """The row of one measure at one size."""
    found = tuple(samples)
    value = median(one.value for one in found)
    budget = measure.budgets.get(size)
    return Result(
        name=measure.name,
        what=measure.what.format(size=f"{size:,}"),
        size=size,
        unit=measure.unit,
        budget=budget,
        measured=round(value, 3),
        reached=None if budget is None else value <= budget,
        wall=round(median(one.used.wall for one in found), 3),
        peak=round(median(one.used.peak for one in found), 1),
        samples=tuple(round(one.value, 3) for one in found),
    )


def machine() -> str:
    """What the numbers depend on most."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def table(report: Report) -> str:
    """The Markdown table with its heading line, ended by LF."""
    lines = [
        f"{report.date}, {report.machine}, median of {report.runs}.",
        "",
        "| what | budget | measured (median) | reached | wall s | peak MiB |",
        "|---|---|---|---|---|---|",
    ]
    for row in report.results:
        budget = "" if row.budget is None else f"{row.budget:g} {row.unit}"
        reached = "" if row.reached is None else "yes" if row.reached else "**no**"
        lines.append(
            f"| {row.what} | {budget} | {row.measured:.2f} {row.unit} | {reached} | {row.wall:.2f} | {row.peak:.0f} |"
        )
    return "\n".join(lines) + "\n"


def write(report: Report, page: Path = PAGE) -> None:
    """Put the table between the marks of the page."""
    text = page.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{page} has no place for the table: {BEGIN} and {END} are missing.")
    page.write_text(f"{before}{BEGIN}\n{table(report)}{END}{after}", "utf-8")

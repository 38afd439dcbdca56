"""Results as JSON and as a Markdown table, and the table's place in docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from msgspec import Struct

from tests.benchmarks.children import ROOT
from tests.benchmarks.measures import WHOLE_YEAR, Measure, Sample, Unit

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
"""Where the table of all measurements stands on the page; that of the year has "year" instead."""


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


def result(measure: Measure, size: int, samples: Iterable[Sample], days: int = WHOLE_YEAR) -> Result:
    """The row of one measure at one size; budgets are those of a whole year."""
    found = tuple(samples)
    value = median(one.value for one in found)
    budget = measure.budgets.get(size) if days == WHOLE_YEAR or measure.name != "year" else None
    return Result(
        name=measure.name,
        what=measure.what.format(size=f"{size:,}", days=days),
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
    how = "one repository" if all(row.name == "year" for row in report.results) else f"median of {report.runs}"
    lines = [
        f"{report.date}, {report.machine}, {how}.",
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


def write(report: Report, page: Path = PAGE, what: str = "benchmarks") -> None:
    """Put the table between its marks on the page."""
    text = page.read_text("utf-8")
    marks = [mark.replace("benchmarks", what) for mark in (BEGIN, END)]
    before, begin, rest = text.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end):
        raise SystemExit(f"{page} has no place for the table: {' and '.join(marks)} are missing.")
    page.write_text(f"{before}{begin}\n{table(report)}{end}{after}", "utf-8")

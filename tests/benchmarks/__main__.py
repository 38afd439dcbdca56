"""The command ``python -m tests.benchmarks``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.benchmarks.measures import MEASURES, NAMES, WHOLE_YEAR, YEAR, Bench, Measure
from tests.benchmarks.report import Report, machine, result, table, write


def main(arguments: Sequence[str] | None = None) -> Report:
    """Measure, print the table, and write what was asked for."""
    asked = _asked(arguments)
    chosen = [one for one in (*MEASURES, *YEAR) if one.name in asked.names] if asked.names else list(MEASURES)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=asked.work) as work:
        bench = Bench(Path(work), asked.runs, asked.days)
        results = []
        for measure, size in _rows(chosen, asked.users, asked.size):
            row = result(measure, size, measure.run(bench, size), asked.days)
            results.append(row)
            sys.stderr.write(f"{row.name} {size}: {row.measured} {row.unit} {list(row.samples)}\n")
    report = Report(
        date=datetime.now(UTC).date().isoformat(), machine=machine(), runs=asked.runs, results=tuple(results)
    )
    if asked.json:
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    if asked.write:
        write(report, what="year" if asked.names else "benchmarks")
    sys.stdout.write(table(report))
    return report


def _rows(chosen: Sequence[Measure], users: tuple[int, ...], own: tuple[int, ...]) -> Iterator[tuple[Measure, int]]:
    for measure in chosen:
        asked = {"users": users, "own": own, "none": ()}[measure.scale]
        for size in asked or measure.usual:
            yield measure, size


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(one.replace("_", "")) for one in text.split(","))
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError("sizes are at least 1")
    return sizes


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if asked.write and asked.names not in ([], ["year"]):
        parser.error("--write renews a whole table, so it takes no names but that of the year")
    return asked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="What the tool costs.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which measurements (default: all but the year): {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="fresh processes for each row (default: 3); the median counts"
    )
    parser.add_argument(
        "--users", type=_sizes, default=(), metavar="N,N", help="numbers of users, such as 10000,100000"
    )
    parser.add_argument(
        "--size", type=_sizes, default=(), metavar="N,N", help="lines of policies (load), changes (digest)"
    )
    parser.add_argument(
        "--days", type=int, default=WHOLE_YEAR, help="days of the year (default: %(default)s; only these have budgets)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--write", action="store_true", help="renew the table in docs/performance.md (all rows)")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="where inputs are made (default: the system's)")
    return parser


if __name__ == "__main__":
    main()

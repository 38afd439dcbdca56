"""Figures of a period, as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from cleanup_gitops.evidence.metrics import Metrics, Spread
from cleanup_gitops.views.ending_columns import hours
from cleanup_gitops.views.safe import cell, plain
from cleanup_gitops.views.words import counted

FORMAT_VERSION = "1.0"


def render_json(found: Metrics, site: str) -> str:
    """One document. Durations are seconds, days UTC."""
    told = {"format_version": FORMAT_VERSION, "site": site, **msgspec.to_builtins(found, str_keys=True)}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def render_csv(found: Metrics, site: str) -> str:
    """One figure a line: its name, such as ``leavers.took.p95``, and its value; "" where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["metric", "value"])
    rows = [("site", site), *_flat("", msgspec.to_builtins(found, str_keys=True))]
    writer.writerows([cell(name), cell("" if value is None else value)] for name, value in rows)
    return text.getvalue()


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), one)
    else:
        yield name, value


def render_text(found: Metrics, site: str) -> str:
    """The figures, with what each of them counts."""
    lines = [f"{site}, {_period(found)}", ""]
    leavers = found.leavers
    lines.append(f"Leavers: {counted(leavers.n, 'person', 'people')} whose last day was over")
    if leavers.n:
        lines.append(f"  access ended: {leavers.ended}{_spread(leavers.took)}")
        lines.append(f"  had ended before: {leavers.before}")
        lines.append(f"  not ended yet: {leavers.open}")
        lines.append(f"  late by what the Roster allows: {leavers.late}")
        lines.append(f"  used Confluence after the last day: {_counts(leavers.used)}")
    lines.append(f"Changes by us: {_counts(found.results)}")
    lines.append(f"  applied: {_counts(found.actions)}")
    lines.append(f"Changes by others: {_counts(found.by_others)}")
    lines.append(f"Records: {_counts(found.records)}")
    longest = f", the longest of {hours(timedelta(seconds=found.longest_gap))}" if found.gaps else ""
    lines.append(f"Without a run for long: {counted(found.gaps, 'gap')}{longest}; {counted(found.void, 'void run')}")
    if found.seats:
        one = found.seats
        limit = f" of {one.limit:,}" if one.limit is not None else ""
        lines.append(f"Seats on {one.day}: {one.used:,}{limit} in use")
        dormant = ", ".join(f"{number:,} for {days} days" for days, number in one.dormant.items())
        lines.append(f"  surely not used: {dormant}; never used: {one.never:,}; not known: {one.unknown:,}")
    return "".join(f"{plain(line)}\n" for line in lines)


def _period(found: Metrics) -> str:
    if found.first and found.last:
        return f"{found.first} to {found.last}"
    if found.first:
        return f"since {found.first}"
    return f"up to {found.last}" if found.last else "all that is recorded"


def _spread(one: Spread) -> str:
    if one.median is None or one.p95 is None or one.max is None:
        return ""
    median, p95, most = (hours(timedelta(seconds=number)) for number in (one.median, one.p95, one.max))
    return f"; after {median} (median), {p95} (95th percentile), {most} (longest)"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items()) or "none"

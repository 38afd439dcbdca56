"""A year of quiet days in one repository: what a day takes, what the year weighs, and how long its check takes.

``python -m tests.benchmarks.year ORGANIZATION POLICIES REPOSITORY DAYS`` records the days, in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger.drift import compare
from cleanup_gitops.ledger.record import Ground, record_drift
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.drift import Drift
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import SitePolicies
from tests.benchmarks import children
from tests.benchmarks.children import Timed, Used
from tests.benchmarks.days import Days
from tests.benchmarks.offline import inventory, site_policies
from tests.benchmarks.tasks import cpu_seconds, ground_before, made_record

MEGABYTE = 1_000_000


class Recorded(Struct, frozen=True, kw_only=True):
    """What each day took: to record what others had changed, and to record the run after it."""

    drifts: tuple[Timed, ...]
    runs: tuple[Timed, ...]


class Year(Struct, frozen=True, kw_only=True):
    """All that is measured on one repository. Sizes are those of git's objects, in MB."""

    recorded: Recorded
    used: Used
    as_left: float
    collected: float
    repacked: float
    verified: Used


@cache
def year(organization: str, policies: str, repository: str, days: int) -> Year:
    """Record the days, weigh and pack the repository, and check it."""
    root = Path(repository)
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    used, said = children.answer("tests.benchmarks.year", organization, policies, repository, str(days))
    sizes = [_megabytes(root)]
    for packing in (("gc", "--quiet"), ("repack", "-a", "-d", "-f", "-q", "--window=50", "--depth=50")):
        subprocess.run(["git", *packing], cwd=root, check=True)
        sizes.append(_megabytes(root))
    return Year(
        recorded=msgspec.json.decode(said, type=Recorded),
        used=used,
        as_left=sizes[0],
        collected=sizes[1],
        repacked=sizes[2],
        verified=children.command("cleanup_gitops", "-C", repository, "audit", "verify"),
    )


def _megabytes(root: Path) -> float:
    return sum(file.stat().st_size for file in (root / ".git" / "objects").rglob("*") if file.is_file()) / MEGABYTE


def main(organization: str, policies: str, repository: str, days: str) -> None:
    """Record so many days and print what each of them took."""
    site = inventory(organization)
    store = GitStore(Path(repository), site.site)
    record = _Records(store, ground_before(store, site), site_policies(policies))
    record.run(site)
    coming, drifts, runs = Days(site), list[Timed](), list[Timed]()
    for _ in range(1, int(days)):
        before, site = site, coming.next()
        drifts.append(record.drift(before, site))
        runs.append(record.run(site))
    sys.stdout.buffer.write(msgspec.json.encode(Recorded(drifts=tuple(drifts), runs=tuple(runs))))


class _Records:
    """One record after the other in one repository, each timed without the making of what it records."""

    def __init__(self, store: GitStore, ground: Ground, policies: SitePolicies) -> None:
        self._store = store
        self._ground = ground
        self._policies = policies

    def run(self, site: Inventory) -> Timed:
        """A run that finds nothing to do."""
        made = site.as_of + timedelta(minutes=2)
        plan = make_plan(
            site, self._policies, self._ground.memory, created=made, as_of=site.as_of, tool_version="benchmark"
        )
        with _Watch() as watch:
            record = made_record(self._ground, plan, site)
            self._store.commit(record.files, record.subject, record.trailers)
        self._ground = self._ground.after(record)
        return watch.timed

    def drift(self, before: Inventory, site: Inventory) -> Timed:
        """What is not as it was the day before."""
        drift = Drift(
            site=site.site,
            serial=self._ground.memory.serial,
            since=before.as_of,
            as_of=site.as_of,
            recorded_by="benchmark",
            differences=compare(before, site),
        )
        with _Watch() as watch:
            record = record_drift(self._ground, drift=drift, inventory=site, time=site.as_of + timedelta(minutes=1))
            self._store.commit(record.files, record.subject, record.trailers)
        self._ground = self._ground.after(record)
        return watch.timed


class _Watch:
    """Times a block."""

    timed: Timed

    def __enter__(self) -> Self:
        self._started = time.perf_counter(), cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = self._started
        self.timed = Timed(cpu=cpu_seconds() - cpu, wall=time.perf_counter() - wall)


def days_of(one: Year) -> Iterator[Used]:
    """What each day took, both of its records together."""
    for drift, run in zip(one.recorded.drifts, one.recorded.runs, strict=True):
        yield Used(drift.cpu + run.cpu, drift.wall + run.wall, one.used.peak)


if __name__ == "__main__":
    main(*sys.argv[1:])

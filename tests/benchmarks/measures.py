"""What is measured, at which sizes, and within which budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from tests.benchmarks import children, online
from tests.benchmarks.children import Used
from tests.benchmarks.limited import Limited
from tests.benchmarks.year import Year, days_of, year

Unit = Literal["CPU s", "wall s", "times", "MB", "a write"]


WHOLE_YEAR = 365


class Bench:
    """Where inputs are kept: each is made once, in a process of its own, so that it is in nobody's memory peak."""

    def __init__(self, work: Path, runs: int, days: int = WHOLE_YEAR) -> None:
        self.work = work
        self.runs = runs
        self.days = days
        self._limited: dict[int, list[tuple[Limited, Used]]] = {}

    def organization(self, users: int) -> str:
        """File of a recorded inventory."""
        path = self.work / f"organization-{users}.json"
        if not path.exists():
            children.command("tests.benchmarks.tasks", "organization", str(users), str(path))
        return str(path)

    def policies(self, *, policies: int = 0, lines: int = 0) -> str:
        """Folder of policies; with neither number one policy that finds nobody."""
        path = self.work / f"policies-{policies}-{lines}"
        if not path.exists():
            children.command("tests.benchmarks.tasks", "policies", str(path), str(policies), str(lines))
        return str(path)

    def year(self, users: int) -> Year:
        """What a year of an organization is like: made once, because it takes long."""
        repository = self.work / f"year-{users}-{self.days}"
        return year(self.organization(users), self.policies(), str(repository), self.days)

    def limited(self, writes: int) -> Iterator[tuple[Limited, Used]]:
        """Writes against a site that allows only so many, each run once for both of its figures."""
        for _ in range(self.runs - len(self._limited.setdefault(writes, []))):
            used, said = children.answer("tests.benchmarks.limited", str(writes))
            self._limited[writes].append((msgspec.json.decode(said, type=Limited), used))
        return iter(self._limited[writes])

    def each(self, run: Callable[[int], Used]) -> Iterator[Used]:
        """Run it as often as asked for."""
        return (run(number) for number in range(self.runs))


class Sample(Struct, frozen=True):
    """One run: the measured value in the unit of its measure, and what the process used for it."""

    value: float
    used: Used


Run = Callable[[Bench, int], Iterator[Used]]


class Measure(Struct, frozen=True, kw_only=True):
    """One thing that is measured. ``what`` may name the size; ``budgets`` has a value for some sizes.

    ``scale`` says whether sizes are numbers of users (``--users``), something of its own (``--size``) or nothing;
    ``usual`` are the sizes that are measured unless others are asked for.
    """

    name: str
    what: str
    unit: Unit = "CPU s"
    budgets: dict[int, float]
    usual: tuple[int, ...]
    scale: Literal["users", "own", "none"]
    run: Callable[[Bench, int], Iterator[Sample]]


def _cpu(run: Run) -> Callable[[Bench, int], Iterator[Sample]]:
    return lambda bench, size: (Sample(used.cpu, used) for used in run(bench, size))


def _wall(run: Run) -> Callable[[Bench, int], Iterator[Sample]]:
    return lambda bench, size: (Sample(used.wall, used) for used in run(bench, size))


def _help(bench: Bench, _: int) -> Iterator[Used]:
    return bench.each(lambda _: children.command("cleanup_gitops", "--help"))


def _validate(bench: Bench, _: int) -> Iterator[Used]:
    return bench.each(lambda _: children.command("cleanup_gitops", "validate"))


def _load(bench: Bench, lines: int) -> Iterator[Used]:
    folder = bench.policies(lines=lines)
    return bench.each(lambda _: children.task("load", folder))


def _digest(bench: Bench, changes: int) -> Iterator[Used]:
    return bench.each(lambda _: children.task("digest", str(changes)))


def _offline(bench: Bench, users: int) -> Iterator[Used]:
    organization, folder = bench.organization(users), bench.policies(policies=20)
    return bench.each(lambda _: children.command("tests.benchmarks.offline", organization, folder))


def _record(bench: Bench, users: int, day: str) -> Iterator[Used]:
    organization, folder = bench.organization(users), bench.policies()

    def one(number: int) -> Used:
        repository = bench.work / f"{day}-{users}-{number}"
        first = children.task("record", organization, folder, str(repository), "first")
        return first if day == "first" else children.task("record", organization, folder, str(repository), "quiet")

    return bench.each(one)


def _recorded(bench: Bench, users: int) -> Iterator[Used]:
    organization, folder = bench.organization(users), bench.policies()
    return bench.each(lambda _: children.task("recorded", organization, folder))


def _drift(bench: Bench, users: int) -> Iterator[Used]:
    organization, folder = bench.organization(users), bench.policies()
    return bench.each(lambda _: children.task("drift", organization, folder))


def _days(bench: Bench, users: int) -> Iterator[Sample]:
    return (Sample(used.wall, used) for used in days_of(bench.year(users)))


def _slowest(bench: Bench, users: int) -> Iterator[Sample]:
    yield max(_days(bench, users), key=lambda sample: sample.value)


def _weight(packed: Callable[[Year], float]) -> Callable[[Bench, int], Iterator[Sample]]:
    def weighed(bench: Bench, users: int) -> Iterator[Sample]:
        found = bench.year(users)
        yield Sample(packed(found), found.used)

    return weighed


def _verified(bench: Bench, users: int) -> Iterator[Used]:
    yield bench.year(users).verified


def _backtest(bench: Bench, users: int) -> Iterator[Used]:
    bench.year(users)
    repository = bench.work / f"year-{users}-{bench.days}"
    if not (repository / "policies").exists():
        children.command("tests.benchmarks.tasks", "policies", str(repository / "policies"), "1", "0")
    return bench.each(lambda _: children.command("cleanup_gitops", "-C", str(repository), "backtest", "policy-00000"))


def _task(name: str) -> Run:
    """A task on an organization and 20 policies."""

    def run(bench: Bench, users: int) -> Iterator[Used]:
        organization, folder = bench.organization(users), bench.policies(policies=20)
        return bench.each(lambda _: children.task(name, organization, folder))

    return run


NEAR = 20
"""Milliseconds on the way to a site that is nearer than any real one; 100 are usual."""


def _online(bench: Bench, users: int, latency: int) -> Iterator[Sample]:
    for pair in online.pairs(users, latency, bench.runs, bench.work):
        yield Sample(pair.plan.wall / pair.loop.wall, pair.plan)


def _limited(figure: Callable[[Limited], float]) -> Callable[[Bench, int], Iterator[Sample]]:
    return lambda bench, writes: (Sample(figure(found), used) for found, used in bench.limited(writes))


def _long(what: str, unit: Unit, run: Callable[[Bench, int], Iterator[Sample]], budget: float | None = None) -> Measure:
    """A row of the year; its budget is that of a whole year of 100,000 users."""
    budgets = {} if budget is None else {100_000: budget}
    return Measure(name="year", what=what, unit=unit, budgets=budgets, usual=(100_000,), scale="users", run=run)


MEASURES: tuple[Measure, ...] = (
    Measure(name="help", what="`--help`, whole process", budgets={1: 0.25}, usual=(1,), scale="none", run=_cpu(_help)),
    Measure(
        name="validate",
        what="`validate` of the example policies, whole process",
        budgets={1: 0.6},
        usual=(1,),
        scale="none",
        run=_cpu(_validate),
    ),
    Measure(
        name="load",
        what="load and check {size} lines of policies",
        budgets={2_500: 0.4, 75_000: 2.0},
        usual=(2_500, 75_000),
        scale="own",
        run=_cpu(_load),
    ),
    Measure(
        name="rules",
        what="20 policies with explanations over {size} users",
        budgets={100_000: 3.0, 1_000_000: 25.0},
        usual=(100_000,),
        scale="users",
        run=_cpu(_task("rules")),
    ),
    Measure(
        name="explain",
        what="why 20 policies do to one of {size} users what they do, beside the plan",
        budgets={100_000: 1.0},
        usual=(100_000,),
        scale="users",
        run=_cpu(_task("explain")),
    ),
    Measure(
        name="effect",
        what="20 policies and 20 others compared over {size} users",
        budgets={100_000: 8.0},
        usual=(100_000,),
        scale="users",
        run=_cpu(_task("effect")),
    ),
    Measure(
        name="digest",
        what="digest of {size} changes",
        budgets={100_000: 0.5},
        usual=(100_000,),
        scale="own",
        run=_cpu(_digest),
    ),
    Measure(
        name="offline",
        what="recorded inventory of {size} users to plan text, whole process",
        budgets={10_000: 0.25, 100_000: 1.5, 1_000_000: 14.0},
        usual=(10_000, 100_000),
        scale="users",
        run=_cpu(_offline),
    ),
    Measure(
        name="online",
        what=f"`plan` of {{size}} users against a bare loop over the same requests, {NEAR} ms away",
        unit="times",
        budgets={10_000: 1.25, 100_000: 1.25},
        usual=(10_000,),
        scale="users",
        run=lambda bench, users: _online(bench, users, NEAR),
    ),
    Measure(
        name="online-local",
        what="the same on one machine, 0 ms away",
        unit="times",
        budgets={},
        usual=(10_000,),
        scale="users",
        run=lambda bench, users: _online(bench, users, 0),
    ),
    Measure(
        name="limits",
        what="{size} writes by eight workers against a limit, and the shortest time that it allows",
        unit="times",
        budgets={400: 1.05},
        usual=(400,),
        scale="none",
        run=_limited(lambda found: found.times),
    ),
    Measure(
        name="limits-refused",
        what="answers 429 in the same",
        unit="a write",
        budgets={400: 0.05},
        usual=(400,),
        scale="none",
        run=_limited(lambda found: found.refusals),
    ),
    Measure(
        name="record",
        what="snapshot and commit of {size} users, first day",
        unit="wall s",
        budgets={100_000: 3.0},
        usual=(100_000,),
        scale="users",
        run=_wall(lambda bench, users: _record(bench, users, "first")),
    ),
    Measure(
        name="record-quiet",
        what="snapshot and commit of {size} users, a quiet day",
        unit="wall s",
        budgets={100_000: 1.0},
        usual=(100_000,),
        scale="users",
        run=_wall(lambda bench, users: _record(bench, users, "quiet")),
    ),
    Measure(
        name="recorded",
        what="recorded files of {size} users to an inventory",
        budgets={},
        usual=(100_000,),
        scale="users",
        run=_cpu(_recorded),
    ),
    Measure(
        name="drift",
        what="comparing a recorded inventory of {size} users with the site",
        budgets={},
        usual=(100_000,),
        scale="users",
        run=_cpu(_drift),
    ),
)
YEAR: tuple[Measure, ...] = (
    _long("a quiet day of {size} users: record of what others changed, and of the run", "wall s", _days),
    _long("the slowest day of {days}, {size} users", "wall s", _slowest),
    _long("{days} days of {size} users in git, as they are left", "MB", _weight(lambda one: one.as_left)),
    _long("the same after `git gc`", "MB", _weight(lambda one: one.collected)),
    _long("the same repacked, window and depth 50", "MB", _weight(lambda one: one.repacked), budget=25.0),
    _long("`audit verify` of the same, whole process", "wall s", _wall(_verified), budget=60.0),
    Measure(
        name="year",
        what="`backtest` of {days} days of {size} users with five other thresholds, whole process",
        unit="wall s",
        budgets={20_000: 60.0},
        usual=(20_000,),
        scale="users",
        run=_wall(_backtest),
    ),
)
"""Measured only when asked for by name, together, on one repository."""
NAMES = (*(measure.name for measure in MEASURES), "year")

"""Fresh processes, and what each of them used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

ROOT = Path(__file__).resolve().parent.parent.parent


class Used(Struct, frozen=True):
    """What a process used: processor and wall time in seconds, and the most memory it ever held, in MiB.

    ``peak`` counts the whole process, its inputs included, also where the times are those of one part.
    """

    cpu: float
    wall: float
    peak: float


class Timed(Struct, frozen=True):
    """Times of one part of a process, as the process itself prints them."""

    cpu: float
    wall: float


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: ours, without what would change the measured command."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTHON", "GIT_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **(more or {})}


def command(*arguments: str, more: Mapping[str, str] | None = None, success: Sequence[int] = (0,)) -> Used:
    """Run ``python -m ...`` and return what the whole process used, start and end included."""
    used, _ = _run(arguments, more, success)
    return used


def answer(*arguments: str) -> tuple[Used, bytes]:
    """Run ``python -m ...`` and return what the whole process used, and what it printed."""
    return _run(arguments, None, (0,))


def task(*arguments: str) -> Used:
    """Run one task of ``tests.benchmarks.tasks`` and return what the part that it times used."""
    used, said = _run(("tests.benchmarks.tasks", *arguments), None, (0,))
    part = msgspec.json.decode(said, type=Timed)
    return Used(part.cpu, part.wall, used.peak)


def _run(arguments: Sequence[str], more: Mapping[str, str] | None, success: Sequence[int]) -> tuple[Used, bytes]:
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment(more), stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout as stdout:
        said = stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in success:
        raise SystemExit(f"python -m {' '.join(arguments)} ended with {child.returncode}")
    return Used(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024), said

"""Work in forked processes: what a test leaves behind in one is never seen by another."""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import pytest


def passes(items: Sequence[pytest.Item]) -> bool:
    """Run tests in this process until one fails."""
    watch = _Watch()
    manager = items[0].config.pluginmanager
    manager.register(watch)
    try:
        for item in items:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if watch.failed:
                return False
        return True
    finally:
        manager.unregister(watch)


class _Watch:
    def __init__(self) -> None:
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed


class Broken(str):
    """The answer of work that did not end: what it raised, or nothing when it was killed."""

    __slots__ = ()


class Forks:
    """At most ``jobs`` forked processes at a time; answers come in the order in which work was started."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, tuple[int, int, float, bytearray]] = {}
        self._answers: dict[int, Any] = {}
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for descriptor in list(self._running):
            self._end(descriptor, answered=False)

    def start(self, work: Callable[[], object], limit: float) -> None:
        """Do this in a process of its own once there is room. After ``limit`` seconds it is killed."""
        while len(self._running) >= self._jobs:
            self._wait()
        number, self._started = self._started, self._started + 1
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            os.close(reading)
            _work(work, writing)
        os.close(writing)
        self._running[reading] = (number, process, time.monotonic() + limit, bytearray())
        self._selector.register(reading, selectors.EVENT_READ)

    def answers(self) -> list[Any]:
        """Wait for everything."""
        while self._running:
            self._wait()
        return [self._answers[number] for number in range(self._started)]

    def _wait(self) -> None:
        for key, _ in self._selector.select(0.5):
            data = os.read(key.fd, 1 << 20)
            if data:
                self._running[key.fd][3].extend(data)
            else:
                self._end(key.fd, answered=True)
        for descriptor, (_, _, until, _) in list(self._running.items()):
            if time.monotonic() > until:
                self._end(descriptor, answered=False)

    def _end(self, descriptor: int, *, answered: bool) -> None:
        number, process, _, data = self._running.pop(descriptor)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        if not answered:
            os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        self._answers[number] = pickle.loads(data) if answered and data else Broken()


def _work(work: Callable[[], object], writing: int) -> None:
    os.setpgid(0, 0)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        try:
            answer = pickle.dumps(work())
        except BaseException:  # noqa: BLE001 - who started the work is told
            answer = pickle.dumps(Broken(traceback.format_exc()))
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(answer)
    os._exit(0)

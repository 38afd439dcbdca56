"""What all readings of one site share: the calls, the place, the progress, and a bounded crew of workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from cleanup_gitops.model.ports import Clock, Progress
from cleanup_gitops.sites.cloud.endpoints import InDirectory
from cleanup_gitops.sites.exchange import WORKERS
from cleanup_gitops.sites.http import Http

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Client:
    """The organization's API for one directory, and Confluence's own."""

    admin: Http
    confluence: Http
    place: InDirectory
    clock: Clock
    progress: Progress | None = None

    def give_up(self) -> None:
        """Let workers end at their next call: nobody wants their answers any more."""
        self.admin.give_up()
        self.confluence.give_up()

    def resume_waiting(self) -> None:
        """Wait for the site again where it asks for that."""
        self.admin.resume_waiting()
        self.confluence.resume_waiting()

    def step(self, what: str, done: int, total: int | None) -> None:
        """Say how far it is."""
        if self.progress:
            self.progress.step(what, done, total)

    @contextmanager
    def workers(self, what: str, total: int) -> Iterator[Crew]:
        """A crew for ``total`` calls. On an error nothing further is started, and what runs is waited for."""
        crew = Crew(lambda done: self.step(what, done, total))
        try:
            yield crew
        except KeyboardInterrupt:
            self.give_up()
            raise
        finally:
            crew.disband()


class Crew:
    """A bounded pool that counts what is done."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="cleanup-gitops")
        self._tell = tell
        self._done = 0
        self._lock = threading.Lock()

    def submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        """Have ``work(*arguments)`` done."""
        future = self._pool.submit(work, *arguments)
        future.add_done_callback(self._count)
        return future

    def disband(self) -> None:
        """Drop what was not begun and wait for the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _count(self, future: Future[T]) -> None:
        if future.cancelled() or future.exception():
            return
        with self._lock:
            self._done += 1
            self._tell(self._done)

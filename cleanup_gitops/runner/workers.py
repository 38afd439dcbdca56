"""A bounded crew: so many pieces of work at a time, and whatever was begun is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workers:
    """At most ``number`` pieces of work at a time; a single worker does them in order, on the thread that asks."""

    number: int

    def each(self, work: Callable[[T], None], pieces: Sequence[T]) -> None:
        """Have every piece done, and come back when all are.

        An error that ``work`` lets out ends this: what was begun is finished, nothing else is started, and the first
        such error is raised.
        """
        if self.number == 1 or len(pieces) < 2:
            for piece in pieces:
                work(piece)
            return
        with ThreadPoolExecutor(min(self.number, len(pieces)), thread_name_prefix="cleanup-gitops") as crew:
            begun = [crew.submit(work, piece) for piece in pieces]
            try:
                for one in begun:
                    one.result()
            except BaseException:
                crew.shutdown(wait=True, cancel_futures=True)
                raise


ONE_BY_ONE = Workers(1)
CREW = Workers(8)
"""As many as one host is asked at a time: more do not make a site that limits its clients any faster."""

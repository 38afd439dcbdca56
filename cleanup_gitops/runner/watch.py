"""Whether a run may go on: nobody asked it to end, and the leases that it took are still its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta

from cleanup_gitops.model.errors import StateError, StoreError
from cleanup_gitops.model.ports import Clock, Store
from cleanup_gitops.runner.desk import Stop

INTERRUPTED = "the run was interrupted"
ENDED = "the run no longer holds its leases: somebody ended it with `recover`, or its record was changed"
OFTEN = timedelta(minutes=1)
"""Between two looks at the leases: for so long two runs may work side by side when one that is alive is recovered."""
SELDOM = timedelta(minutes=10)
"""After a look that failed: a remote that does not answer must not hold up what was begun."""


class Watch:
    """Asked between two changes, by any worker. ``leases`` are the files of the run's leases as it committed them."""

    def __init__(self, stop: Stop, store: Store, leases: Mapping[str, bytes], clock: Clock) -> None:
        self._stop = stop
        self._store = store
        self._leases = leases
        self._clock = clock
        self._next = clock.now() + OFTEN
        self._lost = ""
        self._looking = threading.Lock()

    def __call__(self) -> str:
        """Why the run must end here; "" while it may go on."""
        if self._stop():
            return INTERRUPTED
        if not self._lost and self._leases and self._looking.acquire(blocking=False):
            try:  # one worker looks, the others go on
                if self._clock.now() >= self._next:
                    self._look()
            finally:
                self._looking.release()
        return self._lost

    def _look(self) -> None:
        wait = OFTEN
        try:
            if not self._store.still_has(self._leases):
                self._lost = ENDED
        except StoreError:
            wait = SELDOM
        except StateError as error:  # such as a history that was rewritten
            self._lost = f"the run stopped: {error.message}"
        except Exception:  # noqa: BLE001 - the record of what was done must not be lost with a defect
            wait = SELDOM
        self._next = self._clock.now() + wait

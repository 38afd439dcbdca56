"""One apply at a time on one machine: a lock that the kernel takes back when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cleanup_gitops.model.errors import LeaseHeldError, StoreError

_TRIES, _INSTANT = 3, 0.02
"""How often, and after how many seconds, a lock is tried again that somebody may just be looking at."""


@contextmanager
def exclusive(path: Path, site: str) -> Iterator[None]:
    """Hold the lock in this file while the block lasts.

    Raises ``LeaseHeldError`` when another process holds it, ``StoreError`` when the file cannot be used.
    """
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}.", "It keeps two runs from each other.") from None
    try:
        try:
            _take(lock)
        except BlockingIOError:
            raise _held(lock, site) from None
        except OSError as error:
            raise StoreError(
                f"{path} cannot be locked: {error.strerror}.", "Keep the repository on a file system with locks."
            ) from None
        with suppress(OSError):  # a full disk: the lock is what counts, the number is only told
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(lock)


def _take(lock: int) -> None:
    """Lock it, with some patience for ``holder``, which holds it for an instant. Raises ``BlockingIOError``."""
    for _ in range(_TRIES):
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_INSTANT)
    return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def holder(path: Path) -> str:
    """The number of the process that holds the lock in this file, as far as it can be told; "" when nobody does."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _number(lock)
    except OSError:
        return ""
    finally:
        os.close(lock)
    return ""


def _number(lock: int) -> str:
    return os.read(lock, 20).decode("ascii", "replace").strip()


def _held(lock: int, site: str) -> LeaseHeldError:
    """Who holds the lock, as far as its file says; the time of the file is when it was taken."""
    since = datetime.fromtimestamp(int(os.fstat(lock).st_mtime), UTC)
    number = _number(lock)
    who = f"Process {number}" if number.isdecimal() else "Another process"
    return LeaseHeldError(
        f"{who} of this machine works on {site} since {since:%Y-%m-%d %H:%M:%S} UTC.",
        "Wait until it ends, and run again. Nothing was done.",
    )

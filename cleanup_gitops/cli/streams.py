"""Standard streams that cannot end a command: what a command does must not depend on who reads what it says."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TextIO, cast

_GONE = (errno.EPIPE, errno.EBADF)
"""Nobody listens any more, or never did (``| head``, ``>&-``): no loss to anybody."""


@dataclass
class Fate:
    """What became of a stream. ``lost`` is why it could not be written, "" when it was or nobody wanted it."""

    lost: str = ""


class _Outlet:
    """A text stream as it is, but for writing: after a first failure it drops what it gets."""

    def __init__(self, stream: TextIO, fate: Fate) -> None:
        self._stream = stream
        self._fate = fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush what can be written."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Lead the stream nowhere, so that neither what it still holds nor the interpreter's end fails again."""
        if error.errno not in _GONE:
            self._fate.lost = error.strerror or type(error).__name__
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def outlets() -> Iterator[Fate]:
    """Standard output and error that never fail, for as long as this lasts; what became of standard output.

    Inside of another one it does nothing. A stream that is missing stays so.
    """
    fate = Fate()
    before = (sys.stdout, sys.stderr)
    if any(isinstance(stream, _Outlet) for stream in before):
        yield fate
        return
    sys.stdout, sys.stderr = _outlet(sys.stdout, fate), _outlet(sys.stderr, Fate())
    try:
        yield fate
    finally:
        sys.stdout, sys.stderr = before


def _outlet(stream: TextIO | None, fate: Fate) -> TextIO:
    return cast("TextIO", stream and _Outlet(stream, fate))


def complete_streams() -> None:
    """Give a process that was started without standard streams (``>&-``) some that lead nowhere.

    Otherwise the next file that is opened would take their numbers. What an encoding cannot say is written as escapes.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # ASCII is what a bare environment says, not what anybody reads.
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")

"""Writing files that a user named."""

from __future__ import annotations

import os
import shlex
import stat
import tempfile
from pathlib import Path

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.plan import Plan

_SYSTEM = ("/dev/", "/proc/")
"""Below these a name is a stream, such as /dev/stdout, whatever it leads to: there is nothing to replace."""


def write_file(path: Path, data: bytes) -> None:
    """Replace the file in one step, readable by its owner only; a link stays, and what it leads to is replaced.

    What exists and is no file, such as a pipe, is written into. Raises ``CleanupError``.
    """
    try:
        if _is_stream(path):
            with path.open("wb") as stream:
                stream.write(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise CleanupError(f"{path} could not be written: {error.strerror}.") from None


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) or os.path.abspath(path).startswith(_SYSTEM)  # noqa: PTH100 - links as they are


def change_file(path: Path, before: bytes | None, after: bytes) -> None:
    """Write a file that is as it was (``before``; ``None``: it is not there) when its new bytes were made.

    Who may read it stays as it is, and so does a link. Raises ``CleanupError``, also when it has changed since.
    """
    try:
        if before is None:
            done = create_file(path, after)
        elif done := read_file(path) == before:
            _replace(Path(os.path.realpath(path)), after, mode=stat.S_IMODE(path.stat().st_mode))
    except OSError as error:
        raise CleanupError(f"{path} could not be written: {error.strerror}.") from None
    if not done:
        raise CleanupError(f"{path} has changed meanwhile, so nothing was written.", "Run the command again.")


def _replace(path: Path, data: bytes, *, mode: int | None = None) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".cleanup-gitops-")
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def saved(folder: Path, out: Path, plan: Plan) -> str:
    """Where a plan was written, and how to go on with it; ``folder`` is the repository."""
    if not plan.applyable:
        return f"The plan was saved to {out}. It is unsafe, so it cannot be applied."
    if not out.is_file():
        return f"The plan was written to {out}."
    if plan.rollback and not plan.changes and not plan.rollback.holds:
        return f"The plan was saved to {out}. There is nothing in it to apply."
    there = () if folder == Path() else ("-C", str(folder))
    return f"The plan was saved to {out}. Apply it with: {shlex.join(('cleanup-gitops', *there, 'apply', str(out)))}"


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises ``CleanupError``."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CleanupError(f"{path} could not be read: {error.strerror}.") from None


def create_file(path: Path, data: bytes) -> bool:
    """Write a new file, with its folders. False, and nothing is done, when there is one already.

    Raises ``CleanupError``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise CleanupError(f"{path} could not be written: {path.parent} is no folder.") from None
    except OSError as error:
        raise CleanupError(f"{path} could not be written: {error.strerror}.") from None
    return True

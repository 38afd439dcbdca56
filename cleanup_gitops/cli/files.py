"""Writing files that a user named."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cleanup_gitops.model.errors import CleanupError


def write_file(path: Path, data: bytes) -> None:
    """Replace the file in one step, readable by its owner only. Raises ``CleanupError``."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink()
            raise
    except OSError as error:
        raise CleanupError(f"{path} could not be written: {error.strerror}.") from None


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

"""Policy files of a folder: which they are, how they are named in messages, and their bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from cleanup_gitops.policy.problems import Problem
from cleanup_gitops.policy.yaml_text import MAX_BYTES

SUFFIXES = (".yaml", ".yml")


def label(path: Path, folder: Path) -> str:
    """A file as messages name it, seen from the folder's parent; bytes that are no text are escaped."""
    name = (Path(folder.name) / path.relative_to(folder)).as_posix()
    readable = name.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in readable)


def policy_files(folder: Path) -> tuple[list[Path], list[Problem]]:
    """Files ending in .yaml or .yml at any depth, sorted, and what keeps a file or folder from being read.

    Names that begin with a dot are left out, as usual for hidden files. ``folder`` is a resolved path.
    """
    found: list[Path] = []
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        path = Path(os.fsdecode(error.filename)) if error.filename else folder
        problems.append(_whole(path, folder, f"this folder cannot be read ({error.strerror})"))

    for where, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(where)
        problems += [
            _whole(here / name, folder, "a linked folder is not read; put a real folder here")
            for name in folders
            if (here / name).is_symlink()
        ]
        found += [here / name for name in files if not name.startswith(".") and name.lower().endswith(SUFFIXES)]
    return sorted(found, key=lambda path: path.as_posix()), problems


def contents(paths: list[Path], folder: Path, proposed: Mapping[Path, bytes]) -> Iterator[tuple[str, bytes | Problem]]:
    """Name and bytes of each file, or why it cannot be read; of ``proposed`` files those that they are to have."""
    for path in paths:
        yield label(path, folder), proposed[path] if path in proposed else _bytes_of(path, folder)


def _bytes_of(path: Path, folder: Path) -> bytes | Problem:
    try:
        if not path.resolve(strict=True).is_relative_to(folder):
            return _whole(path, folder, "a link that leads out of the policy folder is not read")
        if not stat.S_ISREG(path.stat().st_mode):
            return _whole(path, folder, "not a regular file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return _whole(path, folder, f"the file cannot be read ({error.strerror})")
    except RuntimeError:  # how Python 3.11 reports links that lead round in a circle
        return _whole(path, folder, "a link that leads to itself")


def _whole(path: Path, folder: Path, message: str) -> Problem:
    return Problem(label(path, folder), 1, 1, message)

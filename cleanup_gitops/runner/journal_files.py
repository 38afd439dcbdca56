"""Journals as files beside the policies: ``.cleanup-gitops/<site>/<run>.journal.jsonl``, a folder that git ignores."""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from pathlib import Path

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.runner.journal import Header, Journal, JournalError, Line, line_bytes

FOLDER = ".cleanup-gitops"
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")
_IGNORED = b"# Journals of runs belong to this machine alone.\n*\n"


class FileJournals:
    """The journals of one site below the folder that holds the policies. See ``runner.journal.Journals``."""

    def __init__(self, folder: Path, site: str) -> None:
        self._top = folder / FOLDER
        self._site = layout.site_folder(site).rpartition("/")[2]

    def place(self, run: str) -> str:
        """Relative to the folder of the policies."""
        path = self._path(run)
        return self._told(run) if path is not None and path.is_file() else ""

    def check(self) -> None:
        """Write a file and remove it again."""
        probe = self._top / self._site / f"probe-{os.getpid()}"
        try:
            self._make_folder()
            handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _write(handle, _IGNORED)
            finally:
                os.close(handle)
                probe.unlink()
        except OSError as error:
            raise JournalError(f"{FOLDER}/{self._site}", _reason(error)) from None

    def begin(self, header: Header) -> Journal:
        """A new file; one that is there already is not touched."""
        path = self._path(header.run)
        if path is None:
            raise JournalError(self._told(header.run), "the name of the run is no file name")
        with suppress(OSError):  # the file will tell
            self._make_folder()
        return _File(path, self._told(header.run), line_bytes(header))

    def read(self, run: str) -> bytes | None:
        """The bytes of the file."""
        path = self._path(run)
        try:
            return None if path is None else path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(
                f"The journal {self._told(run)} cannot be read: {_reason(error)}.",
                "Nothing was recorded. Make it readable, or move it away to end the run by what the site shows alone.",
            ) from None

    def end(self, run: str) -> None:
        """Remove the file. One that stays does no harm: its run is recorded."""
        path = self._path(run)
        if path is not None:
            with suppress(OSError):
                path.unlink()

    def _path(self, run: str) -> Path | None:
        return self._top / self._site / f"{run}.journal.jsonl" if _RUN.fullmatch(run) else None

    def _told(self, run: str) -> str:
        """Without the folders above, whose names may be those of people."""
        return f"{FOLDER}/{self._site}/{run}.journal.jsonl"

    def _make_folder(self) -> None:
        (self._top / self._site).mkdir(parents=True, exist_ok=True)
        ignored = self._top / ".gitignore"
        if not ignored.exists():
            ignored.write_bytes(_IGNORED)


class _File:
    """One journal. Its lines are on the disk when ``add`` comes back."""

    def __init__(self, path: Path, told: str, first: bytes) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._file: int | None = None
        self._broken = ""
        try:
            self._file = _created(path)
            _write(self._file, first)
        except OSError as error:
            self._broken = _reason(error)

    def add(self, line: Line) -> None:
        """After one failure nothing is written any more: half a line must not be followed by others."""
        with self._lock:
            if self._file is not None and not self._broken:
                try:
                    _write(self._file, line_bytes(line))
                except OSError as error:
                    self._broken = _reason(error)
            if self._broken:
                raise JournalError(self._told, self._broken)

    def __del__(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)


def _created(path: Path) -> int:
    """A new file, which its folder knows of even if the power fails now."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return file


def _write(file: int, data: bytes) -> None:
    """All of it, through to the disk."""
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__

"""The hash chain: each line of the ledger names the SHA-256 of the stored bytes of the line before it.

The chain goes on over the month files. Bytes are hashed as they are stored, so checking it needs no JSON at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.run import LedgerEntry

FORMAT = 1
"""Of all that is stored for a site: ledger, snapshot, intents and leases."""
GENESIS = "0" * 64
"""What the first line of all names as the line before it."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding bytes from elsewhere may raise."""
HINT = (
    "Nothing was done. See who changed the recorded state with `git log -p` on its folder, and bring back the files"
    " of the last commit made by this tool."
)
_OTHER_VERSION = "Use the version of cleanup-gitops that wrote it, or a newer one."


class Versioned(Protocol):
    """A stored document that says its format."""

    @property
    def format(self) -> int:
        """The format that it was written in."""
        ...


Document = TypeVar("Document", bound=Versioned)


class Tail(Struct, frozen=True):
    """The end of the chain: entries of the two newest months, and the SHA-256 of the last line (the head)."""

    entries: tuple[LedgerEntry, ...]
    head: str


def link(line: bytes) -> str:
    """SHA-256 of a stored line without its LF, in hex: what the next line names as ``prev``."""
    return hashlib.sha256(line).hexdigest()


def line_of(entry: LedgerEntry) -> bytes:
    """The stored bytes of an entry, without the LF."""
    return canonical(entry)


def read_tail(files: Mapping[str, bytes]) -> Tail | None:
    """The two newest months of the chain, checked line by line; ``None`` when there is no ledger.

    Raises ``StateError`` when a line does not parse, or does not follow from the one before.
    """
    paths = layout.ledger_files(files)
    if not paths:
        return None
    prev, sequence = None, None
    if len(paths) > 2:
        lines = _lines(paths[-3], files[paths[-3]])
        prev, sequence = link(lines[-1]), entry_of(f"{paths[-3]}:{len(lines)}", lines[-1]).seq
    entries: list[LedgerEntry] = []
    for path in paths[-2:]:
        for number, line in enumerate(_lines(path, files[path]), start=1):
            entry = entry_of(f"{path}:{number}", line)
            _check_link(f"{path}:{number}", entry, prev, sequence)
            prev, sequence = link(line), entry.seq
            entries.append(entry)
    return Tail(tuple(entries), prev or GENESIS)


def _check_link(where: str, entry: LedgerEntry, prev: str | None, sequence: int | None) -> None:
    """Whether the entry goes on after the line before it; ``None``: it is the first line of all."""
    if prev is None or sequence is None:
        if entry.kind == "roll-over":  # goes on from another repository
            return
        prev, sequence = GENESIS, 0
    if entry.prev != prev:
        raise StateError(f"{where} does not name the line before it: the ledger was edited.", HINT)
    if entry.seq != sequence + 1:
        raise StateError(f"{where} has number {entry.seq} where {sequence + 1} follows: the ledger was edited.", HINT)


def _lines(path: str, data: bytes) -> list[bytes]:
    """The lines of a ledger file, at least one, without their LF."""
    if not data.endswith(b"\n"):
        raise StateError(f"{path} is empty or its last line was cut off.", HINT)
    return data[:-1].split(b"\n")


def read_document(where: str, data: bytes, sort: type[Document]) -> Document:
    """What a stored file holds, which says its format. Raises ``StateError`` that begins with ``where``."""
    try:
        found = msgspec.json.decode(data, type=sort)
    except UNREADABLE as error:
        raise StateError(f"{where} cannot be read: {error}.", HINT) from None
    if found.format != FORMAT:
        raise StateError(f"{where} has format {found.format}; this version knows {FORMAT}.", _OTHER_VERSION)
    return found


def entry_of(where: str, line: bytes) -> LedgerEntry:
    """The entry of a stored line. Raises ``StateError`` that begins with ``where``."""
    try:
        entry = msgspec.json.decode(line, type=LedgerEntry)
    except UNREADABLE as error:
        raise StateError(f"{where} is not a ledger entry: {error}.", HINT) from None
    if entry.format != FORMAT:
        raise StateError(f"{where} has ledger format {entry.format}; this version knows {FORMAT}.", _OTHER_VERSION)
    return entry

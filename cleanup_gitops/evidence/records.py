"""The records of a period, each with the commit that holds it, its outcomes and what others had changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date
from typing import TypeVar

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.chain import GENESIS, UNREADABLE, entry_of, link
from cleanup_gitops.ledger.rows import Manifest, read_manifest
from cleanup_gitops.ledger.snapshots import Contents
from cleanup_gitops.ledger.subjects import INTENT_KIND
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.run import LedgerEntry, OutcomeRecord

HINT = "`cleanup-gitops audit verify` says all that does not fit. Nothing is told of a record that is not whole."
_Row = TypeVar("_Row", OutcomeRecord, Difference)


class Record(Struct, frozen=True, kw_only=True):
    """One entry of the ledger, and the commit that brought it.

    ``head`` is the SHA-256 of its line. ``outcomes`` are what became of its changes, ``found`` what others had changed
    before it, or meanwhile.
    """

    commit: str
    entry: LedgerEntry
    head: str
    outcomes: tuple[OutcomeRecord, ...] = ()
    found: tuple[Difference, ...] = ()

    @property
    def day(self) -> date:
        """The UTC day on which it was made."""
        return self.entry.time.astimezone(UTC).date()


def read_records(
    commits: Sequence[Commit], history: Contents, first: date | None = None, last: date | None = None
) -> tuple[Record, ...]:
    """The records from the UTC day ``first`` to ``last``, both included, oldest first.

    The chain is checked from its first line, and the files of the period by their digests. Raises ``StateError`` when
    something does not fit, or cannot be read.
    """
    holders = {one.trailers.get("Ledger-Head", ""): one for one in commits if _brings_an_entry(one)}
    wanted: list[tuple[Record, Commit]] = []
    for where, head, entry in _chained(commits, history):
        commit = holders.get(f"sha256:{head}")
        if commit is None:
            raise StateError(f"{where} is an entry of the ledger that no commit of the history brought.", HINT)
        record = Record(commit=commit.id, entry=entry, head=head)
        if (first is None or first <= record.day) and (last is None or record.day <= last):
            wanted.append((record, commit))
    return tuple(_filled(wanted, history))


def newest_manifest(commits: Sequence[Commit], history: Contents) -> Manifest:
    """The manifest of the newest snapshot. Raises ``StateError`` when there is none."""
    names = [name for one in commits if (name := one.changed.get(layout.MANIFEST))]
    if not names:
        raise StateError("There is no snapshot in this history yet.", "The first apply makes the first one.")
    return read_manifest(next(history.contents(names[-1:])))


def _brings_an_entry(commit: Commit) -> bool:
    return commit.trailers.get("Kind", INTENT_KIND) != INTENT_KIND


def _chained(commits: Sequence[Commit], history: Contents) -> Iterator[tuple[str, str, LedgerEntry]]:
    """Each line of the ledger: where it stands, its hash, and the entry."""
    newest: dict[str, str | None] = {}
    for one in commits:
        newest.update((path, name) for path, name in one.changed.items() if path.startswith(layout.LEDGER))
    files = {path: newest[path] for path in layout.ledger_files(newest) if newest[path]}
    head = ""
    for path, data in zip(files, history.contents([str(name) for name in files.values()]), strict=True):
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
            where = f"{path}:{number}"
            entry = entry_of(where, line)
            if head and entry.prev != head:
                raise StateError(f"{where} does not name the line before it.", HINT)
            if not head and entry.origin is None and entry.prev != GENESIS:
                raise StateError(f"{where} is the first line, and names one before it.", HINT)
            head = link(line)
            yield where, head, entry


def _filled(wanted: Sequence[tuple[Record, Commit]], history: Contents) -> Iterator[Record]:
    """The records with what their files hold."""
    files = [(record, path, name) for record, commit in wanted for path, name in _files(record.entry, commit).items()]
    held: dict[str, dict[str, bytes]] = {}
    for (record, path, _), data in zip(files, history.contents([name for *_, name in files]), strict=True):
        if sha256(data) != record.entry.digests.get(path):
            raise StateError(f"{path} in commit {record.commit[:12]} is not the file that the ledger names.", HINT)
        held.setdefault(record.head, {})[path] = data
    for record, _ in wanted:
        own = held.get(record.head, {})
        yield msgspec.structs.replace(
            record,
            outcomes=tuple(_rows(own, layout.run_file(record.entry.run, layout.OUTCOMES), OutcomeRecord)),
            found=tuple(_rows(own, layout.run_file(record.entry.run, layout.DRIFT), Difference)),
        )


def _files(entry: LedgerEntry, commit: Commit) -> dict[str, str]:
    """Outcomes and differences of the record, with the names of their contents."""
    found: dict[str, str] = {}
    for path in (layout.run_file(entry.run, layout.OUTCOMES), layout.run_file(entry.run, layout.DRIFT)):
        name = commit.changed.get(path)
        if name:
            found[path] = name
        elif path in entry.digests:
            raise StateError(f"{path} is named by the ledger, and commit {commit.id[:12]} does not bring it.", HINT)
    return found


def _rows(files: Mapping[str, bytes], path: str, sort: type[_Row]) -> list[_Row]:
    data = files.get(path, b"").removesuffix(b"\n")
    try:
        return [msgspec.json.decode(line, type=sort) for line in data.split(b"\n")] if data else []
    except UNREADABLE as error:
        raise StateError(f"{path} cannot be read: {error}.", HINT) from None

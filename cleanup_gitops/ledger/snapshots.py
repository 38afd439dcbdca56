"""The recorded snapshots of one site, day by day, as the commits of its branch left them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Protocol

from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.model.change import TAKING
from cleanup_gitops.model.errors import StateError

_ACTIONS = re.compile(r"([a-z.]+)=([0-9]+)")
"""What the trailer ``Actions`` of a record counts."""


class Contents(Protocol):
    """Where the contents of files are found by their names in git."""

    def contents(self, names: Sequence[str]) -> Iterator[bytes]:
        """The bytes of these contents, one after the other."""
        ...


class RecordedDay(Struct, frozen=True, kw_only=True):
    """The last snapshot that was read on a UTC day, and the commit that holds it.

    ``changed``: files that are not as in the snapshot of the day before, with the names of their contents.
    """

    commit: str
    as_of: datetime
    changed: Mapping[str, str | None]

    @property
    def day(self) -> date:
        """The UTC day."""
        return self.as_of.astimezone(UTC).date()


def recorded_days(
    commits: Iterable[Commit], history: Contents, first: date | None = None, last: date | None = None
) -> tuple[RecordedDay, ...]:
    """The last snapshot of each UTC day from ``first`` to ``last``, oldest first.

    A snapshot that says it is older than one before it counts for no day: what it tells comes with the next one. Raises
    ``StateError`` when a manifest cannot be read.
    """
    listed = list(commits)
    made = [one for one in listed if one.changed.get(layout.MANIFEST)]
    texts = history.contents([str(one.changed[layout.MANIFEST]) for one in made])
    read: dict[str, datetime] = {}
    for one, text in zip(made, texts, strict=True):
        try:
            read[one.id] = read_manifest(text).as_of
        except StateError as error:
            raise StateError(f"Commit {one.id[:12]}: {error.message}", error.hint) from None
    wanted = _of_days([(one.id, read[one.id]) for one in made], first, last)
    return tuple(_gathered(listed, read, wanted))


def taken_by_runs(commits: Iterable[Commit], days: Sequence[RecordedDay]) -> int:
    """How many changes that take something away the runs between the first and the last of these days recorded."""
    wanted = {one.commit for one in (days[0], days[-1])} if days else set()
    inside = False
    found = 0
    for one in commits:
        if inside:
            found += sum(
                int(number) for action, number in _ACTIONS.findall(one.trailers.get("Actions", "")) if action in TAKING
            )
        if one.id in wanted:
            inside = not inside and len(wanted) == 2
    return found


def _of_days(snapshots: Iterable[tuple[str, datetime]], first: date | None, last: date | None) -> set[str]:
    """The last commit of each day."""
    newest: datetime | None = None
    found: dict[date, str] = {}
    for commit, as_of in snapshots:
        if newest is not None and as_of < newest:
            continue
        newest = as_of
        day = as_of.astimezone(UTC).date()
        if (first is None or first <= day) and (last is None or day <= last):
            found[day] = commit
    return set(found.values())


def _gathered(commits: Iterable[Commit], read: Mapping[str, datetime], wanted: set[str]) -> Iterator[RecordedDay]:
    changed: dict[str, str | None] = {}
    for one in commits:
        changed.update((path, name) for path, name in one.changed.items() if _of_snapshot(path))
        if one.id in wanted:
            yield RecordedDay(commit=one.id, as_of=read[one.id], changed=changed)
            changed = {}


def _of_snapshot(path: str) -> bool:
    return path == layout.MANIFEST or path.startswith((layout.ACCOUNTS, layout.GROUPS))


def files_of(days: Sequence[RecordedDay], history: Contents) -> Iterator[tuple[RecordedDay, dict[str, bytes | None]]]:
    """Each day with what its changed files hold; they are read as they are asked for."""
    names = [name for one in days for name in one.changed.values() if name]
    contents = history.contents(names)
    for one in days:
        yield one, {path: next(contents) if name else None for path, name in one.changed.items()}

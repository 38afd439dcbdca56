"""A list of last sightings in a CSV file, read strictly: what cannot be understood is an error with its line.

The form of the file is that of ``csv_rows``, with the two columns that the Site document names, in any order and among
others. Times are ISO 8601, a date alone is that whole day, and what has no zone is UTC. A few words say that somebody
was not seen; they are no evidence of idleness, the account is simply not in the list. Nothing of a value gets into an
error: it may be a name or an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from cleanup_gitops.model.activity import Seen, newest
from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.policy.csv_rows import CsvError, csv_rows

NO_SIGHTING = frozenset({"", "never", "never accessed"})
"""Words for "not seen", in lower case."""
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?P<time>[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
_HINT = "Correct the list {path}, or take csv out of spec.activity.sources. Nothing was read from the site."
"""The way to the file is told here and not in the message, which is recorded: it may lead through somebody's home."""


class Listed(Struct, frozen=True):
    """Sightings by account id, newest of each; ``rows`` below the header, those without a sighting included."""

    sightings: dict[str, Seen]
    rows: int


def read_sightings(path: Path, *, account: str, seen: str, now: datetime) -> Listed:
    """The sightings in the file. ``account`` and ``seen`` are names of columns, ``now`` bounds what can be true.

    Raises `SiteError` naming the file and the line.
    """
    sightings: dict[str, Seen] = {}
    rows = 0
    for line, who, when in _rows(path, account, seen):
        rows += 1
        if not who or "@" in who or any(char.isspace() for char in who):
            raise _wrong(path, line, f"column {account!r} holds no account id")
        sighting = _sighting(when)
        if sighting is None:
            if when.casefold() in NO_SIGHTING:
                continue
            raise _wrong(path, line, f"column {seen!r} holds no date or time in ISO 8601, such as 2026-05-01")
        if sighting.earliest > now.astimezone(UTC) + timedelta(days=1):
            raise _wrong(path, line, f"column {seen!r} holds a date in the future")
        known = newest(sighting, *(one for one in (sightings.get(who),) if one))
        if isinstance(known, Seen):
            sightings[who] = known
    return Listed(sightings, rows)


def _rows(path: Path, account: str, seen: str) -> Iterator[tuple[int, str, str]]:
    """Line, account and sighting of every row."""
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"The activity list {path.name} cannot be read ({error.strerror})."
        raise SiteError(what, _HINT.format(path=path)) from None
    try:
        for line, (who, when) in csv_rows(data, [account, seen], "spec.activity.csv of the site"):
            yield line, who, when
    except CsvError as error:
        raise _wrong(path, error.line, error.what) from None


def _sighting(text: str) -> Seen | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(microsecond=0, tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
    return Seen(at, at, "csv") if found["time"] else Seen(at, at + timedelta(days=1, seconds=-1), "csv")


def _wrong(path: Path, line: int, what: str) -> SiteError:
    return SiteError(f"{path.name}:{line}: {what}.", _HINT.format(path=path))

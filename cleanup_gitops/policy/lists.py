"""Lists of people outside the repository, as ``listed_in`` names them: CSV files of account ids or e-mail addresses.

Values are read strictly (see ``csv_rows``): a cell that is no id or no address is an error, never somebody who is not
listed. What a list holds is asked here and shown nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cleanup_gitops.policy.csv_rows import CsvError, csv_rows
from cleanup_gitops.policy.patterns import account_id, normal_email
from cleanup_gitops.policy.roster_rows import NO_ROSTERS, Rosters
from cleanup_gitops.policy.tree import ListedIn


@dataclass(frozen=True, slots=True)
class UserList:
    """One list as it was read: ids, or addresses in their normal form, as the condition that asks for it says.

    ``name`` is the variable or the path by which policies name the file, ``digest`` the SHA-256 of its bytes, ``rows``
    their number below the header, those that stand twice included.
    """

    name: str
    entries: frozenset[str] = field(repr=False)
    rows: int
    digest: str

    @property
    def words(self) -> str:
        """How texts speak of the list: ``HR_LEAVERS_CSV (1,204 rows)``."""
        return f"{self.name} ({self.rows:,} row{'' if self.rows == 1 else 's'})"


@dataclass(frozen=True, slots=True)
class Lists(Mapping[ListedIn, UserList]):
    """The lists that were read, by the conditions that ask for them, and the rosters by name."""

    lists: Mapping[ListedIn, UserList] = field(default_factory=dict)
    rosters: Rosters = field(default_factory=lambda: NO_ROSTERS)

    def __getitem__(self, asked: ListedIn) -> UserList:
        return self.lists[asked]

    def __iter__(self) -> Iterator[ListedIn]:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)


NO_LISTS = Lists()


def user_list(asked: ListedIn, data: bytes) -> UserList:
    """The list that a condition asks for, from the bytes of its file. Raises ``CsvError``."""
    return UserList(asked.source, *_entries(asked, data), f"sha256:{sha256(data).hexdigest()}")


def _entries(asked: ListedIn, data: bytes) -> tuple[frozenset[str], int]:
    found: set[str] = set()
    rows = 0
    what = "account id" if asked.by == "account" else "e-mail address"
    for line, (cell,) in csv_rows(data, [asked.column], "`listed_in`"):
        rows += 1
        entry = account_id(cell) if asked.by == "account" else normal_email(cell)
        if entry is None:
            held = "is empty" if not cell else f"holds no {what}"
            raise CsvError(line, f"column {asked.column!r} {held}")
        found.add(entry)
    return frozenset(found), rows


def lies_inside(path: str, repository: Path) -> bool:
    """Whether a path that starts from the repository stays in it, as written: links are not followed."""
    return Path(os.path.abspath(repository / path)).is_relative_to(os.path.abspath(repository))  # noqa: PTH100

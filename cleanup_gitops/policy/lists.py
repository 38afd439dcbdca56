"""Lists of people outside the repository, as ``listed_in`` names them: CSV files of account ids or e-mail addresses.

Values are read strictly (see ``csv_rows``): a cell that is no id or no address is an error, never somebody who is not
listed. What a list holds is asked here and shown nowhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from cleanup_gitops.policy.csv_rows import CsvError, csv_rows
from cleanup_gitops.policy.patterns import normal_email
from cleanup_gitops.policy.tree import ListedIn

# Every id of the vendor holds a digit; words for "none" in any language do not.
_ACCOUNT = re.compile(r"(?=[^0-9]*[0-9])[^\s@/*?,;\"'#]{1,128}")


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


Lists = Mapping[ListedIn, UserList]
"""The lists that were read, by the conditions that ask for them."""
NO_LISTS: Lists = MappingProxyType({})


def user_list(asked: ListedIn, data: bytes) -> UserList:
    """The list that a condition asks for, from the bytes of its file. Raises ``CsvError``."""
    return UserList(asked.source, *_entries(asked, data), f"sha256:{sha256(data).hexdigest()}")


def _entries(asked: ListedIn, data: bytes) -> tuple[frozenset[str], int]:
    found: set[str] = set()
    rows = 0
    what = "account id" if asked.by == "account" else "e-mail address"
    for line, (cell,) in csv_rows(data, [asked.column], "`listed_in`"):
        rows += 1
        entry = _account(cell) if asked.by == "account" else normal_email(cell)
        if entry is None:
            held = "is empty" if not cell else f"holds no {what}"
            raise CsvError(line, f"column {asked.column!r} {held}")
        found.add(entry)
    return frozenset(found), rows


def _account(cell: str) -> str | None:
    return cell if cell.isprintable() and _ACCOUNT.fullmatch(cell) else None


def lies_inside(path: str, repository: Path) -> bool:
    """Whether a path that starts from the repository stays in it, as written: links are not followed."""
    return Path(os.path.abspath(repository / path)).is_relative_to(os.path.abspath(repository))  # noqa: PTH100

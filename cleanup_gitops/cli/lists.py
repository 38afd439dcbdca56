"""Lists of people that conditions ask for: found by variable or path, and read once, before a site is asked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.csv_rows import CsvError
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.lists import Lists, user_list
from cleanup_gitops.policy.roster import Roster
from cleanup_gitops.policy.roster_rows import RosterRows, roster_rows
from cleanup_gitops.policy.tree import Match

_NOTHING_READ = "Nothing was read from the site."


def policy_lists(policies: SitePolicies, folder: Path) -> Lists:
    """The lists that the policies of one site ask for, and its rosters. Raises ``CleanupError``, as below."""
    named = ((f"policy {one.name} ({one.where})", match) for one in policies.policies for match in one.conditions)
    lists = read_lists(named, folder)
    return Lists(lists.lists, {one.name: read_roster(one, folder) for one in policies.rosters})


def read_roster(roster: Roster, folder: Path) -> RosterRows:
    """The rows of one roster. Raises ``CleanupError``, as below: what cannot be read is not "nobody leaves"."""
    source, who = roster.source, f"the Roster {roster.name} ({roster.where})"
    data = _bytes_of(source.name, source.path, folder, who)
    try:
        return roster_rows(source, data)
    except CsvError as error:
        hint = f"Correct the list, or how `source` says that it is written; {who} asks for it. {_NOTHING_READ}"
        raise CleanupError(f"{source.name}:{error.line}: {error.what}.", hint) from None


def read_lists(named: Iterable[tuple[str, Match]], folder: Path) -> Lists:
    """The lists that these conditions ask for; ``folder`` is the repository, from which relative paths start.

    Each file is read once, whoever asks. Raises ``CleanupError`` about the first list that cannot be used: with the
    line and who asks, and with nothing that stands in it.
    """
    asked = {one: who for who, match in named for one in match.lists}
    files = {one.source: one for one in asked}
    data = {name: _bytes_of(name, one.path, folder, asked[one]) for name, one in sorted(files.items())}
    found = {}
    for one in sorted(asked, key=lambda one: (one.source, one.column, one.by)):
        try:
            found[one] = user_list(one, data[one.source])
        except CsvError as error:
            hint = f"Correct the list; {asked[one]} asks for it. {_NOTHING_READ}"
            raise CleanupError(f"{one.source}:{error.line}: {error.what}.", hint) from None
    return Lists(found)


def _bytes_of(name: str, path: str | None, folder: Path, who: str) -> bytes:
    """What a file outside the repository holds; ``name`` is a variable that holds its path, where there is none."""
    given = path or os.environ.get(name, "").strip()
    if not given:
        raise CleanupError(
            f"The environment variable {name} (path of a list of people) is not set or empty.",
            f"Set it to the path of a CSV file: {who} asks for it. {_NOTHING_READ}",
        )
    file = folder / given
    try:
        inside = file.resolve().is_relative_to(folder.resolve())
        data = b"" if inside else file.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no path"
        raise CleanupError(
            f"The list {name} cannot be read ({reason}).",
            f"A list that cannot be read is not an empty one; {who} asks for it. {_NOTHING_READ}",
        ) from None
    if inside:
        raise CleanupError(
            f"The list {name} lies in the repository, where personal data must not lie.",
            f"Put the file outside of it; {who} asks for it. {_NOTHING_READ}",
        )
    return data

"""The snapshot that a commit, a tag or a branch holds: found with git alone, without a remote and without the site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.recorded import Recorded
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.hidden import check_nothing_hidden, plain_rows
from cleanup_gitops.ledger.repository.place import Place, find_here, find_place
from cleanup_gitops.ledger.rows import read_manifest
from cleanup_gitops.model.errors import StateError, StoreError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.policy.site import USUAL_PLACE, StateSettings

NEWEST = "HEAD"
"""The word for the newest commit of the branch that holds the records, whichever is checked out."""


class Revision(Struct, frozen=True):
    """A recorded snapshot: the commit in which it was found, its serial, when the site was read (UTC), and a reader.

    ``memory`` is what the next run knew of earlier ones.
    """

    commit: str
    serial: int
    as_of: datetime
    reader: Recorded
    memory: Memory


def find_revision(
    root: Path,
    site: str,
    revision: str,
    environment: Mapping[str, str] | None = None,
    settings: StateSettings = USUAL_PLACE,
) -> Revision:
    """The snapshot of the site as it is in this revision; ``root`` is a folder in a git working tree.

    Raises ``StoreError`` when there is no such revision, or no snapshot in it; ``StateError`` when what is there does
    not fit its own ledger.
    """
    git = Git(root.absolute(), environment)
    here = find_here(git)
    check_nothing_hidden(git)
    commit = _commit(git, find_place(git, settings), revision)
    files = _files(git, commit, f"{here.prefix}{layout.site_folder(site)}")
    short = commit[:12]
    data = files.get(layout.MANIFEST)
    if not files or (data is None and layout.ledger_files(files)):
        raise StoreError(
            f"Commit {short} holds no snapshot of {site}.",
            f"`git log -- {layout.site_folder(site)}/{layout.MANIFEST}` lists the commits that made one.",
        )
    try:
        memory = memory_of(files, site)
        reader = Recorded(files)
        manifest = read_manifest(files[layout.MANIFEST])
    except StateError as error:
        raise StateError(f"The record of {site} in commit {short} is not sound: {error.message}", error.hint) from None
    return Revision(commit, manifest.serial, manifest.as_of, reader, memory)


def _commit(git: Git, place: Place, revision: str) -> str:
    """The id of the commit. Raises ``StoreError``."""
    for name in _names(place, revision):
        if found := git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"):
            return found
    raise StoreError(
        f"There is no commit {revision!r} in {git.folder}.",
        "Name a commit, a tag or a branch; HEAD is the newest record. In a shallow clone, `git fetch --unshallow`.",
    )


def _names(place: Place, revision: str) -> list[str]:
    """What git may call the revision. HEAD, and what is counted from it, is about the branch that holds the records."""
    rest = revision.removeprefix(NEWEST)
    if not place.separate or rest == revision or (rest and rest[0] not in "~^@"):
        return [revision]
    return [*([place.tracking + rest] if place.remote else []), place.ref + rest]


def _files(git: Git, commit: str, folder: str) -> dict[str, bytes]:
    """The files below the folder of a site, those of single runs left out."""
    rows = {row.path.removeprefix(f"{folder}/"): row.name for row in plain_rows(git, commit, folder)}
    names = {path: name for path, name in rows.items() if not path.startswith(layout.RUNS)}
    return dict(zip(names, git.objects(list(names.values())), strict=True))

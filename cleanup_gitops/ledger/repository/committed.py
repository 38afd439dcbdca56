"""The policies of a commit, a tag or a branch, as files: what git stores, no filter between."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.objects import Row, listed
from cleanup_gitops.ledger.repository.place import find_here
from cleanup_gitops.model.errors import StoreError

POLICIES = "policies"
_LINK = "120000"
_SUBMODULE = "160000"
_FETCH = "In a shallow clone, `git fetch --unshallow` brings the whole history (actions/checkout: `fetch-depth: 0`)."


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit and the name by which somebody asked for it; ``prefix`` leads from the top to git's folder."""

    git: Git
    name: str
    commit: str
    prefix: str

    @property
    def words(self) -> str:
        """The name with the commit, or the commit alone where that is the name."""
        short = self.commit[:12]
        return short if self.commit.startswith(self.name) else f"{self.name} ({short})"

    @contextmanager
    def policies(self) -> Iterator[Path]:
        """The folder ``policies`` of the commit, in a temporary place for as long as the block lasts.

        Raises ``StoreError`` when the commit has none, or not as plain files.
        """
        top = f"{self.prefix}{POLICIES}/"
        rows = listed(self.git, self.commit, top)
        if not rows:
            raise StoreError(f"Commit {self.words} has no folder {top}, so there are no policies to compare.")
        for row in rows:
            self._check(row, top)
        with _folder() as folder:
            root = folder / POLICIES
            data = self.git.objects([row.name for row in rows])
            try:
                _write(root, [(row.path.removeprefix(top), row.mode, one) for row, one in zip(rows, data, strict=True)])
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "a name that cannot be one"
                raise StoreError(f"The policies of {self.words} cannot be written out: {reason}.") from None
            yield root

    def _check(self, row: Row, top: str) -> None:
        if row.mode == _SUBMODULE:
            raise StoreError(f"{row.path} in {self.words} is a submodule: what it holds is not in this repository.")
        if {"", ".", ".."} & set(row.path.removeprefix(top).split("/")):
            raise StoreError(f"{top} in {self.words} has a name that leads out of it.", "See `git fsck`.")


def find_committed(
    root: Path, asked: str, environment: Mapping[str, str] | None = None
) -> tuple[Committed, Committed | None]:
    """The two versions that ``BASE..HEAD`` means; ``None``: the working tree. ``root`` is a folder in a working tree.

    Without HEAD the second one is the working tree, without BASE the first one is the commit that is checked out.
    ``BASE...HEAD`` begins where the two parted, as a pull request does. Raises ``StoreError``.
    """
    git = Git(root.absolute(), environment)
    prefix = find_here(git).prefix
    base, dots, head = asked.partition("..")
    parted = head.startswith(".")
    base, head = base or "HEAD", head.removeprefix(".")
    first = _commit(git, base)
    second = Committed(git, head, _commit(git, head), prefix) if dots and head else None
    if parted:
        first = _fork(git, first, second.commit if second else _commit(git, "HEAD"), asked)
        base = first[:12]
    return Committed(git, base, first, prefix), second


def _commit(git: Git, name: str) -> str:
    """The id of the commit with this name. Raises ``StoreError``."""
    found = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if not found:
        raise StoreError(f"There is no commit {name!r} in {git.folder}.", f"Name a commit, a tag or a branch. {_FETCH}")
    return found


def _fork(git: Git, first: str, second: str, asked: str) -> str:
    found = git.ask("merge-base", first, second)
    if not found:
        raise StoreError(f"The two sides of {asked} have no commit in common here.", _FETCH)
    return found


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="cleanup-gitops-", ignore_cleanup_errors=True)
    except OSError as error:
        raise StoreError(
            f"No temporary folder can be used: {error.strerror}.", "Free the disk and run again."
        ) from None
    with folder as path:
        yield Path(path).resolve()


def _write(root: Path, files: Sequence[tuple[str, str, bytes]]) -> None:
    """Folders first and links last, so that nothing is written through a link, however the tree was made."""
    root.mkdir()
    for path, _, _ in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
    for path, mode, data in files:
        if mode != _LINK:
            with (root / path).open("xb") as file:
                file.write(data)
    for path, mode, data in files:
        if mode == _LINK:
            (root / path).symlink_to(os.fsdecode(data))

"""Whether the last record of a site was signed by somebody whose signature counts."""

from __future__ import annotations

from pathlib import Path

from cleanup_gitops.ledger.repository.checkout import worktrees
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.place import Here
from cleanup_gitops.ledger.repository.signatures import head_signature
from cleanup_gitops.model.errors import StateError, StoreError
from cleanup_gitops.policy.site import StateSettings


def allowed_signers(git: Git, here: Here, settings: StateSettings) -> Path | None:
    """The file with the keys whose records count, ``None`` when signatures do not matter. Raises ``StoreError``."""
    name = settings.allowed_signers
    return None if name is None else signers_file(git, here, name)


def signers_file(git: Git, here: Here, name: str) -> Path:
    """The file with the keys that count, whose path is in this environment variable.

    Raises ``StoreError`` when the variable is not set, or names no file outside the repository.
    """
    value = git.inherited.get(name)
    if not value:
        raise StoreError(
            f"The environment variable {name} is not set: the keys whose signatures count are not known.",
            "Set it to the path of a file of allowed signers outside the repository (`man ssh-keygen`).",
        )
    path = Path(value).resolve()
    if not path.is_file():
        raise StoreError(f"There is no file where {name} says: {path}.", "Put the public keys that count there.")
    inside = [*(top.resolve() for top in worktrees(git)), here.common]
    if any(path.is_relative_to(folder) for folder in inside):
        raise StoreError(
            f"{name} names a file inside the repository ({path}): who may write there could allow their own key.",
            "Keep the file that counts outside; a copy inside is only for convenience.",
        )
    return path


def check_signed(git: Git, tip: str, folder: str, allowed: Path) -> None:
    """Make sure that the newest commit of ``tip`` that changed the folder has a good signature.

    ``folder`` is counted from the top. Raises ``StateError`` when it has not, ``StoreError`` when this cannot be told.
    """
    top = git.at(git.folder / (git.line("rev-parse", "--show-cdup") or "."))
    newest = top.line("rev-list", "-1", "--first-parent", tip, "--", folder)
    why = head_signature(git, newest, allowed)
    if why is None:
        return
    boundary = git.folder / git.line("rev-parse", "--git-path", "shallow")
    if boundary.is_file() and newest in boundary.read_text("ascii").split():
        raise StoreError(
            f"This clone is too shallow to find the commit that last recorded {folder}, whose signature counts.",
            "Fetch more with `git fetch --unshallow` and run again.",
        )
    raise StateError(
        f"The commit {newest} that last changed {folder} does not count as a record: {why}.",
        "Find out who made it and why, and what it changed (`git show`). Nothing was done.",
    )

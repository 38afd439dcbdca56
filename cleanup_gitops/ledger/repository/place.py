"""Which branch holds the state, and which remote it is pushed to: what is set, else what git is set up with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.model.errors import StoreError
from cleanup_gitops.policy.site import StateSettings

NO_REMOTE = "none"
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Here:
    """A folder in a working tree: the top of that tree, the way from there ("" or "a/b/"), and git's own folder."""

    top: Path
    prefix: str
    common: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where records go. ``branch`` is "" when none is checked out; ``remote`` is "" when nothing is pushed.

    ``theirs`` is the name of the branch on the remote; ``separate``: it is not the branch that is checked out;
    ``undecided``: there are remotes, and nothing says which of them holds the records.
    """

    branch: str
    remote: str
    theirs: str
    separate: bool
    undecided: bool

    @property
    def ref(self) -> str:
        """The branch here, or what is checked out instead of one."""
        return f"{_HEADS}{self.branch}" if self.branch else "HEAD"

    @property
    def target(self) -> str:
        """The branch there."""
        return f"{_HEADS}{self.theirs}"

    @property
    def tracking(self) -> str:
        """What the remote's branch was when it was last asked."""
        return f"refs/remotes/{self.remote}/{self.theirs}"

    def __str__(self) -> str:
        return f"{self.remote}/{self.theirs}" if self.remote else self.branch or "HEAD"

    def check_recordable(self) -> None:
        """Raise ``StoreError`` when nothing can be recorded at such a place."""
        if not self.branch:
            raise StoreError(
                "HEAD is detached: a record committed now would belong to no branch and be lost.",
                "Check out the branch that holds the state (`git switch BRANCH`) and run again.",
            )
        self.check_decided()

    def check_decided(self) -> None:
        """Raise ``StoreError`` when it is not known which remote holds the records."""
        if self.undecided:
            raise StoreError(
                f"The branch {self.branch} holds the state, this repository has remotes, and {self.branch} tracks none"
                " of them: it is not known where records belong.",
                f"Say so to git (`git branch --set-upstream-to=REMOTE/{self.branch} {self.branch}`) or in the document"
                " of the Site (`spec.state.remote: origin`, or `none` when nothing shall be pushed).",
            )


def find_here(git: Git) -> Here:
    """Facts about git's folder. Raises ``StoreError`` when it is in no working tree."""
    answer = git.attempt("rev-parse", "--is-inside-work-tree", "--show-toplevel", "--git-common-dir", "--show-prefix")
    if answer.good:
        _, top, common, prefix, *_ = os.fsdecode(answer.output).split("\n")
        return Here(Path(top), prefix, (git.folder / common).resolve())
    if "not a git repository" in answer.words or "must be run in a work tree" in answer.words:
        raise StoreError(
            f"{git.folder} is not in the working tree of a git repository.",
            "State is kept in git: run `git init` there, or name another folder.",
        )
    raise StoreError(f"git rev-parse failed in {git.folder}: {answer.words}")


def find_place(git: Git, settings: StateSettings) -> Place:
    """Where the records of a site go. Raises ``StoreError`` for a branch or remote that cannot be."""
    checked_out = git.ask("symbolic-ref", "--quiet", "HEAD").removeprefix(_HEADS)
    branch = settings.branch or checked_out
    if settings.branch and not git.yes("check-ref-format", f"{_HEADS}{branch}"):
        raise StoreError(f"{branch!r} cannot be the name of a branch.", "Mend `spec.state.branch` of the Site.")
    if not branch:
        return Place("", "", "", separate=False, undecided=False)
    separate = branch != checked_out
    config = _config(git)
    remotes = sorted({name for name, key in config if key == "url"} - {""})
    tracked = _tracked(config, branch)
    remote = settings.remote
    if remote is None:
        remote = tracked or (_tracked(config, checked_out) if separate else "")
        if not remote:
            return Place(branch, "", "", separate, undecided=bool(remotes))
    if remote == NO_REMOTE:
        return Place(branch, "", "", separate, undecided=False)
    if remote not in remotes:
        raise StoreError(
            "The state is to be pushed to a remote that this repository has not.",
            f"Remotes: {', '.join(remotes) or 'none'}. Add one with `git remote add`, or mend `spec.state.remote`.",
        )
    # A name that is said is the name there too, whatever the branch here was once made from.
    merge = config.get((branch, "merge"), "") if tracked == remote and not settings.branch else ""
    theirs = merge.removeprefix(_HEADS) or branch
    return Place(branch, remote, theirs, separate, undecided=False)


def _tracked(config: dict[tuple[str, str], str], branch: str) -> str:
    remote = config.get((branch, "remote"), "")
    return "" if remote == "." else remote


def _config(git: Git) -> dict[tuple[str, str], str]:
    """What branches track, and the remotes that there are, by name and key. Addresses may hold secrets: never shown."""
    answer = git.attempt("config", "--null", "--get-regexp", r"^(branch\..*\.(remote|merge)|remote\..*\.url)$")
    found: dict[tuple[str, str], str] = {}
    for row in os.fsdecode(answer.output).split("\0"):
        if row:
            name, _, value = row.partition("\n")
            _, _, rest = name.partition(".")
            owner, _, key = rest.rpartition(".")
            found[owner, key] = value
    return found

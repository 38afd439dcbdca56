"""The branch whose history is read: where it ends, what it holds, and its contents as a stream."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.repository.checkout import worktrees
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.objects import listed
from cleanup_gitops.model.errors import StoreError

_CACHE = "256m"
"""What git may keep in memory to put contents together: several days of a large site."""
_LEDGER = re.compile(rf"([^/]+)/{layout.LEDGER}")
_BRANCH = re.compile(r"refs/(?:heads|remotes)/(.+)")


class BranchReader:
    """A branch of the repository that ``root`` lies in: ``name``, local or remote, or the one that is checked out.

    Where there is no local branch of that name, the only remote's that has one is meant, as git means it.

    ``prefix`` leads from the top of the repository to ``root``: "" or a path that ends with "/". Raises ``StoreError``
    when ``root`` is in no repository. It may be a bare one.
    """

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None, name: str | None = None) -> None:
        here = Git(root.absolute(), environment)
        self._root = root
        self._name = name
        answer = here.attempt("rev-parse", "--show-prefix", "--show-cdup")
        if not answer.good:
            raise StoreError(
                f"{here.folder} is in no git repository that can be read: {answer.words}.",
                "Name the repository with the record: `cleanup-gitops -C FOLDER audit verify`.",
            )
        self.prefix, _, up = os.fsdecode(answer.output).removesuffix("\n").partition("\n")
        # A commit-graph is a copy of what commits say, which git believes unseen: here the commits count.
        self.git = Git(here.folder / (up or "."), environment).but(core_commitGraph="false")

    @cached_property
    def tip(self) -> str:
        """The commit at which the branch ends. Raises ``StoreError`` when there is none."""
        for name in self._candidates():
            if found := self.git.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
                return found
        if self._name is None:
            raise StoreError("There is no commit here yet, so nothing is recorded.", self._elsewhere(self.all()))
        raise StoreError(f"There is no branch {self._name!r} in {self._root.absolute()}.", self._elsewhere(self.all()))

    def _candidates(self) -> list[str]:
        if self._name is None:
            return ["HEAD"]
        remotes = [one for one in self.all() if one.partition("/")[2] == self._name]
        theirs = [f"refs/remotes/{one}" for one in remotes] if len(remotes) == 1 else []
        return [f"refs/heads/{self._name}", f"refs/remotes/{self._name}", *theirs]

    def all(self) -> list[str]:
        """Names of all branches, local and remote ones, such as "main" and "origin/main"."""
        answer = self.git.line("for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
        names = [match[1] for line in answer.splitlines() if (match := _BRANCH.fullmatch(line))]
        return sorted(name for name in names if not name.endswith("/HEAD"))

    def sites(self) -> list[str]:
        """Sites with a folder below ``state/``, or with a ledger that was deleted."""
        state = f"{self.prefix}{layout.STATE}/"
        there = {row.path.removeprefix(state) for row in listed(self.git, self.tip, state, deep=False) if row.folder}
        how = ("-m", "--diff-filter=D", "--no-renames", "--name-only", "-z", "--format=")
        gone = self.git.run("log", *how, self.tip, "--", state)
        paths = [path.removeprefix(state) for path in os.fsdecode(gone).replace("\n", "").split("\0") if path]
        return sorted(there | {found[1] for path in paths if (found := _LEDGER.match(path))})

    def elsewhere(self, site: str = "") -> str:
        """What to do when nothing is recorded here: the branches that have a record of the site, or of any."""
        folder = f"{self.prefix}{layout.site_folder(site)}" if site else f"{self.prefix}{layout.STATE}"
        others = {one: self._ref(one) for one in self.all()}
        return self._elsewhere(
            [one for one, tip in others.items() if tip != self.tip and listed(self.git, tip, folder, deep=False)]
        )

    def holds(self, path: Path) -> bool:
        """Whether a file lies in the repository."""
        places = [*worktrees(self.git), self.git.folder / self.git.line("rev-parse", "--git-common-dir")]
        return any(path.resolve().is_relative_to(one.resolve()) for one in places)

    def contents(self, names: Sequence[str]) -> Iterator[bytes]:
        """The bytes of these contents, one after the other. Raises ``StoreError`` when one of them is not there."""
        return self.git.but(core_deltaBaseCacheLimit=_CACHE).stream(names)

    def _ref(self, name: str) -> str:
        return self.git.ask("rev-parse", "--verify", "--quiet", f"refs/heads/{name}") or self.git.ask(
            "rev-parse", "--verify", "--quiet", f"refs/remotes/{name}"
        )

    @staticmethod
    def _elsewhere(names: Sequence[str]) -> str:
        if not names:
            return "The first apply leaves the first record."
        return f"Say with --branch where to look: {', '.join(names)}."

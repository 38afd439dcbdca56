"""Who gave a policy its present meaning: the commits that brought it, their people and keys. Told to nobody."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.objects import listed
from cleanup_gitops.ledger.repository.signatures import judge_of
from cleanup_gitops.policy.meaning import policy_digests


class NoOriginError(Exception):
    """It cannot be told who wrote a policy; the text says why."""


class Writer(Struct, frozen=True):
    """One commit: addresses of author, committer and co-authors, and the fingerprint of its SSH key ("" for none)."""

    addresses: frozenset[str]
    key: str


class Origins:
    """Finds the commits that brought a meaning, in the history of what is checked out.

    ``folder`` is that of the policies, counted from git's folder, ``prefix`` the way to the latter from the top ("" or
    "a/b/").
    """

    def __init__(self, git: Git, prefix: str, folder: str) -> None:
        self._git = git
        self._top = git.at(git.folder / (git.line("rev-parse", "--show-cdup") or "."))
        self._folder = f"{prefix}{folder}/"
        self._prefix = prefix
        self._digests: dict[str, frozenset[str]] = {}
        shallow = git.folder / git.line("rev-parse", "--git-path", "shallow")
        self._ends = set(shallow.read_text("ascii").split()) if shallow.is_file() else set()

    def of(self, digest: str, file: str) -> tuple[str, ...]:
        """The commits in which a policy with this digest came into being; ``file`` is where it is now.

        Where branches were merged there may be several. Raises ``NoOriginError``.
        """
        head = self._git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        path = f"{self._prefix}{file}"
        if not head or not self._has(head, path, digest):
            raise NoOriginError("the policy as it is here is not committed")
        found: set[str] = set()
        todo, seen = [(head, path)], {(head, path)}
        while todo:
            for commit in self._brought(*todo.pop(), digest):
                before = self._elsewhere(commit, digest)
                if not before:
                    found.add(commit)
                todo += [one for one in before if one not in seen]
                seen.update(before)
        return tuple(sorted(found))

    def _brought(self, tip: str, path: str, digest: str) -> set[str]:
        """The commits from ``tip`` back that have the meaning at this path, and none of whose parents has."""
        rows = self._top.run("rev-list", "--full-history", "--parents", tip, "--", path).decode().splitlines()
        parents = {commit: above for commit, *above in (row.split() for row in rows)}
        first = next(iter(parents), tip)
        found: set[str] = set()
        todo, seen = [first], {first}
        while todo:
            commit = todo.pop()
            older = [one for one in parents.get(commit, ()) if self._has(one, path, digest)]
            if not older:
                found.add(commit)
            todo += [one for one in older if one not in seen]
            seen.update(older)
        return found

    def _elsewhere(self, commit: str, digest: str) -> list[tuple[str, str]]:
        """Where the parents of a commit have the meaning already, in another file, with the path of that."""
        if commit in self._ends:
            raise NoOriginError("this clone is too shallow to tell who wrote the policy (`git fetch --unshallow`)")
        parents = self._git.line("rev-list", "--parents", "-1", commit).split()[1:]
        return [
            (parent, row.path)
            for parent in parents
            for row in listed(self._git, parent, self._folder)
            if PurePosixPath(row.path).suffix in (".yaml", ".yml") and digest in self._digests_of(row.name)
        ]

    def _has(self, commit: str, path: str, digest: str) -> bool:
        """Whether the commit has a policy with this digest at this path."""
        return any(digest in self._digests_of(row.name) for row in listed(self._git, commit, path) if row.plain)

    def _digests_of(self, blob: str) -> frozenset[str]:
        if blob not in self._digests:
            self._digests[blob] = policy_digests(self._git.objects([blob])[0])
        return self._digests[blob]


def writers(git: Git, commits: Iterable[str], allowed: Path) -> tuple[Writer, ...]:
    """Who made these commits. Keys are told whether they count or not."""
    asked = "".join(f"{commit}\n" for commit in commits).encode()
    shape = "%x1e%ae%x1f%ce%x1f%GF%x1f%(trailers:key=Co-authored-by,valueonly,separator=%x1d)"
    answer = judge_of(git, allowed).run("log", "--no-walk=unsorted", "--stdin", f"--format={shape}", stdin=asked)
    found = []
    for record in os.fsdecode(answer).split("\x1e")[1:]:
        author, committer, key, others = record.rstrip("\n").split("\x1f")
        co_authors = (one.rpartition("<")[2].rstrip("> ") for one in others.split("\x1d"))
        addresses = {one.strip().casefold() for one in (author, committer, *co_authors)}
        found.append(Writer(frozenset(addresses - {""}), key if key.startswith("SHA256:") else ""))
    return tuple(found)

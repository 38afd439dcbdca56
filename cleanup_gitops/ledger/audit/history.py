"""The history of one site's folder as git keeps it: every commit that touched it, and what each of them changed.

There is one line of commits that changed the folder, whichever merges of other work lie in between: a merge that keeps
the record of one side is passed by, and a record that is on its other side only is beside the line. Nothing that hides
history is believed: replacements, grafts and shallow clones are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.audit.branch import BranchReader
from cleanup_gitops.ledger.audit.found import Finding
from cleanup_gitops.ledger.repository.hidden import (
    ATTRIBUTES,
    check_attributes,
    check_not_shallow,
    check_nothing_hidden,
)
from cleanup_gitops.ledger.repository.objects import PLAIN_FILE, above, listed
from cleanup_gitops.ledger.repository.signatures import signatures
from cleanup_gitops.model.errors import StateError

SUBMODULE, GONE = "160000", "000000"
_TRAILER = re.compile(r"([A-Z][A-Za-z-]*): (.*)")
_SIGNATURE = re.compile(rb"^gpgsig(-sha256)? ", re.MULTILINE)
_PARENT = re.compile(rb"^parent ", re.MULTILINE)
_Changes = tuple[dict[str, str | None], tuple[str, ...]]
"""Changed paths with the names of their new contents (``None``: deleted), and those that are no plain files."""
_EXAMPLES = (
    layout.MANIFEST,
    layout.MEMORY,
    f"{layout.ACCOUNTS}00.jsonl",
    f"{layout.GROUPS}a.txt",
    f"{layout.LEDGER}2000-01.jsonl",
    layout.run_file("a", layout.PLAN),
    layout.lease_file("default"),
)
"""One file of each sort, for attributes that were there before the first record."""


class Commit(Struct, frozen=True, kw_only=True):
    """One commit that touched the folder.

    ``changed`` maps paths, relative to the folder, to the name of their new content (``None``: deleted). ``odd`` are
    those of them that are no plain files: links, submodules, programs. ``outside`` are paths, counted from the top of
    the repository, that the same commit changed beside the folder. ``signed``: it has a signature, good or not;
    ``merge``: it has several parents; ``wordy``: its message is more than a subject and one trailer a line.
    """

    id: str
    trailers: dict[str, str]
    changed: dict[str, str | None]
    odd: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    signed: bool = False
    merge: bool = False
    wordy: bool = False


class GitHistory:
    """Reads the commits and contents of one site's folder. Raises ``StateError`` when git cannot show all of them."""

    def __init__(
        self, root: Path, site: str, environment: Mapping[str, str] | None = None, *, branch: str | None = None
    ) -> None:
        self._branch = BranchReader(root, environment, branch)
        self._git = self._branch.git
        self._folder = f"{self._branch.prefix}{layout.site_folder(site)}"

    def commits(self) -> tuple[Commit, ...]:
        """All commits of the branch that touched the folder, oldest first."""
        tip = self._branch.tip
        check_not_shallow(self._git)
        check_nothing_hidden(self._git)
        answer = self._git.line("rev-list", "--topo-order", "--reverse", "--parents", tip, "--", self._folder)
        parents = [line.split() for line in answer.splitlines()]
        if not parents:
            return ()
        # --parents rewrites parents to the nearest listed commit, which is what the folder is compared with.
        changes = self._changes([ids[:2] for ids in parents], self._folder)
        everything = self._changes([ids[:1] for ids in parents])
        found = []
        for one, stored in zip(parents, self._git.objects([ids[0] for ids in parents]), strict=True):
            changed, odd = changes.get(one[0], ({}, ()))
            head, _, message = stored.partition(b"\n\n")
            trailers, wordy = _said(message)
            commit = Commit(
                id=one[0],
                trailers=trailers,
                changed={path.removeprefix(f"{self._folder}/"): name for path, name in changed.items()},
                odd=tuple(path.removeprefix(f"{self._folder}/") for path in odd),
                outside=tuple(path for path in everything.get(one[0], ({}, ()))[0] if path not in changed),
                signed=bool(_SIGNATURE.search(head)),
                merge=len(_PARENT.findall(head)) > 1,
                wordy=wordy,
            )
            found.append(commit)
        return tuple(found)

    def _changes(self, commits: Iterable[Sequence[str]], *folder: str) -> dict[str, _Changes]:
        """What each commit changed: since the one named after it, else since its parent; nothing for other merges."""
        raw = self._git.run(
            "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none",
            "--root", "--", *folder,
            stdin="".join(" ".join(ids) + "\n" for ids in commits).encode(),
        )  # fmt: skip
        return dict(_parsed(raw))

    def contents(self, names: Sequence[str]) -> Iterator[bytes]:
        """The bytes of these contents, one after the other, by one process that works ahead."""
        return self._branch.contents(names)

    def oddities(self) -> tuple[Finding, ...]:
        """What the line of commits does not show: records beside it, and attributes that hide or change files."""
        line = [row.split() for row in self._listed("--topo-order", "--reverse", "--parents")]
        there = {commit for commit, *_ in line}
        beside = [one for one in self._listed("--topo-order", "--full-history", "--no-merges") if one not in there]
        what = "is a record beside the history that counts: a merge left it aside"
        found = [Finding(commit=one, where="history", what=what) for one in beside]
        before: list[str] = []
        for commit, *parents in line:
            if parents != before:
                what = "does not stand on the record before it: records were made side by side"
                found.append(Finding(commit=commit, where="history", what=what))
            before = [commit]
        return tuple(found + [Finding(commit=one, where="attributes", what=said) for one, said in self._hiding()])

    def _hiding(self) -> Iterator[tuple[str, str]]:
        """Commits with attributes that hide or change files of the record, and how.

        Looked at are those that changed attributes, and the last one of all, whose clone may have more of its own.
        """
        wanted = [f"{one}/{ATTRIBUTES}".removeprefix("/") for one in ("", *above(self._folder))]
        tip = self._branch.tip
        commits = self._git.line("rev-list", "--full-history", tip, "--", *wanted).splitlines()
        own = self._git.folder / self._git.line("rev-parse", "--git-path", "info/attributes")
        for commit in dict.fromkeys([*reversed(commits), tip]) if commits or own.exists() else ():
            files = {row.path for row in listed(self._git, commit, f"{self._folder}/")}
            files |= {f"{self._folder}/{one}" for one in _EXAMPLES}
            try:
                check_attributes(self._git, commit, sorted(files))
            except StateError as error:
                yield commit, error.message

    def files(self, commit: str = "") -> dict[str, bytes]:
        """The files as they are after this commit of the branch (the last one), those of single runs left out."""
        rows = listed(self._git, commit or self._branch.tip, f"{self._folder}/")
        names = {row.path.removeprefix(f"{self._folder}/"): row.name for row in rows}
        kept = {path: name for path, name in names.items() if not path.startswith(layout.RUNS)}
        return dict(zip(kept, self.contents(list(kept.values())), strict=True))

    @property
    def last(self) -> str:
        """The last commit that touched the folder; "" when none did."""
        return next(iter(self._listed("--topo-order", "-1")), "")

    def has(self, commit: str) -> bool:
        """Whether the commit is part of the history of the branch, with or without a record."""
        return self._git.yes("merge-base", "--is-ancestor", commit, self._branch.tip)

    def _listed(self, *how: str) -> list[str]:
        return self._git.line("rev-list", *how, self._branch.tip, "--", self._folder).splitlines()

    def signatures(self, commits: Sequence[Commit], allowed_signers: Path) -> dict[str, str | None]:
        """What is wrong with the signature of each of these commits; ``None``: it is good."""
        return signatures(self._git, [commit.id for commit in commits], allowed_signers)


def _parsed(raw: bytes) -> Iterator[tuple[str, _Changes]]:
    """For each commit what it changed."""
    commit, changed, odd = "", dict[str, str | None](), list[str]()
    fields = iter(raw.split(b"\0"))
    for field in fields:
        if field.startswith(b":"):
            mode, name = field.decode().split(" ")[1::2][:2]
            path = os.fsdecode(next(fields))
            changed[path] = None if mode in {GONE, SUBMODULE} else name  # a submodule has no content here
            if mode not in {GONE, PLAIN_FILE}:
                odd.append(path)
        elif field:
            if commit:
                yield commit, (changed, tuple(odd))
            commit, changed, odd = field.decode(), {}, []
    if commit:
        yield commit, (changed, tuple(odd))


def _said(message: bytes) -> tuple[dict[str, str], bool]:
    """The ``Name: value`` lines of a commit's message, and whether there is more: other text, or a name twice."""
    _, _, rest = message.decode("utf-8", "replace").removesuffix("\n").partition("\n")
    empty, _, said = rest.partition("\n")
    lines = said.split("\n") if said else []
    found = [_TRAILER.fullmatch(line) for line in lines]
    trailers = {one[1]: one[2] for one in found if one}
    return trailers, bool(empty) or len({name.casefold() for name in trailers}) < len(lines)

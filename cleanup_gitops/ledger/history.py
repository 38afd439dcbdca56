"""The history of one site's folder as git keeps it: every commit that touched it, and what each of them changed.

Commits are followed along first parents, from the first to the last, so that a merge is what it brought in.
Nothing that hides history is believed: replacements, grafts and shallow clones are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.git import Git
from cleanup_gitops.model.errors import StateError

PLAIN_FILE = "100644"
_TRAILER = re.compile(r"([A-Z][A-Za-z-]*): (.*)")


class Commit(Struct, frozen=True, kw_only=True):
    """One commit that touched the folder.

    ``changed`` maps paths, relative to the folder, to the name of their new content (``None``: deleted). ``odd`` are
    those of them that are no plain files: links, submodules, programs.
    """

    id: str
    trailers: dict[str, str]
    changed: dict[str, str | None]
    odd: tuple[str, ...] = ()


class GitHistory:
    """Reads the commits and contents of one site's folder. Raises ``StateError`` when git cannot show all of them."""

    def __init__(self, root: Path, site: str, environment: Mapping[str, str] | None = None) -> None:
        self._git = Git(root.absolute(), environment)
        self._folder = layout.site_folder(site)

    def commits(self) -> tuple[Commit, ...]:
        """All commits of the branch that is checked out, oldest first."""
        self._check_nothing_hidden()
        prefix = self._git.line("rev-parse", "--show-prefix")
        listed = self._git.run("rev-list", "--first-parent", "--reverse", "--parents", "HEAD", "--", self._folder)
        parents = [line.split() for line in listed.decode().splitlines()]
        # --parents rewrites parents to the nearest listed commit, which is what the folder is compared with.
        asked = "".join(" ".join(ids[:2]) + "\n" for ids in parents).encode()
        raw = self._git.run(
            "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--root", "--", self._folder,
            stdin=asked,
        )  # fmt: skip
        changes = dict(_parsed(raw, f"{prefix}{self._folder}/"))
        contents = self._git.objects([ids[0] for ids in parents])
        found = []
        for ids, message in zip(parents, contents, strict=True):
            changed, odd = changes.get(ids[0], ({}, ()))
            found.append(Commit(id=ids[0], trailers=_trailers(message), changed=changed, odd=odd))
        return tuple(found)

    def contents(self, names: list[str]) -> list[bytes]:
        """The bytes of these contents."""
        return self._git.objects(names)

    def _check_nothing_hidden(self) -> None:
        if not self._git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
            raise StateError("There is no commit here yet, so there is nothing to verify.")
        if self._git.ask("rev-parse", "--is-shallow-repository") == "true":
            raise StateError(
                "This clone is shallow: the beginning of the history is missing.",
                "Fetch it all with `git fetch --unshallow` and verify again.",
            )
        if replaced := self._git.ask("for-each-ref", "--format=%(refname)", "refs/replace/"):
            first = replaced.splitlines()[0]
            raise StateError(
                f"This repository replaces objects ({first}), so that git shows another history than the stored one.",
                "See what was replaced with `git replace -l`, remove it with `git replace -d`, and verify again.",
            )
        grafts = self._git.folder / self._git.line("rev-parse", "--git-path", "info/grafts")
        if grafts.exists():
            raise StateError(
                f"This repository has grafts ({grafts}), so that git shows other parents than the stored ones.",
                "Remove that file and verify again.",
            )


def _parsed(raw: bytes, prefix: str) -> Iterator[tuple[str, tuple[dict[str, str | None], tuple[str, ...]]]]:
    """For each commit: changed paths below the prefix, and those that are no plain files."""
    commit, changed, odd = "", dict[str, str | None](), list[str]()
    fields = iter(raw.split(b"\0"))
    for field in fields:
        if field.startswith(b":"):
            mode, name = field.decode().split(" ")[1::2][:2]
            path = os.fsdecode(next(fields)).removeprefix(prefix)
            gone = mode == "000000"
            changed[path] = None if gone else name
            if not gone and mode != PLAIN_FILE:
                odd.append(path)
        elif field:
            if commit:
                yield commit, (changed, tuple(odd))
            commit, changed, odd = field.decode(), {}, []
    if commit:
        yield commit, (changed, tuple(odd))


def _trailers(commit: bytes) -> dict[str, str]:
    """The ``Name: value`` lines of the last paragraph of a commit's message."""
    message = commit.partition(b"\n\n")[2].decode("utf-8", "replace")
    last = message.rstrip("\n").rpartition("\n\n")[2]
    return {found[1]: found[2] for line in last.splitlines() if (found := _TRAILER.fullmatch(line))}

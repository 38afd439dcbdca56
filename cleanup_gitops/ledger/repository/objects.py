"""Contents, trees and lists in git's object store. Nothing here touches a working tree, an index or a branch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.model.errors import StateError, StoreError

PLAIN_FILE = "100644"
_TREE = "040000"
_MANY_BYTES = 1_000_000


class Row(Struct, frozen=True):
    """One line of a tree. ``path`` is counted from the top of the repository."""

    mode: str
    name: str
    path: str

    @property
    def plain(self) -> bool:
        """Whether it is a file, and no link, program or submodule."""
        return self.mode == PLAIN_FILE

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode == _TREE


def listed(git: Git, commit: str, *paths: str, deep: bool = True) -> list[Row]:
    """What the commit has at these paths, with everything below them unless ``deep`` is false. "" has nothing."""
    if not commit:
        return []
    how = ["-r"] if deep else []
    answer = git.run("ls-tree", *how, "-z", "--full-tree", commit, "--", *paths)
    found = []
    for row in answer.split(b"\0"):
        if row:
            facts, _, path = os.fsdecode(row).partition("\t")
            mode, _, name = facts.split(" ")
            found.append(Row(mode, name, path))
    return found


def tip_of(git: Git, ref: str) -> str:
    """The commit that a ref names, "" when there is no such ref. Raises ``StateError`` when the ref is damaged."""
    if name := git.ask("rev-parse", "--verify", "--quiet", ref):
        if not git.yes("cat-file", "-e", f"{name}^{{commit}}"):
            raise StateError(f"{ref} names {name}, which is no commit here.", "The repository is damaged: clone it.")
        return name
    where = git.folder / git.line("rev-parse", "--git-path", ref)
    if where.is_file():
        raise StateError(f"{ref} is damaged.", "The repository is damaged: clone it.")
    return ""


def contains(git: Git, tip: str, commit: str) -> bool:
    """Whether the commit is in the history of the tip."""
    return bool(tip) and git.yes("merge-base", "--is-ancestor", commit, tip)


def blobs_of(git: Git, contents: Mapping[str, bytes]) -> dict[str, str]:
    """Store these bytes as they are; the name of each."""
    names = list(contents)
    # git compresses in one thread only, which is most of the time that a large record takes: two share the files.
    with ThreadPoolExecutor(2, thread_name_prefix="cleanup-gitops") as both:
        halves = [half for half in (names[::2], names[1::2]) if half]
        parts = both.map(lambda half: _imported(git, [contents[name] for name in half]), halves)
        return {
            name: blob for half, part in zip(halves, parts, strict=True) for name, blob in zip(half, part, strict=True)
        }


def _imported(git: Git, contents: Sequence[bytes]) -> list[str]:
    """Store these bytes, by one process that makes one pack; what is small becomes loose objects."""
    asked: list[bytes] = []
    for number, data in enumerate(contents, start=1):
        asked += (b"blob\nmark :%d\ndata %d\n" % (number, len(data)), data, b"\n")
    asked += (b"get-mark :%d\n" % number for number in range(1, len(contents) + 1))
    asked.append(b"done\n")
    # The quickest compression and no differences: git's own maintenance packs old records better, and not while a run
    # waits for its record. Left to itself, git takes every pack of up to 100 contents apart again, however large.
    loose = "100" if sum(map(len, contents)) < _MANY_BYTES else "0"
    answer = git.but(pack_compression="1", fastimport_unpackLimit=loose).attempt(
        "fast-import", "--quiet", "--done", "--depth=0", stdin=b"".join(asked)
    )
    if not answer.good:
        report = git.folder / git.line("rev-parse", "--git-path", f"fast_import_crash_{answer.pid}")
        with suppress(OSError):
            report.unlink()  # what git leaves behind for its developers
        raise StoreError(f"The repository {git.folder} cannot be written: {answer.words}.")
    names = answer.output.decode().split()
    if len(names) != len(contents):
        raise StoreError(f"The repository {git.folder} cannot be written: git stored {len(names)} of {len(contents)}.")
    return names


@contextmanager
def index_elsewhere() -> Iterator[Path]:
    """A place for an index that nobody else uses. Raises ``StoreError`` when there is no space for one."""
    try:
        with tempfile.TemporaryDirectory(prefix="cleanup-gitops-") as folder:
            yield Path(folder) / "index"
    except OSError as error:
        raise StoreError(
            f"No temporary folder can be used: {error.strerror}.", "Free the disk and run again."
        ) from None


def index_rows(git: Git, files: Mapping[str, str | None]) -> bytes:
    """Paths with the blobs that they shall have, ``None`` for none, as ``git update-index --index-info`` takes them."""
    width = 64 if git.line("rev-parse", "--show-object-format") == "sha256" else 40
    gone = "0" * width
    rows = (f"{PLAIN_FILE} {blob}\t{path}\0" if blob else f"0 {gone}\t{path}\0" for path, blob in files.items())
    return os.fsencode("".join(rows))


def tree_with(git: Git, base: str, files: Mapping[str, str | None]) -> str:
    """The tree of the commit ``base`` ("": an empty one) with these files in place."""
    with index_elsewhere() as index:
        git.run("read-tree", base or "--empty", index=index)
        git.run("update-index", "-z", "--index-info", stdin=index_rows(git, files), index=index)
        return git.line("write-tree", index=index)


def above(path: str) -> Iterable[str]:
    """The path and all folders above it, the highest first: "a/b" has "a" and "a/b"."""
    parts = path.split("/")
    return ("/".join(parts[:number]) for number in range(1, len(parts) + 1))

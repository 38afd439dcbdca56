"""A working tree that has the branch of the state checked out: it follows what is recorded, and loses no edit."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.model.errors import StateError, StoreError

NOTHING_DONE = "Nothing was recorded; the files are as they were. Mend this and run again."
_PROBE = "probe"
_WAITS = (0.1, 0.2, 0.4)
"""Seconds."""


class Checkout:
    """One working tree. ``folder`` is that of the site, counted from the top of the tree.

    ``shown`` and ``command`` are how a person in the folder they work in calls the site's folder and git.
    """

    def __init__(self, git: Git, folder: str, shown: str, command: str) -> None:
        self._git = git
        self._folder = folder
        self._shown = shown
        self._command = command

    @property
    def top(self) -> Path:
        """Where it is."""
        return self._git.folder

    @property
    def put_back(self) -> str:
        """The command that makes files and index what the branch says."""
        return f"{self._command} restore -SW -- {self._shown}"

    def check_clean(self) -> None:
        """Raise ``StateError`` when the site's folder is not as the branch has it."""
        if (self.top / self._folder).resolve() != self.top.resolve() / self._folder:
            raise StateError(f"{self._shown} is a link to somewhere else.", "Make it a plain folder.")
        # Files that were written within the same second as the index are read again whenever git is asked, until the
        # index is written again. This does it, if nobody else is at it.
        self._git.attempt("update-index", "-q", "--refresh")
        edits = self._git.run("status", "--porcelain", "-z", "-uall", "--", self._folder)
        rows = [os.fsdecode(row) for row in edits.split(b"\0") if row]
        if rows:
            shown = ", ".join(row[3:] for row in rows[:3]) + (", …" if len(rows) > 3 else "")
            raise StateError(
                f"{self._shown} differs from the last commit ({shown}).",
                f"Look with `{self._command} status -- {self._shown}`. Put its files back with `{self.put_back}`"
                f" and `{self._command} clean -fd -- {self._shown}`.",
            )

    def try_out(self) -> None:
        """Raise ``StoreError`` when its index or its files cannot be written."""
        with self.locked():
            probe = self.top / self._folder / _PROBE
            made = [folder for folder in (probe.parent, probe.parent.parent) if not folder.exists()]
            try:
                probe.parent.mkdir(parents=True, exist_ok=True)
                probe.touch()
            except OSError as error:
                raise StoreError(f"{self._shown} cannot be written: {error.strerror}.", NOTHING_DONE) from None
            finally:
                with suppress(OSError):
                    probe.unlink(missing_ok=True)
                    for folder in made:
                        folder.rmdir()

    @contextmanager
    def locked(self) -> Iterator[Path]:
        """A copy of the index, under git's own lock for as long as the block lasts; ``follow`` puts it in place."""
        index = self._index()
        lock, copy = index.with_name("index.lock"), index.with_name("index.cleanup-gitops")
        _take(lock)
        try:
            try:
                copy.with_name(f"{copy.name}.lock").unlink(missing_ok=True)
                if index.exists():
                    shutil.copyfile(index, copy)
            except OSError as error:
                raise StoreError(f"The repository cannot be written: {error.strerror}.", NOTHING_DONE) from None
            yield copy
        finally:
            # git's own lock of the copy stays behind when git was killed, and would keep the next run from its record.
            for left in (copy.with_name(f"{copy.name}.lock"), copy, lock):
                with suppress(OSError):
                    left.unlink(missing_ok=True)

    def obstacle(self, copy: Path, old: str, new: str) -> str:
        """Why the tree cannot go from one commit to the other without losing an edit; "" when it can."""
        answer = self._read_tree(copy, old, new, "--dry-run")
        return "" if answer[0] else answer[1]

    def follow(self, copy: Path, old: str, new: str) -> str:
        """Bring index and files from one commit to the other; "" or why that was not possible."""
        good, words = self._read_tree(copy, old, new)
        if not good:
            return words
        try:
            copy.replace(self._index())
        except OSError as error:
            return f"the index cannot be written: {error.strerror}"
        return ""

    def _read_tree(self, copy: Path, old: str, new: str, *how: str) -> tuple[bool, str]:
        before = old or self._git.line("mktree")
        answer = self._git.attempt("read-tree", "-m", "-u", "--no-recurse-submodules", *how, before, new, index=copy)
        return answer.good, answer.words

    def _index(self) -> Path:
        return self.top / self._git.line("rev-parse", "--git-path", "index")


def _take(lock: Path) -> None:
    """Make the lock file. Whoever holds it for a moment, such as an editor that asks for the status, is waited for."""
    for wait in (*_WAITS, None):
        try:
            lock.touch(exist_ok=False)
        except FileExistsError:
            if wait is None:
                raise StoreError(
                    f"Another git command is running in this repository ({lock} exists).",
                    "Nothing was recorded. Wait for it; when none is running, remove that file.",
                ) from None
            time.sleep(wait)
        except OSError as error:
            raise StoreError(f"The repository cannot be written: {error.strerror}.", NOTHING_DONE) from None
        else:
            return


def worktrees(git: Git) -> dict[Path, str]:
    """All working trees, with the branch (``refs/heads/…``) that each has checked out, "" for none."""
    found: dict[Path, str] = {}
    for record in os.fsdecode(git.run("worktree", "list", "--porcelain", "-z")).split("\0\0"):
        facts = dict((*field.partition(" ")[::2],) for field in record.split("\0") if field)
        at = Path(facts.get("worktree", ""))
        if facts and "bare" not in facts and at.is_dir():
            found[at] = facts.get("branch", "")
    return found


def worktrees_with(git: Git, ref: str) -> list[Path]:
    """The working trees that have a branch checked out."""
    return [top for top, branch in worktrees(git).items() if branch == ref]

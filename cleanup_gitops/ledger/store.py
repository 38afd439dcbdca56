"""The recorded state in a git repository: read from the last commit, written as one commit of its own.

What counts is what is committed: ``read`` takes the files out of HEAD and refuses when the folder beside it differs.
``commit`` takes nothing along but the files it was given, whatever else is edited or staged.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.git import Git
from cleanup_gitops.model.errors import StateError

_PROBE = "probe"
_PLAIN_FILE = "100644"
_NOTHING_DONE = "Nothing was recorded; the files are as they were. Mend this and run again."


class GitStore:
    """The state of one site below ``root``, a folder in a git working tree. See ``model.ports.Store``.

    ``environment`` is what git inherits (the command line hands over its own). Raises ``StateError`` when the site's
    name is no folder name.
    """

    def __init__(self, root: Path, site: str, environment: Mapping[str, str] | None = None) -> None:
        self._root = root.absolute()  # git runs in this folder, so no path of ours may be relative
        self._folder = layout.site_folder(site)
        self._environment = environment
        self._git = Git(self._root, environment)
        self._seen: str | None = None

    def read(self) -> dict[str, bytes]:
        """The recorded files of the last commit, those of single runs left out; empty before the first run.

        Raises ``StateError`` when there is no repository, or the folder holds what was not committed.
        """
        self._check_repository()
        self._check_clean()
        head = self._head()
        self._seen = self._tree(head)
        names: dict[str, str] = {}
        for row in self._list(head):
            mode, kind, blob, path = row
            if mode != _PLAIN_FILE or kind != "blob":
                raise StateError(
                    f"{self._folder}/{path} is not a plain file.",
                    "Only cleanup-gitops writes there; remove it and commit.",
                )
            if not path.startswith(layout.RUNS):
                names[path] = blob
        return dict(zip(names, self._git.objects(list(names.values())), strict=True))

    def check_writable(self) -> None:
        """Try out what a commit needs: a branch, the index, the object store, the folder of the site.

        Raises ``StateError`` that says what is in the way.
        """
        self._check_repository()
        self._check_clean()
        if not self._git.ask("symbolic-ref", "--quiet", "HEAD"):
            raise StateError(
                "HEAD is detached: a record committed now would belong to no branch and be lost.",
                "Check out the branch that holds the state (`git switch BRANCH`) and run again.",
            )
        with _index_lock(self._index()), self._written({_PROBE: b""}):
            self._git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=b"")
        _put(self._root / self._folder / _PROBE, None)

    def commit(self, files: Mapping[str, bytes | None], subject: str, trailers: Mapping[str, str]) -> str:
        """Write and commit exactly these files; the id of the commit.

        When anything fails, the files are as they were before, and ``StateError`` says what to do.
        """
        self._check_repository()
        self._check_clean()
        head = self._head()
        if self._seen is not None and self._tree(head) != self._seen:
            raise StateError(
                f"{self._folder} was committed by somebody else while this run was under way.",
                "Nothing was recorded. Plan again: the new plan reads the newer state and the live site.",
            )
        message = _message(subject, trailers)
        with _index_lock(self._index()) as new_index, self._written(files):
            rows = self._rows(files)
            tree = self._new_tree(head, rows)
            parents = ["-p", head] if head else []
            commit = self._git.line("commit-tree", tree, *parents, stdin=message)
            self._git.run("update-index", "-z", "--index-info", stdin=rows, index=new_index)
            # Spares every later look at the folder from hashing all of it; other files may well differ.
            self._git.ask("update-index", "-q", "--refresh", index=new_index)
            # Compares and swaps: a commit that somebody else made meanwhile is never thrown away.
            self._git.run("update-ref", "-m", subject, "HEAD", commit, head)
        self._seen = self._tree(commit)
        return commit

    def policy_commit(self, folder: Path | None = None) -> str:
        """The last commit that changed ``folder`` (default: ``policies/``); "" when it has local edits or no commit."""
        policies = folder or self._root / "policies"
        git = Git(policies, self._environment)
        if not policies.is_dir() or not git.ask("rev-parse", "--is-inside-work-tree"):
            return ""
        head = git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if not head or not git.ask("ls-tree", "-r", "--name-only", head, "--", "."):
            return ""
        edits = git.run("status", "--porcelain", "-z", "-uall", "--ignored", "--", ".")
        if any(_is_edit(row) for row in edits.split(b"\0") if row):
            return ""
        # The commit that last touched them: it stays the same while only state is committed.
        return git.line("rev-list", "-1", head, "--", ".")

    def _check_repository(self) -> None:
        try:
            inside = self._git.line("rev-parse", "--is-inside-work-tree")
        except StateError as error:
            if "not a git repository" not in error.message:
                raise
            inside = ""
        if inside != "true":
            raise StateError(
                f"{self._root} is not in the working tree of a git repository.",
                "State is kept in git: run `git init` there, or name another folder.",
            )

    def _check_clean(self) -> None:
        folder = self._root / self._folder
        if folder.resolve() != self._root.resolve() / self._folder:
            raise StateError(f"{self._folder} is a link to somewhere else.", "Make it a plain folder.")
        edits = self._git.run("status", "--porcelain", "-z", "-uall", "--", self._folder)
        rows = [os.fsdecode(row) for row in edits.split(b"\0") if row]
        if rows:
            shown = ", ".join(row[3:] for row in rows[:3]) + (", …" if len(rows) > 3 else "")
            raise StateError(
                f"{self._folder} differs from the last commit ({shown}).",
                f"Look with `git status -- {self._folder}`. {self._put_back()}",
            )

    def _head(self) -> str:
        """The id of the last commit, "" before the first."""
        return self._git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def _tree(self, commit: str) -> str:
        """What the commit holds for this site: the id of the folder's tree, "" when there is none."""
        if not commit:
            return ""
        row = self._git.line("ls-tree", commit, "--", self._folder)
        return row.partition("\t")[0]

    def _list(self, commit: str) -> Iterator[tuple[str, str, str, str]]:
        """Mode, kind, object and path of every file of the site; paths relative to its folder."""
        if not commit:
            return
        for row in self._git.run("ls-tree", "-r", "-z", commit, "--", self._folder).split(b"\0"):
            if row:
                facts, _, path = os.fsdecode(row).partition("\t")
                mode, kind, name = facts.split(" ")
                yield mode, kind, name, path.removeprefix(f"{self._folder}/")

    @contextmanager
    def _written(self, files: Mapping[str, bytes | None]) -> Iterator[None]:
        """The files in the working tree; as they were before when the block fails."""
        base = self._root / self._folder
        old: dict[Path, bytes | None] = {}
        try:
            for name, data in files.items():
                path = base / _safe(name)
                old[path] = path.read_bytes() if path.is_file() else None
                _put(path, data)
            yield
        except BaseException as error:
            hint = self._restored(old)
            if isinstance(error, StateError):
                raise StateError(error.message, error.hint or hint) from None
            if isinstance(error, OSError):
                reason = error.strerror or str(error)
                raise StateError(f"{self._folder} cannot be written: {reason}.", hint) from None
            raise

    def _restored(self, old: Mapping[Path, bytes | None]) -> str:
        """Put the files back; what to tell about it."""
        hint = _NOTHING_DONE
        for path, data in old.items():
            try:
                _put(path, data)
            except OSError:
                hint = f"Nothing was recorded, but not all files could be put back. {self._put_back()}"
        return hint

    def _put_back(self) -> str:
        return f"Put its files back with `git restore -SW -- {self._folder}` and `git clean -fd -- {self._folder}`."

    def _rows(self, files: Mapping[str, bytes | None]) -> bytes:
        """The files as lines for git's index, their bytes stored as they are (no filter of the user)."""
        prefix = self._git.line("rev-parse", "--show-prefix")
        written = [name for name, data in files.items() if data is not None]
        # git compresses in one thread only, which is most of the time that a large record takes: two share the files.
        with ThreadPoolExecutor(2, thread_name_prefix="cleanup-gitops") as both:
            parts = both.map(self._blob_names, (written[::2], written[1::2]))
            stored = {name: blob for part in parts for name, blob in part.items()}
        gone = "0" * len(next(iter(stored.values()), "0" * 40))
        rows = [
            f"{_PLAIN_FILE} {stored[name]}\t{prefix}{self._folder}/{name}\0"
            if name in stored
            else f"0 {gone}\t{prefix}{self._folder}/{name}\0"
            for name in files
        ]
        return os.fsencode("".join(rows))

    def _blob_names(self, names: Sequence[str]) -> dict[str, str]:
        """Store the bytes of these files as they are, and return the names of the blobs."""
        if not names:
            return {}
        base = (self._root / self._folder).absolute()
        asked = os.fsencode("".join(f"{base / name}\n" for name in names))
        blobs = self._git.line("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=asked)
        return dict(zip(names, blobs.splitlines(), strict=True))

    def _new_tree(self, head: str, rows: bytes) -> str:
        """The tree of the last commit with these rows, by way of an index of its own."""
        index = self._index().with_name("index.cleanup-gitops-tree")
        try:
            self._git.run("read-tree", head or "--empty", index=index)
            self._git.run("update-index", "-z", "--index-info", stdin=rows, index=index)
            return self._git.line("write-tree", index=index)
        finally:
            index.unlink(missing_ok=True)

    def _index(self) -> Path:
        return self._root / self._git.line("rev-parse", "--git-path", "index")


@contextmanager
def _index_lock(index: Path) -> Iterator[Path]:
    """A copy of the index that takes its place when the block ends well, under git's own lock."""
    lock, new = index.with_name("index.lock"), index.with_name("index.cleanup-gitops")
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        raise StateError(
            f"Another git command is running in this repository ({lock} exists).",
            "Nothing was recorded. Wait for it; when none is running, remove that file.",
        ) from None
    except OSError as error:
        raise StateError(f"The repository cannot be written: {error.strerror}.", _NOTHING_DONE) from None
    try:
        if index.exists():
            shutil.copyfile(index, new)
        yield new
        if new.exists():
            new.replace(index)
    except OSError as error:
        raise StateError(f"{index} cannot be written: {error.strerror}.", "Free the disk and run again.") from None
    finally:
        new.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\n" in name or not path.parts:
        raise StateError(f"{name!r} is no path below the folder of a site.")
    return path


def _put(path: Path, data: bytes | None) -> None:
    """Write or delete a file, and folders that become empty."""
    if data is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return
    with suppress(NotADirectoryError):  # there is no such file either
        path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty
        path.parent.rmdir()
        path.parent.parent.rmdir()


def _message(subject: str, trailers: Mapping[str, str]) -> bytes:
    """A commit message whose trailers git can parse: one line each."""
    lines = [" ".join(subject.split()), ""]
    lines += [f"{name}: {' '.join(value.split())}" for name, value in trailers.items()]
    return ("\n".join(lines) + "\n").encode()


def _is_edit(row: bytes) -> bool:
    """Whether a row of ``git status`` can change what the policies say: ignored files only when they are YAML."""
    return not row.startswith(b"!! ") or row.endswith((b".yaml", b".yml"))

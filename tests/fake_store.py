"""A store in memory: the same laws as git's, checked by tests/contract/test_store.py."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.errors import LeaseHeldError, LeaseTakenError, StateError, StateMovedError


@dataclass(frozen=True)
class Committed:
    """One commit: who reads the history finds what was given."""

    id: str
    site: str
    files: dict[str, bytes | None]
    subject: str
    trailers: dict[str, str]


@dataclass
class FakeRepository:
    """What stores share: the newest files of all sites by path below ``state/``, and all commits."""

    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[Committed] = field(default_factory=list)
    working: set[str] = field(default_factory=set)

    def site(self, name: str) -> dict[str, bytes]:
        """The files of one site, relative to its folder."""
        return {path.removeprefix(f"{name}/"): data for path, data in self.files.items() if path.startswith(f"{name}/")}


class FakeStore:
    """One site in a repository in memory; several stores may share one repository.

    ``broken`` are errors for the next calls, by method name (``read``, ``check_writable``, ``commit``), one a call;
    ``None`` lets a call pass. ``lost``: the next commit is recorded, and its caller gets this error nevertheless.
    """

    def __init__(self, site: str = "acme", repository: FakeRepository | None = None) -> None:
        self._site = site
        self.repository = repository or FakeRepository()
        self.broken: dict[str, list[StateError | None]] = {}
        self.lost: StateError | None = None
        self.policies = ""
        self._last: dict[str, bytes] | None = None
        self._read: dict[str, bytes] | None = None
        self._leases: dict[str, bytes] = {}

    @property
    def place(self) -> str:
        return "memory"

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        if self._site in self.repository.working:
            raise LeaseHeldError(f"Another process of this machine works on {self._site}.", "Wait until it ends.")
        self.repository.working.add(self._site)
        try:
            yield
        finally:
            self.repository.working.discard(self._site)

    def read(self, *, fresh: bool = True) -> dict[str, bytes]:
        if fresh:
            self._fail("read")
        self._look()
        assert self._read is not None
        return {path: data for path, data in self._read.items() if not path.startswith(layout.RUNS)}

    def run_files(self, run: str) -> dict[str, bytes]:
        start = layout.run_file(run, "")
        return {path: data for path, data in self._as_read().items() if path.startswith(start)}

    def leases(self) -> dict[str, bytes]:
        self._as_read()
        return dict(self._leases)

    def still_has(self, files: Mapping[str, bytes]) -> bool:
        self._fail("still_has")
        now = self.repository.site(self._site)
        return all(now.get(path) == data for path, data in files.items())

    def check_writable(self) -> None:
        self._fail("check_writable")

    def commit(
        self,
        files: Mapping[str, bytes | None],
        subject: str,
        trailers: Mapping[str, str],
        *,
        free: Collection[str] = (),
    ) -> str:
        self._fail("commit")
        for path in files:
            if not path or ".." in path.split("/"):
                raise StateError(f"{path!r} is no path below the folder of a site.")
        if self._last is None:
            self._look()
        for path, data in self._all_leases().items():
            if path.partition("/")[2] in free:
                raise LeaseTakenError(path, data)
        now = self.repository.site(self._site)
        if now != self._last:
            raise StateMovedError(f"{self._site} was recorded by somebody else.", "Nothing was recorded. Plan again.")
        merged = {**now, **files}
        self._last = {path: data for path, data in merged.items() if data is not None}
        others = {path: data for path, data in self.repository.files.items() if not path.startswith(f"{self._site}/")}
        self.repository.files = others | {f"{self._site}/{path}": data for path, data in self._last.items()}
        number = f"{len(self.repository.commits) + 1:040x}"
        self.repository.commits.append(Committed(number, self._site, dict(files), subject, dict(trailers)))
        if self.lost is not None:
            lost, self.lost = self.lost, None
            raise lost
        return number

    def policy_commit(self) -> str:
        return self.policies

    def _look(self) -> None:
        self._read = self._last = self.repository.site(self._site)
        self._leases = self._all_leases()

    def _as_read(self) -> dict[str, bytes]:
        if self._read is None:
            self._look()
        assert self._read is not None
        return self._read

    def _all_leases(self) -> dict[str, bytes]:
        files = self.repository.files
        return {path: data for path, data in files.items() if path.partition("/")[2].startswith(layout.LEASES)}

    def _fail(self, method: str) -> None:
        waiting = self.broken.get(method)
        error = waiting.pop(0) if waiting else None
        if error is not None:
            raise error

"""Where a machine's runs are recorded: in memory, or in a real git repository; and what the whole history says."""

from __future__ import annotations

import hashlib
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from cleanup_gitops.ledger.audit.found import Verdict
from cleanup_gitops.ledger.audit.history import Commit, GitHistory
from cleanup_gitops.ledger.audit.verify import verify
from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.leases import read_intent
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Store
from cleanup_gitops.model.run import ACTING, Intent, Outcome, OutcomeRecord
from tests.fake_store import FakeRepository, FakeStore

SITE = "acme"
Contents = Callable[[Sequence[str]], Sequence[bytes]]


@dataclass(frozen=True)
class Entered:
    """One run as it was recorded: its rows by digest and what became of them."""

    kind: str
    run: str
    time: datetime
    rollback: bool
    planned: dict[str, Change]
    outcomes: tuple[Outcome, ...]


class Books(ABC):
    """The record of one site. Every process opens it anew."""

    @abstractmethod
    def open(self) -> Store:
        """The store of a new process."""

    @abstractmethod
    def history(self) -> tuple[Sequence[Commit], Contents]:
        """All commits, oldest first, and what brings their contents."""

    def files(self) -> dict[str, bytes]:
        """What is recorded now, without the files of single runs."""
        return self.open().read()

    def leases(self) -> dict[str, bytes]:
        """The leases that are held now."""
        store = self.open()
        store.read()
        return store.leases()

    def verdict(self) -> Verdict:
        """What `audit verify` would say."""
        commits, contents = self.history()
        return verify(SITE, commits, contents)

    def entered(self, after: int) -> list[Entered]:
        """Runs in entries of the ledger with a higher number."""
        store = self.open()
        tail = read_tail(store.read())
        found = []
        for entry in tail.entries if tail else ():
            if entry.seq <= after or entry.kind not in ACTING:
                continue
            files = store.run_files(entry.run)
            plan = read_plan(files[f"runs/{entry.run}/plan.json"])
            lines = files[f"runs/{entry.run}/outcomes.jsonl"].splitlines()
            outcomes = tuple(msgspec.json.decode(line, type=OutcomeRecord) for line in lines)
            planned = dict(zip(plan.manifest, plan.changes, strict=True))
            found.append(Entered(entry.kind, entry.run, entry.time, plan.rollback is not None, planned, outcomes))
        return found

    def plan_of(self, run: str) -> Plan:
        """The plan that the run made, as it was recorded with its intent."""
        store = self.open()
        store.read()
        return read_plan(store.run_files(run)[f"runs/{run}/plan.json"])

    def claimed(self, since: int) -> list[tuple[Intent, dict[str, Change]]]:
        """What runs meant to do, by their intents after so many commits: each with its rows by digest."""
        commits, contents = self.history()
        found = []
        for commit in commits[since:]:
            for path, name in commit.changed.items():
                if name is None or not path.endswith("/intent.json"):
                    continue
                intent, rows = read_intent(path, contents([name])[0]), dict[str, Change]()
                for beside in ("plan.json", "approved.json"):
                    planned = commit.changed.get(path.replace("intent.json", beside))
                    if planned is not None:
                        plan = read_plan(contents([planned])[0])
                        rows |= zip(plan.manifest, plan.changes, strict=True)
                found.append((intent, {one: rows[one] for one in intent.changes}))
        return found


class InMemory(Books):
    """Commits in memory."""

    def __init__(self) -> None:
        self.repository = FakeRepository()

    def open(self) -> FakeStore:
        return FakeStore(SITE, self.repository)

    def history(self) -> tuple[Sequence[Commit], Contents]:
        known: dict[str, bytes] = {}

        def named(data: bytes | None) -> str | None:
            if data is None:
                return None
            name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            known[name] = data
            return name

        commits = [
            Commit(
                id=one.id,
                trailers=one.trailers,
                changed={path: named(data) for path, data in one.files.items()},
            )
            for one in self.repository.commits
        ]
        return commits, lambda names: [known[name] for name in names]


class InGit(Books):
    """Commits in a fresh git repository in this folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        subprocess.run(["git", "init", "-q", str(folder)], check=True)

    def open(self) -> GitStore:
        return GitStore(self._folder, SITE)

    def history(self) -> tuple[Sequence[Commit], Contents]:
        if not self.open().read() and not (self._folder / "state").exists():
            return (), lambda names: [b""] * len(names)
        history = GitHistory(self._folder, SITE)
        return history.commits(), lambda names: list(history.contents(names))

"""Applies that are killed for good: a process forked from this warm one, ended by SIGKILL at a line of its journal."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import httpx
import msgspec

from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import OutcomeRecord
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.tree import AccountIs, HasSeat, InactiveFor, InGroup, Match
from cleanup_gitops.runner.journal import Header, Journal, Line
from cleanup_gitops.runner.journal_files import FileJournals
from cleanup_gitops.runner.workers import ONE_BY_ONE, Workers
from cleanup_gitops.sandbox.records import Token
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import User, World
from tests.fake_store import FakeRepository, FakeStore
from tests.fakes import FakeClock
from tests.patience import STALLED
from tests.runner.office import ROOMY, Office
from tests.sites.box import NOW, connected

OLD = "2025-01-01T00:00:00Z"
DEFECT = 70


class DiskStore(FakeStore):
    """A store whose commits survive the process, in one file."""

    def __init__(self, path: Path) -> None:
        super().__init__(repository=pickle.loads(path.read_bytes()) if path.exists() else FakeRepository())
        self.path = path

    def commit(self, *args: object, **more: object) -> str:
        made = super().commit(*args, **more)  # type: ignore[arg-type]
        fresh = self.path.with_suffix(".new")
        kept = FakeRepository(self.repository.files, self.repository.commits)
        fresh.write_bytes(pickle.dumps(kept))
        fresh.replace(self.path)
        return made


@dataclass
class Hook:
    """Journals that call ``at`` with the number of an instant: before a line is written, and when it is on the disk."""

    journals: FileJournals
    at: Callable[[int], None]
    instants: int = 0

    def place(self, run: str) -> str:
        return self.journals.place(run)

    def check(self) -> None:
        self.journals.check()

    def begin(self, header: Header) -> Journal:
        return _Hooked(self, self.journals.begin(header))

    def read(self, run: str) -> bytes | None:
        return self.journals.read(run)

    def end(self, run: str) -> None:
        self.journals.end(run)


@dataclass
class _Hooked:
    hook: Hook
    journal: Journal

    def add(self, line: Line) -> None:
        self._pass()
        self.journal.add(line)
        self._pass()

    def _pass(self) -> None:
        self.hook.instants += 1
        self.hook.at(self.hook.instants)


def nothing(instant: int) -> None:
    """Live on."""


def kill_at(wanted: int) -> Callable[[int], None]:
    """End this process at an instant as the kernel ends it: nothing is finished, flushed or told."""

    def kill(instant: int) -> None:
        if instant == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill


@dataclass
class Scene:
    """A site whose sixty changes are planned, and a folder for what is recorded of them."""

    box: RunningSandbox
    folder: Path
    policies: SitePolicies
    workers: Workers = ONE_BY_ONE
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    @contextmanager
    def office(self, at: Callable[[int], None] = nothing) -> Iterator[tuple[Office, Hook]]:
        """A desk, as a process that starts now has it."""
        hook = Hook(FileJournals(self.folder, "acme"), at)
        with connected(self.box) as site:
            desk = _Desk(site.reader, site.writer)
            store = DiskStore(self.folder / "store")
            yield Office(desk, store, self.clock, self.policies, workers=self.workers, journals=hook), hook  # type: ignore[arg-type]

    def plan(self) -> Plan:
        """Plan now."""
        with self.office() as (office, _):
            return office.plan()

    def killed(self, saved: Plan, instant: int) -> None:
        """Apply in a process of its own, which is killed at this instant."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads only serve; the child uses none of them
            child = os.fork()
        if child == 0:
            self._die(saved, instant)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"the apply ended by itself ({status})"
        assert os.WTERMSIG(status) == signal.SIGKILL

    def _die(self, saved: Plan, instant: int) -> NoReturn:
        try:
            with self.office(kill_at(instant)) as (office, _):
                office.apply(saved)
        except BaseException:  # noqa: BLE001 - a forked process must not go on with the tests
            traceback.print_exc(file=sys.__stderr__)
        os._exit(DEFECT)

    def live(self) -> list[bytes]:
        """All users as they are."""
        return sorted(msgspec.json.encode(user) for user in self.box.world.users)

    def outcomes(self) -> list[OutcomeRecord]:
        """All that was recorded of changes, run by run."""
        commits = DiskStore(self.folder / "store").repository.commits
        files = [data for one in commits for path, data in one.files.items() if path.endswith("/outcomes.jsonl")]
        return [msgspec.json.decode(line, type=OutcomeRecord) for data in files for line in (data or b"").splitlines()]

    def effects(self) -> Counter[tuple[str, str]]:
        """What took effect since the beginning, by the audit log of the organization."""
        events = self.box.world.events
        return Counter((one.action, str(sorted(one.about.items()))) for one in events if one.at >= self.box.world.now)

    def writes(self) -> Counter[str]:
        """Calls that were answered as carried out; those that name their user in the path, and how many others."""
        log = httpx.get(f"{self.box.url}/_sandbox/requests", verify=False, timeout=STALLED).json()
        reads = ("/search", "/workspaces")
        return Counter(
            row["path"]
            for row in log
            if row["method"] in ("POST", "DELETE") and row["status"] < 300 and not row["path"].endswith(reads)
        )


class _Desk:
    """Reader and writer in one, as `Office` wants them."""

    def __init__(self, reader: object, writer: object) -> None:
        for one in (reader, writer):
            for name in ("read", "ask", "user", "group_modifiable", "write"):
                if hasattr(one, name):
                    setattr(self, name, getattr(one, name))


def make_world() -> tuple[World, SitePolicies]:
    """A small organization in which sixty changes of all usual kinds are to be made, and the policies that ask so."""
    world = seed(users=80, seed=3)
    world.options.late = {}
    spare = iter([user for user in world.users if _plain(user, world)])
    kinds = {"closing": 10, "leaving": 8, "moving": 8, "returning": 4, "direct": 4}
    cast = {kind: [next(spare) for _ in range(number)] for kind, number in kinds.items()}
    groups = {group.name: group.id for group in world.groups}
    here, there = sorted(name for name in groups if name.startswith("dept-"))[:2]
    seats = groups["confluence-users-acme"]
    for kind, users in cast.items():
        for number, user in enumerate(users):
            user.groups, user.roles, user.tokens = [groups[here]] if kind == "moving" else [], {}, []
            user.added, user.activity = OLD, {"confluence": OLD, "jira-software": OLD}
            user.directories = {"default": "suspended" if kind == "returning" else "active"}
            if kind in ("closing", "returning"):
                user.groups = [seats]
            elif kind == "direct":
                user.roles = {"confluence": ["atlassian/user"]}
            elif kind == "leaving":
                user.tokens = [_token(number)]
    accounts = {kind: tuple(user.id for user in users) for kind, users in cast.items()}
    return world, SitePolicies(site="acme", policies=tuple(_policies(accounts, here, there)), guardrails=ROOMY)


def _plain(user: User, world: World) -> bool:
    return (
        (user.type, user.account, user.source, user.managed) == ("atlassian", "active", "invited", True)
        and not user.platform_roles
        and not user.restrictions
        and not user.lifecycle_errors
        and user.directories == {"default": "active"}
        and user.id != world.credentials.runner_account
    )


def _token(number: int) -> Token:
    return Token(id=f"token-{number}", label="a script", created=OLD)


def _policies(accounts: Mapping[str, tuple[str, ...]], here: str, there: str) -> Iterator[Policy]:
    idle = InactiveFor(90, "any")
    seats = "confluence-users-acme"
    wanted = {
        "closing": ((HasSeat(wanted=True), idle), Ensure(status="suspended", groups_absent=(seats,))),
        "leaving": ((idle,), Ensure(status="deactivated", no_tokens=True)),
        "moving": ((InGroup((here,)),), Ensure(groups_present=(there,), groups_absent=(here,))),
        "returning": ((), Ensure(status="active")),
        "direct": ((HasSeat(wanted=True),), Ensure(no_access=True)),
    }
    for name, (conditions, ensure) in wanted.items():
        match = Match(all=(AccountIs(accounts[name]), *conditions))
        yield Policy(name=name, owner="iam@acme.com", why="a test", match=match, ensure=ensure)


@contextmanager
def scene(folder: Path, workers: Workers = ONE_BY_ONE) -> Iterator[Scene]:
    """A new site of the same kind and an empty folder."""
    folder.mkdir(parents=True)
    world, policies = make_world()
    with running(world) as box:
        yield Scene(box, folder, policies, workers)

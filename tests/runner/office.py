"""A small site, a policy for it, and a desk to apply it from: a fake site, a store in memory or in git."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import msgspec

from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.activity import seen_at
from cleanup_gitops.model.change import ACTIONS
from cleanup_gitops.model.group import Directory, Grant, Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Store
from cleanup_gitops.model.run import Approval, LedgerEntry
from cleanup_gitops.model.standing import Approvals, Missing
from cleanup_gitops.model.user import GroupSeat, User
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Ensure, Policy, SitePolicies
from cleanup_gitops.policy.guardrails import Cap, Guardrails
from cleanup_gitops.policy.lists import NO_LISTS, Lists
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InGroup, Match
from cleanup_gitops.runner import Desk, Run, Stop, execute, read_with_answers
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.journal import UNKEPT, Journals
from cleanup_gitops.runner.notices import Post
from cleanup_gitops.runner.recover import Recovered, Rescue, recover
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.workers import ONE_BY_ONE, Workers
from tests.fake_store import FakeStore
from tests.fakes import NOON, FakeClock, FakeProgress, FakeSite
from tests.strategies import proof_of

SEATS = "g-seats"
RUNNER = "712020:runner"


def person(number: int, idle: int, groups: Sequence[str] = (SEATS,)) -> User:
    """A person last seen so many days ago."""
    return User(
        id=f"712020:{number:04}",
        directory="default",
        status="active",
        kind="person",
        license="seat" if SEATS in groups else "none",
        managed=True,
        synced=False,
        writable=True,
        admin=False,
        domain="acme.com",
        added=NOON - timedelta(days=900),
        seen=seen_at(NOON - timedelta(days=idle)),
        elsewhere=(),
        direct=(),
        groups=tuple(groups),
        seats=(GroupSeat((SEATS,)),) if SEATS in groups else (),
    )


def office_site(*idle: int) -> Inventory:
    """The runner and one seat holder for each number of idle days."""
    runner = replace_struct(person(0, 0), id=RUNNER)
    users = tuple(sorted((*(person(n, days) for n, days in enumerate(idle, start=1)), runner), key=lambda one: one.id))
    return Inventory(
        site="acme",
        hosting="cloud",
        as_of=NOON,
        users=users,
        groups=(
            Group(id="g-others", name="others", directory="default", modifiable=True, admin=False, grants=()),
            Group(
                id=SEATS,
                name="confluence-users-acme",
                directory="default",
                modifiable=True,
                synced=False,
                license="seat",
                admin=False,
                grants=(Grant("confluence", "user"),),
            ),
        ),
        directories=(Directory(id="default", name="default"),),
        proof=proof_of(len(users), 2),
        runner=(RUNNER,),
    )


def replace_struct(user: User, **facts: object) -> User:
    """The same user with other facts."""
    return msgspec.structs.replace(user, **facts)


DORMANT = Policy(
    name="dormant",
    owner="iam@acme.com",
    why="seats",
    match=Match(all=(HasSeat(wanted=True), InactiveFor(90))),
    ensure=Ensure(groups_absent=("confluence-users-acme",), where_groups="policies/dormant.yaml:12"),
    where="policies/dormant.yaml:11",
)
OTHERS = Policy(
    name="others",
    owner="iam@acme.com",
    why="all",
    match=Match(all=(InGroup(("confluence-users-acme",)),)),
    ensure=Ensure(groups_present=("others",)),
)
ROOMY = Guardrails(caps={name: Cap(1000) for name in Guardrails().caps}, allow=frozenset(ACTIONS), per_domain=100)
POLICIES = SitePolicies(site="acme", policies=(DORMANT,), guardrails=ROOMY)

SECOND = Approval(kind="second", by="SHA256:else", at=NOON, ref="approve/0000")
"""Somebody else has approved what is deleted."""


@dataclass
class Office:
    """Everything one test needs."""

    site: FakeSite
    store: Store
    clock: FakeClock = field(default_factory=FakeClock)
    policies: SitePolicies = POLICIES
    version: str = "0"
    workers: Workers = ONE_BY_ONE
    journals: Journals = UNKEPT
    warned: list[str] = field(default_factory=list)
    progress: FakeProgress = field(default_factory=FakeProgress)
    post: Post | None = None
    lists: Lists = NO_LISTS
    """Lists of people and rosters, as they were read."""

    def plan(self, adopt: frozenset[str] = frozenset()) -> Plan:
        """Plan now."""
        now = self.clock.now()
        files = self.store.read()
        memory = memory_of(files)
        live, _ = read_with_answers(remembering(self.site, files), self.policies, now, self.lists, memory=memory)
        return make_plan(
            live.inventory,
            self.policies,
            memory,
            created=now,
            as_of=now,
            tool_version=self.version,
            people=live.people,
            lists=self.lists,
            adopt=adopt,
        )

    def apply(
        self,
        saved: Plan | None = None,
        stop: Stop | None = None,
        standing: Approvals | None = None,
        *,
        sparing: bool = False,
        second: Approval | Missing = SECOND,
        adopt: frozenset[str] = frozenset(),
    ) -> Run:
        """Apply now; ``standing``: under these approvals of whole policies; ``sparing``: record only what is new."""
        hands = Hands(self.site, self.site, self.clock, self.progress, self.workers, self.post)
        desk = Desk(
            self.policies,
            hands,
            self.store,
            self.version,
            frozenset({"acme.com"}),
            process="process 1",
            journals=self.journals,
            adopt=adopt,
            lists=self.lists,
        )
        return execute(desk, saved=saved, stop=stop or Stop(), standing=standing, sparing=sparing, second=second)

    def later(self, days: float) -> None:
        """So many days pass."""
        self.clock.sleep(86_400 * days)

    def recover(self, run: str, kept: bytes | None = None) -> Recovered:
        """End a run that was cut off."""
        domains = frozenset({"acme.com"})
        rescue = Rescue(
            "acme", self.store, self.site, self.clock, self.version, domains,
            journals=self.journals, policies=self.policies,
        )  # fmt: skip
        return recover(rescue, run, kept=kept, warn=self.warned.append)

    def entries(self) -> tuple[LedgerEntry, ...]:
        """All that the ledger says."""
        tail = read_tail(self.store.read())
        return tail.entries if tail else ()

    def under(self, **changes: object) -> None:
        """Other policies from now on."""
        self.policies = replace(self.policies, **changes)  # type: ignore[arg-type]


def open_office(*idle: int, beside: Office | None = None) -> Office:
    """A site whose users are idle for so many days, and no record yet; ``beside``: another desk for the same site."""
    if beside is not None:
        assert isinstance(beside.store, FakeStore)
        return Office(beside.site, FakeStore(repository=beside.store.repository), beside.clock, beside.policies)
    return Office(FakeSite(office_site(*idle)), FakeStore())


def open_git_office(folder: Path, *idle: int) -> Office:
    """The same in a fresh git repository."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return Office(FakeSite(office_site(*idle)), GitStore(folder, "acme"))

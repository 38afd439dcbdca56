"""All of it in one process: a sandbox over real HTTP, the client, planner, runner and ledger, and virtual time."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, Self

import httpx

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Reader
from cleanup_gitops.model.standing import Approvals
from cleanup_gitops.planner import make_plan
from cleanup_gitops.policy.documents import Ensure, Exemption, Policy, Protection, SitePolicies, Standing
from cleanup_gitops.policy.guarding import ReadingGuards
from cleanup_gitops.policy.site import Site
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InGroup, Match, NeverActiveFor
from cleanup_gitops.runner import Desk, Run, Stop, execute, read_with_answers
from cleanup_gitops.runner.attempt import Hands
from cleanup_gitops.runner.journal import UNKEPT, Journals
from cleanup_gitops.runner.journal_files import FileJournals
from cleanup_gitops.runner.recover import Recovered, Rescue, recover
from cleanup_gitops.runner.remembering import remembering
from cleanup_gitops.runner.rollback import undo_of
from cleanup_gitops.runner.workers import ONE_BY_ONE, Workers
from cleanup_gitops.sandbox.options import Options
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import User, World, format_time, parse_time
from cleanup_gitops.sites.cloud import CloudSite, connect
from cleanup_gitops.sites.exchange import Limits
from tests.fakes import FakeProgress
from tests.machine.books import Books
from tests.machine.effects import Effects, administers
from tests.machine.mortal import Life, MortalJournals, MortalReader, MortalStore, MortalWriter
from tests.patience import STALLED
from tests.planner.site_policies import WIDE
from tests.sites.box import SharedClock, secrets_of, site_of

NOW = "2026-11-22T09:00:00Z"
TEAM = "dept-finance"
PATIENT = Limits(connect=STALLED, read=STALLED, total=STALLED)
"""Seconds of real time for the connection; tries and waits are as usual, and waiting costs virtual time alone."""


def _policy(name: str, match: Match, ensure: Ensure, standing: Standing | None = None) -> Policy:
    return Policy(
        name=name,
        owner="iam@acme.com",
        why="because",
        match=match,
        ensure=ensure,
        kinds=match.kinds,
        standing=standing,
        digest=f"sha256:{name}",
        where=f"policies/{name}.yaml:9",
    )


POLICIES = (
    _policy(
        "dormant",
        Match(all=(HasSeat(wanted=True), InactiveFor(90)), none=(InactiveFor(180, "any"),)),
        Ensure(groups_absent=("confluence-users-acme",)),
        Standing(1),
    ),
    _policy(
        "idle", Match(all=(InactiveFor(180, "any"),)), Ensure(status="suspended"), Standing(2, timedelta(hours=20))
    ),
    _policy("never", Match(all=(NeverActiveFor(60),)), Ensure(no_access=True)),
    _policy("team", Match(all=(InGroup(("jira-users-acme",)),)), Ensure(groups_present=(TEAM,)), Standing(2)),
)
"""What they ask depends on what only others change, so that carrying one out never makes another one speak."""
PROTECTED = Protection(name="emergency", owner="iam@acme.com", groups=("break-glass",))


IDLE = (95, 120, 200, 400, None)
"""Days since some people of a small world used Confluence; ``None``: never."""


def small_world(number: int, users: int = 22) -> World:
    """An organization in which there is a little to do for every policy; nothing is late, and nothing is counted."""
    world = seed(users=users, seed=number, now=NOW)
    world.options = Options(rate_limits=[], late={})
    ids = {group.name: group.id for group in world.groups}
    rng = random.Random(number)
    people = [one for one in world.users[11:] if one.type == "atlassian" and one.account == "active"]
    missing = {one.id for one in rng.sample(people, 2)}
    for user in world.users:
        if ids["jira-users-acme"] in user.groups and user.id not in missing:
            user.groups = [*user.groups, *({ids[TEAM]} - set(user.groups))]
    for user, days in zip(rng.sample(people, len(IDLE)), IDLE, strict=True):
        make_idle(user, days, ids)
    return world


def crowd(idle: int) -> World:
    """An organization in which so many people are idle, in turns as in `IDLE`, and some are not."""
    world = seed(users=idle + 30 + idle // 3, seed=7, now=NOW)
    world.options = Options(rate_limits=[], late={}, virtual_limits=True)
    ids = {group.name: group.id for group in world.groups}
    people = [one for one in world.users[11:] if one.type == "atlassian" and one.account == "active"]
    for number, user in enumerate(people[:idle]):
        make_idle(user, IDLE[number % len(IDLE)], ids)
    next(one for one in world.resources if one.name == "confluence").capacity = 10 * idle
    return world


def make_idle(user: User, days: int | None, groups: dict[str, str]) -> None:
    """A person of the own directory with one seat, last seen so many days ago; who never came has it by a role too."""
    joined = [one for one in (groups["jira-users-acme"], groups[TEAM]) if one in user.groups]
    user.groups = [*joined, groups["confluence-users-acme"]]
    user.source, user.managed, user.restrictions = "invited", True, {}
    user.directories, user.added = {"default": "active"}, _ago(900)
    user.activity = {} if days is None else {"confluence": _ago(days)}
    user.roles = {"confluence": ["atlassian/user"]} if days is None else {}


def _ago(days: int) -> str:
    return format_time(parse_time(NOW) - timedelta(days=days))


ROOMY = replace(WIDE, reading=ReadingGuards(max_drop=60, min_known=0), per_domain=100)
"""On a site of twenty people two are many percent: what guards do has tests of its own."""


@dataclass
class House:
    """One site and all that works on it. A context manager; `effects` are what writes really did."""

    books: Books
    world: World
    policies: SitePolicies = field(
        default_factory=lambda: SitePolicies(site="acme", policies=POLICIES, protections=(PROTECTED,), guardrails=ROOMY)
    )
    shielding: bool = True
    """Whether whom the policies' documents spare counts as untouchable, beside administrators and the like."""

    def __enter__(self) -> Self:
        self.box: RunningSandbox = running(self.world).__enter__()
        self.client = httpx.Client(base_url=self.box.url, verify=False, timeout=STALLED)
        self.clock = SharedClock(self.client, parse_time(self.world.now).astimezone(UTC))
        self.effects = Effects(self.box, self.shield)
        self.folder = tempfile.TemporaryDirectory()
        self.journals = FileJournals(Path(self.folder.name), "acme")
        self.site: CloudSite = connect(self.document, secrets_of(self.box), self.clock, FakeProgress(), limits=PATIENT)
        return self

    def __exit__(self, *error: object) -> None:
        self.site.close()
        self.client.close()
        self.box.__exit__(None, None, None)
        self.folder.cleanup()

    @property
    def document(self) -> Site:
        """The Site document."""
        return site_of(self.box, service_accounts=())

    # -- what the tool does ------------------------------------------------------------------------

    def plan(self, undoing: str = "") -> Plan:
        """A plan now; ``undoing``: one that takes back what this run did."""
        now, store = self.clock.now(), self.books.open()
        files = store.read()
        memory = memory_of(files)
        undo = undo_of(store, files, memory, site="acme", run=undoing) if undoing else None
        reader = remembering(self.site.reader, files)
        live, _ = read_with_answers(reader, self.policies, now, undo=undo)
        return make_plan(
            live.inventory,
            self.policies,
            memory,
            created=now,
            as_of=now,
            tool_version="0",
            people=live.people,
            undo=undo,
        )

    def apply(
        self,
        saved: Plan | None = None,
        life: Life | None = None,
        meanwhile: Callable[[], None] = lambda: None,
        *,
        store: Any = None,  # noqa: ANN401 - any store
        stop: Stop | None = None,
        workers: Workers = ONE_BY_ONE,
        standing: Approvals | None = None,
    ) -> Run:
        """One apply by a process with this life, in which ``meanwhile`` happens right after it has read the site.

        ``standing``: under these approvals of whole policies.
        """
        life = life or Life()
        reader: Reader = MortalReader(self.site.reader, life, meanwhile)
        hands = Hands(reader, MortalWriter(self.site.writer, life), self.clock, FakeProgress(), workers)
        books = MortalStore(store or self.books.open(), life)
        journals = MortalJournals(self.journals, life)
        desk = Desk(self.policies, hands, books, "0", frozenset({"acme.com"}), process="process 1", journals=journals)
        return execute(desk, saved=saved, stop=stop or Stop(), standing=standing)

    def recover(
        self, run: str, life: Life | None = None, kept: bytes | None = None, *, elsewhere: bool = False
    ) -> Recovered:
        """End a run that was cut off, by a process with this life; ``elsewhere``: on a machine without its journal."""
        life = life or Life()
        reader = MortalReader(self.site.reader, life, lambda: None)
        books = MortalStore(self.books.open(), life)
        journals: Journals = UNKEPT if elsewhere else MortalJournals(self.journals, life)
        rescue = Rescue("acme", books, reader, self.clock, "0", frozenset({"acme.com"}), journals=journals)
        return recover(rescue, run, kept=kept, warn=lambda _: None)

    # -- what else happens -------------------------------------------------------------------------

    def happens(self, account: str, **what: object) -> None:
        """Somebody else changes a user."""
        self.client.post(f"/_sandbox/users/{account}", json=what).raise_for_status()

    def disturb(self, faults: Sequence[dict[str, Any]]) -> None:
        """Requests go wrong from now on, by these rules before those that there are."""
        self.client.post("/_sandbox/faults", json=list(faults)).raise_for_status()

    def calm(self) -> None:
        """Nothing goes wrong any more, and what shows late shows now."""
        self.client.delete("/_sandbox/faults").raise_for_status()
        self.client.post("/_sandbox/settle").raise_for_status()

    def requests(self) -> int:
        """How many requests the sandbox got so far."""
        return len(self.client.get("/_sandbox/requests").json())

    def protect(self, account: str) -> None:
        """From the next run on a Protection names the account."""
        named = Protection(name="named", owner="iam@acme.com", accounts=(account,))
        self._edit(protections=(*self.policies.protections, named))

    def exempt(self, account: str, days: int) -> None:
        """From the next run on the account is exempt, for so many days."""
        until = (self.clock.now() + timedelta(days=days)).date()
        entry = Exemption(
            account=account, reason="absence", owner="hr@acme.com", until=until, ticket="HR-1", document="leave"
        )
        self._edit(exemptions=(*self.policies.exemptions, entry))

    def rewrite(self, name: str) -> None:
        """From the next run on this policy means something else, though it asks for the same."""
        chosen = next(one for one in self.policies.policies if one.name == name)
        other = replace(chosen, why=f"{chosen.why}, really", digest=sha256((chosen.digest + "1").encode()))
        self._edit(policies=tuple(other if one is chosen else one for one in self.policies.policies))

    def _edit(self, **parts: Any) -> None:  # noqa: ANN401 - any part of the policies
        """Other policies, which say something else."""
        changed = replace(self.policies, **parts)
        self.policies = replace(changed, digest=sha256(repr(replace(changed, digest="")).encode()))

    # -- what is so --------------------------------------------------------------------------------

    def shield(self, user: User) -> str:
        """Why nobody may touch this user of the sandbox at this moment; "" when they may."""
        if user.id == self.world.credentials.runner_account:
            return "the runner's own account"
        if administers(self.box, user):
            return "an administrator"
        if user.type != "atlassian":
            return "no person"
        groups = {self.box.state.groups[one].name for one in user.groups}
        for protection in self.policies.protections if self.shielding else ():
            if user.id in protection.accounts or groups & set(protection.groups):
                return f"protected by {protection.name}"
        today = self.box.state.moment().date()  # the clock's owner may be waiting for the sandbox, which asks this
        if self.shielding and any(user.id == one.account and one.until >= today for one in self.policies.exemptions):
            return "exempt"
        return ""

"""Invented organizations with all that policies can say: stages, notices, declared groups, people who come and go.

Everything follows from one seed. Memory is that of real runs before, so that episodes are open and groups adopted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

import msgspec

from cleanup_gitops.ledger.adopting import with_adopted
from cleanup_gitops.model.activity import Never
from cleanup_gitops.model.change import UserInvite
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Adopted, Memory
from cleanup_gitops.model.people import NOBODY, People, Person
from cleanup_gitops.model.plan import Handoff, Plan
from cleanup_gitops.model.requirement import DesiredStatus
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import make_plan
from cleanup_gitops.planner.assume import joined
from cleanup_gitops.policy.documents import Ensure, Policy, Protection, SitePolicies
from cleanup_gitops.policy.groups import GroupEntry, Groups
from cleanup_gitops.policy.lists import Lists
from cleanup_gitops.policy.roster import Joiners, Leavers, Roster, Source
from cleanup_gitops.policy.roster_rows import RosterRow, RosterRows
from cleanup_gitops.policy.tree import Begins, HasLeft, Match
from tests.planner.organizations import mostly, organization
from tests.planner.site_policies import site_policies
from tests.planner.staged import Days, staged
from tests.strategies import AS_OF, proof_of

KEY = b"a key that nobody can guess, of 32 and more"
SLA = timedelta(hours=24)
SOURCE = Source(columns={"account": "id", "email": "mail", "starts": "from", "ends": "to"}, time_zone="UTC", env="HR")
TODAY = AS_OF.date()


@dataclass
class Language(Days):
    """Days of a site with a roster and declared groups."""

    people: People = NOBODY
    lists: Lists = field(default_factory=Lists)

    @property
    def memory(self) -> Memory:
        adopted = tuple(one for one in self.lines if isinstance(one, Adopted))
        return msgspec.structs.replace(super().memory, adopted=adopted)

    def plan(self, at: datetime, memory: Memory | None = None) -> Plan:
        return make_plan(
            self.inventory,
            self.policies,
            self.memory if memory is None else memory,
            created=at,
            as_of=at,
            tool_version="0",
            people=self.people,
            lists=self.lists,
        )

    def run(self, at: datetime, *, apply: bool = True) -> Plan:
        plan = super().run(at, apply=apply)
        self.lines = with_adopted(self.lines, plan, f"{at:%Y%m%dT%H%M%SZ}-aaaaaaaa", at)
        return plan

    def does(self, plan: Plan, at: datetime) -> tuple[Outcome, ...]:
        """Who is invited has an account from then on."""
        outcomes = super().does(plan, at)
        accounts = {one.address: self._arrives(one, at) for one in plan.changes if isinstance(one, UserInvite)}
        return tuple(msgspec.structs.replace(one, user=accounts.get(one.address, one.user)) for one in outcomes)

    def _arrives(self, invite: UserInvite, at: datetime) -> str:
        account = f"712020:{invite.address.rpartition('/')[2][:12]}"
        address = next(one for one in NEW if invite.address.endswith(f"/{self.people.pseudonym(one)}"))
        user = User(id=account, directory=invite.directory, status="active", kind="person", license="none",
                    managed=True, synced=False, writable=True, admin=False, domain="acme.com", added=at,
                    seen=Never(at), elsewhere=(), groups=(), seats=(), roles=(), direct=(), external=False,
                    has_email=True, tokens=())  # fmt: skip
        for group in invite.groups:
            user = joined(user, group, self.inventory)
        users = tuple(sorted((*self.inventory.users, user), key=lambda one: one.id))
        self.inventory = msgspec.structs.replace(
            self.inventory, users=users, proof=proof_of(len(users), len(self.inventory.groups))
        )
        self.people = self.people.beside({account: Person("New One", address)})
        return account

    def carried_out(self, handoffs: Iterable[Handoff]) -> None:
        super().carried_out(one for one in handoffs if one.user in self.inventory.user_by_id)


NEW = ("new.one@acme.com", "new.two@acme.com")
CLOSING: tuple[DesiredStatus, ...] = ("disabled", "disabled", "deactivated")


def language(seed: int, *, quiet: bool = False) -> Language:
    """One organization. ``quiet``: policies ask only about facts that no change writes, and no seat is short.

    So no account is opened: those of people who are declared, or who begin, get into groups when they are open. And
    no group is declared as a whole beside a policy: who is not in it any more is one more whom a harsher one means.
    """
    rng = Random(f"language {seed}")
    inventory = organization(rng, seat_limit=not quiet)
    policies = site_policies(rng, inventory, outside_only=quiet)
    if quiet:
        policies = replace(policies, policies=policies.policies[: rng.choice((0, 1, 1))])
    policies = _some_staged(rng, policies, inventory, quiet=quiet)
    if quiet and any(asked.status == "active" for one in policies.policies for asked in one.states):
        policies = replace(policies, policies=())
    people = _people(rng, inventory)
    roster, rows = _roster(rng, inventory, people)
    names = [group.name for group in inventory.groups]
    chosen = rng.sample(names, rng.randint(1, len(names)))
    taken = {name for one in policies.policies for name in _groups_of(one)} | {*(roster.joiners or NO_ONE).groups}
    whole = not (quiet and policies.policies)
    entries = tuple(_entry(rng, name, inventory, whole=whole) for name in chosen if not (quiet and name in taken))
    policies = replace(
        policies,
        policies=(*policies.policies, *(one for one in (roster.policy or roster.joining,) if one)),
        rosters=(roster,),
        protections=(*policies.protections, *_spared(rng, inventory)),
        groups=(Groups(name="declared", entries=entries, where="policies/g.yaml:1"),) if entries else (),
    )
    lines = [
        Adopted(group=one.id, name=one.name, run="r", at=AS_OF, why="clean")
        for one in inventory.groups
        if one.name in chosen and rng.random() < 0.6
    ]
    return Language(inventory, policies, list(lines), people=people, lists=Lists(rosters={"hr": rows}))


NO_ONE = Joiners((), "user")


def _spared(rng: Random, inventory: Inventory) -> tuple[Protection, ...]:
    """Often somebody more, so that people are spared of whom much is asked."""
    accounts = [one.id for one in rng.sample(inventory.users, rng.randint(0, 1))]
    return (Protection(name="more", owner="s@acme.com", accounts=tuple(accounts)),) if accounts else ()


def _groups_of(policy: Policy) -> set[str]:
    asked = (policy.ensure, *(one.ensure for one in policy.stages))
    every = ((*(one.groups_present or ()), *(one.groups_absent or ()), *(one.groups_exactly or ())) for one in asked)
    return {name for names in every for name in names}


def _some_staged(rng: Random, policies: SitePolicies, inventory: Inventory, *, quiet: bool) -> SitePolicies:
    """Every second policy goes through stages, routine ones mostly after a notice; now and then one only reports."""
    plain = staged(rng, policies, inventory, outside_only=quiet).policies
    telling = staged(rng, policies, inventory, telling=True, outside_only=quiet).policies
    found = []
    for policy, steps, told in zip(policies.policies, plain, telling, strict=True):
        kind = rng.choice((policy, steps, told)) if not policy.termination else rng.choice((policy, steps))
        found.append(replace(kind, report=rng.random() < 0.1))
    return replace(policies, policies=tuple(found))


def _entry(rng: Random, name: str, inventory: Inventory, *, whole: bool) -> GroupEntry:
    accounts = [user.id for user in inventory.users]
    return GroupEntry(
        name=name,
        accounts=tuple(rng.sample(accounts, rng.randint(0, len(accounts))) or ["nobody"]),
        exactly=rng.random() < 0.6 and whole,
        allow_shared_groups=rng.random() < 0.5,
        where="policies/g.yaml:2",
    )


def _people(rng: Random, inventory: Inventory) -> People:
    """Nearly everybody shows an address of their own."""
    addresses = {user.id: mostly(rng, f"p{number}@acme.com", None, "p0@acme.com")
                 for number, user in enumerate(inventory.users)}  # fmt: skip
    return People({one: Person(f"Person {one[-4:]}", address) for one, address in addresses.items()}, KEY)


def _roster(rng: Random, inventory: Inventory, people: People) -> tuple[Roster, RosterRows]:
    """People who left, by id or by address, people who begin, with an account and without, and people who stay."""
    rows = []
    for user in inventory.users:
        email = people.email(user.id) or ""
        by_id = not email or rng.random() < 0.5
        starts, ends = rng.choice(((None, None), (None, _day(rng, 25)), (_day(rng, 25), None)))
        if rng.random() < 0.8:
            rows.append((email if not by_id or rng.random() < 0.5 else "", user.id if by_id else "", starts, ends))
    rows += [(one, "", _day(rng, 20), None) for one in NEW if rng.random() < 0.5]
    told = tuple(RosterRow(number, *row) for number, row in enumerate(rows, start=2))
    cloud = inventory.hosting == "cloud"
    status = rng.choice(CLOSING) if cloud else "disabled"
    leavers = Leavers(Ensure(status=status, no_tokens=cloud and rng.random() < 0.5), SLA)
    joiners = Joiners((rng.choice(inventory.groups).name,), "user", where="policies/hr.yaml:9")
    leaves, begins = rng.random() < 0.9, rng.random() < 0.7
    policy = Policy(name="hr", owner="hr", why="left", match=Match(all=(HasLeft("hr", SLA),)), ensure=leavers.ensure,
                    termination=True, where="policies/hr.yaml:5")  # fmt: skip
    joining = Policy(name="hr", owner="hr", why="new", match=Match(all=(Begins("hr"),)),
                     ensure=Ensure(groups_present=joiners.groups), where="policies/hr.yaml:9")  # fmt: skip
    both = Roster(name="hr", owner="hr", source=SOURCE, leavers=leavers if leaves else None,
                  joiners=joiners if begins or not leaves else None, policy=policy if leaves else None,
                  joining=joining if begins or not leaves else None)  # fmt: skip
    return both, RosterRows("HR", told, "sha256:00", "UTC")


def _day(rng: Random, days: int) -> date:
    """A day shortly before or after the day of the tests."""
    return TODAY + timedelta(days=rng.randint(-days, days // 2))

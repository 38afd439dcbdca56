"""Runs day by day without a site: a plan, what it does to an inventory, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

import msgspec

from cleanup_gitops.ledger.episodes import with_stages
from cleanup_gitops.ledger.remember import Ran, remember
from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import (
    BLANK,
    Closed,
    Done,
    Flap,
    Hold,
    Mark,
    Memory,
    Remembered,
    Settling,
)
from cleanup_gitops.model.plan import Handoff, Plan
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.model.user import Status, User
from cleanup_gitops.planner import assume, make_plan, undone
from cleanup_gitops.planner.assume import joined, left
from cleanup_gitops.policy.documents import NOTHING_ASKED, SitePolicies, Stage
from tests.planner.site_policies import site_policies


def known(lines: Iterable[Remembered]) -> Memory:
    """What the next run knows of these lines."""
    told = list(lines)
    return msgspec.structs.replace(
        BLANK,
        done=tuple(one for one in told if isinstance(one, Done)),
        holds=tuple(one for one in told if isinstance(one, Hold)),
        flaps=tuple(one for one in told if isinstance(one, Flap)),
        settling=tuple(one for one in told if isinstance(one, Settling)),
        marks=tuple(one for one in told if isinstance(one, Mark)),
        closed=tuple(one for one in told if isinstance(one, Closed)),
    )


def outcomes_of(changes: Iterable[Change], at: datetime) -> tuple[Outcome, ...]:
    """All of them applied and seen."""
    return tuple(
        Outcome(
            address=one.address,
            action=one.action,
            change=change_digest(one),
            user=one.user,
            result="applied",
            at=at,
            before=one.before,
            after=one.after,
            causes=one.causes,
            verified=at,
        )
        for one in changes
    )


@dataclass
class Days:
    """A site as an inventory, and what its runs remember."""

    inventory: Inventory
    policies: SitePolicies
    lines: list[Remembered] = field(default_factory=list)

    @property
    def memory(self) -> Memory:
        """What the next run knows."""
        return known(self.lines)

    def plan(self, at: datetime) -> Plan:
        """A plan at a UTC time."""
        return make_plan(self.inventory, self.policies, self.memory, created=at, as_of=at, tool_version="0")

    def run(self, at: datetime, *, apply: bool = True) -> Plan:
        """A recorded run: with ``apply`` it does all of its plan, else nothing of it."""
        plan = self.plan(at)
        found = undone(self.inventory, self.policies, self.memory, created=at)
        outcomes = self.does(plan, at) if apply else ()
        ran = Ran(run=f"{at:%Y%m%dT%H%M%SZ}-aaaaaaaa", at=at, envelope="e", outcomes=outcomes, noticed=found)
        self.lines = with_stages(remember(self.lines, ran), plan, outcomes, self.inventory, open_=())
        return plan

    def does(self, plan: Plan, at: datetime) -> tuple[Outcome, ...]:
        """All of a plan is applied at a UTC time, and seen."""
        self.inventory = assume(self.inventory, plan)
        return outcomes_of(plan.changes, at)

    def carried_out(self, handoffs: Iterable[Handoff]) -> None:
        """Others do what was handed off to them: memberships and suspensions."""
        for one in handoffs:
            user = self.inventory.user_by_id[one.user]
            self.becomes(_after(user, one, self.inventory))

    def becomes(self, user: User) -> None:
        """Others change a user."""
        users = tuple(user if one.id == user.id else one for one in self.inventory.users)
        self.inventory = msgspec.structs.replace(self.inventory, users=users)

    def user(self, account: str) -> User:
        """The user as the site shows it now."""
        return self.inventory.user_by_id[account]


def _after(user: User, one: Handoff, inventory: Inventory) -> User:
    group = next((known.id for known in inventory.groups if f"/{known.id}/" in one.address), "")
    match one.action:
        case "membership.remove" if group in (user.groups or ()):
            return left(user, group, inventory)
        case "membership.add" if group and group not in (user.groups or ()):
            return joined(user, group, inventory)
        case "user.disable" if user.status == "active":
            status: Status = "suspended" if inventory.hosting == "cloud" else "disabled"
            return msgspec.structs.replace(user, status=status)
        case _:
            return user


TELLS = Stage(name="notice", notify="inactivity-notice", where="p:0")


def staged(
    rng: Random, policies: SitePolicies, inventory: Inventory, *, telling: bool = False, outside_only: bool = False
) -> SitePolicies:
    """The same, with policies that go through two stages: what they asked for, then what others ask for.

    ``telling``: after a notice. ``outside_only``: the others ask only about facts that no change writes.
    """
    others = site_policies(rng, inventory, outside_only=outside_only).policies
    found = []
    for policy in policies.policies:
        second = rng.choice(others)
        stages: tuple[Stage, ...] = (
            Stage(name="first", ensure=policy.ensure, allow_shared_groups=policy.allow_shared_groups, where="p:1"),
        )
        gives = second.ensure.status == "active" or second.ensure.groups_present or second.ensure.groups_exactly
        if policy.ensure.status not in ("removed", "deleted") and not (policy.termination and gives):
            when = second.match if rng.random() < 0.2 else None
            stages = (*stages, Stage(name="second", ensure=second.ensure, after=7, when=when, where="p:2"))
        if telling:
            stages = (TELLS, replace(stages[0], after=7), *stages[1:])
        found.append(replace(policy, ensure=NOTHING_ASKED, stages=stages))
    return SitePolicies(
        site=policies.site,
        policies=tuple(found),
        protections=policies.protections,
        exemptions=policies.exemptions,
        guardrails=policies.guardrails,
    )

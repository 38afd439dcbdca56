"""What runs will do from day to day if nobody else changes anything: one plan after the other, each of them applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from cleanup_gitops.ledger.pending import Terms
from cleanup_gitops.model.change import Action, Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Check, Handoff, Plan, StageRow
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.planner import guarded
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.expiry import ending_credentials
from cleanup_gitops.policy.site import Site
from cleanup_gitops.rehearsal.ahead import Ahead, outcomes_of

EndKind = Literal["exemptions", "Override", "policy", "credential", "holds"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows of an approved plan that an apply carries out at once, and why (a code) each other one waits.

    ``terms`` tells from the outcomes what memory has to know of the policies afterwards.
    """

    changes: tuple[Change, ...]
    left: tuple[tuple[Change, str], ...]
    terms: Callable[[Sequence[Outcome]], Terms]


Choose = Callable[[Plan, Memory, Inventory], Chosen]
"""What an apply of a plan that was approved as a whole carries out, with this memory, on this site."""


@dataclass(frozen=True, slots=True, order=True)
class End:
    """What counts for the last time on a day. ``name`` is a document, a policy, or what a credential is.

    ``number``: how many exemptions or holds; else 1. ``where`` is ``file:line``, "" where there is none.
    """

    kind: EndKind
    name: str
    number: int = 1
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One run. Counts alone: nobody is named.

    ``actions`` and ``policies`` count the changes that are carried out, ``entered`` users by policy and stage,
    ``closed`` episodes that end by policy and why. ``handoffs`` and ``waiting`` count rows that were not among those of
    the day before: by action, and by why they wait. ``broken`` are the guards that keep the run from doing anything:
    name and message.
    """

    at: datetime
    actions: Mapping[Action, int] = field(default_factory=dict)
    policies: Mapping[str, int] = field(default_factory=dict)
    entered: Mapping[tuple[str, str], int] = field(default_factory=dict)
    closed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    handoffs: Mapping[Action, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    seats: int
    """Seats in use after the run."""
    ends: tuple[End, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    planned: int = 0
    """Changes in the plan, whether they are carried out or not."""
    digest: str = ""
    """Of the plan."""

    @property
    def changes(self) -> int:
        """How many changes are carried out."""
        return sum(self.actions.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A run each day, the first one now. ``seats`` are in use now, before it; ``limit`` may be bought.

    ``blocked`` says which policies act on nobody because they name something that the site does not have.
    """

    site: str
    days: tuple[Day, ...]
    seats: int
    limit: int | None
    blocked: tuple[str, ...]
    regular: int = 0
    """Use goes on where it was seen in so many days before now; 0: nobody is seen again."""

    @property
    def eventful(self) -> tuple[Day, ...]:
        """The days on which something happens; of those on which the same guards stay broken the first."""
        found: list[Day] = []
        broken: tuple[str, ...] = ()
        for day in self.days:
            names = tuple(name for name, _ in day.broken)
            news = day.actions or day.entered or day.closed or day.handoffs or day.waiting or day.ends
            if news or names != broken:
                found.append(day)
            broken = names
        return tuple(found)


def forecast(
    ahead: Ahead, site: Site, now: datetime, days: int, choose: Choose, step: Callable[[int], None] = lambda _: None
) -> Forecast:
    """A run now (UTC) and one on each of so many days after it, all at the same time of day, all plans approved.

    A plan over a guard is not carried out, and the next day begins as this one did. ``step`` is told how many runs are
    through. What the reader of ``ahead`` raises is raised.
    """
    found: list[Day] = []
    before = _Before()
    plan, inventory = ahead.plan(now)
    seats, blocked = inventory.seats_used, plan.blocked
    for number in range(days + 1):
        at = now + timedelta(days=number)
        if number:
            plan, inventory = ahead.plan(at)
        ends = tuple(ends_on(at.astimezone(UTC).date(), ahead.policies, site, ahead.memory))
        day, before = _day(ahead, plan, inventory, choose, before, ends)
        found.append(day)
        step(number + 1)
    return Forecast(
        site=plan.site,
        days=tuple(found),
        seats=seats,
        limit=inventory.seat_limit,
        blocked=blocked,
        regular=ahead.regular,
    )


@dataclass(frozen=True, slots=True)
class _Before:
    """Rows of the day before that others have to carry out, or that wait, by address."""

    handoffs: frozenset[tuple[str, str]] = frozenset()
    waiting: frozenset[tuple[str, str]] = frozenset()


def _day(
    ahead: Ahead, plan: Plan, inventory: Inventory, choose: Choose, before: _Before, ends: tuple[End, ...]
) -> tuple[Day, _Before]:
    chosen = choose(plan, ahead.memory, inventory)
    broken = _broken(plan.checks)
    if not broken and chosen.changes != plan.changes:
        broken = _broken(guarded(plan, chosen.changes, inventory, ahead.policies, ahead.memory).checks)
    if broken:
        day = Day(
            at=plan.created,
            seats=inventory.seats_used,
            ends=ends,
            broken=broken,
            planned=len(plan.changes),
            digest=plan.digest,
        )
        return day, before
    outcomes = outcomes_of(chosen.changes, plan.created)
    after = ahead.carried_out(plan, inventory, outcomes, chosen.changes, chosen.terms(outcomes))
    now = _Before(
        frozenset((one.address, one.action) for one in plan.handoffs),
        frozenset(_waits(plan, chosen)),
    )
    day = Day(
        at=plan.created,
        actions=Counter(one.action for one in chosen.changes),
        policies=Counter(name for one in chosen.changes for name in {cause.policy for cause in one.causes}),
        entered=_entered(plan.lifecycle, outcomes),
        closed=Counter((row.policy, str(row.reason)) for row in plan.lifecycle if row.what == "closed"),
        handoffs=_new_handoffs(plan.handoffs, before),
        waiting=Counter(code for address, code in sorted(now.waiting - before.waiting)),
        seats=after.seats_used,
        ends=ends,
        planned=len(plan.changes),
        digest=plan.digest,
    )
    return day, now


def _broken(checks: Iterable[Check]) -> tuple[tuple[str, str], ...]:
    return tuple((check.name, check.message) for check in checks if not check.passed)


def _waits(plan: Plan, chosen: Chosen) -> Iterator[tuple[str, str]]:
    """Rows that are asked for and not carried out, and why; not those of policies that only report."""
    yield from ((change.address, code) for change, code in chosen.left)
    yield from ((one.change.address, one.reason) for one in plan.pending if one.reason != "report")


def _new_handoffs(handoffs: Iterable[Handoff], before: _Before) -> Mapping[Action, int]:
    return Counter(one.action for one in handoffs if (one.address, one.action) not in before.handoffs)


def _entered(rows: Iterable[StageRow], outcomes: Iterable[Outcome]) -> Mapping[tuple[str, str], int]:
    """Stages that users enter: one that tells them with its notice alone."""
    sent = {one.address for one in outcomes}
    return Counter(
        (row.policy, row.stage) for row in rows if row.what == "entered" or (row.what == "due" and row.address in sent)
    )


def ends_on(day: date, policies: SitePolicies, site: Site, memory: Memory) -> Iterator[End]:
    """What counts for the last time on this UTC day."""
    exempt = Counter((one.document) for one in policies.exemptions if one.until == day)
    yield from (End("exemptions", name, number) for name, number in sorted(exempt.items()))
    yield from (End("Override", one.name, 1, one.where) for one in policies.overrides if one.until == day)
    yield from (End("policy", one.name, 1, one.where) for one in policies.policies if one.until == day)
    yield from (End("credential", what, 1, one.where) for what, one in ending_credentials(site) if one.expires == day)
    held = Counter(one.policy for one in memory.holds if one.until == day)
    yield from (End("holds", name, number) for name, number in sorted(held.items()))

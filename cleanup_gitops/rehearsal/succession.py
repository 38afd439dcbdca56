"""The day after: a site and what is remembered of it, once a plan was carried out as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from cleanup_gitops.ledger.adopting import with_adopted
from cleanup_gitops.ledger.episodes import with_stages
from cleanup_gitops.ledger.memory import still_remembered
from cleanup_gitops.ledger.pending import with_spent
from cleanup_gitops.ledger.remember import Ran, remember
from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Adopted, Closed, Done, Flap, Hold, Mark, Memory, Remembered, Spent
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Outcome
from cleanup_gitops.planner import assume, undone
from cleanup_gitops.policy.documents import SitePolicies

_One = TypeVar("_One", bound=Remembered)


def succeed(plan: Plan, inventory: Inventory, memory: Memory, policies: SitePolicies) -> tuple[Inventory, Memory]:
    """The site and the memory after this plan of theirs was carried out when it was made, and all of it was seen.

    Of the memory that is what decides whom policies mean: episodes of stages, holds, what was done and undone, groups
    that were adopted, policies that are spent.
    """
    at = plan.created
    run = f"{at:%Y%m%dT%H%M%SZ}-00000000"
    outcomes = tuple(_applied(one, plan) for one in plan.changes)
    after = assume(inventory, plan)
    noticed = undone(inventory, policies, memory, created=at)
    ran = Ran(run=run, at=at, envelope=plan.envelope, outcomes=outcomes, noticed=noticed, seats=plan.seats.before)
    lines = with_stages(remember(_lines(memory), ran), plan, outcomes, after, open_=())
    lines = with_adopted(lines, plan, run, at)
    once = {one.name: one.digest for one in policies.asking if one.once}
    lines = still_remembered(with_spent(lines, plan, outcomes, once, run, at), at)
    return after, replace(
        memory,
        marks=tuple(_only(lines, Mark)),
        closed=tuple(_only(lines, Closed)),
        holds=tuple(_only(lines, Hold)),
        flaps=tuple(_only(lines, Flap)),
        done=tuple(_only(lines, Done)),
        adopted=tuple(_only(lines, Adopted)),
        spent=tuple(_only(lines, Spent)),
    )


def _lines(memory: Memory) -> Iterator[Remembered]:
    yield from memory.marks
    yield from memory.closed
    yield from memory.holds
    yield from memory.flaps
    yield from memory.done
    yield from memory.adopted
    yield from memory.spent


def _only(lines: Iterable[Remembered], sort: type[_One]) -> list[_One]:
    return [line for line in lines if isinstance(line, sort)]


def _applied(one: Change, plan: Plan) -> Outcome:
    return Outcome(
        address=one.address,
        action=one.action,
        change=change_digest(one),
        user=one.user,
        result="applied",
        at=plan.created,
        before=one.before,
        after=one.after,
        causes=one.causes,
        verified=plan.created,
    )

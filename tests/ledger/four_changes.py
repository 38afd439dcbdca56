"""Four changes of a small site, and the records of runs that make them."""

from __future__ import annotations

from datetime import datetime, timedelta

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.record import Record
from cleanup_gitops.model.change import Change, MembershipAdd, MembershipRemove, UserDisable, UserEnable
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.run import Result
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.ledger.history import after, run

LEDGER = "ledger/2026-11.jsonl"
History = tuple[dict[str, bytes], list[Record]]

INVENTORY = Inventory(
    site="acme",
    hosting="cloud",
    as_of=some.AS_OF,
    users=tuple(User(id=f"712020:{n}", directory="default", groups=("g-1",)) for n in range(4)),
    groups=(Group(id="g-1", name="wiki", directory="default"),),
    directories=(),
    proof=some.proof_of(4, 1),
)
REMOVE, ADD = (
    kind(
        address=f"membership/g-1/712020:{number}",
        user=f"712020:{number}",
        directory="default",
        group="g-1",
    )
    for number, kind in ((0, MembershipRemove), (1, MembershipAdd))
)
SUSPEND = UserDisable(address="user/712020:2", user="712020:2", directory="default", old="active", new="suspended")
ENABLE = UserEnable(address="user/712020:3", user="712020:3", directory="default", old="suspended", new="active")
CHANGES: tuple[Change, ...] = (REMOVE, ADD, SUSPEND, ENABLE)


def recorded(
    results: dict[Change, Result],
    before: dict[str, bytes] | None = None,
    time: datetime = some.AS_OF,
    created: datetime = some.AS_OF,
) -> Record:
    """The record of a plan with these changes and results."""
    plan = some.plan_of(INVENTORY, list(results), memory=memory_of(before or {}), created=created)
    outcomes = [some.outcome_of(change, results[change], time) for change in plan.changes]
    return run(before or {}, plan, outcomes, INVENTORY, time)


def two_runs() -> dict[str, bytes]:
    first = after({}, recorded({REMOVE: "applied"}))
    return after(first, recorded({ADD: "applied"}, first, some.AS_OF + timedelta(hours=1)))

"""Rows of what waits, and of what a rollback takes back or cannot."""

from __future__ import annotations

from collections.abc import Iterable

from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Lost, Pending, Plan
from cleanup_gitops.views import words
from cleanup_gitops.views.rows import LostRow, PendingRow, RollbackRows
from cleanup_gitops.views.safe import label


def waiting_rows(plan: Plan, people: People, most: int) -> tuple[PendingRow, ...]:
    """The first of the changes that wait."""
    return tuple(_waiting(one, plan, people) for one in plan.pending[:most])


def _waiting(one: Pending, plan: Plan, people: People) -> PendingRow:
    change = one.change
    return PendingRow(
        address=change.address,
        account=change.user,
        name=label(people.name(change.user)),
        done=words.done_to(change.action, plan.hosting),
        group=getattr(change, "label", ""),
        note=one.note or words.reason(one.reason),
        policies=tuple(cause.name for cause in change.causes),
    )


def rollback_rows(plan: Plan, people: People) -> RollbackRows | None:
    """What a plan that takes back a run says first; ``None`` for any other plan."""
    told = plan.rollback
    if told is None:
        return None
    only = f", what it did to {words.counted(len(told.users), 'account')} only" if told.users else ""
    number = len(told.holds)
    return RollbackRows(
        title=f"This plan undoes run {told.run} of {told.time:%Y-%m-%d %H:%M} UTC{only}.",
        irreversible=_lost(told.irreversible, plan, people),
        left=_lost(told.left, plan, people),
        held=(
            f"Once it is applied, the policies of the run leave {words.counted(number, 'account')} alone until"
            f" {told.until.isoformat()}."
            if number
            else ""
        ),
    )


def _lost(rows: Iterable[Lost], plan: Plan, people: People) -> tuple[LostRow, ...]:
    return tuple(
        LostRow(
            address=one.address,
            account=one.user,
            name=label(people.name(one.user)),
            done=words.done_to(one.action, plan.hosting),
            group=one.label,
            why=words.lost(one.reason) + (f" ({one.note})" if one.note else ""),
        )
        for one in rows
    )

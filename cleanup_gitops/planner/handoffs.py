"""What was handed off and others have not done in time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cleanup_gitops.model.plan import Handoff


def overdue_handoffs(handoffs: Iterable[Handoff], now: datetime) -> tuple[str, ...]:
    """A warning about the changes that stages handed off and that are overdue; people who left are told of apart."""
    dues = (min(_dues(one), default=now) for one in handoffs)
    late = [one for one in dues if one < now]
    if not late:
        return ()
    many = f"{len(late):,} changes that stages handed off are"
    return (
        (
            f"{'1 change that a stage handed off is' if len(late) == 1 else many} overdue, the longest since"
            f" {min(late):%Y-%m-%d}: remind whoever runs the identity provider (`cleanup-gitops handoffs` writes files"
            " for them). The stages go on when the site shows it."
        ),
    )


def _dues(one: Handoff) -> Iterable[datetime]:
    return (cause.due for cause in one.causes if cause.due and not cause.termination)

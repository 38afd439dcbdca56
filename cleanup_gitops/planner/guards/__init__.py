"""Guards of a whole plan. All of them are checked, in every plan; one that is broken makes the plan unsafe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Check, Seats
from cleanup_gitops.planner.guards.caps import Counted, cap_checks, domain_check, limits
from cleanup_gitops.planner.guards.exceptions import Exceptions, exceptions_of
from cleanup_gitops.planner.guards.facts import allow_checks, dates_check, protection_check, seat_checks
from cleanup_gitops.planner.guards.people import (
    administrators,
    admins_check,
    ends_administration,
    groups_check,
    self_check,
)
from cleanup_gitops.planner.guards.reading import reading_checks
from cleanup_gitops.planner.guards.rosters import roster_checks
from cleanup_gitops.policy.documents import SitePolicies

__all__ = [
    "Exceptions",
    "administrators",
    "all_checks",
    "ends_administration",
    "exceptions_of",
    "limits",
    "reading_checks",
    "roster_checks",
]


def all_checks(
    rows: Sequence[Change],
    counted: Iterable[Counted],
    policies: SitePolicies,
    inventory: Inventory,
    seats: Seats,
    memory: Memory,
    *,
    exceptions: Exceptions,
    unprotected: tuple[str, ...],
    created: datetime,
) -> tuple[Check, ...]:
    """Every guard, whether or not it holds, over all rows that are handed in.

    ``unprotected``: protected groups that the site does not have. ``created`` is now (UTC).
    """
    guardrails = policies.guardrails
    return (
        *reading_checks(inventory, policies, memory, created=created),
        *cap_checks(counted, guardrails.where, exceptions),
        domain_check(rows, policies, inventory, exceptions),
        *allow_checks(rows, guardrails),
        groups_check(rows, policies, inventory, exceptions),
        admins_check(rows, guardrails, inventory),
        self_check(rows, inventory),
        dates_check(inventory),
        protection_check(unprotected),
        *seat_checks(seats, inventory.seats_taken),
    )

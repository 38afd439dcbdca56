"""What Guardrails say of a reading, and Overrides: reviewed, ending exceptions from one guard."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from cleanup_gitops.model.change import Action
from cleanup_gitops.model.errors import UncappedActionError

Guard = Literal[
    Action,
    "total",
    "termination",
    "per_domain",
    "empty_groups",
    "reading.max_drop",
    "reading.min_known_activity",
]
"""What an Override may lift. The other guards (canaries, administrators, protected groups, dates, what is allowed at
all, the runner itself) are lifted by nothing."""
GUARDS: tuple[Guard, ...] = get_args(Guard)
OF_A_READING: frozenset[Guard] = frozenset({"reading.max_drop", "reading.min_known_activity"})
"""Guards of what was read. They are no limits on rows, so no policy can be named, and they count percent."""

OverrideReason = Literal[
    "contract-end",
    "data-correction",
    "first-run",
    "incident",
    "license-change",
    "migration",
    "reorganization",
]
"""Why a guard is lifted, as a code."""

MAX_OVERRIDE_DAYS = 31
"""How many days ahead an Override may end. What is to last longer belongs into Guardrails."""


PLACEHOLDER = "<"
"""How what a person has still to fill in begins, in the Override that a plan proposes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingGuards:
    """When a reading is taken for a fault of the data. Both numbers are percent, 0 to 100.

    ``max_drop``: by how much counts may have fallen since the last snapshot. ``min_known``: of how many seats the last
    use must be known. Canaries must be there: accounts (ids) active, groups (names) with members.
    """

    max_drop: int = 10
    min_known: int = 90
    canary_accounts: tuple[str, ...] = ()
    canary_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One guard of one plan lifted to ``max``, up to and including the day ``until`` (UTC).

    ``max`` counts what the guard counts: rows, accounts of one domain, groups, or percent. With ``policy`` only rows of
    that policy count against it, and all others against the usual limit.
    """

    name: str
    guard: Guard
    max: int
    until: date
    reason: OverrideReason
    ticket: str
    policy: str | None = None
    owner: str = ""
    where: str = ""


def running(overrides: Iterable[Override], today: date) -> tuple[Override, ...]:
    """Those that have not ended."""
    return tuple(one for one in overrides if one.until >= today)


def ended(overrides: Iterable[Override], today: date) -> tuple[str, ...]:
    """A warning for each Override that has ended."""
    return tuple(
        f"{one.where}: Override {one.name} ended on {one.until.isoformat()} and lifts nothing any more; remove it."
        for one in overrides
        if one.until < today
    )


def check_capped(actions: Collection[str], caps: Collection[str], where: str) -> None:
    """Raise ``UncappedActionError`` when an action has no cap: nothing may start with one that nothing limits."""
    bare = [action for action in actions if action not in caps]
    if bare:
        raise UncappedActionError(
            f"{', '.join(bare)}: every action needs a cap, and {where} has none for it. Nothing was done.",
            "This is a defect of cleanup-gitops: please report it.",
        )

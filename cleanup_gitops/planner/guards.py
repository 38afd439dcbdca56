"""Limits on a whole plan. All of them are checked, in every plan; one that is broken makes the plan unsafe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from cleanup_gitops.model.change import ACTIONS, Change
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Check, Limit, Seats
from cleanup_gitops.policy.documents import Cap

WINDOW = timedelta(hours=24)
"""Caps count the rows of the plan and what was applied in this time before it."""


def limits(
    changes: Iterable[Change],
    caps: Mapping[str, Cap],
    memory: Memory,
    *,
    seats: int,
    created: datetime,
) -> tuple[Limit, ...]:
    """One limit for each action and one for all of them together. Raises KeyError for an action without a cap."""
    planned = Counter(change.action for change in changes)
    recent: Counter[str] = Counter()
    for run in memory.applied:
        if created - run.at < WINDOW:
            recent.update(run.actions)
    found = [_limit(action, planned[action], recent[action], caps[action], seats) for action in ACTIONS]
    total = _limit("total", planned.total(), recent.total(), caps["total"], seats)
    return (*found, total)


def _limit(name: str, planned: int, recent: int, cap: Cap, seats: int) -> Limit:
    """Number and percent both hold, but one change is always allowed, so that a small site is not stuck.

    Except where one of them is 0, which means never.
    """
    allowed = cap.max
    rule = f"max {cap.max}"
    if cap.percent is not None:
        allowed = min(allowed, seats * cap.percent // 100)
        rule += f", {cap.percent} % of {seats} seats"
    never = 0 in (cap.max, cap.percent)
    return Limit(name=name, planned=planned, recent=recent, allowed=0 if never else max(1, allowed), rule=rule)


def cap_checks(found: Iterable[Limit], where: str) -> tuple[Check, ...]:
    """A check for each limit. A plan without rows of an action keeps its cap whatever ran before."""
    return tuple(
        Check(
            name=f"cap:{limit.name}",
            passed=limit.planned == 0 or limit.planned + limit.recent <= limit.allowed,
            message=(
                f"{limit.planned} planned and {limit.recent} applied in the last 24 hours,"
                f" {limit.allowed} allowed ({limit.rule}; {where})"
            ),
        )
        for limit in found
    )


def protection_check(missing: tuple[str, ...]) -> Check:
    """A protection that names a group the site does not have protects nobody, so nothing may be applied."""
    return Check(
        name="protected-groups",
        passed=not missing,
        message=(
            f"protected groups that this site does not have: {', '.join(missing)}"
            if missing
            else "every protected group exists"
        ),
    )


def seat_checks(seats: Seats, taken: int) -> tuple[Check, ...]:
    """A plan may not take more seats than the license has. ``taken`` counts users who may occupy a seat now too.

    Who of several gets the last seat is not decided here. No check where the site does not tell the limit.
    """
    if seats.limit is None:
        return ()
    more = seats.after - seats.before
    passed = more <= 0 or taken + more <= seats.limit
    return (
        Check(
            name="seats",
            passed=passed,
            message=(
                f"{taken} of {seats.limit} seats are taken, the plan frees or needs none"
                if more <= 0
                else f"{taken} of {seats.limit} seats are taken, the plan needs {more} more"
            ),
        ),
    )

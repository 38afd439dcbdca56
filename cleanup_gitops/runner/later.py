"""Rows that are planned and left for a later run: whoever approved, nothing is sent twice or against others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from cleanup_gitops.model.change import GIVING, TAKING, Change
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.planner.overdue import sent_before

Code = Literal["settling", "doubtful", "not-approved", "soak", "daily-maximum", "schedule", "window", "billing-day"]
"""Why a row is left for later. ``settling``: a run has sent it, and it may still show. ``doubtful``: a run may have
made it and others undone it, and nobody has looked. ``schedule``, ``window``: it is not the time of a policy, or of the
site. ``billing-day``: a seat that is freed now saves nothing. The others are about standing approvals."""
TIMED: frozenset[Code] = frozenset({"schedule", "window", "billing-day"})
"""Those that wait for a time of the clock or the calendar."""


@dataclass(frozen=True, slots=True)
class Left:
    """A row that is planned and left for later. ``until``: not before then (UTC), as far as can be said now.

    ``behind``: the row of the same user that it waits for, where nothing else holds it up.
    """

    change: Change
    code: Code
    why: str
    until: datetime | None = None
    behind: Change | None = None


def for_others(why: str) -> str:
    """Why a row waits with another one of its user."""
    return f"waits for the user's other changes: {why}"


def unsettled(changes: Iterable[Change], memory: Memory, now: datetime, *, reviewed: bool) -> dict[str, Left]:
    """Those of these changes that must not be sent now because of what an earlier run did, by address.

    ``reviewed``: somebody hands in a saved plan, and so may do what is doubtful. The access of somebody who leaves is
    ended whoever undid it.
    """
    rows = tuple(changes)
    sent = sent_before(rows, memory, now)
    found: dict[str, Left] = {}
    for change in rows:
        before = sent.get(change.address)
        if before is not None and before.state == "late":
            found[change.address] = Left(change, "settling", before.note, before.line.deadline)
        elif before is not None and before.state == "doubtful" and not reviewed and not leaves(change):
            found[change.address] = Left(change, "doubtful", before.note)
    return found


def leaves(change: Change) -> bool:
    """Whether the row is part of ending the access of somebody who leaves."""
    return any(cause.termination for cause in change.causes)


def left_whole(changes: Iterable[Change], left: Mapping[str, Left]) -> tuple[tuple[Change, ...], tuple[Left, ...]]:
    """These changes without all rows of the users of whom one is in ``left``, and these rows.

    Half of a user's rows may take access that the other half gives. Those of somebody who leaves only take, and go on.
    """
    behind: dict[str, Left] = {}
    for one in left.values():
        known = behind.get(one.change.user)
        if known is None or (known.until is not None and (one.until is None or known.until < one.until)):
            behind[one.change.user] = one
    kept: list[Change] = []
    later: list[Left] = []
    for change in changes:
        if change.address in left:
            later.append(left[change.address])
        elif (first := behind.get(change.user)) is not None and not leaves(change):
            later.append(replace(first, change=change, why=for_others(first.why), behind=first.change))
        else:
            kept.append(change)
    return tuple(kept), tuple(later)


def behind_gifts(changes: Iterable[Change], timed: Iterable[Left]) -> dict[str, Left]:
    """Those of these changes that take something from users who have to wait for something to be given, by address.

    ``timed`` are rows that wait for their time. All others of their users do not wait for them: times of two policies
    need never come together, and rows that wait for each other would wait for good.
    """
    waiting = tuple(timed)
    own = {one.change.address for one in waiting}
    gifts = {one.change.user: one for one in waiting if one.change.action in GIVING}
    return {
        change.address: replace(gift, change=change, why=for_others(gift.why), behind=gift.change)
        for change in changes
        if change.address not in own and change.action in TAKING and (gift := gifts.get(change.user)) is not None
    }

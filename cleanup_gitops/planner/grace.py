"""People who never used the product and are too new to be taken for it: how many days they have left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from cleanup_gitops.model.activity import LAG_DAYS, Never
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.rules import Rule

_LONG_AGO = timedelta(days=36_500)


def waiting(user: User, rules: Iterable[Rule], as_of: datetime) -> tuple[str, int] | None:
    """The rule that will ask about the user first if nothing else changes, and in how many days; or ``None``."""
    if not isinstance(user.seen, Never):
        return None
    found = [
        (left, rule.name)
        for rule in rules
        if rule.grace is not None
        and (left := _days_left(user, user.seen, rule.grace, as_of))
        and rule.verdict(_old(user, as_of))
    ]
    return (min(found)[1], min(found)[0]) if found else None


def _days_left(user: User, seen: Never, days: int, as_of: datetime) -> int | None:
    """Days until ``never_active_for`` is true, counted as it counts; ``None`` when nobody knows the age."""
    starts = [one for one in (seen.since, user.added, user.seat_since) if one is not None]
    if not starts:
        return None
    return max(0, days + LAG_DAYS[seen.source] + 1 - (as_of.date() - max(starts).date()).days)


def _old(user: User, as_of: datetime) -> User:
    """The same user, were the account as old as can be."""
    start = as_of - _LONG_AGO
    seen = Never(start, user.seen.source) if isinstance(user.seen, Never) else user.seen
    return replace(user, added=start, seat_since=None, seen=seen)

"""Who meets the conditions of a policy from snapshot to snapshot, asked again only where the answer may be another one.

Of a user whose facts stay the same, an answer changes with the days that conditions count: when so many days have
passed since one of the dates that are known of the user. All other conditions look at facts alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from cleanup_gitops.ledger.lines import RECENT_DAYS
from cleanup_gitops.ledger.past import Past
from cleanup_gitops.model.activity import Activity, Never, Seen
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.idle import least_idle
from cleanup_gitops.policy.match import CompiledMatch
from cleanup_gitops.policy.tree import AddedFor, InactiveFor, InStatusFor, Match, NeverActiveFor, predicates

FINEST = RECENT_DAYS - 1
"""The fewest days of idleness that a snapshot can tell: a later use is kept as recent, without its day."""
_AROUND = range(3)
"""A number of days may count one more, and a source be late by one."""


class Verdicts:
    """Who meets the conditions (``met``: True), or may (None), on the newest day; everybody else does not."""

    def __init__(self, match: Match) -> None:
        self.met: dict[str, bool | None] = {}
        idle = least_idle(match)
        self._seen_lately = idle is None or idle < FINEST
        self._counted = {
            one.days
            for one in predicates(match)
            if isinstance(one, InactiveFor | NeverActiveFor | AddedFor | InStatusFor)
        }
        self._calendar: dict[date, set[str]] = {}

    def ask(self, past: Past, compiled: CompiledMatch) -> tuple[set[str], set[str]]:
        """The accounts that meet the conditions and did not on the day before, and the other way round."""
        day = past.as_of.astimezone(UTC).date()
        come: set[str] = set()
        gone: set[str] = set()
        verdict, met = compiled.verdict, self.met
        for account in self._asked(past, day):
            user = past.user(account)
            moving = account in past.moving
            now = False if user is None or (moving and not self._seen_lately) else verdict(user)
            before = met.get(account, False)
            if now is not before:
                if now is False:
                    del met[account]
                else:
                    met[account] = now
                if now:
                    come.add(account)
                elif before:
                    gone.add(account)
            if user is not None and not moving and (following := self._following(user, day)):
                self._calendar.setdefault(following, set()).add(account)
        return come, gone

    def _asked(self, past: Past, day: date) -> set[str]:
        found = set(past.changed)
        for one in [one for one in self._calendar if one <= day]:
            found |= self._calendar.pop(one)
        return found | past.moving if self._seen_lately else found

    def _following(self, user: User, day: date) -> date | None:
        """The next day on which the answer may be another one; ``None``: on none, while the facts are the same."""
        dates = {one.astimezone(UTC).date() for one in _dates(user)}
        ordinal = day.toordinal()
        coming = [
            found
            for one in dates
            for days in self._counted
            for more in _AROUND
            if (found := one.toordinal() + days + more) > ordinal
        ]
        return day + timedelta(days=min(coming) - ordinal) if coming else None


def _dates(user: User) -> Iterator[datetime]:
    """Every date from which a condition may count days."""
    known = (user.added, user.seat_since, user.status_since, user.status_by, user.status_after, user.restored_at)
    yield from (one for one in known if one is not None)
    for activity in (user.seen, *(one for _, one in user.elsewhere or ())):
        yield from _used(activity)


def _used(activity: Activity) -> Iterator[datetime]:
    if isinstance(activity, Seen):
        yield activity.earliest
        yield activity.latest
    elif isinstance(activity, Never) and activity.since is not None:
        yield activity.since

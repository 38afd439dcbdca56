"""Which rules may speak about a user at all, told from the last sighting in Confluence alone.

Declared members of groups are looked up by account and by group, beside that.

Most users of a site were seen lately and most rules ask for people who were not. Looking the sighting up once for all
rules spares most questions. A rule that is left out would have said no: leaving it out changes nothing but time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from cleanup_gitops.model.activity import LAG_DAYS, Seen, cutoff
from cleanup_gitops.model.user import User
from cleanup_gitops.planner.declared import NOTHING_DECLARED, Declared
from cleanup_gitops.planner.rules import Rule
from cleanup_gitops.policy.idle import NEVER_SEEN


class Shortlist:
    """The rules of one plan by how long ago a user must have been seen last for the rule to say anything but no."""

    def __init__(self, rules: Iterable[Rule], as_of: datetime, declared: Declared = NOTHING_DECLARED) -> None:
        self._all = tuple(rules)
        self._declared = declared if declared.all else None
        self._steps = {source: _Steps(self._all, as_of, lag) for source, lag in LAG_DAYS.items()}

    def __call__(self, user: User) -> tuple[Rule, ...]:
        """Rules that may say yes or unknown, in their usual order."""
        seen = user.seen
        found = self._steps[seen.source].after(seen.earliest) if type(seen) is Seen else self._all
        return found if self._declared is None else (*found, *self._declared.of(user))


class _Steps:
    """For one lag: cutoffs from the oldest to the youngest, and the rules left for sightings not older than each."""

    def __init__(self, rules: Iterable[Rule], as_of: datetime, lag: int) -> None:
        left = tuple(rule for rule in rules if rule.least_idle != NEVER_SEEN)
        days = sorted({rule.least_idle for rule in left if rule.least_idle}, reverse=True)
        self._cutoffs = [cutoff(as_of, one, lag) for one in days]
        self._left = [left]
        for one in days:
            left = tuple(rule for rule in left if rule.least_idle != one)
            self._left.append(left)

    def after(self, seen: datetime) -> tuple[Rule, ...]:
        """The rules for a user who was seen at that time or later."""
        return self._left[bisect_right(self._cutoffs, seen)]

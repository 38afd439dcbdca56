"""A site that goes through quiet days, one after the other.

Two in five accounts are used on a day: most by people who come every other day, some by people who come a few times a
year and so leave and enter the 28 days that are kept as "recent". One in a thousand is news: somebody joins, leaves, is
suspended, or enters or leaves a team.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from cleanup_gitops.model.activity import Never, Seen, Unknown, seen_at
from cleanup_gitops.model.inventory import Inventory
from tests.benchmarks import invented

NEWS = 0.001
REGULAR, SELDOM = 0.76, 0.93
"""Below the first are those who come every other day, below the second those who come every 40th, the others never."""


class Days:
    """The days of an invented site; the same site has the same days."""

    def __init__(self, site: Inventory) -> None:
        self._rng = Random(f"the days of {len(site.users)}")  # other numbers than the site was made of, so other ids
        self._users = {user.id: user for user in site.users}
        self._habits = {user: self._rng.random() for user in self._users}
        self._ids = list(self._users)
        self._site = site

    def next(self) -> Inventory:
        """The site a day later."""
        at = self._site.as_of + timedelta(days=1)
        self._come(at)
        for _ in range(round(len(self._users) * NEWS)):
            self._news(at)
        users = tuple([self._users[one] for one in sorted(self._users)])
        self._site = replace(invented.site_of(users, at), runner=self._site.runner)
        return self._site

    def _come(self, at: datetime) -> None:
        """Those who work on this day are seen, a few hours before the reading."""
        draw, today = self._rng.random, seen_at(at - timedelta(hours=3))
        for account, habit in self._habits.items():
            if habit < REGULAR:
                if draw() > 0.52:
                    continue
            elif habit > SELDOM or draw() > 1 / 40:
                continue
            user = self._users[account]
            if user.status == "active" and not isinstance(user.seen, Unknown):
                self._users[account] = replace(user, seen=today)

    def _news(self, at: datetime) -> None:
        draw, number = self._rng.random(), self._rng.randrange(1, len(self._ids))  # the first account is the runner's
        account = self._ids[number]
        user = self._users[account]
        if draw < 0.3:
            self._join(at)
        elif draw < 0.55:
            self._ids[number] = self._ids[-1]
            self._ids.pop()
            del self._users[account], self._habits[account]
        elif draw < 0.6:
            self._users[account] = replace(user, status="suspended")
        else:
            team = f"g-team-{self._rng.randrange(invented.TEAMS):03}"
            self._users[account] = replace(user, groups=tuple(sorted({*(user.groups or ())} ^ {team})))

    def _join(self, at: datetime) -> None:
        user = invented.a_user(self._rng)
        known = Never(at) if isinstance(user.seen, Seen) else user.seen
        self._users[user.id] = replace(user, status="active", added=at, seen=known)
        self._habits[user.id] = self._rng.random()
        self._ids.append(user.id)

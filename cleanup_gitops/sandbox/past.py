"""The days that a generated organization had before it began: who used what, was away, came, and left.

The present stays as it is: no days ago the world is the given one. Going back, everybody's visits follow a habit and
end with the visit that the present shows; some were away for months and came back; whoever was added, suspended or
deactivated meanwhile was not so before; and there are colleagues who have left since.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from cleanup_gitops.sandbox.cases import WIKI, WIKI_AND_JIRA, Case
from cleanup_gitops.sandbox.people import Maker
from cleanup_gitops.sandbox.records import Page
from cleanup_gitops.sandbox.world import SandboxError, User, World, format_time, parse_time

HABITS = ((12, (1, 3)), (30, (4, 12)), (60, (20, 45)))
"""Days between two visits of people who were last seen up to so many days ago. Who was not seen for longer has stopped
coming, or is on leave, and came often before."""
AWAY_SHARE = 0.03
"""Of the people who come: how many were away for long and came back in these days."""
AWAY_DAYS = (95, 150)
EVERY = 12
"""In so many days one of 480 people leaves for good."""
LEFT = (Case("left", 0, groups=WIKI), Case("left", 0, groups=WIKI_AND_JIRA, jira=(0, 5)))
PROMPT, FORGOTTEN = (1, 4), (25, 60)
"""Days from the last visit of who left until somebody closed the account; every third one was forgotten."""
_DAY = timedelta(days=1)


class Life(Struct, frozen=True):
    """What one account went through: visits by product, newest first, and from when until when there was an account.

    `user` is how the account is in the end; `halted` is when it was suspended or deactivated, if it was.
    """

    user: User
    visits: dict[str, tuple[datetime, ...]]
    begins: datetime | None
    halted: datetime | None = None
    ends: datetime | None = None


class Past:
    """The last `days` days of a generated `world`; the same world and `number` have the same past."""

    def __init__(self, world: World, days: int, number: int = 1) -> None:
        self._world = world
        self._now = world.clock()
        self._oldest = self._now - days * _DAY
        self._key = f"{number}/{world.site.name}/past"
        suspended = {event.about["user"]: event.at for event in world.events if "suspended" in event.action}
        self._lives = [self._life(user, suspended.get(user.id)) for user in world.users]
        self._lives += self._left(days)

    def day(self, ago: int) -> World:
        """The world as it was so many days ago; as it is for 0. Shares what did not change."""
        if not ago:
            return self._world
        at = self._now - ago * _DAY
        if at < self._oldest:
            raise SandboxError(f"this past does not reach back {ago} days")
        users = [_as_of(life, at) for life in self._lives if _is_there(life, at)]
        there, text = {user.id for user in users}, format_time(at)
        return replace(
            self._world,
            now=text,
            users=users,
            events=[event for event in self._world.events if event.at <= text],
            scim_users=[one for one in self._world.scim_users if one.account in there or one.account is None],
            content=[page for page in (_written(one, there, at) for one in self._world.content) if page],
            audit=[record for record in self._world.audit if record.at <= text],
        )

    def _life(self, user: User, suspended: str | None) -> Life:
        rng = random.Random(f"{self._key}/{user.id}")
        away = self._away(user, rng)
        visits = {name: tuple(self._visits(at, away, rng)) for name, at in sorted(user.activity.items())}
        halted = suspended or user.deactivated_on
        return Life(
            user,
            visits,
            begins=parse_time(user.added) if user.added else None,
            halted=parse_time(halted) if halted else None,
        )

    def _away(self, user: User, rng: random.Random) -> tuple[datetime, datetime] | None:
        """From when until when somebody was away who has come back since."""
        if rng.random() > AWAY_SHARE or not user.activity:
            return None
        first = min(map(parse_time, user.activity.values()))
        latest = int((first - self._oldest) / _DAY)
        if latest < 1:
            return None
        back = first - rng.randint(0, latest) * _DAY
        return back - rng.randint(*AWAY_DAYS) * _DAY, back

    def _visits(self, last: str, away: tuple[datetime, datetime] | None, rng: random.Random) -> Iterator[datetime]:
        """Visits, newest first, until one that is older than all that is asked for."""
        at = parse_time(last)
        since = (self._now - at) / _DAY
        gaps = next((gaps for days, gaps in HABITS if since <= days), HABITS[0][1])
        yield at
        while at > self._oldest:
            at -= rng.randint(*gaps) * _DAY + timedelta(minutes=rng.randint(-200, 200))
            if away and away[0] < at < away[1]:
                at = away[0]
            yield at

    def _left(self, days: int) -> Iterator[Life]:
        """Colleagues who are not there any more."""
        rng = random.Random(f"{self._key}/left")
        maker = Maker(rng, self._now, self._world.site.name, self._world.directories[0].id)
        taken = {user.email for user in self._world.users}
        every = max(1, round(EVERY * 480 / len(self._world.users)))
        for place, ends in enumerate(range(every // 2, days, every)):
            user = maker.account(LEFT[place % len(LEFT)], place)
            while user.email in taken:
                user = maker.account(LEFT[place % len(LEFT)], place)
            taken.add(user.email)
            closed = self._now - ends * _DAY + timedelta(hours=rng.randint(-20, 0))
            last = closed - rng.randint(*(FORGOTTEN if place % 3 == 1 else PROMPT)) * _DAY
            user.activity = dict.fromkeys(sorted(user.activity), format_time(last))
            visits = {name: tuple(self._visits(at, None, rng)) for name, at in user.activity.items()}
            yield Life(user, visits, begins=parse_time(user.added) if user.added else None, ends=closed)


def _is_there(life: Life, at: datetime) -> bool:
    return (life.begins is None or life.begins <= at) and (life.ends is None or at < life.ends)


def _as_of(life: Life, at: datetime) -> User:
    """The account at this time: what was used by then, and the state that it was in."""
    user = life.user
    activity = {
        name: text
        for name, visits in life.visits.items()
        if (text := _newest(visits, at, life.begins, user.activity.get(name, "")))
    }
    if life.halted is None or life.halted <= at:
        return replace(user, activity=activity)
    active = dict.fromkeys(user.directories, "active")
    return replace(
        user, activity=activity, account="active", for_deletion=False, deactivated_on=None, directories=active
    )


def _newest(visits: tuple[datetime, ...], at: datetime, begins: datetime | None, last: str) -> str:
    """The newest visit up to this time, as answers show it; "" without one."""
    for number, visit in enumerate(visits):
        if visit <= at:
            if begins and visit < begins:
                return ""
            return format_time(visit) if number else last
    return ""


def _written(page: Page, there: set[str], at: datetime) -> Page | None:
    """The page as it was at this time, ``None`` before there was one."""
    edits = {user: edited for user, edited in page.edits.items() if user in there and parse_time(edited) <= at}
    if page.creator not in there or parse_time(page.created) > at:
        return None
    return replace(page, edits=edits or {page.creator: page.created})

"""Whom a replayed policy would have hit, and what the record says of them afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, get_args

from cleanup_gitops.model.activity import Never, Seen
from cleanup_gitops.model.change import Action
from cleanup_gitops.model.user import User

SOON = 30
"""Whoever comes back within so many days was hit by mistake."""

Sequel = Literal["back", "perhaps", "later", "away", "left", "open"]
"""What came after a hit. ``back``: came back within ``SOON`` days; ``perhaps``: came back, and snapshots lie too far
apart to say whether so soon; ``later``: came back after that. ``away``: was not seen in these days; ``left``: lost the
account, or its access to the site, meanwhile; ``open``: the record ends before these days are over."""
SEQUELS: tuple[Sequel, ...] = get_args(Sequel)


@dataclass(slots=True)
class Hit:
    """One user from whom the policy would have taken something on a UTC day.

    ``last`` is the latest time (UTC) at which the user may have been seen by then; ``None``: never, or not known.
    ``actions`` are those of this day and of later ones, as long as the user does not come back. ``back``: the UTC day
    of the first snapshot that shows the user again, ``before``: that of the last one that does not. ``left``: the UTC
    day of the first snapshot in which the account is gone or not active.
    """

    account: str
    day: date
    last: datetime | None
    actions: dict[Action, date]
    since: datetime
    """A use that is surely after this time (UTC) came after the hit, or shortly before it without being known."""
    active: bool
    """Whether the account was active when it was hit."""
    before: date
    back: date | None = None
    left: date | None = None

    def look(self, user: User | None, day: date) -> None:
        """What a snapshot of this UTC day tells of the user; ``None``: the account is not there."""
        if user is None or (self.active and user.status not in ("active", "unknown")):
            self.left = self.left or day
        elif _used_after(user, self.since) or _reopened(user, self.day):
            self.back = day
        if self.back is None:
            self.before = day

    def sequel(self, end: date) -> Sequel:
        """What came of it, in a record that ends on this UTC day."""
        if self.back is not None:
            if (self.back - self.day).days <= SOON:
                return "back"
            return "later" if (self.before - self.day).days >= SOON else "perhaps"
        if self.left is not None and (self.left - self.day).days <= SOON:
            return "left"
        return "open" if (end - self.day).days < SOON else "away"


def told_of(sequels: Mapping[Sequel, int]) -> int:
    """How many of these hits the record tells of whether they came back soon."""
    return sum(sequels.values()) - sequels["open"] - sequels["perhaps"]


def hit_of(user: User, at: datetime) -> Hit:
    """A hit of this user at this time (UTC); its actions are still to be entered."""
    seen, day = user.seen, at.astimezone(UTC).date()
    last = seen.latest if isinstance(seen, Seen) else None
    since = _EVER if isinstance(seen, Never) else last or at
    return Hit(user.id, day, last, {}, since, user.status == "active", day)


_EVER = datetime.min.replace(tzinfo=UTC)
"""Whoever had never been there has come, whenever that was."""


def _used_after(user: User, at: datetime) -> bool:
    return isinstance(user.seen, Seen) and user.seen.earliest > at


def _reopened(user: User, day: date) -> bool:
    """Whether the account, which was closed on that day or later, was opened again."""
    return user.restored_at is not None and user.restored_at.astimezone(UTC).date() > day

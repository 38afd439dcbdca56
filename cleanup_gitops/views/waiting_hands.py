"""Whom stages have handed off to others, as far as the record tells, and of how many that is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cleanup_gitops.model.memory import Memory
from cleanup_gitops.views.words import counted


@dataclass(frozen=True, slots=True)
class HandedOff:
    """How many users wait in a stage for what others should do, and of how many that is overdue."""

    users: int = 0
    overdue: int = 0

    @property
    def text(self) -> str:
        """The same for people; "" where nobody waits."""
        if not self.users:
            return ""
        late = f", {self.overdue:,} overdue" if self.overdue else ""
        return f"handed off by stages, waiting until the site shows it: {counted(self.users, 'user')}{late}"


def handed_off(memory: Memory, now: datetime, days: int) -> HandedOff:
    """What is so at this moment (UTC); after so many whole days it is overdue."""
    waiting = [one for one in memory.marks if one.done is None and any(effect.asked for effect in one.effects)]
    today = now.astimezone(UTC).date()
    late = {one.user for one in waiting if today - one.entered.astimezone(UTC).date() > timedelta(days=days)}
    return HandedOff(len({one.user for one in waiting}), len(late))

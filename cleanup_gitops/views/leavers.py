"""What a plan says of people who have left: whose access should have ended by now, and who is nobody here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cleanup_gitops.model.people import People
from cleanup_gitops.model.plan import Plan, Unmatched
from cleanup_gitops.views import words
from cleanup_gitops.views.safe import label

LINES = 20
"""So many lines of a roster are named at most."""


@dataclass(frozen=True, slots=True)
class OverdueRow:
    """Somebody who has left, and whose access went on when it should have ended."""

    account: str
    name: str
    since: str
    why: str
    policies: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one line."""
        who = f"{self.account} ({self.name})" if self.name else self.account
        return f"{who}: since {self.since}; {self.why}, {', '.join(self.policies)}"


def overdue_rows(plan: Plan, people: People) -> tuple[OverdueRow, ...]:
    """Everybody of whom that is so, those who have had access for longest first."""
    found = [
        (one.due, account, one)
        for account, one in plan.dispositions.items()
        if one.due is not None and one.due < plan.as_of and one.state != "unchanged"
    ]
    return tuple(
        OverdueRow(
            account=account,
            name=label(people.name(account)),
            since=instant(due),
            why="to be done by this plan" if one.state == "changed" else words.why(one),
            policies=one.policies,
        )
        for due, account, one in sorted(found, key=lambda row: row[:2])
    )


def unmatched_lines(plan: Plan) -> tuple[str, ...]:
    """A sentence for each roster with rows about people who left and are nobody here for certain."""
    return tuple(_unmatched(one) for one in plan.unmatched)


def _unmatched(one: Unmatched) -> str:
    number = len(one.lines)
    late = f"; overdue: {_lines(one.overdue)}" if one.overdue else ""
    who = "row tells of somebody" if number == 1 else "rows tell of people"
    return (
        f"{one.policy}: {number:,} {who} who left and whom no account here means for certain ({one.source},"
        f" {_lines(one.lines)}{late})"
    )


def _lines(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:LINES]))
    more = f" and {len(numbers) - LINES:,} more" if len(numbers) > LINES else ""
    return f"line{'s' if len(numbers) > 1 else ''} {shown}{more}"


def in_time(dues: Iterable[datetime | None], now: datetime) -> str:
    """``due by 2026-11-24 23:00 UTC``, or since when it is overdue; "" without a deadline."""
    first = min((one for one in dues if one is not None), default=None)
    if first is None:
        return ""
    return f"{'due by' if now <= first else 'overdue since'} {instant(first)}"


def instant(at: datetime) -> str:
    """An instant for people, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"

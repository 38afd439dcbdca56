"""What a template prints, row by row. Texts are as they were given; only names are cut to one short line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cleanup_gitops.model.plan import Check
from cleanup_gitops.views.leavers import OverdueRow
from cleanup_gitops.views.safe import quoted


def with_details(subject: str, name: str, group: str = "") -> str:
    """An address or id, with what is known about it in brackets."""
    known = ", ".join(part for part in (name, group and f"group {quoted(group)}") if part)
    return f"{subject} ({known})" if known else subject


@dataclass(frozen=True, slots=True)
class CauseRow:
    """Who asks for a change, where that is written, and why it concerns this user."""

    policy: str
    where: str
    why: str

    @property
    def text(self) -> str:
        """All of it in one line."""
        place = f" ({self.where})" if self.where else ""
        return f"{self.policy}{place}: {self.why}" if self.why else f"{self.policy}{place}"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change of a ``what``: "user", "membership", "role" or "token".

    ``thing`` is the group, role or token; it is empty for a status, ``before`` and ``after`` for all others.
    """

    address: str
    account: str
    name: str
    symbol: str
    done: str
    what: str
    thing: str
    before: str
    after: str
    causes: tuple[CauseRow, ...]
    note: str

    @property
    def who(self) -> str:
        """The address, with the name where it is known."""
        return with_details(self.address, self.name)


@dataclass(frozen=True, slots=True)
class PolicyRows:
    """The changes that one policy asks for first, and how many of each kind they are."""

    policy: str
    counts: str
    rows: tuple[ChangeRow, ...]
    named: bool
    """Whether any of the accounts has a name to show."""


@dataclass(frozen=True, slots=True)
class OtherRow:
    """One change that is not to be made here and now."""

    address: str
    account: str
    name: str
    done: str
    group: str

    @property
    def who(self) -> str:
        """The address, with name and group where there are any."""
        return with_details(self.address, self.name, self.group)


@dataclass(frozen=True, slots=True)
class HandoffRow(OtherRow):
    """One change for somebody else."""

    causes: tuple[CauseRow, ...]


@dataclass(frozen=True, slots=True)
class HandoffRows:
    """Handoffs for the same hands."""

    hands: str
    rows: tuple[HandoffRow, ...]


@dataclass(frozen=True, slots=True)
class PendingRow(OtherRow):
    """One change that waits, and for what."""

    note: str
    policies: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one line."""
        asked = f" ({', '.join(self.policies)})" if self.policies else ""
        return f"{self.who} would be {self.done}{asked}: {self.note}"


@dataclass(frozen=True, slots=True)
class LostRow(OtherRow):
    """One change of a run that its rollback does not take back, and why."""

    why: str

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.who} was {self.done}: {self.why}"


@dataclass(frozen=True, slots=True)
class EndedRow:
    """One user whose episode in a policy is broken off, at which stage, since when it was open (UTC day), and why."""

    account: str
    name: str
    policy: str
    stage: str
    since: date
    why: str

    @property
    def text(self) -> str:
        """All of it in one line."""
        where = f"{self.policy}/{self.stage}" if self.stage else self.policy
        return f"{with_details(self.account, self.name)} leaves {where}, open since {self.since}: {self.why}"


@dataclass(frozen=True, slots=True)
class RollbackRows:
    """What a plan says that takes back what a run did."""

    title: str
    irreversible: tuple[LostRow, ...]
    left: tuple[LostRow, ...]
    held: str


@dataclass(frozen=True, slots=True)
class UserRow:
    """One user who was left alone, and why."""

    account: str
    name: str
    why: str
    policies: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one line."""
        asked = f", asked by {', '.join(self.policies)}" if self.policies else ""
        return f"{with_details(self.account, self.name)}: {self.why}{asked}"


@dataclass(frozen=True, slots=True)
class UserRows:
    """The first users of one disposition."""

    total: int
    rows: tuple[UserRow, ...]

    @property
    def more(self) -> int:
        """Users who are counted but not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Untouched:
    """Users of one disposition, and how many of them for which reason."""

    word: str
    number: int
    reasons: str


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One cap that is near, reached or exceeded; texts padded to the same width in all rows."""

    name: str
    found: str
    allowed: str
    verdict: str
    rule: str


@dataclass(frozen=True, slots=True)
class PlanRows:
    """All that the documents of a plan print besides the plan's own plain values."""

    changes: tuple[ChangeRow, ...]
    more: int
    """Changes that are not shown in detail."""
    legend: tuple[tuple[str, str], ...]
    totals: str
    verdict: str
    failed: tuple[Check, ...]
    lifted: tuple[Check, ...]
    unprotected: tuple[str, ...]
    """Warnings that stand on top: of protections that the last run had and that are gone."""
    warnings: tuple[str, ...]
    """Guards that hold because of an Override."""
    unliftable: str
    """Names of broken guards that no Override lifts."""
    overrides: tuple[str, ...]
    """Lines of the documents that would lift broken guards, to be copied into a file."""
    again: str
    """The command that makes the plan anew, where that is not just ``plan``."""
    handoffs: tuple[HandoffRows, ...]
    conflicts: UserRows
    unknown: UserRows
    untouched: tuple[Untouched, ...]
    untouched_counts: str
    limits: tuple[LimitRow, ...]
    seats_left: str
    """How many seats are free after the plan, to be put behind their numbers."""
    pending: tuple[PendingRow, ...] = ()
    more_pending: int = 0
    rollback: RollbackRows | None = None
    lifecycle: str = ""
    """What happens in the stages of policies, counted."""
    cancelled: tuple[EndedRow, ...] = ()
    more_cancelled: int = 0
    adoption: tuple[str, ...] = ()
    """Which declared groups are adopted with the plan."""
    overdue: tuple[OverdueRow, ...] = ()
    """People who have left, and whose access should have ended by now."""
    more_overdue: int = 0
    unmatched: tuple[str, ...] = ()
    """What is told of people who have left and are nobody here."""

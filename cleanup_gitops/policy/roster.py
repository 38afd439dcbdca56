"""Rosters as documents describe them: where the file lies, and what becomes of people who leave or join. Frozen values.

Who leaves is a matter of a policy of the class ``termination`` that the Roster stands for: ``Roster.policy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cleanup_gitops.policy.documents import Ensure, Policy, Standing

Encoding = Literal["utf-8", "utf-16", "latin-1", "cp1252"]
Separator = Literal["comma", "semicolon", "tab"]
DEFAULT_SLA_HOURS = 24
WELCOME = "welcome"
"""Name of the one stage of the policy that welcomes people, which has the name of its Roster before that."""
DEFAULT_PER_DAY = 20
"""Changes on one UTC day under a standing approval, where the Roster does not say; as the cap of terminations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the CSV file lies and how it is read.

    ``columns`` are names of columns for ``account``, ``email``, ``starts`` and ``ends``; "" where there is none.
    ``encoding`` ``None``: UTF-8, or what its byte order mark says. ``separator`` ``None``: what the header shows.
    ``days`` is the form of its days, such as ``DD.MM.YYYY``; they begin and end by the clocks of ``time_zone``.
    """

    columns: Mapping[str, str]
    time_zone: str
    env: str | None = None
    path: str | None = None
    encoding: Encoding | None = None
    separator: Separator | None = None
    days: str = "YYYY-MM-DD"

    @property
    def name(self) -> str:
        """The variable or the path: how texts name the file."""
        return self.env or self.path or ""


@dataclass(frozen=True, slots=True)
class Leavers:
    """The state that people whose last day is over must be in, and so long after that day's end it may take."""

    ensure: Ensure
    sla: timedelta = timedelta(hours=DEFAULT_SLA_HOURS)


@dataclass(frozen=True, slots=True)
class Joiners:
    """What people who begin are given: groups by name, and a role in Confluence if they have to be invited.

    ``notify`` is the template of the notice that welcomes them; ``None``: none does.
    """

    groups: tuple[str, ...]
    role: str
    where: str = ""
    notify: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """One list of the people of a company. ``policy`` ends the access of those who left; ``None`` without leavers.

    ``joining`` puts those who begin and have an account into groups, ``welcome`` tells them once; ``None`` without.
    ``standing`` is ``None`` when each plan needs an approval. ``digest`` is that of what the document means.
    """

    name: str
    owner: str
    source: Source
    standing: Standing | None = None
    leavers: Leavers | None = None
    joiners: Joiners | None = None
    policy: Policy | None = None
    joining: Policy | None = None
    welcome: Policy | None = None
    where: str = ""
    digest: str = field(default="", compare=False)


def welcome_of(roster: str) -> str:
    """The name of the policy that welcomes those who begin by a roster."""
    return f"{roster}-{WELCOME}"

"""What Overrides allow beyond a limit, and the Override that would be needed for a broken one."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

from cleanup_gitops.model.requirement import Cause
from cleanup_gitops.policy.documents import API_VERSION, SitePolicies
from cleanup_gitops.policy.guarding import PLACEHOLDER, Guard, Override, OverrideReason, running

PROPOSED_DAYS = 7
"""For how many days an Override is proposed."""

Rows = Counter[tuple[str, ...]]
"""How many of what a guard counts by the policies that ask for them; each tuple is sorted."""


def policies_of(causes: Iterable[Cause]) -> tuple[str, ...]:
    """The policies that ask for a row."""
    return tuple(sorted({cause.policy for cause in causes}))


def one_line(name: str) -> str:
    """A name that others chose, for a sentence: without line ends."""
    return " ".join(name.split())


@dataclass(frozen=True, slots=True)
class Room:
    """How much a guard allows: ``usual`` without any Override, ``allowed`` with those in ``used``."""

    usual: int
    allowed: int
    used: tuple[Override, ...] = ()

    def holds(self, found: int) -> bool:
        """Whether so much is allowed."""
        return found <= self.allowed

    def words(self, rule: str) -> str:
        """``200 allowed (rule)``, or what an Override says instead."""
        whole = [one for one in self.used if one.policy is None]
        scoped = [one for one in self.used if one.policy is not None]
        if whole:
            text = f"{whole[0].max:,} allowed by {_named(whole[0])}, otherwise {self.usual:,} ({rule})"
        else:
            text = f"{self.usual:,} allowed ({rule})"
        return text + "".join(f", and {one.max:,} for {one.policy} by {_named(one)}" for one in scoped)


def _named(one: Override) -> str:
    return f"Override {one.name} ({one.reason}, {one.where}) until {one.until.isoformat()}"


def room(usual: int, rows: Rows, recent: int, overrides: Sequence[Override]) -> Room:
    """What is allowed of these rows, with no more Overrides than it takes.

    An Override without a policy replaces the usual limit. One for a policy takes the rows of that policy out of the
    count, if they are not more than it says; all others count against the limit. What was applied lately is not known
    by policy: it counts as that policy's as far as its Override has room left.
    """
    found = rows.total() + recent
    whole = max((one for one in overrides if one.policy is None), key=lambda one: (one.max, one.name), default=None)
    if whole is not None and whole.max <= usual:
        whole = None
    plain = [Room(usual, usual)]
    if whole is not None:
        plain.append(Room(usual, whole.max, (whole,)))
    scoped, freed = _taken_out(rows, recent, overrides)
    with_policies = [Room(usual, one.allowed + freed, (*one.used, *scoped)) for one in plain] if scoped else []
    return next((one for one in (*plain, *with_policies) if one.holds(found)), plain[0])


def _taken_out(rows: Rows, recent: int, overrides: Sequence[Override]) -> tuple[tuple[Override, ...], int]:
    """The Overrides for single policies that have room for the rows of theirs, and how much they take out."""
    best: dict[str, Override] = {}
    for one in sorted(overrides, key=lambda one: (one.max, one.name)):
        if one.policy is not None:
            best[one.policy] = one
    left, used, freed, slack = Counter(rows), [], 0, 0
    for policy, one in sorted(best.items()):
        own = [names for names in left if policy in names]
        number = sum(left[names] for names in own)
        if 0 < number <= one.max:
            used.append(one)
            freed += number
            slack += one.max - number
            for names in own:
                del left[names]
    return tuple(used), freed + min(slack, recent)


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The Overrides of one site on the day of a plan, and how a new one is proposed."""

    site: str
    today: date
    running: tuple[Override, ...]
    names: frozenset[str]
    """Names that Overrides have already, those that have ended included."""

    def of(self, guard: Guard) -> tuple[Override, ...]:
        """The Overrides of one guard that have not ended."""
        return tuple(one for one in self.running if one.guard == guard)

    def not_enough(self, guard: Guard) -> str:
        """What the Overrides of a guard that is broken all the same say, "" when there is none."""
        told = [
            f"{_named(one)} allows {one.max:,}" + (f" for {one.policy}" if one.policy else "") for one in self.of(guard)
        ]
        return f"; {', '.join(told)}, which is not enough" if told else ""

    def proposal(self, guard: Guard, found: int, rows: Rows | None = None, usual: int = 0, counts: str = "") -> str:
        """The Override that would let ``found`` pass, as YAML; what a person has to decide stands in ``<`` and ``>``.

        It is for one policy alone when the rest is within the usual limit. ``counts`` says what ``found`` is made of.
        """
        policy = _one_policy(rows, usual) if rows else None
        name = f"{re.sub('[._]', '-', guard)}-{self.today.isoformat()}"
        number = next(one for one in range(1, len(self.names) + 2) if _numbered(name, one) not in self.names)
        lines = [
            f"apiVersion: {API_VERSION}",
            "kind: Override",
            f"sites: [{_scalar(self.site)}]",
            f"metadata: {{name: {_numbered(name, number)}}}",
            "spec:",
            f"  guard: {guard}",
            *([f"  policy: {_scalar(policy)}"] if policy else []),
            f"  max: {found}" + (f" # {counts}" if counts else ""),
            f"  until: {(self.today + timedelta(days=PROPOSED_DAYS)).isoformat()}",
            f"  reason: {PLACEHOLDER}one of {', '.join(get_args(OverrideReason))}>",
            f"  ticket: {PLACEHOLDER}where the decision is recorded>",
        ]
        return "\n".join(lines) + "\n"


def exceptions_of(policies: SitePolicies, today: date) -> Exceptions:
    """The Overrides of a site as they stand on a day (UTC)."""
    names = frozenset(one.name for one in policies.overrides)
    return Exceptions(policies.site, today, running(policies.overrides, today), names)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _one_policy(rows: Rows, usual: int) -> str | None:
    """The policy with the most rows, when all rows that are not its own are within the limit.

    What a rollback asks for is no policy's, and no Override can name it: its name has spaces.
    """
    own: Counter[str] = Counter()
    for names, number in rows.items():
        own.update(dict.fromkeys((name for name in names if " " not in name), number))
    if not own:
        return None
    policy, most = min(own.items(), key=lambda one: (-one[1], one[0]))
    return policy if rows.total() - most <= usual else None


def _scalar(text: str) -> str:
    """A name as YAML; in quotes where it could be taken for something else than text."""
    plain = re.fullmatch(r"[a-z][a-z0-9-]*", text) and text not in ("no", "yes", "on", "off", "true", "false", "null")
    return text if plain and len(text) > 1 else json.dumps(text)

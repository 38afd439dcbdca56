"""What Overrides allow beyond a guard, and the Override that would be needed for a broken one."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
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

    @property
    def lifted(self) -> tuple[str, ...]:
        """Names of the Overrides without which so much would not be allowed."""
        return tuple(one.name for one in self.used)

    def words(self, rule: str, unit: str = "") -> str:
        """``200 allowed (rule)``, or what an Override says instead; ``unit`` stands behind the numbers."""
        whole = next((one for one in self.used if one.policy is None), None)
        scoped = [one for one in self.used if one.policy is not None]
        usual = f"{self.usual:,}{unit}"
        text = f"{usual} allowed ({rule})"
        if whole:
            text = f"{whole.max:,}{unit} allowed by {_named(whole)}, otherwise {usual} ({rule})"
        return text + "".join(f", and {one.max:,} for {one.policy} by {_named(one)}" for one in scoped)


def _named(one: Override) -> str:
    return f"Override {one.name} until {one.until.isoformat()} ({one.reason}, {one.where})"


def room(usual: int, rows: Rows, recent: int, overrides: Sequence[Override]) -> Room:
    """What is allowed of these rows, with no more Overrides than it takes.

    An Override without a policy replaces the usual limit. One for a policy takes the rows of that policy out of the
    count, if they are not more than it says; all others count against the limit. What was applied lately is not known
    by policy: it counts as that policy's as far as its Override has room left.
    """
    found = rows.total() + recent
    whole = max((one for one in overrides if one.policy is None), key=lambda one: (one.max, one.name), default=None)
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
    without: list[Override] = []
    for policy, one in sorted(best.items()):
        own = [names for names in left if policy in names]
        number = sum(left[names] for names in own)
        if not number:
            without.append(one)
        elif number <= one.max:
            used.append(one)
            freed += number
            slack += one.max - number
            for names in own:
                del left[names]
    for one in without:  # what was applied lately may all the same be its policy's
        if slack < recent:
            used.append(one)
            slack += one.max
    return tuple(used), freed + min(slack, recent)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a guard has to let pass: rows by policy and what counts ``beside`` them, where ``usual`` are allowed."""

    usual: int
    rows: Rows
    beside: int = 0

    @property
    def found(self) -> int:
        """All of it."""
        return self.rows.total() + self.beside

    def met(self, overrides: Sequence[Override]) -> bool:
        """Whether it passes under these Overrides."""
        return room(self.usual, self.rows, self.beside, overrides).holds(self.found)


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

    def narrowest(self, guard: Guard, demands: Sequence[Demand]) -> tuple[str | None, int]:
        """The policy and the number of the narrowest Override with which all of this passes, beside those in force.

        It is for one policy, and for the fewest rows, where that is enough; otherwise for all rows (``None``). Of
        several demands none has anything beside its rows.
        """
        demands = [one for one in demands if not one.met(self.of(guard))]
        most = max(one.found for one in demands)
        asking = [{name for names in one.rows for name in names} for one in demands]
        names = sorted(name for name in set.intersection(*asking) if " " not in name)

        def least(policy: str | None) -> int | None:
            def enough(number: int) -> bool:
                new = Override(
                    name="", guard=guard, max=number, until=self.today, reason="first-run", ticket="", policy=policy
                )
                return all(one.met((*self.of(guard), new)) for one in demands)

            return bisect_left(range(1, most), 1, key=enough) + 1 if enough(most) else None

        # what a rollback asks for is no policy's, and no Override can name it: its name has spaces
        found = min(((number, name) for name in names if (number := least(name)) is not None), default=None)
        return (found[1], found[0]) if found else (None, least(None) or most)

    def proposal(self, guard: Guard, demands: Sequence[Demand], counts: str = "") -> str:
        """The Override that would let all of this pass, as YAML; what a person has to decide stands in ``<`` and ``>``.

        ``counts`` says what is counted.
        """
        policy, most = self.narrowest(guard, demands)
        name = f"{re.sub('[._]', '-', guard)}-{self.today.isoformat()}"
        number = next(one for one in count(1) if _numbered(name, one) not in self.names)
        lines = [
            f"apiVersion: {API_VERSION}",
            "kind: Override",
            f"sites: [{_scalar(self.site)}]",
            f"metadata: {{name: {_numbered(name, number)}}}",
            "spec:",
            f"  guard: {guard}",
            *([f"  policy: {_scalar(policy)}"] if policy else []),
            f"  max: {most}" + (f" # {counts}" if counts else ""),
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


def _scalar(text: str) -> str:
    """A name as YAML; in quotes where it could be taken for something else than text."""
    plain = re.fullmatch(r"[a-z][a-z0-9-]*", text) and text not in ("no", "yes", "on", "off", "true", "false", "null")
    return text if plain and len(text) > 1 else json.dumps(text)

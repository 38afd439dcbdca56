"""Standing approvals as somebody outside would keep books of them: told from the record and the world alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.run import FINISHED, Approval, Intent
from cleanup_gitops.model.standing import Approvals, Missing
from tests.machine.books import Entered
from tests.machine.effects import What
from tests.machine.house import House

Row = tuple[str, str, str]
"""A change, a policy that asks for it, and what that policy means: digests but for the name."""


@dataclass
class Standings:
    """Who approved what, since when which rows have been recorded as pending, and what was made on which day."""

    house: House
    approved: set[tuple[str, str]] = field(default_factory=set)
    """Policies by name and meaning."""
    since: dict[Row, datetime] = field(default_factory=dict)
    made: Counter[tuple[str, date]] = field(default_factory=Counter)
    _acts: dict[int, Mapping[What, Change]] = field(default_factory=dict)
    _judged: int = 0

    def __post_init__(self) -> None:
        self.approved = set(self.meanings.items())

    @property
    def meanings(self) -> dict[str, str]:
        """What each policy with a standing approval means now."""
        return {one.name: one.digest for one in self.house.policies.policies if one.standing}

    def approvals(self) -> Approvals:
        """What a run finds when it looks for tags now."""
        return {name: self._found(name, meaning) for name, meaning in self.meanings.items()}

    def _found(self, name: str, meaning: str) -> Approval | Missing:
        if (name, meaning) not in self.approved:
            return Missing("there is no tag")
        at = self.house.clock.now() - timedelta(minutes=1)
        return Approval(kind="standing", by="SHA256:ben", at=at, ref=f"approve/{meaning}")

    def decide(self, number: int, *, rewritten: bool, approves: bool) -> None:
        """Somebody approves a policy, perhaps one that means something else from now on, or takes the approval back."""
        name = sorted(self.meanings)[number % len(self.meanings)]
        if rewritten:
            self.house.rewrite(name)
        one = (name, self.meanings[name])
        (self.approved.add if approves else self.approved.discard)(one)

    def claims(self, intent: Intent, rows: Mapping[str, Change], planned: Mapping[str, Change], at: datetime) -> None:
        """A run that planned at this time claims these rows under standing approvals."""
        rules, meanings = {one.name: one.standing for one in self.house.policies.policies}, self.meanings
        for key, change in rows.items():
            for name in {cause.policy for cause in change.causes}:
                rule = rules[name]
                assert rule is not None, f"{change.address} is approved plan by plan"
                assert (name, meanings[name]) in self.approved, f"{change.address} without an approval of {name}"
                assert name in intent.approvals
                since = self.since.get((key, name, meanings[name]))
                assert since is not None, f"{change.address} was never recorded as pending for {name} as it is"
                assert since + rule.after <= at, f"{change.address} before its soak: pending since {since}, now {at}"
        users = {change.user for change in rows.values()}
        assert {key for key, change in planned.items() if change.user in users} == set(rows), "half of a user"
        whats = {
            (change.address, name, value): change for change in rows.values() for name, value in change.after.items()
        }
        self._acts[self.house.effects.act] = whats

    def entered(self, entry: Entered) -> None:
        """A run was recorded: what it planned and did not finish waits, from then on or since before."""
        finished = {one.change for one in entry.outcomes if one.result in FINISHED}
        before = {row: since for row, since in self.since.items() if row[0] not in finished}
        if entry.kind != "run":
            self.since = before
            return
        meanings = self.meanings
        rows = [
            (key, name, meanings[name])
            for key, change in entry.planned.items()
            if key not in finished
            for name in {cause.policy for cause in change.causes}
            if name in meanings
        ]
        self.since = {row: before.get(row, entry.time) for row in rows}

    def judge(self) -> None:
        """No policy made more on a UTC day than it may."""
        news, self._judged = self.house.effects.found[self._judged :], len(self.house.effects.found)
        most = {one.name: one.standing.max_per_day for one in self.house.policies.policies if one.standing}
        for effect in news:
            rows = {id(one): one for what in effect.what if (one := self._acts.get(effect.act, {}).get(what))}
            for change in rows.values():
                for name in {cause.policy for cause in change.causes}:
                    self.made[name, effect.at.astimezone(UTC).date()] += 1
        for (name, day), number in self.made.items():
            assert number <= most[name], f"{number} changes for {name} on {day}"

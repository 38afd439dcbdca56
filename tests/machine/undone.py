"""What runs did and saw, and others undid: as long as a hold lasts no run does it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cleanup_gitops.model.change import Change
from tests.machine.books import Entered
from tests.machine.effects import What
from tests.machine.house import House
from tests.machine.trail import brought

LASTS, KEPT, YOUNG = timedelta(days=13), timedelta(days=29), timedelta(days=1)
"""A hold lasts longer than the first, what was not seen in a snapshot is remembered longer than the second. What is
undone later than the third is left out here, so that the first of these two is what ends it."""


@dataclass(frozen=True)
class Made:
    """A change that a run made and saw, for these policies; ``undone``: when others took it back."""

    at: datetime
    policies: frozenset[str]
    undone: datetime | None = None


@dataclass
class Undone:
    """All that the record says was seen, by what it brought about."""

    house: House
    made: dict[What, Made] = field(default_factory=dict)

    def entered(self, entry: Entered) -> None:
        """A run was recorded. What a rollback gave back is nobody's wish that others could undo."""
        for one in entry.outcomes:
            if one.result != "applied":
                continue
            for what in [what for what in self.made if what[0] == one.address]:
                del self.made[what]
            if entry.rollback or one.verified is None or not one.causes:
                continue
            policies = frozenset(cause.policy for cause in one.causes)
            self.made |= {(one.address, name, value): Made(one.at, policies) for name, value in one.after.items()}

    def outsider(self, account: str) -> None:
        """Somebody changes the user in a way that may be no undo."""
        for what in [what for what in self.made if account in what[0]]:
            del self.made[what]

    def known(self, whats: Iterable[What]) -> dict[What, Made]:
        """Those of these that a run made a short time ago."""
        now = self.house.clock.now()
        return {what: one for what in whats if (one := self.made.get(what)) and now - one.at < YOUNG}

    def took_back(self, account: str, known: Mapping[What, Made]) -> None:
        """Others have taken these back just now, as far as the world shows it."""
        now = self.house.clock.now()
        for what, one in known.items():
            if not self.house.effects.shows(account, what):
                self.made[what] = Made(one.at, one.policies, now)

    def claims(self, rows: Mapping[str, Change]) -> None:
        """A run claims these rows now."""
        now = self.house.clock.now()
        for change in rows.values():
            for what in brought(change):
                one = self.made.get(what)
                if one is None or one.undone is None or now - one.undone > LASTS or now - one.at > KEPT:
                    continue
                others = {cause.policy for cause in change.causes} - one.policies
                assert others, f"{change.address} was undone by others at {one.undone} and is done again"

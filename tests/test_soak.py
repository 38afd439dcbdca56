"""Many changes in bad weather: each of them ends in one state, which is the world's, and none is made twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.errors import ApprovalError, SiteError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import FINISHED, Outcome
from cleanup_gitops.runner.workers import Workers
from cleanup_gitops.sandbox.faults import Fault
from cleanup_gitops.sandbox.storms import STANDARD
from tests.fake_store import FakeStore
from tests.machine.books import SITE, InMemory
from tests.machine.house import House, crowd
from tests.machine.trail import Trail, brought

NONSENSE = {"html", "not_json", "content_type", "error_in_ok", "cursor_expired", "cursor_loop", "repeat_page"}


def ends_a_look(fault: Fault) -> bool:
    """Whether an answer ends a run that only looks: with a site that talks nonsense nobody goes on."""
    return fault.kind in NONSENSE or fault.length == "part" or fault.status == 500


def at_work(rarely: int) -> tuple[Fault, ...]:
    """Every fault that a sandbox knows to make by chance, while changes are made.

    What befalls writes alone comes more often, few requests being such; what ends a run ``rarely`` times less.
    """

    def often(fault: Fault) -> float:
        return fault.weight * (6 if fault.kind in {"no_effect", "late"} else 1 / rarely if ends_a_look(fault) else 1)

    return tuple(msgspec.structs.replace(one, weight=often(one)) for one in STANDARD)


AT_SIGHT = tuple(one for one in STANDARD if not ends_a_look(one) and one.kind not in {"no_effect", "late"})
"""What a reading of the whole site survives: one page of nonsense ends it, and there are too many pages."""
MOST_RUNS = 60
"""So many runs are enough for any number of changes."""


def storm(seed: int, rate: float, faults: Sequence[Fault]) -> dict[str, Any]:
    """So many of all requests meet one of these faults, the same one never more than twice in a row."""
    told = msgspec.to_builtins(faults)
    return {"kind": "storm", "seed": seed, "rate": rate, "most_in_a_row": 2, "faults": told}


class Weather(FakeStore):
    """A store that brings another weather as soon as a run has claimed the site."""

    def __init__(self, books: InMemory, house: House, rule: dict[str, Any]) -> None:
        super().__init__(SITE, books.repository)
        self._house = house
        self._rule = rule

    def commit(
        self,
        files: Mapping[str, bytes | None],
        subject: str,
        trailers: Mapping[str, str],
        *,
        free: Collection[str] = (),
    ) -> str:
        commit = super().commit(files, subject, trailers, free=free)
        if free:
            self._house.client.delete("/_sandbox/faults").raise_for_status()
            self._house.disturb([self._rule])
        return commit


@dataclass
class Soak:
    """One site, one approved plan, and all the runs that it took."""

    house: House
    saved: Plan
    books: InMemory
    trail: Trail
    seed: int
    rarely: int
    runs: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """How often each kind of fault was met while changes were made."""
    ends: dict[str, Outcome] = field(default_factory=dict)
    """The last outcome of each change, by its digest."""

    def apply(self) -> bool:
        """One more run under the same approval; whether anything is left to be done."""
        spent, commits = self.trail.spent(), self.trail.begin()
        self.runs += 1
        self.house.clock.sleep(600)  # what may still show is not sent again before
        self.house.calm()
        self.house.disturb([storm(self.seed + self.runs, 0.05, AT_SIGHT)])
        store = Weather(self.books, self.house, storm(self.seed - self.runs, 0.2, at_work(self.rarely)))
        try:
            run = self.house.apply(self.saved, workers=Workers(4), store=store)
        except ApprovalError:
            return False  # all of its rows are used up
        except SiteError as error:
            print(error.message)
            return True  # the site could not be read
        finally:
            self.trail.end(commits, self.saved, spent)
        self.trail.every_row_has_an_end(run, self.saved)
        self.trail.spent_or_open(run.approval.ref, run.outcomes)
        self.ends.update((one.change, one) for one in run.outcomes)
        return not self.done

    def agrees(self) -> None:
        """What is told of each change is so in the world, as far as it shows by now."""
        met = self.house.client.get("/_sandbox/faults/done").json()
        self.met.update(one["kind"] for one in met)
        self.house.calm()
        for change in self.saved.changes:
            result = self.result(change)
            if result in ("applied", "already"):
                assert self.shown(change), change.address
            elif result in ("failed", "superseded", "not_attempted"):
                assert not self.shown(change), change.address

    @property
    def done(self) -> bool:
        """Whether every approved change has come to its end."""
        return all(self.result(change) in FINISHED for change in self.saved.changes)

    def result(self, change: Change) -> str:
        """What became of a change so far."""
        end = self.ends.get(change_digest(change))
        return end.result if end else "not_attempted"

    def shown(self, change: Change) -> bool:
        """Whether the world is as the change wants it."""
        return all(self.house.effects.shows(change.user, what) for what in brought(change))


def soaked(idle: int, seed: int, rarely: int) -> Soak:
    """A crowd, cleaned up under one approval in bad weather until nothing is left, and then looked at in calm."""
    books = InMemory()
    with House(books, crowd(idle)) as house:
        soak = Soak(house, house.plan(), books, Trail(house), seed, rarely)
        while soak.runs < MOST_RUNS and soak.apply():
            soak.agrees()
        print(f"{len(soak.saved.changes)} changes, {soak.runs} runs, {house.requests()} requests, {soak.met}")
        assert soak.done
        house.calm()
        soak.agrees()
        soak.trail.judge()
        soak.trail.record_is_whole()
        house.apply()
        soak.trail.snapshot_is_live()
        soak.trail.nothing_is_left()
        done = Counter(what for one in house.effects.found for what in one.what)
        assert done == Counter(what for change in soak.saved.changes for what in brought(change))
    return soak


@pytest.mark.slow
@pytest.mark.case("E62", "E63", "E66")
def test_a_hundred_changes_in_a_storm_of_all_faults_are_each_made_once() -> None:
    soak = soaked(56, 1, 30)
    assert len(soak.saved.changes) >= 100
    assert soak.runs > 1
    assert {"reset", "throttle", "status", "truncate", "no_effect", "late"} <= soak.met.keys()


@pytest.mark.exhaustive
def test_two_thousand_changes_in_a_storm_of_all_faults_are_each_made_once() -> None:
    soak = soaked(1600, 2026, 300)
    assert len(soak.saved.changes) >= 2000
    assert {"reset", "throttle", "status", "truncate", "no_effect", "late"} <= soak.met.keys()

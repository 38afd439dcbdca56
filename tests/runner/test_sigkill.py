"""SIGKILL at the instants of an apply's journal: recovered and applied again, everything is as if it had not happened.

An instant is the moment before a line is written or the moment when it is on the disk: before a call, after its effect,
after its answer, before and after what was read back is noted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from cleanup_gitops.model.plan import Plan
from cleanup_gitops.runner.workers import CREW, ONE_BY_ONE, Workers
from tests.runner.mortal import Scene, scene
from tests.runner.test_recover import open_run

CHANGES = 60
INSTANTS = 6 * CHANGES
"""Each change has three lines."""
TELLING = [instant for instant in range(1, INSTANTS + 1) if instant % 2 == 0 or instant % 6 == 3 or instant == 1]
"""Without those that leave nothing else behind than the instant before, because only a reading lies between them."""
CHUNK = 20


@dataclass(frozen=True)
class Whole:
    """What an apply that nobody interrupts leaves."""

    live: list[bytes]
    results: Counter[tuple[str, str]]
    effects: Counter[tuple[str, str]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    with scene(tmp_path_factory.mktemp("whole") / "scene") as found:
        saved = found.plan()
        assert len(saved.changes) == CHANGES
        assert len(saved.summary.actions) >= 7
        with found.office() as (office, hook):
            office.apply(saved)
        assert hook.instants == INSTANTS
        results = applied(found)
        assert results == Counter((key, "applied") for key in saved.manifest)
        assert sum(found.writes().values()) == CHANGES
        return Whole(found.live(), results, found.effects())


def applied(found: Scene) -> Counter[tuple[str, str]]:
    """How often each change was recorded as done."""
    return Counter((one.change, one.result) for one in found.outcomes() if one.result in ("applied", "already"))


def end(found: Scene, saved: Plan, *, journal: bool) -> None:
    """Recover the run that was killed, and apply the rest under the same approval."""
    if not journal:
        for path in (found.folder / ".cleanup-gitops" / "acme").iterdir():
            path.unlink()
    found.clock.sleep(60)
    with found.office() as (office, hook):
        recovered = office.recover(open_run(office))
        assert (hook.instants, len(recovered.outcomes)) == (0, CHANGES)
        if not recovered.failed:
            return
    found.clock.sleep(2 * 3600)  # what may still show is not sent again before
    with found.office() as (office, _):
        office.apply(saved)


def killed_and_ended(folder: Path, instant: int, *, journal: bool = True, workers: Workers = ONE_BY_ONE) -> Scene:
    """The site and the record after a kill, a recovery, and an apply of the rest."""
    with scene(folder, workers) as found:
        saved = found.plan()
        found.killed(saved, instant)
        end(found, saved, journal=journal)
        assert sum(found.writes().values()) == CHANGES
        return found


def check(found: Scene, whole: Whole) -> None:
    """Live state and ledger equal the uninterrupted run; nothing took effect twice."""
    assert found.live() == whole.live
    assert found.effects() == whole.effects
    assert max(found.effects().values()) == 1
    assert applied(found) == whole.results
    assert not list((found.folder / ".cleanup-gitops" / "acme").iterdir())


@pytest.mark.case("E64", "F12")
def test_killed_after_a_change_took_effect_and_before_that_was_noted(tmp_path: Path, whole: Whole) -> None:
    check(killed_and_ended(tmp_path / "scene", 6 * 31 + 3), whole)


@pytest.mark.slow
@pytest.mark.case("E64", "F12")
def test_killed_and_started_again_on_a_machine_without_the_journal(tmp_path: Path, whole: Whole) -> None:
    check(killed_and_ended(tmp_path / "scene", 6 * 44 + 2, journal=False), whole)


@pytest.mark.slow
@pytest.mark.case("E64", "F12")
def test_killed_while_several_workers_are_at_it(tmp_path: Path, whole: Whole) -> None:
    """Calls that were under way may still arrive: their changes are done once, whoever notes it."""
    with scene(tmp_path / "scene", CREW) as found:
        saved = found.plan()
        found.killed(saved, 200)
        end(found, saved, journal=True)
        assert found.live() == whole.live
        assert found.effects() == whole.effects
        assert Counter(key for key, _ in applied(found)) == Counter(saved.manifest)


@pytest.mark.slow
@pytest.mark.case("E64", "F12")
def test_killed_at_every_twentieth_instant(tmp_path: Path, whole: Whole) -> None:
    for instant in TELLING[::20]:
        check(killed_and_ended(tmp_path / str(instant), instant), whole)


@pytest.mark.exhaustive
@pytest.mark.case("E64", "F12")
@pytest.mark.parametrize("first", range(0, len(TELLING), CHUNK))
def test_killed_at_every_instant(tmp_path: Path, whole: Whole, first: int) -> None:
    for instant in TELLING[first : first + CHUNK]:
        check(killed_and_ended(tmp_path / str(instant), instant), whole)


@pytest.mark.exhaustive
@pytest.mark.case("E64", "F12")
def test_killed_at_many_instants_without_a_journal_afterwards(tmp_path: Path, whole: Whole) -> None:
    for instant in TELLING[::17]:
        check(killed_and_ended(tmp_path / str(instant), instant, journal=False), whole)

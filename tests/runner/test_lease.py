"""The intent is committed before the first write, with a lease that keeps other runs away until the result is."""

from __future__ import annotations

import json
from contextlib import suppress

import msgspec
import pytest

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import LeaseHeldError, StateError, StateMovedError, StoreError
from cleanup_gitops.model.ports import Live
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.runner import Run, Stop
from tests.fake_store import FakeRepository, FakeStore
from tests.fakes import FakeSite
from tests.runner.office import RUNNER, Office, office_site, open_office


class KilledError(BaseException):
    """The end of a process, as its own code sees it: not at all."""


class Mortal(FakeSite):
    """A site whose writer dies at the write of this number (from 1): before it, or after its effect."""

    def __init__(self, *idle: int, at: int = 1, after: bool = False) -> None:
        super().__init__(office_site(*idle))
        self.at = at
        self.after = after

    def write(self, change: Change) -> Receipt:
        self.at -= 1
        if self.at == 0 and self.after:
            super().write(change)
        if self.at == 0:
            raise KilledError
        return super().write(change)


def repository(office: Office) -> FakeRepository:
    assert isinstance(office.store, FakeStore)
    return office.store.repository


def kinds(office: Office) -> list[str]:
    """What was committed, oldest first."""
    return [one.trailers["Kind"] for one in repository(office).commits]


def cut_off(*idle: int, at: int = 1, after: bool = False) -> Office:
    """An office whose first run was killed."""
    office = open_office()
    office.site = Mortal(*idle, at=at, after=after)
    with pytest.raises(KilledError):
        office.apply()
    return office


class Watched(FakeSite):
    """A site that looks at what is recorded when it is written to."""

    def __init__(self, office: Office, *idle: int) -> None:
        super().__init__(office_site(*idle))
        self.office = office
        self.files: list[dict[str, bytes]] = []

    def write(self, change: Change) -> Receipt:
        self.files.append(dict(repository(self.office).files))
        return super().write(change)


@pytest.mark.case("F12")
def test_the_intent_and_the_lease_are_recorded_before_the_first_write_and_the_lease_goes_with_the_result() -> None:
    office = open_office()
    office.site = site = Watched(office, 100, 200)
    run = office.apply(office.plan())
    for files in site.files:
        intent = json.loads(files[f"acme/runs/{run.id}/intent.json"])
        assert intent["changes"] == sorted(run.plan.manifest)
        assert set(intent["digests"]) == {f"runs/{run.id}/plan.json", f"runs/{run.id}/approved.json"}
        lease = json.loads(files["acme/leases/default.json"])
        assert (lease["run"], lease["holder"], lease["directory"]) == (run.id, f"{RUNNER}, process 1", "default")
        assert "acme/manifest.json" not in files
    assert len(site.files) == 2
    assert kinds(office) == ["intent", "run"]
    assert not any("leases/" in path for path in repository(office).files)
    (entry,) = office.entries()
    assert entry.intent
    assert run.intent is not None


@pytest.mark.case("E58")
def test_a_run_that_has_nothing_to_write_claims_nothing_and_is_recorded() -> None:
    office = open_office(10)
    office.apply(office.plan())
    office.apply()
    assert kinds(office) == ["run", "run"]
    assert [entry.intent for entry in office.entries()] == ["", ""]


@pytest.mark.case("E65")
def test_while_a_run_is_open_the_next_one_reads_no_site_and_says_who_holds_it_since_when() -> None:
    office = cut_off(100)
    office.clock.sleep(2 * 3600 + 180)
    office.site.broken["read"] = [AssertionError("read")]  # type: ignore[list-item]
    with pytest.raises(LeaseHeldError) as caught:
        office.apply()
    assert caught.value.exit_code == 6
    assert f"by {RUNNER}, process 1, since 2026-11-22 12:00 UTC (2 h 3 min)" in caught.value.message
    assert "cleanup-gitops recover 20261122T120000Z-" in caught.value.hint
    assert not office.site.written


class Overtaken(FakeSite):
    """A site on which somebody else's run goes by right after it was read."""

    def __init__(self, *idle: int) -> None:
        super().__init__(office_site(*idle))
        self.other: Office | None = None

    def read(self) -> Live:
        live = super().read()
        other, self.other = self.other, None
        if other is not None:
            repository(other).working.clear()  # it is on another machine
            with suppress(KilledError):
                other.apply()
        return live


def overtaken(*idle: int, by: FakeSite | None = None) -> Office:
    """An office that has just read the site when another run goes by, through ``by`` or the same site."""
    office = open_office()
    office.site = site = Overtaken(*idle)
    site.other = open_office(beside=office)
    if by:
        site.other.site = by
    return office


@pytest.mark.case("E65", "F13")
def test_of_two_runs_that_read_the_same_state_only_the_faster_one_acts() -> None:
    office = overtaken(100, 200)
    with pytest.raises(StateMovedError) as caught:
        office.apply()
    assert caught.value.exit_code == 6
    assert len(office.site.written) == 2
    assert kinds(office) == ["intent", "run"]
    assert office.apply().outcomes == ()


@pytest.mark.case("E65", "F13")
def test_a_run_that_was_overtaken_by_one_that_is_under_way_says_who_it_is() -> None:
    office = overtaken(100, by=Mortal(100))
    with pytest.raises(LeaseHeldError, match="process 1"):
        office.apply()
    assert not office.site.written
    assert kinds(office) == ["intent"]


@pytest.mark.case("F13")
def test_a_run_with_nothing_to_do_that_was_overtaken_loses_nothing() -> None:
    office = overtaken(10, by=FakeSite(office_site(100)))
    with pytest.raises(StateMovedError):
        office.apply()
    assert kinds(office) == ["intent", "run"]


def test_another_site_of_the_same_directory_keeps_a_run_away() -> None:
    office = cut_off(100)
    files = repository(office).files
    lease = files["acme/leases/default.json"].replace(b'"site": "acme"', b'"site": "other"')
    repository(office).files = {"other/leases/default.json": lease}
    with pytest.raises(LeaseHeldError, match="of other by"):
        office.apply()
    assert not office.site.written


def test_an_end_that_was_asked_for_before_the_first_write_leaves_no_lease() -> None:
    office = open_office(100)
    stop = Stop()
    stop.ask()
    run = office.apply(stop=stop)
    assert [one.result for one in run.outcomes] == ["not_attempted"]
    assert kinds(office) == ["intent", "run"]
    assert not any("leases/" in path for path in repository(office).files)


@pytest.mark.case("E77")
def test_what_cannot_be_claimed_is_not_done() -> None:
    office = open_office(100)
    assert isinstance(office.store, FakeStore)
    office.store.broken["commit"] = [StoreError("The push was refused.")]
    with pytest.raises(StoreError):
        office.apply()
    assert not office.site.written
    assert office.apply().outcomes[0].result == "applied"


@pytest.mark.case("E77")
def test_a_run_that_wrote_nothing_and_cannot_be_recorded_is_an_ordinary_error() -> None:
    office = open_office(10)
    assert isinstance(office.store, FakeStore)
    office.store.broken["commit"] = [StoreError("The push was refused.")]
    with pytest.raises(StoreError) as caught:
        office.apply()
    assert caught.value.exit_code == 1


def test_the_whole_site_is_claimed_where_it_has_several_directories() -> None:
    run, office = data_center_run()
    assert run.intent is not None
    assert run.intent.directories == ("acme",)
    assert {one.result for one in run.outcomes} == {"applied"}
    assert layout.lease_file("acme") in repository(office).commits[0].files


def data_center_run() -> tuple[Run, Office]:
    """A run on the office as if it were a Data Center."""

    class DataCenter(FakeSite):
        def read(self) -> Live:
            live = super().read()
            return Live(msgspec.structs.replace(live.inventory, hosting="datacenter"), live.people)

    office = open_office()
    office.site = DataCenter(office_site(100))
    return office.apply(), office


def test_a_clock_behind_the_newest_record_stops_a_run_before_anything_is_read_or_written() -> None:
    office = open_office(100)
    office.apply()
    written, entries = list(office.site.written), office.entries()
    office.clock.sleep(-6 * 60)
    with pytest.raises(StateError) as caught:
        office.apply()
    assert caught.value.message == (
        "The newest record of acme was made at 2026-11-22 12:00 UTC, but here it is 2026-11-22 11:54 UTC: one of the"
        " two clocks is wrong."
    )
    assert "audit roll-over" in caught.value.hint
    assert (office.site.written, office.entries()) == (written, entries)
    office.clock.sleep(90)  # clocks of two machines may be a little apart
    office.apply()

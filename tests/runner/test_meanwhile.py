"""What others do while a run is under way, or before it is recovered, is neither lost nor taken for ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import CleanupError, StateError, StoreError
from cleanup_gitops.model.memory import Settling
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.runner import Stop
from cleanup_gitops.runner.desk import UnrecordedError
from cleanup_gitops.runner.watch import ENDED
from cleanup_gitops.views.run import found_meanwhile
from tests.fake_store import FakeStore
from tests.runner.office import RUNNER, SEATS, Office, open_office
from tests.runner.test_lease import KilledError, Mortal, kinds, repository
from tests.runner.test_recover import open_run

FIRST, SECOND, THIRD = (f"712020:000{number}" for number in (1, 2, 3))


def listed(office: Office) -> list[tuple[str, str, str]]:
    """What the last record lists beside its outcomes: address, sort and run of each difference."""
    run = office.entries()[-1].run
    data = repository(office).files.get(f"acme/runs/{run}/drift.jsonl", b"")
    return [(row["address"], row["what"], row.get("run", "")) for row in map(json.loads, data.splitlines())]


def waiting(office: Office) -> tuple[Settling, ...]:
    return memory_of(office.store.read()).settling


def recorded_once(*idle: int) -> Office:
    """An office whose site was recorded before there was any policy."""
    office = open_office(*idle)
    policies = office.policies.policies
    office.under(policies=())
    office.apply()
    office.under(policies=policies)
    office.clock.sleep(60)
    return office


def meddled(office: Office, account: str, **facts: Any) -> None:  # noqa: ANN401 - any field of a user
    """Somebody else changes a user while the next write is under way."""
    write = office.site.write

    def and_meddle(change: Change) -> Receipt:
        office.site.happens(account, **facts)
        return write(change)

    office.site.write = and_meddle  # type: ignore[method-assign]


@pytest.mark.case("E65")
def test_what_others_do_during_a_run_is_listed_with_it_and_what_the_run_did_is_not() -> None:
    office = recorded_once(100, 20)
    meddled(office, SECOND, status="suspended")
    run = office.apply()
    assert dict(office.entries()[-1].found) == {"user.changed": 1}
    assert listed(office) == [(f"user/{SECOND}", "user.changed", "")]
    assert run.meanwhile == (
        Difference(
            address=f"user/{SECOND}",
            what="user.changed",
            user=SECOND,
            before={"status": "active"},
            after={"status": "suspended"},
        ),
    )
    assert repository(office).commits[-1].trailers["Found"] == "user.changed=1"
    assert found_meanwhile(run.record) == (
        f"While the run was under way others changed: 1 account changed (listed in runs/{run.id}/drift.jsonl).",
    )
    office.apply()
    assert kinds(office) == ["run", "intent", "run", "run"]


def test_a_run_that_nobody_disturbed_lists_nothing_beside_its_outcomes() -> None:
    office = recorded_once(100, 200, 20)
    run = office.apply()
    assert run.meanwhile == ()
    assert found_meanwhile(run.record) == ()
    assert dict(office.entries()[-1].found) == {}
    assert not any(path.endswith("drift.jsonl") for path in repository(office).files)


@pytest.mark.case("F12")
def test_what_others_did_until_a_run_was_recovered_is_listed_with_the_recovery() -> None:
    office = recorded_once(100, 200, 20)
    office.site = Mortal(100, 200, 20, at=2)
    with pytest.raises(KilledError):
        office.apply()
    office.clock.sleep(3 * 86400)
    office.site.happens(THIRD, status="suspended")
    found = office.recover(open_run(office))
    assert [one.result for one in found.outcomes] == ["applied", "not_attempted"]
    assert listed(office) == [(f"user/{THIRD}", "user.changed", "")]
    assert [one.address for one in found.meanwhile] == [f"user/{THIRD}"]
    assert dict(office.entries()[-1].found) == {"user.changed": 1}


def test_a_recovery_names_the_account_that_acted_and_not_the_one_that_recovers() -> None:
    office = open_office()
    office.site = Mortal(100, at=1, after=True)
    with pytest.raises(KilledError):
        office.apply()
    run = open_run(office)
    office.site._inventory = replace(office.site._inventory, runner=("712020:another",))
    office.recover(run)
    (line,) = repository(office).files[f"acme/runs/{run}/outcomes.jsonl"].splitlines()
    assert json.loads(line)["actor"] == RUNNER


def test_an_effect_that_was_seen_is_no_excuse_for_what_others_do_later() -> None:
    office = open_office(100)
    office.site.late = True
    first = office.apply()
    assert first.outcomes[0].result == "settling"
    office.site.settle()
    office.site.late = False
    office.apply()
    assert waiting(office) == ()
    late = [(f"membership/{SEATS}/{FIRST}", "membership.removed"), (f"user/{FIRST}", "user.changed")]
    assert listed(office) == [(*one, first.id) for one in late]
    office.under(policies=())
    office.site.happens(FIRST, groups=(SEATS,), license="seat")
    office.apply()
    office.site.happens(FIRST, groups=(), license="none")
    run = office.apply()
    assert run.found is not None
    assert dict(run.found.entry.found) == {"membership.removed": 1, "user.changed": 1}


def test_a_row_that_a_later_run_did_not_get_to_is_still_ours_when_it_shows() -> None:
    office = open_office(100)
    office.site.late = True
    first = office.apply()
    office.clock.sleep(600)
    stop = Stop()
    stop.ask()
    assert [one.result for one in office.apply(stop=stop).outcomes] == ["not_attempted"]
    office.site.settle()
    assert office.apply().found is None
    assert {one[2] for one in listed(office)} == {first.id}


def test_a_row_that_may_have_been_sent_when_its_run_was_killed_is_ours_when_it_shows() -> None:
    office = recorded_once(100)
    office.site = Mortal(100, at=1, after=True)
    office.site.late = True
    with pytest.raises(KilledError):
        office.apply()
    run = open_run(office)
    assert [one.result for one in office.recover(run).outcomes] == ["not_attempted"]
    assert [(one.run, one.address) for one in waiting(office)] == [(run, f"membership/{SEATS}/{FIRST}")]
    office.site.settle()
    again = office.apply()
    assert again.found is None
    assert again.outcomes == ()
    assert {one[2] for one in listed(office)} == {run}
    assert waiting(office) == ()


@pytest.mark.case("F12", "E65")
def test_a_run_that_was_recovered_while_it_was_alive_throws_nothing_away_and_its_work_is_known_as_its_own() -> None:
    office = recorded_once(100, 200)
    rescuer = open_office(beside=office)
    write = office.site.write

    def recovered_first(change: Change) -> Receipt:
        office.site.write = write  # type: ignore[method-assign]
        repository(office).working.clear()  # the rescuer is on another machine
        rescuer.recover(open_run(office))
        return write(change)

    office.site.write = recovered_first  # type: ignore[method-assign]
    with pytest.raises(UnrecordedError, match="recorded by somebody else") as caught:
        office.apply()
    run = caught.value.run
    assert "says so if it is not" in caught.value.hint
    with pytest.raises(CleanupError, match="recorded already, by a recovery"):
        office.recover(run.id, run.record.files[f"runs/{run.id}/outcomes.jsonl"])
    assert len(office.site.written) == 2
    assert office.apply().found is None
    assert {one[2] for one in listed(office)} == {run.id}
    assert len(office.site.written) == 2


def test_a_defect_in_the_store_after_the_writes_loses_no_outcome() -> None:
    office = open_office(100)
    commit = office.store.commit
    calls: list[int] = []

    def second_fails(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401
        calls.append(1)
        if len(calls) == 2:
            raise ZeroDivisionError
        return commit(*args, **kwargs)

    office.store.commit = second_fails  # type: ignore[method-assign]
    with pytest.raises(UnrecordedError, match="ZeroDivisionError") as caught:
        office.apply()
    assert [one.result for one in caught.value.run.outcomes] == ["applied"]


def test_the_policies_of_a_run_are_those_of_its_beginning_whatever_is_merged_meanwhile() -> None:
    office = open_office(100)
    office.store.policies = "a" * 40  # type: ignore[attr-defined]
    read = office.site.read

    def merged_meanwhile() -> Any:  # noqa: ANN401
        office.store.policies = "b" * 40  # type: ignore[attr-defined]
        return read()

    office.site.read = merged_meanwhile  # type: ignore[method-assign]
    run = office.apply()
    assert run.plan.inputs.policy_commit == "a" * 40
    assert {one.policy_commit for one in office.entries()} == {"a" * 40}


@pytest.mark.case("E65")
def test_a_run_that_takes_long_stops_when_its_leases_are_gone() -> None:
    office = recorded_once(100, 200, 300)
    rescuer = open_office(beside=office)
    write = office.site.write

    def slow(change: Change) -> Receipt:
        office.clock.sleep(40)
        if len(office.site.written) == 1:
            repository(office).working.clear()  # the rescuer is on another machine
            rescuer.recover(open_run(office))
        return write(change)

    office.site.write = slow  # type: ignore[method-assign]
    with pytest.raises(UnrecordedError) as caught:
        office.apply()
    assert [one.result for one in caught.value.run.outcomes] == ["applied", "applied", "not_attempted"]
    assert caught.value.run.outcomes[-1].detail == ENDED


@pytest.mark.parametrize(
    ("error", "done"),
    [(StoreError("No route."), 3), (StateError("The history of origin/main was rewritten."), 2)],
)
def test_a_record_that_cannot_be_looked_at_stops_a_run_only_when_it_cannot_be_trusted(
    error: StateError, done: int
) -> None:
    office = open_office(100, 200, 300)
    assert isinstance(office.store, FakeStore)
    office.store.broken["still_has"] = [error]
    write = office.site.write

    def slow(change: Change) -> Receipt:
        office.clock.sleep(40)
        return write(change)

    office.site.write = slow  # type: ignore[method-assign]
    run = office.apply()
    assert [one.result for one in run.outcomes].count("applied") == done
    assert office.store.broken["still_has"] == []

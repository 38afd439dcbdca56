"""A run that was cut off is ended: the site decides what was done, nothing is written, nothing is done twice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import verify
from cleanup_gitops.ledger.leases import leases_of
from cleanup_gitops.model.errors import (
    ApprovalError,
    CleanupError,
    IncompleteReadingError,
    LeaseHeldError,
    LostAnswerError,
    StateError,
    StoreError,
)
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Live
from cleanup_gitops.policy.guarding import Override
from cleanup_gitops.runner.desk import UnrecordedError
from cleanup_gitops.runner.recover import NOT_SEEN, SEEN, DroppedReadingError
from tests.fake_store import FakeStore
from tests.runner.office import SEATS, Office, open_git_office, open_office
from tests.runner.test_lease import KilledError, Mortal, cut_off, kinds, repository


def open_run(office: Office) -> str:
    """The run that the lease is of."""
    (lease,) = (data for path, data in repository(office).files.items() if "/leases/" in path)
    return str(json.loads(lease)["run"])


def killed(*idle: int, at: int, after: bool = False) -> tuple[Office, Plan]:
    """An office whose apply of a saved plan was killed, and that plan."""
    office = open_office()
    office.site = Mortal(*idle, at=at, after=after)
    saved = office.plan()
    with pytest.raises(KilledError):
        office.apply(saved)
    return office, saved


def unrecorded(*idle: int, **broken: list[Any]) -> tuple[Office, Plan, bytes]:
    """An office whose apply of a saved plan could not commit its result, that plan, and the outcomes it kept."""
    office = open_office(*idle)
    assert isinstance(office.store, FakeStore)
    office.site.broken |= broken
    saved = office.plan()
    office.store.broken["commit"] = [None, StoreError("The push was refused.", "Ask for the right to push.")]
    with pytest.raises(UnrecordedError) as caught:
        office.apply(saved)
    assert caught.value.exit_code == 5
    run = caught.value.run
    assert f"cleanup-gitops recover {run.id} --outcomes FILE" in caught.value.hint
    lines = run.record.files[f"runs/{run.id}/outcomes.jsonl"]
    assert lines
    return office, saved, lines


@pytest.mark.case("F12", "E65")
@pytest.mark.parametrize("after", [False, True])
def test_a_killed_run_is_ended_by_what_the_site_shows_and_the_rest_is_done_once(after: bool) -> None:
    office, saved = killed(100, 200, 300, at=2, after=after)
    with pytest.raises(LeaseHeldError):
        office.apply(saved)
    office.clock.sleep(3600)
    found = office.recover(open_run(office))
    done = 2 if after else 1
    assert [(one.result, one.detail) for one in found.outcomes] == (
        [("applied", SEEN)] * done + [("not_attempted", NOT_SEEN)] * (3 - done)
    )
    assert [one.verified == office.clock.now() for one in found.outcomes] == [True] * done + [False] * (3 - done)
    assert found.failed
    assert not office.warned
    assert kinds(office) == ["intent", "recovery"]
    assert not any("leases/" in path for path in repository(office).files)
    assert len(office.site.written) == done
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"] * (3 - done)
    assert len(office.site.written) == 3
    with pytest.raises(ApprovalError, match="applied before"):
        office.apply(saved)


def test_the_entry_of_a_recovery_ends_the_intent_and_brings_a_snapshot() -> None:
    office, saved = killed(100, at=1, after=True)
    found = office.recover(open_run(office))
    (entry,) = office.entries()
    assert (entry.kind, entry.run, entry.serial) == ("recovery", found.intent.run, 1)
    assert entry.envelope == saved.envelope
    assert entry == found.record.entry
    assert entry.intent
    assert dict(entry.results) == {"applied": 1}
    assert not found.failed
    assert {path.rpartition("/")[2] for path in entry.digests} == {
        "approved.json", "intent.json", "manifest.json", "outcomes.jsonl", "plan.json"
    }  # fmt: skip


@pytest.mark.case("F12", "E77")
def test_a_result_that_could_not_be_committed_is_recorded_from_the_kept_outcomes() -> None:
    office, saved, lines = unrecorded(100, 200)
    found = office.recover(open_run(office), lines)
    assert [(one.result, one.detail) for one in found.outcomes] == [("applied", "")] * 2
    assert all(one.receipt for one in found.outcomes)
    assert found.record.files[f"runs/{found.intent.run}/outcomes.jsonl"] == lines
    assert len(office.site.written) == 2
    with pytest.raises(ApprovalError, match="applied before"):
        office.apply(saved)


@pytest.mark.case("E77")
def test_without_the_kept_outcomes_the_site_tells_the_same() -> None:
    office, saved, _ = unrecorded(100, 200)
    found = office.recover(open_run(office))
    assert [(one.result, one.receipt) for one in found.outcomes] == [("applied", None)] * 2
    with pytest.raises(ApprovalError, match="applied before"):
        office.apply(saved)
    assert len(office.site.written) == 2


def test_what_was_open_in_the_kept_outcomes_is_judged_again() -> None:
    office, _, lines = unrecorded(100, 200, write=[LostAnswerError("No answer"), LostAnswerError("No answer")])
    assert {json.loads(line)["result"] for line in lines.splitlines()} == {"settling"}
    office.site.happens("712020:0001", groups=(), license="none", seats=())
    office.clock.sleep(3600)
    found = office.recover(open_run(office), lines)
    assert [one.result for one in found.outcomes] == ["applied", "not_effective"]
    assert found.outcomes[0].detail == SEEN
    assert found.outcomes[1].detail.endswith(NOT_SEEN)


def test_rows_that_the_saved_plan_had_and_nobody_planned_again_stay_superseded() -> None:
    office = open_office(100, 200)
    assert isinstance(office.store, FakeStore)
    saved = office.plan()
    office.site.happens("712020:0002", license="guest")
    office.store.broken["commit"] = [None, StoreError("The push was refused.")]
    with pytest.raises(UnrecordedError) as caught:
        office.apply(saved)
    run = caught.value.run
    found = office.recover(run.id, run.record.files[f"runs/{run.id}/outcomes.jsonl"])
    assert [one.result for one in found.outcomes] == ["applied", "superseded"]


def edited(field: str, value: object) -> Callable[[bytes], bytes]:
    return lambda lines: b"".join(
        json.dumps(json.loads(line) | {field: value}).encode() + b"\n" for line in lines.splitlines()
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (edited("run", "20200101T000000Z-0"), "Line 1 of the outcomes is of another run"),
        (edited("change", "sha256:0"), "names a change that the run did not mean to make"),
        (edited("user", "712020:9999"), "says something else about the change than the plan"),
        (edited("after", {"member": True}), "says something else about the change than the plan"),
        (lambda lines: lines + lines, "Line 3 of the outcomes names a change that .* twice"),
        (lambda lines: lines[:-20], "Line 2 of the outcomes cannot be read"),
        (lambda lines: b"\xff" + lines, "Line 1 of the outcomes cannot be read"),
    ],
)
def test_outcomes_of_something_else_are_refused(wrong: Callable[[bytes], bytes], said: str) -> None:
    office, _, lines = unrecorded(100, 200)
    with pytest.raises(CleanupError, match=said) as caught:
        office.recover(open_run(office), wrong(lines))
    assert caught.value.exit_code == 1
    assert kinds(office) == ["intent"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("intent.json", b'"holder"', b'"holder" ', "is not the one that the lease names"),
        ("plan.json", b'"site": "acme"', b'"site": "evil"', "plan.json is not the one that the intent names"),
        ("plan.json", b"", None, "plan.json is not the one that the intent names"),
        ("intent.json", b"", None, "intent.json is missing"),
    ],
)
def test_an_intent_or_plan_that_does_not_fit_its_lease_is_not_trusted(
    name: str, old: bytes, new: bytes | None, said: str
) -> None:
    office = cut_off(100)
    run = open_run(office)
    path = f"acme/runs/{run}/{name}"
    data = repository(office).files.pop(path)
    if new is not None:
        assert old in data
        repository(office).files[path] = data.replace(old, new)
    with pytest.raises(StateError, match=said) as caught:
        office.recover(run)
    assert caught.value.exit_code == 3
    assert kinds(office) == ["intent"]


def test_a_lease_that_names_another_directory_than_the_intent_is_not_trusted() -> None:
    office = cut_off(100)
    files = repository(office).files
    lease = files.pop("acme/leases/default.json")
    files["acme/leases/second.json"] = lease.replace(b'"directory": "default"', b'"directory": "second"')
    with pytest.raises(StateError, match="other directories than the leases"):
        office.recover(open_run(office))


def test_a_run_that_is_not_open_is_not_recovered() -> None:
    office = cut_off(100)
    run = open_run(office)
    with pytest.raises(CleanupError, match="No run 2020 of acme is open") as caught:
        office.recover("2020")
    assert caught.value.hint == f"Open: {run}."
    office.recover(run)
    with pytest.raises(CleanupError, match=f"Run {run} of acme is recorded already, by a recovery at 2026-11-22"):
        office.recover(run)
    with pytest.raises(CleanupError, match="No run 2020 of acme is open") as caught:
        office.recover("2020")
    assert caught.value.hint.startswith("Nothing is to be recovered")


def test_a_run_that_began_just_now_is_recovered_with_a_warning() -> None:
    office = cut_off(100)
    office.clock.sleep(60 * 14)
    office.recover(open_run(office))
    assert office.warned[0].startswith("This run began only 14 min ago: run 20261122T120000Z-")


def test_a_run_whose_process_works_on_this_machine_is_left_alone() -> None:
    office = cut_off(100)
    with office.store.exclusive(), pytest.raises(LeaseHeldError):
        open_office(beside=office).recover(open_run(office))


@pytest.mark.case("E61")
def test_a_reading_that_proves_nothing_ends_no_run() -> None:
    office = cut_off(100)
    office.site.broken["read"] = [IncompleteReadingError("109 users were read but the site counts 120.")]
    with pytest.raises(IncompleteReadingError):
        office.recover(open_run(office))
    assert kinds(office) == ["intent"]


def test_after_a_recovery_there_is_no_drift_of_our_own() -> None:
    office, _ = killed(100, 10, at=1, after=True)
    office.recover(open_run(office))
    assert office.apply().found is None
    office.site.happens("712020:0002", groups=(SEATS, "g-others"))
    assert office.apply().found is not None


def short_again(office: Office) -> Callable[[], Live]:
    """From now on the lists of the site come back short; what reads them whole."""
    whole = office.site.read

    def read() -> Live:
        live = whole()
        return Live(msgspec.structs.replace(live.inventory, users=live.inventory.users[-10:]), live.people)

    office.site.read = read  # type: ignore[method-assign]
    return whole


@pytest.mark.case("F1", "F12")
def test_a_reading_that_fell_too_far_ends_no_run_and_a_later_one_does() -> None:
    office = recorded_and_killed(open_office())
    run, before = open_run(office), dict(repository(office).files)
    whole = short_again(office)
    with pytest.raises(DroppedReadingError, match=r"accounts 42 -> 10 \(77 % fewer\)") as caught:
        office.recover(run)
    assert caught.value.exit_code == 3
    assert "The run stays open." in caught.value.hint
    assert "guard: reading.max_drop" in caught.value.check.override
    assert repository(office).files == before
    office.site.read = whole  # type: ignore[method-assign]
    assert [one.result for one in office.recover(run).outcomes] == ["applied"] * 29 + ["not_attempted"]


@pytest.mark.case("F1", "F12")
def test_before_the_first_snapshot_the_plan_of_the_run_tells_how_many_there_were() -> None:
    office = open_office()
    office.site = Mortal(*[100] * 30, *[3] * 11, at=30)
    with pytest.raises(KilledError):
        office.apply()
    run, whole = open_run(office), short_again(office)
    with pytest.raises(DroppedReadingError, match=r"accounts 42 -> 10 \(77 % fewer\)"):
        office.recover(run)
    assert kinds(office) == ["intent"]
    office.site.read = whole  # type: ignore[method-assign]
    office.recover(run)
    assert kinds(office) == ["intent", "recovery"]


@pytest.mark.case("F1", "F7")
def test_an_override_lets_a_real_drop_in_and_is_recorded_with_it(tmp_path: Path) -> None:
    office = recorded_and_killed(open_git_office(tmp_path))
    short_again(office)
    until = (office.clock.now() + timedelta(days=3)).date()
    lifted = Override(
        name="real", guard="reading.max_drop", max=90, until=until, reason="reorganization", ticket="CHG-1", where="o:1"
    )
    office.under(overrides=(lifted,))
    (lease,) = leases_of(office.store.read())
    office.recover(lease.run)
    assert [entry.kind for entry in office.entries()] == ["run", "recovery", "override"]
    reason = office.entries()[-1].reason
    assert reason is not None
    assert reason.code == "real"
    assert "accounts 42 -> 10" in reason.text
    history = GitHistory(tmp_path, "acme", os.environ, branch=None)
    verdict = verify("acme", history.commits(), history.contents, oddities=history.oddities())
    assert verdict.findings == ()


def recorded_and_killed(office: Office) -> Office:
    """The office with 42 people, which was recorded; then a run that was to take 30 seats died before the last one."""
    office.site = Mortal(*[100] * 30, *[3] * 11, at=30)
    policies = office.policies.policies
    office.under(policies=())
    office.apply()
    office.under(policies=policies)
    office.clock.sleep(3600)
    with pytest.raises(KilledError):
        office.apply(office.plan())
    return office

"""What a run records beside its result: that it was void, and what others had changed."""

from __future__ import annotations

from typing import Any

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import (
    CleanupError,
    CredentialError,
    IncompleteReadingError,
    SiteError,
    StoreError,
)
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.policy.guardrails import Cap, Guardrails
from cleanup_gitops.runner.desk import BrokenGuardsError
from tests.fake_store import FakeStore
from tests.runner.office import POLICIES, SEATS, Office, open_office
from tests.runner.test_lease import kinds, repository

INCOMPLETE = IncompleteReadingError("109 users were read but the site counts 120.", "Run again.")


def under_caps(office: Office, removals: int) -> None:
    caps = {**dict(POLICIES.guardrails.caps), "membership.remove": Cap(removals)}
    office.under(guardrails=Guardrails(caps=caps))


@pytest.mark.case("E61")
@pytest.mark.parametrize(
    ("error", "code"), [(INCOMPLETE, "incomplete-reading"), (SiteError("No route."), "unreadable")]
)
def test_a_reading_that_proves_nothing_is_recorded_as_void_and_told(error: SiteError, code: str) -> None:
    office = open_office(100)
    office.site.broken["read"] = [type(error)(error.message, error.hint)]
    with pytest.raises(type(error)) as caught:
        office.apply()
    (entry,) = office.entries()
    assert entry.reason is not None
    assert (entry.kind, entry.reason.code, entry.reason.text) == ("void", code, error.message)
    assert (entry.serial, entry.lineage) == (0, "")
    assert caught.value.message == error.message
    assert f"{error.hint}\n".lstrip() in caught.value.hint
    assert "recorded: commit 00000000" in caught.value.hint
    assert office.apply().outcomes[0].result == "applied"
    assert kinds(office) == ["void", "intent", "run"]


def test_a_bad_credential_says_nothing_about_the_site_and_is_not_recorded() -> None:
    office = open_office(100)
    office.site.broken["read"] = [CredentialError("ORG_KEY is not set.")]
    with pytest.raises(CredentialError):
        office.apply()
    assert kinds(office) == []


@pytest.mark.case("E59")
def test_an_unsafe_plan_is_recorded_with_the_guards_that_it_broke() -> None:
    office = open_office(100, 200)
    under_caps(office, 1)
    with pytest.raises(BrokenGuardsError, match="recorded: commit 00000000"):
        office.apply()
    (entry,) = office.entries()
    assert entry.reason is not None
    assert (entry.reason.code, entry.reason.text) == ("unsafe-plan", "cap:membership.remove")
    assert set(entry.digests) == {f"runs/{entry.run}/plan.json"}
    assert not office.site.written


def test_a_void_run_that_cannot_be_recorded_tells_both() -> None:
    office = open_office(100)
    assert isinstance(office.store, FakeStore)
    office.site.broken["read"] = [IncompleteReadingError(INCOMPLETE.message)]
    office.store.broken["commit"] = [StoreError("The push was refused.")]
    with pytest.raises(IncompleteReadingError) as caught:
        office.apply()
    assert caught.value.message == INCOMPLETE.message
    assert caught.value.hint == "That nothing was done could not be recorded: The push was refused."


def changed(**facts: Any) -> Office:  # noqa: ANN401 - any field of a user
    """An office that was recorded once, and in which somebody then did something to one person."""
    office = open_office(10, 20)
    office.apply()
    office.site.happens("712020:0001", **facts)
    return office


def test_what_others_changed_is_recorded_apart_and_before_what_the_run_does() -> None:
    office = changed(groups=(SEATS, "g-others"))
    office.clock.sleep(86400 * 75)
    run = office.apply()
    assert kinds(office) == ["run", "drift", "intent", "run"]
    assert run.found is not None
    assert dict(run.found.entry.found) == {"membership.added": 1}
    assert run.found.commit == repository(office).commits[1].id
    assert b"712020:0001" in (repository(office).commits[1].files["groups/others.txt"] or b"")
    assert [entry.serial for entry in office.entries()] == [1, 2, 3]
    assert office.apply().found is None


def test_no_drift_is_recorded_where_nobody_did_anything() -> None:
    office = changed()
    run = office.apply()
    assert run.found is None
    assert kinds(office) == ["run", "run"]


def test_a_late_effect_of_our_own_is_no_drift() -> None:
    office = open_office(100)
    office.site.late = True
    assert office.apply().outcomes[0].result == "settling"
    office.site.settle()
    office.site.late = False
    run = office.apply()
    assert run.found is None
    assert kinds(office) == ["intent", "run", "run"]


def test_our_own_change_is_no_drift_when_the_site_could_not_be_read_after_it() -> None:
    office = open_office(100)
    write = office.site.write

    def and_then_fail(change: Change) -> Receipt:
        office.site.broken["read"] = [SiteError("No route.")]
        return write(change)

    office.site.write = and_then_fail  # type: ignore[method-assign]
    run = office.apply()
    assert (run.unread, run.outcomes[0].result) == ("No route.", "applied")
    (waiting,) = memory_of(office.store.read()).settling
    assert waiting.address == run.outcomes[0].address
    office.apply()
    assert kinds(office) == ["intent", "run", "run"]


def test_an_unsafe_plan_leaves_the_last_trusted_snapshot_as_it_is() -> None:
    office = changed(groups=(SEATS, "g-others"))
    office.clock.sleep(86400 * 85)
    under_caps(office, 0)
    with pytest.raises(BrokenGuardsError):
        office.apply()
    assert kinds(office) == ["run", "void"]
    assert memory_of(office.store.read()).serial == 1


@pytest.mark.case("E84")
def test_a_snapshot_of_another_version_is_named_with_what_differs() -> None:
    office = changed(license="guest")
    office.version = "1"
    run = office.apply()
    assert run.found is not None
    assert run.found.drift.recorded_by == "0"
    assert run.found.drift.differences[0].before == {"license": "seat"}


@pytest.mark.case("E84")
def test_a_plan_of_another_version_is_judged_row_by_row() -> None:
    office = open_office(100, 200)
    saved = office.plan()
    office.version = "1"
    office.site.happens("712020:0002", license="guest")  # as the new version may see it
    run = office.apply(saved)
    assert {one.user[-4:]: one.result for one in run.outcomes} == {"0001": "applied", "0002": "superseded"}
    assert not run.choice.not_approved


def test_a_drift_that_cannot_be_recorded_stops_the_run_before_any_write() -> None:
    office = changed(groups=(SEATS, "g-others"))
    assert isinstance(office.store, FakeStore)
    office.clock.sleep(86400 * 85)
    office.store.broken["commit"] = [StoreError("The push was refused.")]
    with pytest.raises(CleanupError, match="refused"):
        office.apply()
    assert not office.site.written
    assert kinds(office) == ["run"]

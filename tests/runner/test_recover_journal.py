"""A run that was cut off, ended from its journal: what was sent and answered is told, what was not sent is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.ledger.record import ground_of, record_intent
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import CleanupError, LostAnswerError, RefusedError, StateError
from cleanup_gitops.model.memory import Settling
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import SETTLES_WITHIN, Approval, Outcome, Receipt
from cleanup_gitops.policy.documents import Ensure, Exemption
from cleanup_gitops.policy.tree import HasSeat, InactiveFor, InGroup, Match
from cleanup_gitops.runner import Stop
from cleanup_gitops.runner.journal import Line
from cleanup_gitops.runner.recover import NOT_OURS, NOT_SENT, SEEN
from tests.fake_journal import FakeJournals
from tests.runner.office import DORMANT, Office, open_git_office, open_office
from tests.runner.test_lease import KilledError, kinds
from tests.runner.test_recover import open_run


def killed(*idle: int, at: int, durable: bool = True, **broken: list[object]) -> tuple[Office, Plan, FakeJournals]:
    """An office whose apply of a saved plan is killed at the ``at``-th line: before it is written, or right after."""
    office = open_office(*idle)
    office.site.broken |= broken  # type: ignore[arg-type]
    return _killed(office, at, durable=durable)


def _killed(office: Office, at: int, *, durable: bool) -> tuple[Office, Plan, FakeJournals]:
    left = at

    def kill(line: Line, done: bool) -> None:
        nonlocal left
        del line
        left -= done is durable
        if left == 0:
            raise KilledError

    office.journals = journals = FakeJournals(seen=kill)
    saved = office.plan()
    with pytest.raises(KilledError):
        office.apply(saved)
    journals.seen = None
    return office, saved, journals


def told(outcomes: tuple[Outcome, ...]) -> list[tuple[str, str]]:
    return [(one.result, one.detail) for one in outcomes]


@pytest.mark.case("E64", "F12")
def test_what_was_answered_is_told_with_its_receipt_and_what_was_not_sent_is_known() -> None:
    office, saved, journals = killed(100, 200, 300, at=5, durable=True)
    office.clock.sleep(60)
    found = office.recover(open_run(office))
    assert told(found.outcomes) == [("applied", ""), ("applied", SEEN), ("not_attempted", NOT_SENT)]
    first, second, _ = found.outcomes
    assert first.receipt == second.receipt == Receipt(method="FAKE", endpoint="/membership.remove", status=204)
    assert first.verified == first.at == office.clock.now() - timedelta(seconds=60)
    assert second.verified == office.clock.now()
    assert journals.files == {}
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]
    assert len(office.site.written) == 3


@pytest.mark.case("F12", "E63")
def test_what_was_sent_and_not_answered_is_read_back_and_counts_as_sent() -> None:
    office, saved, _ = killed(100, at=1, durable=True)
    found = office.recover(open_run(office))
    assert told(found.outcomes) == [("settling", "the run was cut off before an answer was noted")]
    assert found.outcomes[0].deadline == office.clock.now() + SETTLES_WITHIN["membership.remove"]
    office.clock.sleep(600)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]


@pytest.mark.case("E66")
def test_what_was_sent_and_does_not_show_past_its_deadline_is_not_effective() -> None:
    office, _, _ = killed(100, at=1, durable=True)
    office.clock.sleep(3600)
    assert [one.result for one in office.recover(open_run(office)).outcomes] == ["not_effective"]


def test_who_was_changed_by_somebody_else_while_the_run_was_dead_is_not_counted_as_ours() -> None:
    office = open_office(100, 200)
    office.under(policies=())
    office.apply()  # there is a snapshot to compare with
    office.under(policies=(DORMANT,))
    office, saved, _ = _killed(office, 3, durable=True)
    office.site.happens("712020:0002", groups=(), license="none", seats=())
    found = office.recover(open_run(office))
    assert told(found.outcomes) == [("applied", ""), ("already", NOT_OURS)]
    assert {one.user for one in found.meanwhile} == {"712020:0002"}
    with pytest.raises(CleanupError, match="applied before"):
        office.apply(saved)
    assert len(office.site.written) == 1


@pytest.mark.parametrize(
    ("error", "at", "result", "detail"),
    [
        (RefusedError("The site answered 403."), 2, "failed", "The site answered 403."),
        (LostAnswerError("No answer"), 2, "settling", "No answer: the answer was lost, and the run was cut off"),
        (RefusedError("The site answered 403."), 3, "failed", "The site answered 403."),
    ],
)
def test_what_the_site_said_instead_is_told(error: CleanupError, at: int, result: str, detail: str) -> None:
    office, _, _ = killed(100, at=at, durable=True, write=[error])
    assert told(office.recover(open_run(office)).outcomes) == [(result, detail)]


def test_a_refused_change_that_somebody_else_made_is_done_already() -> None:
    office, _, _ = killed(100, at=2, durable=True, write=[RefusedError("The site answered 409.")])
    office.site.happens("712020:0001", groups=(), license="none", seats=())
    assert told(office.recover(open_run(office)).outcomes) == [("already", SEEN)]


def test_without_its_journal_the_intent_and_the_site_decide() -> None:
    office, saved, journals = killed(100, 200, at=5, durable=True)
    journals.files.clear()
    found = office.recover(open_run(office))
    assert [one.result for one in found.outcomes] == ["applied", "applied"]
    assert [one.receipt for one in found.outcomes] == [None, None]
    with pytest.raises(CleanupError, match="applied before"):
        office.apply(saved)


def test_a_run_is_recovered_once_and_the_second_time_changes_nothing() -> None:
    office, _, journals = killed(100, 200, at=4, durable=True)
    name, kept = open_run(office), dict(journals.files)
    office.recover(name)
    journals.files |= kept  # as if its removal had failed
    before = (kinds(office), dict(office.site.read().inventory.user_by_id))
    with pytest.raises(CleanupError, match="is recorded already, by a recovery"):
        office.recover(name)
    assert before == (kinds(office), office.site.read().inventory.user_by_id)
    assert journals.files == kept


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (lambda data: data.replace(b'"site":"acme"', b'"site":"evil"'), "another run or another intent"),
        (lambda data: data.replace(b'"number":1', b'"number":9'), "the journal names change 9 otherwise"),
        (lambda data: data.replace(b"712020:0001", b"712020:0009"), "the journal names change 1 otherwise"),
        (lambda data: data.replace(b"}\n", b"\n", 1), "line 1 cannot be read"),
    ],
)
def test_a_journal_that_does_not_fit_is_not_trusted(spoiled: Callable[[bytes], bytes], said: str) -> None:
    office, _, journals = killed(100, 200, at=3, durable=True)
    name = open_run(office)
    data = journals.files[name]
    journals.files[name] = spoiled(data)
    assert journals.files[name] != data
    with pytest.raises(StateError, match=said):
        office.recover(name)
    assert kinds(office) == ["intent"]
    journals.files[name] = data[:-3]
    assert told(office.recover(name).outcomes)[0] == ("applied", SEEN)


# -- users who were changed in part ---------------------------------------------------------------

GONE = replace(
    DORMANT,
    match=Match(all=(HasSeat(wanted=True), InactiveFor(90))),
    ensure=Ensure(status="suspended", groups_absent=("confluence-users-acme",), where_groups="p:1"),
)


def begun(at: int = 3) -> tuple[Office, Plan]:
    """An office in which a user lost the seat, and the run died before it closed the account."""
    office = open_office(100, 10)
    office.under(policies=(GONE,))
    office, saved, _ = _killed(office, at, durable=True)
    assert [one.action for one in saved.changes] == ["user.disable", "membership.remove"]
    office.recover(open_run(office))
    return office, saved


@pytest.mark.case("E56", "F12")
def test_who_was_taken_out_of_the_policy_meanwhile_is_not_gone_on_with() -> None:
    """The user would be meant no longer, had the first change not been made either."""
    office = open_office(100, 10)
    office.under(policies=(replace(GONE, match=replace(GONE.match, none=(InGroup(("others",)),))),))
    office, saved, _ = _killed(office, 3, durable=True)
    office.recover(open_run(office))
    office.site.happens("712020:0001", groups=("g-others",))
    done = office.apply(saved)
    assert [(one.action, one.result) for one in done.outcomes] == [("user.disable", "superseded")]


@pytest.mark.case("E64", "F12")
def test_what_is_left_of_a_user_is_done_although_the_policy_no_longer_matches() -> None:
    office, saved = begun()
    assert office.plan().changes == ()
    done = office.apply(saved)
    assert [(one.action, one.result) for one in done.outcomes] == [("user.disable", "applied")]
    assert done.record.entry is not None
    assert done.record.entry.actions == {"user.disable": 1}
    with pytest.raises(CleanupError, match="applied before"):
        office.apply(saved)


def test_a_trial_keeps_nobody_from_going_on_with_a_user() -> None:
    office, saved = begun()
    trial = replace(GONE, name="trial", report=True, match=Match(all=(InactiveFor(90),)))
    office.under(policies=(GONE, trial))
    assert [one.reason for one in office.plan().pending] == ["report"]
    assert [(one.action, one.result) for one in office.apply(saved).outcomes] == [("user.disable", "applied")]


@pytest.mark.case("E64")
def test_a_resumed_run_that_is_killed_too_is_recovered_in_the_same_way() -> None:
    office, saved = begun()
    journals = office.journals
    assert isinstance(journals, FakeJournals)

    def kill(line: Line, durable: bool) -> None:
        del line
        if durable:
            raise KilledError

    journals.seen = kill
    with pytest.raises(KilledError):
        office.apply(saved)
    journals.seen = None
    found = office.recover(open_run(office))
    assert [(one.action, one.result) for one in found.outcomes] == [("user.disable", "settling")]
    office.clock.sleep(600)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]


def came_back(office: Office) -> None:
    office.site.happens("712020:0001", seen=office.site.read().inventory.user_by_id["712020:0002"].seen)


def protected(office: Office) -> None:
    office.site.happens("712020:0001", admin=True)


def given_back(office: Office) -> None:
    user = office.site.read().inventory.user_by_id["712020:0002"]
    office.site.happens("712020:0001", groups=user.groups, license="seat", seats=user.seats)
    came_back(office)


def other_policies(office: Office) -> None:
    office.under(digest="sha256:other")


@pytest.mark.case("E56", "E6", "F10")
@pytest.mark.parametrize("what", [came_back, protected, given_back, other_policies])
def test_nobody_is_gone_on_with_who_came_back_is_protected_or_was_given_the_seat_again(
    what: Callable[[Office], None],
) -> None:
    office, saved = begun()
    what(office)
    done = office.apply(saved)
    assert [(one.action, one.result) for one in done.outcomes] == [("user.disable", "superseded")]
    assert len(office.site.written) == 1


def test_nobody_is_gone_on_with_who_was_changed_by_somebody_else() -> None:
    office = open_office(100, 10)
    office.under(policies=(GONE,))
    office, saved, _ = _killed(office, 1, durable=False)
    office.site.happens("712020:0001", groups=(), license="none", seats=())
    found = office.recover(open_run(office))
    assert [one.result for one in found.outcomes] == ["already", "not_attempted"]
    assert [one.result for one in office.apply(saved).outcomes] == ["superseded"]
    assert not office.site.written


def test_an_exemption_that_came_meanwhile_holds_too() -> None:
    office, saved = begun()
    exemption = Exemption(
        account="712020:0001",
        reason="absence",
        owner="hr@acme.com",
        until=office.clock.now().date() + timedelta(days=9),
        ticket="HR-1",
        document="leave",
    )
    office.under(exemptions=(exemption,))
    assert [one.result for one in office.apply(saved).outcomes] == ["superseded"]


@pytest.mark.case("F12")
def test_what_an_interrupted_run_left_of_a_user_is_done_by_the_next_one() -> None:
    office = open_office(100, 10)
    office.under(policies=(GONE,))
    stop = Stop()
    before = office.site.write

    def write(change: Change) -> Receipt:
        stop.ask()
        return before(change)

    office.site.write = write  # type: ignore[method-assign]
    saved = office.plan()
    assert [one.result for one in office.apply(saved, stop).outcomes] == ["applied", "not_attempted"]
    done = office.apply(saved)
    assert [(one.action, one.result) for one in done.outcomes] == [("user.disable", "applied")]


def test_the_audit_takes_a_resumed_row_for_one_that_was_approved(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100, 10)
    office.under(policies=(GONE,))
    office, saved, _ = _killed(office, 3, durable=True)
    (lease,) = (data for path, data in office.store.read().items() if path.startswith("leases/"))
    office.recover(str(json.loads(lease)["run"]))
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]
    assert run(["-C", str(tmp_path), "audit", "verify"]) == 0


def test_an_intent_for_a_row_that_is_planned_no_more_of_somebody_who_was_not_begun_is_odd(tmp_path: Path) -> None:
    office = open_git_office(tmp_path, 100, 10)
    saved = office.plan()
    office.site.happens("712020:0001", license="guest")
    files = office.store.read()
    record = record_intent(
        ground_of("acme", files, tool_version="0"),
        plan=office.plan(),
        approval=Approval(kind="plan", by="712020:runner", at=saved.created, ref=saved.envelope),
        changes=saved.changes,
        directories=["default"],
        holder="process 1",
        time=office.clock.now(),
        approved=saved,
    )
    office.store.commit(record.files, record.subject, record.trailers)
    assert run(["-C", str(tmp_path), "audit", "verify"]) == 3


# -- later runs -----------------------------------------------------------------------------------


@pytest.mark.case("E66", "F17")
def test_a_later_plan_says_that_a_change_was_accepted_and_never_took_effect() -> None:
    office = open_office(100)
    office.site.deaf = True
    saved = office.plan()
    (first,) = office.apply(saved).outcomes
    assert (first.result, first.deadline) == ("settling", first.at + timedelta(minutes=5))
    (change,) = office.plan().changes
    assert "not effective" not in change.note
    office.clock.sleep(600)
    (late,) = office.plan().changes
    assert late.note.startswith("not effective: run 20261122T120000Z-")
    assert "sent this by 2026-11-22 12:00 UTC and it does not show" in late.note
    assert office.plan().manifest == saved.manifest
    done = office.apply(saved)
    assert done.plan.changes[0].note == late.note
    office.site.deaf = False
    office.clock.sleep(600)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied"]
    office.site.happens("712020:0001", groups=("g-seats",), license="seat")
    assert all(not one.note.startswith("not effective") for one in office.plan().changes)


def test_of_what_may_never_have_been_sent_no_plan_says_that_it_had_no_effect() -> None:
    office, _, journals = killed(100, at=1, durable=False)
    journals.files.clear()
    office.recover(open_run(office))
    office.clock.sleep(24 * 3600)
    (change,) = office.plan().changes
    assert "not effective" not in change.note


def test_lines_of_memory_without_a_deadline_are_read_as_before() -> None:
    line = b'{"after":{"member":false},"address":"membership/g/u","at":"2026-11-22T12:00:00Z","kind":"settling",'
    line += b'"run":"r","user":"u"}'
    assert msgspec.json.decode(line, type=Settling).deadline is None


def test_every_action_has_a_deadline() -> None:
    actions = {cls.action for cls in Change.__args__}
    assert set(SETTLES_WITHIN) == actions


def test_the_page_about_writes_names_the_deadlines_that_hold() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cloud-writes.md").read_text("utf-8")
    table = page.partition("## How long an effect may be missing")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    units = {"minute": timedelta(minutes=1), "minutes": timedelta(minutes=1), "hour": timedelta(hours=1)}
    told = {
        action: int(span.split()[0]) * units[span.split()[1]]
        for actions, span in rows
        for action in actions.replace("`", "").replace(",", " ").split()
    }
    assert told == dict(SETTLES_WITHIN)

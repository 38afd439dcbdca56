from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger.memory import lines_of, memory_of, with_lines
from cleanup_gitops.ledger.planfile import kept_plan_bytes, read_plan
from cleanup_gitops.ledger.record import compose, record_drift, record_run, record_void, run_id
from cleanup_gitops.model.change import (
    Change,
    change_digest,
)
from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import BLANK, Consumed, Flap, Hold, Mark, Memory, Served
from cleanup_gitops.model.run import ACCEPTED, FINISHED, Approval, Outcome, OutcomeRecord, Result
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.ledger.four_changes import (
    ADD,
    ENABLE,
    INVENTORY,
    LEDGER,
    REMOVE,
    SUSPEND,
    History,
    recorded,
)
from tests.ledger.history import VOID, after, drifted, entry_of, ground, histories, run


@given(histories())
def test_what_a_record_says_the_next_run_knows_is_what_is_read_back(history: History) -> None:
    files, records = history
    assert memory_of(files) == records[-1].memory


@given(histories())
def test_the_chain_holds_line_by_line_over_all_months(history: History) -> None:
    """Computed again with nothing but json and hashlib, as somebody does who does not trust us."""
    files, records = history
    paths = sorted(path for path in files if path.startswith("ledger/"))
    lines = [line for path in paths for line in files[path].split(b"\n")[:-1]]
    head, serial = "0" * 64, 0
    for number, line in enumerate(lines, start=1):
        entry = json.loads(line)
        assert entry["prev"] == head
        assert entry["seq"] == number
        serial += "manifest.json" in entry["digests"]
        assert entry["serial"] == serial
        assert json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == line
        head = hashlib.sha256(line).hexdigest()
        for path, digest in entry["digests"].items():
            if path != "manifest.json":  # every run writes it anew
                assert digest == f"sha256:{hashlib.sha256(files[path]).hexdigest()}"
    entries = [record.entry for record in records if record.entry]
    assert len(lines) == len(entries)
    assert records[-1].trailers["Ledger-Head"] == f"sha256:{head}"
    assert len({entry.run for entry in entries}) == len(entries)
    born = next(entry for entry in entries if entry.kind in ("run", "rollback"))
    assert {entry.lineage for entry in entries if entry.serial} == {born.envelope}


@given(some.inventories(), st.data())
def test_the_same_run_is_recorded_in_the_same_bytes(inventory: Inventory, data: st.DataObject) -> None:
    plan = data.draw(some.plans(inventory, BLANK))
    outcomes = data.draw(some.outcomes_for(plan))
    assert run({}, plan, outcomes, inventory) == run({}, plan, outcomes, inventory)


@pytest.mark.case("E58")
@given(some.inventories())
def test_a_run_with_nothing_to_do_changes_the_manifest_and_the_ledger_and_nothing_else(
    inventory: Inventory,
) -> None:
    first = run({}, some.plan_of(inventory, []), [], inventory)
    before = after({}, first)
    plan = some.plan_of(inventory, [], memory=first.memory, created=some.AS_OF + timedelta(days=1))
    record = run(before, plan, [], inventory, some.AS_OF + timedelta(days=1))
    folder = f"runs/{entry_of(record).run}"
    assert record.files.keys() == {
        "manifest.json",
        "ledger/2026-11.jsonl",
        f"{folder}/plan.json",
        f"{folder}/outcomes.jsonl",
    }
    assert record.subject == f"acme: nothing to do, {len(inventory.users)} accounts evaluated"
    assert record.trailers["Actions"] == "none"
    assert entry_of(record).seq == 2
    assert entry_of(record).state == entry_of(first).state


@given(histories(least=2))
def test_only_what_changed_is_written_and_what_is_gone_is_deleted(history: History) -> None:
    _, records = history
    files: dict[str, bytes] = {}
    for record in records:
        for path, data in record.files.items():
            assert files.get(path) != data
        files = after(files, record)
    shown = [row for row in msgspec.json.decode(files["manifest.json"])["groups"] if row["file"]]
    assert {path for path in files if path.startswith("groups/")} == {row["file"] for row in shown}


def test_an_entry_says_who_did_what_with_which_approval_on_which_policies() -> None:
    record = recorded({REMOVE: "applied", ADD: "failed", SUSPEND: "applied", ENABLE: "superseded"})
    entry = entry_of(record)
    assert entry.actions == {"membership.remove": 1, "user.disable": 1}
    assert entry.results == {"applied": 2, "failed": 1, "superseded": 1}
    assert entry.approval == Approval(kind="plan", by="712020:approver", at=some.AS_OF, ref=entry.envelope)
    assert entry.accounts == 4
    assert entry.lineage == entry.envelope
    assert (entry.seq, entry.serial, entry.prev) == (1, 1, "0" * 64)
    assert entry.state == msgspec.json.decode(record.files["manifest.json"] or b"")["state"]
    assert record.subject == "acme: 1 suspended, 1 membership removed, 1 failed, 1 superseded"
    assert record.trailers == {
        "Run-Id": entry.run,
        "Site": "acme",
        "Kind": "run",
        "Policy-Commit": "none",
        "Plan-Digest": entry.plan,
        "Approved-by": "712020:approver",
        "Accounts-Evaluated": "4",
        "Actions": "membership.remove=1 user.disable=1",
        "Ledger-Head": f"sha256:{record.memory.head}",
        "State-Digest": entry.state,
    }


def test_plan_and_outcomes_of_a_run_are_kept_as_they_were() -> None:
    record = recorded({REMOVE: "applied", SUSPEND: "failed"})
    folder = f"runs/{entry_of(record).run}"
    plan = read_plan(record.files[f"{folder}/plan.json"] or b"")
    assert plan.envelope == entry_of(record).envelope
    lines = (record.files[f"{folder}/outcomes.jsonl"] or b"").splitlines()
    found = [msgspec.json.decode(line, type=Outcome) for line in lines]
    assert found == [some.outcome_of(SUSPEND, "failed"), some.outcome_of(REMOVE, "applied")]


def test_a_recorded_outcome_says_by_itself_who_did_what_when_why_and_who_allowed_it() -> None:
    record = recorded({REMOVE: "applied"})
    entry = entry_of(record)
    (line,) = (record.files[f"runs/{entry.run}/outcomes.jsonl"] or b"").splitlines()
    one = msgspec.json.decode(line, type=OutcomeRecord)
    assert (one.number, one.run, one.site, one.actor) == (1, entry.run, "acme", "712020:runner")
    assert (one.user, one.action, one.at) == ("712020:0", "membership.remove", some.AS_OF)
    assert (one.before, one.after) == (REMOVE.before, REMOVE.after)
    assert one.approval == entry.approval
    assert (one.plan, one.policy_commit, one.tool_version) == (entry.plan, entry.policy_commit, "0.1.0")
    assert one.receipt
    assert one.verified == some.AS_OF


@pytest.mark.parametrize(
    ("results", "subject"),
    [
        ({REMOVE: "applied"}, "acme: 1 membership removed, 0 failed"),
        ({ADD: "applied", ENABLE: "applied"}, "acme: 1 opened again, 1 membership added, 0 failed"),
        ({REMOVE: "superseded"}, "acme: 0 changed, 0 failed, 1 superseded"),
        (
            {REMOVE: "failed", SUSPEND: "not_attempted", ADD: "not_effective"},
            "acme: 0 changed, 1 failed, 1 not effective, 1 not attempted",
        ),
        ({SUSPEND: "settling", ADD: "already"}, "acme: 0 changed, 0 failed, 1 settling, 1 already"),
    ],
)
def test_the_subject_counts_what_became_of_the_changes(results: dict[Change, Result], subject: str) -> None:
    assert recorded(results).subject == subject


@pytest.mark.case("F11")
def test_rows_that_are_finished_are_spent_under_their_approval() -> None:
    results: dict[Change, Result] = {
        REMOVE: "applied",
        ADD: "failed",
        SUSPEND: "not_attempted",
        ENABLE: "already",
    }
    record = recorded(results)
    rows = tuple(sorted(change_digest(one) for one, r in results.items() if r in FINISHED))
    assert record.memory.consumed == (Consumed(envelope=entry_of(record).envelope, at=some.AS_OF, rows=rows),)


@pytest.mark.case("F11")
def test_a_second_run_under_one_approval_adds_to_what_is_spent() -> None:
    first = recorded({REMOVE: "applied", SUSPEND: "failed"})
    before = after({}, first)
    plan = some.plan_of(INVENTORY, [REMOVE, SUSPEND])
    retried = [some.outcome_of(SUSPEND, "applied")]
    second = run(before, plan, retried, INVENTORY, some.AS_OF + timedelta(hours=1))
    assert entry_of(second).envelope == entry_of(first).envelope
    (spent,) = second.memory.consumed
    assert set(spent.rows) == {change_digest(REMOVE), change_digest(SUSPEND)}


@pytest.mark.case("F11")
def test_what_a_saved_plan_allowed_is_spent_under_its_envelope_and_kept_beside_the_new_plan() -> None:
    approved = some.plan_of(INVENTORY, [REMOVE, SUSPEND], created=some.AS_OF - timedelta(hours=9))
    made_now = some.plan_of(INVENTORY, [REMOVE])
    record = record_run(
        ground({}),
        plan=made_now,
        outcomes=[some.outcome_of(REMOVE, "applied")],
        approval=some.approval_of(approved),
        inventory=INVENTORY,
        time=some.AS_OF,
        approved=approved,
    )
    assert entry_of(record).envelope == record.memory.lineage == approved.envelope
    assert record.memory.consumed == (
        Consumed(envelope=approved.envelope, at=some.AS_OF, rows=(change_digest(REMOVE),)),
    )
    folder = f"runs/{entry_of(record).run}"
    assert record.files[f"{folder}/approved.json"] == kept_plan_bytes(approved)
    assert record.files[f"{folder}/plan.json"] == kept_plan_bytes(made_now)
    assert f"{folder}/approved.json" in entry_of(record).digests
    assert memory_of(after({}, record)) == record.memory


@pytest.mark.parametrize("result", sorted(ACCEPTED))
def test_whatever_the_site_accepted_counts_for_the_caps_to_come(result: Result) -> None:
    record = recorded({REMOVE: result})
    (applied,) = record.memory.applied
    assert (applied.run, applied.at) == (entry_of(record).run, some.AS_OF)
    assert applied.actions == {"membership.remove": 1}


@pytest.mark.parametrize("result", ["already", "superseded", "failed", "not_attempted"])
def test_what_the_site_did_not_do_counts_for_no_cap(result: Result) -> None:
    assert recorded({REMOVE: result}).memory.applied == ()


def test_after_thirty_days_memory_forgets() -> None:
    before = after({}, recorded({REMOVE: "applied"}))
    assert "memory.jsonl" in before
    on_time = recorded({}, before, some.AS_OF + timedelta(days=30))
    assert (len(on_time.memory.applied), len(on_time.memory.consumed)) == (1, 1)
    later = recorded({}, before, some.AS_OF + timedelta(days=30, seconds=1))
    assert (later.memory.applied, later.memory.consumed) == ((), ())
    assert later.files["memory.jsonl"] is None


def test_runs_are_named_by_time_and_envelope_and_sort_by_time() -> None:
    early = run_id(datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC), "sha256:ffffffff00")
    late = run_id(datetime(2026, 11, 22, 9, 15, tzinfo=UTC), "sha256:0123456789")
    assert late == "20261122T091500Z-01234567"
    assert early < late


def test_two_runs_in_one_second_have_two_names() -> None:
    first = recorded({REMOVE: "failed"})
    second = recorded({REMOVE: "failed"}, after({}, first))
    plan = some.plan_of(INVENTORY, [REMOVE])
    third = run(after({}, first), plan, [], INVENTORY)
    assert re.fullmatch(r"20261122T091500Z-[0-9a-f]{8}", entry_of(first).run)
    assert entry_of(third).run == f"{entry_of(first).run}-2"
    assert entry_of(second).run != entry_of(first).run


def test_a_clock_that_went_back_does_not_reopen_an_older_month() -> None:
    before = after({}, recorded({}))
    record = recorded({}, before, some.AS_OF - timedelta(days=60))
    assert "ledger/2026-11.jsonl" in record.files
    assert memory_of(after(before, record)) == record.memory


def test_the_chain_goes_on_in_the_next_month() -> None:
    before = after({}, recorded({}))
    record = recorded({}, before, some.AS_OF + timedelta(days=30))
    assert "ledger/2026-11.jsonl" not in record.files
    files = after(before, record)
    assert len(files["ledger/2026-12.jsonl"].splitlines()) == 1
    assert memory_of(files) == record.memory
    assert entry_of(record).prev == hashlib.sha256(files["ledger/2026-11.jsonl"].rstrip(b"\n")).hexdigest()


def test_an_approver_cannot_add_lines_to_the_commit_message() -> None:
    plan = some.plan_of(INVENTORY, [])
    record = record_run(
        ground({}),
        plan=plan,
        outcomes=[],
        approval=some.approval_of(plan, by="a\nKind: other"),
        inventory=INVENTORY,
        time=some.AS_OF,
    )
    assert record.trailers["Approved-by"] == "a Kind: other"


def test_before_the_first_run_nothing_is_known() -> None:
    assert memory_of({}) == BLANK


def test_a_void_run_leaves_its_reason_and_changes_no_state() -> None:
    before = after({}, recorded({REMOVE: "applied"}))
    known = ground(before).memory
    record = record_void(ground(before), reason=VOID, time=some.AS_OF + timedelta(hours=1))
    entry = entry_of(record)
    assert (entry.kind, entry.reason, entry.serial, entry.seq) == ("void", VOID, known.serial, known.sequence + 1)
    assert (entry.state, entry.accounts, entry.digests) == (known.state, 0, {})
    assert record.files.keys() == {LEDGER}
    assert record.subject == "acme: void, nothing was done: incomplete reading"
    assert record.trailers["Kind"] == "void"
    assert memory_of(after(before, record)) == record.memory
    assert record.memory.applied == known.applied


def test_a_void_run_may_be_the_first_record_and_begets_no_lineage() -> None:
    record = record_void(ground({}), reason=VOID, time=some.AS_OF)
    files = after({}, record)
    assert (record.memory.lineage, record.memory.serial, record.memory.baseline) == ("", 0, None)
    plan = some.plan_of(INVENTORY, [REMOVE], memory=memory_of(files))
    later = run(files, plan, [some.outcome_of(REMOVE, "applied")], INVENTORY)
    assert (later.memory.lineage, later.memory.serial, later.memory.sequence) == (plan.envelope, 1, 2)


def test_an_unsafe_plan_is_kept_with_the_void_run() -> None:
    plan = some.plan_of(INVENTORY, [REMOVE])
    record = record_void(ground({}), reason=VOID, time=some.AS_OF, plan=plan)
    entry = entry_of(record)
    assert (entry.plan, entry.accounts) == (plan.digest, 4)
    assert list(entry.digests) == [f"runs/{entry.run}/plan.json"]


def test_drift_comes_with_the_snapshot_as_it_was_found() -> None:
    before = after({}, recorded({REMOVE: "applied"}))
    grown = msgspec.structs.replace(
        INVENTORY, users=(*INVENTORY.users, User(id="712020:new", directory="default")), proof=some.proof_of(5, 1)
    )
    record = drifted(before, grown, some.AS_OF + timedelta(hours=1))
    entry = entry_of(record)
    assert (entry.kind, entry.found, entry.serial, entry.accounts) == ("drift", {"user.appeared": 1}, 2, 5)
    assert record.subject == "acme: not by us: 1 account appeared"
    assert record.trailers["Found"] == "user.appeared=1"
    assert record.memory.baseline is not None
    assert record.memory.baseline.accounts == 5
    assert record.memory.baseline.members == {"g-1": 4}
    assert memory_of(after(before, record)) == record.memory


def test_a_second_record_of_the_same_reading_is_the_one_that_a_new_snapshot_gives() -> None:
    at = some.AS_OF + timedelta(hours=1)
    first = ground({}).after(recorded({REMOVE: "applied"}))
    plan = some.plan_of(INVENTORY, [], memory=first.memory, created=at)
    again, anew = (
        record_run(one, plan=plan, outcomes=[], approval=some.approval_of(plan), inventory=INVENTORY, time=at)
        for one in (first, msgspec.structs.replace(first, shown=None))
    )
    assert first.shown is INVENTORY
    assert again == anew


@pytest.mark.parametrize("result", ["settling", "not_effective"])
def test_what_the_site_accepted_and_did_not_show_is_remembered_until_it_is_seen(result: Result) -> None:
    before = after({}, recorded({REMOVE: result}))
    (waiting,) = memory_of(before).settling
    assert (waiting.address, waiting.user, waiting.after) == (REMOVE.address, "712020:0", REMOVE.after)
    again = recorded({REMOVE: "already"}, before, some.AS_OF + timedelta(hours=1))
    assert again.memory.settling == ()
    late = Difference(address=REMOVE.address, what="membership.removed", run=waiting.run)
    seen = record_drift(
        ground(before),
        drift=Drift(
            site="acme", serial=1, since=some.AS_OF, as_of=some.AS_OF, recorded_by="0.1.0", differences=(late,)
        ),
        inventory=INVENTORY,
        time=some.AS_OF + timedelta(hours=1),
    )
    assert seen.memory.settling == ()
    assert entry_of(seen).found == {}
    assert seen.subject == "acme: effects of an earlier run of ours, seen late"


REMEMBERED = (
    Mark(user="712020:0", policy="dormant", episode=1, stage="notice", entered=some.AS_OF, done=some.AS_OF),
    Mark(user="712020:0", policy="dormant", episode=1, stage="suspend", entered=some.AS_OF),
    Hold(user="712020:1", policy="dormant", until=(some.AS_OF + timedelta(days=14)).date(), why="restored"),
    Flap(user="712020:1", policy="dormant", days=(some.AS_OF.date(),)),
)


def test_marks_holds_and_flaps_are_read_back_and_a_hold_ends_after_its_last_day() -> None:
    first = compose(
        ground({}), kind="run", run="r-1", time=some.AS_OF, files={}, seen=(INVENTORY, REMEMBERED), lineage="sha256:1"
    )
    files = after({}, first)
    known = memory_of(files)
    assert (known.marks, known.holds, known.flaps) == (REMEMBERED[:2], REMEMBERED[2:3], REMEMBERED[3:])
    on_its_last_day = recorded({}, files, some.AS_OF + timedelta(days=14))
    assert on_its_last_day.memory.holds == REMEMBERED[2:3]
    a_day_later = recorded({}, files, some.AS_OF + timedelta(days=15))
    assert a_day_later.memory.holds == ()
    assert a_day_later.memory.marks == REMEMBERED[:2]


def test_a_memory_is_made_of_its_lines() -> None:
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    full = msgspec.structs.replace(
        BLANK,
        marks=(Mark(user="a", policy="p", episode=1, stage="s", entered=at),),
        holds=(Hold(user="a", policy="p", until=at.date(), why="restored"),),
        served=(Served(policy="p", at=at),),
    )
    assert with_lines(full, lines_of(full)) == full
    kinds = {name for name in Memory.__struct_fields__ if isinstance(getattr(BLANK, name), tuple)}
    everything: dict[str, tuple[object, ...]] = {name: (name,) for name in kinds}
    assert {str(one) for one in lines_of(msgspec.structs.replace(BLANK, **everything))} == kinds

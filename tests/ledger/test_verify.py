"""A record that was made anew, cut, moved or added to does not fit itself any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.digests import hashes_of, parts_of, state_digest_of
from cleanup_gitops.ledger.record import Record, intent_bytes, lease_bytes, record_drift, record_run
from cleanup_gitops.ledger.subjects import intent_trailers, trailers_of
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.memory import Flap, Hold, Noticed
from cleanup_gitops.model.plan import Check
from cleanup_gitops.model.run import Kind, LedgerEntry, Origin, OutcomeRecord, Reason, Result
from cleanup_gitops.views.verdict import render_json, render_text
from tests import strategies as some
from tests.ledger.verified import RUNNER, START, Chronicle, Recorded, chronicle, inventory, leave, suspend

EMPTY, DRIFT, BEGUN, RUN, BEGUN_AGAIN, RECOVERY, VOID = 1, 2, 3, 4, 5, 6, 7
"""Where the commits of the small history stand."""


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return chronicle().records


@st.composite
def chronicles(draw: st.DrawFn) -> Chronicle:
    """Some days of some records of all sorts."""
    made = Chronicle()
    for _ in range(draw(st.integers(1, 6))):
        found = inventory(*draw(st.sets(st.sampled_from(["u1", "u2", "u3"]))), at=made.time)
        what = draw(st.sampled_from(["run", "run", "recovery", "void", "override", "drift"]))
        if what == "void":
            made.void(made.plan([suspend("u1")], found) if draw(st.booleans()) else None)
        elif what == "override":
            plan = made.plan([suspend("u1")], found)
            check = Check(name="cap:total", passed=True, message="1 planned", lifted=("first",))
            made.lift(msgspec.structs.replace(plan, checks=(check,)) if draw(st.booleans()) else None)
        elif what == "drift" and made.ground.memory.serial:
            made.drift(found)
        else:
            changes = draw(st.sampled_from([[], [suspend("u1")], [suspend("u1"), leave("u2")]]))
            results: st.SearchStrategy[Result] = st.sampled_from(["applied", "failed", "settling", "superseded"])
            kind: Kind = "recovery" if what == "recovery" and changes else "run"
            made.run(changes, found, result=draw(results), kind=kind, saved=draw(st.booleans()))
        made.wait(hours=draw(st.sampled_from([0, 1, 24, 24 * 9, 24 * 31])))
    return made


@given(chronicles())
def test_a_history_that_nobody_touched_is_whole(made: Chronicle) -> None:
    verdict = Recorded(made.records).verdict()
    assert verdict.findings == ()
    assert verdict.commits == len(made.records) == verdict.entries + verdict.intents
    assert verdict.head == (f"sha256:{made.ground.memory.head}")
    assert verdict.open_runs == ()


def test_a_drift_that_only_remembers_what_others_undid_before_is_whole_and_says_so() -> None:
    made = chronicle()
    made.wait(hours=1)
    hold = Hold(user="u1", policy="dormant", until=made.time.date() + timedelta(days=14), why="restored", run="r-1")
    flap = Flap(user="u1", policy="dormant", days=(made.time.date(),))
    nothing = Drift(
        site="acme",
        serial=made.ground.memory.serial,
        since=made.time,
        as_of=made.time,
        recorded_by="0.1.0",
        differences=(),
    )
    found, undone = inventory("u1", at=made.time), Noticed(holds=(hold,), flaps=(flap,))
    record = made.add(record_drift(made.ground, drift=nothing, inventory=found, time=made.time, noticed=undone))
    assert record.subject == "acme: holds for what others undid"
    assert (record.memory.holds, record.memory.flaps) == ((hold,), (flap,))
    assert Recorded(made.records).verdict().findings == ()


def whats(recorded: Recorded) -> str:
    return "; ".join(f"{one.where} {one.what}" for one in recorded.verdict().findings)


def _drop(at: int) -> Callable[[Recorded], None]:
    def tamper(recorded: Recorded) -> None:
        del recorded.commits[at]

    return tamper


def _swap(at: int) -> Callable[[Recorded], None]:
    def tamper(recorded: Recorded) -> None:
        commits = recorded.commits
        commits[at], commits[at + 1] = commits[at + 1], commits[at]

    return tamper


def _repeat(at: int) -> Callable[[Recorded], None]:
    def tamper(recorded: Recorded) -> None:
        recorded.commits.insert(at + 1, recorded.commits[at])

    return tamper


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("tamper", [_drop, _swap, _repeat])
def test_commits_that_are_left_out_moved_or_repeated_are_found(
    records: list[Record], tamper: Callable[[int], Callable[[Recorded], None]], number: int
) -> None:
    recorded = Recorded(records)
    tamper(number)(recorded)
    assert not recorded.verdict().whole


def test_a_link_in_place_of_a_file_is_found(records: list[Record]) -> None:
    recorded = Recorded(records)
    recorded.commits[EMPTY] = msgspec.structs.replace(recorded.commits[EMPTY], odd=("manifest.json",))
    assert [(one.where, one.what) for one in recorded.verdict().findings] == [("manifest.json", "is no plain file")]


def test_what_an_earlier_run_recorded_is_never_touched_again(records: list[Record]) -> None:
    (path,) = (one for one in records[RUN].files if one.endswith("outcomes.jsonl"))
    for data in (b"", None):
        recorded = Recorded(records)
        recorded.edit(8, path, data)
        assert "was changed or deleted after it was recorded" in whats(recorded)


def test_a_month_of_the_ledger_cannot_be_lost(records: list[Record]) -> None:
    recorded = Recorded(records)
    recorded.edit(RECOVERY, "ledger/2026-11.jsonl", None)
    assert "the ledger lost a month" in whats(recorded)


def ledger_of(record: Record) -> str:
    return max(layout.ledger_files(record.files))


def rechained(records: Sequence[Record], number: int, change: Callable[[LedgerEntry], LedgerEntry]) -> Recorded:
    """One entry made anew, and all lines and messages after it, as whoever may rewrite the branch would."""
    recorded = Recorded(records)
    head, months = chain.GENESIS, dict[str, bytes]()
    for at, record in enumerate(records):
        if record.entry is None:
            if at > number:
                recorded.say(at, Ledger_Head=f"sha256:{head}")
            continue
        entry = change(record.entry) if at == number else record.entry
        if at > number:
            entry = msgspec.structs.replace(entry, prev=head)
        line = chain.line_of(entry)
        head, path = chain.link(line), ledger_of(record)
        months[path] = months.get(path, b"") + line + b"\n"
        recorded.edit(at, path, months[path])
        recorded.commits[at] = msgspec.structs.replace(recorded.commits[at], trailers=trailers_of(entry, head))
    return recorded


def test_chaining_anew_without_a_change_changes_nothing(records: list[Record]) -> None:
    recorded = rechained(records, EMPTY, lambda entry: entry)
    assert recorded.verdict() == Recorded(records).verdict()


OTHER = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("number", "fields", "word"),
    [
        (RUN, {"results": {"applied": 3}}, "as many results"),
        (RUN, {"actions": {"user.disable": 2}}, "as many results"),
        (RUN, {"seq": 9}, "has number 9 where 4 follows"),
        (RUN, {"serial": 9}, "has serial 9"),
        (RUN, {"lineage": OTHER}, "another lineage"),
        (EMPTY, {"lineage": OTHER}, "another lineage"),
        (RUN, {"plan": OTHER}, "is not the plan"),
        (RUN, {"plan": OTHER}, "something else than the intent"),
        (RUN, {"envelope": OTHER}, "no plan of the run has the envelope"),
        (RUN, {"approval": None}, "without plan, envelope or approval"),
        (RUN, {"accounts": 99}, "something else than the ledger about site, accounts or policies"),
        (RUN, {"policy_commit": "abc"}, "something else than the ledger about site, accounts or policies"),
        (RUN, {"tool_version": "9.9"}, "another version than the ledger says"),
        (RUN, {"state": OTHER}, "are not those that the ledger names"),
        (RUN, {"parts": {}}, "accounts, groups, memory are not those that the ledger names"),
        (RUN, {"snapshot": OTHER}, "is not the one that the ledger names as in force"),
        (RUN, {"digests": {}}, "is named by no ledger entry"),
        (RUN, {"digests": {}}, "came with the intent and is not named"),
        (RUN, {"digests": {}}, "outcomes.jsonl is missing: every run has it"),
        (RUN, {"digests": {}}, "manifest.json is missing: every run ends with a snapshot"),
        (RUN, {"site": "other"}, "another site"),
        (RUN, {"prev": "0" * 64}, "line before it"),
        (RUN, {"time": START - timedelta(days=1)}, "older"),
        (RUN, {"time": START + timedelta(days=31)}, "another month"),
        (RUN, {"time": (START + timedelta(days=3)).replace(tzinfo=None)}, "is not a ledger entry"),
        (RUN, {"time": (START + timedelta(days=3)).astimezone(timezone(timedelta(hours=1)))}, "is not in UTC"),
        (RUN, {"time": START + timedelta(days=2, seconds=-290)}, "before its beginning"),
        (RUN, {"run": "r-1"}, "something else than the intent about run"),
        (RUN, {"intent": ""}, "another record while run"),
        (RUN, {"intent": OTHER}, "another record while run"),
        (RUN, {"kind": "drift"}, "claims to have carried out something"),
        (RUN, {"kind": "void"}, "void entry without a reason"),
        (RUN, {"kind": "roll-over"}, "is a roll-over that is not the first entry"),
        (RUN, {"origin": Origin(commit="0" * 40, head=OTHER)}, "an origin without a roll-over"),
        (RUN, {"reason": Reason(code="a", text="b")}, "a run entry with a reason"),
        (RUN, {"found": {"user.vanished": 1}}, "counts differences"),
        (EMPTY, {"intent": OTHER}, "ends an intent that is not there"),
        (EMPTY, {"kind": "recovery"}, "a recovery that ends no run"),
        (DRIFT, {"kind": "void"}, "drift.jsonl belongs to no entry of kind void"),
        (DRIFT, {"kind": "override"}, "manifest.json belongs to no entry of kind override"),
        (VOID, {"kind": "drift"}, "plan.json belongs to no entry of kind drift"),
        (DRIFT, {"found": {"user.appeared": 2}}, "as many differences"),
        (DRIFT, {"accounts": 7}, "counts other accounts"),
        (DRIFT, {"serial": 1}, "has serial 1"),
        (VOID, {"left": {"soak": 1}}, "claims to have carried out something"),
        (VOID, {"serial": 5}, "has serial 5"),
        (VOID, {"run": "r-1"}, "is named by the entry of another run"),
        (VOID, {"plan": ""}, "is named by the entry and not there, or the other way round"),
        (VOID, {"reason": None}, "void entry without a reason"),
        (0, {"lineage": OTHER}, "another lineage"),
        (0, {"seq": 2}, "has number 2 where 1 follows"),
        (0, {"prev": "1" * 64}, "line before it"),
        (0, {"format": 2}, "ledger format 2"),
    ],
)
def test_an_entry_that_was_chained_anew_must_still_fit_everything_else(
    records: list[Record], number: int, fields: dict[str, Any], word: str
) -> None:
    assert word in whats(rechained(records, number, lambda entry: msgspec.structs.replace(entry, **fields)))


@pytest.mark.parametrize(("seconds", "good"), [(300, True), (301, False)])
def test_clocks_of_two_machines_may_differ_a_little(seconds: int, good: bool) -> None:
    made = Chronicle()
    made.run([], inventory("u1", at=made.time))
    made.wait(seconds=-seconds)
    made.void()
    assert Recorded(made.records).verdict().whole == good


def test_what_others_did_during_a_run_is_listed_and_counted() -> None:
    made = Chronicle()
    made.run([], inventory("u1", "u2", at=made.time))
    ours = Difference(address="user/u9", what="user.vanished", user="u9", run="r-1")
    theirs = Difference(address="user/u2", what="user.vanished", user="u2")
    made.run([suspend("u1")], inventory("u1", at=made.time), differences=(ours, theirs))
    assert Recorded(made.records).verdict().whole
    miscounted = rechained(made.records, 2, lambda entry: msgspec.structs.replace(entry, found={}))
    assert "as many differences as the ledger counts" in whats(miscounted)


def test_a_record_needs_a_name_of_its_own() -> None:
    """Else a plan that nobody approved could be put beside an earlier run, by a commit that only adds."""
    made = Chronicle()
    made.run([], inventory("u1"))
    made.wait(days=1)
    made.void()
    run = made.records[0].trailers["Run-Id"]
    path = f"runs/{run}/approved.json"
    digests = {path: sha256(b"{}")}
    recorded = rechained(made.records, 1, lambda entry: msgspec.structs.replace(entry, run=run, digests=digests))
    recorded.edit(1, path, b"{}")
    shown = whats(recorded)
    assert f"has the name of an earlier record, {run}" in shown
    assert f"{path} belongs to no entry of kind void" in shown


PLAN_FILE = "runs/20261124T091800Z-bcf9b0b0/plan.json"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, ""),
        ({"run": "r-9"}, "is not where the intent of this run belongs"),
        ({"site": "other"}, "is about another site, other"),
        ({"serial": 9}, "was not made on the state that was recorded then"),
        ({"lineage": OTHER}, "was not made on the state that was recorded then"),
        ({"directories": ()}, "and this one names none"),
        ({"digests": {"manifest.json": OTHER}}, "manifest.json is named by the intent and no plan of its run"),
        ({"digests": {PLAN_FILE: OTHER}}, "plan.json is not the file that the intent names"),
        (
            {"digests": {PLAN_FILE.replace("plan", "approved"): OTHER}},
            "is named by the intent but not part of the commit",
        ),
        ({"digests": {}}, "plan.json does not belong to an intent"),
        ({"plan": OTHER}, "something else than its plan about digest, site or policies"),
        ({"policy_commit": "abc"}, "something else than its plan about digest, site or policies"),
        ({"envelope": OTHER}, "is approved under an envelope that no plan beside it has"),
        ({"changes": ()}, "does not name changes that stand in every plan beside it"),
        ({"changes": (OTHER,)}, "does not name changes that stand in every plan beside it"),
    ],
)
def test_an_intent_that_was_made_anew_must_still_fit_its_plan_and_the_record(
    records: list[Record], fields: dict[str, Any], word: str
) -> None:
    begun = records[BEGUN]
    assert begun.intent
    intent = msgspec.structs.replace(begun.intent, **fields)
    data = intent_bytes(intent)
    path = next(one for one in begun.files if one.endswith(layout.INTENT))
    leases = {layout.lease_file(one): lease_bytes(intent, one, sha256(data)) for one in intent.directories}
    kept = {one: stored for one, stored in begun.files.items() if not one.startswith(layout.LEASES)}
    trailers = intent_trailers(intent, sha256(data), begun.memory)
    made = msgspec.structs.replace(begun, files={**kept, **leases, path: data}, trailers=trailers)
    shown = whats(Recorded([*records[:BEGUN], made]))
    assert (word in shown) if word else (shown == "")


def test_an_intent_needs_a_name_of_its_own() -> None:
    made = Chronicle()
    made.run([], inventory("u1"))
    earlier = made.records[0].trailers["Run-Id"]
    begun = made.begin(made.plan([suspend("u1")], inventory("u1")))
    path = next(one for one in begun.files if one.endswith("intent.json"))
    data = (begun.files[path] or b"").replace(begun.trailers["Run-Id"].encode(), earlier.encode())
    recorded = Recorded(made.records)
    recorded.edit(1, path, data)
    assert f"has the name of an earlier record, {earlier}" in whats(recorded)


@pytest.mark.parametrize("name", ["notes.txt", "deep/plan.json"])
def test_a_file_of_no_known_sort_is_found_although_its_entry_names_it(records: list[Record], name: str) -> None:
    path = layout.run_file(records[RUN].trailers["Run-Id"], name)
    assert f"{path} has no place in a record" in whats(with_run_file(records, path, b"{}\n"))


def anew(records: list[Record], number: int, path: str, data: bytes) -> str:
    """What is found when a file of the state or the manifest is another one, and its entry and message say so."""
    before = Recorded(records)
    state = {
        one: before.contents[name]
        for commit in before.commits[: number + 1]
        for one, name in commit.changed.items()
        if name
    }
    hashes = hashes_of(state | {path: data})
    manifest = {layout.MANIFEST: f"sha256:{hashes[layout.MANIFEST]}"}

    def change(entry: LedgerEntry) -> LedgerEntry:
        fields: dict[str, Any] = {"state": state_digest_of(hashes), "parts": parts_of(hashes)}
        if layout.MANIFEST in entry.digests:
            fields |= {"snapshot": manifest[layout.MANIFEST], "digests": entry.digests | manifest}
        return msgspec.structs.replace(entry, **fields)

    made = rechained(records, number, change)
    made.edit(number, path, data)
    return whats(made)


def test_memory_does_not_change_quietly_with_a_record_that_brings_no_snapshot(records: list[Record]) -> None:
    shown = anew(records, VOID, layout.MEMORY, b"")
    assert "accounts, groups, memory changed without a snapshot" in shown
    assert "memory.jsonl is named by no ledger entry" in shown


@pytest.mark.parametrize(
    ("path", "change", "word"),
    [
        ("manifest.json", lambda data: data.replace(b" ", b"  ", 1), "is not in the form in which it is written"),
        ("manifest.json", lambda _: b"{}", "manifest.json cannot be read"),
        ("manifest.json", lambda data: data.replace(b'"serial": 3', b'"serial": 7'), "something else than the ledger"),
        (
            "manifest.json",
            lambda data: data.replace(b"groups/wiki.txt", b"groups/more.txt"),
            "names other files of groups",
        ),
        ("groups/more.txt", lambda _: b"u9\n", "names other files of groups"),
    ],
)
def test_a_manifest_made_anew_must_still_fit_its_entry_and_the_state(
    records: list[Record], path: str, change: Callable[[bytes], bytes], word: str
) -> None:
    there = records[RUN].files.get(path)
    assert word in anew(records, RUN, path, change(there or b""))


def test_a_month_that_has_not_begun_is_none(records: list[Record]) -> None:
    recorded = Recorded(records[:1])
    recorded.edit(0, "ledger/2027-05.jsonl", recorded.at(0, ledger_of(records[0])))
    changed = {path: name for path, name in recorded.commits[0].changed.items() if "2026-11" not in path}
    recorded.commits[0] = msgspec.structs.replace(recorded.commits[0], changed=changed)
    assert "has an entry of another month" in whats(recorded)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"merge": True}, "is a merge, and no record is one"),
        ({"wordy": True}, "says more than a subject and trailers"),
        ({"outside": ("policies/a.yaml",)}, "policies/a.yaml was changed in the same commit, outside of the record"),
    ],
)
@pytest.mark.parametrize("number", [EMPTY, BEGUN])
def test_a_commit_is_one_record_or_intent_and_nothing_else(
    records: list[Record], number: int, fields: dict[str, Any], word: str
) -> None:
    recorded = Recorded(records)
    recorded.commits[number] = msgspec.structs.replace(recorded.commits[number], **fields)
    (found,) = recorded.verdict().findings
    assert word in f"{found.where} {found.what}"


def test_a_line_that_is_not_canonical_is_found(records: list[Record]) -> None:
    recorded = Recorded(records)
    path = ledger_of(records[0])
    line = recorded.at(0, path).replace(b'"kind":', b'"kind": ')
    recorded.edit(0, path, line)
    assert "not in the canonical form" in whats(recorded)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"number": 7}, "has number 7 where 1 follows"),
        ({"run": "another"}, "of another run"),
        ({"plan": OTHER}, "of another run, site, plan"),
        ({"approval": None}, "cannot be read"),
        ({"policy_commit": "abc"}, "of other policies"),
        ({"change": OTHER}, "names a change that no plan of the run has"),
        ({"change": OTHER}, "does not say what became of every change of the intent"),
        ({"after": {"status": "active"}}, "something else than the plan about its change"),
        ({"user": "u2"}, "something else than the plan about its change"),
        ({"actor": "712020:somebody"}, "several actors"),
    ],
)
def test_an_outcome_that_was_written_anew_must_still_fit_its_run(
    records: list[Record], fields: dict[str, Any], word: str
) -> None:
    (path,) = (one for one in records[RUN].files if one.endswith("outcomes.jsonl"))
    lines = Recorded(records).at(RUN, path).splitlines()
    first = msgspec.json.decode(lines[0], type=OutcomeRecord)
    written = canonical(msgspec.structs.replace(first, **fields))
    assert word in whats(with_run_file(records, path, b"\n".join([written, *lines[1:]]) + b"\n"))


def test_a_drift_lists_its_differences(records: list[Record]) -> None:
    (path,) = (one for one in records[DRIFT].files if one.endswith("drift.jsonl"))

    def without(entry: LedgerEntry) -> LedgerEntry:
        return msgspec.structs.replace(entry, digests={one: kept for one, kept in entry.digests.items() if one != path})

    recorded = rechained(records, DRIFT, without)
    changed = {one: name for one, name in recorded.commits[DRIFT].changed.items() if one != path}
    recorded.commits[DRIFT] = msgspec.structs.replace(recorded.commits[DRIFT], changed=changed)
    assert f"{path} is missing: every drift has it" in whats(recorded)


def test_outcomes_are_canonical(records: list[Record]) -> None:
    (path,) = (one for one in records[RUN].files if one.endswith("outcomes.jsonl"))
    data = Recorded(records).at(RUN, path).replace(b'":', b'": ', 1)
    assert f"{path}:1 is not in the canonical form" in whats(with_run_file(records, path, data))


def test_a_change_has_one_outcome(records: list[Record]) -> None:
    (path,) = (one for one in records[RUN].files if one.endswith("outcomes.jsonl"))
    first, second = Recorded(records).at(RUN, path).splitlines()
    again = canonical(msgspec.structs.replace(msgspec.json.decode(first, type=OutcomeRecord), number=3))
    assert "several outcomes of one change" in whats(
        with_run_file(records, path, b"\n".join([first, second, again, b""]))
    )


def with_run_file(records: Sequence[Record], path: str, data: bytes, number: int = RUN) -> Recorded:
    """Other outcomes, named by their entry, with everything after it chained anew."""
    made = rechained(
        records, number, lambda entry: msgspec.structs.replace(entry, digests=entry.digests | {path: sha256(data)})
    )
    made.edit(number, path, data)
    return made


@pytest.mark.parametrize("data", [b"", b"{}\n", b"\n", b"x"])
def test_outcomes_that_are_gone_or_unreadable_are_found(records: list[Record], data: bytes) -> None:
    (path,) = (one for one in records[RUN].files if one.endswith("outcomes.jsonl"))
    assert path in whats(with_run_file(records, path, data))


@pytest.mark.parametrize(
    ("number", "name", "word"),
    [
        (EMPTY, layout.PLAN, "The plan file is not JSON"),
        (DRIFT, layout.DRIFT, "drift.jsonl:1 cannot be read"),
        (DRIFT, layout.DRIFT, "drift.jsonl its last line was cut off"),
    ],
)
def test_plans_and_differences_that_are_unreadable_are_found(
    records: list[Record], number: int, name: str, word: str
) -> None:
    path = layout.run_file(records[number].trailers["Run-Id"], name)
    assert word in whats(with_run_file(records, path, b"x", number))


def test_what_was_approved_is_a_plan_of_this_run_and_lineage() -> None:
    made, other, found = Chronicle(), Chronicle(), inventory("u1")
    made.run([], found)
    other.wait(days=1)
    other.run([], inventory("u9"))
    plan = msgspec.structs.replace(other.plan([], found), applyable=False)
    approval = msgspec.structs.replace(some.approval_of(plan), ref=OTHER)
    made.wait(minutes=1)
    made.add(
        record_run(
            made.ground, plan=plan, outcomes=[], approval=approval, inventory=found, time=made.time, actor=RUNNER
        )
    )
    shown = whats(rechained(made.records, 1, lambda entry: msgspec.structs.replace(entry, envelope=plan.envelope)))
    assert "plan.json was made on another lineage" in shown
    assert "plan.json the approval is of another plan" in shown
    assert "plan.json is unsafe, and was carried out" in shown


@pytest.mark.parametrize(("rollback", "kind"), [(True, "run"), (False, "rollback")])
def test_only_a_rollback_takes_back_what_a_run_did(rollback: bool, kind: Kind) -> None:
    made, found = Chronicle(), inventory("u1")
    plan = made.plan([], found)
    if rollback:
        plan = msgspec.structs.replace(plan, rollback=some.rolled_back([]))
    approval = some.approval_of(plan)
    made.add(
        record_run(
            made.ground, plan=plan, outcomes=[], approval=approval, inventory=found, time=made.time, actor=RUNNER
        )
    )
    assert Recorded(made.records).verdict().whole
    shown = whats(rechained(made.records, 0, lambda entry: msgspec.structs.replace(entry, kind=kind)))
    assert f"plan.json does not fit an entry of kind {kind}" in shown


def test_nothing_is_written_to_a_site_without_an_intent_before() -> None:
    made, found = Chronicle(), inventory("u1")
    begun = made.run([suspend("u1")], found)
    alone = [msgspec.structs.replace(begun, files={**made.records[0].files, **begun.files})]
    shown = whats(Recorded(alone))
    assert "adds 1 lines" not in shown
    assert "ends an intent that is not there" in shown
    assert "written to the site without an intent before" in shown


def test_an_intent_brings_no_entry_and_nothing_else(records: list[Record]) -> None:
    begin = records[BEGUN]
    for path in (ledger_of(records[DRIFT]), "accounts/00.jsonl", "memory.jsonl", "manifest.json", "runs/x/plan.json"):
        recorded = Recorded(records)
        recorded.edit(BEGUN, path, b"{}\n")
        assert not recorded.verdict().whole, path
    assert begin.intent
    for lease in (layout.lease_file(one) for one in begin.intent.directories):
        recorded = Recorded(records)
        recorded.edit(BEGUN, lease, recorded.at(BEGUN, lease).replace(b"process 42", b"process 43"))
        assert f"{lease} is not the lease of the intent" in whats(recorded)
        recorded = Recorded(records)
        recorded.edit(DRIFT, lease, b"{}\n")
        assert not recorded.verdict().whole


def test_a_second_run_cannot_begin_and_nothing_else_be_recorded_while_one_is_under_way() -> None:
    made = Chronicle()
    made.run([], inventory("u1"))
    plan = made.plan([suspend("u1")], inventory("u1"))
    made.begin(plan)
    whole = list(made.records)
    made.wait(minutes=1)
    made.begin(made.plan([leave("u1")], inventory("u1")))
    assert "was begun while run" in whats(Recorded(made.records))
    made = Chronicle(made.ground)
    made.wait(days=1)
    made.void()
    assert "another record while run" in whats(Recorded([*whole, *made.records]))


def test_leases_end_exactly_with_their_run(records: list[Record]) -> None:
    recorded = Recorded(records)
    changed = {path: name for path, name in recorded.commits[RUN].changed.items() if path != "leases/default.json"}
    recorded.commits[RUN] = msgspec.structs.replace(recorded.commits[RUN], changed=changed)
    assert "leases end exactly with the record" in whats(recorded)


def test_a_run_that_is_under_way_is_told_and_no_finding(records: list[Record]) -> None:
    verdict = Recorded(records[: BEGUN + 1]).verdict()
    assert verdict.whole
    (one,) = verdict.open_runs
    assert (one.run, one.holder) == (records[RUN].trailers["Run-Id"], "712020:runner, process 42")
    assert f"A run is under way or was cut off: {one.run} by 712020:runner" in render_text(verdict)


def test_a_history_that_was_cut_off_is_found_by_a_pin_alone(records: list[Record]) -> None:
    whole, cut = Recorded(records), Recorded(records[:5])
    head, commit = whole.verdict().head, whole.commits[-1].id
    assert cut.verdict().whole
    for pin in (head, commit):
        assert whole.verdict(pin).pinned is True
        assert cut.verdict(pin).pinned is False
        assert not cut.verdict(pin).whole
    assert whole.verdict(cut.verdict().head).whole


def test_days_without_a_record_and_days_of_which_nothing_is_known_are_listed() -> None:
    made = Chronicle()
    made.void()
    made.wait(days=1)
    made.run([], inventory("u1"))
    made.wait(days=2)
    made.void()
    made.drift(inventory("u1"))
    verdict = Recorded(made.records).verdict()
    first = START.date()
    assert verdict.quiet_days == (first + timedelta(days=2),)
    assert verdict.void_days == (first,)
    assert "Days on which nothing could be trusted, only void runs: 1" in render_text(verdict)


def test_the_verdict_counts_what_there_is(records: list[Record]) -> None:
    verdict = Recorded(records).verdict()
    assert verdict.kinds == {"drift": 1, "recovery": 1, "run": 3, "void": 2}
    text = render_text(verdict)
    assert "Entries: 3 runs, 2 void runs, 1 drift, 1 recovery; 2 begun with an intent." in text
    assert "Signatures: none of the commits is signed." in text
    (site,) = msgspec.json.decode(render_json([verdict]))["sites"]
    assert site["signatures"] == {"judged": False, "signed": 0, "unsigned": 9}
    assert (site["intents"], site["open_runs"], site["origin"]) == (2, [], None)


def test_nothing_recorded_is_said() -> None:
    verdict = Recorded([]).verdict()
    assert not verdict.whole
    assert "nothing is recorded" in verdict.findings[0].what


@given(st.data())
def test_no_bytes_at_all_end_the_check(data: st.DataObject) -> None:
    records = chronicle().records
    number = data.draw(st.integers(0, len(records) - 1))
    path = data.draw(st.sampled_from(sorted(one for one, kept in records[number].files.items() if kept is not None)))
    recorded = Recorded(records)
    other = data.draw(st.binary(max_size=60))
    if recorded.at(number, path) != other:
        recorded.edit(number, path, other)
        assert not recorded.verdict().whole

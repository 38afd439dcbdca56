"""Whoever edits the record is found out: byte by byte, line by line, commit by commit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger import chain
from cleanup_gitops.ledger.history import Commit
from cleanup_gitops.ledger.record import RunRecord, trailers_of
from cleanup_gitops.ledger.verify import Verdict, verify
from cleanup_gitops.model.change import UserDisable
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.ledger.history import after, histories, run

LEDGER = "ledger/"


class Recorded:
    """A history as a store would hold it: commits, and contents by name."""

    def __init__(self, records: list[RunRecord]) -> None:
        self.contents: dict[str, bytes] = {}
        self.commits = [
            Commit(
                id=f"commit-{number}",
                trailers=record.trailers,
                changed={path: self.put(data) for path, data in record.files.items()},
            )
            for number, record in enumerate(records, start=1)
        ]

    def put(self, data: bytes | None) -> str | None:
        if data is None:
            return None
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        self.contents[name] = data
        return name

    def edit(self, number: int, path: str, data: bytes | None) -> None:
        """Another content for a path of one commit."""
        commit = self.commits[number]
        changed = commit.changed | {path: self.put(data)}
        self.commits[number] = msgspec.structs.replace(commit, changed=changed)

    def at(self, number: int, path: str) -> bytes:
        name = self.commits[number].changed[path]
        assert name is not None
        return self.contents[name]

    def verdict(self, pin: str = "") -> Verdict:
        return verify("acme", self.commits, lambda names: [self.contents[one] for one in names], pin=pin)


def _inventory(*users: str) -> Inventory:
    return Inventory(
        site="acme",
        hosting="cloud",
        as_of=some.AS_OF,
        users=tuple(User(id=one, directory="default", status="active", license="seat") for one in sorted(users)),
        groups=(),
        directories=(),
        proof=some.proof_of(len(users), 0),
    )


def _records(*, days: int = 31) -> list[RunRecord]:
    """Three runs: one that suspends somebody, one a month later with nothing to do, one of a smaller site."""
    change = UserDisable(address="user/u1", user="u1", directory="default", old="active", new="suspended")
    files: dict[str, bytes] = {}
    records = []
    steps: list[tuple[list[str], list[UserDisable]]] = [(["u1", "u2"], [change]), (["u1", "u2"], []), (["u2"], [])]
    for number, (users, changes) in enumerate(steps):
        time = some.AS_OF + timedelta(days=number * days)
        inventory = _inventory(*users)
        plan = some.plan_of(inventory, changes, created=time)
        outcomes = [some.outcome_of(one, "applied", time) for one in plan.changes]
        record = run(files, plan, outcomes, inventory, time)
        files = after(files, record)
        records.append(record)
    return records


@pytest.fixture(scope="module")
def small() -> list[RunRecord]:
    return _records()


@given(histories(least=1, most=4))
def test_a_history_that_nobody_touched_is_whole(history: tuple[dict[str, bytes], list[RunRecord]]) -> None:
    _, records = history
    sites = {record.entry.site for record in records}
    recorded = Recorded(records)
    for site in sites:
        verdict = verify(site, recorded.commits, lambda names: [recorded.contents[one] for one in names])
        assert verdict.findings == ()
        assert verdict.entries == verdict.commits == len(records)
        assert verdict.head == f"sha256:{records[-1].memory.head}"


def test_every_single_byte_of_every_recorded_file_counts(small: list[RunRecord]) -> None:
    tried = 0
    for number, record in enumerate(small):
        # Files of a run are alike in every run; what grows over the runs is tried in each of them.
        history = small if number else small[:1]
        for path, data in record.files.items():
            if data is None or (number and path.startswith("runs/") and not path.endswith("outcomes.jsonl")):
                continue
            for at in range(len(data)):
                recorded = Recorded(history)
                recorded.edit(number, path, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
                assert not recorded.verdict().whole, f"byte {at} of {path} in commit {number}"
                tried += 1
    assert tried > 5000


@pytest.mark.parametrize("number", range(3))
def test_a_file_that_is_missing_from_a_record_is_found(small: list[RunRecord], number: int) -> None:
    for path, name in Recorded(small).commits[number].changed.items():
        recorded = Recorded(small)
        without = {one: kept for one, kept in recorded.commits[number].changed.items() if one != path}
        recorded.commits[number] = msgspec.structs.replace(recorded.commits[number], changed=without)
        verdict = recorded.verdict()
        assert not verdict.whole, f"{path} ({name})"


@pytest.mark.parametrize("path", ["runs/another/plan.json", "notes.txt", "accounts/new.jsonl", "ledger/2020-01.jsonl"])
def test_a_file_that_no_entry_names_is_found(small: list[RunRecord], path: str) -> None:
    recorded = Recorded(small)
    recorded.edit(1, path, b"{}\n")
    assert any(path in one.where or one.where.startswith("accounts") for one in recorded.verdict().findings)


def test_a_link_in_place_of_a_file_is_found(small: list[RunRecord]) -> None:
    recorded = Recorded(small)
    recorded.commits[0] = msgspec.structs.replace(recorded.commits[0], odd=("manifest.json",))
    assert [one.where for one in recorded.verdict().findings] == ["manifest.json"]


def test_a_record_of_an_earlier_run_is_never_touched_again(small: list[RunRecord]) -> None:
    (path,) = (one for one in small[0].files if one.endswith("outcomes.jsonl"))
    for data in (b"", None):
        recorded = Recorded(small)
        recorded.edit(2, path, data)
        assert any("after it was recorded" in one.what for one in recorded.verdict().findings)


def _drop(recorded: Recorded) -> None:
    del recorded.commits[1]


def _swap(recorded: Recorded) -> None:
    recorded.commits[1], recorded.commits[2] = recorded.commits[2], recorded.commits[1]


def _twice(recorded: Recorded) -> None:
    recorded.commits.append(recorded.commits[2])


def _first_gone(recorded: Recorded) -> None:
    del recorded.commits[0]


def _message(recorded: Recorded) -> None:
    trailers = recorded.commits[1].trailers | {"Approved-by": "somebody-else"}
    recorded.commits[1] = msgspec.structs.replace(recorded.commits[1], trailers=trailers)


def _silent(recorded: Recorded) -> None:
    change = {"accounts/00.jsonl": recorded.put(b'{"id":"forged"}\n')}
    recorded.commits.append(Commit(id="forged", trailers={}, changed=change))


def _lost_month(recorded: Recorded) -> None:
    (path,) = (one for one in recorded.commits[0].changed if one.startswith(LEDGER))
    recorded.edit(2, path, None)


@pytest.mark.parametrize("tamper", [_drop, _swap, _twice, _first_gone, _message, _silent, _lost_month])
def test_commits_that_are_left_out_moved_repeated_or_added_are_found(
    small: list[RunRecord], tamper: Callable[[Recorded], None]
) -> None:
    recorded = Recorded(small)
    tamper(recorded)
    assert not recorded.verdict().whole


def _rechained(records: list[RunRecord], **fields: object) -> Recorded:
    """The last entry with other fields, its line and its commit message made to fit again, as an insider would."""
    recorded = Recorded(records)
    (path,) = (one for one in recorded.commits[-1].changed if one.startswith(LEDGER))
    lines = recorded.at(-1, path).splitlines()
    entry = msgspec.structs.replace(records[-1].entry, **fields)
    line = chain.line_of(entry)
    recorded.edit(-1, path, b"\n".join([*lines[:-1], line]) + b"\n")
    trailers = trailers_of(entry, chain.link(line))
    recorded.commits[-1] = msgspec.structs.replace(recorded.commits[-1], trailers=trailers)
    return recorded


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"results": {"applied": 3}}, "as many results"),
        ({"actions": {"user.disable": 1}}, "as many results"),
        ({"seq": 9}, "number 9"),
        ({"serial": 9}, "serial 9"),
        ({"lineage": "sha256:00"}, "another lineage"),
        ({"plan": "sha256:00"}, "not the plan"),
        ({"envelope": "sha256:00"}, "envelope"),
        ({"state": "sha256:00"}, "not those that the ledger names"),
        ({"digests": {}}, "named by no ledger entry"),
        ({"site": "other"}, "another site"),
        ({"prev": "0" * 64}, "line before it"),
        ({"time": some.AS_OF - timedelta(days=1)}, "older"),
    ],
)
def test_an_entry_that_was_chained_anew_must_still_fit_everything_else(
    small: list[RunRecord], fields: dict[str, object], word: str
) -> None:
    assert any(word in one.what for one in _rechained(small, **fields).verdict().findings)


def test_a_history_that_was_cut_off_is_found_by_a_pin_alone(small: list[RunRecord]) -> None:
    whole, cut = Recorded(small), Recorded(small[:2])
    head, commit = whole.verdict().head, whole.commits[-1].id
    assert cut.verdict().whole
    for pin in (head, commit):
        assert whole.verdict(pin).pinned is True
        assert cut.verdict(pin).pinned is False
        assert not cut.verdict(pin).whole
    assert whole.verdict(cut.verdict().head).whole


def test_days_without_a_record_are_listed() -> None:
    assert Recorded(_records(days=1)).verdict().quiet_days == ()
    quiet = Recorded(_records(days=3)).verdict().quiet_days
    assert [day.isoformat() for day in quiet] == [
        (some.AS_OF + timedelta(days=number)).date().isoformat() for number in (1, 2, 4, 5)
    ]


def test_nothing_recorded_is_said() -> None:
    verdict = Recorded([]).verdict()
    assert not verdict.whole
    assert "nothing is recorded" in verdict.findings[0].what


@given(st.binary(max_size=300))
def test_no_bytes_at_all_end_the_check(data: bytes) -> None:
    records = _records()[:1]
    for path in records[0].files:
        recorded = Recorded(records)
        if recorded.at(0, path) != data:
            recorded.edit(0, path, data)
            assert not recorded.verdict().whole

"""Whoever changes one byte of a record is found out: where it is written, and in the commit after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from cleanup_gitops.ledger.record import Record, ground_of, record_void
from cleanup_gitops.model.run import Reason
from tests.ledger.verified import START, Prefix, chronicle

SAMPLE = 61
"""The default run tries every so-manieth byte of a file, beginning with another one for each file."""


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return chronicle().records


def variants(data: bytes, step: int = 1, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The data with one byte changed; with one byte more, and one less, at the beginning of each line."""
    for at in range(start, len(data), step):
        yield at, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    lines = [0, *(at + 1 for at, byte in enumerate(data) if byte == 0x0A)][:: 1 if step == 1 else 5]
    for at in lines:
        yield at, data[:at] + b" " + data[at:]
        if at < len(data):
            yield at, data[:at] + data[at + 1 :]


def with_file(record: Record, path: str, data: bytes) -> Record:
    return msgspec.structs.replace(record, files={**record.files, path: data})


def unnoticed(records: list[Record], step: int) -> tuple[list[str], int]:
    """Changes that nothing was found of, and how many were tried."""
    missed, tried = [], 0
    there: dict[str, bytes] = {}
    for number, record in enumerate(records):
        now = {path: data for path, data in record.files.items() if data is not None}
        there = {path: data for path, data in {**there, **record.files}.items() if data is not None}
        next_one = records[number + 1] if record.intent else later(records[: number + 1])
        assert not Prefix(records[: number + 1]).finds(next_one)
        for sort, files, into, prefix in (
            ("as it is written", now, record, Prefix(records[:number])),
            ("by a later record", there, next_one, Prefix(records[: number + 1])),
        ):
            # The ledger is what the later record writes as well: its earlier lines count there.
            own = {path for path in next_one.files if not path.startswith("ledger/")} if into is next_one else set()
            for place, path in enumerate(sorted(files.keys() - own)):
                for at, changed in variants(into.files.get(path) or files[path], step, place % step):
                    tried += 1
                    if not prefix.finds(with_file(into, path, changed)):
                        missed.append(f"byte {at} of {path}, {sort}, in commit {number + 1}")
    return missed, tried


def later(records: list[Record]) -> Record:
    """A record that may follow these."""
    ground = ground_of("acme", {}, tool_version="0.1.0")
    for record in records:
        ground = ground.after(record)
    reason = Reason(code="unreadable", text="The site did not answer.")
    return record_void(ground, reason=reason, time=START + timedelta(days=99))


def test_every_so_manieth_byte_of_every_file_counts(records: list[Record]) -> None:
    missed, tried = unnoticed(records, SAMPLE)
    assert missed == []
    assert tried > 3_000


@pytest.mark.slow
def test_every_single_byte_of_every_file_counts(records: list[Record]) -> None:
    missed, tried = unnoticed(records, 1)
    assert missed == []
    assert tried > 150_000


def test_every_file_of_a_record_is_needed(records: list[Record]) -> None:
    for number, record in enumerate(records):
        prefix = Prefix(records[:number])
        for path in record.files:
            left = {one: data for one, data in record.files.items() if one != path}
            assert prefix.finds(msgspec.structs.replace(record, files=left)), f"{path} of commit {number + 1}"


@pytest.mark.parametrize("name", ["runs/another/plan.json", "notes.txt", "accounts/new.jsonl", "ledger/2020-01.jsonl"])
def test_a_file_that_no_record_names_is_found_in_every_commit(records: list[Record], name: str) -> None:
    for number, record in enumerate(records):
        prefix = Prefix(records[:number])
        assert not prefix.finds(record)
        assert prefix.finds(with_file(record, name, b"{}\n"))


def test_every_trailer_of_every_commit_counts(records: list[Record]) -> None:
    for number, record in enumerate(records):
        prefix = Prefix(records[:number])
        for name, value in record.trailers.items():
            others = {one: kept for one, kept in record.trailers.items() if one != name}
            for said in (others, others | {name: f"{value}0"}):
                assert prefix.finds(msgspec.structs.replace(record, trailers=said)), f"{name} of commit {number + 1}"

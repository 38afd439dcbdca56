"""What is recorded is believed only as it was recorded."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.ledger.memory import memory_of, read_lines
from cleanup_gitops.model.errors import StateError
from tests import strategies as some
from tests.ledger.four_changes import (
    LEDGER,
    History,
    recorded,
    two_runs,
)
from tests.ledger.history import after, histories


def flipped(data: st.DataObject, content: bytes, end: int) -> bytes:
    """With one byte before ``end`` changed."""
    changed = bytearray(content)
    changed[data.draw(st.integers(0, end - 1))] ^= data.draw(st.integers(1, 255))
    return bytes(changed)


@given(histories(most=2), st.data())
def test_accounts_groups_memory_or_manifest_with_any_byte_changed_are_refused(
    history: History, data: st.DataObject
) -> None:
    files, _ = history
    covered = [path for path in sorted(files) if files[path] and not path.startswith(("runs/", "ledger/"))]
    path = data.draw(st.sampled_from(covered))
    with pytest.raises(StateError) as caught:
        memory_of(files | {path: flipped(data, files[path], len(files[path]))})
    assert caught.value.exit_code == 3
    assert caught.value.hint


@given(st.data())
def test_a_ledger_with_any_byte_changed_before_its_last_line_is_refused(data: st.DataObject) -> None:
    files = two_runs()
    before_last = len(cut(files[LEDGER]))
    with pytest.raises(StateError, match=r"ledger/2026-11\.jsonl:"):
        memory_of(files | {LEDGER: flipped(data, files[LEDGER], before_last)})


def cut(data: bytes) -> bytes:
    """Without the last line."""
    return b"".join(data.splitlines(keepends=True)[:-1])


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        (LEDGER, cut, "the ledger was shortened"),
        (LEDGER, lambda data: data.replace(b'"seq":1', b'"seq":9', 1), "has number 9 where 1 follows"),
        (LEDGER, lambda data: data.replace(b'"accounts":4', b'"accounts":5', 1), ":2 does not name the line before"),
        (LEDGER, lambda data: data[:-1], "last line was cut off"),
        (LEDGER, lambda _: b"", "is empty"),
        (LEDGER, lambda _: b"{}\n", ":1 is not a ledger entry: Object missing"),
        (LEDGER, lambda _: b"\xff\n", ":1 is not a ledger entry"),
        (LEDGER, lambda data: data.replace(b'Z","tool', b'","tool'), r":1 is not a ledger entry: .* timezone"),
        ("manifest.json", lambda data: re.sub(rb'("as_of": ".*)Z"', rb'\1"', data), "cannot be read: .* timezone"),
        (LEDGER, lambda data: data.replace(b'"format":1', b'"format":2', 1), "has ledger format 2"),
        ("manifest.json", lambda data: data.replace(b'"format": 1', b'"format": 2'), "has format 2"),
        ("manifest.json", lambda data: data.replace(b'"accounts": 4', b'"accounts": 9'), "is not the one"),
        ("manifest.json", lambda _: b"{", "cannot be read"),
        ("memory.jsonl", cut, "The recorded memory differ from what the last ledger entry"),
        ("accounts/zz.jsonl", lambda _: b"{}\n", "The recorded accounts differ from what the last ledger entry"),
    ],
)
def test_forged_or_shortened_state_is_refused_with_the_reason(
    path: str, change: Callable[[bytes], bytes], message: str
) -> None:
    files = two_runs()
    with pytest.raises(StateError, match=message):
        memory_of(files | {path: change(files.get(path, b""))})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("manifest.json", "manifest.json is missing"),
        (LEDGER, "no ledger"),
        ("memory.jsonl", "The recorded memory differ"),
        ("groups/wiki.txt", "The recorded groups differ"),
    ],
)
def test_state_without_one_of_its_files_is_refused(path: str, message: str) -> None:
    files = two_runs()
    del files[path]
    with pytest.raises(StateError, match=message):
        memory_of(files)


def test_the_record_of_another_site_is_refused() -> None:
    files = two_runs()
    assert memory_of(files, "acme") == memory_of(files)
    with pytest.raises(StateError, match="What is recorded for wiki is the record of another site, acme") as caught:
        memory_of(files, "wiki")
    assert "bring back state/acme" in caught.value.hint


def test_a_memory_line_of_an_unknown_kind_is_refused() -> None:
    line = b'{"kind":"applied","run":"r","at":"2026-11-22T09:15:00Z","actions":{}}'
    assert len(read_lines({"memory.jsonl": line + b"\n"})) == 1
    with pytest.raises(StateError, match=r"memory\.jsonl:2 cannot be read"):
        read_lines({"memory.jsonl": line + b'\n{"kind":"wish"}\n'})


def test_a_forged_mark_is_refused_as_such() -> None:
    files = two_runs()
    line = b'{"entered":"2026-11-22T09:15:00Z","episode":1,"kind":"mark","policy":"x","stage":"s","user":"712020:0"}\n'
    with pytest.raises(StateError, match="The recorded memory differ") as caught:
        memory_of(files | {"memory.jsonl": files["memory.jsonl"] + line})
    assert caught.value.exit_code == 3


def test_the_ledger_is_checked_over_its_two_newest_months_and_the_end_of_the_third() -> None:
    files: dict[str, bytes] = {}
    for month in range(4):
        for hour in range(2):
            files = after(files, recorded({}, files, some.AS_OF + timedelta(days=31 * month, hours=hour)))
    first, second, third, fourth = sorted(path for path in files if path.startswith("ledger/"))
    memory_of(files)
    for path in (third, fourth):
        with pytest.raises(StateError, match=path.replace(".", r"\.")):
            memory_of(files | {path: files[path].replace(b'"accounts":4', b'"accounts":5', 1)})
    with pytest.raises(StateError, match="does not name the line before it"):
        memory_of(files | {second: files[second].replace(b'"accounts":4', b'"accounts":5')})
    assert memory_of({path: data for path, data in files.items() if path != first}) == memory_of(files)

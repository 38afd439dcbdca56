"""A record that goes on in another repository: chained to its origin, planned on as before."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cleanup_gitops.cli.main import run as cleanup_gitops
from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.record import Record, ground_of
from cleanup_gitops.ledger.roll_over import record_roll_over
from cleanup_gitops.ledger.subjects import trailers_of
from cleanup_gitops.model.errors import LeaseHeldError, StateError, StoreError
from cleanup_gitops.model.run import LedgerEntry, Origin
from tests.cli.workspace import SITE
from tests.ledger.repository import Repository
from tests.ledger.verified import Chronicle, Recorded, chronicle, inventory, suspend

COMMIT = "c" * 40


def files_of(made: Chronicle) -> dict[str, bytes]:
    return dict(made.ground.before)


def carried_over(made: Chronicle) -> Record:
    return record_roll_over("acme", files_of(made), commit=COMMIT, tool_version="0.2.0", time=made.time)


def further(made: Chronicle, first: Record) -> Chronicle:
    """Records in the new repository, after the first one there."""
    files = {path: data for path, data in first.files.items() if data is not None}
    later = Chronicle(ground_of("acme", files, tool_version="0.2.0"))
    later.time = made.time
    later.wait(days=40)
    later.run([suspend("u1")], inventory("u1", at=later.time))
    later.wait(days=40)
    later.void()
    return later


def test_numbers_memory_and_lineage_go_on() -> None:
    made = chronicle()
    old, first = made.ground.memory, carried_over(made)
    new = memory_of({path: data for path, data in first.files.items() if data is not None})
    assert new == first.memory
    assert (new.sequence, new.serial, new.lineage) == (old.sequence + 1, old.serial + 1, old.lineage)
    assert (new.state, new.baseline, new.applied, new.consumed) == (old.state, old.baseline, old.applied, old.consumed)
    assert first.subject == "acme: goes on here: 1 accounts, record number 8"


def test_the_new_record_is_whole_and_names_where_it_goes_on_from() -> None:
    made = chronicle()
    first = carried_over(made)
    recorded = Recorded([first, *further(made, first).records])
    verdict = recorded.verdict()
    assert verdict.findings == ()
    assert verdict.origin == Origin(commit=COMMIT, head=f"sha256:{made.ground.memory.head}")
    for pin in ("commit-1", first.trailers["Ledger-Head"]):
        assert recorded.verdict(pin).pinned


def test_a_pin_of_the_earlier_record_is_not_satisfied_by_a_first_line_that_names_it() -> None:
    """Whoever may rewrite the branch can put any state under such a line."""
    made = chronicle()
    recorded = Recorded([carried_over(made)])
    for pin in (f"sha256:{made.ground.memory.head}", COMMIT):
        verdict = recorded.verdict(pin)
        assert verdict.pinned is False
        assert "check the earlier record with this pin, and pin this one by a head" in verdict.findings[-1].what


def anew(record: Record, change: Callable[[LedgerEntry], LedgerEntry]) -> Recorded:
    """The record with another entry, and a message that fits it."""
    assert record.entry
    entry = change(record.entry)
    line = chain.line_of(entry)
    recorded = Recorded([record])
    recorded.edit(0, max(layout.ledger_files(record.files)), line + b"\n")
    recorded.commits[0] = msgspec.structs.replace(recorded.commits[0], trailers=trailers_of(entry, chain.link(line)))
    return recorded


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"origin": None}, "names no origin"),
        ({"origin": Origin(commit=COMMIT, head="sha256:" + "0" * 64)}, "does not name the line before it"),
        ({"prev": chain.GENESIS}, "does not name the line before it"),
        ({"seq": 1}, "has number 1 where 2 follows"),
        ({"serial": 9}, "something else than the ledger about site, lineage, serial"),
        ({"serial": 1}, "a roll-over without the snapshot"),
        ({"digests": {}}, "a roll-over without the snapshot"),
        ({"lineage": ""}, "a roll-over without the snapshot"),
        ({"accounts": 7}, "counts other accounts"),
        ({"kind": "run"}, "an origin without a roll-over"),
    ],
)
def test_a_first_entry_that_does_not_go_on_is_found(fields: dict[str, Any], word: str) -> None:
    first = carried_over(chronicle())
    assert anew(first, lambda entry: entry).verdict().whole
    found = anew(first, lambda entry: msgspec.structs.replace(entry, **fields)).verdict().findings
    assert word in "; ".join(one.what for one in found)


def test_nothing_goes_on_from_a_record_without_a_snapshot_with_an_open_run_or_that_was_edited() -> None:
    made = Chronicle()
    made.void()
    with pytest.raises(StoreError, match="no snapshot"):
        carried_over(made)
    made.run([], inventory("u1"))
    made.begin(made.plan([suspend("u1")], inventory("u1")))
    with pytest.raises(LeaseHeldError, match="A run is under way"):
        carried_over(made)
    made = chronicle()
    files = files_of(made) | {"groups/wiki.txt": b"u2\n"}
    with pytest.raises(StateError, match="The recorded groups differ"):
        record_roll_over("acme", files, commit=COMMIT, tool_version="0.2.0", time=made.time)


def kept(path: Path, records: list[Record]) -> Repository:
    path.mkdir()
    repository = Repository(path / "repository")
    site = SITE.format(url="http://127.0.0.1:1", organization="org-1", directory="default", runner="712020:runner")
    repository.save("policies/site.yaml", site)
    store = repository.store()
    for record in records:
        store.read()
        store.commit(record.files, record.subject, record.trailers)
    return repository


def test_the_command_goes_on_from_a_whole_record_only_and_only_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = chronicle().records[:2]
    old, new = kept(tmp_path / "old", records), kept(tmp_path / "new", [])
    monkeypatch.setenv("HOME", str(new.home))
    command = ["-C", str(new.path), "audit", "roll-over", "--from", str(old.path)]
    head, commit = records[-1].trailers["Ledger-Head"], old.head()

    assert cleanup_gitops([*command, "--pin", "0" * 40]) == 3
    shown = capsys.readouterr()
    assert "not part of this history" in shown.out
    assert "is not whole, so nothing goes on from it" in shown.err
    assert not (new.path / "state").exists()

    assert cleanup_gitops(command) == 0
    shown = capsys.readouterr()
    assert "acme: goes on here: 2 accounts, record number 3" in shown.out
    assert head in shown.out
    (own,) = re.findall(r"The ledger head here is (\S+): note it elsewhere", shown.out)
    assert memory_of(new.store().read()).sequence == 3

    assert cleanup_gitops(["-C", str(new.path), "audit", "verify", "--pin", head]) == 3
    assert "check the earlier record with this pin" in capsys.readouterr().out
    assert cleanup_gitops(["-C", str(new.path), "audit", "verify", "--pin", own]) == 0
    shown = capsys.readouterr()
    assert f"The record goes on from ledger head {head} (commit {commit}) of an earlier repository." in shown.out
    assert "The pinned record is part of this history." in shown.out

    assert cleanup_gitops(command) == 1
    assert "There is a record of acme here already" in capsys.readouterr().err


def test_the_command_refuses_an_earlier_record_that_was_edited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = kept(tmp_path / "old", chronicle().records[:2]), kept(tmp_path / "new", [])
    monkeypatch.setenv("HOME", str(new.home))
    old.save("state/acme/groups/wiki.txt", "u9\n")
    assert cleanup_gitops(["-C", str(new.path), "audit", "roll-over", "--from", str(old.path)]) == 3
    assert "adds 0 lines" in capsys.readouterr().out
    assert not (new.path / "state").exists()

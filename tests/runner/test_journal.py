"""The journal: on the disk before and after each call, of one run alone, and gone when the result is recorded."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.errors import CredentialError, LostAnswerError, RefusedError, StateError, StoreError
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.runner.desk import UnrecordedError
from cleanup_gitops.runner.journal import FORMAT, Header, JournalError, Journals, Line, line_bytes, read_lines
from cleanup_gitops.runner.journal_files import FileJournals
from tests.fake_journal import FakeJournals
from tests.fake_store import FakeStore
from tests.fakes import NOON
from tests.runner.office import Office, open_office

RUN = "20261122T120000Z-1c2d3e4f"
HEADER = Header(format=FORMAT, run=RUN, site="acme", intent="sha256:0")


def line(number: int, detail: str = "") -> Line:
    return Line(number=number, change="sha256:1", address="user/u", event="sending", at=NOON, detail=detail)


@pytest.fixture(params=["files", "memory"])
def journals(request: pytest.FixtureRequest, tmp_path: Path) -> Journals:
    return FakeJournals() if request.param == "memory" else FileJournals(tmp_path, "acme")


def test_what_was_added_is_read_back_until_the_run_is_recorded(journals: Journals) -> None:
    journals.check()
    assert journals.read(RUN) is None
    assert journals.place(RUN) == ""
    journal = journals.begin(HEADER)
    assert journals.read(RUN) == line_bytes(HEADER)
    for number in (1, 2):
        journal.add(line(number))
    data = journals.read(RUN)
    assert data == line_bytes(HEADER) + line_bytes(line(1)) + line_bytes(line(2))
    assert read_lines(data, HEADER) == (line(1), line(2))
    assert RUN in journals.place(RUN)
    assert journals.read("20261122T120000Z-other") is None
    journals.end("20261122T120000Z-other")
    assert journals.read(RUN) == data
    journals.end(RUN)
    assert journals.read(RUN) is None


@pytest.mark.case("E64", "F12")
def test_a_line_is_on_the_disk_before_anybody_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []

    def fsync(file: int) -> None:
        if stat.S_ISREG(os.fstat(file).st_mode):
            synced.append(Path(f"/proc/self/fd/{file}").read_bytes())

    journal = FileJournals(tmp_path, "acme").begin(HEADER)
    monkeypatch.setattr("cleanup_gitops.runner.journal_files.os.fsync", fsync)
    journal.add(line(1))
    journal.add(line(2))
    assert synced == [
        line_bytes(HEADER) + line_bytes(line(1)),
        line_bytes(HEADER) + line_bytes(line(1)) + line_bytes(line(2)),
    ]


def test_a_journal_is_for_its_owner_and_not_for_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    journals = FileJournals(tmp_path, "acme")
    journals.begin(HEADER).add(line(1))
    path = tmp_path / journals.place(RUN)
    assert path == tmp_path / ".cleanup-gitops" / "acme" / f"{RUN}.journal.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = subprocess.run(["git", "-C", str(tmp_path), "status", "--porcelain"], check=True, capture_output=True)
    assert told.stdout == b""


def test_a_journal_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    journals = FileJournals(tmp_path, "acme")
    journals.begin(HEADER).add(line(1))
    again = journals.begin(HEADER)
    with pytest.raises(JournalError, match="File exists"):
        again.add(line(1))
    data = journals.read(RUN)
    assert data is not None
    assert data.count(b"sending") == 1


@pytest.mark.parametrize("run", ["../../etc/passwd", "", "a/b", "x" * 200, "."])
def test_a_run_whose_name_is_no_file_name_has_no_journal(tmp_path: Path, run: str) -> None:
    journals = FileJournals(tmp_path, "acme")
    assert journals.read(run) is None
    assert journals.place(run) == ""
    journals.end(run)
    with pytest.raises(JournalError):
        journals.begin(Header(format=FORMAT, run=run, site="acme", intent=""))


def test_lines_of_several_threads_never_mix(tmp_path: Path) -> None:
    journals = FileJournals(tmp_path, "acme")
    journal = journals.begin(HEADER)

    def work(number: int) -> None:
        for _ in range(20):
            journal.add(line(number, "x" * 500))

    crew = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    assert len(read_lines(journals.read(RUN) or b"", HEADER)) == 80


@pytest.mark.case("E64")
def test_a_last_line_that_breaks_off_was_never_written() -> None:
    whole = line_bytes(HEADER) + line_bytes(line(1)) + line_bytes(line(2))
    known = {0: (), 1: (line(1),), 2: (line(1), line(2))}
    for end in range(len(whole) + 1):
        lines = max(0, whole[:end].count(b"\n") - 1)
        assert read_lines(whole[:end], HEADER) == known[lines]
    assert read_lines(whole + b"\0" * 40, HEADER) == known[2]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (line_bytes(HEADER) + b"{\n" + line_bytes(line(1)), "line 2 cannot be read"),
        (b"\xff\n", "line 1 cannot be read"),
        (line_bytes(line(1)), "line 1 cannot be read"),
        (line_bytes(Header(format=FORMAT, run=RUN, site="acme", intent="sha256:9")), "another run or another intent"),
        (line_bytes(Header(format=9, run=RUN, site="acme", intent="sha256:0")), "another run or another intent"),
    ],
)
def test_a_journal_of_something_else_is_not_used(data: bytes, said: str) -> None:
    with pytest.raises(StateError, match=said) as caught:
        read_lines(data, HEADER)
    assert "Move the journal away" in caught.value.hint


# -- in a run -------------------------------------------------------------------------------------


def journaled(*idle: int) -> tuple[Office, FakeJournals, list[Line]]:
    """An office with a journal, and the lines as they reach the disk."""
    office = open_office(*idle)
    lines: list[Line] = []
    journals = FakeJournals(seen=lambda one, durable: lines.append(one) if durable else None)
    office.journals = journals
    return office, journals, lines


@pytest.mark.case("F12", "E64")
def test_every_change_is_noted_before_and_after_its_call_and_at_its_end() -> None:
    office, journals, lines = journaled(100, 200)
    sent: list[int] = []
    before = office.site.write

    def write(change: object) -> Receipt:
        sent.append(len(lines))
        return before(change)  # type: ignore[arg-type]

    office.site.write = write  # type: ignore[method-assign]
    run = office.apply()
    assert [(one.number, one.event) for one in lines] == [
        (n, event) for n in (1, 2) for event in ("sending", "answered", "ended")
    ]
    assert sent == [1, 4]
    assert lines[1].receipt == Receipt(method="FAKE", endpoint="/membership.remove", status=204)
    assert [one.result for one in lines if one.event == "ended"] == ["applied", "applied"]
    assert {one.change for one in lines} == set(run.plan.manifest)
    assert journals.files == {}


def test_the_journal_says_what_else_may_come_of_a_call() -> None:
    office, _, lines = journaled(100, 200, 300, 400)
    office.site.broken["write"] = [
        RefusedError("The site answered 403."),
        LostAnswerError("No answer"),
        CredentialError("The key was refused (401)."),
    ]
    office.apply()
    assert [(one.number, one.event, one.result) for one in lines] == [
        (1, "sending", None),
        (1, "refused", None),
        (1, "ended", "failed"),
        (2, "sending", None),
        (2, "lost", None),
        (2, "ended", "settling"),
        (3, "sending", None),
        (3, "stopped", None),
        (3, "ended", "not_attempted"),
    ]
    assert lines[5].deadline is not None


def test_a_journal_that_cannot_be_kept_is_told_before_anything_is_claimed() -> None:
    office, journals, _ = journaled(100)
    journals.locked = True
    with pytest.raises(JournalError, match="Read-only file system") as caught:
        office.apply()
    assert caught.value.exit_code == 1
    assert not office.site.written
    assert office.entries() == ()
    journals.locked = False
    assert not office.apply().failed


@pytest.mark.parametrize(("full", "written"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 2)])
def test_a_full_disk_stops_the_run_before_the_next_write_and_what_was_done_is_recorded(full: int, written: int) -> None:
    office, journals, _ = journaled(100, 200, 300)
    journals.full = full
    run = office.apply()
    assert len(office.site.written) == written
    assert [one.result for one in run.outcomes] == ["applied"] * written + ["not_attempted"] * (3 - written)
    assert "the run stopped: The journal memory cannot be written: No space left" in run.outcomes[-1].detail
    assert run.commit
    assert journals.files == {}


def test_a_full_disk_is_told_without_the_folders_of_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        del file, data
        raise OSError(28, "No space left on device")

    journals = FileJournals(tmp_path, "acme")
    monkeypatch.setattr("cleanup_gitops.runner.journal_files.os.write", full)
    with pytest.raises(JournalError, match="No space left on device"):
        journals.check()
    journal = journals.begin(HEADER)
    for _ in range(2):
        with pytest.raises(JournalError) as caught:
            journal.add(line(1))
        assert str(tmp_path) not in str(caught.value)
    monkeypatch.undo()
    with pytest.raises(JournalError):  # half a line may be there, so nothing must follow it
        journal.add(line(1))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".cleanup-gitops").write_text("a file")
    journals = FileJournals(tmp_path, "acme")
    with pytest.raises(JournalError, match="cannot be written"):
        journals.check()
    with pytest.raises(JournalError):
        journals.begin(HEADER).add(line(1))
    assert journals.place(RUN) == ""
    with pytest.raises(StateError, match=r"\.cleanup-gitops/acme/.* cannot be read: Not a directory"):
        journals.read(RUN)
    journals.end(RUN)


def test_a_journal_stays_until_the_result_is_recorded_and_others_stay_for_good() -> None:
    office, journals, _ = journaled(100)
    journals.files["20200101T000000Z-0"] = b"somebody else's"
    assert isinstance(office.store, FakeStore)
    office.store.broken["commit"] = [None, StoreError("The push was refused.")]
    with pytest.raises(UnrecordedError) as caught:
        office.apply()
    run = caught.value.run.id
    header = json.loads(journals.files[run].splitlines()[0])
    (intent,) = (data for path, data in office.store.repository.files.items() if path.endswith("intent.json"))
    assert header == {"format": 1, "run": run, "site": "acme", "intent": sha256(intent)}
    office.recover(run)
    assert list(journals.files) == ["20200101T000000Z-0"]

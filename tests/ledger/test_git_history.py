"""The history of a real repository, as git stores it and not as it may be made to look."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run as cleanup_gitops
from cleanup_gitops.ledger.history import GitHistory
from cleanup_gitops.ledger.store import GitStore
from cleanup_gitops.ledger.verify import Verdict, verify
from cleanup_gitops.model.change import UserDisable
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.ledger.history import after, run
from tests.ledger.test_store import Repository

ACCOUNT = User(id="u1", directory="default", status="active", license="seat")
SUSPEND = UserDisable(address="user/u1", user="u1", directory="default", old="active", new="suspended")


def _record(store: GitStore, files: dict[str, bytes], day: int, *, changes: bool) -> dict[str, bytes]:
    time = some.AS_OF + timedelta(days=day)
    inventory = Inventory(
        site="acme",
        hosting="cloud",
        as_of=time,
        users=(ACCOUNT,),
        groups=(),
        directories=(),
        proof=some.proof_of(1, 0),
    )
    plan = some.plan_of(inventory, [SUSPEND] if changes else [], created=time)
    outcomes = [some.outcome_of(one, "applied", time) for one in plan.changes]
    record = run(files, plan, outcomes, inventory, time)
    store.commit(record.files, record.subject, record.trailers)
    return after(files, record)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Three records, with other people's commits in between."""
    found = Repository(tmp_path / "repository")
    found.save("README.md", "ours")
    files: dict[str, bytes] = {}
    for day in range(3):
        files = _record(found.store(), files, day, changes=day == 1)
        found.save("policies/a.yaml", f"# {day}")
    return found


def verdict(repository: Repository, pin: str = "") -> Verdict:
    history = GitHistory(repository.path, "acme", repository.environment)
    return verify("acme", history.commits(), history.contents, pin=pin)


def test_what_the_store_recorded_is_whole(repository: Repository) -> None:
    found = verdict(repository)
    assert found.findings == ()
    assert (found.commits, found.entries) == (3, 3)
    head = repository.git("log", "-1", "--format=%(trailers:key=Ledger-Head,valueonly)", "--", "state").strip()
    assert found.head == head
    assert verdict(repository, pin=head).pinned


def test_a_folder_of_a_larger_repository_is_read_the_same(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.save("wiki/policies/a.yaml", "ours")
    _record(repository.store("wiki"), {}, 0, changes=True)
    history = GitHistory(repository.path / "wiki", "acme", repository.environment)
    assert verify("acme", history.commits(), history.contents).whole


def test_a_merge_of_other_work_changes_nothing(repository: Repository) -> None:
    repository.git("switch", "--quiet", "-c", "side", "HEAD~2")
    repository.save("policies/b.yaml", "side")
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-edit", "side")
    assert verdict(repository).whole


def test_an_edit_in_a_commit_of_its_own_is_found(repository: Repository) -> None:
    (account,) = (repository.path / "state" / "acme" / "accounts").iterdir()
    account.write_bytes(account.read_bytes().replace(b"seat", b"none", 1))
    repository.git("commit", "--quiet", "--all", "--message", "tidy")
    assert any("adds 0 lines" in one.what for one in verdict(repository).findings)


def test_a_record_that_was_written_anew_with_other_content_is_found(repository: Repository) -> None:
    head = verdict(repository).head
    repository.git("reset", "--quiet", "--hard", "HEAD~4")
    assert verdict(repository).whole
    assert not verdict(repository, pin=head).whole


def test_replaced_objects_are_refused(repository: Repository) -> None:
    repository.git("replace", repository.git("rev-parse", "HEAD~1"), repository.git("rev-parse", "HEAD~3"))
    with pytest.raises(StateError, match="replaces objects"):
        verdict(repository)


def test_grafts_are_refused(repository: Repository) -> None:
    repository.write(".git/info/grafts", repository.git("rev-parse", "HEAD") + "\n")
    with pytest.raises(StateError, match="grafts"):
        verdict(repository)


def test_a_shallow_clone_is_refused_with_the_way_out(repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    url = f"file://{repository.path}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", url, str(clone)], check=True, env=repository.environment)
    with pytest.raises(StateError, match="shallow") as caught:
        GitHistory(clone, "acme", repository.environment).commits()
    assert "--unshallow" in caught.value.hint


def test_a_repository_without_commits_is_said(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    with pytest.raises(StateError, match="no commit"):
        verdict(repository)


def test_the_command_tells_people_and_programs(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    there = ["-C", str(repository.path), "audit", "verify"]
    head = verdict(repository).head

    assert cleanup_gitops(there) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("acme: the recorded history is whole.\nChecked: 3 commits, 3 ledger entries")
    assert f"Ledger head: {head}" in shown

    assert cleanup_gitops([*there, "--pin", head, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["whole"], document["sites"][0]["pinned"]) == (True, True)

    assert cleanup_gitops([*there, "--pin", f"sha256:{'0' * 64}"]) == 3
    assert "not part of this history" in capsys.readouterr().out


def test_a_site_that_was_never_recorded_is_an_error_that_names_those_that_are(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cleanup_gitops(["-C", str(repository.path), "audit", "verify", "--site", "acmee"]) == 1
    shown = capsys.readouterr().err
    assert "Nothing is recorded for a site 'acmee'" in shown
    assert "Folders in" in shown
    assert "acme." in shown


def test_a_wrong_pin_and_an_empty_repository_are_clear_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = Repository(tmp_path / "repository")
    there = ["-C", str(repository.path), "audit", "verify"]
    assert cleanup_gitops([*there, "--pin", "head"]) == 1
    assert "full id of a commit" in capsys.readouterr().err
    assert cleanup_gitops(there) == 1
    assert "Nothing is recorded" in capsys.readouterr().err

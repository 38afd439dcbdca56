"""A real repository with a remote that refuses, is gone, or is full: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.errors import StoreError
from cleanup_gitops.model.run import Receipt
from cleanup_gitops.runner.desk import UnrecordedError
from tests.fakes import FakeSite
from tests.runner.office import Office, office_site

REFUSALS = {
    "protected": "echo 'remote: error: GH006: Protected branch update failed' >&2; exit 1",
    "full": "echo 'fatal: unable to write: No space left on device' >&2; exit 1",
}


def git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")
    done = subprocess.run(["git", "-C", str(folder), *identity, *args], check=True, capture_output=True, text=True)
    return done.stdout


class Meddled(FakeSite):
    """A site during whose first write something happens to the repository."""

    def __init__(self, happens: Callable[[], object], *idle: int) -> None:
        super().__init__(office_site(*idle))
        self.happening: Callable[[], object] | None = happens

    def write(self, change: Change) -> Receipt:
        happening, self.happening = self.happening, None
        if happening:
            happening()
        return super().write(change)


def remote_office(folder: Path, happens: Callable[[Path], object]) -> tuple[Office, Path]:
    """An office whose record goes to a bare remote, to which ``happens`` during the first write."""
    remote, here = folder / "remote.git", folder / "here"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(remote), str(here)], check=True, capture_output=True)
    git(here, "checkout", "-q", "-B", "main")
    git(here, "commit", "-q", "--allow-empty", "-m", "policies")
    git(here, "push", "-q", "-u", "origin", "main")
    return Office(Meddled(lambda: happens(remote), 100, 200), GitStore(here, "acme")), remote


def refuse(remote: Path, why: str = "protected") -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{REFUSALS[why]}\n")
    hook.chmod(0o755)


def accept(remote: Path) -> None:
    (remote / "hooks" / "pre-receive").unlink()


def vanish(remote: Path) -> None:
    remote.rename(remote.with_name("elsewhere.git"))


def come_back(remote: Path) -> None:
    remote.with_name("elsewhere.git").rename(remote)


def kinds(remote: Path) -> list[str]:
    return git(remote, "log", "--reverse", "--format=%(trailers:key=Kind,valueonly,separator=)", "main").split()


@pytest.mark.case("E77")
@pytest.mark.parametrize("why", sorted(REFUSALS))
def test_a_remote_that_takes_nothing_keeps_a_run_from_writing_to_the_site(tmp_path: Path, why: str) -> None:
    office, remote = remote_office(tmp_path, lambda _: None)
    saved = office.plan()
    refuse(remote, why)
    with pytest.raises(StoreError) as caught:
        office.apply(saved)
    assert caught.value.exit_code == 1
    assert "did not take the record" in caught.value.message
    assert not office.site.written
    accept(remote)
    assert [one.result for one in office.apply(saved).outcomes] == ["applied", "applied"]
    assert kinds(remote) == ["intent", "run"]


@pytest.mark.case("E77")
def test_a_remote_that_is_gone_keeps_a_run_from_writing_to_the_site(tmp_path: Path) -> None:
    office, remote = remote_office(tmp_path, lambda _: None)
    vanish(remote)
    with pytest.raises(StoreError):
        office.apply()
    assert not office.site.written
    come_back(remote)
    assert not office.apply().failed


@pytest.mark.case("E77", "F12")
@pytest.mark.parametrize(
    ("trouble", "mended"),
    [
        (refuse, accept),
        pytest.param(lambda remote: refuse(remote, "full"), accept, marks=pytest.mark.slow),
        (vanish, come_back),
    ],
    ids=["protected", "full", "gone"],
)
def test_a_result_that_the_remote_does_not_take_is_kept_and_recorded_later_without_repeating_anything(
    tmp_path: Path, trouble: Callable[[Path], object], mended: Callable[[Path], object]
) -> None:
    office, remote = remote_office(tmp_path, trouble)
    saved = office.plan()
    with pytest.raises(UnrecordedError) as caught:
        office.apply(saved)
    run = caught.value.run
    assert [one.result for one in run.outcomes] == ["applied", "applied"]
    lines = run.record.files[f"runs/{run.id}/outcomes.jsonl"]
    mended(remote)
    assert kinds(remote) == ["intent"]
    found = office.recover(run.id, lines)
    assert not found.failed
    assert kinds(remote) == ["intent", "recovery"]
    assert len(office.site.written) == 2
    assert office.apply().outcomes == ()
    assert git(tmp_path / "here", "status", "--porcelain", "--branch").strip() == "## main...origin/main"

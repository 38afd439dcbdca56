"""A snapshot is found in git by commit, tag or branch, and believed only when it fits its own ledger."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.record import record_void
from cleanup_gitops.ledger.repository.revisions import Revision, find_revision
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.policy.site import USUAL_PLACE, StateSettings
from tests import strategies as some
from tests.ledger import history, verified
from tests.ledger.repository import Repository

SITE = verified.inventory("u1", "u2", "u3")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "here")
    found.save("policies/site.yaml", "here\n")
    return found


def record(repository: Repository, inventory: Inventory, settings: StateSettings = USUAL_PLACE) -> str:
    """One more run that found the site like this; the commit."""
    store = repository.store(settings=settings)
    plan = some.plan_of(inventory, ())
    made = history.run(store.read(), plan, (), inventory, inventory.as_of)
    return store.commit(made.files, made.subject, made.trailers)


def found(repository: Repository, revision: str, settings: StateSettings = USUAL_PLACE) -> Revision:
    return find_revision(repository.path, "acme", revision, repository.environment, settings)


def ids(one: Revision) -> list[str]:
    return [user.id for user in one.reader.read().inventory.users]


def smaller(days: int) -> Inventory:
    """The site as it was so many days later, with one account less."""
    users = SITE.users[1:]
    return replace(
        SITE,
        users=users,
        runner=(),
        as_of=SITE.as_of + timedelta(days=days),
        proof=some.proof_of(len(users), len(SITE.groups)),
    )


def test_each_snapshot_in_the_history_can_be_read(repository: Repository) -> None:
    first = record(repository, SITE)
    repository.save("policies/other.yaml", "other\n")
    second = record(repository, smaller(3))
    repository.git("tag", "reviewed", first)
    for revision in (first, first[:10], "reviewed", "HEAD~2", "main~1"):
        one = found(repository, revision)
        assert ids(one) == [user.id for user in SITE.users]
        assert (one.serial, one.as_of) == (1, SITE.as_of)
    newest = found(repository, "HEAD")
    assert (newest.commit, newest.serial, ids(newest)) == (second, 2, [user.id for user in SITE.users[1:]])
    assert (newest.memory.serial, found(repository, first).memory.serial) == (2, 1)
    assert found(repository, "main~1").commit != first  # nothing of the record changed in it


def test_head_is_the_newest_record_where_the_state_has_a_branch_of_its_own(repository: Repository) -> None:
    settings = StateSettings(branch="state", remote="none")
    first = record(repository, SITE, settings)
    second = record(repository, smaller(1), settings)
    repository.save("policies/other.yaml", "other\n")
    assert found(repository, "HEAD", settings).commit == second
    assert found(repository, "HEAD~1", settings).commit == first
    assert found(repository, "state", settings).commit == second
    with pytest.raises(CleanupError, match="holds no snapshot of acme"):
        found(repository, "main", settings)


def test_a_clone_reads_what_the_remote_had_without_asking_it(repository: Repository, tmp_path: Path) -> None:
    settings = StateSettings(branch="state", remote="none")
    first = record(repository, SITE, settings)
    clone = repository.clone(tmp_path / "there")
    clone.git("remote", "set-url", "origin", str(tmp_path / "gone"))
    assert found(clone, "HEAD", StateSettings(branch="state", remote="origin")).commit == first


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("HEAD", "holds no snapshot of acme"),
        ("v9", "There is no commit 'v9' in "),
        ("--all", "There is no commit '--all' in "),
        ("HEAD:policies", "There is no commit 'HEAD:policies' in "),
        ("", "There is no commit '' in "),
    ],
)
def test_what_is_not_there_is_said(repository: Repository, revision: str, said: str) -> None:
    with pytest.raises(CleanupError, match=re.escape(said)) as caught:
        found(repository, revision)
    assert caught.value.exit_code == 1


def test_a_record_before_the_first_snapshot_has_none(repository: Repository) -> None:
    store = repository.store()
    made = record_void(history.ground(store.read()), reason=history.VOID, time=SITE.as_of)
    store.commit(made.files, made.subject, made.trailers)
    with pytest.raises(CleanupError, match="holds no snapshot of acme") as caught:
        found(repository, "HEAD")
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("edit", ["account", "manifest", "no manifest", "link"])
def test_an_edited_snapshot_is_refused(repository: Repository, edit: str) -> None:
    record(repository, SITE)
    folder = repository.path / "state" / "acme"
    path = next((folder / layout.ACCOUNTS).iterdir()) if edit == "account" else folder / layout.MANIFEST
    if edit == "link":
        path.unlink()
        path.symlink_to("elsewhere")
    elif edit == "no manifest":
        path.unlink()
    else:
        path.write_text(path.read_text().replace("unknown", "Unknown", 1).replace('"serial": 1', '"serial": 2'))
        path.write_text(path.read_text() + "\n" if edit == "account" else path.read_text())
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "by hand")
    with pytest.raises(CleanupError) as caught:
        found(repository, "HEAD")
    assert caught.value.exit_code == (1 if edit == "no manifest" else 3)
    assert ids(found(repository, "HEAD~1")) == [user.id for user in SITE.users]


def test_an_object_that_was_replaced_is_refused(repository: Repository) -> None:
    first = record(repository, SITE)
    second = record(repository, smaller(1))
    repository.git("replace", second, first)
    with pytest.raises(CleanupError, match="replaces objects"):
        found(repository, "HEAD")

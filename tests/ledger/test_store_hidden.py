"""Whatever would show somebody else something else than what is stored is refused; so are two at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.hidden import check_attributes, check_not_shallow, check_nothing_hidden
from cleanup_gitops.model.errors import LeaseHeldError, StateError, StoreError
from cleanup_gitops.policy.site import StateSettings
from tests.ledger.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "repository")
    found.save("README", "x\n")
    found.store().commit({"manifest.json": b"{}\n", "groups/a.txt": b"1\n", "runs/r/plan.json": b"{}"}, "one", {})
    return found


def test_a_record_that_was_deleted_is_refused_and_a_revert_brings_it_back(repository: Repository) -> None:
    """It would be taken for the first run of all: spent approvals, caps and holds forgotten."""
    store = repository.store()
    store.read()
    store.commit({"ledger/2026-11.jsonl": b"{}\n"}, "two", {})
    repository.git("rm", "-r", "--quiet", "state")
    repository.git("commit", "--quiet", "--message", "tidy")
    with pytest.raises(StateError, match="state/acme was recorded and is gone: commit") as caught:
        repository.store().read()
    assert repository.store(site="other").read() == {}
    assert f"git revert {repository.head()[:12]}" in caught.value.hint
    repository.git("revert", "--no-edit", "HEAD")
    assert repository.store().read()["groups/a.txt"] == b"1\n"


def link_for_state(repository: Repository) -> None:
    (repository.path / "state").rename(repository.path / "elsewhere")
    (repository.path / "state").symlink_to("elsewhere")
    repository.git("add", "--all")


def program(repository: Repository) -> None:
    (repository.path / "state/acme/manifest.json").chmod(0o755)
    repository.git("add", "--all")


def submodule(repository: Repository) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{repository.head()},state/acme/groups/hidden")
    (repository.path / "state/acme/groups/hidden").mkdir()


def submodule_for_site(repository: Repository) -> None:
    repository.git("rm", "--quiet", "-r", "state/acme")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{repository.head()},state/acme")
    (repository.path / "state/acme").mkdir(parents=True)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (link_for_state, "state"),
        (program, "state/acme/manifest.json"),
        (submodule, "state/acme/groups/hidden"),
        (submodule_for_site, "state/acme"),
    ],
)
def test_what_is_no_plain_file_is_refused(
    repository: Repository, change: Callable[[Repository], None], path: str
) -> None:
    change(repository)
    repository.git("commit", "--quiet", "--message", "odd")
    repository.git("switch", "--quiet", "--orphan", "elsewhere")
    with pytest.raises(StateError, match=f"^{path} is not a plain file") as caught:
        repository.store(settings=StateSettings(branch="main")).read()
    assert caught.value.exit_code == 3


def test_replaced_objects_are_refused(repository: Repository) -> None:
    new = repository.store().commit({"manifest.json": b"2"}, "two", {})
    repository.git("replace", new, f"{new}^")
    for attempt in (repository.store().read, lambda: repository.store().commit({"a": b"1"}, "three", {})):
        with pytest.raises(StateError, match="This repository replaces objects") as caught:
            attempt()
        assert caught.value.exit_code == 3
    repository.git("replace", "-d", new)
    assert repository.store().read()["manifest.json"] == b"2"


def test_grafts_are_refused(repository: Repository) -> None:
    repository.write(".git/info/grafts", repository.head() + "\n")
    with pytest.raises(StateError, match="has grafts"):
        repository.store().read()


def test_shallow_clones_are_refused_where_all_of_the_history_matters(repository: Repository, tmp_path: Path) -> None:
    check_not_shallow(Git(repository.path, repository.environment))
    clone = repository.clone(tmp_path / "clone", "--depth=1", url=f"file://{repository.path}")
    git = Git(clone.path, clone.environment)
    check_nothing_hidden(git)
    with pytest.raises(StateError, match="shallow"):
        check_not_shallow(git)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("*.json -diff", "diff: unset"),
        pytest.param("*.json binary", "diff: unset", marks=pytest.mark.slow),
        ("*.txt diff=secret", "diff: secret"),
        ("/state export-ignore", "in state/ .*export-ignore: set"),
        pytest.param("acme/ export-ignore", "in state/acme/ .*export-ignore: set", marks=pytest.mark.slow),
        pytest.param("state/** export-ignore", "export-ignore: set", marks=pytest.mark.slow),
        ("state/** export-subst", "export-subst: set"),
        ("*.json filter=lfs", "filter: lfs"),
        pytest.param("*.json ident", "ident: set", marks=pytest.mark.slow),
        pytest.param("*.json working-tree-encoding=UTF-16", "working-tree-encoding: UTF-16", marks=pytest.mark.slow),
        ("* eol=crlf", "eol: crlf"),
        pytest.param("* text eol=crlf", "eol: crlf", marks=pytest.mark.slow),
        pytest.param("*.txt text=auto eol=crlf", "eol: crlf", marks=pytest.mark.slow),
    ],
)
def test_attributes_that_hide_or_change_what_is_recorded_are_refused(
    repository: Repository, line: str, shown: str
) -> None:
    repository.save(".gitattributes", f"{line}\n")
    with pytest.raises(StateError, match=f"git attributes hide or change .*{shown}") as caught:
        repository.store().read()
    assert caught.value.exit_code == 3
    assert "/state/** -text diff -filter" in caught.value.hint


def test_attributes_beside_the_state_and_in_git_s_own_folder_count_too(repository: Repository) -> None:
    repository.write(".git/info/attributes", "*.json -diff\n")
    with pytest.raises(StateError, match="diff: unset"):
        repository.store().read()
    repository.write(".git/info/attributes", "")
    repository.save("state/acme/.gitattributes", "*.json -diff\n")
    with pytest.raises(StateError, match="diff: unset"):
        repository.store().read()


@pytest.mark.parametrize(
    "line",
    [
        "* text",
        pytest.param("* text=auto", marks=pytest.mark.slow),
        pytest.param("* -text", marks=pytest.mark.slow),
        "state/** -text -filter",
        pytest.param("* diff", marks=pytest.mark.slow),
        pytest.param("* merge=union", marks=pytest.mark.slow),
        "* text eol=lf",
        pytest.param("*.md -diff", marks=pytest.mark.slow),
    ],
)
def test_attributes_that_hide_nothing_are_common_and_allowed(repository: Repository, line: str) -> None:
    repository.save(".gitattributes", f"{line}\n")
    assert repository.store().read() == {"manifest.json": b"{}\n", "groups/a.txt": b"1\n"}


def test_the_advice_about_attributes_helps(repository: Repository) -> None:
    repository.save(
        ".gitattributes", "* text eol=crlf -diff ident filter=lfs export-subst working-tree-encoding=UTF-8\n"
    )
    with pytest.raises(StateError) as caught:
        repository.store().read()
    advice = caught.value.hint.split("`")[1]
    attributes = repository.path / ".gitattributes"
    repository.save(".gitattributes", attributes.read_text() + advice + "\n")
    assert repository.store().read() == {"manifest.json": b"{}\n", "groups/a.txt": b"1\n"}


def test_attributes_of_a_deeper_folder_are_found_from_there(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "deep")
    repository.save("wiki/policies/a.yaml", "x\n")
    store = repository.store("wiki")
    store.commit({"a.json": b"1"}, "one", {})
    repository.save("wiki/.gitattributes", "*.json -diff\n")
    with pytest.raises(StateError, match=r"wiki/state/acme/a\.json") as caught:
        store.read()
    assert "`/wiki/state/** " in caught.value.hint
    git = Git(repository.path / "wiki", repository.environment)
    check_attributes(git, repository.head(), [])
    check_attributes(git, repository.head(), ["wiki/policies/a.yaml"])


def test_a_branch_whose_file_is_damaged_is_not_an_empty_one(repository: Repository) -> None:
    repository.write(".git/refs/heads/side", "")
    with pytest.raises(StateError, match="refs/heads/side is damaged"):
        repository.store(settings=StateSettings(branch="side")).read()


def test_a_branch_whose_commit_is_lost_is_not_an_empty_one(repository: Repository) -> None:
    repository.write(".git/refs/heads/side", "1" * 40 + "\n")
    with pytest.raises(StateError, match="which is no commit here"):
        repository.store(settings=StateSettings(branch="side")).read()


HOLD = """
import sys
from pathlib import Path
from cleanup_gitops.ledger.repository.store import GitStore
with GitStore(Path(sys.argv[1]), "acme", {"PATH": sys.argv[2]}).exclusive():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.case("E65")
def test_a_process_that_works_is_named_and_one_that_died_is_not_in_the_way(repository: Repository) -> None:
    arguments = [sys.executable, "-c", HOLD, str(repository.path), os.environ["PATH"]]
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(
            LeaseHeldError, match=rf"^Process {process.pid} of this machine works on acme since 20"
        ) as caught:
            repository.store().exclusive().__enter__()
        assert caught.value.exit_code == 6
        process.send_signal(signal.SIGKILL)
    with repository.store().exclusive():
        assert repository.store().read()
    assert repository.git("status", "--porcelain") == ""


def test_a_lock_that_cannot_be_made_is_a_clear_error(repository: Repository) -> None:
    (repository.path / ".git/cleanup-gitops-acme.lock").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"), repository.store().exclusive():
        pass


def loose(repository: Repository) -> int:
    return int(repository.git("count-objects").split()[0])


@pytest.mark.slow
def test_git_packs_what_lies_about_when_something_was_recorded(repository: Repository) -> None:
    repository.git("config", "gc.auto", "1")
    repository.git("config", "gc.autoDetach", "false")
    for number in range(600):
        repository.feed("hash-object", f"{number}\n", "-w", "--stdin")
    repository.git("update-index", "--refresh")
    store = repository.store()
    before = loose(repository)
    store.commit({"runs/r/intent.json": b"x"}, "intent", {})
    assert loose(repository) > before
    packs = len(list((repository.path / ".git/objects/pack").glob("*.pack")))
    store.commit({"ledger/2026-11.jsonl": b"x\n"}, "record", {})
    assert len(list((repository.path / ".git/objects/pack").glob("*.pack"))) > packs
    assert store.read()["ledger/2026-11.jsonl"] == b"x\n"


def test_maintenance_that_fails_does_not_matter(repository: Repository) -> None:
    repository.git("config", "gc.auto", "rubbish")
    commit = repository.store().commit({"ledger/2026-11.jsonl": b"x\n"}, "record", {})
    assert repository.head() == commit

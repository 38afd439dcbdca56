from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Timer

import pytest

from cleanup_gitops.ledger.memory import memory_of
from cleanup_gitops.ledger.record import Record
from cleanup_gitops.ledger.repository import checkout
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.errors import StateError, StoreError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Store
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.fakes import FakeClock
from tests.ledger.history import after, ground, run
from tests.ledger.repository import ENVIRONMENT
from tests.ledger.repository import Repository as Repository  # noqa: PLC0414 - other tests find it here
from tests.patience import STALLED

Files = dict[str, bytes | None]
TRAILERS = {"Run-Id": "r-1", "Site": "acme"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def records(count: int) -> list[Record]:
    """Runs one after the other, on a site whose last group goes away in the end."""
    found: list[Record] = []
    files: dict[str, bytes] = {}
    for number in range(count):
        groups = tuple(Group(id=f"g-{n}", name=f"Group {n}", directory="default") for n in range(count - number))
        inventory = Inventory(
            site="acme",
            hosting="cloud",
            as_of=some.AS_OF,
            users=tuple(
                User(id=f"712020:{n}", directory="default", groups=tuple(group.id for group in groups))
                for n in range(5)
            ),
            groups=groups,
            directories=(),
            proof=some.proof_of(5, len(groups)),
        )
        plan = some.plan_of(inventory, [], memory=ground(files).memory)
        record = run(files, plan, [], inventory)
        files = after(files, record)
        found.append(record)
    return found


def test_a_commit_is_dated_by_the_clock_of_the_run(repository: Repository) -> None:
    store = GitStore(repository.path, "acme", repository.environment, clock=FakeClock(some.AS_OF))
    assert store.read() == {}
    (record,) = records(1)
    store.commit(record.files, record.subject, record.trailers)
    dates = repository.git("log", "-1", "--format=%ad %cd", "--date=iso-strict").split()
    assert [datetime.fromisoformat(date) for date in dates] == [some.AS_OF, some.AS_OF]


def test_runs_that_were_committed_are_read_back_as_they_were(repository: Repository) -> None:
    store: Store = repository.store()
    assert store.read() == {}
    files: dict[str, bytes] = {}
    for record in records(3):
        commit = store.commit(record.files, record.subject, record.trailers)
        files = after(files, record)
        read = store.read()
        assert read == {path: data for path, data in files.items() if not path.startswith("runs/")}
        assert memory_of(read) == record.memory
        assert repository.git("rev-parse", "HEAD") == commit
        assert repository.git("status", "--porcelain") == ""
    assert repository.tree() == {f"state/acme/{path}": data for path, data in files.items()}
    assert repository.git("rev-list", "--count", "HEAD") == "3"


def test_the_commit_is_the_bots_and_says_what_the_run_did_in_trailers(repository: Repository) -> None:
    (record,) = records(1)
    repository.store().commit(record.files, record.subject, record.trailers)
    who = repository.git("log", "-1", "--format=%an <%ae> %cn <%ce>")
    assert who == "cleanup-gitops <cleanup-gitops@localhost> cleanup-gitops <cleanup-gitops@localhost>"
    assert repository.git("log", "-1", "--format=%s") == "acme: nothing to do, 5 accounts evaluated"
    shown = repository.git("log", "-1", "--format=%(trailers:only,unfold)").strip().splitlines()
    assert dict(line.split(": ", 1) for line in shown) == record.trailers
    for name, value in record.trailers.items():
        assert repository.git("log", "-1", f"--format=%(trailers:key={name},valueonly)").strip() == value


@pytest.mark.case("E79")
def test_state_is_checked_by_the_tools_that_every_auditor_has(repository: Repository) -> None:
    (record,) = records(1)
    repository.store().commit(record.files, record.subject, record.trailers)
    folder = repository.path / "state" / "acme"
    script = "find accounts groups -type f | xargs sha256sum | LC_ALL=C sort | sha256sum"
    told = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, check=True).stdout.decode()
    assert f"sha256:{told.split()[0]}" == record.trailers["State-Digest"]
    script = "tail -n 1 ledger/*.jsonl | tr -d '\\n' | sha256sum"
    told = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, check=True).stdout.decode()
    assert f"sha256:{told.split()[0]}" == record.trailers["Ledger-Head"]


def test_nothing_else_of_the_user_is_swept_in(repository: Repository) -> None:
    repository.save("policies/a.yaml", "committed\n")
    repository.write("policies/a.yaml", "staged\n")
    repository.git("add", "policies/a.yaml")
    repository.write("policies/a.yaml", "edited\n")
    repository.write("notes.txt", "untracked\n")
    before = repository.git("status", "--porcelain")
    for record in records(2):
        repository.store().commit(record.files, record.subject, record.trailers)
        changed = repository.git("show", "--name-only", "--format=", "HEAD").splitlines()
        assert changed
        assert all(path.startswith("state/acme/") for path in changed)
        assert repository.git("status", "--porcelain") == before
    assert repository.git("show", ":policies/a.yaml") == "staged"
    assert repository.git("show", "HEAD:policies/a.yaml") == "committed"


def test_a_repository_in_whose_folder_state_lies_deeper_works_too(repository: Repository) -> None:
    repository.save("tools/confluence/README", "x\n")
    store = repository.store("tools/confluence")
    for record in records(2):
        store.commit(record.files, record.subject, record.trailers)
        assert memory_of(store.read()) == record.memory
    assert repository.git("status", "--porcelain") == ""
    assert all(path.startswith("tools/confluence/") for path in repository.tree())


def test_a_linked_working_tree_works_too(repository: Repository, tmp_path: Path) -> None:
    repository.save("README", "x\n")
    repository.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    (record,) = records(1)
    store = GitStore(tmp_path / "linked", "acme", repository.environment)
    store.check_writable()
    store.commit(record.files, record.subject, record.trailers)
    assert memory_of(store.read()) == record.memory
    assert store.place == "other"
    assert repository.store().read() == {}
    assert repository.git("-C", str(tmp_path / "linked"), "status", "--porcelain") == ""


def test_a_detached_head_is_read_and_takes_no_record(repository: Repository) -> None:
    first, second = records(2)
    repository.store().commit(first.files, first.subject, first.trailers)
    repository.git("switch", "--quiet", "--detach")
    store = repository.store()
    assert memory_of(store.read()) == first.memory
    for attempt in (store.check_writable, lambda: store.commit(second.files, second.subject, second.trailers)):
        with pytest.raises(StoreError, match="HEAD is detached") as caught:
            attempt()
        assert "git switch BRANCH" in caught.value.hint
    assert store.place == "HEAD"


def settings(repository: Repository, *pairs: tuple[str, str]) -> None:
    for name, value in pairs:
        repository.git("config", "--global", name, value)


def test_no_configuration_of_the_user_gets_in_the_way(repository: Repository) -> None:
    hooks = repository.home / "hooks"
    hooks.mkdir()
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change"):
        (hooks / hook).write_text("#!/bin/sh\nexit 1\n")
        (hooks / hook).chmod(0o755)
    (repository.home / "attributes").write_text("* text eol=crlf\n")
    (repository.home / "ignore").write_text("state/\n*.jsonl\n")
    repository.save("README", "x\n")
    settings(
        repository,
        ("commit.gpgSign", "true"),
        ("gpg.program", "/nonexistent"),
        ("user.useConfigOnly", "true"),
        ("commit.template", "/nonexistent"),
        ("commit.cleanup", "scissors"),
        ("core.autocrlf", "true"),
        ("core.safecrlf", "true"),
        ("core.hooksPath", str(hooks)),
        ("core.attributesFile", str(repository.home / "attributes")),
        ("core.excludesFile", str(repository.home / "ignore")),
        ("core.splitIndex", "true"),
        ("i18n.commitEncoding", "ISO-8859-1"),
        ("status.showUntrackedFiles", "no"),
        ("log.showSignature", "true"),
        ("color.ui", "always"),
        ("column.ui", "always"),
    )
    repository.git("config", "--global", "--unset", "user.email")
    for record in records(3):
        repository.store().commit(record.files, record.subject, record.trailers)
        assert memory_of(repository.store().read()) == record.memory
    assert b"\nencoding" not in repository.git("cat-file", "commit", "HEAD").encode()


def test_filters_of_the_repository_keep_off_with_the_documented_line(repository: Repository) -> None:
    document = Path(__file__).parents[2] / "docs" / "state.md"
    advice = "/state/** -text -filter"
    assert f"`{advice}`" in document.read_text()
    repository.git("config", "filter.shout.clean", "tr a-z A-Z")
    repository.save(".gitattributes", f"* text eol=crlf\n*.jsonl filter=shout\n{advice}\n")
    for record in records(2):
        repository.store().commit(record.files, record.subject, record.trailers)
        assert memory_of(repository.store().read()) == record.memory
    shutil.rmtree(repository.path / "state")
    repository.git("checkout", "--quiet", "--", "state")
    assert memory_of(repository.store().read()) == record.memory
    assert b"\r" not in b"".join(repository.tree()[name] for name in repository.tree() if "state/" in name)


def test_variables_of_git_from_outside_do_not_lead_elsewhere(repository: Repository, tmp_path: Path) -> None:
    """As in a hook, where git has set them for the repository that runs it."""
    (tmp_path / "two").mkdir()
    other = Repository(tmp_path / "two" / "other")
    environment = repository.environment | {
        "GIT_DIR": str(other.path / ".git"),
        "GIT_WORK_TREE": str(other.path),
        "GIT_INDEX_FILE": str(other.path / ".git" / "index"),
        "GIT_AUTHOR_NAME": "Somebody Else",
        "GIT_OBJECT_DIRECTORY": str(other.path / ".git" / "objects"),
    }
    (record,) = records(1)
    store = GitStore(repository.path, "acme", environment)
    store.commit(record.files, record.subject, record.trailers)
    assert repository.git("log", "-1", "--format=%an") == "cleanup-gitops"
    assert other.tree() == {}


def test_without_an_environment_git_is_found_where_systems_put_it(repository: Repository) -> None:
    if shutil.which("git", path=os.defpath) is None:
        pytest.skip("git is not on the system's default PATH")
    (record,) = records(1)
    store = GitStore(repository.path, "acme")
    store.commit(record.files, record.subject, record.trailers)
    assert memory_of(store.read()) == record.memory


def staged(repository: Repository) -> None:
    repository.write("state/acme/memory.jsonl", "{}\n")
    repository.git("add", "state/acme/memory.jsonl")


@pytest.mark.parametrize(
    ("edit", "shown"),
    [
        (lambda r: r.write("state/acme/manifest.json", "{}"), "manifest.json"),
        pytest.param(lambda r: (r.path / "state/acme/manifest.json").unlink(), "manifest.json", marks=pytest.mark.slow),
        (lambda r: r.write("state/acme/accounts/zz.jsonl", "{}"), "accounts/zz.jsonl"),
        (staged, "memory.jsonl"),
        pytest.param(lambda r: r.git("rm", "--quiet", "-r", "state/acme"), ", …", marks=pytest.mark.slow),
    ],
    ids=["edited", "deleted", "untracked", "staged", "removed"],
)
def test_a_folder_that_differs_from_the_last_commit_is_neither_read_nor_written(
    repository: Repository, edit: Callable[[Repository], object], shown: str
) -> None:
    first, second = records(2)
    repository.store().commit(first.files, first.subject, first.trailers)
    edit(repository)
    before, head = repository.tree(), repository.git("rev-parse", "HEAD")
    with pytest.raises(StateError, match="state/acme differs from the last commit") as caught:
        repository.store().read()
    assert shown in caught.value.message
    with pytest.raises(StateError, match="differs from the last commit"):
        repository.store().commit(second.files, second.subject, second.trailers)
    assert (repository.tree(), repository.git("rev-parse", "HEAD")) == (before, head)
    for advice in ("git restore -SW -- state/acme", "git clean -fd -- state/acme"):
        assert advice in caught.value.hint
        repository.git(*advice.split()[1:])
    assert memory_of(repository.store().read()) == first.memory


def test_other_sites_and_other_folders_may_differ(repository: Repository) -> None:
    repository.write("state/other/manifest.json", "{}")
    (record,) = records(1)
    repository.store().commit(record.files, record.subject, record.trailers)
    assert memory_of(repository.store().read()) == record.memory


@pytest.mark.case("F13")
def test_state_that_moved_since_it_was_read_is_not_overwritten(repository: Repository) -> None:
    first, second = records(2)
    ours, theirs = repository.store(), repository.store()
    ours.commit(first.files, first.subject, first.trailers)
    assert theirs.read() == ours.read()
    ours.commit(second.files, second.subject, second.trailers)
    before = repository.tree()
    with pytest.raises(StateError, match="committed by somebody else while this run was under way"):
        theirs.commit(second.files, second.subject, second.trailers)
    assert repository.tree() == before
    assert memory_of(ours.read()) == second.memory


def test_commits_of_other_files_meanwhile_do_not_matter(repository: Repository) -> None:
    first, second = records(2)
    store = repository.store()
    store.commit(first.files, first.subject, first.trailers)
    store.read()
    repository.save("policies/a.yaml", "x\n")
    store.commit(second.files, second.subject, second.trailers)
    assert repository.git("show", "HEAD:policies/a.yaml") == "x"


def lock_index(repository: Repository) -> Path:
    return repository.write(".git/index.lock", "")


def lock_branch(repository: Repository) -> Path:
    return repository.write(".git/refs/heads/main.lock", "")


@pytest.mark.case("E77")
@pytest.mark.parametrize(
    ("block", "message"),
    [
        (lock_index, "Another git command is running"),
        (lock_branch, "git update-ref failed"),
    ],
)
def test_a_commit_that_fails_leaves_everything_as_it_was_and_can_be_repeated(
    repository: Repository, block: Callable[[Repository], Path], message: str
) -> None:
    first, second = records(2)
    repository.store().commit(first.files, first.subject, first.trailers)
    obstacle = block(repository)
    before, head = repository.tree(), repository.git("rev-parse", "HEAD")
    staged_before = repository.git("ls-files", "--stage")
    with pytest.raises(StateError, match=message) as caught:
        repository.store().commit(second.files, second.subject, second.trailers)
    assert "Nothing was recorded" in caught.value.hint
    assert (repository.tree(), repository.git("rev-parse", "HEAD")) == (before, head)
    assert repository.git("ls-files", "--stage") == staged_before
    obstacle.unlink()
    repository.store().commit(second.files, second.subject, second.trailers)
    assert memory_of(repository.store().read()) == second.memory
    assert not list((repository.path / ".git").glob("index?*"))


class Interrupted(Mapping[str, bytes | None]):
    """Files that are handed out one by one until somebody presses Ctrl-C."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def __getitem__(self, name: str) -> bytes | None:
        return self.files[name]

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[str]:
        yield from list(self.files)[:-1]
        raise KeyboardInterrupt


def test_an_interrupted_commit_leaves_everything_as_it_was(repository: Repository) -> None:
    first, second = records(2)
    repository.store().commit(first.files, first.subject, first.trailers)
    before = repository.tree()
    with pytest.raises(KeyboardInterrupt):
        repository.store().commit(Interrupted(second.files), second.subject, second.trailers)
    assert repository.tree() == before
    assert repository.git("status", "--porcelain") == ""
    repository.store().commit(second.files, second.subject, second.trailers)
    assert memory_of(repository.store().read()) == second.memory


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "a\nb", "a\0b", ""])
def test_a_path_outside_the_folder_is_refused(repository: Repository, name: str) -> None:
    with pytest.raises(StateError, match="no path below the folder of a site"):
        repository.store().commit({"manifest.json": b"x", name: b"x"}, "subject", {})
    assert repository.tree() == {}


def test_a_link_in_place_of_the_folder_is_not_followed(repository: Repository, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (repository.path / "state").symlink_to(elsewhere)
    with pytest.raises(StateError, match="is a link to somewhere else"):
        repository.store().commit({"manifest.json": b"x"}, "subject", {})
    assert list(elsewhere.iterdir()) == []


def test_a_link_among_the_recorded_files_is_refused(repository: Repository) -> None:
    link = repository.path / "state" / "acme" / "manifest.json"
    link.parent.mkdir(parents=True)
    link.symlink_to("/etc/passwd")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message", "link")
    with pytest.raises(StateError, match=r"state/acme/manifest\.json is not a plain file"):
        repository.store().read()


def test_without_a_repository_the_error_says_what_to_do(tmp_path: Path) -> None:
    store = GitStore(tmp_path, "acme", ENVIRONMENT)
    with pytest.raises(StateError, match="is not in the working tree of a git repository") as caught:
        store.read()
    assert "git init" in caught.value.hint


def test_a_bare_repository_holds_no_files(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    with pytest.raises(StateError, match="is not in the working tree"):
        GitStore(tmp_path / "bare", "acme", ENVIRONMENT).read()


def test_without_git_the_error_says_so(repository: Repository, tmp_path: Path) -> None:
    store = GitStore(repository.path, "acme", {"PATH": str(tmp_path)})
    with pytest.raises(StateError, match="git was not found"):
        store.read()


def test_without_the_folder_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="There is no folder"):
        GitStore(tmp_path / "absent", "acme", ENVIRONMENT).read()


def test_a_trailer_takes_one_line_whatever_it_holds(repository: Repository) -> None:
    repository.store().commit({"a": b"x"}, "one\nline", {"Site": "a\n\nKind: forged"})
    assert repository.git("log", "-1", "--format=%B").splitlines() == ["one line", "", "Site: a Kind: forged"]


def test_the_policy_commit_is_that_of_a_folder_without_edits(repository: Repository) -> None:
    assert repository.store().policy_commit() == ""
    repository.save("policies/a.yaml", "x\n")
    head = repository.git("rev-parse", "HEAD")
    assert repository.store().policy_commit() == head
    assert repository.store().policy_commit(repository.path / "policies") == head
    repository.write("notes.txt", "elsewhere")
    assert repository.store().policy_commit() == head
    repository.git("commit", "-q", "--allow-empty", "-m", "state only")
    assert repository.store().policy_commit() == head


@pytest.mark.parametrize(
    "edit",
    [
        lambda r: r.write("policies/a.yaml", "edited"),
        lambda r: r.write("policies/new.yaml", "x"),
        lambda r: (r.path / "policies/a.yaml").unlink(),
        lambda r: (r.write(".gitignore", "hidden.yml\n"), r.write("policies/hidden.yml", "x")),
        lambda r: shutil.rmtree(r.path / "policies"),
        lambda r: shutil.rmtree(r.path / ".git"),
        lambda r: shutil.rmtree(r.path / ".git" / "refs"),
    ],
    ids=["edited", "added", "deleted", "ignored", "no folder", "no repository", "broken"],
)
def test_policies_with_local_edits_have_no_commit(repository: Repository, edit: Callable[[Repository], object]) -> None:
    repository.save("policies/a.yaml", "x\n")
    edit(repository)
    assert repository.store().policy_commit() == ""


def test_ignored_files_that_are_no_policies_are_no_edits(repository: Repository) -> None:
    repository.save("policies/a.yaml", "x\n")
    repository.write(".gitignore", "*.swp\n")
    repository.write("policies/.a.yaml.swp", "x")
    assert repository.store().policy_commit() == repository.git("rev-parse", "HEAD")


@pytest.mark.case("E77")
@pytest.mark.parametrize(
    ("block", "message"),
    [
        (lock_index, "Another git command is running"),
        (lock_branch, "git update-ref failed"),
        (lambda r: r.write("state", "a file where a folder is needed"), "state/acme cannot be written"),
    ],
)
def test_what_would_keep_a_record_from_being_made_is_found_before(
    repository: Repository, block: Callable[[Repository], Path], message: str
) -> None:
    repository.save("README", "x\n")
    repository.store().check_writable()
    before = repository.snapshot()
    obstacle = block(repository)
    with pytest.raises(StoreError, match=message) as caught:
        repository.store().check_writable()
    assert caught.value.exit_code == 1
    obstacle.unlink()
    repository.store().check_writable()
    assert repository.snapshot() == before
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.case("E77")
def test_files_that_could_not_follow_are_said_and_the_record_is_kept(repository: Repository) -> None:
    store = repository.store()
    store.commit({"a": b"1"}, "one", {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # objects are small, the file itself is not
    try:
        commit = store.commit({"a": bytes(1_000_000)}, "two", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert repository.head() == commit
    (note,) = store.notes
    assert f"Recorded in main as {commit[:12]}, but the files in {repository.path} could not follow" in note
    with pytest.raises(StateError, match="differs from the last commit"):
        repository.store().read()
    repository.git(*note.split("`")[1].split()[1:])
    assert repository.store().read() == {"a": bytes(1_000_000)}
    assert not list((repository.path / ".git").glob("index?*"))


def test_a_repository_with_longer_names_of_objects_works_too(repository: Repository) -> None:
    shutil.rmtree(repository.path / ".git")
    repository.git("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    store = repository.store()
    store.check_writable()
    store.commit({"a": b"1", "b": b"2"}, "one", {})
    assert len(store.commit({"a": None}, "two", {})) == 64
    assert store.read() == {"b": b"2"}
    assert repository.git("status", "--porcelain") == ""


def test_two_sites_are_recorded_in_one_repository_at_the_same_time(repository: Repository) -> None:
    def record(site: str) -> dict[str, bytes]:
        store = repository.store(site=site)
        for number in range(4):
            store.commit({"a": b"%d" % number}, f"{site} {number}", {})
        return store.read()

    with ThreadPoolExecutor(2) as both:
        assert list(both.map(record, ["one", "two"])) == [{"a": b"3"}] * 2
    assert repository.git("rev-list", "--count", "HEAD") == "8"
    assert repository.git("status", "--porcelain") == ""


def test_a_remote_that_says_nothing_is_given_up(repository: Repository) -> None:
    git = Git(repository.path, repository.environment)
    answer = git.attempt("-c", "alias.silent=!sleep 60", "silent", patience=0.2)
    assert (answer.good, answer.words) == (False, "no answer in 0 seconds")


def test_an_index_that_is_locked_for_a_moment_is_waited_for(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "_WAITS", [0.1] * round(10 * STALLED))  # a moment of this machine may be long
    repository.save("README", "x\n")
    lock = lock_index(repository)
    waiting = Timer(0.15, lock.unlink)
    waiting.start()
    commit = repository.store().commit({"a": b"1"}, "one", {})
    waiting.join()
    assert repository.head() == commit

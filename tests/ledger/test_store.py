from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from cleanup_gitops.ledger.record import RunRecord, memory_of
from cleanup_gitops.ledger.store import GitStore
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.group import Group
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.ports import Store
from cleanup_gitops.model.user import User
from tests import strategies as some
from tests.ledger.history import after, run

Files = dict[str, bytes | None]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C"}
TRAILERS = {"Run-Id": "r-1", "Site": "acme"}


class Repository:
    """A real repository, used by a person with a configuration of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = path.with_name("home")
        self.home.mkdir()
        self.environment = ENVIRONMENT | {"HOME": str(self.home)}
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "--global", "user.name", "A Person")
        self.git("config", "--global", "user.email", "person@example.com")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.path, env=self.environment, capture_output=True, check=True)
        return done.stdout.decode().rstrip("\n")

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def save(self, name: str, text: str) -> None:
        self.write(name, text)
        self.git("add", "--force", name)
        self.git("commit", "--quiet", "--message", name)

    def store(self, folder: str = ".") -> GitStore:
        return GitStore(self.path / folder, "acme", self.environment)

    def tree(self) -> dict[str, bytes]:
        """Every file of the working tree."""
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.path).parts
        }


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def records(count: int) -> list[RunRecord]:
    """Runs one after the other, on a site whose last group goes away in the end."""
    found: list[RunRecord] = []
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
        plan = some.plan_of(inventory, [], memory=memory_of(files))
        record = run(files, plan, [], inventory)
        files = after(files, record)
        found.append(record)
    return found


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


def test_a_detached_head_and_a_linked_working_tree_work_too(repository: Repository, tmp_path: Path) -> None:
    repository.save("README", "x\n")
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    (record,) = records(1)
    store = GitStore(tmp_path / "linked", "acme", repository.environment)
    store.commit(record.files, record.subject, record.trailers)
    assert memory_of(store.read()) == record.memory
    assert repository.store().read() == {}


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
        (lambda r: (r.path / "state/acme/manifest.json").unlink(), "manifest.json"),
        (lambda r: r.write("state/acme/accounts/zz.jsonl", "{}"), "accounts/zz.jsonl"),
        (staged, "memory.jsonl"),
        (lambda r: r.git("rm", "--quiet", "-r", "state/acme"), ", …"),
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


def block_folder(repository: Repository) -> Path:
    """A file where a folder is needed: the write of a run's files fails in the middle."""
    blocked = repository.path / "state" / "acme" / "runs"
    shutil.move(blocked, repository.home / "runs")
    blocked.write_text("")
    repository.write(".gitignore", "/state/acme/runs\n")
    repository.git("rm", "--quiet", "-r", "--cached", "state/acme/runs")
    repository.git("commit", "--quiet", "--message", "runs moved away")
    return blocked


@pytest.mark.case("E77")
@pytest.mark.parametrize(
    ("block", "message"),
    [
        (lock_index, "Another git command is running"),
        (lock_branch, "git update-ref failed"),
        (block_folder, "state/acme cannot be written"),
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


def test_what_could_not_be_put_back_for_sure_is_said(repository: Repository) -> None:
    """A folder stands where a file is needed: it can neither be written nor taken away again."""
    (repository.path / "state/acme/b").mkdir(parents=True)
    with pytest.raises(StateError, match="state/acme cannot be written") as caught:
        repository.store().commit({"a": b"x", "b": b"x"}, "subject", {})
    assert "not all files could be put back" in caught.value.hint
    assert repository.tree() == {}


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "a\nb", ""])
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


def test_a_commit_that_replace_refs_hide_is_still_read(repository: Repository) -> None:
    first, second = records(2)
    store = repository.store()
    old = store.commit(first.files, first.subject, first.trailers)
    new = store.commit(second.files, second.subject, second.trailers)
    repository.git("replace", new, old)
    assert memory_of(repository.store().read()) == second.memory


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

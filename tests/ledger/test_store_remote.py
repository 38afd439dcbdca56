"""Records that are pushed: what the remote has is what counts, and a push is never forced."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.command import clean
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.errors import LeaseTakenError, StateError, StateMovedError, StoreError
from cleanup_gitops.policy.site import USUAL_PLACE, StateSettings
from tests.ledger.repository import Repository

SEPARATE = StateSettings(branch="state")
GIT = shutil.which("git") or "git"


class Office:
    """A bare remote and a clone of it that somebody works in."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        seed = Repository(tmp_path / "seed")
        seed.save("policies/a.yaml", "ours\n")
        self.remote = seed.clone(tmp_path / "remote.git", "--bare")
        self.clone = self.remote.clone(tmp_path / "clone")

    def another(self) -> Repository:
        return self.remote.clone(self.folder / f"another-{len(list(self.folder.iterdir()))}")

    def others_push(self, name: str = "policies/b.yaml", text: str = "theirs\n") -> str:
        other = self.another()
        other.save(name, text)
        other.git("push", "--quiet")
        return other.head()

    def hook(self, name: str, script: str) -> Path:
        path = self.remote.path / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def instead_of_push(self, script: str) -> None:
        """Stand in git's way: ``script`` runs for every push, with the real git as ``$GIT``."""
        folder = self.folder / "bin"
        folder.mkdir()
        wrapper = folder / "git"
        wrapper.write_text(
            f'#!/bin/sh\nGIT={GIT}\nfor word in "$@"; do if [ "$word" = push ]; then\n{script}\nfi; done\n'
            'exec "$GIT" "$@"\n'
        )
        wrapper.chmod(0o755)
        self.clone.environment = self.clone.environment | {"PATH": f"{folder}:{os.environ['PATH']}"}

    def store(self, settings: StateSettings = USUAL_PLACE) -> GitStore:
        return self.clone.store(settings=settings)

    def kept(self) -> tuple[object, ...]:
        return self.remote.snapshot(), self.clone.snapshot(), self.clone.head("refs/remotes/origin/main")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_record_is_pushed_and_everything_here_follows(office: Office) -> None:
    store = office.store()
    assert store.place == "origin/main"
    store.check_writable()
    commit = store.commit({"a": b"1"}, "one", {"Site": "acme"})
    assert office.remote.head("main") == commit
    assert [office.clone.head(ref) for ref in ("HEAD", "main", "origin/main")] == [commit] * 3
    assert office.clone.git("status", "--porcelain") == ""
    assert (office.clone.path / "state/acme/a").read_bytes() == b"1"
    assert store.notes == ()
    assert office.remote.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_an_empty_remote_gets_its_first_commit(tmp_path: Path) -> None:
    first = Repository(tmp_path / "first")
    remote = first.clone(tmp_path / "remote.git", "--bare")
    clone = remote.clone(tmp_path / "clone")
    store = clone.store()
    store.check_writable()
    assert store.read() == {}
    commit = store.commit({"a": b"1"}, "one", {})
    assert remote.head("main") == clone.head() == commit
    assert clone.git("status", "--porcelain") == ""


def test_a_branch_that_has_another_name_there_is_recorded_there(office: Office) -> None:
    office.clone.git("branch", "--quiet", "-m", "main", "local")
    store = office.store()
    assert store.place == "origin/main"
    assert store.commit({"a": b"1"}, "one", {}) == office.remote.head("main") == office.clone.head("local")


def test_with_none_nothing_is_pushed_or_asked(office: Office) -> None:
    shutil.rmtree(office.remote.path)
    store = office.store(StateSettings(remote="none"))
    store.check_writable()
    assert store.read() == {}
    assert store.commit({"a": b"1"}, "one", {}) == office.clone.head()
    assert store.place == "main"


def test_a_branch_that_tracks_nothing_is_read_and_takes_no_record_until_somebody_decides(office: Office) -> None:
    office.clone.git("switch", "--quiet", "--no-track", "-c", "idea")
    store = office.store()
    assert store.read() == {}
    for attempt in (store.check_writable, lambda: store.commit({"a": b"1"}, "one", {})):
        with pytest.raises(StoreError, match="not known where records belong") as caught:
            attempt()
        assert "git branch --set-upstream-to=" in caught.value.hint
        assert "spec.state.remote" in caught.value.hint
    with pytest.raises(StoreError, match="idea has commits that origin/idea lacks"):
        office.store(StateSettings(remote="origin")).read()
    office.clone.git("push", "--quiet", "origin", "idea")
    named = office.store(StateSettings(remote="origin"))
    assert named.read() == {}
    assert named.commit({"a": b"1"}, "one", {}) == office.remote.head("idea")


def test_a_state_of_its_own_is_not_taken_for_empty_while_its_remote_is_not_known(office: Office) -> None:
    office.clone.git("switch", "--quiet", "--detach")
    with pytest.raises(StoreError, match="not known where records belong"):
        office.store(SEPARATE).read()


def test_a_remote_that_is_not_there_is_named_neither_by_address_nor_silently_left_out(office: Office) -> None:
    with pytest.raises(StoreError, match="a remote that this repository has not") as caught:
        office.store(StateSettings(remote="https://user:secret@example.com/x")).read()
    assert "secret" not in str(caught.value)
    assert "Remotes: origin." in caught.value.hint


def test_a_name_that_no_branch_can_have_is_refused(office: Office) -> None:
    with pytest.raises(StoreError, match="cannot be the name of a branch"):
        office.store(StateSettings(branch="a..b")).read()


def test_who_is_behind_a_run_that_was_cut_off_is_told_of_it_and_how_to_come_to_its_record(office: Office) -> None:
    office.others_push("state/acme/leases/default.json", "theirs")
    with pytest.raises(LeaseTakenError) as caught:
        office.store().read()
    assert (caught.value.path, caught.value.data) == ("acme/leases/default.json", b"theirs")
    assert caught.value.hint.endswith("Run `git pull --ff-only` first.")


def test_a_branch_here_that_is_behind_must_be_pulled_first(office: Office) -> None:
    office.others_push()
    with pytest.raises(StoreError, match="main is behind origin/main") as caught:
        office.store().read()
    assert "git pull --ff-only" in caught.value.hint
    office.clone.git("pull", "--quiet", "--ff-only")
    assert office.store().read() == {}


@pytest.mark.parametrize("diverged", [False, True])
def test_commits_that_the_remote_lacks_are_neither_pushed_nor_dropped(office: Office, diverged: bool) -> None:
    office.clone.save("policies/mine.yaml", "mine\n")
    if diverged:
        office.others_push()
    before = office.clone.head(), office.remote.head("main")
    with pytest.raises(StoreError, match="main has commits that origin/main lacks") as caught:
        office.store().read()
    assert "git push origin main:main" in caught.value.hint
    assert (office.clone.head(), office.remote.head("main")) == before


@pytest.mark.case("E77")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'GH006: Protected branch update failed, ask boss@example.com' >&2; exit 1", "Protected branch"),
        ("echo 'fatal: write error: No space left on device' >&2; exit 1", "No space left on device"),
    ],
    ids=["protected", "full"],
)
def test_a_push_that_is_refused_leaves_everything_as_it_was(office: Office, script: str, words: str) -> None:
    store = office.store()
    store.commit({"a": b"1"}, "one", {})
    store.read()
    hook = office.hook("pre-receive", script)
    before = office.kept()
    with pytest.raises(StoreError, match=f"origin/main did not take the record: .*{words}") as caught:
        store.commit({"a": b"2"}, "two", {})
    assert "Nothing was recorded" in caught.value.hint
    assert "boss" not in str(caught.value)
    assert caught.value.exit_code == 1
    assert office.kept() == before
    hook.unlink()
    assert store.commit({"a": b"2"}, "two", {}) == office.remote.head("main")


@pytest.mark.case("E77")
def test_a_remote_that_cannot_store_the_record_leaves_everything_as_it_was(office: Office) -> None:
    store = office.store()
    store.read()
    office.remote.git("config", "receive.maxInputSize", "1")
    before = office.kept()
    with pytest.raises(StoreError, match="origin/main did not take the record"):
        store.commit({"a": b"1"}, "one", {})
    assert office.kept() == before


@pytest.mark.case("E77")
def test_a_remote_that_is_gone_is_said_before_and_after(office: Office) -> None:
    store = office.store()
    store.read()
    before = office.clone.snapshot()
    office.remote.path.rename(office.folder / "elsewhere")
    with pytest.raises(StoreError, match="did not answer whether it took the record"):
        store.commit({"a": b"1"}, "one", {})
    with pytest.raises(StoreError, match="origin/main cannot be fetched"):
        store.read()
    with pytest.raises(StoreError, match="origin/main cannot be pushed to"):
        store.check_writable()
    assert office.clone.snapshot() == before
    (office.folder / "elsewhere").rename(office.remote.path)
    assert store.commit({"a": b"1"}, "one", {}) == office.remote.head("main")


@pytest.mark.case("E77", "F12")
def test_a_push_whose_answer_was_lost_is_not_repeated(office: Office) -> None:
    office.instead_of_push('"$GIT" "$@"; echo "fatal: the remote end hung up unexpectedly" >&2; exit 128')
    store = office.store()
    commit = store.commit({"a": b"1"}, "one", {})
    assert office.remote.head("main") == office.clone.head() == commit
    assert office.remote.git("rev-list", "--count", "main") == "2"
    assert store.read() == {"a": b"1"}


def test_a_push_that_never_arrived_is_an_error_and_not_a_lost_race(office: Office) -> None:
    office.instead_of_push('echo "fatal: the remote end hung up unexpectedly" >&2; exit 128')
    before = office.kept()
    with pytest.raises(StoreError, match="hung up unexpectedly"):
        office.store().commit({"a": b"1"}, "one", {})
    assert office.kept() == before


@pytest.mark.case("F13")
def test_whoever_always_comes_second_gives_up_and_loses_nothing(office: Office) -> None:
    another = office.another()
    office.instead_of_push(
        f'"$GIT" -C {another.path} commit -q --allow-empty -m others; "$GIT" -C {another.path} push -q || exit 1'
    )
    with pytest.raises(StoreError, match="so often that no record found its turn"):
        office.store().commit({"a": b"1"}, "one", {})
    assert office.remote.git("rev-list", "--count", "main") == "6"
    assert office.remote.head("main") == another.head()


@pytest.mark.case("F13")
def test_history_that_was_rewritten_there_is_not_believed(office: Office) -> None:
    store = office.store()
    store.commit({"a": b"1"}, "one", {})
    known = office.clone.head()
    office.remote.git("update-ref", "refs/heads/main", f"{known}^")
    office.others_push()
    with pytest.raises(StateError, match="The history of origin/main was rewritten") as caught:
        office.store().read()
    assert caught.value.exit_code == 3
    assert known[:12] in caught.value.message
    with pytest.raises(StoreError):
        store.commit({"a": b"2"}, "two", {})
    assert office.clone.head() == known


def test_a_branch_that_was_deleted_there_is_not_an_empty_one(office: Office) -> None:
    store = office.store(SEPARATE)
    commit = store.commit({"a": b"1"}, "one", {})
    office.remote.git("update-ref", "-d", "refs/heads/state")
    with pytest.raises(StateError, match="The branch state is gone from the remote origin") as caught:
        office.store(SEPARATE).read()
    advice = caught.value.hint.split("`")[1]
    office.clone.git(*advice.split()[1:])
    assert office.remote.head("state") == commit
    assert office.store(SEPARATE).read() == {"a": b"1"}


def test_a_checkout_with_edits_in_the_way_stays_as_it_is_and_that_is_said(office: Office) -> None:
    store = office.store()
    store.read()
    office.others_push("policies/a.yaml", "changed by others\n")
    office.clone.write("policies/a.yaml", "edited here\n")
    before = office.clone.snapshot()
    commit = store.commit({"a": b"1"}, "one", {})
    assert office.remote.head("main") == commit
    assert office.remote.git("show", "main:policies/a.yaml") == "changed by others"
    assert office.clone.snapshot() == before
    (note,) = store.notes
    assert f"Recorded in origin/main as {commit[:12]}; the branch main here is behind" in note
    assert store.commit({"a": b"2"}, "two", {}) == office.remote.head("main")


def test_edits_that_are_not_in_the_way_stay_when_the_branch_follows(office: Office) -> None:
    store = office.store()
    store.read()
    office.others_push("policies/b.yaml", "theirs\n")
    office.clone.write("policies/a.yaml", "edited\n")
    office.clone.write("staged.txt", "staged\n")
    office.clone.git("add", "staged.txt")
    before = office.clone.git("status", "--porcelain")
    commit = store.commit({"a": b"1"}, "one", {})
    assert (office.clone.head(), store.notes) == (commit, ())
    assert office.clone.git("status", "--porcelain") == before
    assert (office.clone.path / "policies/b.yaml").read_text() == "theirs\n"


def held_index(office: Office) -> None:
    office.clone.write(".git/index.lock", "")


def own_commit(office: Office) -> None:
    office.clone.save("policies/mine.yaml", "mine\n")


@pytest.mark.parametrize(("meanwhile", "why"), [(held_index, "git command is running"), (own_commit, "of its own")])
def test_whatever_happens_here_meanwhile_the_record_is_pushed(
    office: Office, meanwhile: Callable[[Office], None], why: str
) -> None:
    store = office.store()
    store.read()
    meanwhile(office)
    before = office.clone.snapshot()
    commit = store.commit({"a": b"1"}, "one", {})
    assert office.remote.head("main") == commit
    assert office.clone.snapshot() == before
    assert why in store.notes[0]
    assert "git pull --ff-only" in store.notes[0]


def test_the_branch_that_was_read_gets_the_record_whatever_is_checked_out_later(office: Office) -> None:
    store = office.store()
    store.read()
    office.clone.git("switch", "--quiet", "--no-track", "-c", "idea")
    commit = store.commit({"a": b"1"}, "one", {})
    assert office.remote.head("main") == office.clone.head("main") == commit
    assert office.clone.head("idea") != commit
    assert office.clone.tree().keys() == {"policies/a.yaml"}


def test_state_on_a_branch_of_its_own_begins_with_nothing(office: Office) -> None:
    store = office.store(SEPARATE)
    store.check_writable()
    before = office.clone.snapshot()
    commit = store.commit({"a": b"1"}, "one", {})
    assert store.place == "origin/state"
    assert office.remote.git("ls-tree", "-r", "--name-only", "state") == "state/acme/a"
    assert office.remote.git("rev-list", "--parents", "state") == commit
    assert office.clone.snapshot() == before
    assert office.clone.head("origin/state") == commit


def test_a_branch_of_its_own_follows_here_when_it_is_not_checked_out(office: Office) -> None:
    first = office.store(SEPARATE).commit({"a": b"1"}, "one", {})
    office.clone.git("branch", "--quiet", "state", "origin/state")
    second = office.another().store(settings=SEPARATE).commit({"a": b"2"}, "two", {})
    assert office.clone.head("state") == first
    store = office.store(SEPARATE)
    assert store.read() == {"a": b"2"}
    assert office.clone.head("state") == second
    assert store.commit({"a": b"3"}, "three", {}) == office.remote.head("state") == office.clone.head("state")


def test_a_branch_of_its_own_with_commits_that_the_remote_lacks_is_refused(office: Office) -> None:
    office.store(SEPARATE).commit({"a": b"1"}, "one", {})
    office.clone.git("branch", "--quiet", "--no-track", "state", "origin/main")
    with pytest.raises(StoreError, match="The branch state has commits that origin/state lacks"):
        office.store(SEPARATE).read()


def test_edits_where_the_branch_of_its_own_is_checked_out_are_refused(office: Office) -> None:
    office.store(SEPARATE).commit({"a": b"1"}, "one", {})
    tree = office.folder / "tree"
    office.clone.git("worktree", "add", "--quiet", str(tree), "state")
    (tree / "state/acme/a").write_bytes(b"2")
    with pytest.raises(StateError, match="state/acme differs from the last commit") as caught:
        office.store(SEPARATE).read()
    assert f"git -C {tree} restore -SW -- state/acme" in caught.value.hint
    office.clone.git("-C", str(tree), "restore", "-SW", "--", "state/acme")
    store = office.store(SEPARATE)
    store.check_writable()
    store.commit({"a": b"3"}, "three", {})
    assert (tree / "state/acme/a").read_bytes() == b"3"
    assert office.clone.git("-C", str(tree), "status", "--porcelain") == ""


def test_state_in_a_deeper_folder_has_the_same_path_on_a_branch_of_its_own(office: Office) -> None:
    office.clone.save("wiki/policies/a.yaml", "x\n")
    office.clone.git("push", "--quiet")
    store = office.clone.store("wiki", settings=SEPARATE)
    store.commit({"a": b"1"}, "one", {})
    assert store.read() == {"a": b"1"}
    assert office.remote.git("ls-tree", "-r", "--name-only", "state") == "wiki/state/acme/a"


def test_a_shallow_clone_records_and_knows_the_commit_of_its_policies(office: Office) -> None:
    office.others_push("README", "x\n")
    shallow = office.remote.clone(office.folder / "shallow", "--depth=1", url=f"file://{office.remote.path}")
    store = shallow.store()
    assert store.policy_commit() == office.remote.head("main")
    assert store.read() == {}
    commit = store.commit({"a": b"1"}, "one", {})
    assert office.remote.head("main") == commit
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"


def test_a_shallow_clone_fetches_no_more_of_a_branch_of_its_own_than_it_needs(office: Office) -> None:
    first = office.store(SEPARATE)
    for number in range(3):
        first.commit({"a": str(number).encode()}, "one", {})
    shallow = office.remote.clone(office.folder / "shallow", "--depth=1", url=f"file://{office.remote.path}")
    store = shallow.store(settings=SEPARATE)
    assert store.read() == {"a": b"2"}
    assert shallow.git("rev-list", "--count", "origin/state") == "1"
    store.commit({"a": b"3"}, "two", {})
    assert first.read() == {"a": b"3"}
    first.commit({"a": b"4"}, "three", {})
    assert store.read() == {"a": b"4"}
    assert office.remote.git("rev-list", "--count", "state") == "5"


@pytest.mark.case("E77")
def test_a_full_disk_here_leaves_everything_as_it_was(office: Office) -> None:
    store = office.store()
    store.commit({"a": b"1"}, "one", {})
    before = office.kept()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StoreError) as caught:
            store.commit({"a": os.urandom(1_000_000)}, "two", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Nothing was recorded" in caught.value.hint
    assert office.kept() == before
    assert not list((office.clone.path / ".git").glob("fast_import_crash*"))
    assert store.commit({"a": b"2"}, "two", {}) == office.remote.head("main")


def test_a_store_that_lost_the_race_can_read_and_go_on(office: Office) -> None:
    ours, theirs = office.store(SEPARATE), office.another().store(settings=SEPARATE)
    assert ours.read() == theirs.read() == {}
    theirs.commit({"a": b"theirs"}, "theirs", {})
    with pytest.raises(StateMovedError):
        ours.commit({"a": b"ours"}, "ours", {})
    assert ours.read() == {"a": b"theirs"}
    ours.commit({"a": b"ours"}, "ours", {})
    assert theirs.read() == {"a": b"ours"}


@pytest.mark.case("E78")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("fatal: unable to access 'https://user:tok@en@host.example/x.git/': 403", "https://…@host.example/x.git/"),
        ("fatal: https://host.example/x?private_token=abc: no", "https://host.example/x?…"),
        ("remote: ask ada.lovelace@example.com\nremote:\nhint: pull", "remote: ask …@example.com"),
        ("To https://u:p@h/x\n ! [rejected] main -> main (fetch first)", "! [rejected] main -> main (fetch first)"),
        ("remote: \x1b[31mred\x1b[0m\x07", "remote: [31mred[0m"),
    ],
)
def test_words_of_a_remote_are_shown_without_secrets_people_and_tricks(said: str, shown: str) -> None:
    found = clean(said)
    assert shown in found
    assert not any(secret in found for secret in ("tok", "en@", "abc", "lovelace", "u:p", "\x1b", "\n", "hint"))


def test_words_without_end_are_cut() -> None:
    assert len(clean("x" * 5000)) < 1000


def test_a_token_in_the_address_of_a_remote_is_never_told(office: Office) -> None:
    office.clone.git("remote", "set-url", "origin", "http://user:s3cret@127.0.0.1:9/x.git")
    with pytest.raises(StoreError, match="cannot be fetched") as caught:
        office.store().read()
    assert "s3cret" not in str(caught.value)
    with pytest.raises(StoreError, match="cannot be pushed to") as caught:
        office.store().check_writable()
    assert "s3cret" not in str(caught.value)


def test_a_remote_that_is_busy_for_a_moment_is_asked_again(office: Office) -> None:
    office.instead_of_push(
        f"if mkdir {office.folder}/busy 2>/dev/null; then"
        " echo ' ! [remote rejected] main (cannot lock ref refs/heads/main)' >&2; exit 1; fi"
    )
    store = office.store()
    assert store.commit({"a": b"1"}, "one", {}) == office.remote.head("main") == office.clone.head()

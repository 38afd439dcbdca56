"""The laws of a store, for each adapter: what was committed is read, and nobody's record is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Protocol

import pytest

from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.errors import LeaseHeldError, LeaseTakenError, StateError, StateMovedError
from cleanup_gitops.model.ports import Store
from cleanup_gitops.policy.site import StateSettings
from tests.fake_store import FakeRepository, FakeStore
from tests.ledger.repository import Repository

TRAILERS = {"Site": "acme", "Run-Id": "r-1"}
LEASE = "leases/default.json"
SEPARATE = StateSettings(branch="state")


class Ground(Protocol):
    """A place where stores keep what they record. ``store`` gives another one each time, where it can in a clone."""

    def store(self, site: str = "acme") -> Store: ...

    def others_work(self) -> None:
        """Somebody commits a file that is no state."""

    def kept(self) -> tuple[object, ...]:
        """All that a refused commit must leave as it was."""
        ...

    def others_kept(self) -> bool:
        """Whether what somebody else committed is still there."""
        ...


class Memory:
    def __init__(self) -> None:
        self.repository = FakeRepository()

    def store(self, site: str = "acme") -> Store:
        return FakeStore(site, self.repository)

    def others_work(self) -> None:
        """There is nothing else in this repository."""

    def kept(self) -> tuple[object, ...]:
        return dict(self.repository.files), len(self.repository.commits)

    def others_kept(self) -> bool:
        return True


class InGit:
    """``clones`` gives the repository that a new store works in; ``branch`` is what holds the state."""

    def __init__(self, main: Repository, clone: Callable[[], Repository], branch: str, settings: StateSettings) -> None:
        self.main = main
        self.clone = clone
        self.branch = branch
        self.settings = settings
        self.clones: list[Repository] = []

    def store(self, site: str = "acme") -> Store:
        found = self.clone()
        self.clones.append(found)
        return GitStore(found.path, site, found.environment, self.settings)

    def others_work(self) -> None:
        """Built without a working tree, so that it goes to any branch of any repository, bare ones included."""
        git = self.main.git
        base = git("for-each-ref", "--format=%(objectname)", f"refs/heads/{self.branch}")
        tree = git("ls-tree", base) + "\n" if base else ""
        new = f"{tree}100644 blob {self._blob()}\tothers.txt\n"
        made = self.main.feed("mktree", new)
        parents = ["-p", base] if base else []
        commit = git("commit-tree", "-m", "others", *parents, made)
        git("update-ref", f"refs/heads/{self.branch}", commit)
        if self.main.checked_out(self.branch):
            git("reset", "--quiet", "--hard")

    def _blob(self) -> str:
        return self.main.feed("hash-object", "others\n", "-w", "--stdin")

    def kept(self) -> tuple[object, ...]:
        return self.main.snapshot(), *(one.snapshot() for one in self.clones)

    def others_kept(self) -> bool:
        return self.main.git("show", f"{self.branch}:others.txt") == "others"


def _clones(main: Repository, folder: Path, *options: str, url: str = "") -> Callable[[], Repository]:
    def clone() -> Repository:
        number = len(list(folder.glob("clone-*")))
        return main.clone(folder / f"clone-{number}", *options, url=url)

    return clone


def _with_tree(main: Repository, folder: Path) -> Callable[[], Repository]:
    """Clones in which the branch of the state is checked out beside the policies."""
    clone = _clones(main, folder)

    def made() -> Repository:
        found = clone()
        found.git("worktree", "add", "--quiet", str(found.path.with_name(f"{found.path.name}-state")), "state")
        return found

    return made


def _ground(kind: str, tmp_path: Path) -> Ground:
    if kind == "memory":
        return Memory()
    main = Repository(tmp_path / "main")
    main.save("policies/a.yaml", "ours\n")
    if kind == "local":
        return InGit(main, lambda: main, "main", StateSettings())
    bare = main.clone(tmp_path / "bare", "--bare")
    match kind:
        case "remote":
            return InGit(bare, _clones(bare, tmp_path), "main", StateSettings())
        case "shallow":
            return InGit(bare, _clones(bare, tmp_path, "--depth=1", url=f"file://{bare.path}"), "main", StateSettings())
        case "separate":
            return InGit(bare, _clones(bare, tmp_path), "state", SEPARATE)
        case _:
            empty = bare.feed("mktree", "")
            bare.git("update-ref", "refs/heads/state", bare.git("commit-tree", "-m", "state", empty))
            return InGit(bare, _with_tree(bare, tmp_path), "state", SEPARATE)


@pytest.fixture(
    params=[
        "memory",
        "local",
        "remote",
        pytest.param("separate", marks=pytest.mark.slow),
        pytest.param("checked out", marks=pytest.mark.slow),
        pytest.param("shallow", marks=pytest.mark.slow),
    ]
)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    return _ground(request.param, tmp_path)


def test_nothing_is_there_before_the_first_record(ground: Ground) -> None:
    store = ground.store()
    store.check_writable()
    assert (store.read(), store.leases(), store.run_files("r-1")) == ({}, {}, {})
    assert store.place


def test_what_was_committed_is_read_by_everybody(ground: Ground) -> None:
    store = ground.store()
    store.read()
    files = {"manifest.json": b"{}\n", "accounts/00.jsonl": b"\x00\xff\r\n", "runs/r-1/plan.json": b"plan"}
    commit = store.commit(files, "one", TRAILERS)
    state = {path: data for path, data in files.items() if not path.startswith("runs/")}
    assert store.read() == state
    store.check_writable()
    other = ground.store()
    assert other.read() == state
    assert other.run_files("r-1") == {"runs/r-1/plan.json": b"plan"}
    assert other.run_files("r-") == {}
    assert store.commit({"manifest.json": b"2"}, "two", TRAILERS) != commit
    assert store.commit({"manifest.json": b"3"}, "three", TRAILERS) != commit
    assert store.read() == state | {"manifest.json": b"3"}


def test_none_deletes_a_file_and_what_is_not_there_is_no_trouble(ground: Ground) -> None:
    store = ground.store()
    store.commit({"a": b"1", "groups/b.txt": b"2"}, "one", TRAILERS)
    store.commit({"groups/b.txt": None, "never": None}, "two", TRAILERS)
    assert store.read() == {"a": b"1"}
    store.commit({"a": None}, "three", TRAILERS)
    assert store.read() == {}
    store.commit({"a": b"4"}, "four", TRAILERS)
    assert ground.store().read() == {"a": b"4"}


def test_what_was_read_stays_what_was_read_until_it_is_read_again(ground: Ground) -> None:
    store = ground.store()
    assert store.run_files("r-1") == {}
    store.commit({"runs/r-1/plan.json": b"plan", LEASE: b"us"}, "one", TRAILERS)
    assert (store.run_files("r-1"), store.leases()) == ({}, {})
    store.read()
    assert store.run_files("r-1") == {"runs/r-1/plan.json": b"plan"}
    assert store.leases() == {f"acme/{LEASE}": b"us"}


@pytest.mark.case("E65")
def test_a_lease_of_any_site_is_seen_and_keeps_others_away(ground: Ground) -> None:
    first, second = ground.store(), ground.store("other")
    second.read()
    first.commit({LEASE: b"held"}, "intent", TRAILERS, free=[LEASE])
    before = ground.kept()
    with pytest.raises(LeaseTakenError) as caught:
        second.commit({LEASE: b"me too"}, "intent", TRAILERS, free=["leases/elsewhere.json", LEASE])
    assert (caught.value.path, caught.value.data, caught.value.exit_code) == (f"acme/{LEASE}", b"held", 6)
    assert ground.kept()[0] == before[0]
    second = ground.store("other")
    assert second.read() == {}
    assert second.leases() == {f"acme/{LEASE}": b"held"}
    second.commit({"leases/elsewhere.json": b"mine"}, "intent", TRAILERS, free=["leases/elsewhere.json"])
    first = ground.store()
    first.read()
    first.commit({LEASE: None}, "done", TRAILERS)
    third = ground.store("third")
    assert third.leases() == {"other/leases/elsewhere.json": b"mine"}
    third.commit({LEASE: b"now me"}, "intent", TRAILERS, free=[LEASE])


def test_what_the_newest_record_has_is_asked_without_reading_anew(ground: Ground) -> None:
    ours = ground.store()
    assert not ours.still_has({LEASE: b"ours"})
    ours.commit({LEASE: b"ours", "a": b"0"}, "intent", TRAILERS, free=[LEASE])
    assert ours.still_has({LEASE: b"ours"})
    assert not ours.still_has({LEASE: b"theirs"})
    assert not ours.still_has({LEASE: b"ours", "leases/2.json": b"ours"})
    ground.others_work()
    assert ours.still_has({LEASE: b"ours"})
    theirs = ground.store()
    theirs.read()
    theirs.commit({LEASE: None, "a": b"1"}, "recovery", TRAILERS)
    assert not ours.still_has({LEASE: b"ours"})
    with pytest.raises(StateMovedError):
        ours.commit({LEASE: None, "a": b"2"}, "run", TRAILERS)


@pytest.mark.case("F13")
def test_of_two_who_build_on_the_same_state_exactly_one_wins(ground: Ground) -> None:
    ground.store().commit({"a": b"0"}, "zero", TRAILERS)
    ours, theirs = ground.store(), ground.store()
    assert ours.read() == theirs.read()
    ours.commit({"a": b"ours", LEASE: b"ours"}, "ours", TRAILERS, free=[LEASE])
    before = ground.kept()
    with pytest.raises(StateMovedError) as caught:
        theirs.commit({"a": b"theirs"}, "theirs", TRAILERS)
    assert caught.value.exit_code == 6
    with pytest.raises(LeaseTakenError):
        theirs.commit({"a": b"theirs", LEASE: b"theirs"}, "theirs", TRAILERS, free=[LEASE])
    assert ground.kept()[0] == before[0]
    assert ground.store().read() == {"a": b"ours", LEASE: b"ours"}


@pytest.mark.case("F13")
def test_records_of_other_sites_and_other_work_meanwhile_stay(ground: Ground) -> None:
    store = ground.store()
    store.commit({"a": b"1"}, "one", TRAILERS)
    store.read()
    other = ground.store("other")
    other.read()
    other.commit({"b": b"1"}, "other", TRAILERS)
    ground.others_work()
    store.commit({"a": b"2"}, "two", TRAILERS)
    assert ground.others_kept()
    assert ground.store().read() == {"a": b"2"}
    assert ground.store("other").read() == {"b": b"1"}


def test_a_commit_that_cannot_be_leaves_everything_as_it_was(ground: Ground) -> None:
    store = ground.store()
    store.commit({"a": b"1"}, "one", TRAILERS)
    before = ground.kept()
    with pytest.raises(StateError, match="no path below the folder of a site"):
        store.commit({"a": b"2", "../outside": b"x"}, "two", TRAILERS)
    assert ground.kept() == before
    store.commit({"a": b"3"}, "three", TRAILERS)
    assert store.read() == {"a": b"3"}


@pytest.mark.case("E65")
def test_only_one_works_at_a_time(ground: Ground) -> None:
    if isinstance(ground, InGit):
        only = ground.clone()  # the lock is one of a repository, not of a machine
        ground.clone = lambda: only
    first, second, other = ground.store(), ground.store(), ground.store("other")
    with first.exclusive():
        with pytest.raises(LeaseHeldError, match="of this machine works on acme") as caught, second.exclusive():
            pass
        assert caught.value.exit_code == 6
        with other.exclusive():
            pass
    with second.exclusive():
        pass


@pytest.mark.case("E65", "F13")
@pytest.mark.parametrize("ground", ["remote", "separate", "checked out"], indirect=True)
def test_of_two_at_the_same_moment_exactly_one_wins(ground: Ground) -> None:
    stores = [ground.store(), ground.store()]
    for store in stores:
        store.read()
    together = Barrier(2)

    def commit(number: int) -> str:
        together.wait()
        try:
            stores[number].commit({"a": b"%d" % number, LEASE: b"%d" % number}, "one", TRAILERS, free=[LEASE])
        except (StateMovedError, LeaseTakenError):
            return "lost"
        return str(number)

    with ThreadPoolExecutor(2) as both:
        ends = sorted(both.map(commit, range(2)))
    assert ends[1] == "lost"
    assert ground.store().read() == {"a": ends[0].encode(), LEASE: ends[0].encode()}

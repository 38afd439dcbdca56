"""The policies of a revision are what git stores: found by name, written out of the way, and never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.committed import Committed, find_committed
from cleanup_gitops.model.errors import StoreError
from tests.ledger.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "here")
    found.save("policies/one.yaml", "one\n")
    return found


def found(repository: Repository, asked: str, folder: str = ".") -> tuple[Committed, Committed | None]:
    return find_committed(repository.path / folder, asked, repository.environment)


def written(one: Committed) -> dict[str, bytes]:
    with one.policies() as root:
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_range_names_both_ends_and_what_is_left_out_is_at_hand(repository: Repository) -> None:
    first = repository.head()
    repository.git("tag", "old")
    repository.save("policies/two.yaml", "two\n")
    second = repository.head()
    for asked, expected in (
        ("old..main", (first, second)),
        ("HEAD~1..HEAD", (first, second)),
        (f"{first[:10]}..{second[:10]}", (first, second)),
        ("old", (first, "")),
        ("old..", (first, "")),
        ("HEAD", (second, "")),
        ("..old", (second, first)),
    ):
        base, head = found(repository, asked)
        assert (base.commit, head.commit if head else "") == expected, asked
    base, _ = found(repository, "old")
    assert base.words == f"old ({first[:12]})"
    base, _ = found(repository, first[:20])
    assert base.words == first[:12]


def test_three_dots_begin_where_the_two_parted(repository: Repository) -> None:
    fork = repository.head()
    repository.git("switch", "--quiet", "--create", "topic")
    repository.save("policies/topic.yaml", "topic\n")
    topic = repository.head()
    repository.git("switch", "--quiet", "main")
    repository.save("policies/main.yaml", "main\n")
    base, head = found(repository, "main...topic")
    assert head is not None
    assert (base.commit, base.words, head.commit) == (fork, fork[:12], topic)
    repository.git("switch", "--quiet", "topic")
    base, head = found(repository, "main...")
    assert (base.commit, head) == (fork, None)
    repository.git("switch", "--quiet", "--orphan", "alone")
    repository.save("policies/alone.yaml", "alone\n")
    with pytest.raises(StoreError, match=r"The two sides of main\.\.\.alone have no commit in common") as caught:
        found(repository, "main...alone")
    assert "fetch-depth: 0" in caught.value.hint


@pytest.mark.parametrize(
    "asked", ["nowhere", "HEAD..nowhere", "main...nowhere", "--all", "nowhere...", "HEAD~9", "a b"]
)
def test_what_is_no_commit_is_said(repository: Repository, asked: str) -> None:
    with pytest.raises(StoreError, match=r"There is no commit '(nowhere|--all|HEAD~9|a b)' in "):
        found(repository, asked)


def test_everything_below_policies_is_written_out_as_it_was_and_is_gone_afterwards(repository: Repository) -> None:
    repository.save("policies/deep/er/two.yaml", "two\n")
    repository.save("policies/templates/notice/en.txt.j2", "Dear ä\n")
    repository.save("other/three.yaml", "three\n")
    repository.save("policies-old/four.yaml", "four\n")
    then, _ = found(repository, repository.head())
    repository.write("policies/one.yaml", "edited\n")
    repository.git("rm", "--quiet", "-r", "policies/deep")
    repository.git("commit", "--quiet", "--all", "--message", "later")
    before = repository.snapshot()
    assert written(then) == {
        "one.yaml": b"one\n",
        "deep/er/two.yaml": b"two\n",
        "templates/notice/en.txt.j2": "Dear ä\n".encode(),
    }
    with then.policies() as root:
        assert root.name == "policies"
        assert not root.is_relative_to(repository.path)
    assert not root.parent.exists()
    assert repository.snapshot() == before


def test_in_a_folder_of_a_larger_repository_its_own_policies_are_meant(repository: Repository) -> None:
    repository.save("teams/wiki/policies/own.yaml", "own\n")
    one, _ = found(repository, "HEAD", "teams/wiki")
    assert written(one) == {"own.yaml": b"own\n"}
    with pytest.raises(
        StoreError, match=r"Commit HEAD~1 \(.{12}\) has no folder teams/wiki/policies/, so there are no"
    ):
        written(found(repository, "HEAD~1", "teams/wiki")[0])


def test_neither_attributes_nor_replaced_objects_nor_variables_change_what_is_read(
    repository: Repository, tmp_path: Path
) -> None:
    one = repository.head("HEAD:policies/one.yaml")
    other = repository.feed("hash-object", "other\n", "-w", "--stdin")
    repository.git("replace", one, other)
    repository.save(".gitattributes", "* text eol=crlf filter=shout ident\n")
    repository.git("config", "filter.shout.smudge", "tr a-z A-Z")
    repository.environment |= {"GIT_DIR": str(tmp_path / "elsewhere"), "GIT_WORK_TREE": str(tmp_path)}
    assert written(find_committed(repository.path, "HEAD", repository.environment)[0]) == {"one.yaml": b"one\n"}


def test_links_stay_links_and_lead_where_they_led(repository: Repository) -> None:
    (repository.path / "policies/again.yaml").symlink_to("one.yaml")
    (repository.path / "policies/out.yaml").symlink_to("/etc/passwd")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "links")
    with found(repository, "HEAD")[0].policies() as root:
        assert (root / "again.yaml").read_bytes() == b"one\n"
        assert (root / "out.yaml").readlink() == Path("/etc/passwd")


def tree(repository: Repository, *rows: str) -> str:
    """A commit whose folder `policies` has these rows, which no usual git would write."""
    below = repository.feed("mktree", "".join(f"{row}\n" for row in rows))
    top = repository.feed("mktree", f"040000 tree {below}\tpolicies\n")
    return repository.git("commit-tree", "-m", "made by hand", top)


def test_a_tree_that_was_made_to_do_harm_writes_nothing_elsewhere(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    blob = repository.feed("hash-object", "harm\n", "-w", "--stdin")
    target = repository.feed("hash-object", str(outside), "-w", "--stdin")
    inner = repository.feed("mktree", f"100644 blob {blob}\tevil.yaml\n120000 blob {target}\tlink.yaml\n")
    through = tree(repository, f"120000 blob {target}\tdoor", f"040000 tree {inner}\tdoor")
    with pytest.raises(StoreError, match=r"The policies of .{12} cannot be written out: File exists\."):
        written(found(repository, through)[0])
    assert list(outside.iterdir()) == []


def test_what_lies_in_another_repository_is_not_taken_for_nothing(repository: Repository) -> None:
    module = tree(repository, f"160000 commit {repository.head()}\tshared")
    with pytest.raises(
        StoreError, match=r"policies/shared in .{12} is a submodule: what it holds is not in this repos"
    ):
        written(found(repository, module)[0])
    blob = repository.feed("hash-object", str(repository.path), "-w", "--stdin")
    linked = repository.feed("mktree", f"120000 blob {blob}\tpolicies\n")
    linked = repository.git("commit-tree", "-m", "a link", linked)
    with pytest.raises(StoreError, match=r"has no folder policies/, so there are no policies"):
        written(found(repository, linked)[0])


def test_outside_of_a_repository_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not in the working tree of a git repository"):
        find_committed(tmp_path, "HEAD", {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})


def test_a_missing_object_or_a_full_disk_is_an_error_of_its_own(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = found(repository, "HEAD")
    monkeypatch.setattr("tempfile.tempdir", str(repository.path / "nowhere"))
    with pytest.raises(StoreError, match="No temporary folder can be used"):
        written(one)
    monkeypatch.undo()
    name = repository.head("HEAD:policies/one.yaml")
    (repository.path / ".git/objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(StoreError, match=f"Object {name} is missing or damaged"):
        written(one)

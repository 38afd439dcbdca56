"""The history of a real repository, as git stores it and not as it may be made to look."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run as cleanup_gitops
from cleanup_gitops.ledger.audit.history import GitHistory
from cleanup_gitops.ledger.audit.verify import Verdict, verify
from cleanup_gitops.ledger.record import Record
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.policy.site import StateSettings
from tests.ledger.repository import Repository
from tests.ledger.verified import Chronicle, chronicle, inventory, suspend

ACCOUNT = "state/acme/accounts/6c.jsonl"


def commit(repository: Repository, records: list[Record], *, sign: bool = False, branch: str | None = None) -> None:
    """What a store records, with other people's commits in between."""
    store = repository.store(settings=StateSettings(sign=sign, branch=branch))
    for number, record in enumerate(records):
        store.read()
        store.commit(record.files, record.subject, record.trailers)
        if number % 3 == 0:
            repository.save("policies/a.yaml", f"# {number}")


def key(repository: Repository, name: str) -> Path:
    """A new SSH key that git signs with from now on; its public half."""
    path = repository.home / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    public = path.with_suffix(".pub")
    repository.git("config", "--global", "gpg.format", "ssh")
    repository.git("config", "--global", "user.signingKey", str(public))
    return public


def signers(repository: Repository, *public: Path) -> Path:
    path = repository.home / "allowed_signers"
    path.write_text("".join(f'bot namespaces="git" {one.read_text()}' for one in public))
    return path


def rewritten(repository: Repository, branch: str) -> None:
    """The same records made anew from the first one on, with somebody else in them; messages and chain fit."""
    repository.git("checkout", "--quiet", "--orphan", branch)
    repository.git("rm", "-r", "-f", "--quiet", "--ignore-unmatch", ".")
    repository.save("policies/a.yaml", branch)  # else the first commits would be the same when made within a second
    again = Chronicle()
    again.void()
    again.wait(days=1)
    again.run([suspend("u4")], inventory("u1", "u2", "u4", at=again.time))
    store = repository.store(settings=StateSettings(sign=True))
    for record in again.records:
        store.read()
        store.commit(record.files, record.subject, record.trailers)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    found = Repository(tmp_path_factory.mktemp("plain") / "repository")
    found.save("README.md", "ours")
    commit(found, chronicle().records)
    return found


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Branch ``main`` as it was recorded; ``anew`` with the same key and ``intruder`` with another one made anew."""
    found = Repository(tmp_path_factory.mktemp("signed") / "repository")
    signers(found, key(found, "bot"))
    commit(found, chronicle().records[:5], sign=True)
    rewritten(found, "anew")
    key(found, "intruder")
    rewritten(found, "intruder")
    found.git("config", "--global", "user.signingKey", str(found.home / "bot.pub"))
    found.git("checkout", "--quiet", "main")
    return found


def copy_of(repository: Repository, folder: Path) -> Repository:
    made = object.__new__(Repository)
    made.path, made.home = folder / "repository", folder / "home"
    shutil.copytree(repository.path, made.path)
    shutil.copytree(repository.home, made.home)
    made.environment = repository.environment | {"HOME": str(made.home)}
    return made


@pytest.fixture
def repository(plain: Repository, tmp_path: Path) -> Repository:
    """Nine commits of a record, with other people's commits in between."""
    return copy_of(plain, tmp_path)


@pytest.fixture
def trusted(signed: Repository, tmp_path: Path) -> Repository:
    """Five commits of a record, each of them signed with the bot's key."""
    return copy_of(signed, tmp_path)


def verdict(
    repository: Repository, pin: str = "", *, allowed: Path | None = None, branch: str | None = None
) -> Verdict:
    history = GitHistory(repository.path, "acme", repository.environment, branch=branch)
    commits = history.commits()
    return verify(
        "acme",
        commits,
        history.contents,
        pin=pin,
        signatures=history.signatures(commits, allowed) if allowed else None,
        oddities=history.oddities(),
    )


def judged(repository: Repository, pin: str = "") -> Verdict:
    return verdict(repository, pin, allowed=repository.home / "allowed_signers")


def whats(found: Verdict) -> str:
    return "; ".join(f"{one.where} {one.what}" for one in found.findings)


def test_what_the_store_recorded_is_whole(repository: Repository) -> None:
    found = verdict(repository)
    assert found.findings == ()
    assert (found.commits, found.entries, found.intents) == (9, 7, 2)
    head = repository.git("log", "-1", "--format=%(trailers:key=Ledger-Head,valueonly)", "--", "state").strip()
    assert found.head == head
    assert verdict(repository, pin=head).pinned
    assert (found.signatures.signed, found.signatures.unsigned) == (0, 9)


def test_a_folder_of_a_larger_repository_is_read_the_same(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.save("wiki/policies/a.yaml", "ours")
    store = repository.store("wiki")
    for record in chronicle().records[:2]:
        store.read()
        store.commit(record.files, record.subject, record.trailers)
    history = GitHistory(repository.path / "wiki", "acme", repository.environment)
    assert len(history.commits()) == 2
    assert verify("acme", history.commits(), history.contents, oddities=history.oddities()).whole


def test_a_bare_clone_and_a_packed_one_are_read_the_same(repository: Repository, tmp_path: Path) -> None:
    bare = repository.clone(tmp_path / "bare", "--bare")
    repository.git("gc", "--quiet")
    assert verdict(bare) == verdict(repository)


def test_a_merge_of_other_work_changes_nothing(repository: Repository) -> None:
    repository.git("switch", "--quiet", "-c", "side", "HEAD~2")
    repository.save("policies/b.yaml", "side")
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-edit", "side")
    assert verdict(repository).whole


def test_a_record_that_came_in_by_a_merge_is_read_commit_by_commit(repository: Repository) -> None:
    """Somebody had commits of their own, pulled with a merge, and pushed: the record is on the second parent's side."""
    whole, tip = verdict(repository), repository.head()
    repository.git("reset", "--quiet", "--hard", "HEAD~5")
    repository.save("policies/b.yaml", "mine")
    repository.git("merge", "--quiet", "--no-edit", tip)
    assert verdict(repository) == whole


@pytest.mark.parametrize("strategy", ["ours", "theirs"])
def test_a_merge_cannot_leave_aside_what_was_recorded(trusted: Repository, strategy: str) -> None:
    """Without any push by force: the branch goes on, and another record takes the place of the one there was."""
    ours, other = ("anew", "main") if strategy == "ours" else ("main", "anew")
    made = trusted.git("commit-tree", "anew^{tree}", "-p", ours, "-p", other, "-m", "merge")
    trusted.git("reset", "--quiet", "--hard", made)
    found = verdict(trusted)
    assert {one.where for one in found.findings} == {"history"}
    assert len(found.findings) == 5
    assert "beside the history that counts" in found.findings[0].what


def made(repository: Repository, tree: str, message: str, *parents: str) -> None:
    """A commit with this tree and message in place of the tip."""
    given = [word for parent in parents for word in ("-p", repository.head(parent))]
    repository.git("reset", "--quiet", "--hard", repository.feed("commit-tree", message, repository.head(tree), *given))


def test_records_that_were_made_side_by_side_are_found(repository: Repository) -> None:
    """A merge that is a record itself, of two histories of which each could be the one that counts."""
    message, tip = repository.git("log", "-1", "--format=%B", "--", "state"), repository.head()
    made(repository, "HEAD~1^{tree}", message, "HEAD~2")
    made(repository, f"{tip}^{{tree}}", message, "HEAD", f"{tip}~1")
    shown = whats(verdict(repository))
    assert "history is a merge, and no record is one" in shown
    assert "records were made side by side" in shown or "a merge left it aside" in shown


def test_a_record_that_takes_other_files_along_is_found(repository: Repository) -> None:
    whole, message = verdict(repository).commits, repository.git("log", "-1", "--format=%B", "--", "state")
    repository.git("reset", "--quiet", "--soft", repository.git("rev-list", "-1", "HEAD", "--", "state") + "~1")
    repository.write("policies/more.yaml", "# nobody looks at commits of a bot")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", message)
    found = verdict(repository)
    assert found.commits == whole
    assert "policies/more.yaml was changed in the same commit, outside of the record" in whats(found)


def test_a_message_that_says_more_than_its_record_is_found(repository: Repository) -> None:
    repository.git("reset", "--quiet", "--hard", repository.git("rev-list", "-1", "HEAD", "--", "state"))
    message = repository.git("log", "-1", "--format=%B") + "\n"
    for said in (
        message.replace("Approved-by:", "Approved-by: 712020:boss\nApproved-by:"),
        f"{message}approved-by: 712020:boss\n",
        message.replace("\nAccounts", "\n 712020:boss\nAccounts"),
        message.replace("\n\n", "\n\nSeen by the board.\n\n"),
        message.replace("\n\n", "\nSeen by the board.\n\n"),
    ):
        made(repository, "HEAD^{tree}", said, "HEAD~1")
        assert (
            whats(verdict(repository)) == "commit message it says more than a subject and trailers, each of them once"
        )
    made(repository, "HEAD^{tree}", message, "HEAD~1")
    assert verdict(repository).whole


def test_a_file_whose_name_is_no_text_is_told_in_text_and_json(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository.path / os.fsdecode(b"state/acme/\xff\x1b[2K\r")).write_text("x")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "tidy")
    for form, name in (("text", r"\udcff\x1b[2K\r"), ("json", r"\\udcff\u001b[2K\r")):
        assert cleanup_gitops(["-C", str(repository.path), "audit", "verify", "--format", form]) == 3
        assert name in capsys.readouterr().out


def test_a_folder_that_never_was_a_record_is_forgotten_once_it_is_gone(repository: Repository) -> None:
    there = ["-C", str(repository.path), "audit", "verify"]
    repository.save("state/my notes/a.txt", "x")
    assert cleanup_gitops(there) == 3
    repository.git("rm", "-r", "--quiet", "state/my notes")
    repository.git("commit", "--quiet", "--message", "tidy")
    assert cleanup_gitops(there) == 0


def test_a_folder_without_git_is_named_with_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cleanup_gitops(["-C", str(tmp_path), "audit", "verify"]) == 1
    shown = capsys.readouterr().err
    assert f"{tmp_path} is in no git repository that can be read" in shown
    assert "`cleanup-gitops -C FOLDER audit verify`" in shown


def test_the_branch_that_was_looked_at_is_not_where_to_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository = Repository(tmp_path / "repository")
    repository.save("state/.gitkeep", "")
    assert cleanup_gitops(["-C", str(repository.path), "audit", "verify"]) == 1
    shown = capsys.readouterr().err
    assert "The first apply leaves the first record." in shown
    assert "--branch" not in shown


def test_a_branch_of_its_own_is_named_when_nothing_is_recorded_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path / "repository")
    repository.save("README.md", "ours")
    commit(repository, chronicle().records[:2], branch="state")
    clone = repository.clone(tmp_path / "clone")
    assert cleanup_gitops(["-C", str(clone.path), "audit", "verify"]) == 1
    shown = capsys.readouterr().err
    assert "Nothing is recorded in this branch" in shown
    assert ".." not in shown
    assert "Say with --branch where to look: origin/state." in shown
    with monkeypatch.context() as inside:
        inside.chdir(clone.path)
        assert cleanup_gitops(["audit", "verify"]) == 1
        assert cleanup_gitops(["audit", "verify", "--site", "acme"]) == 1
    shown = capsys.readouterr().err
    assert "Error: Nothing is recorded in this branch.\n" in shown
    assert "Error: Nothing is recorded for a site 'acme' in this branch.\n" in shown
    assert cleanup_gitops(["-C", str(clone.path), "audit", "verify", "--branch", "origin/state"]) == 0
    assert cleanup_gitops(["-C", str(clone.path), "audit", "verify", "--branch", "state"]) == 0
    assert cleanup_gitops(["-C", str(repository.path), "audit", "verify", "--branch", "state"]) == 0
    capsys.readouterr()
    assert cleanup_gitops(["-C", str(repository.path), "audit", "verify", "--branch", "none"]) == 1
    assert "There is no branch 'none'" in capsys.readouterr().err


def edit(repository: Repository) -> None:
    file = repository.path / ACCOUNT
    file.write_bytes(file.read_bytes().replace(b"seat", b"none", 1))


def test_a_past_line_that_is_edited_in_a_commit_of_its_own_is_found(repository: Repository) -> None:
    path = repository.path / "state/acme/ledger/2026-11.jsonl"
    path.write_bytes(path.read_bytes().replace(b"user.disable", b"user.enable!", 1))
    repository.git("commit", "--quiet", "--all", "--message", "tidy")
    assert "was edited: lines that were recorded before are changed or gone" in whats(verdict(repository))


def test_a_past_line_that_is_deleted_in_a_commit_of_its_own_is_found(repository: Repository) -> None:
    path = repository.path / "state/acme/ledger/2026-11.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    repository.git("commit", "--quiet", "--all", "--message", "tidy")
    assert "was edited: lines that were recorded before are changed or gone" in whats(verdict(repository))


def test_the_whole_record_deleted_is_found(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.git("rm", "-r", "--quiet", "state")
    repository.git("commit", "--quiet", "--message", "tidy")
    assert cleanup_gitops(["-C", str(repository.path), "audit", "verify"]) == 3
    assert "acme: the recorded history does NOT fit itself" in capsys.readouterr().out


@pytest.mark.parametrize("fake", ["link", "submodule"])
def test_what_is_no_plain_file_is_found(repository: Repository, fake: str) -> None:
    blob = repository.git("hash-object", "-w", "README.md")
    mode, name = ("120000", blob) if fake == "link" else ("160000", repository.head())
    for path in ("state/acme/groups/wiki.txt", "state/acme/more"):
        repository.git("update-index", "--add", "--cacheinfo", f"{mode},{name},{path}")
        repository.git("commit", "--quiet", "--message", "tidy")
        assert f"{path.removeprefix('state/acme/')} is no plain file" in whats(verdict(repository))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (".gitattributes", "state/** -diff"),
        (".gitattributes", "*.jsonl filter=x"),
        ("state/.gitattributes", "* export-ignore"),
        (".git/info/attributes", "state/** diff=x"),
    ],
)
def test_attributes_that_hide_content_are_found_in_the_commit_that_has_them(
    repository: Repository, name: str, line: str
) -> None:
    if name.startswith(".git/"):
        repository.write(name, f"{line}\n")
    else:
        repository.save(name, f"{line}\n")
        repository.save(name, "")
    found = [one for one in verdict(repository).findings if one.where == "attributes"]
    assert "git attributes hide or change what stands in state/acme/" in found[0].what


def test_attributes_that_hide_nothing_are_none(repository: Repository) -> None:
    repository.save(".gitattributes", "* text=auto\n*.png binary\nstate/** -text\n")
    assert verdict(repository).whole


def test_replaced_objects_are_refused(repository: Repository) -> None:
    whole = verdict(repository)
    repository.git("replace", repository.head("HEAD~1"), repository.head("HEAD~3"))
    with pytest.raises(StateError, match="replaces objects"):
        verdict(repository)
    repository.git("replace", "-d", repository.head("HEAD~1"))
    assert verdict(repository) == whole


def test_grafts_are_refused(repository: Repository) -> None:
    repository.write(".git/info/grafts", repository.head() + "\n")
    with pytest.raises(StateError, match="grafts"):
        verdict(repository)


def test_a_shallow_clone_is_refused_with_the_way_out(repository: Repository, tmp_path: Path) -> None:
    clone = repository.clone(tmp_path / "clone", "--depth=1", url=f"file://{repository.path}")
    with pytest.raises(StateError, match="shallow") as caught:
        verdict(clone)
    assert "--unshallow" in caught.value.hint


def test_content_that_is_missing_or_damaged_is_said(repository: Repository) -> None:
    blob = repository.git("rev-parse", f"HEAD:{ACCOUNT.replace('6c', 'bb')}")
    path = repository.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.unlink(missing_ok=True)
    for pack in (repository.path / ".git" / "objects" / "pack").glob("*"):
        pack.unlink()
    with pytest.raises(StateError, match=r"(missing|damaged) in"):
        verdict(repository)


# What a rewrite by somebody who may push shows, and what it does not.


def test_signed_records_are_judged_by_keys_from_outside(trusted: Repository) -> None:
    trusted.git("config", "i18n.logOutputEncoding", "UTF-16")
    found = judged(trusted)
    assert found.findings == ()
    assert (found.signatures.signed, found.signatures.unsigned, found.signatures.judged) == (5, 0, True)


def test_history_rewritten_with_another_key_fits_itself_and_is_found_by_signatures_and_by_a_pin(
    trusted: Repository,
) -> None:
    pin = judged(trusted).head
    trusted.git("reset", "--quiet", "--hard", "intruder")
    assert verdict(trusted).whole
    assert verdict(trusted, pin).findings[-1].what.startswith(f"{pin} is not part of this history")
    wrong = judged(trusted)
    assert {one.where for one in wrong.findings} == {"signature"}
    assert len(wrong.findings) == wrong.commits
    assert all(one.commit and "not among the allowed signers" in one.what for one in wrong.findings)


def test_history_cut_off_or_rewritten_with_the_real_key_is_silent_without_a_pin_and_found_with_it(
    trusted: Repository,
) -> None:
    head, last = judged(trusted).head, trusted.head()
    trusted.git("reset", "--quiet", "--hard", trusted.git("rev-list", "-1", "HEAD~2", "--", "state"))
    assert judged(trusted).whole
    for pin in (head, last):
        assert not judged(trusted, pin).whole
    trusted.git("reset", "--quiet", "--hard", "anew")
    assert judged(trusted).whole
    for pin in (head, last):
        assert not judged(trusted, pin).whole


def test_state_changed_without_an_entry_is_found_although_the_commit_is_signed_well(trusted: Repository) -> None:
    edit(trusted)
    trusted.git("commit", "--quiet", "--all", "-S", "--message", "tidy")
    found = judged(trusted)
    assert "signature" not in {one.where for one in found.findings}
    assert "adds 0 lines" in whats(found)


def test_a_line_edited_or_deleted_by_an_unsigned_commit_is_found_by_its_signature_too(trusted: Repository) -> None:
    edit(trusted)
    trusted.git("commit", "--quiet", "--all", "--no-gpg-sign", "--message", "tidy")
    (found,) = (one for one in judged(trusted).findings if one.where == "signature")
    assert (found.commit, found.what) == (trusted.head(), "it is not signed")


def test_the_command_judges_signatures_and_warns_of_keys_in_the_repository(
    trusted: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(trusted.home))
    there = ["-C", str(trusted.path), "audit", "verify"]
    allowed = trusted.home / "allowed_signers"
    assert cleanup_gitops([*there, "--allowed-signers", str(allowed)]) == 0
    shown = capsys.readouterr()
    assert "Signatures: every commit was compared with the allowed signers." in shown.out
    assert shown.err == ""

    assert cleanup_gitops(there) == 0
    assert "5 of the commits are signed; by whom was not checked" in capsys.readouterr().out

    inside = trusted.write("allowed_signers", allowed.read_text())
    assert cleanup_gitops([*there, "--allowed-signers", str(inside)]) == 0
    assert "lies in the repository that it judges" in capsys.readouterr().err

    allowed.write_text("")
    assert cleanup_gitops([*there, "--allowed-signers", str(allowed)]) == 3
    assert "not among the allowed signers" in capsys.readouterr().out


def test_the_command_tells_people_and_programs(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    there = ["-C", str(repository.path), "audit", "verify"]
    head = verdict(repository).head

    assert cleanup_gitops(there) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("acme: the recorded history is whole.\nChecked: 9 commits, 7 ledger entries")
    assert f"Ledger head: {head}" in shown

    assert cleanup_gitops([*there, "--pin", head, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["whole"], document["sites"][0]["pinned"]) == (True, True)

    assert cleanup_gitops([*there, "--pin", repository.head()]) == 0
    assert "The pinned record is part of this history." in capsys.readouterr().out

    assert cleanup_gitops([*there, "--pin", f"sha256:{'0' * 64}"]) == 3
    assert "not part of this history" in capsys.readouterr().out


def test_a_site_that_was_never_recorded_is_an_error_that_names_those_that_are(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cleanup_gitops(["-C", str(repository.path), "audit", "verify", "--site", "acmee"]) == 1
    shown = capsys.readouterr().err
    assert "Nothing is recorded for a site 'acmee'" in shown
    assert "Recorded here: acme." in shown


def test_a_wrong_pin_an_empty_repository_and_no_repository_are_clear_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = Repository(tmp_path / "repository")
    there = ["-C", str(repository.path), "audit", "verify"]
    assert cleanup_gitops([*there, "--pin", "head"]) == 1
    assert "full id of a commit" in capsys.readouterr().err
    assert cleanup_gitops(there) == 1
    assert "nothing is recorded" in capsys.readouterr().err
    (tmp_path / "elsewhere").mkdir()
    assert cleanup_gitops(["-C", str(tmp_path / "elsewhere"), "audit", "verify"]) == 1
    assert "not a git repository" in capsys.readouterr().err

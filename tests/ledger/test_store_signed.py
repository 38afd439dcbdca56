"""Records that are signed with an SSH key, and signatures that count or do not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.signatures import head_signature, signatures
from cleanup_gitops.ledger.repository.store import GitStore
from cleanup_gitops.model.errors import StateError, StoreError
from cleanup_gitops.policy.site import StateSettings
from tests.ledger.repository import Repository

SIGNED = StateSettings(sign=True)
CHECKED = StateSettings(sign=True, allowed_signers="SIGNERS")


class Signer:
    """A person with a repository, keys, and a file outside it with the keys that count."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.repository = Repository(tmp_path / "repository")
        self.repository.save("README", "x\n")
        self.allowed = tmp_path / "allowed"
        self.allowed.write_text("")
        self.key = self.make("key")
        self.allow(self.key)
        self.repository.git("config", "--global", "gpg.format", "ssh")
        self.use(self.key)
        self.repository.environment = self.repository.environment | {"SIGNERS": str(self.allowed)}

    def make(self, name: str, passphrase: str = "") -> Path:
        path = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(path)], check=True)
        return path

    def allow(self, key: Path, more: str = "") -> None:
        public = key.with_suffix(".pub").read_text()
        self.allowed.write_text(self.allowed.read_text() + f'bot {more}namespaces="git" {public}')

    def use(self, key: Path) -> None:
        self.repository.git("config", "--global", "user.signingKey", str(key))

    def store(self, settings: StateSettings = CHECKED) -> GitStore:
        return self.repository.store(settings=settings)

    @property
    def git(self) -> Git:
        return Git(self.repository.path, self.repository.environment)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path)


def test_a_record_is_signed_and_counts(signer: Signer) -> None:
    store = signer.store()
    assert store.read() == {}
    store.check_writable()
    commit = store.commit({"a": b"1"}, "one", {"Site": "acme"})
    assert signer.repository.git("cat-file", "commit", commit).count("BEGIN SSH SIGNATURE") == 1
    assert head_signature(signer.git, commit, signer.allowed) is None
    assert store.read() == {"a": b"1"}
    signer.repository.save("policies/a.yaml", "other work is not signed\n")
    assert store.read() == {"a": b"1"}


def test_without_a_wish_nothing_is_signed(signer: Signer) -> None:
    commit = signer.store(StateSettings()).commit({"a": b"1"}, "one", {})
    assert "SIGNATURE" not in signer.repository.git("cat-file", "commit", commit)


def test_a_last_record_that_is_not_signed_does_not_count(signer: Signer) -> None:
    signer.store().commit({"a": b"1"}, "one", {})
    commit = signer.store(StateSettings()).commit({"a": b"2"}, "two", {})
    with pytest.raises(StateError, match=f"{commit} that last changed state/acme .* it is not signed") as caught:
        signer.store().read()
    assert caught.value.exit_code == 3


def test_a_key_that_is_not_allowed_does_not_count(signer: Signer) -> None:
    signer.use(signer.make("other"))
    signer.store(SIGNED).commit({"a": b"1"}, "one", {})
    with pytest.raises(StateError, match="its key is not among the allowed signers"):
        signer.store().read()
    with pytest.raises(StoreError, match="A record that is signed here would not count"):
        signer.store().check_writable()


def test_a_signature_of_something_else_does_not_count(signer: Signer) -> None:
    commit = signer.store().commit({"a": b"1"}, "one", {})
    content = signer.repository.git("cat-file", "commit", commit)
    forged = signer.repository.feed(
        "hash-object", content.replace("one", "two") + "\n", "-t", "commit", "-w", "--stdin"
    )
    signer.repository.git("update-ref", "refs/heads/main", forged)
    with pytest.raises(StateError, match="its signature does not fit it"):
        signer.store().read()


def test_a_merge_cannot_bring_back_an_older_record_under_its_signature(signer: Signer) -> None:
    old = signer.store().commit({"a": b"1"}, "one", {})
    new = signer.store().commit({"a": b"2"}, "two", {})
    merge = signer.repository.git("commit-tree", "-p", new, "-p", old, "-m", "merge", f"{old}^{{tree}}")
    signer.repository.git("reset", "--quiet", "--hard", merge)
    with pytest.raises(StateError, match="it is not signed"):
        signer.store().read()


def test_many_signatures_are_judged_at_once(signer: Signer) -> None:
    good = [signer.store().commit({"a": str(number).encode()}, "s", {}) for number in range(2)]
    unsigned = signer.store(StateSettings()).commit({"a": b"unsigned"}, "s", {})
    signer.use(signer.make("other"))
    unknown = signer.store(SIGNED).commit({"a": b"unknown"}, "s", {})
    signer.use(expired := signer.make("expired"))
    signer.allow(expired, 'valid-before="20200101",')
    late = signer.store(SIGNED).commit({"a": b"late"}, "s", {})
    found = signatures(signer.git, [unknown, *good, late, unsigned], signer.allowed)
    assert list(found) == [unknown, *good, late, unsigned]
    assert [found[one] for one in good] == [None, None]
    assert found[unsigned] == "it is not signed"
    assert "not among the allowed signers" in (found[unknown] or "")
    assert "was not allowed at that time" in (found[late] or "")
    assert signatures(signer.git, [], signer.allowed) == {}


def unset_format(signer: Signer) -> None:
    signer.repository.git("config", "--global", "--unset", "gpg.format")


def unset_key(signer: Signer) -> None:
    signer.repository.git("config", "--global", "--unset", "user.signingKey")


def absent_key(signer: Signer) -> None:
    signer.use(signer.folder / "absent")


def key_with_passphrase(signer: Signer) -> None:
    signer.use(signer.make("locked", "correct horse"))


def key_in_the_wrong_place(signer: Signer) -> None:
    signer.repository.git("config", "--global", "user.signingKey", f"key::{signer.key.read_text()[:150]}")


@pytest.mark.case("E78")
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (unset_format, "not set up to sign with an SSH key"),
        (unset_key, "git has no key for it"),
        (absent_key, "the key that git is set up with does not sign"),
        (key_with_passphrase, "the key that git is set up with does not sign"),
        (key_in_the_wrong_place, "the key that git is set up with does not sign"),
    ],
)
def test_a_git_that_cannot_sign_is_found_before_anything_is_done(signer: Signer, spoil: object, message: str) -> None:
    assert callable(spoil)
    secret = signer.key.read_text().splitlines()[1]
    spoil(signer)
    before = signer.repository.snapshot()
    store = signer.store(SIGNED)
    for attempt in (store.check_writable, lambda: store.commit({"a": b"1"}, "one", {})):
        with pytest.raises(StoreError, match=message) as caught:
            attempt()
        assert caught.value.exit_code == 1
        assert secret not in str(caught.value)
        assert "correct horse" not in str(caught.value)
    assert signer.repository.snapshot() == before


def test_records_that_nobody_signs_cannot_count(signer: Signer) -> None:
    with pytest.raises(StoreError, match="Only signed records count here"):
        signer.store(StateSettings(allowed_signers="SIGNERS")).check_writable()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "variable SIGNERS is not set"),
        ("{folder}/absent", "There is no file where SIGNERS says"),
        ("{folder}/repository/README", "names a file inside the repository"),
        ("{folder}/repository/.git/config", "names a file inside the repository"),
        ("{folder}/link", "names a file inside the repository"),
    ],
)
def test_keys_that_count_must_be_known_and_lie_outside(signer: Signer, value: str, message: str) -> None:
    store = signer.store()
    store.commit({"a": b"1"}, "one", {})
    (signer.folder / "link").symlink_to(signer.repository.path / "README")
    signer.repository.environment |= {"SIGNERS": value.format(folder=signer.folder)}
    for attempt in (signer.store().read, signer.store().check_writable):
        with pytest.raises(StoreError, match=message):
            attempt()


def test_a_clone_that_is_too_shallow_to_find_the_last_record_says_what_it_needs(signer: Signer) -> None:
    signer.store().commit({"a": b"1"}, "one", {})
    signer.repository.save("policies/a.yaml", "x\n")
    url = f"file://{signer.repository.path}"
    clone = signer.repository.clone(signer.folder / "clone", "--depth=1", url=url)
    with pytest.raises(StoreError, match="too shallow") as caught:
        clone.store(settings=CHECKED).read()
    clone.git(*caught.value.hint.split("`")[1].split()[1:])
    assert clone.store(settings=CHECKED).read() == {"a": b"1"}


def test_without_ssh_keygen_no_signature_is_believed(signer: Signer, tmp_path: Path) -> None:
    commit = signer.store().commit({"a": b"1"}, "one", {})
    git = Git(signer.repository.path, signer.repository.environment | {"PATH": str(tmp_path)})
    with pytest.raises(StoreError, match="ssh-keygen was not found"):
        head_signature(git, commit, signer.allowed)

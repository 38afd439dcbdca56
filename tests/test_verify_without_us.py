"""The script of docs/verify-without-us.md, as an auditor would run it: git, sha256sum, ssh-keygen and a shell."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run as cleanup_gitops
from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.ledger.roll_over import record_roll_over
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from tests.cli.workspace import DORMANT, SITE
from tests.ledger.repository import Repository
from tests.ledger.verified import chronicle

PAGE = Path(__file__).parent.parent / "docs" / "verify-without-us.md"
FOLDER = "state/acme"
OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in ("dash", "bash") if shutil.which(name)]
USERS = 24
_STATE = ("accounts", "groups", "memory.jsonl")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    block = re.search(r"^<!-- check.sh -->\n```sh\n(.+?)\n```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert block
    path = tmp_path_factory.mktemp("script") / "check.sh"
    path.write_text(block[1] + "\n")
    return path


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """What two applies recorded: one that removed somebody's seat, and one with nothing to do."""
    repository = Repository(tmp_path_factory.mktemp("audit") / "repository")
    key = repository.home / "bot"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (repository.home / "allowed_signers").write_text(f'bot namespaces="git" {key.with_suffix(".pub").read_text()}')
    repository.git("config", "--global", "gpg.format", "ssh")
    repository.git("config", "--global", "user.signingKey", f"{key}.pub")
    now = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with running(seed(users=USERS, seed=7, now=now)) as box, pytest.MonkeyPatch.context() as patch:
        site = SITE.format(url=box.url, organization=box.org_id, directory="default", runner=box.runner_account)
        repository.save("policies/site.yaml", f"{site}  state: {{sign: true}}\n")
        repository.save("policies/dormant.yaml", DORMANT)
        for name, value in (("ORG_KEY", box.org_api_key), ("SITE_USER", box.user_email), ("SITE_TOKEN", box.api_token)):
            patch.setenv(name, value)
        patch.setenv("HOME", str(repository.home))
        for _ in range(2):
            assert cleanup_gitops(["-C", str(repository.path), "apply", "--auto-approve"]) == 0
        signers = repository.home / "allowed_signers"
        there = ["-C", str(repository.path), "audit", "verify", "--allowed-signers", str(signers)]
        assert cleanup_gitops(there) == 0
        yield repository


@dataclass
class Audit:
    """A copy of the recorded repository, and the script."""

    repository: Repository
    script: Path
    signers: Path

    def __call__(self, pin: str = "", *, keys: bool = False, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        """Run the script there, with a path on which nothing of ours is."""
        more = [pin, str(self.signers)] if keys else [pin] if pin else []
        environment = {"PATH": os.defpath, "HOME": "/nonexistent", "TMPDIR": str(self.script.parent)}
        command = [shell, str(self.script), FOLDER, *more]
        return subprocess.run(
            command, cwd=self.repository.path, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def audit(original: Repository, script: Path, tmp_path: Path) -> Audit:
    made = object.__new__(Repository)
    made.path, made.home, made.environment = tmp_path / "repository", original.home, original.environment
    shutil.copytree(original.path, made.path)
    return Audit(made, script, original.home / "allowed_signers")


@pytest.mark.parametrize("shell", ["sh", *OTHERS])
def test_what_was_recorded_is_whole(audit: Audit, shell: str) -> None:
    repository = audit.repository
    head = repository.git("log", "-1", "--format=%(trailers:key=Ledger-Head,valueonly)", "--", FOLDER).strip()
    done = audit(head, keys=True, shell=shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"whole: 3 commits, 2 lines in the ledger, ledger head {head}\n"
    assert audit(repository.head(), shell=shell).returncode == 0
    assert not list(audit.script.parent.glob("tmp.*"))


def test_every_sort_of_record_is_whole_also_where_it_goes_on_from_another_repository(
    script: Path, original: Repository, tmp_path: Path
) -> None:
    made = chronicle()
    first = record_roll_over("acme", made.ground.before, commit="c" * 40, tool_version="0.1.0", time=made.time)
    for number, records in enumerate([made.records, [first]]):
        (tmp_path / str(number)).mkdir()
        repository = Repository(tmp_path / str(number) / "repository")
        store = repository.store()
        for record in records:
            store.read()
            store.commit(record.files, record.subject, record.trailers)
        done = Audit(repository, script, original.home)(records[-1].trailers["Ledger-Head"])
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"goes on from ledger head sha256:{made.ground.memory.head}\nwhole: 1 commits")


def _file(repository: Repository, pattern: str) -> Path:
    return min((repository.path / FOLDER).glob(pattern))


def _commit(repository: Repository, *how: str) -> None:
    repository.git("add", "--all", FOLDER)
    repository.git("commit", "--quiet", "-S", *(how or ("--message", "tidy")))


def state_edited(repository: Repository) -> None:
    path = _file(repository, "accounts/*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"license":"', b'"license":"x', 1))
    _commit(repository)


def state_edited_with_the_old_message(repository: Repository) -> None:
    path = _file(repository, "groups/*.txt")
    path.write_bytes(path.read_bytes() + b"712020:intruder\n")
    message = repository.git("log", "-1", "--format=%B")
    repository.git("add", "--all", FOLDER)
    repository.git("commit", "--quiet", "-S", "--amend", "--message", message)


def state_edited_with_a_message_made_anew(repository: Repository) -> None:
    """The ledger stays as it was, so that every ledger head fits, also a pinned one."""
    path = _file(repository, "groups/*.txt")
    path.write_bytes(path.read_bytes() + b"712020:intruder\n")
    _commit(repository, "--amend", "--message", _told_anew(repository))


def intent_that_edits_the_state(repository: Repository) -> None:
    path = _file(repository, "groups/*.txt")
    path.write_bytes(path.read_bytes() + b"712020:intruder\n")
    _commit(repository, "--message", re.sub("Kind: .*", "Kind: intent", _told_anew(repository)))


def _told_anew(repository: Repository) -> str:
    """The last message, with the digest of the state as it is in the working tree."""
    folder = repository.path / FOLDER
    paths = [one for one in folder.rglob("*") if one.is_file() and one.relative_to(folder).parts[0] in _STATE]
    lines = sorted(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.relative_to(folder)}\n" for one in paths)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    message = repository.git("log", "-1", "--format=%B")
    assert (repository.git("status", "--porcelain") == "") == (digest in message)
    return re.sub("State-Digest: .*", f"State-Digest: sha256:{digest}", message)


def intent_that_edits_the_manifest(repository: Repository) -> None:
    path = _file(repository, "manifest.json")
    path.write_bytes(path.read_bytes().replace(b'"accounts": ', b'"accounts": 1', 1))
    _commit(repository, "--message", re.sub("Kind: .*", "Kind: intent", repository.git("log", "-1", "--format=%B")))


def line_cut_off(repository: Repository) -> None:
    """A line that nobody chained stands before the one that is read."""
    path = _file(repository, "ledger/*.jsonl")
    *before, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(before) + b"{}\n" + last.rstrip(b"\n"))
    _commit(repository, "--amend", "--message", repository.git("log", "-1", "--format=%B"))


def line_edited(repository: Repository) -> None:
    path = _file(repository, "ledger/*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"accounts":', b'"accounts":1', 1))
    _commit(repository)


def line_deleted(repository: Repository) -> None:
    path = _file(repository, "ledger/*.jsonl")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    _commit(repository)


def outcome_edited(repository: Repository) -> None:
    path = max((repository.path / FOLDER).glob("runs/*/outcomes.jsonl"), key=lambda one: one.stat().st_size)
    path.write_bytes(path.read_bytes().replace(b"applied", b"failed", 1))
    _commit(repository)


def plan_deleted(repository: Repository) -> None:
    _file(repository, "runs/*/plan.json").unlink()
    _commit(repository)


def plan_edited_in_the_record_itself(repository: Repository) -> None:
    changed = repository.git("diff-tree", "-r", "--name-only", "HEAD~1", "HEAD").splitlines()
    (path,) = (repository.path / one for one in changed if one.endswith("plan.json"))
    path.write_bytes(path.read_bytes().replace(b"true", b"false", 1))
    message = repository.git("log", "-1", "--format=%B")
    repository.git("add", "--all", FOLDER)
    repository.git("commit", "--quiet", "-S", "--amend", "--message", message)


def record_left_out(repository: Repository) -> None:
    message, tree = repository.git("log", "-1", "--format=%B"), repository.head("HEAD^{tree}")
    made = repository.git("commit-tree", "-S", tree, "-p", "HEAD~2", "-m", message)
    repository.git("reset", "--quiet", "--hard", made)


def message_edited(repository: Repository) -> None:
    message = repository.git("log", "-1", "--format=%B")
    edited = re.sub(r"(Ledger-Head: sha256:)....", r"\g<1>0000", message)
    repository.git("commit", "--quiet", "-S", "--amend", "--message", edited)


def left_aside(repository: Repository) -> None:
    tip = repository.head()
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    repository.git("merge", "--quiet", "--no-edit", "--strategy=ours", tip)
    if repository.head() == tip:  # nothing of its own to merge
        made = repository.git("commit-tree", "HEAD~1^{tree}", "-p", "HEAD~1", "-p", tip, "-m", "merge")
        repository.git("reset", "--quiet", "--hard", made)


def replaced(repository: Repository) -> None:
    repository.git("replace", "HEAD~1", "HEAD~2")


def grafted(repository: Repository) -> None:
    repository.write(".git/info/grafts", repository.head() + "\n")


def shallow(repository: Repository) -> None:
    repository.write(".git/shallow", repository.head() + "\n")


def damaged(repository: Repository) -> None:
    blob = repository.head(f"HEAD:{FOLDER}/manifest.json")
    path = repository.path / ".git" / "objects" / blob[:2] / blob[2:]
    if not path.exists():  # it is in a pack: take it out first
        packs = list((repository.path / ".git" / "objects" / "pack").glob("*.pack"))
        for pack in packs:
            data = pack.read_bytes()
            for one in pack.parent.glob(f"{pack.stem}.*"):
                one.unlink()
            subprocess.run(
                ["git", "unpack-objects", "-q"], cwd=repository.path, input=data, check=True, env=repository.environment
            )
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-4])


def forgotten(repository: Repository) -> None:
    repository.git("rm", "-r", "--quiet", "--cached", FOLDER)
    repository.git("checkout", "--quiet", "--orphan", "empty")
    repository.git("rm", "-r", "-f", "--quiet", "--ignore-unmatch", ".")
    repository.save("README.md", "nothing")


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        pytest.param(state_edited, "adds 0 lines to the ledger", marks=pytest.mark.slow),
        (state_edited_with_the_old_message, "tells another ledger head or state"),
        (state_edited_with_a_message_made_anew, "accounts, groups or memory are not those that the ledger names"),
        pytest.param(intent_that_edits_the_state, "memory are not those that the ledger names", marks=pytest.mark.slow),
        pytest.param(
            intent_that_edits_the_manifest, "manifest.json is not the one that the ledger names", marks=pytest.mark.slow
        ),
        pytest.param(line_cut_off, "the ledger ends within a line", marks=pytest.mark.slow),
        (line_edited, "lines of the ledger changed or are gone"),
        pytest.param(line_deleted, "lines of the ledger changed or are gone", marks=pytest.mark.slow),
        pytest.param(outcome_edited, "outcomes.jsonl was changed after it was recorded", marks=pytest.mark.slow),
        pytest.param(plan_deleted, "plan.json was changed after it was recorded", marks=pytest.mark.slow),
        (plan_edited_in_the_record_itself, "not the file that the ledger names: runs/"),
        (record_left_out, "adds 2 lines to the ledger"),
        pytest.param(left_aside, "a merge left records aside", marks=pytest.mark.slow),
        pytest.param(message_edited, "tells another ledger head or state", marks=pytest.mark.slow),
        (replaced, "objects are replaced"),
        pytest.param(grafted, "there are grafts", marks=pytest.mark.slow),
        pytest.param(shallow, "the clone is shallow", marks=pytest.mark.slow),
        pytest.param(damaged, "git fsck: ", marks=pytest.mark.slow),
        pytest.param(forgotten, "nothing is recorded below state/acme", marks=pytest.mark.slow),
    ],
)
def test_what_was_tampered_with_is_told(audit: Audit, tamper: Callable[[Repository], None], reason: str) -> None:
    tamper(audit.repository)
    done = audit()
    assert done.returncode != 0
    assert done.stderr.startswith("NOT WHOLE: ")
    assert reason in done.stderr


def test_an_end_that_was_cut_off_with_the_real_key_is_silent_without_a_pin_and_found_with_it(audit: Audit) -> None:
    repository = audit.repository
    pins = [repository.head(), repository.git("log", "-1", "--format=%(trailers:key=Ledger-Head,valueonly)").strip()]
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    done = audit("", keys=True)
    assert (done.returncode, done.stdout[:6]) == (0, "whole:")
    for pin in pins:
        done = audit(pin, keys=True)
        assert done.returncode != 0
        assert f"{pin} is not part of this history" in done.stderr


def test_a_commit_that_another_key_signed_or_none_is_found_with_the_keys_only(audit: Audit) -> None:
    repository = audit.repository
    other = repository.path.with_name("other")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    for how in ("-S", "--no-gpg-sign"):
        setting = f"user.signingKey={other}.pub"
        repository.git("-c", setting, "commit", "--quiet", "--amend", "--no-edit", how)
        done = audit("", keys=True)
        assert done.returncode != 0
        assert f"{repository.head()}: no good signature of these keys" in done.stderr

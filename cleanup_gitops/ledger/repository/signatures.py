"""Signatures of commits with SSH keys: made as git is set up, checked against keys outside the repository."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.model.errors import StoreError

_WRONG = {
    "N": "it is not signed",
    "B": "its signature does not fit it",
    "U": "its key is not among the allowed signers, or was not allowed at that time",
}
_OTHER = "its signature cannot be checked"
_EARLY = {"GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z"}
"""The time of commits that are only tried out: the same one each time."""


def head_signature(git: Git, commit: str, allowed_signers: Path) -> str | None:
    """What is wrong with the signature of one commit; ``None``: it is good. Raises as ``signatures`` does."""
    return signatures(git, [commit], allowed_signers)[commit]


def signatures(git: Git, commits: Sequence[str], allowed_signers: Path) -> dict[str, str | None]:
    """What is wrong with the signature of each commit, ``None`` where it is good: by an SSH key of that file.

    One process of git, and one or two of ssh-keygen for each commit. Raises ``StoreError`` without ssh-keygen.
    """
    judge = judge_of(git, allowed_signers)
    if not commits:
        return {}  # asked for nothing, git tells about the newest one
    asked = "".join(f"{commit}\n" for commit in commits).encode()
    answer = judge.run("log", "--no-walk=unsorted", "--stdin", "--format=%H%x00%G?%x00%GF%x00%GS", stdin=asked)
    found: dict[str, str | None] = dict.fromkeys(commits, _OTHER)
    for line in answer.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        commit, verdict, key, signer = line.split("\0")
        good = verdict == "G" and key and signer
        found[commit] = None if good else _WRONG.get(verdict, _OTHER)
    return found


def judge_of(git: Git, allowed_signers: Path) -> Git:
    """The same git, which knows the keys of that file and no others. Raises ``StoreError`` without ssh-keygen."""
    if not shutil.which("ssh-keygen", path=git.inherited.get("PATH")):
        raise StoreError("ssh-keygen was not found, so no signature can be checked.", "Install OpenSSH 8.9 or newer.")
    return git.but(
        gpg_ssh_allowedSignersFile=str(allowed_signers),
        gpg_ssh_program="ssh-keygen",
        gpg_program="false",  # a key in somebody's GPG keyring is not among the allowed signers
        gpg_openpgp_program="false",
        gpg_x509_program="false",
        log_showSignature="false",
        i18n_logOutputEncoding="UTF-8",
    )


def trial_commit(git: Git, *, sign: bool) -> str:
    """A commit of nothing that belongs to no branch. Raises ``StoreError`` when it shall be signed and cannot be."""
    tree = git.line("mktree")
    if not sign:
        return _made(git, "commit-tree", tree)
    if git.ask("config", "gpg.format") != "ssh":
        raise StoreError(
            "Records shall be signed (`spec.state.sign`), and git is not set up to sign with an SSH key.",
            "Run `git config --global gpg.format ssh` and `git config --global user.signingKey PATH-OF-PUBLIC-KEY`.",
        )
    if not (git.ask("config", "user.signingKey") or git.ask("config", "gpg.ssh.defaultKeyCommand")):
        raise StoreError(
            "Records shall be signed (`spec.state.sign`), and git has no key for it.",
            "Run `git config --global user.signingKey PATH-OF-PUBLIC-KEY`.",
        )
    if made := _made(git, "commit-tree", "-S", tree):
        return made
    # git's own words are left out: they repeat what stands in user.signingKey, which may be a key and no path.
    raise StoreError(
        "Records shall be signed (`spec.state.sign`), and the key that git is set up with does not sign.",
        "See why with `git commit-tree -S -m trial $(git mktree </dev/null)`; a key with a passphrase needs ssh-agent.",
    )


def _made(git: Git, *arguments: str) -> str:
    answer = git.attempt(*arguments, stdin=b"trial\n", variables=_EARLY)
    if not answer.good and "-S" not in arguments:
        raise StoreError(f"The repository {git.folder} cannot be written: {answer.words}.")
    return answer.output.decode().strip() if answer.good else ""

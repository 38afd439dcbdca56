"""Annotated tags with SSH signatures: whether one counts now, and whose key made it."""

from __future__ import annotations

import re
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.signatures import judge_of
from cleanup_gitops.ledger.repository.signers import principals_of

_HEADER = re.compile(
    rb"object (?P<object>[0-9a-f]{40,64})\ntype (?P<type>[a-z]+)\ntag (?P<tag>[^\n]+)\n"
    rb"tagger [^\n]*<[^<>\n]*> (?P<seconds>[0-9]{1,12}) [+-][0-9]{4}\n\n"
)
_BEGIN = b"\n-----BEGIN SSH SIGNATURE-----\n"
_GOOD = re.compile(r'^Good "git" signature for .+ with \S+ key (SHA256:[A-Za-z0-9+/]+)$', re.MULTILINE)
_CLOCKS = timedelta(minutes=5)


class BadTagError(Exception):
    """A tag does not count; the text says why, and holds no address."""


class SignedTag(Struct, frozen=True):
    """A tag whose signature is good and whose key counts now.

    ``key`` is its fingerprint; ``principals`` are all that the file names beside it: compared, never shown; ``at`` is
    the day and time that the tag gives itself (UTC).
    """

    key: str
    principals: frozenset[str]
    at: datetime


def signed_tag(git: Git, name: str, allowed: Path, now: datetime) -> SignedTag | None:
    """The tag ``refs/tags/<name>``; ``None`` when there is none here. ``allowed`` is the file with the keys that count.

    Raises ``BadTagError`` when it does not count, ``StoreError`` without ssh-keygen.
    """
    judge = judge_of(git, allowed)
    found = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/tags/{name}")
    if not found:
        return None
    if git.line("cat-file", "-t", found) != "tag":
        raise BadTagError("it is a plain pointer without a signature")
    data = git.run("cat-file", "tag", found)
    at = _said(git, data, name)
    if at > now + _CLOCKS:
        raise BadTagError("it is dated in the future")
    begins = data.rfind(_BEGIN) + 1
    if not begins:
        raise BadTagError("it has no SSH signature")
    if not judge.yes("verify-tag", found):
        raise BadTagError("its signature does not fit, or its key did not count at its date in the file of approvers")
    key = _key_now(git, data[:begins], data[begins:], allowed, now)
    if not key:
        raise BadTagError("its key no longer counts in the file of approvers")
    principals = principals_of(allowed.read_text("utf-8", "replace"), key)
    if not principals:
        raise BadTagError("its key is not itself in the file of approvers")
    return SignedTag(key, principals, at)


def _said(git: Git, data: bytes, name: str) -> datetime:
    """When the tag was made, as it says. What is signed must be about this name: a name alone can be moved."""
    header = _HEADER.match(data)
    if header is None:
        raise BadTagError("it is not built as git builds tags")
    if header["tag"] != name.encode():
        raise BadTagError("it was signed under another name")
    if header["type"] != b"commit" or not git.yes("cat-file", "-e", f"{header['object'].decode()}^{{commit}}"):
        raise BadTagError("it does not point at a commit of this repository")
    return datetime.fromtimestamp(int(header["seconds"]), UTC)


def _key_now(git: Git, payload: bytes, signature: bytes, allowed: Path, now: datetime) -> str:
    """The key of a signature that is good at this moment, "" otherwise: its own date is what the signer wrote."""
    at = f"-Overify-time={now.astimezone():%Y%m%d%H%M%S}"  # in the time zone that ssh-keygen takes for granted
    with tempfile.NamedTemporaryFile(prefix="cleanup-gitops-", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        keys = ("-f", str(allowed), "-s", file.name, at)
        for principal in _ssh_keygen(git, "find-principals", *keys).splitlines():
            said = _ssh_keygen(git, "verify", "-n", "git", "-I", principal, *keys, stdin=payload)
            if found := _GOOD.search(said):
                return found[1]
    return ""


def _ssh_keygen(git: Git, task: str, *arguments: str, stdin: bytes = b"") -> str:
    """What ssh-keygen prints; "" when it says no."""
    done = subprocess.run(
        ["ssh-keygen", "-Y", task, *arguments], input=stdin, capture_output=True, check=False, env=dict(git.inherited)
    )
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""

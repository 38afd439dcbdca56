"""A branch that takes records: here alone, or on a remote. Neither is ever forced to take one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from cleanup_gitops.ledger.repository.checkout import NOTHING_DONE, Checkout
from cleanup_gitops.ledger.repository.command import PATIENCE, Git
from cleanup_gitops.ledger.repository.objects import contains, tip_of
from cleanup_gitops.ledger.repository.place import Place
from cleanup_gitops.model.errors import StateError, StoreError

_PROBE = "refs/cleanup-gitops/probe"
_BUSY = ("cannot lock ref", "failed to update ref", "Unable to create")
_WAITS = (0.2, 0.5, 1.0)
"""Seconds."""
_ADVICE = {
    ("protected", "declined", "GH006", "GH013", "denyCurrentBranch", "prohibited"): (
        "Let the account that pushes write to that branch, or keep the state on a branch of its own"
        " (`spec.state.branch`)."
    ),
    ("Authentication", "could not read", "ermission", "denied", "403", "401", "publickey"): (
        "Give git credentials that may push there."
    ),
    ("space", "quota", "unpack", "write error"): "Free the disk of the remote.",
}


class Branch(Protocol):
    """A branch that takes records. ``notes`` are sentences about what could not follow the last record."""

    place: Place
    notes: list[str]

    def newest(self) -> str:
        """Its last commit now, "" before the first."""
        ...

    def known(self) -> str:
        """Its last commit as far as this repository knows, without asking anybody."""
        ...

    def check_readable(self, tip: str) -> None:
        """Raise ``StoreError`` when what is checked out here is not what was read."""
        ...

    def base(self, tip: str) -> str:
        """What to build on first, when ``tip`` was read earlier."""
        ...

    def publish(self, commit: str, base: str, subject: str) -> bool:
        """Make the commit the newest one if ``base`` still is; ``False`` when it is not.

        Raises ``StoreError`` when the commit was not taken for another reason; then nothing has changed.
        """
        ...

    def try_out(self, probe: str) -> None:
        """Raise ``StoreError`` when it can be told that no commit, such as ``probe``, would be taken."""
        ...


class LocalBranch:
    """A branch of this repository that nobody pushes."""

    def __init__(self, git: Git, place: Place, checkouts: Sequence[Checkout]) -> None:
        self._git = git
        self._checkouts = checkouts
        self.place = place
        self.notes: list[str] = []

    def newest(self) -> str:
        """See ``Branch``."""
        return tip_of(self._git, self.place.ref)

    def known(self) -> str:
        """See ``Branch``."""
        return self.newest()

    def check_readable(self, tip: str) -> None:
        """See ``Branch``: what is here is what counts."""

    def base(self, tip: str) -> str:
        """See ``Branch``: what was read earlier does not matter here."""
        del tip
        return self.newest()

    def publish(self, commit: str, base: str, subject: str) -> bool:
        """See ``Branch``. The reference itself is compared and swapped."""
        with ExitStack() as stack:
            copies = [stack.enter_context(one.locked()) for one in self._checkouts]
            answer = self._git.attempt("update-ref", "-m", subject, self.place.ref, commit, base)
            if not answer.good:
                if self.newest() != base:
                    return False
                raise StoreError(f"git update-ref failed in {self._git.folder}: {answer.words}", NOTHING_DONE)
            for checkout, copy in zip(self._checkouts, copies, strict=True):
                if why := checkout.follow(copy, base, commit):
                    self.notes.append(_not_followed(self.place, commit, checkout, why))
        return True

    def try_out(self, probe: str) -> None:
        """See ``Branch``: prepare a change of the reference and take it back."""
        asked = f"start\nupdate {self.place.ref} {probe} {self.newest()}\nprepare\nabort\n".encode()
        if not self.newest():
            asked = f"start\ncreate {self.place.ref} {probe}\nprepare\nabort\n".encode()
        self._git.run("update-ref", "--stdin", stdin=asked)


class RemoteBranch:
    """A branch of a remote. What is here is only a copy, and follows it."""

    def __init__(self, git: Git, place: Place, checkouts: Sequence[Checkout]) -> None:
        self._git = git
        self._checkouts = checkouts
        self.place = place
        self.notes: list[str] = []

    def newest(self) -> str:
        """See ``Branch``. Asks the remote. Raises ``StateError`` when its history is no longer the one known here."""
        place = self.place
        known = tip_of(self._git, place.tracking)
        shallow = not known and self._git.line("rev-parse", "--is-shallow-repository") == "true"
        answer = self._git.attempt(
            "fetch", "--no-progress", "--no-tags", "--no-prune", "--no-recurse-submodules", "--no-auto-maintenance",
            "--no-write-fetch-head", *(["--depth=1"] if shallow else []), "--", place.remote,
            f"{place.target}:{place.tracking}",
            patience=PATIENCE,
        )  # fmt: skip
        if answer.good:
            return tip_of(self._git, place.tracking)
        if "couldn't find remote ref" in answer.words:
            if known:
                raise StateError(
                    f"The branch {place.theirs} is gone from the remote {place.remote}, which had it at {known[:12]}.",
                    f"Find out who deleted it. `git push {place.remote} {known[:12]}:{place.target}` brings it back.",
                )
            return ""
        if "non-fast-forward" in answer.words:
            raise StateError(
                f"The history of {place} was rewritten: {known[:12]} is no longer part of it.",
                "Find out who did that and why."
                f" `git fetch {place.remote} +{place.target}:{place.tracking}` accepts it.",
            )
        raise StoreError(
            f"{place} cannot be fetched: {answer.words}.",
            f"Nothing was done. Make sure that `git fetch {place.remote}` works without a question, and run again.",
        )

    def known(self) -> str:
        """See ``Branch``: what is checked out, of another branch what the remote had when it was last asked."""
        place = self.place
        refs = (place.tracking, place.ref) if place.separate else (place.ref,)
        return next(filter(None, (tip_of(self._git, ref) for ref in refs)), "")

    def check_readable(self, tip: str) -> None:
        """See ``Branch``: no branch here may have commits that the remote lacks, and what is checked out is the newest.

        A branch that is not checked out follows at once.
        """
        place = self.place
        local = tip_of(self._git, place.ref)
        if local == tip or (place.separate and not local):
            return
        if local and not contains(self._git, tip, local):
            raise StoreError(
                f"The branch {place.branch} has commits that {place} lacks.",
                f"Push them first (`git push {place.remote} {place.branch}:{place.theirs}`), or drop them.",
            )
        if not place.separate:
            raise StoreError(
                f"The branch {place.branch} is behind {place}, so policies and state here may be old.",
                "Run `git pull --ff-only` first.",
            )
        if not self._checkouts:
            self._git.ask("update-ref", "-m", "follow the remote", place.ref, tip, local)

    def base(self, tip: str) -> str:
        """See ``Branch``: a push tells whether that is still the newest."""
        return tip

    def publish(self, commit: str, base: str, subject: str) -> bool:
        """See ``Branch``. A push without force is what compares and swaps."""
        for wait in (*_WAITS, None):
            good, words = self._push(f"{commit}:{self.place.target}")
            now = commit if good else self._newest_after(commit, words)
            if contains(self._git, now, commit):
                break
            if now != base:
                return False
            if wait is None or not any(sign in words for sign in _BUSY):
                raise StoreError(f"{self.place} did not take the record: {words}.", _advice(words))
            time.sleep(wait)  # somebody else writes to that branch at this moment
        # What git set up for this remote does not always cover this branch.
        self._git.ask("update-ref", "-m", subject, self.place.tracking, commit, base)
        self._follow(commit, subject)
        return True

    def try_out(self, probe: str) -> None:
        """See ``Branch``: everything of a push but the push."""
        good, words = self._push("--dry-run", f"{probe}:{_PROBE}")
        if not good:
            raise StoreError(f"{self.place} cannot be pushed to: {words}.", _advice(words))

    def _newest_after(self, commit: str, words: str) -> str:
        """What the remote has after a push that did not end well: perhaps what was pushed."""
        try:
            return self.newest()
        except StateError as error:
            raise StoreError(
                f"{self.place} did not answer whether it took the record {commit[:12]}: {words}.",
                f"{error.message} Look for that commit there once it answers, before you run again.",
            ) from None

    def _push(self, *what: str) -> tuple[bool, str]:
        *how, refspec = what
        # To look for differences between files takes many times longer than to send what is compressed already.
        answer = self._git.but(pack_window="0", pack_compression="1").attempt(
            "push", "--quiet", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", *how, "--",
            self.place.remote, refspec,
            patience=PATIENCE,
        )  # fmt: skip
        return answer.good, answer.words

    def _follow(self, commit: str, subject: str) -> None:
        """Bring the branch here and where it is checked out forward; where that cannot be, say so."""
        place = self.place
        local = tip_of(self._git, place.ref)
        if not local and not self._checkouts:
            return
        why = ""
        try:
            with ExitStack() as stack:
                copies = [stack.enter_context(one.locked()) for one in self._checkouts]
                pairs = list(zip(self._checkouts, copies, strict=True))
                if local and not contains(self._git, commit, local):
                    why = "it has commits of its own"
                why = why or next((said for one, copy in pairs if (said := one.obstacle(copy, local, commit))), "")
                if not why:
                    answer = self._git.attempt("update-ref", "-m", subject, place.ref, commit, local)
                    why = "" if answer.good else answer.words
                if not why:
                    for checkout, copy in pairs:
                        if words := checkout.follow(copy, local, commit):
                            self.notes.append(_not_followed(place, commit, checkout, words))
        except StoreError as error:
            why = error.message.rstrip(".")
        if why:
            self.notes.append(
                f"Recorded in {place} as {commit[:12]}; the branch {place.branch} here is behind: {why}."
                " Bring it forward with `git pull --ff-only`."
            )


def _not_followed(place: Place, commit: str, checkout: Checkout, why: str) -> str:
    return (
        f"Recorded in {place} as {commit[:12]}, but the files in {checkout.top} could not follow: {why}."
        f" Put them right with `{checkout.put_back}`."
    )


def _advice(words: str) -> str:
    found = next((advice for signs, advice in _ADVICE.items() if any(sign in words for sign in signs)), "Mend this.")
    return f"Nothing was recorded; branches and files are as they were. {found} Then run again."

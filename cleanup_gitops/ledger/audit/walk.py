"""The walk over a recorded history, from its first commit to its last. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.audit.entry import (
    Before,
    Brought,
    content_odds,
    link_odds,
    manifest_odds,
    month_odds,
    state_odds,
    trailer_odds,
)
from cleanup_gitops.ledger.audit.found import Finding, Odd, Odds
from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.audit.intent import Claim, claim_odds, claim_of, end_odds, intent_path
from cleanup_gitops.ledger.audit.run import consumed_rows, kind_odds, run_odds
from cleanup_gitops.ledger.digests import parts_of, state_digest_of
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.run import FINISHED, LedgerEntry

_KNOWN = re.compile(
    rf"{layout.ACCOUNTS}[0-9a-f]{{2}}\.jsonl|{layout.GROUPS}[^/]+\.txt|{layout.LEASES}[^/]+\.json"
    rf"|{layout.LEDGER}\d{{4}}-\d{{2}}\.jsonl|{layout.MANIFEST}|{layout.MEMORY}"
    rf"|{layout.RUNS}[^/]+/({layout.PLAN}|{layout.APPROVED}|{layout.INTENT}|{layout.OUTCOMES}|{layout.DRIFT})"
)
"""Files that a record may have."""


class Walk:
    """The history so far: hashes of all files, the bytes of the ledger, the run that is under way."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._hashes: dict[str, str] = {}
        self._ledger: dict[str, bytes] = {}
        self._before = Before(None, chain.GENESIS, state_digest_of({}), parts_of({}))
        self._commit = ""
        self._runs: set[str] = set()
        self._unfinished: dict[str, list[bytes]] = {}
        """Outcomes of runs that left something undone, by the envelope under which it may be tried again."""
        self.claim: Claim | None = None
        self.intents = 0
        self.entries: list[LedgerEntry] = []
        self.findings: list[Finding] = []

    @property
    def head(self) -> str:
        """The SHA-256 of the last line of the ledger."""
        return self._before.head

    def follow(self, commit: Commit, new: Mapping[str, bytes], hashes: Mapping[str, str]) -> None:
        """One commit more. ``new`` are its contents, but for those of the state, of which it has ``hashes`` alone."""
        self._commit = commit.id
        written = [path for path, name in commit.changed.items() if name is not None]
        gone = [path for path, name in commit.changed.items() if name is None]
        if commit.merge:
            self._found("history", "is a merge, and no record is one")
        if commit.wordy:
            self._found("commit message", "it says more than a subject and trailers, each of them once")
        self._note((path, "was changed in the same commit, outside of the record") for path in commit.outside[:3])
        self._note((path, "is no plain file") for path in commit.odd)
        self._note(_unknown(written))
        self._note(self._only_added(written, gone))
        lines = list(self._new_lines(new))
        for path in gone:
            self._hashes.pop(path, None)
        self._hashes |= {path: hashlib.sha256(data).hexdigest() for path, data in new.items()} | dict(hashes)
        if (path := intent_path(new)) and not lines:
            self._begin(path, commit, new, written, gone)
            return
        if len(lines) != 1:
            self._found("ledger", f"one commit holds one record, this one adds {len(lines)} lines to the ledger")
        for where, line in lines:
            self._record(where, line, commit, Brought(new, written, gone, self._hashes, self._claimed()))

    def _found(self, where: str, what: str) -> None:
        self.findings.append(Finding(commit=self._commit, where=where, what=what))

    def _note(self, odds: Iterator[Odd]) -> None:
        for where, what in odds:
            self._found(where, what)

    def _claimed(self) -> Mapping[str, bytes]:
        return self.claim.files if self.claim else {}

    def _only_added(self, written: list[str], gone: list[str]) -> Odds:
        """What is recorded once stays: files of runs never change, the ledger only grows, leases are not rewritten."""
        for path in (*written, *gone):
            if path.startswith(layout.RUNS) and path in self._hashes:
                yield path, "was changed or deleted after it was recorded"
        for path in written:
            if path.startswith(layout.LEASES) and path in self._hashes:
                yield path, "was changed while it was held"
        for path in gone:
            if path.startswith(layout.LEDGER):
                yield path, "was deleted: the ledger lost a month"
                self._ledger.pop(path, None)

    def _new_lines(self, new: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """Lines that the ledger has more than before, each with its place."""
        for path in layout.ledger_files(new):
            before, after = self._ledger.get(path, b""), new[path]
            self._ledger[path] = after
            if not after.startswith(before):
                self._found(path, "was edited: lines that were recorded before are changed or gone")
                before = b""
            if not after.endswith(b"\n"):
                self._found(path, "its last line was cut off")
            number = before.count(b"\n")
            for more, line in enumerate(after[len(before) :].removesuffix(b"\n").split(b"\n"), start=1):
                yield f"{path}:{number + more}", line

    def _begin(self, path: str, commit: Commit, new: Mapping[str, bytes], written: list[str], gone: list[str]) -> None:
        """The commit of an intent."""
        self.intents += 1
        found: list[Odd] = []
        claim = claim_of(path, new, found)
        self._note(iter(found))
        if self.claim:
            self._found(path, f"was begun while run {self.claim.intent.run} was under way")
        self._note((one, "does not belong to an intent") for one in written if one not in new)
        if claim:
            last = self._before.entry
            memory = Memory(
                lineage=self._before.lineage,
                serial=self._before.serial,
                head=self._before.head if last else "",
                state=last.state if last else "",
                consumed=consumed_rows(claim.intent, self._unfinished.get(claim.intent.envelope, ())),
            )
            self._note(claim_odds(claim, self._site, memory, new, gone, commit.trailers))
            self._name(path, claim.intent.run)
            self.claim = claim

    def _name(self, where: str, run: str) -> None:
        """A record has a name of its own, so that nothing can be added to the files of an earlier one."""
        if run in self._runs:
            self._found(where, f"has the name of an earlier record, {run}")
        self._runs.add(run)

    def _record(self, where: str, line: bytes, commit: Commit, brought: Brought) -> None:
        """The commit of a record."""
        before, head = self._before, chain.link(line)
        try:
            entry = chain.entry_of(where, line)
        except StateError as error:
            self._found(where, error.message.removeprefix(f"{where} "))
            self._before = Before(before.entry, head, before.state, before.parts)
            return
        self.entries.append(entry)
        self._before = Before(entry, head, entry.state, entry.parts)
        self._note(link_odds(where, line, entry, before, self._site))
        self._note(month_odds(where, entry, self._ledger))
        self._note(end_odds(entry, self.claim, brought.gone))
        self._note(state_odds(entry, before, brought))
        ends = self.claim.intent if self.claim and entry.intent == self.claim.digest else None
        self._note(kind_odds(entry, entry.digests))
        if not ends:
            self._name(where, entry.run)
        others = list(content_odds(entry, brought))
        self._note(iter(others))
        if not others:  # what is not the file that was meant is not read any further
            self._note(manifest_odds(entry, brought))
            files = {**brought.claimed, **brought.new}
            own = {path: files[path] for path in entry.digests}
            self._note(run_odds(entry, own, ends, before.lineage))
            if not entry.results.keys() <= FINISHED:
                outcomes = own.get(layout.run_file(entry.run, layout.OUTCOMES), b"")
                self._unfinished.setdefault(entry.envelope, []).append(outcomes)
        self._note(trailer_odds(entry, head, commit.trailers))
        if ends:
            self.claim = None


def _unknown(paths: list[str]) -> Odds:
    for path in paths:
        if not _KNOWN.fullmatch(path):
            yield path, "has no place in a record"

"""Whether a recorded history is whole and fits itself: commit by commit, from the first record to the last. Pure.

What a check like this cannot see is a history that was cut off at its end, or made anew by somebody who may rewrite the
branch: for that, note a ledger head or a commit outside the repository, and hand it over as ``pin``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.history import Commit
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.ledger.record import trailers_of
from cleanup_gitops.ledger.snapshot import Manifest, state_digest_of
from cleanup_gitops.model.errors import ApprovalError, StateError
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import LedgerEntry, Outcome

Contents = Callable[[list[str]], list[bytes]]
"""Bytes of contents by their names, in the same order."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that does not fit. ``where`` is a path below the site's folder, with a line where that helps."""

    commit: str
    where: str
    what: str


class Verdict(Struct, frozen=True, kw_only=True):
    """What the check found. ``head`` is the SHA-256 of the last ledger line; ``pinned`` is ``None`` without a pin.

    ``quiet_days`` are UTC days between the first and the last record on which there is none.
    """

    site: str
    commits: int
    entries: int
    first: date | None
    last: date | None
    head: str
    pinned: bool | None
    quiet_days: tuple[date, ...]
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was found that does not fit."""
        return not self.findings


def verify(site: str, commits: Iterable[Commit], contents: Contents, *, pin: str = "") -> Verdict:
    """Check the whole history of one site's folder.

    ``pin`` is the id of a commit, or a ledger head (``sha256:…``), that must be part of it.
    """
    walk = _Walk(site, contents)
    known: set[str] = set()
    for commit in commits:
        walk.follow(commit)
        known |= {commit.id, f"sha256:{walk.head}"}
    findings = walk.findings
    if not known:
        findings.append(Finding(commit="", where="", what=f"nothing is recorded for {site}"))
    if pin and pin not in known:
        findings.append(
            Finding(commit="", where="", what=f"{pin} is not part of this history: it was rewritten or cut off")
        )
    days = sorted({entry.time.date() for entry in walk.entries})
    return Verdict(
        site=site,
        commits=walk.commits,
        entries=len(walk.entries),
        first=days[0] if days else None,
        last=days[-1] if days else None,
        head=f"sha256:{walk.head}" if walk.entries else "",
        pinned=pin in known if pin else None,
        quiet_days=tuple(_between(days)),
        findings=tuple(findings),
    )


def _between(days: list[date]) -> Iterator[date]:
    """Days without an entry, from the first to the last."""
    for one, following in pairwise(days):
        yield from (one + timedelta(days=number) for number in range(1, (following - one).days))


class _Walk:
    """The history so far: hashes of all files, and the bytes of the ledger."""

    def __init__(self, site: str, contents: Contents) -> None:
        self._site = site
        self._contents = contents
        self._hashes: dict[str, str] = {}
        self._ledger: dict[str, bytes] = {}
        self._commit = ""
        self.commits = 0
        self.entries: list[LedgerEntry] = []
        self.head = chain.GENESIS
        self.findings: list[Finding] = []

    def follow(self, commit: Commit) -> None:
        """One commit more."""
        self.commits += 1
        self._commit = commit.id
        for path in commit.odd:
            self._found(path, "is no plain file")
        written = {path: name for path, name in commit.changed.items() if name is not None}
        new = dict(zip(written, self._contents(list(written.values())), strict=True))
        gone = [path for path, name in commit.changed.items() if name is None]
        self._only_added(new, gone)
        lines = list(self._new_lines(new))
        for path in gone:
            self._hashes.pop(path, None)
        self._hashes |= {path: hashlib.sha256(data).hexdigest() for path, data in new.items()}
        if len(lines) != 1:
            self._found("ledger", f"one commit holds one record, this one adds {len(lines)} lines to the ledger")
        for where, line in lines:
            entry = self._entry(where, line)
            if entry:
                self._fits(entry, commit, new, gone)

    def _found(self, where: str, what: str) -> None:
        self.findings.append(Finding(commit=self._commit, where=where, what=what))

    def _only_added(self, new: dict[str, bytes], gone: list[str]) -> None:
        """What is recorded once stays: files of runs never change, the ledger only grows."""
        for path in (*new, *gone):
            if path.startswith(layout.RUNS) and path in self._hashes:
                self._found(path, "was changed or deleted after it was recorded")
        for path in gone:
            if path.startswith(layout.LEDGER):
                self._found(path, "was deleted: the ledger lost a month")
                self._ledger.pop(path, None)

    def _new_lines(self, new: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """Lines that the ledger has more than before, each with its place."""
        for path in layout.ledger_files(new):
            before, after = self._ledger.get(path, b""), new[path]
            self._ledger[path] = after
            if not after.startswith(before):
                self._found(path, "was edited: lines that were recorded before are changed or gone")
                before = b""
            if not after.endswith(b"\n"):
                self._found(path, "its last line was cut off")
            if path != max(self._ledger):
                self._found(path, "grew although a later month had begun")
            number = before.count(b"\n")
            for more, line in enumerate(after[len(before) :].removesuffix(b"\n").split(b"\n"), start=1):
                yield f"{path}:{number + more}", line

    def _entry(self, where: str, line: bytes) -> LedgerEntry | None:
        """The entry of a line, checked against the line before it."""
        previous, head = (self.entries[-1] if self.entries else None), self.head
        self.head = chain.link(line)
        try:
            entry = chain.entry_of(where, line)
        except StateError as error:
            self._found(where, error.message.removeprefix(f"{where} "))
            return None
        self.entries.append(entry)
        if chain.line_of(entry) != line:
            self._found(where, "is not in the canonical form in which entries are written")
        if entry.prev != head:
            self._found(where, "does not name the line before it")
        expected = previous.seq + 1 if previous else 1
        if entry.seq != expected:
            self._found(where, f"has number {entry.seq} where {expected} follows")
        if entry.serial != (previous.serial + 1 if previous else 1):
            self._found(where, f"has serial {entry.serial}, which does not follow the one before")
        if previous and entry.lineage != previous.lineage:
            self._found(where, "is of another lineage than the line before it")
        if previous and entry.time < previous.time:
            self._found(where, f"is older ({entry.time.isoformat()}) than the line before it")
        if entry.site != self._site:
            self._found(where, f"is about another site, {entry.site}")
        return entry

    def _fits(self, entry: LedgerEntry, commit: Commit, new: dict[str, bytes], gone: list[str]) -> None:
        """Whether the commit holds what its ledger entry says, and nothing else."""
        sound: dict[str, bytes] = {}
        for path, digest in entry.digests.items():
            if path not in new:
                self._found(path, "is named by the ledger but not part of the commit")
            elif f"sha256:{self._hashes[path]}" != digest:
                self._found(path, "is not the file that the ledger names")
            else:
                sound[path] = new[path]
        for path in (*new, *gone):
            known = path in entry.digests or layout.is_state(path) or path.startswith(layout.LEDGER)
            if not known:
                self._found(path, "is named by no ledger entry")
        if state_digest_of(self._hashes) != entry.state:
            self._found("accounts, groups, memory", "are not those that the ledger names")
        for name, value in trailers_of(entry, self.head).items():
            if commit.trailers.get(name) != value:
                self._found("commit message", f"its {name} does not fit the ledger")
        if len(sound) == len(entry.digests):
            self._manifest(entry, sound)
            self._run(entry, sound)

    def _manifest(self, entry: LedgerEntry, files: dict[str, bytes]) -> None:
        data = files.get(layout.MANIFEST)
        if data is None:
            self._found(layout.MANIFEST, "is not named by the ledger")
            return
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except chain.UNREADABLE as error:
            self._found(layout.MANIFEST, f"cannot be read: {error}")
            return
        said = (manifest.site, manifest.lineage, manifest.serial, manifest.state)
        if said != (entry.site, entry.lineage, entry.serial, entry.state):
            self._found(layout.MANIFEST, "says something else than the ledger about site, lineage, serial or state")

    def _run(self, entry: LedgerEntry, files: dict[str, bytes]) -> None:
        """The plans and outcomes of the run: readable, unaltered, and counted as the ledger counts them."""
        allowed: set[str] = set()
        for name in ("plan.json", "approved.json"):
            path = layout.run_file(entry.run, name)
            if path in files and (plan := self._plan(path, files[path])):
                allowed.update(plan.manifest)
                if name == "plan.json" and plan.digest != entry.plan:
                    self._found(path, "is not the plan that the ledger names")
                if plan.envelope == entry.envelope:
                    allowed.add(plan.envelope)
        if entry.envelope not in allowed:
            self._found(
                layout.run_file(entry.run, "plan.json"), "no plan of the run has the envelope that was approved"
            )
        path = layout.run_file(entry.run, "outcomes.jsonl")
        try:
            outcomes = [msgspec.json.decode(line, type=Outcome) for line in files.get(path, b"").splitlines()]
        except chain.UNREADABLE as error:
            self._found(path, f"cannot be read: {error}")
            return
        if any(one.change not in allowed for one in outcomes):
            self._found(path, "names a change that no plan of the run has")
        results = Counter(one.result for one in outcomes)
        actions = Counter(one.action for one in outcomes if one.result == "applied")
        if dict(results) != entry.results or dict(actions) != entry.actions:
            self._found(path, "does not hold as many results as the ledger counts")

    def _plan(self, path: str, data: bytes) -> Plan | None:
        try:
            return read_plan(data)
        except ApprovalError as error:
            self._found(path, error.message)
            return None

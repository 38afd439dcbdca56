"""Whether a recorded history is whole and fits itself: commit by commit, from the first record to the last. Pure.

What a check like this cannot see is a history that was cut off at its end, or made anew by somebody who may rewrite the
branch: for that, note a ledger head or a commit outside the repository, and hand it over as ``pin``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise, zip_longest

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.audit.found import Finding, OpenRun, Signatures, Verdict
from cleanup_gitops.ledger.audit.history import Commit
from cleanup_gitops.ledger.audit.walk import Walk
from cleanup_gitops.model.run import LedgerEntry, Origin

__all__ = ["Contents", "Finding", "OpenRun", "Signatures", "Verdict", "verify"]

Contents = Callable[[Sequence[str]], Iterable[bytes]]
"""Bytes of contents by their names, in the same order; each is asked for once, one after the other."""


def verify(
    site: str,
    commits: Iterable[Commit],
    contents: Contents,
    *,
    pin: str = "",
    others: Collection[str] = (),
    signatures: Mapping[str, str | None] | None = None,
    oddities: Iterable[Finding] = (),
) -> Verdict:
    """Check the whole history of one site's folder.

    ``pin`` is the id of a commit, or a ledger head (``sha256:…``), that must be part of it; ``others`` are commits of
    the branch that did not touch the folder and may be pinned too. ``signatures`` says of each commit what is wrong
    with its signature (``None``: nothing); without it nobody's keys are known, and signatures are only counted.
    ``oddities`` are what git shows beside the commits (``GitHistory.oddities``).
    """
    history = tuple(commits)
    walk = Walk(site)
    known = {*others}
    for commit, new, hashes in _read(history, contents):
        walk.follow(commit, new, hashes)
        known |= {commit.id, f"sha256:{walk.head}"} if walk.entries else {commit.id}
    findings = [*walk.findings, *oddities, *_unsigned(history, signatures)]
    origin = walk.entries[0].origin if walk.entries else None
    if not history:
        findings.append(Finding(commit="", where="", what=f"nothing is recorded for {site}"))
    if pin and pin not in known:
        findings.append(Finding(commit="", where="", what=_not_pinned(pin, origin)))
    days = sorted({entry.time.date() for entry in walk.entries})
    begun = walk.claim.intent if walk.claim else None
    return Verdict(
        site=site,
        commits=len(history),
        entries=len(walk.entries),
        kinds=dict(sorted(Counter(entry.kind for entry in walk.entries).items())),
        intents=walk.intents,
        first=days[0] if days else None,
        last=days[-1] if days else None,
        head=f"sha256:{walk.head}" if walk.entries else "",
        pinned=pin in known if pin else None,
        quiet_days=tuple(_between(days)),
        void_days=_void_days(walk.entries),
        open_runs=(OpenRun(run=begun.run, holder=begun.holder, since=begun.since),) if begun else (),
        signatures=_counted(history, judged=signatures is not None),
        origin=origin,
        findings=tuple(findings),
    )


def _not_pinned(pin: str, origin: Origin | None) -> str:
    if origin and pin in {origin.commit, origin.head}:  # which anybody can write into a first line
        return (
            f"{pin} is the end of the earlier record that this one claims to go on from, and no part of this one: check"
            " the earlier record with this pin, and pin this one by a head or commit of its own"
        )
    return f"{pin} is not part of this history: it was rewritten or cut off"


def _read(commits: tuple[Commit, ...], contents: Contents) -> Iterator[tuple[Commit, dict[str, bytes], dict[str, str]]]:
    """Each commit with its contents; of accounts, groups and memory with the hashes alone."""
    shards: dict[str, list[str]] = {}
    rest: list[str] = []
    for commit in commits:
        for path, name in commit.changed.items():
            if name is not None:
                (shards.setdefault(path, []) if layout.is_state(path) else rest).append(name)
    # A file's versions one after the other, the newest first: git keeps each as what differs from the newer one.
    asked = list(dict.fromkeys(name for path in sorted(shards) for name in reversed(shards[path])))
    hashes = _hashes(asked, contents)
    stream = iter(contents(rest))
    for commit in commits:
        there = {path: name for path, name in commit.changed.items() if name is not None}
        new = {path: next(stream) for path in there if not layout.is_state(path)}
        yield commit, new, {path: hashes[name] for path, name in there.items() if layout.is_state(path)}


def _hashes(names: Sequence[str], contents: Contents) -> dict[str, str]:
    """The SHA-256 of each content. Two halves are read in turns: whoever reads them has time to work ahead."""
    half = (len(names) + 1) // 2
    first, second = names[:half], names[half:]
    hashes: dict[str, str] = {}
    for pair in zip_longest(zip(first, contents(first), strict=True), zip(second, contents(second), strict=True)):
        hashes.update((name, hashlib.sha256(data).hexdigest()) for name, data in filter(None, pair))
    return hashes


def _unsigned(commits: tuple[Commit, ...], signatures: Mapping[str, str | None] | None) -> Iterator[Finding]:
    """Commits whose signature does not count."""
    for commit in commits if signatures is not None else ():
        if wrong := (signatures or {}).get(commit.id, "its signature was not looked at"):
            yield Finding(commit=commit.id, where="signature", what=wrong)


def _counted(commits: tuple[Commit, ...], *, judged: bool) -> Signatures:
    signed = sum(commit.signed for commit in commits)
    return Signatures(signed=signed, unsigned=len(commits) - signed, judged=judged)


def _void_days(entries: list[LedgerEntry]) -> tuple[date, ...]:
    """Days with void entries and no others."""
    sound = {entry.time.date() for entry in entries if entry.kind != "void"}
    return tuple(sorted({entry.time.date() for entry in entries} - sound))


def _between(days: list[date]) -> Iterator[date]:
    """Days without an entry, from the first to the last."""
    for one, following in pairwise(days):
        yield from (one + timedelta(days=number) for number in range(1, (following - one).days))

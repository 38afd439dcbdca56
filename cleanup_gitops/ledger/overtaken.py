"""Which changes of a run others have overtaken since, as the records after it tell: what is so now is theirs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.chain import HINT, UNREADABLE, entry_of
from cleanup_gitops.ledger.memory import MOST_DONE
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.change import Change, MembershipAdd, MembershipRemove, StatusChange
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.memory import REMEMBERED, Memory
from cleanup_gitops.model.run import LedgerEntry, Outcome

Made = tuple[Change, Outcome]
"""A change that a run made, and what became of it."""


class Overtaken(Struct, frozen=True):
    """What others changed: at these addresses, or accounts that left or came as a whole."""

    addresses: frozenset[str]
    accounts: frozenset[str]

    def has(self, change: Change) -> bool:
        """Whether the change is among it."""
        return change.address in self.addresses or change.user in self.accounts


def overtaken(
    entry: LedgerEntry,
    made: Iterable[Made],
    files: Mapping[str, bytes],
    memory: Memory,
    run_files: Callable[[str], Mapping[str, bytes]],
) -> frozenset[str]:
    """Addresses of those changes of the run of ``entry`` that are no longer its own.

    A change is its own while memory has it as done by this run, and no record since tells that others changed the
    same. Where a write of ours may be late or without effect nothing follows from memory; one that a look at the
    account had shown is neither. Raises ``StateError`` when recorded files cannot be read, or are not those that the
    ledger names.
    """
    rows = [one for one in made if isinstance(one[0], StatusChange | MembershipAdd | MembershipRemove)]
    told = _told_since(entry, files, run_files)
    late = {one.address for one in memory.settling if one.verified is None}
    forgotten = _no_longer_done(entry.run, rows, memory)
    return frozenset(
        change.address
        for change, _ in rows
        if told.has(change) or (change.address in forgotten and change.address not in late)
    )


def _told_since(
    entry: LedgerEntry, files: Mapping[str, bytes], run_files: Callable[[str], Mapping[str, bytes]]
) -> Overtaken:
    """What others changed since the run was planned, as its own record and those after it list it."""
    addresses: set[str] = set()
    accounts: set[str] = set()
    for later in _since(entry, files):
        path = layout.run_file(later.run, layout.DRIFT)
        if not later.found or path not in later.digests:
            continue
        data = run_files(later.run).get(path, b"")
        if sha256(data) != later.digests[path]:
            raise StateError(f"{path} is not the file that the ledger names for this run.", HINT)
        for one in _differences(path, data):
            if not one.by_others:
                continue
            if one.what in ("user.appeared", "user.vanished"):
                accounts.add(one.user)
            elif one.what.startswith("membership.") or "status" in one.after:
                addresses.add(one.address)
    return Overtaken(frozenset(addresses), frozenset(accounts))


def _since(entry: LedgerEntry, files: Mapping[str, bytes]) -> Iterable[LedgerEntry]:
    """The entry and all after it."""
    for path in reversed(layout.ledger_files(files)):
        lines = files[path].splitlines()
        for number in range(len(lines), 0, -1):
            found = entry_of(f"{path}:{number}", lines[number - 1])
            if found.seq < entry.seq:
                return
            yield found


def _differences(path: str, data: bytes) -> list[Difference]:
    try:
        return msgspec.json.Decoder(Difference).decode_lines(data)
    except UNREADABLE as error:
        raise StateError(f"{path} cannot be read: {error}.", HINT) from None


def _no_longer_done(run: str, made: Iterable[Made], memory: Memory) -> set[str]:
    """Addresses of changes that memory had as done by the run and has no more.

    Not those that it forgets by itself: what is too old or too much, or went with an account that the run removed.
    """
    rows = sorted(made, key=lambda one: (one[1].at, one[0].address))
    removed = {change.user for change, _ in rows if change.action == "user.remove"}
    newest = max(memory.last.values(), default=None)
    kept = {one.address for one in memory.done if one.run == run}
    oldest = min((one.at for one in memory.done), default=None) if len(memory.done) >= MOST_DONE else None
    return {
        change.address
        for change, outcome in rows[-MOST_DONE:]
        if change.address not in kept
        and change.user not in removed
        and not (newest is not None and newest - outcome.at > REMEMBERED)
        and not (oldest is not None and outcome.at <= oldest)
    }

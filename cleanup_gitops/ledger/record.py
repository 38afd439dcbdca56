"""The record of one run: which files change, what the ledger says, what the commit says. Pure.

Every run is recorded, the one that had nothing to do as well: a reviewer can tell "clean" from "did not run".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.memory import (
    KEPT,
    AppliedLine,
    ConsumedLine,
    Line,
    applied_of,
    consumed_of,
    memory_of,
    read_lines,
    write_lines,
)
from cleanup_gitops.ledger.planfile import plan_bytes
from cleanup_gitops.ledger.snapshot import Manifest, manifest_bytes, manifest_of, snapshot, state_digest
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.change import ACTIONS, Action
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import FINISHED, Approval, LedgerEntry, Outcome, Result

__all__ = ["ACCEPTED", "RunRecord", "memory_of", "record_run", "run_id"]

ACCEPTED: frozenset[Result] = frozenset({"applied", "settling", "not_effective"})
"""Results that count towards the caps of the next 24 hours: whatever the site accepted may still take effect."""


class RunRecord(Struct, frozen=True, kw_only=True):
    """What is to be committed after a run. ``files`` holds only those that change; ``None`` deletes one.

    ``memory`` is what the next run will know.
    """

    files: dict[str, bytes | None]
    entry: LedgerEntry
    memory: Memory
    subject: str
    trailers: dict[str, str]


def run_id(created: datetime, envelope: str) -> str:
    """The name of a run: its UTC time, so that names sort, and the start of its envelope digest."""
    return f"{created:%Y%m%dT%H%M%SZ}-{envelope.rpartition(':')[2][:8]}"


def record_run(
    *,
    before: Mapping[str, bytes],
    memory: Memory,
    plan: Plan,
    outcomes: Sequence[Outcome],
    approval: Approval,
    inventory: Inventory,
    time: datetime,
    tool_version: str,
    domains: frozenset[str],
    approved: Plan | None = None,
) -> RunRecord:
    """The record of a run that ended at ``time`` (UTC).

    ``before`` are the recorded files and ``memory`` what they say (``memory_of``); ``inventory`` is the site as it
    was read after the run; ``domains`` are the e-mail domains that may be kept; ``approved`` is the saved
    plan that was handed to apply, kept beside the one that was made anew. Raises ``StateError`` when ``before``
    cannot be read.
    """
    run = _free_run_id(before, time, approval.ref)
    lines = _remember(read_lines(before), run=run, at=time, envelope=approval.ref, outcomes=outcomes)
    shot = snapshot(inventory, domains=domains)
    state = shot.files | ({layout.MEMORY: write_lines(lines)} if lines else {})
    lineage, serial = memory.lineage or approval.ref, memory.serial + 1
    manifest = manifest_of(
        inventory,
        shot.groups,
        lineage=lineage,
        serial=serial,
        tool_version=tool_version,
        state=state_digest(state),
    )
    evidence = {
        layout.MANIFEST: manifest_bytes(manifest),
        layout.run_file(run, "plan.json"): plan_bytes(plan),
        **({layout.run_file(run, "approved.json"): plan_bytes(approved)} if approved else {}),
        layout.run_file(run, "outcomes.jsonl"): b"".join(canonical(one) + b"\n" for one in outcomes),
    }
    digests = {path: sha256(data) for path, data in evidence.items()}
    entry = _entry(run, time, memory, manifest, plan, outcomes, approval, digests)
    line = chain.line_of(entry)
    head = chain.link(line)
    return RunRecord(
        files=_changed(before, state | evidence | _ledger_file(before, time, line)),
        entry=entry,
        memory=Memory(
            lineage=lineage,
            serial=serial,
            accounts=len(inventory.users),
            head=head,
            sequence=entry.seq,
            applied=applied_of(lines),
            consumed=consumed_of(lines),
        ),
        subject=_subject(entry, outcomes),
        trailers=trailers_of(entry, head),
    )


def _entry(
    run: str,
    time: datetime,
    memory: Memory,
    manifest: Manifest,
    plan: Plan,
    outcomes: Sequence[Outcome],
    approval: Approval,
    digests: dict[str, str],
) -> LedgerEntry:
    """The line of the ledger about a run, after the last one that ``memory`` knows."""
    return LedgerEntry(
        format=chain.FORMAT,
        seq=memory.sequence + 1,
        prev=memory.head or chain.GENESIS,
        time=time,
        kind="run",
        run=run,
        site=manifest.site,
        lineage=manifest.lineage,
        serial=manifest.serial,
        tool_version=manifest.tool_version,
        policy_commit=plan.inputs.policy_commit,
        policy_digest=plan.inputs.policy_digest,
        plan=plan.digest,
        envelope=approval.ref,
        approval=approval,
        accounts=plan.summary.users,
        results=_count(one.result for one in outcomes),
        actions=_count(one.action for one in outcomes if one.result == "applied"),
        digests=digests,
        state=manifest.state,
    )


def _free_run_id(before: Mapping[str, bytes], time: datetime, envelope: str) -> str:
    """A name that no run of this month has: a second run within one second gets a number."""
    base = run_id(time, envelope)
    tail = chain.read_tail(before)
    same = sum(1 for entry in tail.entries if entry.run.startswith(base)) if tail else 0
    return f"{base}-{same + 1}" if same else base


def _remember(
    lines: Iterable[Line], *, run: str, at: datetime, envelope: str, outcomes: Sequence[Outcome]
) -> list[Line]:
    """The lines of memory after a run: what is too old goes, what this run did comes."""
    young = [line for line in lines if at - line.at <= KEPT]
    rows = {one.change for one in outcomes if one.result in FINISHED}
    kept: list[Line] = []
    for line in young:
        if isinstance(line, ConsumedLine) and line.envelope == envelope:
            rows.update(line.rows)
        else:
            kept.append(line)
    if rows:
        kept.append(ConsumedLine(envelope=envelope, at=at, rows=tuple(sorted(rows))))
    accepted = _count(one.action for one in outcomes if one.result in ACCEPTED)
    if accepted:
        kept.append(AppliedLine(run=run, at=at, actions=accepted))
    return kept


def _ledger_file(before: Mapping[str, bytes], time: datetime, line: bytes) -> dict[str, bytes]:
    """The month file with one more line. A clock that went back must not reopen an older month."""
    path = max([layout.ledger_file(time), *layout.ledger_files(before)])
    return {path: before.get(path, b"") + line + b"\n"}


def _changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, bytes | None]:
    """Only what differs; files of accounts, groups and memory that are no longer there are deleted."""
    changed: dict[str, bytes | None] = {path: data for path, data in sorted(after.items()) if before.get(path) != data}
    return changed | {path: None for path in before if layout.is_state(path) and path not in after}


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _subject(entry: LedgerEntry, outcomes: Sequence[Outcome]) -> str:
    """What happened, in one line: what was done, what failed, and what else became of the rows."""
    if not outcomes:
        return f"{entry.site}: nothing to do, {entry.accounts} accounts evaluated"
    ordered = sorted(outcomes, key=lambda one: ACTIONS.index(one.action))
    done = Counter(_word(one) for one in ordered if one.result == "applied") or {_NOTHING: 0}
    results = Counter(one.result for one in outcomes)
    parts = [f"{count} {one if count == 1 else several}" for (one, several), count in done.items()]
    parts.append(f"{results['failed']} failed")
    others: tuple[Result, ...] = (
        "not_effective",
        "not_attempted",
        "settling",
        "superseded",
        "already",
    )
    parts += [f"{results[one]} {one.replace('_', ' ')}" for one in others if results[one]]
    return f"{entry.site}: {', '.join(parts)}"


_NOTHING = ("changed", "changed")
_WORDS: dict[Action, tuple[str, str]] = {
    "user.delete": ("scheduled for deletion", "scheduled for deletion"),
    "user.remove": ("removed from the directory", "removed from the directory"),
    "user.deactivate": ("deactivated", "deactivated"),
    "role.revoke": ("role revoked", "roles revoked"),
    "membership.remove": ("membership removed", "memberships removed"),
    "tokens.revoke": ("token revoked", "tokens revoked"),
    "user.enable": ("opened again", "opened again"),
    "membership.add": ("membership added", "memberships added"),
}
"""What was done, of one and of several."""


def _word(outcome: Outcome) -> tuple[str, str]:
    """What was done to the user: a "membership removed", "suspended", and so on."""
    if outcome.action == "user.disable":
        status = str(outcome.after.get("status", "disabled"))
        return status, status
    return _WORDS[outcome.action]


def trailers_of(entry: LedgerEntry, head: str) -> dict[str, str]:
    """The machine-readable end of the commit message."""
    actions = " ".join(f"{action}={count}" for action, count in entry.actions.items())
    return {
        "Run-Id": entry.run,
        "Site": entry.site,
        "Kind": entry.kind,
        "Policy-Commit": entry.policy_commit or "none",
        "Plan-Digest": entry.plan,
        "Approved-by": re.sub(r"\s+", " ", entry.approval.by).strip() or "none",
        "Accounts-Evaluated": str(entry.accounts),
        "Actions": actions or "none",
        "Ledger-Head": f"sha256:{head}",
        "State-Digest": entry.state,
    }

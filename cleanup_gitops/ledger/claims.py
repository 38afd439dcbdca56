"""The claim that is committed before the first write of a run: its intent, its plan, and the leases. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.compose import Ground, Record, free_run_id, plan_files
from cleanup_gitops.ledger.subjects import intent_subject, intent_trailers
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Approval, Intent, Lease


def record_intent(
    ground: Ground,
    *,
    plan: Plan,
    approval: Approval,
    changes: Iterable[Change],
    directories: Iterable[str],
    holder: str,
    time: datetime,
    approved: Plan | None = None,
    place: str = "",
    actor: str = "",
    approvals: Mapping[str, Approval] | None = None,
    second: Approval | None = None,
) -> Record:
    """The claim to be committed before the first write: what is meant to be done, and a lease for each directory.

    ``directories`` are those that the changes are in (Cloud), or the site itself (Data Center); ``approved`` is the
    saved plan that was handed to apply. ``approvals`` are the standing ones that the changes need, by policy, and
    ``actor`` is the account that acts under them.
    """
    run = free_run_id(ground, time, approval.ref)
    plans = plan_files(run, plan, approved)
    intent = Intent(
        format=chain.FORMAT,
        run=run,
        site=ground.site,
        directories=tuple(sorted(set(directories))),
        holder=holder,
        since=time,
        lineage=ground.memory.lineage,
        serial=ground.memory.serial,
        plan=plan.digest,
        envelope=approval.ref,
        approval=approval,
        policy_commit=plan.inputs.policy_commit,
        tool_version=ground.tool_version,
        changes=tuple(sorted(map(change_digest, changes))),
        digests={path: sha256(data) for path, data in plans.items()},
        place=place,
        actor=actor,
        approvals=dict(approvals or {}),
        second=second,
    )
    data = intent_bytes(intent)
    leases = {
        layout.lease_file(directory): lease_bytes(intent, directory, sha256(data)) for directory in intent.directories
    }
    return Record(
        files={**leases, **plans, layout.run_file(run, layout.INTENT): data},
        memory=ground.memory,
        subject=intent_subject(intent),
        trailers=intent_trailers(intent, sha256(data), ground.memory),
        intent=intent,
    )


def intent_bytes(intent: Intent) -> bytes:
    """``intent.json``, as it is stored."""
    return _pretty(intent)


def lease_bytes(intent: Intent, directory: str, digest: str) -> bytes:
    """The lease of one directory, as it is stored. ``digest`` is that of the stored intent."""
    lease = Lease(
        format=chain.FORMAT,
        directory=directory,
        site=intent.site,
        run=intent.run,
        holder=intent.holder,
        since=intent.since,
        intent=digest,
        place=intent.place,
    )
    return _pretty(lease)


def _pretty(value: Struct) -> bytes:
    return msgspec.json.format(canonical(value), indent=2) + b"\n"

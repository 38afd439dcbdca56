"""What is to be committed, and what the ledger and the commit say about it. Pure.

Every run is recorded, the one that had nothing to do as well: a reviewer can tell "clean" from "did not run".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

import msgspec

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.adopting import with_adopted
from cleanup_gitops.ledger.claims import intent_bytes, lease_bytes, record_intent
from cleanup_gitops.ledger.compose import Ground, Record, compose, free_run_id, ground_of, plan_files, run_id
from cleanup_gitops.ledger.episodes import with_stages
from cleanup_gitops.ledger.memory import read_lines
from cleanup_gitops.ledger.pending import (
    Terms,
    with_daily,
    with_handed,
    with_protected,
    with_served,
    with_spent,
    with_waiting,
)
from cleanup_gitops.ledger.remember import Ran, remember, with_noticed, without_seen
from cleanup_gitops.model.canonical import canonical, sha256
from cleanup_gitops.model.drift import Difference, Drift
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import NOTHING_NOTICED, Noticed, Remembered
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.model.run import Approval, Intent, Kind, Outcome, OutcomeRecord, Reason
from cleanup_gitops.model.standing import approval_of

__all__ = [
    "Ground",
    "Record",
    "compose",
    "ground_of",
    "intent_bytes",
    "lease_bytes",
    "record_drift",
    "record_intent",
    "record_override",
    "record_run",
    "record_void",
    "run_id",
]


class Counts(TypedDict):
    """Numbers in the entry of a run."""

    results: dict[str, int]
    actions: dict[str, int]
    left: dict[str, int]


def record_run(
    ground: Ground,
    *,
    plan: Plan,
    outcomes: Sequence[Outcome],
    approval: Approval,
    inventory: Inventory,
    time: datetime,
    actor: str = "",
    approved: Plan | None = None,
    intent: Intent | None = None,
    unseen: Collection[str] = (),
    unsure: Collection[str] = (),
    differences: Iterable[Difference] = (),
    noticed: Noticed = NOTHING_NOTICED,
    terms: Terms | None = None,
    left: Iterable[str] = (),
    kind: Kind = "run",
) -> Record:
    """The record of a run that ended at ``time`` (UTC).

    ``inventory`` is the site as it was read after the run, ``actor`` the account that acted; ``approved`` is the saved
    plan that was handed to apply, kept beside the one that was made anew; ``intent`` is the one that the run committed,
    whose leases end with it. ``unseen`` are digests of changes that ``inventory`` does not show: those that the site
    accepted are ours when they are seen later. So are those in ``unsure``, of which nobody knows whether they were
    sent. ``differences`` are those from the snapshot before; what is not of this run is listed with it: what others did
    meanwhile, and late effects of earlier runs. ``noticed`` is what the reading before the run told of earlier changes.
    ``terms`` are those of the policies that the run looked at; ``None``: it planned nothing anew. ``left`` says why for
    each row left for later. A run of a plan that takes another run back is recorded as a rollback. Raises
    ``StateError`` when recorded files cannot be read.
    """
    run = intent.run if intent else free_run_id(ground, time, approval.ref)
    closed = sha256(intent_bytes(intent)) if intent else ""
    approvals = intent.approvals if intent else {}
    written = {} if intent else plan_files(run, plan, approved)
    told = [(outcome, approval_of(outcome.causes, approval, approvals)) for outcome in outcomes]
    written[layout.run_file(run, layout.OUTCOMES)] = _outcome_lines(run, actor, plan, told, ground)
    if others := [one for one in differences if one.run != run]:
        written[layout.run_file(run, layout.DRIFT)] = _difference_lines(others)
    ran = Ran(
        run=run, at=time, envelope=approval.ref, outcomes=outcomes, unseen=unseen, unsure=unsure, noticed=noticed,
        rollback=plan.rollback, seats=plan.seats.before,
    )  # fmt: skip
    return compose(
        ground,
        kind="rollback" if plan.rollback and kind == "run" else kind,
        run=run,
        time=time,
        files=written,
        known=_committed(intent, closed) if intent else None,
        seen=(inventory, _lines_after(ground, ran, plan, others, terms, approvals, inventory)),
        lineage=ground.memory.lineage or approval.ref,
        approval=approval,
        intent=closed,
        found=_found(others),
        **_counts(outcomes, left),
        outcomes=outcomes,
        plan=plan,
    )


def _committed(intent: Intent, digest: str) -> dict[str, str]:
    """Digests of the files that were committed with an intent, and of the intent itself."""
    return {**intent.digests, layout.run_file(intent.run, layout.INTENT): digest}


def _lines_after(
    ground: Ground,
    ran: Ran,
    plan: Plan,
    others: Iterable[Difference],
    terms: Terms | None,
    approvals: Mapping[str, Approval],
    inventory: Inventory,
) -> Iterable[Remembered]:
    """What is remembered after a run."""
    lines = without_seen(read_lines(ground.before), others)
    return lines_after(lines, ran, plan, terms, approvals, inventory)


def lines_after(
    before: Iterable[Remembered],
    ran: Ran,
    plan: Plan,
    terms: Terms | None,
    approvals: Mapping[str, Approval],
    inventory: Inventory,
) -> list[Remembered]:
    """The lines of memory after a run of this plan, which left the site as ``inventory``. See ``record_run``."""
    lines = remember(before, ran)
    lines = with_stages(lines, plan, ran.outcomes, inventory, open_={*ran.unseen, *ran.unsure})
    lines = with_adopted(lines, plan, ran.run, ran.at)
    # A rollback looks at no policy, so what waits for one goes on waiting.
    looked = None if plan.rollback else terms
    lines = with_waiting(lines, plan, ran.outcomes, looked.standing if looked else None, ran.at)
    if looked:
        lines = with_spent(lines, plan, ran.outcomes, looked.once, ran.run, ran.at)
        lines = with_served(lines, looked, plan.created)
        lines = with_protected(lines, looked)
        lines = with_handed(lines, plan, ran.at)
    return with_daily(lines, ran.outcomes, approvals, ran.unsure)


def record_heartbeat(ground: Ground, *, plan: Plan, inventory: Inventory, time: datetime) -> Record:
    """The record of a run for which nothing was due and nothing was new: that it was made, and what it read."""
    run = free_run_id(ground, time, "heartbeat")
    return compose(
        ground,
        kind="heartbeat",
        run=run,
        time=time,
        files=plan_files(run, plan, None),
        seen=(inventory, read_lines(ground.before)),
        plan=plan,
    )


def record_void(ground: Ground, *, reason: Reason, time: datetime, plan: Plan | None = None) -> Record:
    """The record of a run that did nothing because it could not be trusted to; ``plan`` is the one that was refused."""
    run = free_run_id(ground, time, "void")
    plans = plan_files(run, plan, None) if plan else {}
    return compose(
        ground,
        kind="void",
        run=run,
        time=time,
        files=plans,
        reason=reason,
        plan=plan,
    )


def record_override(ground: Ground, *, lifted: Sequence[Check], time: datetime, plan: Plan | None = None) -> Record:
    """The record that these guards hold because of Overrides alone; it comes before what they make possible.

    ``plan`` is the one that they let pass; ``None`` when only a reading is recorded.
    """
    run = free_run_id(ground, time, "override")
    names = sorted({name for check in lifted for name in check.lifted})
    return compose(
        ground,
        kind="override",
        run=run,
        time=time,
        files=plan_files(run, plan, None) if plan else {},
        reason=Reason(code=", ".join(names), text="; ".join(f"{check.name}: {check.message}" for check in lifted)),
        plan=plan,
    )


def record_drift(
    ground: Ground, *, drift: Drift, inventory: Inventory, time: datetime, noticed: Noticed = NOTHING_NOTICED
) -> Record:
    """The record of what others changed since the last snapshot, together with the snapshot as it is found now.

    ``noticed`` is what they undid of our changes: remembered, so that the holds that follow end on a fixed day.
    """
    run = free_run_id(ground, time, "drift")
    lines = with_noticed(without_seen(read_lines(ground.before), drift.differences), noticed, time)
    return compose(
        ground,
        kind="drift",
        run=run,
        time=time,
        files={layout.run_file(run, layout.DRIFT): _difference_lines(drift.differences)},
        seen=(inventory, lines),
        accounts=len(inventory.users),
        found=_found(drift.differences),
    )


def _difference_lines(differences: Iterable[Difference]) -> bytes:
    """``drift.jsonl``."""
    return b"".join(canonical(one) + b"\n" for one in differences)


def _counts(outcomes: Sequence[Outcome], left: Iterable[str]) -> Counts:
    """What a run did and left, counted."""
    return Counts(
        results=_count(one.result for one in outcomes),
        actions=_count(one.action for one in outcomes if one.result == "applied"),
        left=_count(left),
    )


def _found(differences: Iterable[Difference]) -> dict[str, int]:
    """How many differences others made, by what they are."""
    return _count(one.what for one in differences if one.by_others)


def _outcome_lines(
    run: str, actor: str, plan: Plan, outcomes: Iterable[tuple[Outcome, Approval]], ground: Ground
) -> bytes:
    """``outcomes.jsonl``: every line says by itself who did what, when, why, and who allowed it."""
    return b"".join(
        canonical(
            OutcomeRecord(
                **msgspec.structs.asdict(outcome),
                number=number,
                run=run,
                site=ground.site,
                actor=actor,
                approval=approval,
                plan=plan.digest,
                policy_commit=plan.inputs.policy_commit,
                tool_version=ground.tool_version,
            )
        )
        + b"\n"
        for number, (outcome, approval) in enumerate(outcomes, start=1)
    )


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))

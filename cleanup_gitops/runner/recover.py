"""Ends a run that was cut off: what the site shows now decides about every change that the run meant to make.

Nothing is written to the site. What turns out not to be in effect may be carried out under the same approval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.late_effects import effects_of
from cleanup_gitops.ledger.leases import age, describe, leases_of
from cleanup_gitops.ledger.record import Record, ground_of, record_run
from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.ports import Clock, Live, Reader, Store
from cleanup_gitops.model.run import Intent, Lease, Outcome
from cleanup_gitops.model.user import Question, User
from cleanup_gitops.runner.carry_out import SETTLING
from cleanup_gitops.runner.kept import read_begun, read_kept
from cleanup_gitops.runner.needs import shown_by, took_effect
from cleanup_gitops.runner.outcomes import OPEN, outcome_of, unseen

YOUNG = timedelta(minutes=15)
"""A run that began less than so long ago may well be under way."""
SEEN = "seen in effect when the run was recovered"
NOT_SEEN = "not in effect when the run was recovered"


@dataclass(frozen=True, slots=True)
class Rescue:
    """What ending a cut-off run works with: eyes, no hand."""

    site: str
    store: Store
    reader: Reader
    clock: Clock
    tool_version: str
    domains: frozenset[str]
    """E-mail domains that may be recorded."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes of users that may be recorded."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """How a run ended after all, and the commit that says so."""

    intent: Intent
    plan: Plan
    live: Live
    outcomes: tuple[Outcome, ...]
    record: Record
    commit: str
    meanwhile: tuple[Difference, ...] = ()
    """What others did on the site since the last snapshot, and late effects of earlier runs."""

    @property
    def failed(self) -> bool:
        """Whether something that the run meant to do is not in effect."""
        return any(one.result in OPEN for one in self.outcomes)


def recover(rescue: Rescue, run: str, *, kept: bytes | None, warn: Callable[[str], None]) -> Recovered:
    """End a run of this site whose intent is open. ``kept`` are the outcomes that its apply could not commit.

    ``warn`` is told what a person should know before it goes on. Raises ``LeaseHeldError`` while a process of this
    machine works on the site, ``CleanupError`` when there is no such open run or ``kept`` is of another one,
    ``StateError`` when what was recorded for it does not fit together, and what the reading raises; then nothing was
    recorded.
    """
    with rescue.store.exclusive():
        rescue.store.check_writable()
        ground = ground_of(
            rescue.site,
            rescue.store.read(),
            tool_version=rescue.tool_version,
            domains=rescue.domains,
            attributes=rescue.attributes,
        )
        leases = leases_of_run(ground.before, run, rescue.site)
        begun = read_begun(run, rescue.store.run_files(run), leases)
        told = read_kept(kept, begun) if kept is not None else ()
        now = rescue.clock.now()
        if now - leases[0].since < YOUNG:
            warn(f"This run began only {age(leases[0], now)} ago: {describe(leases[0], now)}.")
        live, judged = _read(rescue, begun.changes)
        outcomes = _judged(told, begun.changes, judged, rescue.clock.now())
        drift = drift_of(ground.before, live.inventory, (*ground.memory.settling, *effects_of(run, outcomes)))
        others = tuple(one for one in drift.differences if one.run != run) if drift else ()
        known = {one.change for one in told}
        record = record_run(
            ground,
            plan=begun.plan,
            outcomes=outcomes,
            approval=begun.intent.approval,
            inventory=live.inventory,
            time=rescue.clock.now(),
            actor=begun.intent.approval.by,
            intent=begun.intent,
            unseen=unseen(begun.changes, live.inventory),
            unsure={one.change for one in outcomes if one.result == "not_attempted"} - known,
            differences=others,
            kind="recovery",
        )
        commit = rescue.store.commit(record.files, record.subject, record.trailers)
    return Recovered(begun.intent, begun.plan, live, outcomes, record, commit, others)


def leases_of_run(files: Mapping[str, bytes], run: str, site: str) -> tuple[Lease, ...]:
    """The leases that the run still holds. Raises ``CleanupError`` when it holds none."""
    found = leases_of(files)
    mine = tuple(lease for lease in found if lease.run == run)
    if not mine:
        tail = read_tail(files)
        ended = next((one for one in reversed(tail.entries if tail else ()) if one.run == run), None)
        if ended is not None:
            raise CleanupError(
                f"Run {run} of {site} is recorded already, by a {ended.kind} at {ended.time:%Y-%m-%d %H:%M} UTC.",
                "Nothing more is taken in. What it did after that shows in the next `cleanup-gitops drift`; keep the"
                " outcomes that `apply` left, if any, beside the record.",
            )
        others = ", ".join(sorted({lease.run for lease in found}))
        raise CleanupError(
            f"No run {run} of {site} is open.",
            f"Open: {others}." if others else "Nothing is to be recovered: every run that began has been recorded.",
        )
    return mine


def _read(rescue: Rescue, changes: Sequence[Change]) -> tuple[Live, Inventory]:
    """The whole site, and the same with what must be asked to see whether the changes took effect."""
    live = rescue.reader.read()
    asked: dict[str, frozenset[Question]] = {}
    for change in changes:
        asked[change.user] = asked.get(change.user, frozenset()) | shown_by(change)
    wanted = {user: questions for user, questions in asked.items() if questions}
    return live, rescue.reader.ask(live.inventory, wanted) if wanted else live.inventory


def _judged(told: Sequence[Outcome], changes: Sequence[Change], site: Inventory, now: datetime) -> tuple[Outcome, ...]:
    """What apply told itself, judged again where it was open, then the changes of which nothing was told."""
    by_digest = {change_digest(change): change for change in changes}
    known = {one.change for one in told}
    users = site.user_by_id
    again = (_again(one, by_digest.get(one.change), users, now) for one in told)
    rest = (_only_seen(change, users, now) for key, change in by_digest.items() if key not in known)
    return (*again, *rest)


def _again(one: Outcome, change: Change | None, users: Mapping[str, User], now: datetime) -> Outcome:
    """A change that the site accepted may show by now."""
    if change is None or one.result not in ("settling", "not_effective"):
        return one
    if took_effect(change, users.get(change.user)):
        return msgspec.structs.replace(one, result="applied", detail=SEEN, verified=now)
    if one.result == "settling" and (now - one.at).total_seconds() > SETTLING:
        return msgspec.structs.replace(one, result="not_effective", detail=f"{one.detail}; {NOT_SEEN}")
    return one


def _only_seen(change: Change, users: Mapping[str, User], now: datetime) -> Outcome:
    if took_effect(change, users.get(change.user)):
        return outcome_of(change, "applied", now, detail=SEEN, seen=True)
    return outcome_of(change, "not_attempted", now, detail=NOT_SEEN)

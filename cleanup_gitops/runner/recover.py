"""Ends a run that was cut off: what the site shows now decides about every change that the run meant to make.

Where the journal of the run is still there, it tells what was sent and what was answered. Nothing is written to the
site. What turns out not to be in effect may be carried out under the same approval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from cleanup_gitops.ledger.chain import read_tail
from cleanup_gitops.ledger.drift import drift_of
from cleanup_gitops.ledger.late_effects import effects_of
from cleanup_gitops.ledger.leases import age, describe, leases_of
from cleanup_gitops.ledger.record import Ground, Record, record_override, record_run
from cleanup_gitops.model.change import Change, NoticeSend, UserInvite, change_digest
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import CleanupError, UnsafePlanError
from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.memory import Baseline, Settling
from cleanup_gitops.model.plan import Check, Plan
from cleanup_gitops.model.ports import Clock, Live, Reader, Store
from cleanup_gitops.model.run import Intent, Lease, Outcome, Result, deadline_of
from cleanup_gitops.model.user import User
from cleanup_gitops.planner import reading_checks
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.guests import accounts_by_pseudonym, linked, pseudonym_of
from cleanup_gitops.runner.ground import ground_here
from cleanup_gitops.runner.inviting import with_accounts
from cleanup_gitops.runner.journal import UNKEPT, Journals
from cleanup_gitops.runner.kept import Begun, Journaled, read_begun, read_journal, read_kept
from cleanup_gitops.runner.needs import questions_about, took_effect
from cleanup_gitops.runner.notices import LOST
from cleanup_gitops.runner.outcomes import OPEN, outcome_of, unseen

YOUNG = timedelta(minutes=15)
"""A run that began less than so long ago may well be under way."""
SEEN = "seen in effect when the run was recovered"
NOT_SEEN = "not in effect when the run was recovered"
NOT_OURS = f"{SEEN}, and not sent by the run"
NOT_SENT = "not sent before the run was cut off"


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
    journals: Journals = UNKEPT
    """Where runs keep their journals on this machine."""
    policies: SitePolicies | None = None
    """Whose Guardrails say how far a reading may have dropped; ``None``: any reading is recorded."""


class DroppedReadingError(UnsafePlanError):
    """So much less was read than is recorded that it looks like a fault of the data; ``check`` is the broken guard."""

    def __init__(self, site: str, check: Check) -> None:
        super().__init__(
            f"What was read of {site} looks like a fault of the data; it was not recorded.\n"
            f"  {check.name}: {check.message}",
            "The run stays open. Run it again later."
            + (
                " If it is right all the same, merge the Override above as a file below policies/, after the usual"
                " review."
                if check.override
                else ""
            ),
        )
        self.check = check


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
    ``StateError`` when what was recorded for it does not fit together, ``DroppedReadingError`` when the reading looks
    like a fault of the data, and what the reading raises; then nothing was recorded.
    """
    with rescue.store.exclusive():
        rescue.store.check_writable()
        ground = ground_here(
            rescue.store,
            rescue.site,
            rescue.clock.now(),
            tool_version=rescue.tool_version,
            domains=rescue.domains,
            attributes=rescue.attributes,
        )
        leases = leases_of_run(ground.before, run, rescue.site)
        begun = read_begun(run, rescue.store.run_files(run), leases)
        told = _told(rescue, begun, kept)
        now = rescue.clock.now()
        if now - leases[0].since < YOUNG and rescue.journals.read(run) is None:  # else it began here, and works no more
            warn(f"This run began only {age(leases[0], now)} ago: {describe(leases[0], now)}.")
        live, judged = _read(rescue, begun.changes)
        outcomes = _judged(told, begun.changes, Live(judged, live.people), rescue.clock.now())
        ours = linked((*ground.memory.settling, *effects_of(run, outcomes)), live)
        lifted = _check_trusted(rescue, ground, begun.plan, live.inventory, ours)
        drift = drift_of(ground.before, live.inventory, ours, ground.memory.marks)
        others = tuple(one for one in drift.differences if one.run != run) if drift else ()
        record = record_run(
            ground,
            plan=begun.plan,
            outcomes=outcomes,
            approval=begun.intent.approval,
            inventory=live.inventory,
            time=rescue.clock.now(),
            actor=begun.intent.actor or begun.intent.approval.by,
            intent=begun.intent,
            unseen=unseen(begun.changes, live.inventory, outcomes),
            unsure=_unsure(told, outcomes),
            differences=others,
            kind="recovery",
        )
        commit = rescue.store.commit(record.files, record.subject, record.trailers)
        rescue.journals.end(run)
        if lifted:  # no other record may come while the run is open, so this one follows
            used = record_override(ground.after(record), lifted=lifted, time=rescue.clock.now())
            rescue.store.commit(used.files, used.subject, used.trailers)
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


def _check_trusted(
    rescue: Rescue, ground: Ground, plan: Plan, site: Inventory, ours: Sequence[Settling]
) -> list[Check]:
    """The guard against a drop, when it holds because of Overrides alone. Raises ``DroppedReadingError``.

    What is recorded is what the next reading is compared with, so one that came back short must not get there.
    Before the first snapshot it is held against what the ``plan`` of the run counted. The other guards of the reading
    compare nothing with the record: each plan holds its own reading against them.
    """
    if rescue.policies is None:
        return []
    counted = Baseline(as_of=plan.as_of, accounts=plan.summary.users, seats=plan.seats.before, known=0, members={})
    baseline = ground.memory.baseline or counted
    memory = msgspec.structs.replace(ground.memory, baseline=baseline, settling=tuple(ours))
    checks = reading_checks(site, rescue.policies, memory, created=rescue.clock.now())
    (drop,) = (check for check in checks if check.name == "reading:drop")
    if not drop.passed:
        raise DroppedReadingError(rescue.site, drop)
    return [drop] if drop.lifted else []


def _read(rescue: Rescue, changes: Sequence[Change]) -> tuple[Live, Inventory]:
    """The whole site, and the same with what must be asked to see whether the changes took effect."""
    live = rescue.reader.read()
    wanted = questions_about(changes)
    return live, rescue.reader.ask(live.inventory, wanted) if wanted else live.inventory


def _told(rescue: Rescue, begun: Begun, kept: bytes | None) -> Journaled:
    """What the run left about itself. Outcomes that ``apply`` kept in the end count before its journal."""
    journal = rescue.journals.read(begun.intent.run)
    told = read_journal(journal, begun) if journal is not None else Journaled()
    if kept is None:
        return told
    final = read_kept(kept, begun)
    known = {one.change for one in final}
    rest = tuple(one for one in told.outcomes if one.change not in known)
    return Journaled((*final, *rest), told.sent, told.unread - known)


def _unsure(told: Journaled, outcomes: Iterable[Outcome]) -> set[str]:
    """Changes of which nobody knows whether they were sent, or whether they had shown and others undid them.

    What the run itself had read back in vain is without effect; of what was sent and never looked at until its deadline
    was over, nothing can be said.
    """
    known = {one.change for one in told.outcomes}
    return {
        one.change
        for one in outcomes
        if (one.result == "not_attempted" and one.change not in known and told.sent is None)
        or (one.result == "not_effective" and one.change in told.unread)
    }


def _judged(told: Journaled, changes: Sequence[Change], site: Live, now: datetime) -> tuple[Outcome, ...]:
    """What the run told itself, judged again where it was open, then the changes of which nothing was told.

    Who was invited is known by the address that the site shows.
    """
    by_digest = {change_digest(change): change for change in changes}
    known = {one.change for one in told.outcomes}
    users = {**site.inventory.user_by_id, **_guests(changes, site)}
    again = (_again(one, by_digest.get(one.change), users, now) for one in with_accounts(told.outcomes, site))
    rest = (
        _only_seen(change, users, now, unsent=told.sent is not None and key not in told.sent)
        for key, change in by_digest.items()
        if key not in known
    )
    return (*again, *rest)


def _guests(changes: Iterable[Change], site: Live) -> dict[str, User]:
    """The accounts of invited people, by what stands for them in a plan."""
    invites = [one for one in changes if isinstance(one, UserInvite)]
    if not invites:
        return {}
    accounts, users = accounts_by_pseudonym(site), site.inventory.user_by_id
    found = ((one.user, users.get(accounts.get(pseudonym_of(one.address), ""))) for one in invites)
    return {pseudonym: user for pseudonym, user in found if user is not None}


def _again(one: Outcome, change: Change | None, users: Mapping[str, User], now: datetime) -> Outcome:
    """A change that the site accepted may show by now, and one that it refused may have been made by somebody else."""
    if change is None or one.result not in ("settling", "not_effective", "failed"):
        return one
    if took_effect(change, users.get(one.account or change.user)):
        result: Result = "already" if one.result == "failed" else "applied"
        return msgspec.structs.replace(one, result=result, detail=SEEN, verified=now, deadline=None)
    if one.result == "settling" and now > deadline_of(one):
        return msgspec.structs.replace(one, result="not_effective", detail=f"{one.detail}; {NOT_SEEN}")
    return one


def _only_seen(change: Change, users: Mapping[str, User], now: datetime, *, unsent: bool) -> Outcome:
    """A change of which nothing was told. ``unsent``: it is certain that the run did not make it."""
    user = users.get(change.user)
    if took_effect(change, user):
        result: Result = "already" if unsent else "applied"
        seen = outcome_of(change, result, now, detail=NOT_OURS if unsent else SEEN, seen=True)
        return msgspec.structs.replace(seen, account=user.id) if user and user.id != change.user else seen
    maybe = LOST if isinstance(change, NoticeSend) else NOT_SEEN
    return outcome_of(change, "not_attempted", now, detail=NOT_SENT if unsent else maybe)

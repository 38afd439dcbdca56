"""Whether the files of one run fit the entry of the ledger that they belong to: plans, outcomes, differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

import msgspec

from cleanup_gitops.ledger import chain, layout
from cleanup_gitops.ledger.audit.found import Odd, Odds
from cleanup_gitops.ledger.planfile import read_plan
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.change import Change
from cleanup_gitops.model.drift import Difference
from cleanup_gitops.model.errors import ApprovalError
from cleanup_gitops.model.memory import Consumed
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import (
    ACCEPTED,
    ACTING,
    EXPLAINED,
    WRITTEN,
    Approval,
    Intent,
    LedgerEntry,
    OutcomeRecord,
)
from cleanup_gitops.model.standing import approval_of

_One = TypeVar("_One", OutcomeRecord, Difference)


def run_odds(entry: LedgerEntry, files: Mapping[str, bytes], intent: Intent | None, lineage: str) -> Odds:
    """What does not fit in the files of a run. ``intent`` is what the entry ends, ``lineage`` that before it."""
    found: list[Odd] = []
    plans = read_plans(entry.run, files, found)
    yield from found
    plan = plans.get(layout.PLAN)
    if plan:
        yield from _plan_odds(entry, plan, lineage)
    if plan and entry.kind == "override":
        yield from _override_odds(entry, plan)
    if entry.kind in ACTING:
        yield from _approval_odds(entry, plans)
        yield from _outcome_odds(entry, files, plans, intent)
    if entry.kind == "drift" or layout.run_file(entry.run, layout.DRIFT) in files:
        yield from _drift_odds(entry, files)


def read_plans(run: str, files: Mapping[str, bytes], found: list[Odd]) -> dict[str, Plan]:
    """The plans of a run by name; of those that cannot be read, why."""
    plans = {}
    for name in (layout.PLAN, layout.APPROVED):
        path = layout.run_file(run, name)
        if path in files:
            try:
                plans[name] = read_plan(files[path])
            except ApprovalError as error:
                found.append((path, error.message))
    return plans


def changes_of(plans: Mapping[str, Plan]) -> dict[str, Change]:
    """The changes of these plans by their digests."""
    return {key: change for plan in plans.values() for key, change in zip(plan.manifest, plan.changes, strict=True)}


def consumed_rows(intent: Intent, outcomes: Iterable[bytes]) -> tuple[Consumed, ...]:
    """The rows that were made under the approval of this intent, as these files of outcomes tell."""
    found: list[Odd] = []
    lines = [one for data in outcomes for one in _lines(layout.OUTCOMES, data, OutcomeRecord, found)]
    rows = tuple(sorted({one.change for one in lines if one.result in ACCEPTED}))
    return (Consumed(envelope=intent.envelope, at=intent.since, rows=rows),) if rows else ()


def kind_odds(entry: LedgerEntry, files: Collection[str]) -> Odds:
    """Whether the entry has what its kind has, and nothing that belongs to another kind."""
    here, kind = "ledger", entry.kind
    if kind in ACTING:
        missing = [name for name in (layout.PLAN, layout.OUTCOMES) if layout.run_file(entry.run, name) not in files]
        yield from ((layout.run_file(entry.run, name), f"is missing: every {kind} has it") for name in missing)
        if not entry.plan or not entry.envelope or not entry.approval:
            yield here, f"has an entry of a {kind} without plan, envelope or approval"
        if layout.MANIFEST not in files:
            yield layout.MANIFEST, f"is missing: every {kind} ends with a snapshot"
    elif entry.approval or entry.envelope or entry.intent or entry.results or entry.actions or entry.left:
        yield here, f"has an entry of kind {kind} that claims to have carried out something"
    elif bool(entry.plan) != (layout.run_file(entry.run, layout.PLAN) in files):
        yield layout.run_file(entry.run, layout.PLAN), "is named by the entry and not there, or the other way round"
    yield from ((path, f"belongs to no entry of kind {kind}") for path in files if path not in _own(entry))
    if (kind in EXPLAINED) != (entry.reason is not None):
        yield here, f"has a {kind} entry without a reason" if kind in EXPLAINED else f"has a {kind} entry with a reason"
    if entry.found and layout.run_file(entry.run, layout.DRIFT) not in files:
        yield here, f"has an entry of kind {kind} that counts differences and does not list them"
    if kind == "recovery" and not entry.intent:
        yield here, "has a recovery that ends no run"


def _own(entry: LedgerEntry) -> set[str]:
    """The files that an entry of its kind may have. A decision is none that comes with a snapshot."""
    if entry.kind in ACTING:
        names = {layout.PLAN, layout.APPROVED, layout.OUTCOMES, layout.DRIFT} | (
            {layout.INTENT} if entry.intent else set()
        )
    else:
        names = {layout.DRIFT} if entry.kind == "drift" else {layout.PLAN}
    shot = set() if entry.kind in {"void", "override", "review"} else {layout.MANIFEST}
    return {layout.run_file(entry.run, name) for name in names} | shot


def _plan_odds(entry: LedgerEntry, plan: Plan, lineage: str) -> Odds:
    """Whether the plan is the one of which the entry speaks."""
    path = layout.run_file(entry.run, layout.PLAN)
    if plan.digest != entry.plan:
        yield path, "is not the plan that the ledger names"
    if plan.inputs.lineage != lineage:
        yield path, "was made on another lineage than the one that was recorded then"
    if entry.kind in ("run", "rollback") and (entry.kind == "rollback") != (plan.rollback is not None):
        yield path, f"does not fit an entry of kind {entry.kind}: only a rollback takes back what a run did"
    said = (entry.site, entry.accounts, entry.policy_commit, entry.policy_digest)
    if (plan.site, plan.summary.users, plan.inputs.policy_commit, plan.inputs.policy_digest) != said:
        yield path, "says something else than the ledger about site, accounts or policies"


def _override_odds(entry: LedgerEntry, plan: Plan) -> Odds:
    """Whether the plan names the Overrides that lifted its guards as the entry does."""
    names = ", ".join(sorted({name for check in plan.checks for name in check.lifted}))
    if entry.reason and entry.reason.code != names:
        yield layout.run_file(entry.run, layout.PLAN), "names other Overrides than the ledger"


def _approval_odds(entry: LedgerEntry, plans: Mapping[str, Plan]) -> Odds:
    """Whether what was approved is a plan of this run, and one that may be carried out."""
    path = layout.run_file(entry.run, layout.PLAN)
    for name, plan in plans.items():
        if not plan.applyable:
            yield layout.run_file(entry.run, name), "is unsafe, and was carried out"
    if entry.envelope not in {plan.envelope for plan in plans.values()}:
        yield path, "no plan of the run has the envelope that was approved"
    if entry.approval and entry.approval.ref != entry.envelope:
        yield path, "the approval is of another plan"
    if entry.approval and entry.approval.kind == "standing":
        if len(plans) != 1 or any(plan.created != entry.approval.at for plan in plans.values()):
            yield path, "was carried out under standing approvals, and made at another time or beside a saved plan"
        if bool(entry.approval.by) != bool(entry.intent):
            yield "ledger", "names keys of standing approvals though nothing was to be written, or the other way round"


def _outcome_odds(
    entry: LedgerEntry, files: Mapping[str, bytes], plans: Mapping[str, Plan], intent: Intent | None
) -> Odds:
    """Whether every outcome belongs to this run, its plan and its approval, and they are as many as the ledger counts.

    Without an intent nothing was written; with one, every row of it has an outcome.
    """
    path = layout.run_file(entry.run, layout.OUTCOMES)
    found: list[Odd] = []
    outcomes = _lines(path, files.get(path, b""), OutcomeRecord, found)
    yield from found
    changes = changes_of(plans)
    actors = {one.actor for one in outcomes}
    if len(actors) > 1:
        yield path, "names several actors in one run"
    for number, one in enumerate(outcomes, start=1):
        yield from ((f"{path}:{number}", what) for what in _line_odds(one, number, entry, changes, intent))
    if len({one.change for one in outcomes}) != len(outcomes):
        yield path, "has several outcomes of one change"
    intended = set(intent.changes) if intent else set()
    if any(one.result in WRITTEN and one.change not in intended for one in outcomes):
        yield path, "says that something was written to the site without an intent before"
    if not intended <= {one.change for one in outcomes}:
        yield path, "does not say what became of every change of the intent"
    results = Counter(one.result for one in outcomes)
    actions = Counter(one.action for one in outcomes if one.result == "applied")
    if dict(results) != entry.results or dict(actions) != entry.actions:
        yield path, "does not hold as many results as the ledger counts"


def _line_odds(
    one: OutcomeRecord, number: int, entry: LedgerEntry, changes: Mapping[str, Change], intent: Intent | None
) -> list[str]:
    found = []
    if one.number != number:
        found.append(f"has number {one.number} where {number} follows")
    if (one.run, one.site, one.plan, one.approval) != (entry.run, entry.site, entry.plan, _allowed(one, entry, intent)):
        found.append("is of another run, site, plan or approval than the ledger says")
    if (one.policy_commit, one.tool_version) != (entry.policy_commit, entry.tool_version):
        found.append("is of other policies or of another version than the ledger says")
    change = changes.get(one.change)
    if change is None:
        found.append("names a change that no plan of the run has")
        return found
    said = (one.address, one.action, one.user, one.before, one.after)
    if said != (change.address, change.action, change.user, change.before, change.after):
        found.append("says something else than the plan about its change")
    if [cause.policy for cause in one.causes] != [cause.policy for cause in change.causes]:
        found.append("names other policies than the plan as those that ask for its change")
    return found


def _allowed(one: OutcomeRecord, entry: LedgerEntry, intent: Intent | None) -> Approval | None:
    """The approval that an outcome of this run must name; ``None`` when there cannot be any."""
    policies = intent.approvals if intent else {}
    if entry.approval is None or entry.approval.kind != "standing":
        return entry.approval
    if not one.causes or any(cause.policy not in policies for cause in one.causes):
        return None
    return approval_of(one.causes, entry.approval, policies)


def _drift_odds(entry: LedgerEntry, files: Mapping[str, bytes]) -> Odds:
    """Whether the differences can be read and are as many as the ledger counts."""
    path = layout.run_file(entry.run, layout.DRIFT)
    if path not in files:
        yield path, "is missing: every drift has it"
        return
    found: list[Odd] = []
    differences = _lines(path, files[path], Difference, found)
    yield from found
    if dict(Counter(one.what for one in differences if one.by_others)) != entry.found:
        yield path, "does not hold as many differences as the ledger counts"
    if layout.MANIFEST not in files:
        yield layout.MANIFEST, "is missing: every drift comes with the snapshot as it was found"


def _lines(path: str, data: bytes, sort: type[_One], found: list[Odd]) -> list[_One]:
    """The rows of a file; why it has none where it cannot be read or is not canonical."""
    rows: list[_One] = []
    if data and not data.endswith(b"\n"):
        found.append((path, "its last line was cut off"))
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else (), start=1):
        try:
            row = msgspec.json.decode(line, type=sort)
        except chain.UNREADABLE as error:
            found.append((f"{path}:{number}", f"cannot be read: {error}"))
            continue
        if canonical(row) != line:
            found.append((f"{path}:{number}", "is not in the canonical form in which it is written"))
        rows.append(row)
    return rows

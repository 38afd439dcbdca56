"""Whether a commit that claims a run is what it must be: an intent, its plans, its leases, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.audit.found import CLOCKS, Odd, Odds
from cleanup_gitops.ledger.audit.run import read_plans
from cleanup_gitops.ledger.claims import intent_bytes, lease_bytes
from cleanup_gitops.ledger.leases import read_intent
from cleanup_gitops.ledger.subjects import intent_trailers
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.errors import StateError
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.plan import Plan
from cleanup_gitops.model.run import Intent, LedgerEntry
from cleanup_gitops.model.standing import APPROVE, covers, joint


class Claim(Struct, frozen=True):
    """An intent as it was committed: its digest, the files that came with it, and its leases."""

    intent: Intent
    digest: str
    files: dict[str, bytes]
    leases: frozenset[str]


def intent_path(files: Mapping[str, bytes]) -> str:
    """The intent among these files; "" when there is none."""
    return next((path for path in files if _is_intent(path)), "")


def claim_of(path: str, new: Mapping[str, bytes], found: list[Odd]) -> Claim | None:
    """The claim that begins with these files; ``None`` when the intent cannot be read."""
    try:
        intent = read_intent(path, new[path])
    except StateError as error:
        found.append((path, error.message.removeprefix(f"{path} ")))
        return None
    leases = frozenset(layout.lease_file(one) for one in intent.directories)
    files = {one: data for one, data in new.items() if one not in leases}
    return Claim(intent, sha256(new[path]), files, leases)


def claim_odds(
    claim: Claim, site: str, before: Memory, new: Mapping[str, bytes], gone: list[str], trailers: Mapping[str, str]
) -> Odds:
    """What does not fit in the commit of an intent. ``before`` is what was recorded then."""
    intent = claim.intent
    path = layout.run_file(intent.run, layout.INTENT)
    if path not in new:
        yield path, "is not where the intent of this run belongs"
    elif intent_bytes(intent) != new[path]:
        yield path, "is not in the form in which intents are written"
    if intent.site != site:
        yield path, f"is about another site, {intent.site}"
    if (intent.lineage, intent.serial) != (before.lineage, before.serial):
        yield path, "was not made on the state that was recorded then"
    yield from _lease_odds(claim, new)
    named = {*intent.digests, path, *claim.leases}
    yield from ((one, "does not belong to an intent") for one in (*new, *gone) if one not in named or one in gone)
    yield from _plans_odds(claim, path, new, before)
    for name, value in intent_trailers(intent, claim.digest, before).items():
        if trailers.get(name) != value:
            yield "commit message", f"its {name} does not fit the intent"


def _lease_odds(claim: Claim, new: Mapping[str, bytes]) -> Odds:
    """Whether there is one lease for each directory, with what the intent says."""
    for directory in claim.intent.directories:
        path = layout.lease_file(directory)
        if path not in new:
            yield path, "is missing: an intent takes a lease for each of its directories"
        elif new[path] != lease_bytes(claim.intent, directory, claim.digest):
            yield path, "is not the lease of the intent"
    if not claim.intent.directories:
        yield layout.LEASES, "an intent takes a lease for each of its directories, and this one names none"


def _plans_odds(claim: Claim, path: str, new: Mapping[str, bytes], before: Memory) -> Odds:
    """Whether the plans beside the intent are those of which it speaks."""
    intent = claim.intent
    found: list[Odd] = []
    own = {layout.run_file(intent.run, name) for name in (layout.PLAN, layout.APPROVED)}
    for one, digest in intent.digests.items():
        if one not in own:
            found.append((one, "is named by the intent and no plan of its run"))
        elif one not in new:
            found.append((one, "is named by the intent but not part of the commit"))
        elif sha256(new[one]) != digest:
            found.append((one, "is not the file that the intent names"))
    if found:
        yield from found
        return
    plans = read_plans(intent.run, new, found)
    yield from found
    plan = plans.get(layout.PLAN)
    if plan is None:
        yield path, "has no plan beside it"
        return
    if (plan.digest, plan.site, plan.inputs.policy_commit) != (intent.plan, intent.site, intent.policy_commit):
        yield path, "says something else than its plan about digest, site or policies"
    if intent.envelope not in {one.envelope for one in plans.values()} or intent.approval.ref != intent.envelope:
        yield path, "is approved under an envelope that no plan beside it has"
    if not intent.changes or not _covered(intent, plans, before):
        yield path, "does not name changes that stand in every plan beside it"
    else:
        yield from _standing_odds(intent, path, plan)


def _standing_odds(intent: Intent, path: str, plan: Plan) -> Odds:
    """Whether an intent under standing approvals has one for each policy that asks for its changes, and no other."""
    used = intent.approvals
    if intent.approval.kind != "standing":
        if used:
            yield path, "names standing approvals, and is approved otherwise"
        return
    meant = set(intent.changes)
    changes = [change for digest, change in zip(plan.manifest, plan.changes, strict=True) if digest in meant]
    asking = {cause.policy for change in changes for cause in change.causes}
    if asking != used.keys() or not all(change.causes for change in changes):
        yield path, "does not name the standing approvals of exactly the policies that ask for its changes"
    if not all(covers(change.action, change.causes) for change in changes):
        yield path, "has changes that no standing approval covers"
    if used and intent.approval.by != joint(used.values()).by:
        yield path, "names other keys as those that approved the run than those that approved its policies"
    for one in used.values():
        if (one.kind, one.ref[: len(APPROVE)], one.by[:7]) != ("standing", APPROVE, "SHA256:"):
            yield path, "has a standing approval that names no key or no tag"
        if one.at > intent.since + CLOCKS:
            yield path, "has a standing approval that was given after the run began"


def _covered(intent: Intent, plans: Mapping[str, Plan], before: Memory) -> bool:
    """Whether every change stands in every plan.

    What was approved may be missing in the plan of the run where the same user was begun under the same approval:
    whoever has lost the seat need not match the policy any more that wanted the account closed as well.
    """
    meant = set(intent.changes)
    lacking = meant - set(plans[layout.PLAN].manifest)
    approved = plans.get(layout.APPROVED)
    if approved is None:
        return not lacking
    consumed = {row for one in before.consumed if one.envelope == intent.envelope for row in one.rows}
    rows = dict(zip(approved.manifest, approved.changes, strict=True))
    begun = {change.user for row, change in rows.items() if row in consumed}
    return meant <= rows.keys() and all(rows[row].user in begun for row in lacking)


def end_odds(entry: LedgerEntry, claim: Claim | None, gone: list[str]) -> Odds:
    """Whether an entry ends the run that was begun, and nothing else; its leases go with it."""
    freed = {path for path in gone if path.startswith(layout.LEASES)}
    if freed != (claim.leases if claim and entry.intent == claim.digest else frozenset()):
        yield layout.LEASES, "leases end exactly with the record of the run that took them"
    if claim is None:
        if entry.intent:
            yield "ledger", "ends an intent that is not there"
        return
    intent = claim.intent
    if entry.intent != claim.digest:
        yield "ledger", f"has another record while run {intent.run} was under way"
        return
    said = (entry.run, entry.plan, entry.envelope, entry.approval, entry.policy_commit)
    if said != (intent.run, intent.plan, intent.envelope, intent.approval, intent.policy_commit):
        yield "ledger", "says something else than the intent about run, plan, approval or policies"
    if entry.time < intent.since - CLOCKS:
        yield "ledger", "has the end of a run before its beginning"


def _is_intent(path: str) -> bool:
    return path.startswith(layout.RUNS) and path.endswith(f"/{layout.INTENT}")

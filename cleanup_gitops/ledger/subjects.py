"""What the commits of a record say: a subject with numbers first, and trailers that programs read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from cleanup_gitops.ledger import layout
from cleanup_gitops.model.canonical import sha256
from cleanup_gitops.model.change import ACTIONS, Action
from cleanup_gitops.model.memory import Memory
from cleanup_gitops.model.run import Intent, Kind, LedgerEntry, Outcome, Result

INTENT_KIND = "intent"
"""The ``Kind`` of a commit that claims a run and brings no entry of the ledger."""

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
    "notice.send": ("notice sent", "notices sent"),
    "user.invite": ("invited", "invited"),
}
"""What was done, of one and of several."""

_FOUND: dict[str, tuple[str, str]] = {
    "user.appeared": ("account appeared", "accounts appeared"),
    "user.vanished": ("account vanished", "accounts vanished"),
    "user.changed": ("account changed", "accounts changed"),
    "membership.added": ("membership added", "memberships added"),
    "membership.removed": ("membership removed", "memberships removed"),
    "group.appeared": ("group appeared", "groups appeared"),
    "group.vanished": ("group vanished", "groups vanished"),
    "group.changed": ("group changed", "groups changed"),
}
"""What others did, of one and of several."""

_BEGINNINGS: dict[Kind, str] = {
    "run": "",
    "void": "void, nothing was done: ",
    "drift": "not by us: ",
    "recovery": "recovered: ",
    "rollback": "rolled back: ",
    "override": "override: ",
    "review": "review: ",
    "heartbeat": "heartbeat: ",
    "roll-over": "goes on here: ",
    "undelivered": "undelivered: ",
}


def subject_of(entry: LedgerEntry, outcomes: Sequence[Outcome] = ()) -> str:
    """What happened, in one line without the site: what was done, what failed, and what else became of the rows."""
    if entry.kind == "drift" and not entry.found:
        nothing = entry.digests.get(layout.run_file(entry.run, layout.DRIFT)) == sha256(b"")
        return "holds for what others undid" if nothing else "effects of an earlier run of ours, seen late"
    return _BEGINNINGS[entry.kind] + _numbers(entry, outcomes)


def _numbers(entry: LedgerEntry, outcomes: Sequence[Outcome]) -> str:
    if entry.kind == "void" and entry.reason:
        return entry.reason.code.replace("-", " ")
    if entry.kind == "override" and entry.reason:
        return entry.reason.code
    if entry.kind == "undelivered" and entry.reason:
        return entry.reason.text
    if entry.kind == "drift":
        return found_of(entry)
    if entry.kind == "roll-over":
        return f"{entry.accounts} accounts, record number {entry.seq}"
    if entry.kind == "heartbeat":
        return f"nothing was due, {entry.accounts} accounts evaluated"
    later = left_of(entry)
    if not outcomes:
        return f"nothing {f'done, {later}' if later else 'to do'}, {entry.accounts} accounts evaluated"
    ordered = sorted(outcomes, key=lambda one: ACTIONS.index(one.action))
    done = Counter(_word(one) for one in ordered if one.result == "applied") or {_NOTHING: 0}
    results = Counter(one.result for one in outcomes)
    parts = [f"{count} {one if count == 1 else several}" for (one, several), count in done.items()]
    parts.append(f"{results['failed']} failed")
    others: tuple[Result, ...] = ("not_effective", "not_attempted", "settling", "superseded", "already")
    parts += [f"{results[one]} {one.replace('_', ' ')}" for one in others if results[one]]
    return ", ".join([*parts, later] if later else parts)


def left_of(entry: LedgerEntry) -> str:
    """How many changes were left for later, and why: "3 left for later (1 not approved, 2 soak)"; "" for none."""
    if not entry.left:
        return ""
    whys = ", ".join(f"{number} {code.replace('-', ' ')}" for code, number in sorted(entry.left.items()))
    return f"{sum(entry.left.values())} left for later ({whys})"


def _counted(counts: Mapping[str, int], words: Mapping[str, tuple[str, str]]) -> str:
    return ", ".join(f"{counts[one]} {words[one][counts[one] != 1]}" for one in words if counts.get(one))


def _word(outcome: Outcome) -> tuple[str, str]:
    """What was done to the user: a "membership removed", "suspended", and so on."""
    if outcome.action == "user.disable":
        status = str(outcome.after.get("status", "disabled"))
        return status, status
    return _WORDS[outcome.action]


def found_of(entry: LedgerEntry) -> str:
    """What others changed, counted: "1 account changed, 2 memberships added"; "" when nothing was found."""
    return _counted(entry.found, _FOUND)


def trailers_of(entry: LedgerEntry, head: str) -> dict[str, str]:
    """The machine-readable end of the message of a record's commit."""
    actions = " ".join(f"{action}={count}" for action, count in entry.actions.items())
    found = " ".join(f"{what}={count}" for what, count in entry.found.items())
    return {
        "Run-Id": entry.run,
        "Site": entry.site,
        "Kind": entry.kind,
        "Policy-Commit": entry.policy_commit or "none",
        "Plan-Digest": entry.plan or "none",
        "Approved-by": _one_word(entry.approval.by) if entry.approval else "none",
        "Accounts-Evaluated": str(entry.accounts),
        "Actions": actions or "none",
        **({"Found": found} if found else {}),
        "Ledger-Head": f"sha256:{head}",
        "State-Digest": entry.state,
    }


def intent_subject(intent: Intent) -> str:
    """What is about to be done, in one line."""
    number = len(intent.changes)
    return f"{intent.site}: {number} {'change' if number == 1 else 'changes'} begun"


def intent_trailers(intent: Intent, digest: str, memory: Memory) -> dict[str, str]:
    """The machine-readable end of the message of an intent's commit; ``digest`` is that of the stored intent."""
    return {
        "Run-Id": intent.run,
        "Site": intent.site,
        "Kind": INTENT_KIND,
        "Policy-Commit": intent.policy_commit or "none",
        "Plan-Digest": intent.plan,
        "Approved-by": _one_word(intent.approval.by),
        "Intent-Digest": digest,
        "Ledger-Head": f"sha256:{memory.head}" if memory.head else "none",
        "State-Digest": memory.state or "none",
    }


def _one_word(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip() or "none"

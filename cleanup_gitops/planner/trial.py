"""Policies that only report: what they would change beside what is done, and never instead of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cleanup_gitops.model.plan import Disposition, Pending
from cleanup_gitops.planner.fate import Fate, names
from cleanup_gitops.planner.rules import Rule

NOTE = "the policy only reports"


def with_trial(found: Fate, whole: Fate, trial: Sequence[Rule]) -> Fate:
    """What becomes of a user, with the rows that would be added if the policies of ``trial`` were enforced too.

    ``found`` is what becomes of the user without them, ``whole`` what would with them. They take nothing away from what
    is done, and where that is not clear they are left out.
    """
    if found.disposition.state in ("conflict", "unknown"):
        return found
    known = {(one.action, one.address) for one in (*found.changes, *(one.change for one in found.pending))}
    rows = [
        Pending(change=one, reason="report", note=NOTE)
        for one in whole.changes
        if (one.action, one.address) not in known
    ]
    if found.disposition.state != "unchanged":
        return replace(found, pending=[*found.pending, *rows])
    if rows:
        return Fate(Disposition("pending", "report", names(trial), whole.disposition.note), [], [], rows)
    if whole.disposition.state == "handed_off":
        return Fate(Disposition("pending", "report", names(trial), "would be handed off"))
    return Fate(whole.disposition) if whole.disposition.state in ("conflict", "unknown") else found

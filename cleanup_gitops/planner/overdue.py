"""Says of a change that an earlier run has sent it already, and that the site never showed it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.memory import Memory


def noted(changes: Iterable[Change], memory: Memory, now: datetime) -> tuple[Change, ...]:
    """The changes with a note on those that were accepted before and are without effect past their deadline.

    They stay planned, because the wished state is not there; but nobody approves them unaware.
    """
    sent = {one.address: one for one in memory.settling if one.deadline is not None and one.deadline < now}
    if not sent:
        return tuple(changes)
    found = []
    for change in changes:
        line = sent.get(change.address)
        if line is not None and line.after == change.after:
            text = f"not effective: run {line.run} sent this by {line.at:%Y-%m-%d %H:%M} UTC and it does not show"
            change = replace(change, note="; ".join(filter(None, (text, change.note))))  # noqa: PLW2901
        found.append(change)
    return tuple(found)

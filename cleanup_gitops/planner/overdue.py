"""Says of a change that an earlier run has sent it already, or may have, and that the site does not show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from cleanup_gitops.model.change import Change
from cleanup_gitops.model.memory import Memory, Settling


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of an earlier write of a change that is planned again.

    ``late``: it may still show, up to the deadline. ``without-effect``: it never showed. ``doubtful``: nobody knows
    whether it was sent, or whether it had shown and others undid it.
    """

    line: Settling
    state: Literal["late", "without-effect", "doubtful"]

    @property
    def note(self) -> str:
        """The same for people."""
        line, by = self.line, f"{self.line.at:%Y-%m-%d %H:%M} UTC"
        if self.state == "late":
            until = f"{line.deadline:%Y-%m-%d %H:%M} UTC"
            return f"run {line.run} sent this by {by}, it may show until {until} and is not sent again before"
        if self.state == "without-effect":
            return f"not effective: run {line.run} sent this by {by} and it does not show"
        did = "did this" if line.verified else "was cut off and may have done this"
        return f"run {line.run} {did} by {by}: perhaps others undid it, so look before it is done again"


def sent_before(changes: Iterable[Change], memory: Memory, now: datetime) -> dict[str, Sent]:
    """Which of these changes an earlier run has sent, or may have, by address."""
    lines = {one.address: one for one in memory.settling}
    return {
        change.address: Sent(line, _state(line, now))
        for change in changes
        if (line := lines.get(change.address)) is not None and line.after == change.after
    }


def _state(line: Settling, now: datetime) -> Literal["late", "without-effect", "doubtful"]:
    if line.deadline is None:
        return "doubtful"
    if now <= line.deadline:
        return "late"
    return "doubtful" if line.verified else "without-effect"


def noted(changes: Iterable[Change], memory: Memory, now: datetime) -> tuple[Change, ...]:
    """The changes with a note on those that were, or may have been, sent before.

    They stay planned, because the wished state is not there; but nobody approves them unaware.
    """
    rows = tuple(changes)
    sent = sent_before(rows, memory, now)
    return tuple(
        replace(one, note="; ".join(filter(None, (sent[one.address].note, one.note)))) if one.address in sent else one
        for one in rows
    )

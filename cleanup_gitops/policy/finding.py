"""What the explaining reading finds out about one predicate and one user."""

from __future__ import annotations

from collections.abc import Iterable


class Finding:
    """``asked``: the predicate as written; ``detail``: the value seen, its source and age; ``reason``: for a plan."""

    __slots__ = ("asked", "detail", "reason", "verdict")

    def __init__(self, asked: str, verdict: bool | None, detail: str, reason: str = "") -> None:  # noqa: FBT001
        self.asked = asked
        self.verdict = verdict
        self.detail = detail
        self.reason = reason or detail


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """Kleene's "and": False wins over unknown, unknown over True."""
    result: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            result = None
    return result


NOT_KEPT = "not kept in the snapshot"
"""Why a snapshot cannot tell a fact that the site may have told."""


def not_kept(what: str) -> str:
    """The same, about one fact."""
    return f"{NOT_KEPT}: {what}"

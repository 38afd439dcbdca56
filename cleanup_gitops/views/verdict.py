"""What a check of the recorded history found, for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cleanup_gitops.ledger.verify import Finding, Verdict
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.views.documents import render
from cleanup_gitops.views.paint import paint

SHOWN = 50
"""Findings that the text lists; after the first few an edited history only repeats itself. JSON has all."""


def render_text(verdict: Verdict, *, colour: bool = False) -> str:
    """A few lines: whole or not, what was checked, and each thing that does not fit with its commit and place."""
    text = render("verdict.txt.j2", verdict=verdict, findings=verdict.findings[:SHOWN], place=_place)
    return paint(text, colour=colour)


def render_json(verdicts: Iterable[Verdict]) -> str:
    """All verdicts with all findings."""
    rows = [msgspec.to_builtins(one) | {"whole": one.whole} for one in verdicts]
    document = {"format_version": "1.0", "sites": rows, "whole": all(row["whole"] for row in rows)}
    return msgspec.json.format(canonical(document), indent=2).decode() + "\n"


def _place(finding: Finding) -> str:
    parts = (finding.where, f"commit {finding.commit[:12]}" if finding.commit else "")
    return ", ".join(filter(None, parts))

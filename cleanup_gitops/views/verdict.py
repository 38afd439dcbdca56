"""What a check of the recorded history found, for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cleanup_gitops.ledger.audit.verify import Finding, OpenRun, Signatures, Verdict
from cleanup_gitops.model.canonical import canonical
from cleanup_gitops.model.run import Kind
from cleanup_gitops.views.documents import count, render
from cleanup_gitops.views.paint import paint

SHOWN = 50
"""Findings that the text lists; after the first few an edited history only repeats itself. JSON has all."""

_WORDS: dict[Kind, tuple[str, str]] = {
    "run": ("run", "runs"),
    "void": ("void run", "void runs"),
    "drift": ("drift", "drifts"),
    "recovery": ("recovery", "recoveries"),
    "rollback": ("rollback", "rollbacks"),
    "override": ("override", "overrides"),
    "undelivered": ("record of notices that came back", "records of notices that came back"),
    "review": ("review", "reviews"),
    "heartbeat": ("heartbeat", "heartbeats"),
    "roll-over": ("roll-over", "roll-overs"),
}


def render_text(verdict: Verdict, *, colour: bool = False) -> str:
    """A few lines: whole or not, what was checked, and each thing that does not fit with its commit and place."""
    text = render(
        "verdict.txt.j2",
        verdict=verdict,
        findings=verdict.findings[:SHOWN],
        place=_place,
        kinds=_kinds(verdict),
        since=_since,
        signatures=_signatures(verdict.signatures),
    )
    return paint(text, colour=colour)


def render_json(verdicts: Iterable[Verdict]) -> str:
    """All verdicts with all findings."""
    rows = [msgspec.to_builtins(one) | {"whole": one.whole, "findings": _findings(one)} for one in verdicts]
    document = {"format_version": "1.0", "sites": rows, "whole": all(row["whole"] for row in rows)}
    return msgspec.json.format(canonical(document), indent=2).decode() + "\n"


def _findings(verdict: Verdict) -> list[dict[str, str]]:
    """The findings as JSON can hold them: a file may have a name that is no text."""
    return [
        {
            field: text.encode("utf-8", "backslashreplace").decode()
            for field, text in msgspec.structs.asdict(one).items()
        }
        for one in verdict.findings
    ]


def _place(finding: Finding) -> str:
    parts = (finding.where, f"commit {finding.commit[:12]}" if finding.commit else "")
    return ", ".join(filter(None, parts))


def _kinds(verdict: Verdict) -> str:
    """Such as "40 runs, 1 void run, drift 2 times; 12 began with an intent"."""
    found = verdict.kinds
    kinds = ", ".join(f"{count(found[one])} {words[found[one] != 1]}" for one, words in _WORDS.items() if one in found)
    return f"{kinds}; {count(verdict.intents)} begun with an intent" if verdict.intents else kinds


def _signatures(found: Signatures) -> str:
    if found.judged:
        return "Signatures: every commit was compared with the allowed signers."
    if not found.signed:
        return "Signatures: none of the commits is signed."
    without = f", {count(found.unsigned)} are not" if found.unsigned else ""
    signed = f"{count(found.signed)} of the commits are signed{without}"
    return f"Signatures: {signed}; by whom was not checked (--allowed-signers)."


def _since(one: OpenRun) -> str:
    return f"{one.since:%Y-%m-%d %H:%M}"

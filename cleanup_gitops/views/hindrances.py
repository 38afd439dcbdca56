"""What keeps a policy from acting on a user, in words."""

from __future__ import annotations

from cleanup_gitops.rehearsal.hindrances import Hindrance, Shelter
from cleanup_gitops.views import words

_BEATEN = {
    "beaten-by-termination": "a policy about people who leave decides",
    "beaten-by-priority": "another one has a higher priority",
    "beaten-by-milder": "a milder one wins",
    "beaten-by-further": "another one asks for more",
}


_OF_POLICY = {
    "ended": "it has ended: its last day was {until}",
    "spent": "it was to act once: {note}",
    "report": "it only reports (mode: report)",
    "blocked": "it is blocked and acts on nobody: {note}",
    "kind": "it does not speak about this type of account ({note})",
    "administrator": "the account is an administrator, and the policy does not say include_admins",
    "group-not-in-directory": "the user's directory has no group {note}",
    "hold": "{note}",
    "flapping": "{note}",
    "adopt": words.reason("adopt"),
}


def hindrance(one: Hindrance) -> str:
    """One reason in one line, without an end mark."""
    if one.code in _OF_POLICY:
        return _OF_POLICY[one.code].format(until=one.until, note=one.note)
    others, by = ", ".join(one.policies), f", by {one.document}" if one.document else ""
    if one.code in _BEATEN:
        return f"{_BEATEN[one.code]}: {others}"
    if one.code == "protection":
        return f"protected: {words.reason(one.note)}{by}"
    if one.code == "exemption":
        return f"exempt until {one.until} ({one.note}){by}"
    code, _, note = one.note.partition(": ")
    return f"{words.reason(code)}{f' ({note})' if note else ''}{f', beside {others}' if others else ''}"


def shelter(one: Shelter) -> str:
    """What keeps all policies from the user, in one line."""
    if one.until is None:
        through = f" {one.through}" if one.through else ""
        return f"protected: {words.reason(one.code)}{through}{_document('Protection', one)}"
    ended = "exempt" if one.running else "was exempt"
    return f"{ended} until {one.until} ({one.code}){_document('Exemptions', one)}"


def _document(kind: str, one: Shelter) -> str:
    return f", {kind} {one.document} ({one.where})" if one.document else ""

"""Profiles in User management: what is shown, what may change, and what a value must look like."""

from __future__ import annotations

import unicodedata
from typing import Any

from cleanup_gitops.sandbox.manageable import PROFILE, PROFILE_FIELDS, rule
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import User

LONGEST = {"name": 100, "nickname": 30}
LONGEST_PART = 255
_ATTRIBUTES = {
    "name": "name",
    "nickname": "nickname",
    "zoneinfo": "time_zone",
    "locale": "locale",
    "extended_profile.job_title": "job_title",
    "extended_profile.department": "department",
    "extended_profile.organization": "organization",
    "extended_profile.location": "location",
}


def shown(user: User) -> dict[str, object]:
    """The profile of a managed account; its address is always there."""
    more = {
        name.rpartition(".")[2]: getattr(user, attribute)
        for name, attribute in _ATTRIBUTES.items()
        if name.startswith("extended_profile.") and getattr(user, attribute)
    }
    found: dict[str, object] = {
        "account_id": user.id,
        "account_type": user.type,
        "account_status": user.account,
        "name": user.name,
        # A nickname has 1 to 30 characters here, whatever else it has elsewhere.
        "nickname": user.nickname[: LONGEST["nickname"]] or user.id[: LONGEST["nickname"]],
        "email": user.email or "",
        "picture": f"https://avatars.example/{user.id}",
        "characteristics": {"not_mentionable": False},
        "extended_profile": more,
    }
    found |= {"zoneinfo": user.time_zone} if user.time_zone else {}
    found |= {"locale": user.locale} if user.locale else {}
    return found


def changes(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a PATCH by their full names, ``extended_profile.department`` among them."""
    found = {name: value for name, value in body.items() if name != "extended_profile"}
    more = body.get("extended_profile", {})
    if not isinstance(more, dict):
        return found | {"extended_profile": more}
    return found | {f"extended_profile.{name}": value for name, value in more.items()}


def restricted(state: State, user: User, wanted: dict[str, Any]) -> dict[str, object]:
    """The rules against changing these fields; what is no changeable field is for administrative use."""
    found: dict[str, object] = {}
    for name in wanted:
        told: dict[str, object] = {"allowed": False, "reason": {"key": "administrative"}}
        if name in PROFILE_FIELDS:
            told = rule(state, user, f"{PROFILE}.{name}")
        if not told["allowed"]:
            found[name] = told
    return found


def violations(wanted: dict[str, Any]) -> list[dict[str, object]]:
    """What is wrong with the new values, by field."""
    found: list[dict[str, object]] = []
    for name, value in wanted.items():
        keys = []
        if not isinstance(value, str):
            keys.append("type")
        else:
            if len(value) > LONGEST.get(name, LONGEST_PART):
                keys.append("maxLength")
            if name in LONGEST and not value:
                keys.append("minLength")
            if _has_controls(value):
                keys.append("validCharacters")
        if keys:
            found.append({"field": name, "violations": [{"key": key} for key in keys]})
    return found


def apply(user: User, wanted: dict[str, Any]) -> None:
    """Write the new values."""
    for name, value in wanted.items():
        setattr(user, _ATTRIBUTES[name], value)


def address_problem(email: object) -> str | None:
    """What is wrong with an address, or None."""
    if not isinstance(email, str):
        return "type"
    local, at, domain = email.rpartition("@")
    if not (local and at and "." in domain) or _has_controls(email) or " " in email:
        return "validCharacters"
    if any(len(part) > LONGEST_PART for part in (local, *domain.split("."))):
        return "partMaxLength"
    return None


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" for sign in text)

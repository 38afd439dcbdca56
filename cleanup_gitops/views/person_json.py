"""One user explained, as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from cleanup_gitops.model.change import Change, change_digest
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.policy.match import Explanation
from cleanup_gitops.rehearsal.episode import ExplainedEpisode
from cleanup_gitops.rehearsal.person import Explained, ExplainedPolicy
from cleanup_gitops.rehearsal.seat import ExplainedSeat
from cleanup_gitops.views.safe import json_text

FORMAT_VERSION = "1.0"
"""A minor step adds keys."""
_FACTS = (
    "status",
    "status_since",
    "accepted",
    "kind",
    "license",
    "billed",
    "managed",
    "synced",
    "admin",
    "roles",
    "directory",
    "added",
    "seen",
    "elsewhere",
)


def render_person_json(found: Explained, people: People = NOBODY, about: Mapping[str, Any] | None = None) -> str:
    """Everything that the text says; what is not known is null. ``about`` says where it was recorded.

    Name and address are those of ``people``, null where they are not among them.
    """
    document = {
        "format_version": FORMAT_VERSION,
        "site": found.site,
        "hosting": found.hosting,
        "read": found.read,
        "as_of": found.as_of,
        **(about or {}),
        "user": _user(found, people),
        "disposition": found.disposition,
        "unsafe": found.unsafe,
        "changes": [_change(one) for one in found.changes],
        "handoffs": found.handoffs,
        "pending": found.pending,
        "policies": [_policy(one) for one in found.policies],
        "shelters": found.shelters,
        "holds": [{"policy": policy, "reason": one.reason, "until": one.until} for policy, one in found.holds],
        "seat": _seat(found.seat),
    }
    return json_text(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n")


def _user(found: Explained, people: People) -> dict[str, Any]:
    user = found.user
    return {
        "id": user.id,
        "name": people.name(user.id) or None,
        "email": people.email(user.id),
        **{name: getattr(user, name) for name in _FACTS},
        "idle": found.idle,
    }


def _change(one: Change) -> dict[str, Any]:
    """As the plan file has it."""
    shown: dict[str, Any] = msgspec.to_builtins(one)
    return shown | {"before": one.before, "after": one.after, "digest": change_digest(one)}


def _policy(one: ExplainedPolicy) -> dict[str, Any]:
    return {
        "name": one.name,
        "where": one.where,
        "why": one.why,
        "termination": one.termination,
        "verdict": one.verdict,
        "acts": one.acts,
        "taken_back": one.taken_back,
        "conditions": _conditions(one.conditions),
        "hindrances": one.hindrances,
        "episode": _episode(one.episode) if one.episode else None,
    }


def _conditions(one: Explanation) -> dict[str, Any]:
    return {
        "asked": one.asked,
        "verdict": one.verdict,
        "detail": one.detail,
        "children": [_conditions(child) for child in one.children],
    }


def _episode(one: ExplainedEpisode) -> dict[str, Any]:
    return {
        "number": one.number,
        "opened": one.opened,
        "ended": {"why": one.ended[0], "on": one.ended[1]} if one.ended else None,
        "stages": [
            {
                "name": stage.name,
                "after": stage.after,
                "entered": stage.entered,
                "done": stage.done,
                "undelivered": stage.undelivered,
                "passed": stage.passed,
                "earliest": stage.earliest,
                "when": _conditions(stage.when) if stage.when else None,
            }
            for stage in one.stages
        ],
        "today": [{"stage": row.stage, "what": row.what, "reason": row.reason} for row in one.today],
    }


def _seat(one: ExplainedSeat) -> dict[str, Any]:
    return {
        "billed": one.billed,
        "ways": one.ways,
        "closing": {"hands": one.closing[0], "reason": one.closing[1]} if one.closing else None,
        "doubts": one.doubts,
    }

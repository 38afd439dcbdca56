"""The limits of one plan as a Guardrails document sets them: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cleanup_gitops.model.change import ACTIONS, Action
from cleanup_gitops.policy.guarding import Guard, ReadingGuards, check_capped
from cleanup_gitops.policy.timing import Windows


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``max`` changes, and at most ``percent`` of the site's seats (``None``: no such limit). 0 means never."""

    max: int
    percent: int | None = None


DEFAULT_CAPS: Mapping[str, Cap] = {
    "user.delete": Cap(5, 1),
    "user.remove": Cap(10, 1),
    "user.deactivate": Cap(10, 1),
    "user.disable": Cap(25, 2),
    "role.revoke": Cap(200, 10),
    "membership.remove": Cap(200, 10),
    "tokens.revoke": Cap(100, 10),
    "user.enable": Cap(50, 5),
    "membership.add": Cap(200, 10),
    "notice.send": Cap(500, 25),
    "user.invite": Cap(50, 5),
    "total": Cap(300, 12),
    "termination": Cap(20, 2),
}
"""Limits of one plan where a Guardrails document says nothing else; every action has one."""
CAPPED: tuple[Guard, ...] = (*ACTIONS, "termination", "total")
"""What has a cap: each action, the rows of terminations apart from those of other policies, and all but notices."""
check_capped(CAPPED, DEFAULT_CAPS, "`policy.guardrails.DEFAULT_CAPS`")
DEFAULT_PER_DOMAIN = 50
"""Percent of the accounts of one e-mail domain from which one plan may take something."""
ON_REQUEST: frozenset[Action] = frozenset({"user.remove", "user.delete"})
"""Actions that Guardrails must allow by name, because they cannot simply be taken back."""
DEFAULT_ALLOW: frozenset[Action] = frozenset(ACTIONS) - ON_REQUEST
DEFAULT_PLAN_TTL = timedelta(hours=72)
DEFAULT_GRACE = 14
"""Days for which a policy leaves somebody alone after its change was undone."""
DEFAULT_HANDOFF_SLA = 14
"""Days after which what a stage handed off is overdue."""
DEFAULT_FLAPS = 3
"""Undone by others on so many days, a policy does not begin again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """Limits of one plan. ``caps`` has all of ``CAPPED``. ``where`` is "default" without a document.

    ``per_domain`` is percent. ``min_admins``: active people with an administrative role whom a plan must leave.
    """

    caps: Mapping[str, Cap] = field(default_factory=lambda: dict(DEFAULT_CAPS))
    allow: frozenset[Action] = DEFAULT_ALLOW
    """Actions that a plan may have at all."""
    plan_ttl: timedelta = DEFAULT_PLAN_TTL
    grace: int = DEFAULT_GRACE
    """Days for which a policy leaves a user alone after its change was undone, by hand or by a rollback."""
    flapping_after: int = DEFAULT_FLAPS
    """From so many days on which others undid what a policy did, it leaves the user alone for good."""
    handoff_sla: int = DEFAULT_HANDOFF_SLA
    """Days within which others should have done what a stage handed off to them."""
    per_domain: int = DEFAULT_PER_DOMAIN
    min_admins: int = 1
    reading: ReadingGuards = field(default_factory=ReadingGuards)
    windows: Windows | None = None
    """When changes may be made at all; ``None``: always."""
    name: str = ""
    where: str = "default"

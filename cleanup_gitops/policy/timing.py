"""When policies act: up to which day, once or again and again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cleanup_gitops.policy.documents import Policy


def has_ended(policy: Policy, today: date) -> bool:
    """Whether the last day (UTC) of the policy is over."""
    return policy.until is not None and policy.until < today


def ended_policies(policies: Iterable[Policy], today: date) -> tuple[str, ...]:
    """A warning for each policy that has ended."""
    return tuple(
        f"{one.where}: policy {one.name} ended on {one.until.isoformat()} and does nothing any more; remove it."
        for one in policies
        if one.until is not None and has_ended(one, today)
    )

"""Which policies act at all: those that have ended, or were to act once and have, do nothing. Pure."""

from __future__ import annotations

from datetime import datetime

from cleanup_gitops.model.memory import Memory, Spent
from cleanup_gitops.policy.documents import SitePolicies
from cleanup_gitops.policy.expiry import ended_policies, has_ended


def spent_by(policies: SitePolicies, memory: Memory) -> dict[str, Spent]:
    """The policies that were to act once and have, by name. One that was changed since has not."""
    if not memory.spent:
        return {}
    digests = {one.name: one.digest for one in policies.policies if one.once}
    return {one.policy: one for one in memory.spent if digests.get(one.policy) == one.digest}


def acting_once(policies: SitePolicies, memory: Memory, as_of: datetime) -> dict[str, str]:
    """The policies that are to act once and have not, with their digests; none that only reports."""
    spent = spent_by(policies, memory)
    return {
        one.name: one.digest
        for one in policies.policies
        if one.once and not one.report and one.name not in spent and not has_ended(one, as_of.date())
    }


def no_longer(policies: SitePolicies, memory: Memory, as_of: datetime) -> tuple[str, ...]:
    """A warning for each policy that does nothing any more."""
    spent = spent_by(policies, memory)
    return (
        *ended_policies(policies.policies, as_of.date()),
        *(
            f"{one.where}: policy {one.name} was to act once, which run {spent[one.name].run} completed on"
            f" {spent[one.name].at.date().isoformat()}; it does nothing any more, remove it."
            for one in policies.policies
            if one.name in spent and not has_ended(one, as_of.date())
        ),
    )

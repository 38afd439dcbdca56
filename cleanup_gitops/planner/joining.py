"""What becomes of people who begin, as a value: whom to invite, and who has an account that is not to be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cleanup_gitops.model.change import UserInvite
from cleanup_gitops.model.plan import Disposition, Handoff, Pending
from cleanup_gitops.planner.fate import Fate

WAITS = frozenset({"pending", "unknown", "unchanged"})
"""Dispositions of users for whom nothing is done: that somebody else has to act is said instead."""


@dataclass(frozen=True, slots=True)
class Joining:
    """People who begin and whom no policy about accounts can mean.

    ``addresses`` are the e-mail addresses of those who are to be invited, by the address of the change. Only the run
    that sends an invitation, and views of live data, look at them. ``accounts`` are accounts that were found for people
    who begin, with what is said of them where no policy does anything.
    """

    invites: tuple[UserInvite, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    pending: tuple[Pending, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    accounts: Mapping[str, tuple[Disposition, tuple[Handoff, ...]]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def told(self, account: str, fate: Fate) -> Fate:
        """The fate of a user, with what a person who begins has to wait for."""
        found = self.accounts.get(account)
        if found is None:
            return fate
        disposition, handoffs = found
        kept = fate.disposition if fate.disposition.state not in WAITS else disposition
        return Fate(kept, fate.changes, [*fate.handoffs, *handoffs], fate.pending)


NO_JOINING = Joining()

"""What lists of users and groups take from an inventory as a whole, worked out once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cleanup_gitops.model.inventory import Inventory
from cleanup_gitops.model.people import NOBODY, People
from cleanup_gitops.model.user import GroupSeat


@dataclass(frozen=True)
class Facts:
    """A site as it was read, and beside it what policies say about its groups.

    ``protected``: for the id of a group, the document that protects its members.
    """

    inventory: Inventory
    people: People = NOBODY
    protected: Mapping[str, str] = field(default_factory=dict)

    def group(self, one: str) -> str:
        """The name of a group, or its id when it was not read."""
        found = self.inventory.group_by_id.get(one)
        return found.name if found else one

    @cached_property
    def members(self) -> Counter[str]:
        """For each group id how many accounts are direct members of it, as far as is known."""
        return Counter(group for user in self.inventory.users for group in user.groups or ())

    @cached_property
    def seats(self) -> Counter[str]:
        """For each group id how many accounts occupy a seat that they hold through it, perhaps beside others."""
        found: Counter[str] = Counter()
        for user in self.inventory.users:
            if user.billed:
                found.update({one for path in user.seats or () if isinstance(path, GroupSeat) for one in path.chain})
        return found

    @cached_property
    def memberships_unknown(self) -> int:
        """Accounts of which the site did not tell the groups; no number of members counts them."""
        return sum(1 for user in self.inventory.users if user.groups is None)

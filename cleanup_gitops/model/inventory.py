"""Users, groups and memberships of one site at one instant, with the proof that the reading was complete.

An ``Inventory`` cannot be built without a proof that holds: every reading ended, what was reported was fetched,
nothing came twice, and every membership leads to a group that was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Literal

from msgspec import Struct

from cleanup_gitops.model.canonical import digest
from cleanup_gitops.model.errors import IncompleteReadingError
from cleanup_gitops.model.group import Directory, Group
from cleanup_gitops.model.user import License, User

Hosting = Literal["cloud", "datacenter"]


class Reading(Struct, frozen=True, kw_only=True):
    """How one list was read: what was asked, how much came, how much there should be, and how it ended.

    ``reported_before`` and ``reported_after`` are the source's own counts around a reading, where it gives any.
    """

    what: str
    endpoint: str
    pages: int
    items: int
    ended: bool
    reported_before: int | None = None
    reported_after: int | None = None

    def flaw(self) -> str | None:
        """Why this reading does not prove completeness, or ``None``."""
        if not self.ended:
            return f"the reading of {self.what} stopped after {self.pages} pages without an end ({self.endpoint})"
        if self.reported_before is None or self.reported_after is None:
            return None
        low, high = sorted((self.reported_before, self.reported_after))
        if not low <= self.items <= high:
            expected = str(low) if low == high else f"{low} to {high}"
            return f"{self.items} {self.what} were read but the site counts {expected} ({self.endpoint})"
        return None


class Proof(Struct, frozen=True, kw_only=True):
    """All readings behind one inventory."""

    readings: tuple[Reading, ...]

    def flaws(self) -> list[str]:
        """Every reason why the readings prove nothing; empty when they prove completeness."""
        if not self.readings:
            return ["nothing was read"]
        return [flaw for reading in self.readings if (flaw := reading.flaw())]


TRY_AGAIN = (
    "Nothing of what was read was used. Run the command again; if it stays so, the site's API is not answering fully."
)
"""What to do after an incomplete reading, whatever it was for."""


class Inventory(Struct, frozen=True, kw_only=True, dict=True):
    """One site at one instant (``as_of``, UTC). Users are sorted by id, groups by id.

    ``runner`` are the accounts
    behind the credentials, the one that reads first; ``seat_limit`` is the number of seats the license
    allows, ``None`` when the site does not say. Raises ``IncompleteReadingError`` when the proof does not hold.
    """

    site: str
    hosting: Hosting
    as_of: datetime
    users: tuple[User, ...]
    groups: tuple[Group, ...]
    directories: tuple[Directory, ...]
    proof: Proof
    runner: tuple[str, ...] = ()
    seat_limit: int | None = None
    claimed_domains: tuple[str, ...] | None = None
    """E-mail domains that the organization has verified, sorted; ``None``: not told (Cloud)."""
    kept_attributes: tuple[str, ...] | None = None
    """Of a recorded inventory: the names of the attributes of users that were kept. ``None``: read from the site."""

    def __post_init__(self) -> None:
        flaws = self.proof.flaws() + _inconsistencies(self.users, self.groups)
        if flaws:
            raise IncompleteReadingError(
                f"The live data of {self.site} is not complete: {'; '.join(flaws)}.",
                TRY_AGAIN,
            )

    @property
    def recorded(self) -> bool:
        """Whether this is a snapshot and not the site itself: what is not known may just not have been kept."""
        return self.kept_attributes is not None

    @cached_property
    def user_by_id(self) -> dict[str, User]:
        """Users by id."""
        return {user.id: user for user in self.users}

    @cached_property
    def group_by_id(self) -> dict[str, Group]:
        """Groups by id."""
        return {group.id: group for group in self.groups}

    @cached_property
    def groups_by_name(self) -> dict[str, tuple[Group, ...]]:
        """Groups by casefolded name; several directories may have a group of one name."""
        by_name: dict[str, tuple[Group, ...]] = {}
        for group in self.groups:
            key = group.name.casefold()
            by_name[key] = (*by_name.get(key, ()), group)
        return by_name

    @cached_property
    def members_through(self) -> dict[str, frozenset[str]]:
        """For each group id: ids of the groups whose direct members belong to it, itself included (nesting)."""
        children: dict[str, set[str]] = {group.id: set() for group in self.groups}
        for group in self.groups:
            for parent in group.parents:
                children[parent].add(group.id)
        return {group.id: frozenset(_reachable(group.id, children)) for group in self.groups}

    @cached_property
    def licenses_through(self) -> dict[str, frozenset[License]]:
        """For each group id: the license classes of the group and of all groups that it is nested in."""
        parents = {group.id: set(group.parents) for group in self.groups}
        return {
            group.id: frozenset(self.group_by_id[one].license for one in _reachable(group.id, parents))
            for group in self.groups
        }

    @cached_property
    def administering(self) -> frozenset[str]:
        """Ids of the groups that make their members administrators, themselves or by a group that they are nested in.

        A group of which nobody knows that is among them.
        """
        parents = {group.id: set(group.parents) for group in self.groups}
        makes = {group.id for group in self.groups if group.admin is not False}
        return frozenset(one for one in parents if not makes.isdisjoint(_reachable(one, parents)))

    @cached_property
    def seats_used(self) -> int:
        """Users who occupy a paid seat; users of unknown status or license are not counted."""
        return sum(1 for user in self.users if user.billed)

    @cached_property
    def seats_taken(self) -> int:
        """Users who may occupy a paid seat: unknown ones are counted, for the question whether one more fits."""
        return sum(1 for user in self.users if user.billed is not False)

    @cached_property
    def digest(self) -> str:
        """Digest of what was read (not of when)."""
        return digest(
            (self.site, self.hosting, self.users, self.groups, self.directories, self.runner, self.claimed_domains)
        )


def _reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    found = {start}
    waiting = [start]
    while waiting:
        for following in edges[waiting.pop()]:
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found


def _inconsistencies(users: Iterable[User], groups: Iterable[Group]) -> list[str]:
    """What contradicts itself in the rows: rows read twice, wrong order, memberships of unread groups."""
    flaws: list[str] = []
    group_ids = [group.id for group in groups]
    known = set(group_ids)
    if group_ids != sorted(known):
        flaws.append("groups are not sorted or came twice")
    if any(parent not in known for group in groups for parent in group.parents):
        flaws.append("a group is nested in a group that was not read")
    previous = ""
    strangers: set[str] = set()
    for user in users:
        if user.id <= previous:
            flaws.append(f"user {user.id} came twice or out of order")
            break
        previous = user.id
        if user.groups and not known.issuperset(user.groups):
            strangers.update(set(user.groups) - known)
    if strangers:
        shown = ", ".join(sorted(strangers)[:3])
        flaws.append(f"members of {len(strangers)} group(s) that were not read ({shown})")
    return flaws

"""A user of one site, as facts. Names and e-mail addresses are not among them (see ``people``)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from msgspec import Struct

from cleanup_gitops.model.activity import Activity, Unknown

Status = Literal["active", "suspended", "disabled", "deactivated", "deleting", "absent", "unknown"]
"""``suspended``: in the directory, Cloud. ``disabled``: Data Center. ``deactivated``: the whole Atlassian account.
``deleting``: deletion is scheduled. ``absent``: in no directory of the organization."""
CLOSED: dict[Status, int] = {
    "active": 0,
    "suspended": 1,
    "disabled": 1,
    "deactivated": 2,
    "absent": 3,
    "deleting": 4,
}
"""How far an account is closed; "unknown" is not in the table."""

Kind = Literal["person", "service", "app", "customer", "unknown"]
License = Literal["seat", "guest", "none", "unknown"]


class GroupSeat(Struct, frozen=True, gc=False, tag="group", tag_field="by"):
    """A seat held through groups: ids from the user's own membership to the group with the grant.

    One id on Cloud; several where groups are nested (Data Center). The first is the membership that can be changed.
    """

    chain: tuple[str, ...]


class RoleSeat(Struct, frozen=True, gc=False, tag="role", tag_field="by"):
    """A seat held by a product role given to the user directly (Cloud)."""

    role: str


UNNAMED_ROLE = "direct"
"""The role of a ``RoleSeat`` when a site tells that one is held, but not which (Cloud; see ``Question``)."""


class GrantSeat(Struct, frozen=True, gc=False, tag="grant", tag_field="by"):
    """A seat held by a single permission given to the user (Data Center global permission)."""

    permission: str


SeatPath = GroupSeat | RoleSeat | GrantSeat


class Lifecycle(Struct, frozen=True, gc=False, omit_defaults=True):
    """Whether the whole Atlassian account may be closed, opened or deleted by its organization.

    "" means allowed; any other text is the reason key of the refusal, such as ``externalDirectory.scim``; ``None``:
    not told (User management REST API, ``GET /users/{id}/manage``).
    """

    enablement: str | None = None
    deletion: str | None = None


Question = Literal["roles", "lifecycle", "tokens", "content", "products"]
"""Facts that cost one call a user, so that they are asked for candidates of a plan only: direct roles, whether the
account's life may be changed, its API tokens, the last time it wrote content, and its use of products that lists of
users may leave out."""
QUESTIONS: frozenset[Question] = frozenset(get_args(Question))


class User(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One account of one directory. ``None`` and "unknown" mean: the site did not say.

    ``id`` is the account id (Cloud) or the user key (Data Center), never a name. ``groups`` are ids of the groups
    the user is a direct member of. ``seats`` are all ways by which the license is held, also of users whose status
    keeps it from being billed. ``seen`` is about Confluence, ``elsewhere`` about every other product the
    organization listed for the user.
    """

    id: str
    directory: str
    status: Status = "unknown"
    kind: Kind = "unknown"
    license: License = "unknown"
    managed: bool | None = None
    synced: bool | None = None
    writable: bool | None = None
    """Whether this site may change the account's status itself (False: its directory is read-only or synced)."""
    admin: bool | None = None
    """Whether the account administers the organization, the site or Confluence by role or by group."""
    domain: str | None = None
    """E-mail domain, lower case and in its ASCII form; ``None`` when the address is hidden."""
    added: datetime | None = None
    seat_since: datetime | None = None
    """When a seat was granted, if that happened after the first snapshot: told by the site, or else by snapshots."""
    seen: Activity = Unknown("not read")
    elsewhere: tuple[tuple[str, Activity], ...] | None = None
    groups: tuple[str, ...] | None = None
    seats: tuple[SeatPath, ...] | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    """Such as department; sorted by name. An attribute that is not listed is unknown."""
    roles: tuple[str, ...] | None = None
    """Administrative roles: ``organization-admin``, ``site-admin``, ``user-access-admin`` (of the organization),
    ``confluence-admin`` (of this site); sorted."""
    direct: tuple[str, ...] | None = None
    """Roles in this Confluence that were given to the user directly, such as ``user`` or ``guest``; sorted. ``None``:
    not told, so that one may be held beside the groups in ``seats`` (Cloud; see ``Question``)."""
    external: bool | None = None
    """Whether the account belongs to somebody outside: an address of no internal domain, or none that is claimed."""
    has_email: bool | None = None
    """Whether the site shows an e-mail address (False: it is hidden)."""
    accepted: bool | None = None
    """False for an account that was invited and never came."""
    status_since: datetime | None = None
    """Since when the status is what it is, where the site tells."""
    status_by: datetime | None = None
    """The status is the same since that day at the latest, where snapshots tell and the site does not."""
    status_after: datetime | None = None
    """On that day the status was still another one; never without ``status_by``, and not after it."""
    restored_at: datetime | None = None
    """Day of the first snapshot in which the account, closed in the one before, was active again."""
    lifecycle: Lifecycle | None = None
    """Whether the whole account may be changed (see ``Question``)."""
    tokens: tuple[str, ...] | None = None
    """Ids of the account's API tokens (see ``Question``); sorted."""

    @property
    def billed(self) -> bool | None:
        """Whether the user occupies a paid seat now; ``None`` when status or license is unknown."""
        if self.license == "seat" and self.status == "active":
            return True  # nearly everybody, so it is asked first
        if self.license in ("guest", "none") or self.status not in ("active", "unknown"):
            return False
        return None if "unknown" in (self.status, self.license) else True

    def uses(self, product: str) -> tuple[Activity, ...]:
        """What is known of the last use of a product, or with "any" of each one that the organization listed."""
        if product == "confluence":
            return (self.seen,)
        others = self.elsewhere or ()
        if product == "any":
            return (self.seen, *(activity for _, activity in others))
        return tuple(activity for key, activity in others if key == product)

"""What follows from the set of groups that a user is in. Worked out once for everybody with the same groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from cleanup_gitops.model.group import Group
from cleanup_gitops.model.user import GroupSeat, License, SeatPath
from cleanup_gitops.sites.cloud.activity import CONFLUENCE
from cleanup_gitops.sites.cloud.grants import ADMIN_GROUPS, CONFLUENCE_ADMINS, SITE_ADMINS, bare_id

ADMIN_ROLES = {
    "org-admin": "organization-admin",
    "site-admin": "site-admin",
    "user-access-admin": "user-access-admin",
}
"""Platform roles that make an administrator, and our words for them."""
CONFLUENCE_ADMIN = "confluence-admin"
NO_PRODUCTS = frozenset({CONFLUENCE, "platform"})
"""Owners of resources whose use is not listed as that of another product: this site, and the organization itself."""
_PRODUCT_KEYS = {"jira-servicedesk": "jira-service-desk"}
"""Products whose key in lists of activity is not the owner's name in lists of roles."""


class Belonging(Struct, frozen=True, kw_only=True):
    """What follows from a set of groups; shared by all users with the same groups."""

    groups: tuple[str, ...]
    license: License
    seats: tuple[SeatPath, ...] | None
    """Ways to a license; ``None`` when there may be others that decide about it."""
    known_seats: tuple[SeatPath, ...]
    """Ways to a license that are known, whether or not there may be others."""
    admin: bool | None
    roles: tuple[str, ...] | None
    """Administrative roles that the groups give; ``None`` when one of them did not tell all that it gives."""
    granted: bool
    """Whether one of the groups gives any role in this Confluence, or may give one."""
    products: tuple[str, ...] | None
    """Keys of other products that the groups give; ``None`` when one of them did not tell all that it gives."""


NO_BELONGING = Belonging(
    groups=(), license="none", seats=(), known_seats=(), admin=False, roles=(), granted=False, products=()
)


class Belongings:
    """By the ids of groups. ``groups`` are all groups of the directory by id.

    Workers may ask at the same time: two of them may work out the same answer, and either one is kept.
    """

    def __init__(self, groups: Mapping[str, Group]) -> None:
        self._groups = groups
        self._paths = {group: GroupSeat((group,)) for group in groups}
        self._known: dict[tuple[str, ...], Belonging] = {(): NO_BELONGING}
        self._keys: dict[str, str] = {}

    def of(self, groups: Iterable[str]) -> Belonging:
        """What these groups give; ids come bare or wrapped."""
        key = tuple(sorted(map(bare_id, groups)))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._made(key)
        return found

    def _made(self, ids: tuple[str, ...]) -> Belonging:
        groups = [self._groups[one] for one in ids if one in self._groups]
        untold = len(groups) < len(ids) or any(group.grants is None for group in groups)
        given = {grant.product for group in groups for grant in group.grants or ()}
        licenses: set[License] = {group.license for group in groups}
        if len(groups) < len(ids):
            licenses.add("unknown")
        order: tuple[License, ...] = ("seat", "unknown", "guest")
        license_: License = next((one for one in order if one in licenses), "none")
        paths = tuple(self._paths[one.id] for one in groups if one.license in ("seat", "guest"))
        admins = {group.admin for group in groups}
        if len(groups) < len(ids):
            admins.add(None)
        return Belonging(
            groups=tuple(self._keys.setdefault(one, one) for one in ids),
            license=license_,
            seats=None if license_ == "unknown" else paths,
            known_seats=paths,
            admin=True if True in admins else None if None in admins else False,
            roles=None if untold else tuple(sorted({role for group in groups for role in _admin_roles(group)})),
            granted=untold or CONFLUENCE in given,
            products=None if untold else tuple(sorted({_PRODUCT_KEYS.get(one, one) for one in given - NO_PRODUCTS})),
        )


def _admin_roles(group: Group) -> set[str]:
    """Administrative roles that membership of the group gives, as far as it told."""
    grants = group.grants or ()
    roles = {ADMIN_ROLES[one.role] for one in grants if one.role in SITE_ADMINS}
    roles |= {CONFLUENCE_ADMIN for one in grants if one.product == CONFLUENCE and one.role in CONFLUENCE_ADMINS}
    if group.name.casefold() in ADMIN_GROUPS:
        roles.add(ADMIN_ROLES[group.name.casefold().removesuffix("s")])
    return roles

"""What groups give: licenses, administration, other products. Read once for a site, asked for every user."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future

import msgspec
from msgspec import Struct

from cleanup_gitops.model.errors import CredentialError, IncompleteReadingError, SiteError
from cleanup_gitops.model.group import Grant, Group
from cleanup_gitops.model.inventory import TRY_AGAIN, Reading
from cleanup_gitops.model.user import License
from cleanup_gitops.sites.cloud.activity import CONFLUENCE
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import GROUPS_SEARCH, Filters
from cleanup_gitops.sites.cloud.paging import Listing
from cleanup_gitops.sites.cloud.wire import GroupRow, Page, RoleRow

_GROUPS = msgspec.json.Decoder(Page[GroupRow])
_ROLES = msgspec.json.Decoder(Page[RoleRow])

GUEST = "guest"
USER_ACCESS_ADMIN = "user-access-admin"
NO_LICENSE = frozenset({USER_ACCESS_ADMIN, "ai-access"})
"""Roles that give no access to a product by themselves."""
SITE_ADMINS = frozenset({"org-admin", "site-admin"})
"""Roles that administer, on whatever resource they are given."""
CONFLUENCE_ADMINS = frozenset({"admin", USER_ACCESS_ADMIN})
"""Roles that administer Confluence or who may use it."""
ADMIN_GROUPS = frozenset({"org-admins", "site-admins"})
"""Names of the groups that administer by their name alone."""


class Groups(Struct, frozen=True):
    """All groups of the directory, by id, and how they were read."""

    by_id: dict[str, Group]
    readings: tuple[Reading, ...]


def bare_id(group: str) -> str:
    """The id of a group without the ARI around it that some answers have."""
    return group.rpartition("/")[2] if group.startswith("ari:") else group


def bare_role(role: str) -> str:
    """The name of a role without its owner: ``atlassian/user`` is ``user``."""
    return role.rpartition("/")[2]


def modifiable(row: GroupRow) -> bool | None:
    """Whether memberships can be changed here; ``None`` when the site says nothing about it."""
    access = row.management_access.modifiable if row.management_access else None
    if access is False or row.managed_by == "external" or row.external_synced:
        return False
    return None if access is None and row.managed_by is None and row.external_synced is None else True


def read_groups(client: Client, ari: str) -> Groups:
    """All groups with what they give. Raises `IncompleteReadingError` and what a refusal means."""
    every = _listing(client, "groups")
    rows = [row for page in every for row in page]
    here = _listing(client, "groups with access to Confluence", {"resourceIds": [ari]})
    asked = {row.id for page in here for row in page}
    gives_access = frozenset(asked)
    asked |= {row.id for row in rows if row.counts is None or row.counts.resources != 0}
    roles = _roles(client, sorted(asked))
    place = client.place.directory
    groups = [group_of(row, roles.get(row.id, ()), place, ari, gives_access=row.id in gives_access) for row in rows]
    by_id = {group.id: group for group in sorted(groups, key=lambda group: group.id)}
    return Groups(by_id, (every.reading(), here.reading()))


def find_group(client: Client, group: str) -> GroupRow | None:
    """One group now, or ``None`` when it is gone."""
    page = client.admin.read(client.place.search_groups(filters={"groupIds": [group]}), _GROUPS)
    rows = [row for row in page.data if bare_id(row.id) == group]
    return rows[0] if rows else None


def _listing(client: Client, what: str, filters: Filters | None = None) -> Listing[GroupRow]:
    def fetch(cursor: str | None) -> Page[GroupRow]:
        page = client.admin.read(client.place.search_groups(cursor, filters=filters), _GROUPS)
        for row in page.data:
            row.id = bare_id(row.id)
        return page

    return Listing(what, GROUPS_SEARCH, fetch, lambda row: row.id)


def _roles(client: Client, groups: list[str]) -> dict[str, list[RoleRow]]:
    def ask(group: str) -> list[RoleRow]:
        call = client.place.role_assignments(group)
        listing = Listing(
            "role assignments",
            call.endpoint,
            lambda cursor: client.admin.read(client.place.role_assignments(group, cursor), _ROLES),
            lambda row: f"{row.resource_id} {row.resource_owner} {row.roles}",
        )
        return [row for page in listing for row in page]

    found: dict[str, list[RoleRow]] = {}
    with client.workers("reading what groups give", len(groups)) as workers:
        waiting: list[tuple[str, Future[list[RoleRow]]]] = [(group, workers.submit(ask, group)) for group in groups]
        for group, answer in waiting:
            try:
                found[group] = answer.result()
            except (CredentialError, IncompleteReadingError):
                raise
            except SiteError as error:
                raise IncompleteReadingError(
                    f"What the group {group} gives could not be read: {error.message}", TRY_AGAIN
                ) from None
    return found


def group_of(
    row: GroupRow, roles: Collection[RoleRow], directory: str, ari: str, *, gives_access: bool = False
) -> Group:
    """The group with what its roles give in the Confluence ``ari`` and elsewhere.

    What they give is unknown when there are roles on fewer resources than the site counts, or none on a Confluence that
    the group is listed for (``gives_access``).
    """
    grants: set[Grant] = set()
    here: set[str] = set()
    resources = {given.resource_id for given in roles}
    untold = len(resources) < ((row.counts and row.counts.resources) or 0) or (gives_access and ari not in resources)
    for given in roles:
        if given.roles is None:
            untold = True
            continue
        names = {bare_role(role) for role in given.roles}
        grants |= {Grant(_product(given, ari), name) for name in names}
        if given.resource_id == ari:
            here |= names
    admin = bool(here & CONFLUENCE_ADMINS) or any(grant.role in SITE_ADMINS for grant in grants)
    admin = admin or (row.name or "").casefold() in ADMIN_GROUPS
    synced = None if row.managed_by is None and row.external_synced is None else False
    return Group(
        id=row.id,
        name=row.name or "",
        directory=row.directory_id or directory,
        modifiable=modifiable(row),
        synced=True if row.managed_by == "external" or row.external_synced else synced,
        license=_license(here, untold=untold),
        admin=True if admin else None if untold else False,
        grants=None if untold else tuple(sorted(grants, key=lambda one: (one.product, one.role))),
    )


def license_of(roles: Collection[str]) -> License:
    """The license that bare roles in this Confluence give together."""
    if set(roles) - {GUEST, *NO_LICENSE}:
        return "seat"
    return "guest" if GUEST in roles else "none"


def _license(here: Collection[str], *, untold: bool) -> License:
    license_ = license_of(here)
    return "unknown" if untold and license_ != "seat" else license_


def _product(given: RoleRow, ari: str) -> str:
    """The product's key; another Confluence of the organization is another product."""
    owner = given.resource_owner or given.resource_id.removeprefix("ari:cloud:").partition(":")[0]
    if given.resource_id == ari or owner != CONFLUENCE:
        return CONFLUENCE if given.resource_id == ari else owner
    return f"{CONFLUENCE}:{given.resource_id.rpartition('/')[2]}"

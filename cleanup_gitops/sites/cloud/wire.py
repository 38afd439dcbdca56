"""Answers of the Organizations API and of Confluence Cloud as typed rows; fields we do not use are skipped.

Nearly every field is optional in the published schemas. A field that is absent or null is ``None``: not known.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Links(Struct, gc=False):
    """``next`` is the cursor of the next page; absent or null on the last one."""

    next: str | None = None


class Page(Struct, Generic[T]):
    """A page of a list. A page without ``data`` is not an empty page but a wrong answer."""

    data: list[T]
    links: Links | None = None


class One(Struct, Generic[T]):
    """A single object."""

    data: T


class Count(Struct):
    """Answer of ``users/count``."""

    count: int


class ProductRow(Struct, rename="camel", gc=False):
    """One entry of ``productAccess``; ``id`` is the ARI of the product's site."""

    id: str = ""
    key: str = ""
    last_active_timestamp: str | None = None


class GroupRef(Struct, gc=False):
    """One entry of a user's ``groups``; the id may be wrapped in an ARI."""

    id: str


class UserRow(Struct, rename="camel", gc=False):
    """A user of ``users/search``."""

    account_id: str
    account_type: str | None = None
    status: str | None = None
    account_status: str | None = None
    membership_status: str | None = None
    for_deletion: bool | None = None
    added_to_org: str | None = None
    name: str | None = None
    nickname: str | None = None
    email: str | None = None
    claim_status: str | None = None
    management_source: str | None = None
    platform_roles: list[str] | None = None
    product_access: list[ProductRow] | None = None
    groups: list[GroupRef] | None = None


class IdRow(Struct, rename="camel", gc=False):
    """A user of ``users/search`` of whom only the id matters."""

    account_id: str


class Management(Struct, gc=False):
    """``managementAccess`` of a group."""

    modifiable: bool | None = None


class Counts(Struct, gc=False):
    """``counts`` of a group: on how many resources it gives a role."""

    resources: int | None = None


class GroupRow(Struct, rename="camel", gc=False):
    """A group of ``groups/search``."""

    id: str
    name: str | None = None
    directory_id: str | None = None
    external_synced: bool | None = None
    managed_by: str | None = None
    management_access: Management | None = None
    counts: Counts | None = None


class RoleRow(Struct, rename="camel", gc=False):
    """Roles that a group gives on one resource."""

    resource_id: str
    resource_owner: str | None = None
    roles: list[str] | None = None


class LastActive(Struct, gc=False):
    """One product of ``last-active-dates``."""

    id: str = ""
    key: str = ""
    last_active: str | None = None
    last_active_timestamp: str | None = None


class LastActiveDates(Struct):
    """``data`` of ``last-active-dates``; an empty list means that no product was ever used."""

    product_access: list[LastActive]
    added_to_org: str | None = None
    added_to_org_timestamp: str | None = None


class LastActivePage(Struct):
    """Answer of ``last-active-dates``."""

    data: LastActiveDates
    links: Links | None = None


class DirectoryRow(Struct, rename="camel"):
    """A directory that the key may manage."""

    directory_id: str
    name: str | None = None


class Organization(Struct):
    """The organization itself."""

    id: str


class CurrentUser(Struct, rename="camel"):
    """``user/current``: whose API token it is."""

    type: str
    account_id: str | None = None


class SystemInfo(Struct, rename="camel"):
    """``settings/systemInfo``: the way from a site's URL to its ARI."""

    cloud_id: str

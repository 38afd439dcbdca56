"""Answers of the Organizations API and of Confluence Cloud as typed rows; fields we do not use are skipped.

Nearly every field is optional in the published schemas. A field that is absent or null is ``None``: not known.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")


class Links(Struct, gc=False):
    """``next`` leads to the next page: a bare cursor, or a URL that has it; absent or null on the last one."""

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
    email_verified: bool | None = None
    deactivated_on: str | None = None
    department: str | None = None
    job_title: str | None = None
    location: str | None = None
    organization: str | None = None
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


class RoleAssignment(Struct, rename="camel", gc=False):
    """One role of a user on one resource, and the ways by which it is held."""

    role: str
    role_assignment_methods: list[str] | None = None


class UserRolesRow(Struct, rename="camel", gc=False):
    """Roles of a user on one resource, and the user's status in the directory that the resource belongs to."""

    resource_id: str
    directory_id: str | None = None
    user_directory_status: str | None = None
    role_assignments: list[RoleAssignment] | None = None


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


class Reason(Struct):
    """Why not."""

    key: str = ""


class Rule(Struct):
    """Whether one thing may be done to an account."""

    allowed: bool
    reason: Reason | None = None


class Manageable(Struct):
    """``GET /users/{id}/manage``: only the privileges that were asked for."""

    enablement: Rule | None = field(default=None, name="lifecycle.enablement")
    deletion: Rule | None = field(default=None, name="lifecycle.delete")


class TokenRow(Struct):
    """An API token of a user."""

    id: str


class Workspace(Struct, rename="camel"):
    """What the organization says of one site of one product."""

    host_url: str | None = None
    capacity: int | None = None


class WorkspaceRow(Struct):
    """A site of one product."""

    id: str
    attributes: Workspace = field(default_factory=Workspace)


class Claim(Struct):
    """How far the claim of a domain has come."""

    status: str = ""


class Domain(Struct):
    """A domain that the organization claims."""

    name: str = ""
    claim: Claim | None = None


class DomainRow(Struct):
    """A domain in the organization's list."""

    id: str
    attributes: Domain


class Author(Struct, rename="camel", gc=False):
    """Who did something."""

    account_id: str | None = None


class Version(Struct):
    """The last change of a piece of content."""

    by: Author | None = None


class Content(Struct):
    """A piece of content."""

    version: Version | None = None


class Found(Struct, rename="camel"):
    """One result of a search for content."""

    last_modified: str
    content: Content | None = None

    @property
    def changed_by(self) -> str | None:
        """Account id of whoever changed it last, where that is told."""
        version = self.content and self.content.version
        return version.by.account_id if version and version.by else None


class FoundPage(Struct):
    """A page of results, in the order that was asked for."""

    results: list[Found]


class AuditRow(Struct, rename="camel", gc=False):
    """One entry of the audit log; ``creation_date`` in milliseconds since 1970."""

    creation_date: int
    author: Author | None = None
    summary: str = ""


class AuditLinks(Struct):
    """Links of a page by offset."""

    next: str | None = None


class AuditPage(Struct):
    """A page of the audit log, newest entries first."""

    results: list[AuditRow]
    limit: int
    links: AuditLinks | None = field(default=None, name="_links")

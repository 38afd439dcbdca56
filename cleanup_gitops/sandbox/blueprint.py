"""The fixed furniture of a generated organization: ids, resources and groups."""

from __future__ import annotations

import uuid
from typing import Literal

from cleanup_gitops.sandbox.names import DEPARTMENTS
from cleanup_gitops.sandbox.world import Domain, Group, Resource

_NAMESPACE = uuid.UUID("5a0db0c5-0000-4000-8000-c1ea0fc1ea0f")

ACME_ORGANIZATION = "0f5e0000-0000-0000-0000-000000000000"
CONTRACTOR_GROUPS = ("contractors-it", "contractors-legal")
SITE_SUFFIXED = (
    "confluence-users",
    "confluence-admins",
    "confluence-guests",
    "confluence-user-access-admins",
    "jira-users",
    "jira-admins",
    "product-suite",
)
"""Groups whose real name ends in the site: ``confluence-users-acme``."""


def identifier(site: str, what: str) -> str:
    """A stable UUID for one thing of one site."""
    return str(uuid.uuid5(_NAMESPACE, f"{site}/{what}"))


def organization_id(site: str) -> str:
    """The organization id of a generated world; a fixed, well-known one for ``acme``."""
    return ACME_ORGANIZATION if site == "acme" else identifier(site, "organization")


def group_name(site: str, short: str) -> str:
    """The full name of a group: ``confluence-users`` is called ``confluence-users-acme``."""
    return f"{short}-{site}" if short in SITE_SUFFIXED else short


def group_id(site: str, short: str) -> str:
    """The id of a generated group, the same in every world of this site."""
    return identifier(site, f"group/{short}")


def department_group(department: str) -> str:
    """The group of a department: ``dept-human-resources``."""
    return "dept-" + department.lower().replace(" ", "-")


def resources(site: str, cloud_id: str, capacity: int) -> list[Resource]:
    """The products of a site, and site and organization themselves, which administrators hold."""
    return [
        Resource(
            name="confluence",
            id=f"ari:cloud:confluence::site/{cloud_id}",
            key="confluence",
            owner="confluence",
            capacity=capacity,
        ),
        Resource(
            name="jira-software",
            id=f"ari:cloud:jira-software::site/{cloud_id}",
            key="jira-software",
            owner="jira-software",
            capacity=capacity,
        ),
        Resource(
            name="jira-service",
            id=f"ari:cloud:jira-servicedesk::site/{cloud_id}",
            key="jira-service-desk",
            owner="jira-servicedesk",
        ),
        Resource(
            name="site",
            id=f"ari:cloud:platform::site/{cloud_id}",
            key="site",
            owner="platform",
        ),
        Resource(
            name="organization",
            id=f"ari:cloud:platform::org/{organization_id(site)}",
            key="organization",
            owner="platform",
        ),
    ]


def domains(site: str) -> list[Domain]:
    """The domains of a generated organization; accounts of the verified ones are managed."""
    rows: tuple[tuple[str, Literal["dns", "http"], Literal["verified", "unverified"]], ...] = (
        (f"{site}.com", "dns", "verified"),
        (f"eu.{site}.com", "http", "verified"),
        (f"{site}-labs.example", "dns", "unverified"),
    )
    return [
        Domain(id=identifier(site, f"domain/{name}").replace("-", ""), name=name, claim=claim, status=status)
        for name, claim, status in rows
    ]


def groups(site: str, directory: str, teams: list[str]) -> list[Group]:
    """All groups of a generated site, sorted by name."""
    found = [
        *_granting(site, directory),
        *_synced(site, directory),
        _group(site, directory, "break-glass", "Emergency accounts. Never remove."),
    ]
    found += [_group(site, directory, name, "External staff") for name in CONTRACTOR_GROUPS]
    for department in DEPARTMENTS:
        name = department_group(department)
        found.append(_group(site, directory, name, f"Everybody in {department}"))
    for number, team in enumerate(teams):
        managed_by = ("team-members", "open", "admins")[number % 3]
        group = _group(site, directory, team, "")
        group.managed_by = managed_by
        found.append(group)
    return sorted(found, key=lambda group: group.name)


def _granting(site: str, directory: str) -> list[Group]:
    user, admin = ["atlassian/user"], ["atlassian/admin"]
    rows: list[tuple[str, str, dict[str, list[str]]]] = [
        ("confluence-users", "Can use Confluence", {"confluence": user}),
        ("confluence-admins", "Administers Confluence", {"confluence": admin}),
        ("confluence-guests", "Guests", {"confluence": ["atlassian/guest"]}),
        (
            "confluence-user-access-admins",
            "Manages who may use Confluence",
            {"confluence": ["atlassian/user-access-admin"]},
        ),
        ("jira-users", "Can use Jira", {"jira-software": user}),
        ("jira-admins", "Administers Jira", {"jira-software": admin}),
        ("product-suite", "Confluence and Jira", {"confluence": user, "jira-software": user}),
        ("site-admins", "Site administrators", {"site": ["atlassian/site-admin"]}),
        ("org-admins", "Organization admins", {"organization": ["atlassian/org-admin"]}),
    ]
    found = []
    for short, description, roles in rows:
        group = _group(site, directory, short, description)
        group.roles = {resource: list(names) for resource, names in roles.items()}
        if short in ("confluence-users", "jira-users"):
            group.default_roles = dict.fromkeys(roles, "atlassian/user")
            group.deletable = False
        if "admins" in short:
            group.deletable = False
        found.append(group)
    return found


def _synced(site: str, directory: str) -> list[Group]:
    found = []
    for short, description in (
        ("wiki-users-idp", "Can use Confluence; members come from the identity provider"),
        ("all-staff-idp", "Everybody that the identity provider knows"),
    ):
        group = _group(site, directory, short, description)
        group.external_synced, group.managed_by = True, "external"
        group.modifiable = group.deletable = False
        found.append(group)
    found[0].roles = {"confluence": ["atlassian/user"]}
    return found


def _group(site: str, directory: str, short: str, description: str) -> Group:
    return Group(
        id=group_id(site, short),
        name=group_name(site, short),
        directory=directory,
        description=description,
    )

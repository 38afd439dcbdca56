"""Is this the right site, do both credentials work, and which directory is meant? Asked before anything else."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from cleanup_gitops.model.errors import CredentialError, SiteError
from cleanup_gitops.policy.site import Site
from cleanup_gitops.sites.cloud import endpoints
from cleanup_gitops.sites.cloud.paging import Listing
from cleanup_gitops.sites.cloud.wire import (
    CurrentUser,
    DirectoryRow,
    One,
    Organization,
    Page,
    SystemInfo,
)
from cleanup_gitops.sites.http import Http

_CURRENT_USER = msgspec.json.Decoder(CurrentUser)
_SYSTEM_INFO = msgspec.json.Decoder(SystemInfo)
_ORGANIZATION = msgspec.json.Decoder(One[Organization])
_DIRECTORIES = msgspec.json.Decoder(Page[DirectoryRow])


class Ground(Struct, frozen=True):
    """What is known of a site before it is read.

    ``account`` owns the API token; ``ari`` is how the organization names this Confluence.
    """

    account: str
    ari: str
    directory: str
    directory_name: str


def preflight(site: Site, confluence: Http, admin: Http) -> Ground:
    """Raises `CredentialError` or `SiteError` with the first thing that is wrong."""
    account = _account(site, confluence)
    cloud_id = confluence.read(endpoints.SYSTEM_INFO, _SYSTEM_INFO).cloud_id
    admin.read(endpoints.organization(site.organization), _ORGANIZATION)
    directory = _directory(site, admin)
    return Ground(
        account=account,
        ari=f"ari:cloud:confluence::site/{cloud_id}",
        directory=directory.directory_id,
        directory_name=directory.name or directory.directory_id,
    )


def _account(site: Site, confluence: Http) -> str:
    user = confluence.read(endpoints.CURRENT_USER, _CURRENT_USER)
    if user.type not in ("known", "user") or not user.account_id:
        raise CredentialError(
            f"{site.url} does not know the user in ${site.credentials.user.env}: it took the request"
            " for an anonymous one.",
            "Check that the address and the API token belong together.",
        )
    return user.account_id


def _directory(site: Site, admin: Http) -> DirectoryRow:
    listing = Listing(
        "directories",
        "GET directories",
        lambda cursor: admin.read(endpoints.directories(site.organization, cursor), _DIRECTORIES),
        lambda row: row.directory_id,
    )
    rows = [row for page in listing for row in page]
    names = ", ".join(sorted(f"{row.name or '?'} ({row.directory_id})" for row in rows)) or "none"
    if site.directory is None:
        if len(rows) == 1:
            return rows[0]
        raise SiteError(
            f"The organization of {site.name} has {len(rows)} directories that the key may manage: {names}.",
            "Write the one of this site into spec.cloud.directory.",
        )
    found = [row for row in rows if row.directory_id == site.directory] or [
        row for row in rows if (row.name or "").casefold() == site.directory.casefold()
    ]
    if len(found) != 1:
        problem = "fits several directories" if found else "is not a directory that the key may manage"
        raise SiteError(
            f"{site.directory!r} (spec.cloud.directory of {site.name}) {problem}. There are: {names}.",
            "Write the id of the directory, or give the key the right to manage it.",
        )
    return found[0]

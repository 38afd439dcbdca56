"""What is around the users: groups and what they give, verified domains, and how many seats were bought.

Domains and seats are not needed to read users: a key that may not read them leaves them unknown.
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from cleanup_gitops.policy.patterns import normal_domain
from cleanup_gitops.sites.cloud.client import Client
from cleanup_gitops.sites.cloud.endpoints import domains, workspaces
from cleanup_gitops.sites.cloud.grants import Groups, read_groups
from cleanup_gitops.sites.cloud.paging import Listing
from cleanup_gitops.sites.cloud.wire import DomainRow, Page, WorkspaceRow
from cleanup_gitops.sites.http import StatusError

_DOMAINS = msgspec.json.Decoder(Page[DomainRow])
_WORKSPACES = msgspec.json.Decoder(Page[WorkspaceRow])
T = TypeVar("T")
NOT_TOLD = frozenset({403, 404})
VERIFIED = "verified"


class Around(Struct, frozen=True):
    """All that is read of a site before its users."""

    groups: Groups
    domains: tuple[str, ...] | None
    """Verified domains, ``None`` when they were not told."""
    seat_limit: int | None


def read_around(client: Client, ari: str, url: str) -> Around:
    """Groups, domains and seats of the Confluence ``ari`` at ``url``. Raises what a refusal means."""
    return Around(read_groups(client, ari), claimed_domains(client), seat_limit(client, ari, url))


def cursor_in(link: str | None) -> str | None:
    """The cursor in ``links.next``, which is a URL in some answers and the cursor itself in others."""
    if not link:
        return None
    query = urlsplit(link).query
    return parse_qs(query).get("cursor", [link])[0] if query else link


def claimed_domains(client: Client) -> tuple[str, ...] | None:
    """Verified domains in their normal form, sorted; ``None`` when the key may not read them."""

    def fetch(cursor: str | None) -> Page[DomainRow]:
        return _with_cursor(client.admin.read(domains(client.place.org, cursor), _DOMAINS))

    listing = Listing("domains", "GET domains", fetch, lambda row: row.id)
    try:
        rows = [row.attributes for page in listing for row in page]
    except StatusError as error:
        if error.status not in NOT_TOLD:
            raise
        return None
    verified = {normal_domain(row.name) for row in rows if row.claim and row.claim.status == VERIFIED}
    return tuple(sorted(domain for domain in verified if domain))


def seat_limit(client: Client, ari: str, url: str) -> int | None:
    """Seats that were bought for the Confluence ``ari`` at ``url``; ``None`` when that is not told."""

    def fetch(cursor: str | None) -> Page[WorkspaceRow]:
        return _with_cursor(client.admin.read(workspaces(client.place.org, cursor), _WORKSPACES))

    listing = Listing("workspaces", "POST workspaces", fetch, lambda row: row.id)
    try:
        rows = [row for page in listing for row in page]
    except StatusError as error:
        if error.status not in NOT_TOLD:
            raise
        return None
    host = urlsplit(url).netloc.casefold()
    here = [row for row in rows if row.id == ari] or [row for row in rows if _host(row) == host]
    return here[0].attributes.capacity if len(here) == 1 else None


def _host(row: WorkspaceRow) -> str:
    return urlsplit(row.attributes.host_url or "").netloc.casefold()


def _with_cursor(page: Page[T]) -> Page[T]:
    if page.links:
        page.links.next = cursor_in(page.links.next)
    return page

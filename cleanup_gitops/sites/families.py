"""Which calls share a limit of the site, and how large it is where that is published.

A family is what the site counts together. The Organizations API counts by endpoint; of Confluence's own API it is known
only that searches and administrative reads have limits of their own, without numbers. Where no number is published the
site's answers alone say how fast to go (`buckets`).
"""

from __future__ import annotations

from msgspec import Struct


class Family(Struct, frozen=True):
    """Calls that the site counts together: at most ``limit`` in any ``seconds``; 0 where no number is published."""

    name: str
    limit: int = 0
    seconds: float = 60.0


_V1 = "/admin/v1/orgs/{org}"
_DIRECTORY = "/admin/v2/orgs/{org}/directories/{directory}"

LAST_ACTIVE_DATES = Family("last-active dates", limit=200)
"""200 requests a minute and organization (Organizations REST API, get last-active dates)."""
ACCOUNTS = Family("accounts")
"""User management REST API: no number is published."""
CONTENT_SEARCH = Family("content search")
"""Confluence: searches have a burst limit of their own; no number is published for API tokens."""
CONFLUENCE_ADMIN = Family("Confluence administration")
"""Confluence: administrative reads have a burst limit of their own; no number is published for API tokens."""

FAMILIES: dict[str, Family] = {
    f"GET {_V1}/directory/users/{{account}}/last-active-dates": LAST_ACTIVE_DATES,
    "GET /users/{account}/manage": ACCOUNTS,
    "GET /users/{account}/manage/api-tokens": ACCOUNTS,
    "GET /wiki/rest/api/search": CONTENT_SEARCH,
    "GET /wiki/rest/api/audit": CONFLUENCE_ADMIN,
    "GET /wiki/rest/api/settings/systemInfo": CONFLUENCE_ADMIN,
    "POST /users/{account}/manage/lifecycle/disable": ACCOUNTS,
    "POST /users/{account}/manage/lifecycle/enable": ACCOUNTS,
    "POST /users/{account}/manage/lifecycle/delete": ACCOUNTS,
    "POST /users/{account}/manage/lifecycle/cancel-delete": ACCOUNTS,
    "DELETE /users/{account}/manage/api-tokens/{token}": ACCOUNTS,
}
"""By endpoint. An endpoint that is not named here is a family of its own, without a published number."""


def family_of(endpoint: str) -> Family:
    """The family of a call."""
    return FAMILIES.get(endpoint) or Family(endpoint)

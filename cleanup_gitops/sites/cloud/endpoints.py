"""Endpoints that are read, each a `Call`, as published on 2026-08-21 (Organizations API) and 2026-07-21 (Confluence).

Only ``/v2`` with POST searches where it exists: the first generation's searches and writes ended on 2026-06-30, and the
GET lists of users and groups end on 2027-06-30. Directory ids are always real ones, never ``-``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cleanup_gitops.sites.exchange import Call

PAGE = 100
"""The largest page that these searches give."""
AUDIT_PAGE = 1000
"""The page size of the audit log."""
Filter = list[str] | str | bool
Filters = Mapping[str, Filter]
EXPANSIONS = ("groups", "platformRoles", "productAccess")
LIFECYCLE = ("lifecycle.enablement", "lifecycle.delete")
"""Privileges over a whole account that are asked about."""

CURRENT_USER = Call(method="GET", template="/wiki/rest/api/user/current")
SYSTEM_INFO = Call(method="GET", template="/wiki/rest/api/settings/systemInfo")

_V1 = "/admin/v1/orgs/{org}"
_DIRECTORIES = "/admin/v2/orgs/{org}/directories"
_USERS = _DIRECTORIES + "/{directory}/users"
_GROUPS = _DIRECTORIES + "/{directory}/groups"

USERS_SEARCH = f"POST {_USERS}/search"
GROUPS_SEARCH = f"POST {_GROUPS}/search"


def organization(org: str) -> Call:
    """The organization itself."""
    return Call(method="GET", template=_V1, parts={"org": org})


def directories(org: str, cursor: str | None) -> Call:
    """Directories that the key may manage. With a cursor all other parameters are discarded."""
    query = ("cursor", cursor) if cursor else ("limit", str(PAGE))
    return Call(method="GET", template=_DIRECTORIES, parts={"org": org}, query=(query,))


def domains(org: str, cursor: str | None = None) -> Call:
    """Domains that the organization claims."""
    query = (("cursor", cursor),) if cursor else ()
    return Call(method="GET", template=f"{_V1}/domains", parts={"org": org}, query=query)


def workspaces(org: str, cursor: str | None = None) -> Call:
    """Confluence sites of the organization. With a cursor nothing else may be sent."""
    wanted = {"field": {"name": "attributes.type", "values": ["confluence"]}}
    body: dict[str, Any] = {"cursor": cursor} if cursor else {"limit": PAGE, "query": {"and": [wanted]}}
    return Call(method="POST", template="/admin/v2/orgs/{org}/workspaces", parts={"org": org}, body=body)


def manageable(account: str) -> Call:
    """What may be done to a whole account (User management REST API; takes keys without scopes only)."""
    query = tuple(("privileges", privilege) for privilege in LIFECYCLE)
    return Call(method="GET", template="/users/{account}/manage", parts={"account": account}, query=query)


def api_tokens(account: str) -> Call:
    """API tokens of one account: all of them, not by page (User management REST API)."""
    return Call(method="GET", template="/users/{account}/manage/api-tokens", parts={"account": account})


def contributions(account: str) -> Call:
    """The content that was changed last of all to which the account contributed, as far as the caller may see it."""
    quoted = account.replace("\\", "\\\\").replace('"', '\\"')
    cql = f'contributor = "{quoted}" order by lastmodified desc'
    form = (("limit", "1"), ("excerpt", "none"), ("includeArchivedSpaces", "true"), ("expand", "content.version"))
    return Call(method="GET", template="/wiki/rest/api/search", query=(("cql", cql), *form))


def audit(since: int, until: int, start: int) -> Call:
    """A page of the audit log, from ``since`` to ``until`` (milliseconds since 1970), newest entries first."""
    window = (("startDate", str(since)), ("endDate", str(until)))
    page = (("start", str(start)), ("limit", str(AUDIT_PAGE)))
    return Call(method="GET", template="/wiki/rest/api/audit", query=(*window, *page))


@dataclass(frozen=True, slots=True)
class InDirectory:
    """The endpoints of one directory of one organization."""

    org: str
    directory: str

    def search_users(self, cursor: str | None = None, *, expand: bool = False, filters: Filters | None = None) -> Call:
        """A page of users. ``directoryIds`` keeps accounts out that are in no directory at all."""
        body: dict[str, Any] = {"directoryIds": [self.directory], "limit": PAGE, **(filters or {})}
        if expand:
            body["expand"] = EXPANSIONS
        return self._call("POST", f"{_USERS}/search", body=_with(body, cursor))

    def count_users(self, filters: Filters | None = None) -> Call:
        """How many users the search with these filters has; lists are repeated keys."""
        wanted: Filters = {"directoryIds": [self.directory], **(filters or {})}
        query = tuple((name, value) for name, values in wanted.items() for value in _texts(values))
        return self._call("GET", f"{_USERS}/count", query=query)

    def search_groups(self, cursor: str | None = None, *, filters: Filters | None = None) -> Call:
        """A page of groups, with the number of resources each gives a role on."""
        body: dict[str, Any] = {"directoryIds": [self.directory], "limit": PAGE, **(filters or {})}
        body["expand"] = ["counts.resources"]
        return self._call("POST", f"{_GROUPS}/search", body=_with(body, cursor))

    def role_assignments(self, group: str, cursor: str | None = None) -> Call:
        """What a group gives. With a cursor all other parameters are discarded."""
        query = ("cursor", cursor) if cursor else ("limit", str(PAGE))
        return self._call("GET", f"{_GROUPS}/{{group}}/role-assignments", query=(query,), group=group)

    def user_roles(self, account: str, ari: str, cursor: str | None = None) -> Call:
        """Roles of one user on one resource. With a cursor all other parameters are discarded."""
        query = (("cursor", cursor),) if cursor else (("resourceIds", ari), ("limit", str(PAGE)))
        return self._call("GET", f"{_USERS}/{{account}}/role-assignments", query=query, account=account)

    def last_active_dates(self, account: str, cursor: str | None = None) -> Call:
        """When one user was last active in each product; 200 requests a minute for an organization."""
        query = (("cursor", cursor),) if cursor else ()
        template = f"{_V1}/directory/users/{{account}}/last-active-dates"
        return Call(method="GET", template=template, parts={"org": self.org, "account": account}, query=query)

    def _call(
        self,
        method: str,
        template: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        body: dict[str, Any] | None = None,
        **parts: str,
    ) -> Call:
        everywhere = {"org": self.org, "directory": self.directory}
        return Call(method=method, template=template, parts=everywhere | parts, query=query, body=body)


def _texts(wanted: Filter) -> list[str]:
    """A filter's values as texts of a query."""
    if isinstance(wanted, list):
        return wanted
    return [wanted if isinstance(wanted, str) else "true" if wanted else "false"]


def _with(body: dict[str, Any], cursor: str | None) -> dict[str, Any]:
    return body if cursor is None else {**body, "cursor": cursor}

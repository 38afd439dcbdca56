"""The endpoints in use, each a `Call`, as published on 2026-08-21 (Organizations API) and 2026-07-21 (Confluence).

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
Filters = Mapping[str, list[str]]
EXPANSIONS = ("groups", "platformRoles", "productAccess")

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
        wanted = {"directoryIds": [self.directory], **(filters or {})}
        query = tuple((name, value) for name, values in wanted.items() for value in values)
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

    def last_active_dates(self, account: str, cursor: str | None = None) -> Call:
        """When one user was last active in each product; 200 requests a minute for an organization."""
        query = (("cursor", cursor),) if cursor else ()
        template = f"{_V1}/directory/users/{{account}}/last-active-dates"
        return Call(method="GET", template=template, parts={"org": self.org, "account": account}, query=query)

    def suspend(self, account: str) -> Call:
        """Suspend in the directory."""
        return self._call("POST", f"{_USERS}/{{account}}/suspend", account=account)

    def restore(self, account: str) -> Call:
        """End a suspension."""
        return self._call("POST", f"{_USERS}/{{account}}/restore", account=account)

    def add_member(self, group: str, account: str) -> Call:
        """Add to a group."""
        body = {"accountId": account}
        return self._call("POST", f"{_GROUPS}/{{group}}/memberships", body=body, group=group)

    def remove_member(self, group: str, account: str) -> Call:
        """Remove from a group."""
        template = f"{_GROUPS}/{{group}}/memberships/{{account}}"
        return self._call("DELETE", template, group=group, account=account)

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


def _with(body: dict[str, Any], cursor: str | None) -> dict[str, Any]:
    return body if cursor is None else {**body, "cursor": cursor}

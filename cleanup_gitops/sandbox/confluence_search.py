"""Confluence's first REST API: searching content and users.

Content that the caller may not see is not found. Who only reads is not found by what they read: a
search knows creators and contributors.
"""

from __future__ import annotations

import zlib

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, confluence, json_answer
from cleanup_gitops.sandbox.confluence_answers import (
    is_guest,
    links,
    number,
    offset_page,
    person,
    query,
    required,
)
from cleanup_gitops.sandbox.content_query import ContentQueries, parse_user_query
from cleanup_gitops.sandbox.cql import CqlError
from cleanup_gitops.sandbox.cursors import pack, unpack
from cleanup_gitops.sandbox.handlers import Table
from cleanup_gitops.sandbox.records import Page
from cleanup_gitops.sandbox.state import SEAT_ROLES, State
from cleanup_gitops.sandbox.world import User

MOST = 250
MOST_USERS = 10_000
PARAMETERS = (
    "cql", "cqlcontext", "cursor", "next", "prev", "limit", "start", "includeArchivedSpaces",
    "excludeCurrentSpaces", "excerpt", "sitePermissionTypeFilter", "_", "expand",
)  # fmt: skip


class Search:
    """Handlers that search."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._queries = ContentQueries(state)

    def table(self) -> Table:
        """Method, path below ``/wiki/rest/api`` and handler of every endpoint."""
        return [
            ("GET", "search", self.search),
            ("GET", "content/search", self.content),
            ("GET", "search/user", self.users),
        ]

    async def search(self, request: Request) -> Response:
        """GET search: pages follow each other by cursor only, ``start`` is taken and changes nothing."""
        asked = query(request, *PARAMETERS)
        rows, total, limit, following = self._page(request, asked)
        expand = asked.get("expand", "").split(",")
        results = [self._result(page, [name.removeprefix("content.") for name in expand]) for page in rows]
        body = {"results": results, "start": 0, "limit": limit, "size": len(rows), "totalSize": total}
        more = {"cqlQuery": asked["cql"], "searchDuration": 7, "archivedResultCount": 0}
        return json_answer({**body, **more, "_links": links(request, **following)})

    async def content(self, request: Request) -> Response:
        """GET content/search: the same without what stands around it."""
        asked = query(request, "cql", "cqlcontext", "cursor", "limit", "expand")
        rows, _, limit, following = self._page(request, asked)
        expand = asked.get("expand", "").split(",")
        results = [self._content(page, expand) for page in rows]
        body = {"results": results, "start": 0, "limit": limit, "size": len(rows)}
        return json_answer({**body, "_links": links(request, **following)})

    def _page(self, request: Request, asked: dict[str, str]) -> tuple[list[Page], int, int, dict[str, object]]:
        """The rows of one page, how many there are on all, the limit, and the next page's parameters."""
        cql = required(asked, "cql")
        limit = min(number(asked, "limit", 25), MOST)
        try:
            wanted = self._queries.parse(cql)
        except CqlError as error:
            raise _bad_query(cql, error) from None
        mark = zlib.crc32(f"{request.scope['path']} {cql}".encode())
        start = _place(asked.get("cursor"), mark)
        self._state.count_read()
        found = [page for page in self._state.world.content if not page.restricted and wanted.test(page)]
        rows = self._queries.sorted(found, wanted.order)
        more = limit and start + limit < len(rows)
        following = {"limit": limit, "cursor": pack((mark, start + limit))} if more else {}
        return rows[start : start + limit], len(rows), limit, following

    def _content(self, page: Page, expand: list[str]) -> dict[str, object]:
        at, account = page.modified()
        path = f"/spaces/{page.space}/pages/{page.id}"
        shown: dict[str, object] = {
            "id": page.id,
            "type": page.type,
            "status": "current",
            "title": page.title,
            "_expandable": {name: "" for name in ("version", "history", "space") if name not in expand},
            "_links": {"webui": path, "self": f"/wiki/rest/api/content/{page.id}"},
        }
        version: dict[str, object] = {"when": at, "number": len(page.edits), "minorEdit": False}
        version |= {"by": self._author(account)}
        if "version" in expand:
            shown["version"] = version
        if "history" in expand or "history.lastUpdated" in expand:
            creator = self._author(page.creator)
            history = {"latest": True, "createdBy": creator, "createdDate": page.created}
            shown["history"] = history | ({"lastUpdated": version} if "history.lastUpdated" in expand else {})
        return shown

    def _author(self, account: str) -> dict[str, object]:
        user = self._state.user(account)
        return {"type": "unknown", "accountId": account} if user is None else person(self._state, user)

    def _result(self, page: Page, expand: list[str]) -> dict[str, object]:
        space = f"/spaces/{page.space}"
        return {
            "content": self._content(page, expand),
            "title": page.title,
            "excerpt": "",
            "url": f"{space}/pages/{page.id}",
            "resultGlobalContainer": {"title": page.space, "displayUrl": space},
            "breadcrumbs": [],
            "entityType": "content",
            "iconCssClass": f"aui-icon content-type-{page.type}",
            "lastModified": page.modified()[0],
            "friendlyLastModified": page.modified()[0][:10],
            "score": 0.0,
        }

    async def users(self, request: Request) -> Response:
        """GET search/user: at most 10,000; by default those with a licence, guests only on request."""
        asked = query(request, "cql", "start", "limit", "expand", "sitePermissionTypeFilter")
        cql = required(asked, "cql")
        kind = asked.get("sitePermissionTypeFilter", "none")
        if kind not in ("none", "externalCollaborator", "all"):
            raise confluence(400, "sitePermissionTypeFilter must be none, externalCollaborator or all")
        start, limit = number(asked, "start", 0), min(number(asked, "limit", 25), MOST)
        try:
            wanted = parse_user_query(cql)
        except CqlError as error:
            raise _bad_query(cql, error) from None
        self._state.count_read()
        users = self._state.world.users
        found = [users[place] for place in self._state.holders("confluence") if self._admits(users[place], kind)]
        rows = [user for user in found if wanted.test(user)][:MOST_USERS]
        more = [("totalSize", len(rows)), ("cqlQuery", cql), ("searchDuration", 7)]
        return offset_page(request, rows, self._user_result, start=start, limit=limit, more=more)

    def _admits(self, user: User, kind: str) -> bool:
        if self._state.status(user) != "active":
            return False
        guest = is_guest(self._state, user)
        licensed = bool(SEAT_ROLES & self._state.roles(user).get("confluence", set()))
        return {"none": licensed, "externalCollaborator": guest, "all": licensed or guest}[kind]

    def _user_result(self, user: User) -> dict[str, object]:
        """A user in a search; the date is that of the search index, it says nothing about the person."""
        return {
            "user": person(self._state, user),
            "title": user.name,
            "excerpt": "",
            "url": f"/people/{user.id}",
            "breadcrumbs": [],
            "entityType": "user",
            "iconCssClass": "",
            "lastModified": user.added or self._state.world.now,
            "score": 0.0,
        }


def _place(token: str | None, mark: int) -> int:
    """Where the page starts; raises `Refusal` for a cursor of another query."""
    if not token:
        return 0
    try:
        found, place = unpack(token, tuple[int, int])
    except Refusal:
        found, place = -1, 0
    if found != mark:
        raise confluence(400, "The cursor does not belong to this query")
    return place


def _bad_query(cql: str, error: CqlError) -> Refusal:
    return confluence(400, f"Could not parse cql : {cql}: {error}")

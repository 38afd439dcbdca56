"""The Confluence site below ``/wiki``: which path leads where, and what every request passes first."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.access import check_token
from cleanup_gitops.sandbox.answers import Refusal, confluence
from cleanup_gitops.sandbox.confluence_audit import Audit
from cleanup_gitops.sandbox.confluence_groups import Groups
from cleanup_gitops.sandbox.confluence_people import People
from cleanup_gitops.sandbox.confluence_search import Search
from cleanup_gitops.sandbox.confluence_v2 import Second, second
from cleanup_gitops.sandbox.handlers import Handler
from cleanup_gitops.sandbox.state import State

NEAR_LIMIT = 0.2
"""With less than this share of the requests left, answers say that the limit is near."""
REMOVED = re.compile(r"^/wiki/rest/api/(group/by-name|group/member|group/user|group/[^/]+/member|user/bulk/migration)$")
"""Endpoints by the names of groups and users, which are gone."""


class Confluence:
    """Endpoints of the Confluence site over one state."""

    def __init__(self, state: State) -> None:
        self.state = state

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        state = self.state
        people, groups, search, audit = People(state), Groups(state), Search(state), Audit(state)
        first = [*people.table(), *groups.table(), *search.table(), *audit.table()]
        found = [Route(f"/wiki/rest/api/{path}", self._guarded(to), methods=[method]) for method, path, to in first]
        found += [
            Route(f"/wiki/api/v2/{path}", self._guarded(to), methods=[method])
            for method, path, to in Second(state).table()
        ]
        self._known = [route.path_regex for route in found]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*found, Route("/wiki/{rest:path}", self._guarded(self.unknown), methods=every)]

    def _guarded(self, handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                self._check_edge(request)
                headers = self._check_limits(request)
                response = await handler(request)
            except Refusal as refusal:
                response = refusal.response
            response.headers.update(headers)
            return response

        return endpoint

    def _check_edge(self, request: Request) -> None:
        """Refuses who cannot say who they are, and who may not use the site."""
        try:
            check_token(self.state, request)
            caller = self.state.user(self.state.world.credentials.runner_account)
            if caller is None or self.state.status(caller) != "active":
                raise confluence(403, "This account has no access to the site")
        except Refusal as refusal:
            if self.state.world.options.html_at_the_edge:
                status = refusal.response.status_code
                page = f"<!DOCTYPE html><html><body><h1>{status}</h1><p>Log in to continue</p></body></html>"
                raise Refusal(Response(page, status, media_type="text/html")) from None
            raise

    def _check_limits(self, request: Request) -> dict[str, str]:
        """Headers for the answer; over the limit they say when to come back."""
        told = self.state.limits.ask(request.scope["path"], request.method)
        if told is None:
            return {}
        headers = told.headers()
        if told.remaining < NEAR_LIMIT * told.limit.limit:
            headers["X-RateLimit-NearLimit"] = "true"
        if told.refused:
            answer = second(429, "Rate limit exceeded") if _is_second(request) else confluence(429, "Rate limited")
            headers |= {"RateLimit-Reason": "confluence-burst-based", "Retry-After": str(told.wait)}
            answer.response.headers.update(headers)
            raise answer
        return headers

    async def unknown(self, request: Request) -> Response:
        """Everything else: removed endpoints, wrong methods, unknown paths."""
        path = request.scope["path"]
        known = any(pattern.match(path) for pattern in self._known)
        if _is_second(request):
            raise second(405 if known else 404, "Method not allowed" if known else "Not found")
        if REMOVED.match(path):
            raise confluence(404, "This endpoint was removed; use its successor by id")
        if known:
            raise confluence(405, f"{request.method} is not supported here")
        raise confluence(404, "No such endpoint")


def _is_second(request: Request) -> bool:
    path: str = request.scope["path"]
    return path.startswith("/wiki/api/v2/")

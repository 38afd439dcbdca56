"""The admin host below ``/admin``: which path leads where, and what answers for the rest."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.answers import application
from cleanup_gitops.sandbox.gate import Gate, Handler
from cleanup_gitops.sandbox.reads import Reads
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.writes import Writes

REMOVED = re.compile(
    r"^/admin/v1/orgs/[^/]+/(users/(search|invite)|groups/search|directory/groups(/.*)?"
    r"|directory/users/[^/]+(/(suspend|restore)-access)?)$"
)
"""Endpoints of the first generation that stopped working on 30 June 2026."""


class Admin:
    """Endpoints of the admin host over one state."""

    def __init__(self, state: State) -> None:
        self._gate = Gate(state)
        self._reads = Reads(state, self._gate)
        self._writes = Writes(state, self._gate)

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        org1, org2 = "/admin/v1/orgs/{org}", "/admin/v2/orgs/{org}/directories"
        users, groups = f"{org2}/{{directory}}/users", f"{org2}/{{directory}}/groups"
        reads, writes = self._reads, self._writes
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/admin/v1/orgs", reads.organizations),
            ("GET", org1, reads.organization),
            ("GET", f"{org1}/directory/users/{{user}}/last-active-dates", reads.last_active),
            ("GET", org2, reads.directories),
            ("POST", f"{users}/search", reads.search_users),
            ("GET", f"{users}/count", reads.count_users),
            ("GET", f"{users}/{{user}}", reads.user),
            ("POST", f"{users}/{{user}}/suspend", writes.suspend),
            ("POST", f"{users}/{{user}}/restore", writes.restore),
            ("POST", f"{groups}/search", reads.search_groups),
            ("GET", f"{groups}/{{group}}", reads.group),
            ("GET", f"{groups}/{{group}}/role-assignments", reads.role_assignments),
            ("POST", f"{groups}/{{group}}/memberships", writes.add_member),
            ("DELETE", f"{groups}/{{group}}/memberships/{{user}}", writes.remove_member),
        ]
        guarded = self._gate.guarded
        found = [Route(path, guarded(to), methods=[method]) for method, path, to in table]
        self._known = [route.path_regex for route in found]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*found, Route("/admin/{rest:path}", guarded(self._unknown), methods=every)]

    async def _unknown(self, request: Request) -> Response:
        """Everything else: removed endpoints, wrong methods, unknown paths."""
        path = request.scope["path"]
        if REMOVED.match(path):
            detail = "This endpoint was removed on 30 June 2026; use its successor in /v2."
            raise application(404, "ADMIN-404-1", "Unknown resource", detail)
        if any(pattern.match(path) for pattern in self._known):
            detail = f"{request.method} is not supported here."
            raise application(405, "ADMIN-405-1", "Method not supported", detail)
        raise application(404, "ADMIN-404-1", "Unknown resource", "No such endpoint.")

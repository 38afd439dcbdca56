"""The admin host below ``/admin``: which path leads where, and what answers for the rest."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.answers import application
from cleanup_gitops.sandbox.events import Events
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.group_reads import GroupReads
from cleanup_gitops.sandbox.handlers import Table
from cleanup_gitops.sandbox.invitations import Invitations
from cleanup_gitops.sandbox.reads import Reads
from cleanup_gitops.sandbox.roles import Roles
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.v1_lists import Lists
from cleanup_gitops.sandbox.workspaces import Workspaces
from cleanup_gitops.sandbox.writes import Writes

REMOVED = re.compile(
    r"^/admin/v1/orgs/[^/]+/(users/(search|invite)|groups/search|directory/groups(/.*)?"
    r"|directory/users/[^/]+(/(suspend|restore)-access)?)$"
)
"""Endpoints of the first generation that stopped working on 30 June 2026."""


class Admin:
    """Endpoints of the admin host over one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._gate = Gate(state)

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        table = [*self._first_generation(), *self._users(), *self._groups()]
        guarded = self._gate.guarded
        found = [
            Route(path, guarded(to, bare=path.endswith("/workspaces")), methods=[method]) for method, path, to in table
        ]
        self._known = [route.path_regex for route in found]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*found, Route("/admin/{rest:path}", guarded(self._unknown), methods=every)]

    def _first_generation(self) -> Table:
        """The first generation, and what belongs to no directory."""
        org1, org2 = "/admin/v1/orgs/{org}", "/admin/v2/orgs/{org}"
        reads, lists = Reads(self._state, self._gate), Lists(self._state)
        events, roles = Events(self._state), Roles(self._state, self._gate)
        return [
            ("GET", "/admin/v1/orgs", reads.organizations),
            ("GET", org1, reads.organization),
            ("GET", f"{org1}/users", lists.managed_accounts),
            ("GET", f"{org1}/directory/users/{{user}}/last-active-dates", reads.last_active),
            ("POST", f"{org1}/users/{{user}}/roles/assign", roles.assign),
            ("POST", f"{org1}/users/{{user}}/roles/revoke", roles.revoke),
            ("POST", f"{org1}/users/{{user}}/role-assignments/assign", roles.assign_in_organization),
            ("POST", f"{org1}/users/{{user}}/role-assignments/revoke", roles.revoke_in_organization),
            ("GET", f"{org1}/domains", lists.domains),
            ("GET", f"{org1}/domains/{{domain}}", lists.domain),
            ("GET", f"{org1}/events", events.search),
            ("GET", f"{org1}/events/{{event}}", events.event),
            ("GET", f"{org1}/events-stream", events.stream),
            ("GET", f"{org1}/event-actions", events.actions),
            ("GET", f"{org2}/directories", reads.directories),
            ("POST", f"{org2}/users/invite", Invitations(self._state, self._gate).invite),
            ("POST", f"{org2}/workspaces", Workspaces(self._state).search),
        ]

    def _users(self) -> Table:
        users = "/admin/v2/orgs/{org}/directories/{directory}/users"
        reads, writes = Reads(self._state, self._gate), Writes(self._state, self._gate)
        return [
            ("GET", users, reads.list_users),
            ("POST", f"{users}/search", reads.search_users),
            ("GET", f"{users}/count", reads.count_users),
            ("GET", f"{users}/stats", reads.user_stats),
            ("GET", f"{users}/{{user}}", reads.user),
            ("GET", f"{users}/{{user}}/role-assignments", reads.role_assignments),
            ("POST", f"{users}/{{user}}/suspend", writes.suspend),
            ("POST", f"{users}/{{user}}/restore", writes.restore),
            ("DELETE", f"{users}/{{user}}", writes.remove_user),
        ]

    def _groups(self) -> Table:
        groups = "/admin/v2/orgs/{org}/directories/{directory}/groups"
        reads, writes = GroupReads(self._state, self._gate), Writes(self._state, self._gate)
        roles = Roles(self._state, self._gate)
        return [
            ("GET", groups, reads.list_groups),
            ("POST", groups, writes.create_group),
            ("POST", f"{groups}/search", reads.search_groups),
            ("GET", f"{groups}/count", reads.count_groups),
            ("GET", f"{groups}/stats", reads.group_stats),
            ("GET", f"{groups}/{{group}}", reads.group),
            ("DELETE", f"{groups}/{{group}}", writes.delete_group),
            ("GET", f"{groups}/{{group}}/role-assignments", reads.role_assignments),
            ("POST", f"{groups}/{{group}}/role-assignments/assign", roles.assign_to_group),
            ("POST", f"{groups}/{{group}}/role-assignments/revoke", roles.revoke_from_group),
            ("POST", f"{groups}/{{group}}/memberships", writes.add_member),
            ("DELETE", f"{groups}/{{group}}/memberships/{{user}}", writes.remove_member),
        ]

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

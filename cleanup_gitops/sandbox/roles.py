"""Roles: of a user on a product, of a user in the organization, of a group."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, application, unknown_resource
from cleanup_gitops.sandbox.changes import (
    give_group_role,
    give_platform_role,
    give_role,
    has_room,
    new_seats,
    take_group_role,
    take_platform_role,
    take_role,
)
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.queries import Role
from cleanup_gitops.sandbox.state import PLATFORM, State, Trace
from cleanup_gitops.sandbox.world import Resource, User
from cleanup_gitops.sandbox.writes import ORG_ADMIN, decode, done

SITE_ROLES = frozenset({"atlassian/site-admin", "atlassian/user-access-admin"})
ORGANIZATION_ROLES = frozenset({ORG_ADMIN, "atlassian/ai-access"})
T = TypeVar("T")


class UserRole(msgspec.Struct):
    """The body that assigns or revokes a user's role on `resource` (an ARI)."""

    role: Role
    resource: str | None = None


class OrganizationRole(msgspec.Struct):
    """The body that assigns or revokes a user's role in the organization; unknown roles are refused."""

    role: str


class GroupRole(msgspec.Struct, rename="camel"):
    """The body that assigns or revokes a group's role."""

    resource_id: str
    role_id: Role


def fits(role: str, resource: Resource) -> bool:
    """Whether such a role can be held on such a resource."""
    if resource.owner != PLATFORM:
        return role not in ORGANIZATION_ROLES and role != "atlassian/site-admin"
    return role in (ORGANIZATION_ROLES if "::org/" in resource.id else SITE_ROLES)


class Roles:
    """Handlers that change who holds which role."""

    def __init__(self, state: State, gate: Gate) -> None:
        self._state = state
        self._gate = gate

    async def assign(self, request: Request) -> Response:
        """POST v1 users/{id}/roles/assign."""
        user, name, role = await self._user_role(request)
        if user.account != "active":
            raise role_refusal(400, 2, "Inactive user", "The account is not active.")
        if not has_room(self._state, name, new_seats(self._state, [user], name, [role])):
            raise role_refusal(409, 3, "Product license limit exceeded", "All seats are in use.")
        trace = self._trace("user_granted_role", user, name, role)
        return done(self._state, request, lambda: give_role(self._state, user, name, role), trace)

    async def revoke(self, request: Request) -> Response:
        """POST v1 users/{id}/roles/revoke; what groups give stays, and a role not held is no error."""
        user, name, role = await self._user_role(request)
        trace = self._trace("user_revoked_role", user, name, role)
        return done(self._state, request, lambda: take_role(self._state, user, name, role), trace)

    def _trace(self, action: str, user: User, name: str, role: str) -> Trace:
        return Trace("role", action, {"user": user.id, "resource": self._state.resources[name].id, "role": role})

    async def _user_role(self, request: Request) -> tuple[User, str, str]:
        """The user, the resource's name and the role that the request names; raises `Refusal`."""
        body = _decode(await request.body(), UserRole)
        user = self._user(request)
        if body.resource is None:
            if body.role != ORG_ADMIN:
                raise role_refusal(400, 1, "Bad request", "resource is needed for this role.")
            found = [item for item in self._state.world.resources if fits(ORG_ADMIN, item)]
        else:
            found = [item for item in self._state.world.resources if item.id == body.resource]
        if not found:
            raise role_refusal(404, 3, "Not found", "No such resource.")
        if not fits(body.role, found[0]):
            raise role_refusal(400, 3, "Invalid role for resource", "The resource knows no such role.")
        return user, found[0].name, body.role

    async def assign_in_organization(self, request: Request) -> Response:
        """POST v1 users/{id}/role-assignments/assign: shows up to half a minute later."""
        user = await self._organization_role(request)
        trace = Trace("org_role", "user_granted_role", {"user": user.id, "role": ORG_ADMIN})
        return done(self._state, request, lambda: give_platform_role(user, ORG_ADMIN), trace)

    async def revoke_in_organization(self, request: Request) -> Response:
        """POST v1 users/{id}/role-assignments/revoke."""
        user = await self._organization_role(request)
        trace = Trace("org_role", "user_revoked_role", {"user": user.id, "role": ORG_ADMIN})
        return done(self._state, request, lambda: take_platform_role(user, ORG_ADMIN), trace)

    async def _organization_role(self, request: Request) -> User:
        if _decode(await request.body(), OrganizationRole).role != ORG_ADMIN:
            raise role_refusal(400, 1, "Bad request", f"The only role of the organization is {ORG_ADMIN}.")
        return self._user(request)

    def _user(self, request: Request) -> User:
        user = self._state.user(request.path_params["user"])
        if user is None or not user.directories.keys() & self._state.visible:
            raise role_refusal(404, 3, "Not found", "No such user in the organization.")
        return user

    async def assign_to_group(self, request: Request) -> Response:
        """POST groups/{id}/role-assignments/assign: 200, and nothing in the body."""
        directory = self._gate.writable(request)
        group = self._gate.group(request, directory)
        name, role = self._group_role(decode(await request.body(), GroupRole))
        if role in group.roles.get(name, []):
            return Response(status_code=200)
        users = [self._state.world.users[number] for number in self._state.members[group.id]]
        if not has_room(self._state, name, new_seats(self._state, users, name, [role])):
            raise application(409, "ADMIN-409-3", "License limit exceeded", "There are not enough free seats.")
        resource = self._state.resources[name].id
        trace = Trace("role", "group_granted_role", {"group": group.id, "resource": resource, "role": role})
        return done(self._state, request, lambda: give_group_role(self._state, group, name, role), trace, 200)

    async def revoke_from_group(self, request: Request) -> Response:
        """POST groups/{id}/role-assignments/revoke."""
        directory = self._gate.writable(request)
        group = self._gate.group(request, directory)
        name, role = self._group_role(decode(await request.body(), GroupRole))
        resource = self._state.resources[name].id
        trace = Trace("role", "group_revoked_role", {"group": group.id, "resource": resource, "role": role})
        return done(self._state, request, lambda: take_group_role(self._state, group, name, role), trace)

    def _group_role(self, body: GroupRole) -> tuple[str, str]:
        name = self._state.names_by_ari.get(body.resource_id)
        if name is None:
            raise unknown_resource()
        if not fits(body.role_id, self._state.resources[name]):
            raise application(400, "ADMIN-400-4", "Invalid resource", "The resource knows no such role.")
        return name, body.role_id


def role_refusal(status: int, number: int, title: str, detail: str) -> Refusal:
    """An error of the service that knows roles and invitations, such as ``ADMIN-UAM-409-3``."""
    return application(status, f"ADMIN-UAM-{status}-{number}", title, detail)


def _decode(body: bytes, into: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=into)
    except msgspec.DecodeError as error:
        raise role_refusal(400, 1, "Bad request", str(error)) from None

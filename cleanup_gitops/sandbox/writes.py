"""Writing to the admin host: suspending, restoring, and memberships of groups."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import application, bad_body, unknown_user
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.state import SEAT_ROLES, State
from cleanup_gitops.sandbox.world import Group, User


class Membership(msgspec.Struct, rename="camel"):
    """The body that adds a member; unknown keys are left aside."""

    account_id: str


class Writes:
    """Handlers that change the world. Nothing here protects anybody: that is the client's work."""

    def __init__(self, state: State, gate: Gate) -> None:
        self._state = state
        self._gate = gate

    async def suspend(self, request: Request) -> Response:
        """POST users/{id}/suspend; suspending a suspended user changes nothing."""
        return self._set_membership(request, "suspended")

    async def restore(self, request: Request) -> Response:
        """POST users/{id}/restore; groups and roles were never lost."""
        return self._set_membership(request, "active")

    def _set_membership(self, request: Request, status: str) -> Response:
        directory = self._gate.writable(request)
        user = self._gate.user(request, directory)
        return self._done(request, lambda: self._state.set_membership(user, directory, status))

    async def add_member(self, request: Request) -> Response:
        """POST groups/{id}/memberships."""
        directory = self._gate.writable(request)
        group = self._gate.group(request, directory)
        try:
            body = msgspec.json.decode(await request.body(), type=Membership)
        except msgspec.DecodeError as error:
            raise bad_body(str(error)) from None
        user = self._state.user(body.account_id)
        if user is None or directory not in user.directories:
            raise unknown_user()
        _check_modifiable(group)
        if group.id in user.groups:
            raise application(409, "ADMIN-409-28", "Conflict", "The user is already in this group.")
        self._check_capacity(user, group)
        return self._done(request, lambda: self._state.add_member(user, group.id))

    def _check_capacity(self, user: User, group: Group) -> None:
        held = self._state.roles(user)
        for name, roles in group.roles.items():
            capacity = self._state.resources[name].capacity
            if (
                capacity is not None
                and SEAT_ROLES.intersection(roles)
                and not SEAT_ROLES & held.get(name, set())
                and self._state.seats(name) >= capacity
            ):
                raise application(409, "ADMIN-409-3", "License limit exceeded", "All seats are in use.")

    async def remove_member(self, request: Request) -> Response:
        """DELETE groups/{id}/memberships/{account}."""
        directory = self._gate.writable(request)
        group = self._gate.group(request, directory)
        user = self._gate.user(request, directory)
        _check_modifiable(group)
        if group.id not in user.groups:
            raise unknown_user()
        return self._done(request, lambda: self._state.remove_member(user, group.id))

    def _done(self, request: Request, change: Callable[[], None]) -> Response:
        self._state.perform(change, request.scope.get("sandbox.effect", "now"))
        return Response(status_code=204)


def _check_modifiable(group: Group) -> None:
    if group.external_synced or not group.modifiable:
        detail = "The group is synced from an identity provider; manage it there."
        raise application(403, "ADMIN-403-5", "Forbidden", detail)

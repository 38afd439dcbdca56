"""Writing to the admin host: suspending, restoring, removing, and groups with their members."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, application, bad_body, unknown_user
from cleanup_gitops.sandbox.changes import (
    ADMIN_ROLES,
    create_group,
    delete_group,
    has_room,
    new_seats,
    remove_from_directory,
)
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.late import Change
from cleanup_gitops.sandbox.newcomers import new_id
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import Group, User

ORG_ADMIN = "atlassian/org-admin"
T = TypeVar("T")


class Membership(msgspec.Struct, rename="camel"):
    """The body that adds a member; unknown keys are left aside."""

    account_id: str


class NewGroup(msgspec.Struct):
    """The body that creates a group."""

    name: str
    description: str = ""


class Writes:
    """Handlers that change the world. Nothing here protects anybody: that is the client's work."""

    def __init__(self, state: State, gate: Gate) -> None:
        self._state = state
        self._gate = gate

    async def suspend(self, request: Request) -> Response:
        """POST users/{id}/suspend."""
        directory = self._gate.writable(request)
        user = self._gate.user(request, directory)
        self._check_suspendable(user)
        return self._set_membership(request, user, directory, "suspended")

    async def restore(self, request: Request) -> Response:
        """POST users/{id}/restore; groups and roles were never lost."""
        directory = self._gate.writable(request)
        user = self._gate.user(request, directory)
        if self._state.world.options.restore_checks_seats and self._state.status(user) == "suspended":
            for name, roles in self._state.roles(user).items():
                if roles & {"atlassian/user", "atlassian/admin"} and not has_room(self._state, name, 1):
                    raise self._no_seat()
        return self._set_membership(request, user, directory, "active")

    def _set_membership(self, request: Request, user: User, directory: str, status: str) -> Response:
        if user.directories[directory] == status and self._state.world.options.repeated_status != 204:
            raise application(400, "ADMIN-400-4", "Invalid resource", f"The user is {status} already.")
        trace = Trace("status", f"user_{status}_in_directory", {"user": user.id})
        return done(self._state, request, lambda: self._state.set_membership(user, directory, status), trace)

    def _check_suspendable(self, user: User) -> None:
        refused = self._state.world.options.refuse_suspending
        admins = [other for other in self._state.world.users if ORG_ADMIN in other.platform_roles]
        if "synced" in refused and user.source == "synced":
            detail = "The user is synced from an identity provider; manage it there."
        elif "self" in refused and user.id == self._state.world.credentials.runner_account:
            detail = "You cannot suspend yourself."
        elif "last_admin" in refused and [item for item in admins if self._state.status(item) == "active"] == [user]:
            detail = "An organization needs an administrator."
        else:
            return
        raise application(403, "ADMIN-403-3", "Forbidden", detail)

    async def remove_user(self, request: Request) -> Response:
        """DELETE users/{id}: put into a queue, so it shows later."""
        directory = self._gate.writable(request)
        user = self._gate.user(request, directory)
        trace = Trace("removal", "user_removed_from_directory", {"user": user.id})
        return done(self._state, request, lambda: remove_from_directory(self._state, user, directory), trace)

    async def add_member(self, request: Request) -> Response:
        """POST groups/{id}/memberships."""
        directory = self._gate.writable(request)
        group = self._gate.group(request, directory)
        body = decode(await request.body(), Membership)
        user = self._state.user(body.account_id)
        if user is None or directory not in user.directories:
            raise unknown_user()
        _check_modifiable(group)
        if self._state.world.options.units and any(ORG_ADMIN in roles for roles in group.roles.values()):
            detail = "This group grants organization administration no more; assign the role instead."
            raise application(403, "ADMIN-403-5", "Forbidden", detail)
        if group.id in user.groups:
            raise self._conflict("ADMIN-409-28", "Conflict", "The user is already in this group.")
        for name, roles in group.roles.items():
            if not has_room(self._state, name, new_seats(self._state, [user], name, roles)):
                raise self._no_seat()
        trace = Trace("membership", "user_added_to_group", {"user": user.id, "group": group.id})
        return done(self._state, request, lambda: self._state.add_member(user, group.id), trace)

    async def remove_member(self, request: Request) -> Response:
        """DELETE groups/{id}/memberships/{account}."""
        directory = self._gate.writable(request)
        group = self._gate.group(request, directory)
        user = self._gate.user(request, directory)
        _check_modifiable(group)
        if group.id not in user.groups and self._state.world.options.remove_non_member == 404:
            raise unknown_user()
        trace = Trace("membership", "user_removed_from_group", {"user": user.id, "group": group.id})
        return done(self._state, request, lambda: self._state.remove_member(user, group.id), trace)

    async def create_group(self, request: Request) -> Response:
        """POST groups: the answer names no id, and the group is found by a search only later."""
        directory = self._gate.writable(request)
        body = decode(await request.body(), NewGroup)
        name = body.name.strip()
        if not name:
            raise bad_body("name must not be empty.")
        if name.casefold() in self._taken(directory):
            raise application(409, "ADMIN-409-28", "Conflict", "A group with this name already exists.")
        group = Group(
            id=new_id(self._state, f"group/{name}"), name=name, directory=directory, description=body.description
        )
        trace = Trace("group", "group_created", {"group": group.id})
        self._state.reserved[group.id] = (directory, name.casefold())

        def change() -> None:
            self._state.reserved.pop(group.id, None)
            create_group(self._state, group)

        done(self._state, request, change, trace)
        if request.scope.get("sandbox.effect") == "none":
            del self._state.reserved[group.id]
        return Response(status_code=201)

    def _taken(self, directory: str) -> set[str]:
        """Names of groups of the directory, also of those that do not show yet."""
        shown = {group.name.casefold() for group in self._state.world.groups if group.directory == directory}
        return shown | {name for home, name in self._state.reserved.values() if home == directory}

    async def delete_group(self, request: Request) -> Response:
        """DELETE groups/{id}: what it granted is lost by all its members."""
        directory = self._gate.writable(request)
        group = self._gate.group(request, directory)
        _check_modifiable(group)
        if group.default_roles:
            raise application(403, "ADMIN-403-6", "Forbidden", "A default group of an app cannot be deleted.")
        if any(ADMIN_ROLES & set(roles) for roles in group.roles.values()) or not group.deletable:
            detail = "A group that grants admin access cannot be deleted."
            raise application(403, "ADMIN-403-7", "Forbidden", detail)
        trace = Trace("group", "group_deleted", {"group": group.id})
        return done(self._state, request, lambda: delete_group(self._state, group), trace)

    def _no_seat(self) -> Refusal:
        return self._conflict("ADMIN-409-3", "License limit exceeded", "All seats are in use.")

    def _conflict(self, code: str, title: str, detail: str) -> Refusal:
        if self._state.world.options.vague_conflicts:
            return application(409, "ADMIN-409-28", "Conflict", "The request conflicts with the current state.")
        return application(409, code, title, detail)


def done(state: State, request: Request, change: Change, trace: Trace, status: int = 204) -> Response:
    """Carry out an accepted write as late as its kind is, or as a fault wants it; an empty answer."""
    state.perform(change, request.scope.get("sandbox.effect", "now"), trace)
    return Response(status_code=status)


def decode(body: bytes, into: type[T]) -> T:
    """The body of a write; raises `Refusal` where it is not one."""
    try:
        return msgspec.json.decode(body, type=into)
    except msgspec.DecodeError as error:
        raise bad_body(str(error)) from None


def _check_modifiable(group: Group) -> None:
    if group.external_synced or not group.modifiable:
        detail = "The group is synced from an identity provider; manage it there."
        raise application(403, "ADMIN-403-5", "Forbidden", detail)

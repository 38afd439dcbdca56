"""The provisioning API: groups. Their names never change, their members are SCIM ids."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.changes import create_group, delete_group
from cleanup_gitops.sandbox.late import Change
from cleanup_gitops.sandbox.newcomers import new_id
from cleanup_gitops.sandbox.records import ScimDirectory, ScimGroup
from cleanup_gitops.sandbox.scim_answers import group_view, list_page, read_filter, scim_answer, scim_error
from cleanup_gitops.sandbox.scim_bodies import Operation, operations, read_object
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import Group, User

_ONE_MEMBER = re.compile(r'^members\[\s*value\s+eq\s+"([^"]*)"\s*\]$', re.IGNORECASE)


class ScimGroups:
    """Handlers about groups of one SCIM directory."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def listed(self, request: Request, directory: ScimDirectory) -> Response:
        """GET Groups."""
        wanted = read_filter(request, ("displayName",))
        self._state.count_read()
        rows = [group for group in self._state.world.groups if group.scim and group.scim.directory == directory.id]
        if wanted is not None:
            rows = [group for group in rows if group.name == wanted[1]]
        return list_page(request, rows, lambda group: self._view(request, group))

    async def one(self, request: Request, directory: ScimDirectory) -> Response:
        """GET Groups/{id}."""
        self._state.count_read()
        return scim_answer(self._view(request, self._group(request, directory)))

    async def create(self, request: Request, directory: ScimDirectory) -> Response:
        """POST Groups: nobody but the identity provider can change what it makes."""
        body = await read_object(request)
        name = body.get("displayName")
        if not isinstance(name, str) or not name.strip():
            raise scim_error(400, "displayName is required", "invalidValue")
        members = self._members(directory, body.get("members", []))
        for group in self._state.world.groups:
            if group.name.casefold() == name.casefold() and group.directory == directory.directory:
                raise scim_error(409, "A group with this name exists", "uniqueness")
        external = body.get("externalId")
        group = Group(
            id=new_id(self._state, f"group/{name}"),
            name=name,
            directory=directory.directory,
            managed_by="external",
            external_synced=True,
            modifiable=False,
            deletable=False,
            scim=ScimGroup(
                id=new_id(self._state, f"scim-group/{name}"),
                directory=directory.id,
                external_id=external if isinstance(external, str) else None,
            ),
        )

        def change() -> None:
            create_group(self._state, group)
            for user in members:
                self._state.add_member(user, group.id)

        self._perform(request, Trace("group", "group_created", {"group": group.id}), change)
        return scim_answer(self._view(request, group), 201)

    async def replace(self, request: Request, directory: ScimDirectory) -> Response:
        """PUT Groups/{id}: exactly these members; another name is refused."""
        group = self._group(request, directory)
        body = await read_object(request)
        if body.get("displayName", group.name) != group.name:
            raise scim_error(400, "A group cannot be renamed", "mutability")
        members = self._members(directory, body.get("members", []))
        return self._set_members(request, group, members)

    async def patch(self, request: Request, directory: ScimDirectory) -> Response:
        """PATCH Groups/{id}: add, remove or replace members."""
        group = self._group(request, directory)
        members = {self._state.world.users[place].id for place in self._state.members[group.id]}
        for step in await operations(request):
            members = self._after(directory, step, members)
        wanted = [user for user in self._state.world.users if user.id in members]
        return self._set_members(request, group, wanted)

    def _after(self, directory: ScimDirectory, step: Operation, members: set[str]) -> set[str]:
        single = _ONE_MEMBER.match(step.path)
        if single and step.op == "remove":
            return members - {user.id for user in self._members(directory, [{"value": single.group(1)}])}
        value = step.value
        if not step.path and isinstance(value, dict) and value.keys() <= {"members", "displayName", "id"}:
            value = value.get("members", [])
        elif step.path.casefold() != "members":
            kind = "mutability" if step.path == "displayName" else "invalidPath"
            raise scim_error(400, f"{step.path or 'That'} cannot be changed", kind)
        if step.op == "remove" and value is None:
            return set()
        named = {user.id for user in self._members(directory, value)}
        match step.op:
            case "add":
                return members | named
            case "remove":
                return members - named
            case _:
                return named

    async def delete(self, request: Request, directory: ScimDirectory) -> Response:
        """DELETE Groups/{id}: its members lose what it granted."""
        group = self._group(request, directory)
        trace = Trace("group", "group_deleted", {"group": group.id})
        self._perform(request, trace, lambda: delete_group(self._state, group))
        return Response(status_code=204)

    def _set_members(self, request: Request, group: Group, members: list[User]) -> Response:
        wanted = {user.id for user in members}

        def change() -> None:
            if group.id not in self._state.groups:
                return
            for place in list(self._state.members[group.id]):
                user = self._state.world.users[place]
                if user.id not in wanted:
                    self._state.remove_member(user, group.id)
            for user in members:
                self._state.add_member(user, group.id)

        self._perform(request, Trace("membership", "group_members_provisioned", {"group": group.id}), change)
        return scim_answer(self._view(request, group))

    def _members(self, directory: ScimDirectory, rows: object) -> list[User]:
        """The accounts behind SCIM ids; raises `Refusal` for one that there is not."""
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise scim_error(400, "members must be a list of objects with a value", "invalidValue")
        known = {one.id: one.account for one in self._state.world.scim_users if one.directory == directory.id}
        found = []
        for row in rows:
            wanted = row.get("value")
            user = self._state.user(known.get(wanted) or "") if isinstance(wanted, str) else None
            if user is None:
                raise scim_error(404, f"Resource {wanted} not found")
            found.append(user)
        return found

    def _perform(self, request: Request, trace: Trace, change: Change) -> None:
        self._state.perform(change, request.scope.get("sandbox.effect", "now"), trace)

    def _group(self, request: Request, directory: ScimDirectory) -> Group:
        wanted = request.path_params["group"]
        for group in self._state.world.groups:
            if group.scim and group.scim.id == wanted and group.scim.directory == directory.id:
                return group
        raise scim_error(404, f"Resource {wanted} not found")

    def _view(self, request: Request, group: Group) -> dict[str, Any]:
        if group.scim is None:
            raise scim_error(404, "The group is not provisioned")
        base = f"{str(request.base_url).rstrip('/')}/scim/directory/{group.scim.directory}"
        return group_view(self._state, group, group.scim, base)

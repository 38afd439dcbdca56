"""Confluence's first REST API: groups and their members. Every write needs a site administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import confluence, json_answer
from cleanup_gitops.sandbox.changes import create_group, delete_group, has_room, new_seats
from cleanup_gitops.sandbox.confluence_answers import (
    flag,
    group_view,
    not_found,
    number,
    offset_page,
    person,
    query,
    required,
)
from cleanup_gitops.sandbox.confluence_rights import is_site_admin
from cleanup_gitops.sandbox.handlers import Table
from cleanup_gitops.sandbox.newcomers import new_id
from cleanup_gitops.sandbox.records import AuditRecord
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import Group, User, format_time

T = TypeVar("T")
MOST = 200
ACCESS = {
    "user": ("confluence", "atlassian/user"),
    "admin": ("confluence", "atlassian/admin"),
    "site-admin": ("site", "atlassian/site-admin"),
}


class NewGroup(msgspec.Struct):
    """The body that makes a group."""

    name: str


class Member(msgspec.Struct, rename="camel"):
    """The body that adds a member."""

    account_id: str


class Groups:
    """Handlers about groups."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> Table:
        """Method, path below ``/wiki/rest/api`` and handler of every endpoint."""
        return [
            ("GET", "group", self.groups),
            ("POST", "group", self.create),
            ("GET", "group/by-id", self.group),
            ("DELETE", "group/by-id", self.delete),
            ("GET", "group/picker", self.pick),
            ("GET", "group/{group}/membersByGroupId", self.members),
            ("POST", "group/userByGroupId", self.add),
            ("DELETE", "group/userByGroupId", self.remove),
        ]

    async def groups(self, request: Request) -> Response:
        """GET group: those of every site of the organization, by name."""
        asked = query(request, "start", "limit", "accessType")
        wanted = asked.get("accessType")
        if wanted not in (None, *ACCESS):
            raise confluence(400, f"accessType must be one of {', '.join(ACCESS)}")
        start, limit = number(asked, "start", 0), min(number(asked, "limit", MOST), MOST)
        self._state.count_read()
        found = self._visible()
        if wanted is not None:
            resource, role = ACCESS[wanted]
            found = [group for group in found if role in group.roles.get(resource, ())]
        return offset_page(request, found, group_view, start=start, limit=limit)

    async def pick(self, request: Request) -> Response:
        """GET group/picker: groups with the text in their name."""
        asked = query(request, "query", "start", "limit", "shouldReturnTotalSize")
        text = required(asked, "query").casefold()
        start, limit = number(asked, "start", 0), min(number(asked, "limit", MOST), MOST)
        self._state.count_read()
        found = [group for group in self._visible() if text in group.name.casefold()]
        more = [("totalSize", len(found))] if flag(asked, "shouldReturnTotalSize") else []
        return offset_page(request, found, group_view, start=start, limit=limit, more=more)

    async def group(self, request: Request) -> Response:
        """GET group/by-id."""
        found = self._group(required(query(request, "id"), "id"))
        self._state.count_read()
        return json_answer(group_view(found))

    async def members(self, request: Request) -> Response:
        """GET membersByGroupId: who is suspended or deactivated is missing, and nothing says so."""
        asked = query(request, "start", "limit", "shouldReturnTotalSize", "expand")
        group = self._group(request.path_params["group"])
        start, limit = number(asked, "start", 0), number(asked, "limit", MOST)
        if limit > MOST:
            raise confluence(400, f"limit must not be more than {MOST}")
        self._state.count_read()
        state, users = self._state, self._state.world.users
        found = [users[place] for place in state.members[group.id] if state.status(users[place]) == "active"]
        more = [("totalSize", len(found))] if flag(asked, "shouldReturnTotalSize") else []
        return offset_page(request, found, lambda user: person(state, user), start=start, limit=limit, more=more)

    async def create(self, request: Request) -> Response:
        """POST group: unlike the organization's API this one says what it made, at once."""
        self._check_admin()
        name = (await _body(request, NewGroup)).name.strip()
        if not name:
            raise confluence(400, "name is required")
        directory = next(item.id for item in self._state.world.directories if item.manageable)
        taken = {group.name.casefold() for group in self._state.world.groups}
        if name.casefold() in taken | {waiting for _, waiting in self._state.reserved.values()}:
            raise confluence(400, f"A group named {name} exists already")
        group = Group(id=new_id(self._state, f"group/{name}"), name=name, directory=directory)
        self._record("Group created", group)
        trace = Trace("group", "group_created", {"group": group.id})
        self._perform(request, trace, lambda: create_group(self._state, group))
        return json_answer(group_view(group), 201)

    async def delete(self, request: Request) -> Response:
        """DELETE group/by-id."""
        self._check_admin()
        group = self._group(required(query(request, "id"), "id"))
        self._check_modifiable(group)
        if not group.deletable:
            raise confluence(403, "This group cannot be deleted")
        self._record("Group deleted", group)
        trace = Trace("group", "group_deleted", {"group": group.id})
        self._perform(request, trace, lambda: delete_group(self._state, group))
        return Response(status_code=204)

    async def add(self, request: Request) -> Response:
        """POST userByGroupId: 201 also for somebody who is a member already."""
        self._check_admin()
        group = self._group(required(query(request, "groupId"), "groupId"))
        user = self._user((await _body(request, Member)).account_id)
        self._check_modifiable(group)
        for name, roles in ({} if group.id in user.groups else group.roles).items():
            if not has_room(self._state, name, new_seats(self._state, [user], name, roles)):
                raise confluence(400, "The user limit of the licence is reached")
        self._record("User added to group", group, user)
        trace = Trace("membership", "user_added_to_group", {"user": user.id, "group": group.id})
        self._perform(request, trace, lambda: self._state.add_member(user, group.id))
        return Response(status_code=201)

    async def remove(self, request: Request) -> Response:
        """DELETE userByGroupId: 204 also for somebody who is no member."""
        self._check_admin()
        asked = query(request, "groupId", "accountId")
        group = self._group(required(asked, "groupId"))
        user = self._user(required(asked, "accountId"))
        self._check_modifiable(group)
        self._record("User removed from group", group, user)
        trace = Trace("membership", "user_removed_from_group", {"user": user.id, "group": group.id})
        self._perform(request, trace, lambda: self._state.remove_member(user, group.id))
        return Response(status_code=204)

    def _perform(self, request: Request, trace: Trace, change: Callable[[], None]) -> None:
        self._state.perform(change, request.scope.get("sandbox.effect", "now"), trace)

    def _record(self, summary: str, group: Group, user: User | None = None) -> None:
        self._state.world.audit.append(
            AuditRecord(
                at=format_time(self._state.now()),
                author=self._state.world.credentials.runner_account,
                summary=summary,
                category="Users and groups",
                object_name=group.name,
                object_type="Group",
                associated={} if user is None else {user.name: "User"},
                remote="192.0.2.10",
            )
        )

    def _visible(self) -> list[Group]:
        found = [group for group in self._state.world.groups if group.directory in self._state.visible]
        return sorted(found, key=lambda group: group.name)

    def _check_admin(self) -> None:
        if not is_site_admin(self._state):
            raise confluence(403, "Only a site administrator can do this")

    def _group(self, group_id: str) -> Group:
        group = self._state.groups.get(group_id)
        if group is None or group.directory not in self._state.visible:
            raise not_found("group")
        return group

    def _user(self, account: str) -> User:
        user = self._state.user(account)
        if user is None or user.account == "closed":
            raise not_found("user")
        return user

    def _check_modifiable(self, group: Group) -> None:
        if group.external_synced or not group.modifiable:
            raise confluence(403, "The group is managed in an identity provider")


async def _body(request: Request, into: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=into)
    except msgspec.DecodeError as error:
        raise confluence(400, f"The body cannot be read: {error}") from None

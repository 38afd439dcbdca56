"""The provisioning API: people. Ids are those of this API, not account ids."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.changes import create_user
from cleanup_gitops.sandbox.late import Change
from cleanup_gitops.sandbox.lifecycle import activate, deactivate
from cleanup_gitops.sandbox.newcomers import admit, by_address, is_claimed, new_id, newcomer
from cleanup_gitops.sandbox.records import ScimDirectory, ScimUser
from cleanup_gitops.sandbox.scim_answers import (
    list_page,
    read_filter,
    scim_answer,
    scim_error,
    selection,
    user_view,
)
from cleanup_gitops.sandbox.scim_bodies import (
    ATTRIBUTES,
    READ_ONLY,
    check_attribute,
    operations,
    primary_address,
    read_object,
)
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import User, format_time


class ScimUsers:
    """Handlers about people of one SCIM directory."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def listed(self, request: Request, directory: ScimDirectory) -> Response:
        """GET Users."""
        wanted = read_filter(request, ("userName", "externalId"))
        keep = selection(request)
        self._state.count_read()
        rows = [one for one in self._state.world.scim_users if one.directory == directory.id]
        if wanted is not None and wanted[0] == "userName":
            rows = [one for one in rows if one.user_name.casefold() == wanted[1].casefold()]
        elif wanted is not None:
            rows = [one for one in rows if one.external_id == wanted[1]]
        return list_page(request, rows, lambda one: keep(self._view(request, one)))

    async def one(self, request: Request, directory: ScimDirectory) -> Response:
        """GET Users/{id}."""
        keep = selection(request)
        self._state.count_read()
        return scim_answer(keep(self._view(request, self._record(request, directory))))

    async def create(self, request: Request, directory: ScimDirectory) -> Response:
        """POST Users: links an account that has the address, or makes one; the domain must be claimed."""
        body = await read_object(request)
        keep = selection(request)
        self._check(body)
        email = primary_address(body)
        if not is_claimed(self._state, email):
            raise scim_error(400, "The domain of the address is not verified", "invalidValue")
        self._check_free(directory, body["userName"], None)
        user = by_address(self._state, email) or newcomer(self._state, email, "synced")
        now = format_time(self._state.now())
        record = ScimUser(
            id=new_id(self._state, f"scim/{body['userName']}"),
            directory=directory.id,
            user_name=body["userName"],
            created=now,
            modified=now,
            account=user.id,
            external_id=body.get("externalId"),
            active=body.get("active", True),
            profile={name: body[name] for name in ATTRIBUTES if name in body},
        )

        def change() -> None:
            if self._state.user(user.id) is None:
                create_user(self._state, user)
            self._state.world.scim_users.append(record)
            user.source = "synced"
            admit(self._state, user, directory.directory)
            self._apply(record, user, {"active": True} | body)

        self._perform(request, user, "user_provisioned", change)
        return scim_answer(keep(self._view(request, record)), 201)

    async def replace(self, request: Request, directory: ScimDirectory) -> Response:
        """PUT Users/{id}: what is not sent is forgotten; without ``active`` that stays."""
        record = self._record(request, directory)
        body = await read_object(request)
        keep = selection(request)
        self._check(body)
        primary_address(body)
        self._check_free(directory, body["userName"], record)

        def change() -> None:
            record.profile, record.external_id = {}, None
            self._apply(record, self._account(record), body)

        self._perform(request, self._account(record), "user_provisioned", change)
        return scim_answer(keep(self._view(request, record)))

    async def patch(self, request: Request, directory: ScimDirectory) -> Response:
        """PATCH Users/{id}: ``active`` false deactivates a managed account, true activates it."""
        record = self._record(request, directory)
        keep = selection(request)
        wanted: dict[str, Any] = {}
        for step in await operations(request):
            if step.op == "remove":
                if step.path not in (*ATTRIBUTES, "externalId"):
                    raise scim_error(400, f"{step.path or 'nothing'} cannot be removed", "noTarget")
                wanted[step.path] = None
            elif step.path:
                wanted[step.path] = step.value
            elif isinstance(step.value, dict):
                wanted |= step.value
            else:
                raise scim_error(400, "Without a path the value must be an object", "invalidValue")
        for name, value in wanted.items():
            if name in READ_ONLY:
                raise scim_error(400, f"{name} is read-only", "mutability")
            if value is not None or name in ("active", "userName"):
                check_attribute(name, value)
        if "userName" in wanted:
            self._check_free(directory, wanted["userName"], record)
        account = self._account(record)
        self._perform(request, account, "user_provisioned", lambda: self._apply(record, account, wanted))
        return scim_answer(keep(self._view(request, record)))

    async def delete(self, request: Request, directory: ScimDirectory) -> Response:
        """DELETE Users/{id}: unlinked, and deactivated if managed. The record is gone for good."""
        record = self._record(request, directory)
        account = self._account(record)

        def change() -> None:
            forget(self._state, record)
            if account is not None and account.managed:
                deactivate(self._state, account)

        self._perform(request, account, "user_deprovisioned", change)
        return Response(status_code=204)

    def _apply(self, record: ScimUser, account: User | None, values: dict[str, Any]) -> None:
        record.modified = format_time(self._state.now())
        record.user_name = values.get("userName", record.user_name)
        record.external_id = values.get("externalId", record.external_id)
        for name in ATTRIBUTES:
            if values.get(name) is not None:
                record.profile[name] = values[name]
            elif name in values:
                record.profile.pop(name, None)
        if account is not None:
            account.name = record.profile.get("displayName", account.name)
            account.job_title = record.profile.get("title", account.job_title)
            account.department = record.profile.get("department", account.department)
        if "active" in values:
            record.active = values["active"]
            if account is not None and account.managed:
                if record.active:
                    activate(account)
                else:
                    deactivate(self._state, account)

    def _perform(self, request: Request, account: User | None, action: str, change: Change) -> None:
        trace = Trace("status", action, {} if account is None else {"user": account.id})
        self._state.perform(change, request.scope.get("sandbox.effect", "now"), trace)

    def _check(self, body: dict[str, Any]) -> None:
        if "userName" not in body:
            raise scim_error(400, "userName is required", "invalidValue")
        for name, value in body.items():
            check_attribute(name, value)

    def _check_free(self, directory: ScimDirectory, name: str, mine: ScimUser | None) -> None:
        for record in self._state.world.scim_users:
            if record is not mine and record.directory == directory.id and same(record.user_name, name):
                raise scim_error(409 if mine is None else 400, "There is a user with this userName", "uniqueness")

    def _record(self, request: Request, directory: ScimDirectory) -> ScimUser:
        wanted = request.path_params["user"]
        for record in self._state.world.scim_users:
            if record.id == wanted and record.directory == directory.id:
                return record
        raise scim_error(404, f"Resource {wanted} not found")

    def _account(self, record: ScimUser) -> User | None:
        return None if record.account is None else self._state.user(record.account)

    def _view(self, request: Request, record: ScimUser) -> dict[str, Any]:
        base = f"{str(request.base_url).rstrip('/')}/scim/directory/{record.directory}"
        return user_view(self._state, record, base)


def forget(state: State, record: ScimUser) -> None:
    """The record is gone; an account that no other record is about is managed by hand again."""
    if record in state.world.scim_users:
        state.world.scim_users.remove(record)
    release(state, record.account)


def release(state: State, account: str | None) -> None:
    """An account that no record is about is managed by hand again."""
    user = None if account is None else state.user(account)
    if user is not None and all(other.account != user.id for other in state.world.scim_users):
        user.source = "invited"


def same(one: str, other: str) -> bool:
    """User names are the same whatever the case of their letters."""
    return one.casefold() == other.casefold()

"""What others do to a user, as a test or a demo has it happen."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, json_answer
from cleanup_gitops.sandbox.lifecycle import close
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import Group, User, format_time, parse_time

T = TypeVar("T")


class Outside(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody else did to a user, all of it optional.

    `status` is a composite status, or ``closed``: gone for good; `add_groups`, `remove_groups` and
    `groups` (exactly these) take names or ids; `roles` are direct roles by resource name; `activity` maps resource
    names to an instant (or ``now``), None forgets it; it shows after `lag_hours`, else after the world's lag.
    """

    status: Literal["active", "suspended", "not_invited", "deactivated", "for_deletion", "closed"] | None = None
    groups: list[str] | None = None
    add_groups: list[str] = []
    remove_groups: list[str] = []
    roles: dict[str, list[str]] | None = None
    platform_roles: list[str] | None = None
    activity: dict[str, str | None] = {}
    lag_hours: float | None = None
    name: str | None = None
    email: str | None = None
    source: Literal["invited", "synced"] | None = None
    managed: bool | None = None
    email_verified: bool | None = None


class Others:
    """Handlers for changes that no request of a client makes."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def change_user(self, request: Request) -> Response:
        """POST users/{id}."""
        user = self._state.user(request.path_params["user"])
        if user is None:
            raise bad("no such user", 404)
        change = decode(await request.body(), Outside)
        groups = {
            name: self._group(name) for name in [*(change.groups or []), *change.add_groups, *change.remove_groups]
        }
        resources = {*change.activity, *(change.roles or {})}
        if not resources <= self._state.resources.keys():
            raise bad(f"resources are {', '.join(self._state.resources)}")
        instants = {
            name: None if at is None else format_time(self._state.now() if at == "now" else instant(at))
            for name, at in change.activity.items()
        }
        self._apply(user, change, groups, instants)
        self._state.save()
        return json_answer(user)

    def _apply(self, user: User, change: Outside, groups: dict[str, Group], instants: dict[str, str | None]) -> None:
        state = self._state
        left = [groups[name].id for name in change.remove_groups]
        for group_id in left if change.groups is None else [*left, *user.groups]:
            state.remove_member(user, group_id)
        for name in [*(change.groups or []), *change.add_groups]:
            state.add_member(user, groups[name].id)
        if change.roles is not None:
            state.set_roles(user, change.roles)
        lag = state.world.options.activity_lag_hours if change.lag_hours is None else change.lag_hours
        for name, at in instants.items():
            if at is None:
                user.activity.pop(name, None)
            else:
                state.record_activity(user, name, at, lag)
        if change.status is not None:
            self._set_status(user, change.status)
        for name in ("name", "email", "source", "platform_roles", "managed", "email_verified"):
            value = getattr(change, name)
            if value is not None:
                setattr(user, name, value)

    def _set_status(self, user: User, status: str) -> None:
        user.for_deletion = status == "for_deletion"
        user.account = "inactive" if status in ("deactivated", "for_deletion") else "active"
        user.deactivated_on = format_time(self._state.now()) if user.account == "inactive" else None
        if status == "closed":
            close(self._state, user)
        elif status in ("active", "suspended"):
            first = [self._state.world.directories[0].id]
            user.directories = dict.fromkeys(user.directories or first, status)
        elif status == "not_invited":
            user.directories = {}

    def _group(self, wanted: str) -> Group:
        for group in self._state.world.groups:
            if wanted in (group.id, group.name):
                return group
        raise bad(f"no such group: {wanted}", 404)


def decode(body: bytes, into: type[T]) -> T:
    """The body of a request to the control endpoint; raises `Refusal`."""
    try:
        return msgspec.json.decode(body, type=into)
    except msgspec.DecodeError as error:
        raise bad(str(error)) from None


def instant(text: str) -> datetime:
    """An instant that somebody gave; raises `Refusal`."""
    try:
        return parse_time(text)
    except msgspec.ValidationError:
        raise bad(f"not an ISO 8601 instant: {text}") from None


def bad(message: str, status: int = 400) -> Refusal:
    """What fate cannot do, and why."""
    return Refusal(json_answer({"error": message}, status))

"""Inviting people to the organization."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import json_answer
from cleanup_gitops.sandbox.changes import create_user, give_role, has_room, new_seats
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.newcomers import admit, by_address, newcomer
from cleanup_gitops.sandbox.profile import address_problem
from cleanup_gitops.sandbox.roles import fits, role_refusal
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import Group, User

InvitedRole = Literal[
    "atlassian/user",
    "atlassian/admin",
    "atlassian/guest",
    "atlassian/contributor",
    "atlassian/customer",
    "atlassian/basic",
    "atlassian/stakeholder",
    "atlassian/viewer",
]
INVALID = "The e-mail address is not valid."


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``permissionRules``: a role on a resource (an ARI)."""

    resource: str
    role: InvitedRole


class Invitation(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The body of an invitation."""

    emails: Annotated[list[str], Meta(min_length=1, max_length=25)]
    permission_rules: list[Rule] = []
    additional_groups: list[str] = []
    send_notification: bool = False
    notification_text: str = ""


class Invitations:
    """The handler that invites, over one state."""

    def __init__(self, state: State, gate: Gate) -> None:
        self._state = state
        self._gate = gate

    async def invite(self, request: Request) -> Response:
        """POST users/invite: 206 where a part of it failed, and then each item says which."""
        if not self._state.world.options.paid:
            raise role_refusal(402, 1, "Payment required", "There is no paid subscription.")
        try:
            body = msgspec.json.decode(await request.body(), type=Invitation)
        except msgspec.DecodeError as error:
            raise role_refusal(400, 1, "Bad request", str(error)) from None
        rules = [(self._resource(rule), str(rule.role)) for rule in body.permission_rules]
        groups = [self._group(group_id) for group_id in body.additional_groups]
        people = [by_address(self._state, email) or newcomer(self._state, email, "invited") for email in body.emails]
        self._check_seats([user for user in people if _problem(user) is None], rules, groups)
        rows = [self._invite(request, user, rules, groups, body) for user in people]
        failed = any(map(_problem, people)) or not all(map(_open, groups))
        return json_answer({"data": rows}, 206 if failed else 200)

    def _resource(self, rule: Rule) -> str:
        name = self._state.names_by_ari.get(rule.resource)
        if name is None:
            raise role_refusal(404, 1, "Unknown resource", "No such resource.")
        if not fits(rule.role, self._state.resources[name]):
            raise role_refusal(400, 3, "Invalid role for resource", "The resource knows no such role.")
        return name

    def _group(self, group_id: str) -> Group:
        group = self._state.groups.get(group_id)
        if group is None or group.directory not in self._state.visible:
            raise role_refusal(404, 3, "Group not found", "No such group.")
        return group

    def _check_seats(self, people: list[User], rules: list[tuple[str, str]], groups: list[Group]) -> None:
        """Refuses the whole invitation when there are not enough seats for everybody in it."""
        wanted: dict[str, list[str]] = {}
        for name, role in rules:
            wanted.setdefault(name, []).append(role)
        for group in groups:
            for name, roles in group.roles.items():
                wanted.setdefault(name, []).extend(roles)
        for name, roles in wanted.items():
            listed = [user for user in people if user.directories]
            strangers = len(people) - len(listed) if {"atlassian/user", "atlassian/admin"} & set(roles) else 0
            if not has_room(self._state, name, new_seats(self._state, listed, name, roles) + strangers):
                raise role_refusal(409, 3, "Product license limit exceeded", "There are not enough free seats.")

    def _invite(
        self, request: Request, user: User, rules: list[tuple[str, str]], groups: list[Group], body: Invitation
    ) -> dict[str, object]:
        problem = _problem(user)
        joined = list(filter(_open, groups))
        if problem is None:
            effect = request.scope.get("sandbox.effect", "now")
            trace = Trace("invite", "user_invited_to_organization", {"user": user.id})
            self._state.perform(lambda: self._join(user, rules, joined), effect, trace)
            if body.send_notification:
                self._state.mails.append(user.id)
        synced = "The group is synced from an identity provider."
        result = {
            "roleAssignmentResult": [
                {"resource": self._state.resources[name].id, "role": role, **_status(problem)} for name, role in rules
            ],
            "groupAssignmentResult": [
                {"group": group.id, **_status(problem or (None if group in joined else synced))} for group in groups
            ],
        }
        shown: dict[str, object] = {"email": user.email, "results": [result]}
        return shown if problem == INVALID else {"id": user.id, **shown}

    def _join(self, user: User, rules: list[tuple[str, str]], groups: list[Group]) -> None:
        state = self._state
        known = state.user(user.id)
        if known is None:
            create_user(state, user)
        user = known or user
        first = next((item.id for item in state.world.directories if item.manageable), "")
        for name in sorted({group.directory for group in groups} or {first}):
            admit(state, user, name)
        for group in groups:
            state.add_member(user, group.id)
        for name, role in rules:
            default = next((item for item in state.world.groups if item.default_roles.get(name) == role), None)
            if default is not None and default.directory in user.directories:
                state.add_member(user, default.id)
            else:
                give_role(state, user, name, role)


def _problem(user: User) -> str | None:
    if address_problem(user.email):
        return INVALID
    return None if user.account == "active" else "The account is not active."


def _open(group: Group) -> bool:
    return group.modifiable and not group.external_synced


def _status(problem: str | None) -> dict[str, str | None]:
    return {"status": "INVITED" if problem is None else "ERROR", "statusReason": problem}

"""Confluence's second REST API: users by id, and access by address."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, json_answer
from cleanup_gitops.sandbox.changes import create_user
from cleanup_gitops.sandbox.confluence_answers import display_name, is_guest
from cleanup_gitops.sandbox.handlers import Table
from cleanup_gitops.sandbox.newcomers import admit, by_address, newcomer
from cleanup_gitops.sandbox.profile import address_problem
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import User

T = TypeVar("T")
CODES = {400: "BAD_REQUEST", 403: "FORBIDDEN", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 429: "TOO_MANY_REQUESTS"}


class Accounts(msgspec.Struct, rename="camel"):
    """The body that asks for users by id."""

    account_ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=250)]


class Addresses(msgspec.Struct):
    """The body that asks about addresses."""

    emails: Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]


def second(status: int, title: str) -> Refusal:
    """An error of this API."""
    error = {"status": status, "code": CODES[status], "title": title, "detail": None}
    return Refusal(json_answer({"errors": [error]}, status))


class Second:
    """Handlers of the second API."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> Table:
        """Method, path below ``/wiki/api/v2`` and handler of every endpoint."""
        return [
            ("POST", "users-bulk", self.users),
            ("POST", "user/access/check-access-by-email", self.check_access),
            ("POST", "user/access/invite-by-email", self.invite),
        ]

    async def users(self, request: Request) -> Response:
        """POST users-bulk: this API knows the status of accounts; unknown ids are just left out."""
        wanted = dict.fromkeys((await _body(request, Accounts)).account_ids)
        self._state.count_read()
        found = [user for user in map(self._state.user, wanted) if user is not None]
        base = str(request.base_url).rstrip("/") + "/wiki"
        body = {"results": [self._person(user) for user in found], "_links": {"base": base}}
        return json_answer(body, headers={"Link": f'<{base}>; rel="base"'})

    def _person(self, user: User) -> dict[str, object]:
        shown: dict[str, object] = {
            "accountId": user.id,
            "accountType": user.type,
            "accountStatus": user.account,
            "email": "" if user.email_hidden else user.email or "",
            "publicName": user.nickname,
            "displayName": display_name(user),
            "isExternalCollaborator": is_guest(self._state, user),
            "profilePicture": {"path": "/wiki/aa-avatar/default", "isDefault": True},
        }
        return shown | ({"timeZone": user.time_zone} if user.time_zone else {})

    async def check_access(self, request: Request) -> Response:
        """POST check-access-by-email: whose addresses lack access to the site."""
        wanted = (await _body(request, Addresses)).emails
        self._state.count_read()
        invalid = [email for email in wanted if address_problem(email)]
        without = [email for email in wanted if email not in invalid and not self._has_access(email)]
        return json_answer({"emailsWithoutAccess": without, "invalidEmails": invalid})

    async def invite(self, request: Request) -> Response:
        """POST invite-by-email: nothing for invalid addresses and for those with access, no word about it."""
        for email in dict.fromkeys((await _body(request, Addresses)).emails):
            if not address_problem(email) and not self._has_access(email):
                self._invite(request, email)
        return Response(status_code=200)

    def _invite(self, request: Request, email: str) -> None:
        state = self._state
        user = by_address(state, email) or newcomer(state, email, "invited")

        def change() -> None:
            if state.user(user.id) is None:
                create_user(state, user)
            admit(state, user, next(item.id for item in state.world.directories if item.manageable))
            for group in state.world.groups:
                if "confluence" in group.default_roles and group.directory in user.directories:
                    state.add_member(user, group.id)

        trace = Trace("invite", "user_invited_to_organization", {"user": user.id})
        state.perform(change, request.scope.get("sandbox.effect", "now"), trace)

    def _has_access(self, email: str) -> bool:
        user = by_address(self._state, email)
        return user is not None and self._state.status(user) == "active" and "confluence" in self._state.roles(user)


async def _body(request: Request, into: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=into)
    except msgspec.DecodeError as error:
        raise second(400, f"Invalid request: {error}") from None

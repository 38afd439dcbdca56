"""User management below ``/users/{account}/manage``: managed accounts, with a key without scopes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox import profile
from cleanup_gitops.sandbox.access import check_key, check_limits
from cleanup_gitops.sandbox.answers import Refusal, gateway, json_answer
from cleanup_gitops.sandbox.handlers import Handler
from cleanup_gitops.sandbox.lifecycle import Lifecycle
from cleanup_gitops.sandbox.manageable import rule, rules
from cleanup_gitops.sandbox.newcomers import is_claimed
from cleanup_gitops.sandbox.options import Lag
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import User

UserHandler = Callable[[Request, User], Awaitable[Response]]
SCOPE = "manage:org"


def refused(status: int, key: str, context: object = None) -> Refusal:
    """An error of this API: its name in `key`."""
    return Refusal(json_answer({"key": key} if context is None else {"key": key, "context": context}, status))


class UserManagement:
    """Endpoints of the User management API over one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lifecycle = Lifecycle(state)

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        base, turn = "/users/{account}/manage", self._lifecycle
        table: list[tuple[str, str, UserHandler]] = [
            ("GET", base, self.privileges),
            ("GET", f"{base}/profile", self.profile),
            ("PATCH", f"{base}/profile", self.change_profile),
            ("PUT", f"{base}/email", self.set_email),
            ("POST", f"{base}/lifecycle/disable", self._turning("lifecycle.enablement", turn.disable)),
            ("POST", f"{base}/lifecycle/enable", self._turning("lifecycle.enablement", turn.enable)),
            ("POST", f"{base}/lifecycle/delete", self._turning("lifecycle.delete", turn.delete)),
            ("POST", f"{base}/lifecycle/cancel-delete", self._turning("lifecycle.delete", turn.cancel_delete)),
            ("GET", f"{base}/api-tokens", self.tokens),
            ("DELETE", f"{base}/api-tokens/{{token}}", self.delete_token),
        ]
        found = [Route(path, self._guarded(to), methods=[method]) for method, path, to in table]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*found, Route("/users/{rest:path}", self._unguarded, methods=every)]

    def _guarded(self, handler: UserHandler) -> Handler:
        """`handler`, asked only for an account that this key may manage."""

        async def endpoint(request: Request) -> Response:
            try:
                self._check_key(request)
                headers = check_limits(self._state, request)
                response = await handler(request, self._target(request))
            except Refusal as refusal:
                return refusal.response
            response.headers.update(headers)
            return response

        return endpoint

    async def _unguarded(self, request: Request) -> Response:
        try:
            self._check_key(request)
        except Refusal as refusal:
            return refusal.response
        return refused(404, "notFound").response

    def _check_key(self, request: Request) -> None:
        try:
            check_key(self._state, request)
        except Refusal:
            raise refused(401, "unauthorized") from None
        if self._state.world.credentials.org_api_key_scopes:
            raise gateway(403, f"Forbidden; the key lacks the scope {SCOPE}")

    def _target(self, request: Request) -> User:
        user = self._state.user(request.path_params["account"])
        if user is None or user.account == "closed":
            raise refused(404, "accountNotFound")
        if not user.managed:
            raise refused(403, "forbidden")
        if not user.email_verified:
            raise refused(403, "forbidden.targetUnverified")
        return user

    def _check(self, user: User, privilege: str) -> None:
        told = rule(self._state, user, privilege)
        if not told["allowed"]:
            raise refused(403, "forbidden.action", told)

    async def privileges(self, request: Request, user: User) -> Response:
        """GET manage: what may be done with the account."""
        self._state.count_read()
        return json_answer(rules(self._state, user, request.query_params.getlist("privileges")))

    async def profile(self, request: Request, user: User) -> Response:  # noqa: ARG002 - a handler's signature
        """GET profile."""
        self._state.count_read()
        self._check(user, "profile.read")
        return json_answer({"account": profile.shown(user)})

    async def change_profile(self, request: Request, user: User) -> Response:
        """PATCH profile: all of the changes, or none."""
        changes = profile.changes(await _body(request))
        restricted = profile.restricted(self._state, user, changes)
        if restricted:
            raise refused(403, "forbidden.fieldMutation", restricted)
        violations = profile.violations(changes)
        if violations:
            raise refused(400, "fieldConstraintsViolated", {"fieldViolations": violations})
        self._state.perform(lambda: profile.apply(user, changes), request.scope.get("sandbox.effect", "now"))
        return json_answer({"account": profile.shown(user)})

    async def set_email(self, request: Request, user: User) -> Response:
        """PUT email: the domain must be claimed and the address free."""
        self._check(user, "email.set")
        email = (await _body(request)).get("email")
        problem = profile.address_problem(email)
        if problem is None and any(
            other.id != user.id and (other.email or "").casefold() == str(email).casefold()
            for other in self._state.world.users
        ):
            problem = "unique"
        if problem is not None:
            violation = {"field": "email", "violations": [{"key": problem}]}
            raise refused(400, "fieldConstraintsViolated", {"fieldViolations": [violation]})
        if not is_claimed(self._state, str(email)):
            raise refused(403, "forbidden.unclaimedDomain", {"domain": str(email).rpartition("@")[2].casefold()})

        def change() -> None:
            user.email = str(email)

        self._state.perform(change, request.scope.get("sandbox.effect", "now"))
        return Response(status_code=204)

    def _turning(self, privilege: str, turn: Callable[[User, str | Lag], Response]) -> UserHandler:
        """A handler that turns the account into another state, if nothing stands against it.

        The published file has no answer for a body that cannot be read here, so a body changes nothing.
        """

        async def handler(request: Request, user: User) -> Response:
            self._check(user, privilege)
            return turn(user, request.scope.get("sandbox.effect", "now"))

        return handler

    async def tokens(self, request: Request, user: User) -> Response:  # noqa: ARG002 - a handler's signature
        """GET api-tokens: a bare list, without pages."""
        self._state.count_read()
        self._check(user, "apiToken.read")
        rows = []
        for token in user.tokens:
            row = {"id": token.id, "label": token.label, "createdAt": token.created}
            row |= {"lastAccess": token.last_used} if token.last_used else {}
            row |= {"expiry": token.expires} if token.expires else {}
            rows.append(row)
        return json_answer(rows)

    async def delete_token(self, request: Request, user: User) -> Response:
        """DELETE api-tokens/{id}."""
        self._check(user, "apiToken.delete")
        wanted = request.path_params["token"]
        if all(token.id != wanted for token in user.tokens):
            raise refused(404, "notFound")

        def change() -> None:
            user.tokens = [token for token in user.tokens if token.id != wanted]

        self._state.perform(change, request.scope.get("sandbox.effect", "now"))
        return Response(status_code=204)


async def _body(request: Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except msgspec.DecodeError:
        raise refused(400, "bodyParseFailure") from None

"""API access below ``/admin/api-access``: the API tokens of all managed accounts at once."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.answers import application, bad_body, json_answer
from cleanup_gitops.sandbox.cursors import pack, unpack
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.records import Token
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import User

PAGE = 100


class Tokens:
    """Endpoints of the API Access API over one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._gate = Gate(state)

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        path = "/admin/api-access/v1/orgs/{org}/api-tokens"
        guarded = self._gate.guarded
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route(path, guarded(self.tokens), methods=["GET"]),
            Route(path, guarded(self.revoke_all), methods=["DELETE"]),
            Route(f"{path}/count", guarded(self.count), methods=["GET"]),
            Route("/admin/api-access/{rest:path}", guarded(self.unknown), methods=every),
        ]

    async def tokens(self, request: Request) -> Response:
        """GET api-tokens: of managed accounts, those of unmanaged ones are nobody's business."""
        self._check_scope("read:tokens:admin")
        for name in request.query_params:
            if name not in ("cursor", "q", "status"):
                raise bad_body(f"unknown parameter {name}")
        self._state.count_read()
        token = request.query_params.get("cursor")
        after, wanted, status = (
            (-1, request.query_params.get("q", ""), request.query_params.get("status", ""))
            if token is None
            else unpack(token, tuple[int, str, str])
        )
        rows = [
            (rank, row)
            for rank, row in enumerate(self._rows())
            if rank > after and wanted.casefold() in str(row["user"]).casefold() and status in ("", row["status"])
        ]
        here = str(request.url.replace(query=""))
        links = {"self": str(request.url)}
        if len(rows) > PAGE:
            links["next"] = f"{here}?cursor={pack((rows[PAGE - 1][0], wanted, status))}"
        return json_answer({"data": [row for _, row in rows[:PAGE]], "links": links})

    async def count(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        """GET api-tokens/count."""
        self._check_scope("read:tokens:admin")
        self._state.count_read()
        return json_answer({"count": sum(1 for _ in self._held())})

    async def revoke_all(self, request: Request) -> Response:
        """DELETE api-tokens: really every token of every managed account, without any further question."""
        self._check_scope("delete:tokens:admin")

        def change() -> None:
            for user in self._state.world.users:
                if user.managed:
                    user.tokens = []

        self._state.perform(change, request.scope.get("sandbox.effect", "now"))
        return Response(status_code=204)

    async def unknown(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        """Everything else."""
        raise application(404, "ADMIN-404-1", "Unknown resource", "No such endpoint.")

    def _check_scope(self, scope: str) -> None:
        scopes = self._state.world.credentials.org_api_key_scopes
        if scopes and scope not in scopes:
            raise application(403, "ADMIN-403-3", "Forbidden", f"The key lacks the scope {scope}.")

    def _held(self) -> Iterator[tuple[User, Token]]:
        for user in self._state.world.users:
            if user.managed:
                for token in user.tokens:
                    yield user, token

    def _rows(self) -> Iterator[dict[str, object]]:
        org = self._state.world.organization.id
        for user, token in self._held():
            row: dict[str, object] = {
                "id": token.id,
                "label": token.label,
                "status": "ALLOWED",
                "createdAt": token.created,
                "user": {"id": user.id, "orgId": org, "name": user.name, "email": user.email or ""},
                "scopes": [],
            }
            row |= {"expiresAt": token.expires} if token.expires else {}
            row |= {"lastActiveAt": token.last_used} if token.last_used else {}
            yield row

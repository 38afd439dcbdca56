"""Helpers of provisioning below ``/admin/user-provisioning``: which accounts an identity provider manages."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.answers import application, bad_body, json_answer, unknown_user
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.newcomers import by_address
from cleanup_gitops.sandbox.records import ScimUser
from cleanup_gitops.sandbox.scim_users import forget, release, same
from cleanup_gitops.sandbox.state import State, Trace
from cleanup_gitops.sandbox.world import User


class ScimLinks:
    """Endpoints that need the organization's key, not that of a directory."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._gate = Gate(state)

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        base = "/admin/user-provisioning/v1/org/{org}"
        guarded = self._gate.guarded
        unlink = f"{base}/scimDirectoryId/{{scim}}/scimUserId/{{record}}/unlink"
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route(f"{base}/user/{{account}}/get-scim-links", guarded(self.links), methods=["GET"]),
            Route(f"{base}/get-scim-links-for-email", guarded(self.links_for_email), methods=["POST"]),
            Route(unlink, guarded(self.unlink), methods=["PATCH"]),
            Route(f"{base}/user/{{account}}/onlyDeleteUserInDB", guarded(self.delete), methods=["DELETE"]),
            Route("/admin/user-provisioning/{rest:path}", guarded(self.unknown), methods=every),
        ]

    async def links(self, request: Request) -> Response:
        """GET get-scim-links: none for an account that nobody provisions."""
        user = self._user(request)
        self._state.count_read()
        return self._shown([one for one in self._state.world.scim_users if one.account == user.id])

    async def links_for_email(self, request: Request) -> Response:
        """POST get-scim-links-for-email: also records with this address that are linked to no account."""
        try:
            email = msgspec.json.decode(await request.body(), type=dict[str, Any]).get("email")
        except msgspec.DecodeError as error:
            raise bad_body(str(error)) from None
        if not isinstance(email, str):
            raise bad_body("email is required.")
        self._state.count_read()
        user = by_address(self._state, email)
        rows = [
            one
            for one in self._state.world.scim_users
            if (user is not None and one.account == user.id) or same(one.user_name, email)
        ]
        return self._shown(rows)

    async def unlink(self, request: Request) -> Response:
        """PATCH unlink: record and account stay, without knowing of each other."""
        wanted = (request.path_params["scim"], request.path_params["record"])
        record = next((one for one in self._state.world.scim_users if (one.directory, one.id) == wanted), None)
        if record is None:
            raise application(404, "ADMIN-404-8", "User not found", "No such SCIM user.")
        account = record.account

        def change() -> None:
            record.account = None
            release(self._state, account)

        self._state.perform(change, request.scope.get("sandbox.effect", "now"))
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """DELETE onlyDeleteUserInDB: all records of a managed account; the account itself stays as it is."""
        user = self._user(request)
        if not user.managed:
            raise application(403, "ADMIN-403-3", "Forbidden", "The account is not managed.")

        def change() -> None:
            for record in [one for one in self._state.world.scim_users if one.account == user.id]:
                forget(self._state, record)

        trace = Trace("status", "user_deprovisioned", {"user": user.id})
        self._state.perform(change, request.scope.get("sandbox.effect", "now"), trace)
        return Response(status_code=204)

    async def unknown(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        """Everything else."""
        raise application(404, "ADMIN-404-1", "Unknown resource", "No such endpoint.")

    def _user(self, request: Request) -> User:
        user = self._state.user(request.path_params["account"])
        if user is None:
            raise unknown_user()
        return user

    def _shown(self, rows: list[ScimUser]) -> Response:
        org = self._state.world.organization.id
        links = [
            {"atlassianAccountId": one.account, "directoryId": one.directory, "orgId": org, "scimUserId": one.id}
            for one in rows
        ]
        return json_answer({"scimLinks": links})

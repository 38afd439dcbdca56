"""The provisioning API below ``/scim``: each directory with its own key. And what it can do, as data."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.access import check_limits
from cleanup_gitops.sandbox.answers import Refusal
from cleanup_gitops.sandbox.handlers import Handler
from cleanup_gitops.sandbox.records import ScimDirectory
from cleanup_gitops.sandbox.scim_answers import ENTERPRISE, GROUP, LIST, USER, failure, scim_answer, scim_error
from cleanup_gitops.sandbox.scim_bodies import ATTRIBUTES
from cleanup_gitops.sandbox.scim_groups import ScimGroups
from cleanup_gitops.sandbox.scim_users import ScimUsers
from cleanup_gitops.sandbox.state import State

DirectoryHandler = Callable[[Request, ScimDirectory], Awaitable[Response]]
_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_NAMES = {
    USER: ("User", ("userName", "externalId", "active", *ATTRIBUTES)),
    GROUP: ("Group", ("displayName", "externalId", "members")),
    ENTERPRISE: ("EnterpriseUser", ("organization", "department")),
}


class Scim:
    """Endpoints of the provisioning API over one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        base = "/scim/directory/{directory}"
        users, groups = ScimUsers(self._state), ScimGroups(self._state)
        table: list[tuple[str, str, DirectoryHandler]] = [
            ("GET", "Users", users.listed),
            ("POST", "Users", users.create),
            ("GET", "Users/{user}", users.one),
            ("PUT", "Users/{user}", users.replace),
            ("PATCH", "Users/{user}", users.patch),
            ("DELETE", "Users/{user}", users.delete),
            ("GET", "Groups", groups.listed),
            ("POST", "Groups", groups.create),
            ("GET", "Groups/{group}", groups.one),
            ("PUT", "Groups/{group}", groups.replace),
            ("PATCH", "Groups/{group}", groups.patch),
            ("DELETE", "Groups/{group}", groups.delete),
            ("GET", "ServiceProviderConfig", self.config),
            ("GET", "ResourceTypes", self.types),
            ("GET", "ResourceTypes/{name}", self.type),
            ("GET", "Schemas", self.schemas),
            ("GET", "Schemas/{name}", self.schema),
        ]
        found = [Route(f"{base}/{path}", self._guarded(to), methods=[method]) for method, path, to in table]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        found.append(Route(f"{base}/{{rest:path}}", self._guarded(self.unknown), methods=every))
        return [*found, Route("/scim/{rest:path}", self._nowhere, methods=every)]

    def _guarded(self, handler: DirectoryHandler) -> Handler:
        """`handler`, asked only with the directory's own key."""

        async def endpoint(request: Request) -> Response:
            try:
                directory = self._directory(request)
                headers = check_limits(self._state, request)
                response = await handler(request, directory)
            except Refusal as refusal:
                return refusal.response
            response.headers.update(headers)
            return response

        return endpoint

    def _directory(self, request: Request) -> ScimDirectory:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise failure(401, "Missing authorization header")
        known = self._state.world.scim_directories
        opened = [item for item in known if hmac.compare_digest(item.api_key.encode(), key.encode())]
        wanted = next((item for item in known if item.id == request.path_params["directory"]), None)
        if opened and wanted is None:
            raise scim_error(404, "Directory not found")
        if wanted is None or wanted not in opened:
            raise failure(403, "You are not authorized to call the API")
        return wanted

    async def _nowhere(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        return failure(404, "Not found").response

    async def unknown(self, request: Request, directory: ScimDirectory) -> Response:  # noqa: ARG002
        """Everything else."""
        raise scim_error(404, "No such endpoint")

    async def config(self, request: Request, directory: ScimDirectory) -> Response:  # noqa: ARG002
        """GET ServiceProviderConfig."""
        no = {"supported": False}
        return scim_answer(
            {
                "schemas": [_CONFIG],
                "patch": {"supported": True},
                "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
                "filter": {"supported": True, "maxResults": 10_000},
                "changePassword": no,
                "sort": no,
                "etag": no,
                "authenticationSchemes": [
                    {"type": "oauthbearertoken", "name": "API key", "description": "The directory's own key"}
                ],
            }
        )

    async def types(self, request: Request, directory: ScimDirectory) -> Response:  # noqa: ARG002
        """GET ResourceTypes."""
        return _all([_resource_type("User"), _resource_type("Group")])

    async def type(self, request: Request, directory: ScimDirectory) -> Response:  # noqa: ARG002
        """GET ResourceTypes/{name}."""
        name = request.path_params["name"]
        if name not in ("User", "Group"):
            raise scim_error(404, f"Resource {name} not found")
        return scim_answer(_resource_type(name))

    async def schemas(self, request: Request, directory: ScimDirectory) -> Response:  # noqa: ARG002
        """GET Schemas."""
        return _all([_schema(urn) for urn in _NAMES])

    async def schema(self, request: Request, directory: ScimDirectory) -> Response:  # noqa: ARG002
        """GET Schemas/{urn}."""
        name = request.path_params["name"]
        if name not in _NAMES:
            raise scim_error(404, f"Resource {name} not found")
        return scim_answer(_schema(name))


def _all(rows: list[dict[str, object]]) -> Response:
    body = {"schemas": [LIST], "totalResults": len(rows), "startIndex": 1, "itemsPerPage": len(rows)}
    return scim_answer({**body, "Resources": rows})


def _resource_type(name: str) -> dict[str, object]:
    schema = USER if name == "User" else GROUP
    return {"schemas": [_TYPE], "id": name, "name": name, "endpoint": f"/{name}s", "schema": schema}


def _schema(urn: str) -> dict[str, object]:
    name, attributes = _NAMES[urn]
    rows = [{"name": attribute, "multiValued": attribute in ("emails", "members")} for attribute in attributes]
    return {"schemas": [_SCHEMA], "id": urn, "name": name, "attributes": rows}

"""The Confluence site below ``/wiki``: who am I, and which site is this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.access import check_token
from cleanup_gitops.sandbox.answers import Refusal, confluence, json_answer
from cleanup_gitops.sandbox.state import State

Handler = Callable[[Request], Awaitable[Response]]


class Confluence:
    """Endpoints of the Confluence site over one state."""

    def __init__(self, state: State) -> None:
        self.state = state

    def routes(self) -> list[Route]:
        """All routes; the last one answers for what does not exist."""
        rest = "/wiki/rest/api"
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route(f"{rest}/user/current", self._guarded(self.current), methods=["GET"]),
            Route(f"{rest}/settings/systemInfo", self._guarded(self.system), methods=["GET"]),
            Route("/wiki/{rest:path}", self._guarded(self.unknown), methods=every),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            try:
                check_token(self.state, request)
                return await handler(request)
            except Refusal as refusal:
                return refusal.response

        return endpoint

    async def current(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        """GET user/current: the account whose token was sent."""
        credentials = self.state.world.credentials
        user = self.state.user(credentials.runner_account)
        if user is None or self.state.status(user) != "active":
            raise confluence(403, "This account has no access to the site")
        return json_answer(
            {
                "type": "known",
                "accountId": user.id,
                "accountType": user.type,
                "email": "" if user.email_hidden else user.email or "",
                "publicName": user.nickname,
                "displayName": user.name,
                "profilePicture": {
                    "path": "/wiki/aa-avatar/default",
                    "width": 48,
                    "height": 48,
                    "isDefault": True,
                },
                "timeZone": user.time_zone,
                "isGuest": False,
                "isExternalCollaborator": False,
            }
        )

    async def system(self, request: Request) -> Response:
        """GET settings/systemInfo: the way to the cloud id."""
        site = self.state.world.site
        return json_answer(
            {
                "cloudId": site.cloud_id,
                "commitHash": "0" * 40,
                "baseUrl": str(request.base_url).rstrip("/") + "/wiki",
                "edition": "STANDARD",
                "siteTitle": site.title,
                "defaultLocale": "en_GB",
                "defaultTimeZone": "Etc/UTC",
                "microsPerimeter": "commercial",
            }
        )

    async def unknown(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        """Everything else."""
        raise confluence(404, "No such endpoint")

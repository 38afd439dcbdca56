"""Confluence's first REST API: the caller, users by id, and which site this is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import confluence, json_answer
from cleanup_gitops.sandbox.confluence_answers import (
    group_view,
    links,
    not_found,
    number,
    offset_page,
    person,
    query,
    required,
)
from cleanup_gitops.sandbox.handlers import Table
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import User

MOST_IDS = 100
MOST_GROUPS = 200


class People:
    """Handlers about users, and about the site."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> Table:
        """Method, path below ``/wiki/rest/api`` and handler of every endpoint."""
        return [
            ("GET", "user", self.user),
            ("GET", "user/current", self.current),
            ("GET", "user/bulk", self.bulk),
            ("GET", "user/memberof", self.member_of),
            ("GET", "user/email", self.email),
            ("GET", "user/email/bulk", self.email),
            ("GET", "settings/systemInfo", self.system),
        ]

    async def current(self, request: Request) -> Response:
        """GET user/current: the account whose token was sent."""
        query(request, "expand")
        caller = self._user(self._state.world.credentials.runner_account)
        return json_answer(person(self._state, caller))

    async def user(self, request: Request) -> Response:
        """GET user: suspended and deactivated people are found like everybody else."""
        asked = query(request, "accountId", "expand")
        self._state.count_read()
        return json_answer(person(self._state, self._user(required(asked, "accountId"))))

    async def bulk(self, request: Request) -> Response:
        """GET user/bulk: of more than 100 ids the rest is left out, and so are unknown ones."""
        required(query(request, "accountId", "expand"), "accountId")
        self._state.count_read()
        wanted = list(dict.fromkeys(request.query_params.getlist("accountId")))[:MOST_IDS]
        found = [user for user in map(self._state.user, wanted) if user is not None]
        body = {"results": [person(self._state, user) for user in found], "start": 0, "limit": MOST_IDS}
        return json_answer({**body, "size": len(found), "_links": links(request)})

    async def member_of(self, request: Request) -> Response:
        """GET user/memberof."""
        asked = query(request, "accountId", "start", "limit")
        user = self._user(required(asked, "accountId"))
        start, limit = number(asked, "start", 0), min(number(asked, "limit", MOST_GROUPS), MOST_GROUPS)
        self._state.count_read()
        groups = [self._state.groups[group_id] for group_id in user.groups]
        seen = sorted((group for group in groups if group.directory in self._state.visible), key=lambda one: one.name)
        return offset_page(request, seen, group_view, start=start, limit=limit)

    async def email(self, request: Request) -> Response:
        """GET user/email and user/email/bulk: for approved apps only, which a token is not."""
        required(query(request, "accountId"), "accountId")
        raise confluence(501, "This API is not enabled for API tokens")

    async def system(self, request: Request) -> Response:
        """GET settings/systemInfo: the way to the cloud id."""
        query(request)
        site = self._state.world.site
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

    def _user(self, account: str) -> User:
        user = self._state.user(account)
        if user is None or user.account == "closed":
            raise not_found("user")
        return user

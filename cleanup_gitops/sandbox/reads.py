"""Reading from the admin host: organizations, directories and users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox import queries
from cleanup_gitops.sandbox.answers import json_answer
from cleanup_gitops.sandbox.cursors import fingerprint, pack, read_place, unpack
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.matching import assigned, matching_users
from cleanup_gitops.sandbox.pages import continued, page
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.views import Viewer


class Reads:
    """Handlers that change nothing."""

    def __init__(self, state: State, gate: Gate) -> None:
        self._state = state
        self._gate = gate
        self._viewer = Viewer(state)

    async def organizations(self, request: Request) -> Response:
        """GET /v1/orgs."""
        if request.query_params.get("cursor") is not None:
            unpack(request.query_params["cursor"], int)
        links = {"self": str(request.url)}
        return json_answer({"data": [self._organization(request)], "links": links})

    async def organization(self, request: Request) -> Response:
        """GET /v1/orgs/{org}."""
        return json_answer({"data": self._organization(request)})

    def _organization(self, request: Request) -> dict[str, object]:
        organization = self._state.world.organization
        base = str(request.base_url).rstrip("/") + f"/admin/v1/orgs/{organization.id}"
        return {
            "id": organization.id,
            "type": "orgs",
            "attributes": {"name": organization.name},
            "relationships": {
                "domains": {"links": {"related": f"{base}/domains"}},
                "users": {"links": {"related": f"{base}/users"}},
            },
            "links": {"self": base},
        }

    async def directories(self, request: Request) -> Response:
        """GET /v2/orgs/{org}/directories: those that the key may manage."""
        pairs, after = continued(request)
        wanted = queries.directory_filter(pairs)
        user = self._state.user(wanted.account_id or "")
        held = {} if user is None else user.directories
        rows: list[tuple[int, object]] = []
        for rank, directory in enumerate(self._state.world.directories):
            if (
                not directory.manageable
                or rank <= after
                or (wanted.account_id is not None and directory.id not in held)
                or (wanted.directory_ids is not None and directory.id not in wanted.directory_ids)
                or (wanted.search_term or "").casefold() not in directory.name.casefold()
            ):
                continue
            icon = f"https://avatars.example/directory/{directory.id}"
            shown = {"directoryId": directory.id, "name": directory.name, "icon": icon}
            rows.append((rank, shown))
        return page(rows[: wanted.limit + 1], wanted.limit, lambda rank: pack((pairs, rank)))

    async def search_users(self, request: Request) -> Response:
        """POST users/search."""
        directory = self._gate.directory(request)
        wanted = queries.user_search(await request.body())
        mark = fingerprint(wanted, request.scope["path"])
        after = read_place(wanted.cursor, mark)
        return self._users(wanted, directory, after, lambda rank: pack((mark, rank)))

    async def list_users(self, request: Request) -> Response:
        """GET users, deprecated: the search as a query, without expansions."""
        directory = self._gate.directory(request)
        pairs, after = continued(request)
        return self._users(queries.user_list(pairs), directory, after, lambda rank: pack((pairs, rank)))

    def _users(
        self, wanted: queries.UserSearch, directory: str | None, after: int, token: Callable[[int], str]
    ) -> Response:
        order = None
        if wanted.sort_by:
            by_name = self._state.by_nickname
            order = by_name if wanted.sort_by[0].direction == "asc" else by_name[::-1]
        self._state.count_read()
        found = matching_users(self._state, wanted, directory, after=after, order=order)
        expand = frozenset[str](wanted.expand)
        rows: list[tuple[int, object]] = [
            (rank, self._viewer.user(user, expand, directory)) for rank, user in islice(found, wanted.limit + 1)
        ]
        return page(rows, wanted.limit, token)

    async def count_users(self, request: Request) -> Response:
        """GET users/count."""
        directory = self._gate.directory(request)
        wanted = queries.user_filter(request.query_params.multi_items())
        self._state.count_read()
        count = sum(1 for _ in matching_users(self._state, wanted, directory))
        return json_answer({"count": count})

    async def user_stats(self, request: Request) -> Response:
        """GET users/stats."""
        directory = self._gate.directory(request)
        self._state.count_read()
        accounts: Counter[str] = Counter(active=0, inactive=0, closed=0)
        roles: Counter[str] = Counter()
        for _, user in matching_users(self._state, queries.UserFilter(), directory):
            accounts[user.account] += 1
            roles.update({role for held in self._state.roles(user).values() for role in held} | {*user.platform_roles})
        return json_answer(
            {
                "accountStatus": [{"count": count, "status": status} for status, count in accounts.items()],
                "roles": [{"roleId": role, "count": count} for role, count in sorted(roles.items())],
            }
        )

    async def user(self, request: Request) -> Response:
        """GET users/{id}."""
        user = self._gate.user(request, self._gate.directory(request))
        self._state.count_read()
        return json_answer({"data": self._viewer.user_detail(user)})

    async def last_active(self, request: Request) -> Response:
        """GET last-active-dates."""
        user = self._gate.user(request, None)
        if request.query_params.get("cursor") is not None:
            unpack(request.query_params["cursor"], int)
        self._state.count_read()
        return json_answer(self._viewer.last_active_dates(user))

    async def role_assignments(self, request: Request) -> Response:
        """GET users/{id}/role-assignments: every role, and how the user came by it."""
        directory = self._gate.directory(request)
        user = self._gate.user(request, directory)
        pairs, after = continued(request)
        wanted = queries.role_filter(pairs)
        self._state.count_read()
        shown = self._viewer.role_assignments(user, assigned(self._state, user, wanted), directory)
        if wanted.directory_ids is not None:
            shown = [row for row in shown if row["directoryId"] in wanted.directory_ids]
        rows = [item for item in enumerate(shown) if item[0] > after]
        return page(rows[: wanted.limit + 1], wanted.limit, lambda rank: pack((pairs, rank)))

"""Reading from the admin host: organizations, directories, users and groups."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox import queries
from cleanup_gitops.sandbox.answers import json_answer
from cleanup_gitops.sandbox.cursors import fingerprint, pack, read_place, unpack
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.matching import granted, matching_groups, matching_users
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
        pairs, after = _continued(request)
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
        return _page(rows[: wanted.limit + 1], wanted.limit, lambda rank: pack((pairs, rank)))

    async def search_users(self, request: Request) -> Response:
        """POST users/search."""
        directory = self._gate.directory(request)
        wanted = queries.user_search(await request.body())
        mark = fingerprint(wanted, request.scope["path"])
        after = read_place(wanted.cursor, mark)
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
        return _page(rows, wanted.limit, lambda rank: pack((mark, rank)))

    async def count_users(self, request: Request) -> Response:
        """GET users/count."""
        directory = self._gate.directory(request)
        wanted = queries.user_filter(request.query_params.multi_items())
        self._state.count_read()
        count = sum(1 for _ in matching_users(self._state, wanted, directory))
        return json_answer({"count": count})

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

    async def search_groups(self, request: Request) -> Response:
        """POST groups/search."""
        directory = self._gate.directory(request)
        wanted = queries.group_search(await request.body())
        mark = fingerprint(wanted, request.scope["path"])
        after = read_place(wanted.cursor, mark)
        self._state.count_read()
        found = matching_groups(self._state, wanted, directory)
        rows: list[tuple[int, object]] = [
            (rank, self._viewer.group(group, wanted.expand or ())) for rank, group in found if rank > after
        ]
        return _page(rows[: wanted.limit + 1], wanted.limit, lambda rank: pack((mark, rank)))

    async def group(self, request: Request) -> Response:
        """GET groups/{id}."""
        group = self._gate.group(request, self._gate.directory(request))
        self._state.count_read()
        shown = self._viewer.group(group, ("counts.users", "counts.resources"))
        return json_answer({"data": shown})

    async def role_assignments(self, request: Request) -> Response:
        """GET groups/{id}/role-assignments."""
        group = self._gate.group(request, self._gate.directory(request))
        pairs, after = _continued(request)
        wanted = queries.role_filter(pairs)
        self._state.count_read()
        rows: list[tuple[int, object]] = []
        for rank, name in enumerate(granted(self._state, group, wanted)):
            resource = self._state.resources[name]
            shown = {
                "resourceId": resource.id,
                "resourceOwner": resource.owner,
                "roles": group.roles[name],
                "defaultRole": group.default_roles.get(name),
            }
            if rank > after:
                rows.append((rank, shown))
        return _page(rows[: wanted.limit + 1], wanted.limit, lambda rank: pack((pairs, rank)))


def _continued(request: Request) -> tuple[list[tuple[str, str]], int]:
    """The query of a list by GET and the rank to go on after: a cursor replaces the whole query."""
    token = request.query_params.get("cursor")
    if token is None:
        return list(request.query_params.multi_items()), -1
    pairs, rank = unpack(token, tuple[list[tuple[str, str]], int])
    return pairs, rank


def _page(rows: list[tuple[int, object]], limit: int, token: Callable[[int], str]) -> Response:
    """A page of at most `limit` of the `rows`; one row more than that means there is a next page."""
    links = {"next": token(rows[limit - 1][0])} if len(rows) > limit else {}
    return json_answer({"data": [row for _, row in rows[:limit]], "links": links})

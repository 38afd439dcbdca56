"""Reading groups from the admin host."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox import queries
from cleanup_gitops.sandbox.answers import json_answer
from cleanup_gitops.sandbox.cursors import fingerprint, pack, read_place
from cleanup_gitops.sandbox.gate import Gate
from cleanup_gitops.sandbox.matching import granted, matching_groups
from cleanup_gitops.sandbox.pages import continued, page
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.views import Viewer

TEAMS = frozenset({"team-members", "open"})


class GroupReads:
    """Handlers about groups that change nothing."""

    def __init__(self, state: State, gate: Gate) -> None:
        self._state = state
        self._gate = gate
        self._viewer = Viewer(state)

    async def search_groups(self, request: Request) -> Response:
        """POST groups/search."""
        directory = self._gate.directory(request)
        wanted = queries.group_search(await request.body())
        mark = fingerprint(wanted, request.scope["path"])
        after = read_place(wanted.cursor, mark)
        return self._groups(wanted, directory, after, lambda rank: pack((mark, rank)))

    async def list_groups(self, request: Request) -> Response:
        """GET groups, deprecated: the search as a query."""
        directory = self._gate.directory(request)
        pairs, after = continued(request)
        return self._groups(queries.group_list(pairs), directory, after, lambda rank: pack((pairs, rank)))

    def _groups(
        self, wanted: queries.GroupSearch, directory: str | None, after: int, token: Callable[[int], str]
    ) -> Response:
        self._state.count_read()
        found = matching_groups(self._state, wanted, directory)
        rows: list[tuple[int, object]] = [
            (rank, self._viewer.group(group, wanted.expand or ())) for rank, group in found if rank > after
        ]
        return page(rows[: wanted.limit + 1], wanted.limit, token)

    async def count_groups(self, request: Request) -> Response:
        """GET groups/count."""
        directory = self._gate.directory(request)
        wanted = queries.group_filter(request.query_params.multi_items())
        self._state.count_read()
        return json_answer({"count": len(matching_groups(self._state, wanted, directory))})

    async def group_stats(self, request: Request) -> Response:
        """GET groups/stats."""
        directory = self._gate.directory(request)
        self._state.count_read()
        groups = [group for _, group in matching_groups(self._state, queries.GroupSearch(), directory)]
        synced = sum(group.external_synced for group in groups)
        teams = sum(group.managed_by in TEAMS for group in groups)
        return json_answer(
            {
                "totals": {"all": len(groups), "managed": len(groups) - synced, "synced": synced},
                "types": [{"count": teams, "type": "TEAM"}, {"count": len(groups) - teams, "type": "GROUP"}],
            }
        )

    async def group(self, request: Request) -> Response:
        """GET groups/{id}."""
        group = self._gate.group(request, self._gate.directory(request))
        self._state.count_read()
        shown = self._viewer.group(group, ("counts.users", "counts.resources"))
        return json_answer({"data": shown})

    async def role_assignments(self, request: Request) -> Response:
        """GET groups/{id}/role-assignments."""
        group = self._gate.group(request, self._gate.directory(request))
        pairs, after = continued(request)
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
        return page(rows[: wanted.limit + 1], wanted.limit, lambda rank: pack((pairs, rank)))

"""Lists of the first API generation: managed accounts and domains."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import application, json_answer
from cleanup_gitops.sandbox.pages import url_page
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.views import Viewer
from cleanup_gitops.sandbox.world import Domain


class Lists:
    """Handlers of lists whose pages are linked by whole URLs."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._viewer = Viewer(state)

    async def managed_accounts(self, request: Request) -> Response:
        """GET v1 users: accounts of verified domains, whatever directory they are in, if any."""
        self._state.count_read()
        base = str(request.url.replace(query=""))
        rows = [(n, user) for n, user in enumerate(self._state.world.users) if user.managed]
        return url_page(request, rows, lambda user: self._viewer.managed_account(user, base), total=True)

    async def domains(self, request: Request) -> Response:
        """GET v1 domains."""
        base = str(request.url.replace(query=""))
        rows = list(enumerate(self._state.world.domains))
        return url_page(request, rows, lambda domain: _domain(domain, base))

    async def domain(self, request: Request) -> Response:
        """GET v1 domains/{id}."""
        wanted = request.path_params["domain"]
        base = str(request.url.replace(query="")).rpartition("/")[0]
        for domain in self._state.world.domains:
            if domain.id == wanted:
                return json_answer({"data": _domain(domain, base)})
        if not wanted.isalnum():
            raise application(400, "ADMIN-400-2", "Invalid domain identifier", "This cannot be the id of a domain.")
        raise application(404, "ADMIN-404-3", "Domain not found", "No such domain.")


def _domain(domain: Domain, base: str) -> dict[str, object]:
    return {
        "id": domain.id,
        "type": "domains",
        "attributes": {"name": domain.name, "claim": {"type": domain.claim, "status": domain.status}},
        "links": {"self": f"{base}/{domain.id}"},
    }

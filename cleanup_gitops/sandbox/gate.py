"""What every request to the admin host passes first, and what its path must name."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.access import check_key, check_limits
from cleanup_gitops.sandbox.answers import (
    Refusal,
    application,
    spring,
    unknown_group,
    unknown_user,
    unwrapped,
)
from cleanup_gitops.sandbox.handlers import Handler
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import Group, User, format_time

ALL_DIRECTORIES = "-"


class Gate:
    """Credentials, limits, organization, directory, user and group, in this order."""

    def __init__(self, state: State) -> None:
        self._state = state

    def guarded(self, handler: Handler, *, bare: bool = False) -> Handler:
        """`handler`, asked only when key, limits and organization allow it.

        Refusals of a `bare` one are a single error instead of a list with one in it.
        """

        async def endpoint(request: Request) -> Response:
            try:
                check_key(self._state, request)
                headers = check_limits(self._state, request)
                self._check_organization(request)
                response = await handler(request)
            except Refusal as refusal:
                return unwrapped(refusal).response if bare else refusal.response
            response.headers.update(headers)
            return response

        return endpoint

    def _check_organization(self, request: Request) -> None:
        wanted = request.path_params.get("org")
        world = self._state.world
        if wanted is None or wanted == world.organization.id:
            return
        if wanted not in world.foreign_organizations:
            raise application(404, "ADMIN-404-2", "Organization not found", "No such organization.")
        if request.scope["path"].startswith("/admin/v1/"):
            message = "User has no permission to access resource."
            at = format_time(self._state.now())
            raise spring(403, "Forbidden", message, request.scope["path"], at)
        raise application(403, "ADMIN-403-3", "Forbidden", "The key may not manage this organization.")

    def directory(self, request: Request) -> str | None:
        """The directory in the path of a read, None for all of them; raises `Refusal`."""
        if request.path_params["directory"] == ALL_DIRECTORIES:
            return None
        return self.writable(request)

    def writable(self, request: Request) -> str:
        """The directory in the path of a write, which must be one; raises `Refusal`."""
        wanted: str = request.path_params["directory"]
        if wanted == ALL_DIRECTORIES:
            raise application(400, "ADMIN-400-4", "Invalid resource", "A write needs one directory.")
        for directory in self._state.world.directories:
            if directory.id == wanted:
                if not directory.manageable:
                    raise application(403, "ADMIN-403-3", "Forbidden", "The key may not manage this directory.")
                return wanted
        raise application(404, "ADMIN-404-1", "Unknown resource", "No such directory.")

    def user(self, request: Request, directory: str | None) -> User:
        """The user in the path, who must be listed in `directory`; raises `Refusal`."""
        user = self._state.user(request.path_params["user"])
        if user is None or not self._lists(user, directory):
            raise unknown_user()
        return user

    def _lists(self, user: User, directory: str | None) -> bool:
        if directory is not None:
            return directory in user.directories
        return bool(user.directories.keys() & self._state.visible) or (not user.directories and user.managed)

    def group(self, request: Request, directory: str | None) -> Group:
        """The group in the path, which must be of `directory`; raises `Refusal`."""
        group = self._state.groups.get(request.path_params["group"])
        if group is None or group.directory not in (self._state.visible if directory is None else {directory}):
            raise unknown_group()
        return group

"""The embedded Confluence Cloud as the command line sees it: an extra that may be missing, errors, credentials."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from cleanup_gitops.model.errors import CleanupError

if TYPE_CHECKING:
    from cleanup_gitops.sandbox.server import RunningSandbox
    from cleanup_gitops.sandbox.world import World

INSTALL = "pip install 'cleanup-gitops[demo]'"
USUAL_PORT = 8765
VARIABLES = ("ATLASSIAN_ORG_API_KEY", "CONFLUENCE_USER", "CONFLUENCE_API_TOKEN")
"""The variables that the example Site document names: key of the organization, user, token."""


def server_module() -> ModuleType:
    """The module that serves a world. Raises ``CleanupError`` when its extra is not installed."""
    try:
        from cleanup_gitops.sandbox import server
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "cleanup_gitops"):
            raise
        raise CleanupError(
            f"The embedded Confluence needs the package {missing}, which is not installed.",
            f"Install it with: {INSTALL}",
        ) from None
    return server


@contextmanager
def sandbox_errors() -> Iterator[None]:
    """Errors of the sandbox, which shares nothing with the rest, as errors that the command line prints."""
    from cleanup_gitops.sandbox.world import SandboxError

    try:
        yield
    except SandboxError as error:
        text = str(error)
        raise CleanupError(text if text.endswith(".") else f"{text}.") from None


def start(world: World) -> RunningSandbox:
    """The world on its usual port, or on a free one when that is taken. Use it in a ``with`` statement."""
    from cleanup_gitops.sandbox.world import SandboxError

    server = server_module()
    try:
        running: RunningSandbox = server.running(world, port=USUAL_PORT)
    except SandboxError:
        running = server.running(world)
    return running


def credentials(world: World) -> dict[str, str]:
    """What a client of this world needs in its environment. As invented as the world itself."""
    held = world.credentials
    return dict(zip(VARIABLES, (held.org_api_key, held.user_email, held.api_token), strict=True))


def exports(world: World) -> list[str]:
    """The same, as lines for a shell."""
    return [f"export {name}={value}" for name, value in credentials(world).items()]


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables for this process, and afterwards what was there before."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

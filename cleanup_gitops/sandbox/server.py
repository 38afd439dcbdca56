"""Serves a world over HTTP on the loopback interface, in this process."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from cleanup_gitops.sandbox.admin import Admin
from cleanup_gitops.sandbox.confluence import Confluence
from cleanup_gitops.sandbox.connection import TRANSPORT
from cleanup_gitops.sandbox.control import Control
from cleanup_gitops.sandbox.effects import Effect
from cleanup_gitops.sandbox.prompt import PromptServer
from cleanup_gitops.sandbox.saboteur import Saboteur
from cleanup_gitops.sandbox.scim import Scim
from cleanup_gitops.sandbox.scim_links import ScimLinks
from cleanup_gitops.sandbox.snapshots import Snapshot, Snapshots, arrived
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.storms import Rule, load_rules
from cleanup_gitops.sandbox.tokens import Tokens
from cleanup_gitops.sandbox.traffic import Traffic
from cleanup_gitops.sandbox.user_management import UserManagement
from cleanup_gitops.sandbox.world import SandboxError, World

STOP_SECONDS = 60
"""Seconds after which a sandbox that does not answer or end is given up."""
KEPT_SECONDS = 75
"""Seconds that an idle connection is kept, as gateways do: longer than a client keeps it, which else may send its next
call just as the connection ends, and never learns what became of it."""
T = TypeVar("T")


def create_app(
    world: World, path: Path | None = None, *, ticking: bool = False, faults: Sequence[Rule] = ()
) -> Starlette:
    """The application that serves `world`; every change is saved to `path`, if there is one.

    `faults` are in force from the start.

    `app.state.sandbox` is the `State` behind it, `app.state.snapshots` the `Snapshots` of it.
    """
    state, traffic = State(world, path, ticking), Traffic()
    traffic.rules.add(faults)
    snapshots = Snapshots(state, traffic)
    app = Starlette(
        routes=[
            *UserManagement(state).routes(),
            *Scim(state).routes(),
            *ScimLinks(state).routes(),
            *Tokens(state).routes(),
            *Admin(state).routes(),
            *Confluence(state).routes(),
            *Control(state, traffic, snapshots).routes(),
        ],
        middleware=[Middleware(Settling, state=state), Middleware(Saboteur, state=state, traffic=traffic)],
    )
    app.state.sandbox = state
    app.state.snapshots = snapshots
    return app


class Settling:
    """Before every request: changes that show late show as soon as it is time for them."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - of any application
        self._state.settle()
        await self._app(scope, receive, send)


class RunningSandbox:
    """A world served from a thread of this process; a context manager that stops it at the end.

    `url` is the base of both hosts: ``{url}/admin`` is the admin API, ``{url}/wiki`` the site.
    """

    def __init__(
        self,
        world: World,
        path: Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        ssl_certfile: str | Path | None = None,
        ssl_keyfile: str | Path | None = None,
    ) -> None:
        self.world = world
        self._app = create_app(world, path)
        self._server = PromptServer(_config(self._app, ssl_certfile=ssl_certfile, ssl_keyfile=ssl_keyfile))
        self._socket = listen(host, port)
        self.url = _url(self._socket, "http" if ssl_certfile is None else "https")
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._socket])

    @property
    def state(self) -> State:
        """Indexes and changes of the world being served."""
        state: State = self._app.state.sandbox
        return state

    @property
    def org_id(self) -> str:
        """The organization's id."""
        return self.world.organization.id

    @property
    def cloud_id(self) -> str:
        """The site's cloud id."""
        return self.world.site.cloud_id

    @property
    def org_api_key(self) -> str:
        """The organization API key."""
        return self.world.credentials.org_api_key

    @property
    def user_email(self) -> str:
        """The address that goes with the API token."""
        return self.world.credentials.user_email

    @property
    def api_token(self) -> str:
        """The site user's API token."""
        return self.world.credentials.api_token

    @property
    def runner_account(self) -> str:
        """The account id of the owner of key and token."""
        return self.world.credentials.runner_account

    def refresh(self) -> None:
        """Take up edits that were made to `world` directly."""
        self.state.rebuild()

    def become(self, world: World) -> None:
        """Serve another `world` from now on, by the options of the one that was served so far; any thread may ask."""

        def change() -> None:
            for name in world.__struct_fields__:
                if name != "options":
                    setattr(self.world, name, getattr(world, name))
            self.state.rebuild()

        self._between_requests(change)

    def snapshot(self) -> Snapshot:
        """Everything as it is now, see ``snapshots``; any thread may ask."""
        return self._between_requests(self._snapshots.take)

    def restore(self, snapshot: Snapshot) -> None:
        """Everything as it was when the `snapshot` was taken; any thread may ask.

        What a client sent before has no effect after, also when the client was killed meanwhile.
        """
        self._between_requests(lambda: self._snapshots.restore(snapshot))

    def effects(self) -> list[Effect]:
        """What every accepted write changed, oldest first."""
        return self._between_requests(lambda: list(self.state.effects.rows))

    @property
    def _snapshots(self) -> Snapshots:
        found: Snapshots = self._app.state.snapshots
        return found

    def _between_requests(self, act: Callable[[], T]) -> T:
        if self._loop is None or not self._thread.is_alive():
            return act()

        async def turn() -> T:
            await arrived()
            return act()

        return asyncio.run_coroutine_threadsafe(turn(), self._loop).result(STOP_SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.ready.wait(0.05) and self._thread.is_alive():
            pass
        if not self._server.ready.is_set():
            self._socket.close()
            raise SandboxError("the sandbox did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # it ended by itself
                self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(STOP_SECONDS)
        self._socket.close()
        _keep(self.state)


def running(
    world: World,
    path: Path | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    *,
    ssl_certfile: str | Path | None = None,
    ssl_keyfile: str | Path | None = None,
) -> RunningSandbox:
    """A server for `world` on a free port, or on `port`; use it in a ``with`` statement.

    Raises `SandboxError` where `host` is not a loopback address or the port is taken.
    """
    return RunningSandbox(world, path, port, host, ssl_certfile=ssl_certfile, ssl_keyfile=ssl_keyfile)


def serve(
    world_path: Path | str,
    host: str = "127.0.0.1",
    port: int = 8642,
    on_ready: Callable[[str, World], None] | None = None,
    *,
    ticking: bool = False,
    faults: Path | str | None = None,
) -> None:
    """Serve the world in `world_path` until Ctrl-C; `on_ready` gets the URL once it can be reached.

    The virtual clock stands still unless it is advanced, or `ticking` in real time. The file `faults` holds
    rules as the control endpoint takes them, in force from the start.

    Raises `SandboxError` where a file is no world or no list of faults, `host` is not a loopback address, or the port
    is taken.
    """
    path = Path(world_path)
    world = World.load(path)
    rules = [] if faults is None else load_rules(faults)
    taken = listen(host, port)
    try:
        if on_ready is not None:
            on_ready(_url(taken, "http"), world)
        app = create_app(world, path, ticking=ticking, faults=rules)
        try:
            uvicorn.Server(_config(app)).run(sockets=[taken])
        finally:
            _keep(app.state.sandbox)
    except KeyboardInterrupt:
        pass
    finally:
        taken.close()


def _keep(state: State) -> None:
    """What was accepted and does not show yet is not lost with the process: the file gets it."""
    if state.path is not None and state.late.items:
        state.settle_all()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address; raises `SandboxError`.

    The sandbox gives control to whoever reaches it, so nothing outside this machine may.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise SandboxError(f"host {host}: the sandbox serves this machine only; use 127.0.0.1, ::1 or localhost")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    # The protocol is named because asyncio switches off Nagle's algorithm (40 ms an answer) only then.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((str(address), port))
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise SandboxError(
            f"{host} port {port}: {error.strerror}; choose another port, or 0 for any free one"
        ) from None
    return taken


def _url(taken: socket.socket, scheme: str) -> str:
    host, port = taken.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _config(app: ASGIApp, **tls: str | Path | None) -> uvicorn.Config:
    """How to serve. Raises `SandboxError` where certificate or key cannot be used."""
    options: dict[str, Any] = {name: str(value) for name, value in tls.items() if value}
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEPT_SECONDS,
        **options,
    )
    try:
        config.load()
    except OSError as error:
        files = ", ".join(options.values())
        raise SandboxError(f"{files}: cannot be used for TLS: {error.strerror or error}") from None
    return config


class _Protocol(H11Protocol):
    """Lets the application reach its connection, so that faults can cut it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **kwargs)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = self.transport
            await inner(scope, receive, send)

        self.app = app

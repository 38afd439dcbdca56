"""Listens to every sandbox of the test run: what was asked, and what the sandbox itself answered.

Two layers around the application do it. The outer one stands before the saboteur and hears what the client really sent;
the inner one stands behind it, so that an answer which a test spoils on purpose is heard as it was before, and one that
the saboteur makes up is not heard at all. Nothing of this is seen on the wire.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

FOLDER_VARIABLE = "CLEANUP_GITOPS_TEST_EXCHANGES"
"""Where a process that a test starts writes down its exchanges."""
COUNT_VARIABLE = "CLEANUP_GITOPS_TEST_EXCHANGES_COUNT"
"""Set where nobody reads more of an exchange than that there was one."""
CLIENT = "cleanup-gitops/"
"""How the client introduces itself; whoever else calls is a test, which may ask wrongly on purpose."""


class Exchange(msgspec.Struct, frozen=True):
    """One request, and its answer unless a planted fault made the answer up.

    `scheme` is how the caller proved who it is, without the secret. `crash` names an error that nobody handled.
    """

    method: str
    path: str
    query: str
    agent: str
    scheme: str
    content_type: str
    body: bytes
    status: int = 0
    answer_type: str = ""
    answer: bytes = b""
    crash: str = ""

    @property
    def ours(self) -> bool:
        """Whether the client asked this."""
        return self.agent.startswith(CLIENT)


class Heard(msgspec.Struct):
    """The answer of one exchange, as far as it was heard."""

    status: int = 0
    answer_type: str = ""
    answer: bytes = b""
    crash: str = ""


Sink = Callable[[Exchange], None]
Server = Any
"""The module `cleanup_gitops.sandbox.server`, which a process without the demo extra does not have."""


class Outer:
    """Hears requests, and hands on each with the answer that `Inner` heard."""

    def __init__(self, app: Any, key: str, sink: Sink) -> None:  # noqa: ANN401 - an ASGI application
        self._app = app
        self._key = key
        self._sink = sink

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has it
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        body = b"".join(message.get("body", b"") for message in messages)
        messages.reverse()

        async def again() -> Any:  # noqa: ANN401 - an ASGI message
            return messages.pop() if messages else await receive()

        heard = scope[self._key] = Heard()
        told = False

        def tell() -> None:
            nonlocal told
            if not told:
                told = True
                self._sink(_exchange(scope, body, heard))

        async def telling(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            # Before the caller has the whole answer: a test may end with it.
            if message["type"] == "http.response.body" and not message.get("more_body"):
                tell()
            await send(message)

        try:
            await self._app(scope, again, telling)
        finally:
            tell()


class Inner:
    """Hears answers before a planted fault can change them."""

    def __init__(self, app: Any, key: str) -> None:  # noqa: ANN401 - an ASGI application
        self._app = app
        self._key = key

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has it
        heard: Heard | None = scope.get(self._key)
        if heard is None:
            await self._app(scope, receive, send)
            return

        async def listening(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            if message["type"] == "http.response.start":
                heard.status = message["status"]
                heard.answer_type = _header(message["headers"], b"content-type")
            else:
                heard.answer += message.get("body", b"")
            await send(message)

        try:
            await self._app(scope, receive, listening)
        except Exception as error:
            heard.crash = repr(error)
            raise


def listen(server: Server, sink: Sink) -> None:
    """Have every application that `server` makes from now on tell its exchanges to `sink`."""
    make = server.create_app

    def create_app(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - handed on
        app = make(*args, **kwargs)
        key = f"tests.exchange.{id(sink)}"
        app.user_middleware.insert(0, _middleware(Outer, key=key, sink=sink))
        app.user_middleware.append(_middleware(Inner, key=key))
        return app

    server.create_app = create_app


def writer(folder: Path, *, count_only: bool) -> Sink:
    """A sink that adds a line to a file of its own in `folder`; an empty one where only their number counts."""
    handle, _ = tempfile.mkstemp(".jsonl", f"{os.getpid()}-", folder)

    def write(exchange: Exchange) -> None:
        os.write(handle, b"\n" if count_only else msgspec.json.encode(exchange) + b"\n")

    return write


def read(folder: Path) -> Iterator[Exchange | None]:
    """What processes have written to `folder` since the last time; None for one that was only counted."""
    for path in sorted(folder.glob("*.jsonl")):
        seen = path.with_suffix(".seen")
        start = int(seen.read_text()) if seen.exists() else 0
        with path.open("rb") as file:
            file.seek(start)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        if not whole:
            continue
        seen.write_text(str(start + len(whole)))
        for line in whole.splitlines():
            yield msgspec.json.decode(line, type=Exchange) if line else None


def _middleware(kind: Any, **options: object) -> Any:  # noqa: ANN401 - imported only where a server runs
    from starlette.middleware import Middleware  # noqa: PLC0415 - absent where the demo extra is not installed

    return Middleware(kind, **options)


def _exchange(scope: Any, body: bytes, heard: Heard) -> Exchange:  # noqa: ANN401 - as ASGI has it
    return Exchange(
        method=scope["method"],
        # As it was sent: an encoded slash inside an id is no separator.
        path=scope["raw_path"].decode("ascii", "replace"),
        query=scope["query_string"].decode("ascii", "replace"),
        agent=_header(scope["headers"], b"user-agent"),
        scheme=_header(scope["headers"], b"authorization").partition(" ")[0],
        content_type=_header(scope["headers"], b"content-type"),
        body=body,
        status=heard.status,
        answer_type=heard.answer_type,
        answer=heard.answer,
        crash=heard.crash,
    )


def _header(headers: Any, name: bytes) -> str:  # noqa: ANN401 - pairs of bytes
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")

"""A tiny HTTP server that answers from a script, for answers that no proper server gives."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.patience import STALLED

JSON = {"Content-Type": "application/json"}


@dataclass
class Reply:
    """One answer. ``promised`` is a Content-Length other than the body's; ``reset`` closes without an answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    promised: int | None = None
    reset: bool = False
    before: Callable[[], None] | None = None


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """Answers in order; the last one again and again. ``requests`` are those that came."""

    replies: list[Reply]
    url: str = ""
    requests: list[Request] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Scripted) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are part of the script."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        script = self.server.script
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        script.requests.append(Request(self.command, self.path, dict(self.headers), body))
        reply = script.replies[min(len(script.requests), len(script.replies)) - 1]
        if reply.before:
            reply.before()
        if reply.reset:
            self.close_connection = True
            return
        self.send_response_only(reply.status)  # no Date but the script's own
        for name, value in reply.headers.items():
            self.send_header(name, value)
        size = len(reply.body) if reply.promised is None else reply.promised
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(reply.body)
        if size != len(reply.body):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def silence(until: threading.Event) -> Reply:
    """No answer before that happens."""

    def wait() -> None:
        until.wait(STALLED)

    return Reply(before=wait)


@contextmanager
def scripted(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """A server on the loopback interface for the length of a block."""
    script = Scripted(list(replies))
    server = _Server(script)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    script.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        with contextlib.suppress(OSError):
            server.server_close()

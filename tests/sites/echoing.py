"""A server between the tool and the sandbox that repeats what it was sent wherever an answer has room for it."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.patience import STALLED

Said = tuple[int, bytes, dict[str, str]]
Echo = Callable[[list[str]], Said]
"""An answer made of what was sent: the Authorization header, and all that can be read out of it."""

JSON = {"Content-Type": "application/json"}


@dataclass
class Echoing:
    """``echo`` answers requests whose "METHOD path" fits ``to``; the sandbox answers the rest. ``heard`` is counted.

    ``carry_out``: the sandbox is asked first, and only its answer is replaced.
    """

    sandbox: str
    url: str = ""
    to: re.Pattern[str] = re.compile("^$")
    echo: Echo = field(default=lambda sent: (400, " ".join(sent).encode(), {}))
    carry_out: bool = False
    heard: int = 0

    def answer(self, pattern: str, echo: Echo, *, carry_out: bool = False) -> None:
        """From now on ``echo`` answers what fits the pattern."""
        self.to, self.echo, self.carry_out, self.heard = re.compile(pattern), echo, carry_out, 0


def sent_in(authorization: str) -> list[str]:
    """The header, its value, and both sides of what Basic hides."""
    scheme, _, value = authorization.partition(" ")
    if scheme != "Basic":
        return [authorization, value]
    plain = base64.b64decode(value).decode()
    return [authorization, value, plain, plain.partition(":")[2]]


def in_json(status: int) -> Echo:
    """As the vendor's errors look, with the credential in each text."""

    def echo(sent: list[str]) -> Said:
        key = sent[-1]
        error = {"code": key, "title": key, "detail": f"{sent[0]} is wrong", "id": key, "status": status}
        half = {"code": re.sub(r"[^A-Za-z0-9._-]", "", key[: len(key) // 2]), "title": "Bad Request"}
        context = {"reason": {"key": half["code"]}, "errorCodes": [{"code": key}, half]}
        body = {
            **half,
            "key": key,
            "message": " ".join(sent),
            "error": key,
            "errors": [half, error],
            "context": context,
        }
        return status, json.dumps(body).encode(), JSON

    return echo


def in_html(status: int) -> Echo:
    """As a login page or a proxy shows what it got."""
    return lambda sent: (status, f"<html><h1>{sent[0]}</h1>{sent[-1]}</html>".encode(), {"Content-Type": "text/html"})


def in_headers(status: int) -> Echo:
    """Where to go next, what to remember, what to call this: all with the credential in it."""

    def echo(sent: list[str]) -> Said:
        key = sent[-1]
        named = ("Set-Cookie", "X-Request-Id", "atl-traceid", "atl-request-id", "Date", "Retry-After", "ETag")
        headers = dict.fromkeys(named, key) | {"WWW-Authenticate": sent[0], "X-RateLimit-Reset": key}
        headers["Location"] = f"https://user:{key}@elsewhere.example/?key={key}"
        return status, b"", headers | {"Content-Type": f"text/html; {key}"}

    return echo


def in_text(status: int) -> Echo:
    """Something that claims to be JSON."""
    return lambda sent: (status, f'{{"data": [{sent[-1]}'.encode(), JSON)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Nobody reads that."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = self.server.told
        echoes = told.to.search(f"{self.command} {self.path}")
        if not echoes or told.carry_out:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            got = self.server.client.request(self.command, told.sandbox + self.path, content=body, headers=kept)
            status, answer = got.status_code, got.content
            headers = {"Content-Type": got.headers.get("content-type", "text/plain")}
        if echoes:
            told.heard += 1
            status, answer, headers = told.echo(sent_in(self.headers["Authorization"]))
        self.send_response_only(status, self.headers["Authorization"] if echoes else None)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, told: Echoing, client: httpx.Client) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told = told
        self.client = client

    def handle_error(self, *_: object) -> None:
        """Clients may hang up."""


@contextmanager
def echoing(sandbox: str) -> Iterator[Echoing]:
    """Such a server in front of the sandbox."""
    told = Echoing(sandbox)
    with httpx.Client(trust_env=False, timeout=STALLED, verify=False) as client, _Server(told, client) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield told
        server.shutdown()
        thread.join()

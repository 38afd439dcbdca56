"""Stands before the application: logs every request, and makes those go wrong that a rule names."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleanup_gitops.sandbox import answers
from cleanup_gitops.sandbox.effects import ASKED
from cleanup_gitops.sandbox.faults import Fault
from cleanup_gitops.sandbox.options import Lag
from cleanup_gitops.sandbox.traffic import Stale, Traffic

TRANSPORT = "sandbox.transport"
_PAGE_KINDS = ("cursor_loop", "repeat_page", "drop_rows")
_LISTS = re.compile(
    r"/(search|role-assignments|directories|users|groups|domains|events|events-stream|workspaces)$|^/admin/v1/orgs$"
)


class Transport(Protocol):
    """The connection's socket, as far as faults need it."""

    def abort(self) -> None:
        """Drop the connection at once."""

    def close(self) -> None:
        """Send what was written, then close."""


class Saboteur:
    """Wraps the application: logs every request and applies the rules."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(  # noqa: D102 - what every ASGI application does
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        traffic, epoch = self._traffic, self._traffic.epoch
        entry = traffic.note(scope["method"], scope["path"])
        ASKED.set(entry)

        def check() -> None:
            if traffic.epoch != epoch:
                raise Stale

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        async def arriving() -> Message:
            message = await receive()
            check()
            return message

        fault = traffic.rules.choose(scope["method"], scope["path"])
        entry.fault = None if fault is None else fault.kind
        try:
            if not traffic.rules.faults:
                await self._app(scope, arriving, noting)
                return
            if fault is not None and fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
                check()
            await self._sabotage(fault, scope, arriving, noting)
        except Stale:
            await _hang_up(scope)

    async def _sabotage(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        kind = None if fault is None else fault.kind
        if fault is not None and kind in ("no_effect", "late"):
            scope["sandbox.effect"] = "none" if kind == "no_effect" else Lag(seconds=fault.seconds, reads=fault.reads)
        elif fault is not None and kind not in (*_PAGE_KINDS, "slow"):
            await self._instead(fault, scope, receive, send)
            return
        answer = await _collect(self._app, scope, receive)
        if _LISTS.search(scope["path"]) and scope["path"].startswith("/admin/") and answer.status == 200:
            self._change_page(fault, answer, scope)
        elif scope["path"].startswith("/wiki/") and answer.status == 200 and answer.body:
            self._change_results(fault, answer, scope)
        await answer.send(send)

    async def _instead(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        answer = None
        if fault.carry_out or fault.kind == "truncate":
            answer = await _collect(self._app, scope, receive)
        if fault.kind == "truncate" and answer is not None:
            await _truncate(answer, scope, send)
        elif fault.kind == "reset":
            await _hang_up(scope)
        else:
            await _response(fault, scope)(scope, receive, send)

    def _change_page(self, fault: Fault | None, answer: Answer, scope: Scope) -> None:
        path: str = scope["path"]
        page = msgspec.json.decode(answer.body)
        rows = page["data"]
        if scope["method"] == "GET":  # where a cursor replaces the whole query
            asked: dict[str, Any] = {}
            cursor = QueryParams(scope["query_string"]).get("cursor")
        else:
            asked = msgspec.json.decode(answer.asked or b"{}")
            cursor = asked.pop("cursor", None)
        search = path.encode() + msgspec.json.encode(asked, order="deterministic")
        kind = None if fault is None else fault.kind
        if kind == "repeat_page":
            page["data"] = self._traffic.pages.get(search if cursor else path.encode(), rows)
        elif kind == "cursor_loop":
            page["links"]["next"] = _same_page(scope, cursor) or page["links"].get("next", "")
        elif fault is not None and kind == "drop_rows":
            page["data"] = rows[: max(0, len(rows) - fault.rows)]
        self._traffic.pages[search] = self._traffic.pages[path.encode()] = rows
        if kind in _PAGE_KINDS:
            answer.replace(msgspec.json.encode(page))

    def _change_results(self, fault: Fault | None, answer: Answer, scope: Scope) -> None:
        """A page of the site: its rows are ``results``, and ``_links`` name the next one, relative to the site."""
        page = msgspec.json.decode(answer.body)
        rows = page.get("results")
        if rows is None:
            return
        path: str = scope["path"]
        asked = QueryParams(scope["query_string"])
        kept = [item for item in asked.multi_items() if item[0] not in ("cursor", "start")]
        search = path.encode() + msgspec.json.encode(kept)
        kind = None if fault is None else fault.kind
        if kind == "repeat_page":
            continued = asked.get("cursor") is not None or asked.get("start", "0") != "0"
            page["results"] = self._traffic.pages.get(search if continued else path.encode(), rows)
        elif kind == "cursor_loop":
            page["_links"]["next"] = path.removeprefix("/wiki") + "?" + scope["query_string"].decode()
        elif fault is not None and kind == "drop_rows":
            page["results"] = rows[: max(0, len(rows) - fault.rows)]
        self._traffic.pages[search] = self._traffic.pages[path.encode()] = rows
        if kind in _PAGE_KINDS:
            answer.replace(msgspec.json.encode(page))


def _same_page(scope: Scope, cursor: str | None) -> str | None:
    """What names the page that was asked for, as a bare cursor or, in the first generation, as a URL."""
    if cursor is None or not scope["path"].startswith("/admin/v1/"):
        return cursor
    return str(Request(scope).url)


@dataclass
class Answer:
    """A whole answer, and the body that it answers."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    asked: bytes = b""

    def replace(self, body: bytes) -> None:
        """Another body, with its length in the headers."""
        self.body = body
        kept = [(name, value) for name, value in self.headers if name != b"content-length"]
        self.headers = [*kept, (b"content-length", b"%d" % len(body))]

    async def send(self, send: Send) -> None:
        """Send all of it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


async def _collect(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    answer = Answer()

    async def listening() -> Message:
        message = await receive()
        answer.asked += message.get("body", b"")
        return message

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    await app(scope, listening, keep)
    return answer


async def _truncate(answer: Answer, scope: Scope, send: Send) -> None:
    body = answer.body or b'{"data": ['
    answer.replace(body + b" " * len(body))
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    transport: Transport = scope[TRANSPORT]
    transport.close()
    await _until_gone()


async def _hang_up(scope: Scope) -> None:
    transport: Transport = scope[TRANSPORT]
    transport.abort()
    await _until_gone()


async def _until_gone() -> None:
    """Let the server notice that the connection is closed, before it misses the answer."""
    await asyncio.sleep(0.01)


def _response(fault: Fault, scope: Scope) -> Response:
    status = fault.status or (200 if fault.kind in ("html", "not_json") else 500)
    if fault.kind == "html":
        page = fault.body or "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"
        return Response(page, status, fault.headers, media_type="text/html")
    if fault.kind == "not_json":
        text = fault.body or "upstream connect error"
        return Response(text, status, fault.headers, media_type="application/json")
    response = _body(fault, status, scope["path"])
    response.headers.update(fault.headers)
    return response


def _body(fault: Fault, status: int, path: str) -> Response:
    match fault.shape:
        case "application":
            return answers.application(status, fault.code, "Error", fault.message).response
        case "gateway":
            return answers.gateway(status, fault.message).response
        case "spring":
            at = "2026-01-01T00:00:00Z"
            return answers.spring(status, "Error", fault.message, path, at).response
        case "confluence":
            return answers.confluence(status, fault.message).response
        case "empty":
            return Response(status_code=status)

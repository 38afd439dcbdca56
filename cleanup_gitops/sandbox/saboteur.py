"""Stands before the application: logs every request, and makes those go wrong that a rule names."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from email.utils import formatdate

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleanup_gitops.sandbox import connection
from cleanup_gitops.sandbox.answer import change_page, collect, shift, take_last_account
from cleanup_gitops.sandbox.asked import Asked
from cleanup_gitops.sandbox.effects import ASKED, LogEntry
from cleanup_gitops.sandbox.lifecycle import close
from cleanup_gitops.sandbox.options import Lag
from cleanup_gitops.sandbox.spoiled_answers import instead, limit_headers
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.storms import Met
from cleanup_gitops.sandbox.traffic import Stale, Traffic

INSTEAD = ("status", "throttle", "error_in_ok", "html", "not_json", "reset", "cursor_expired", "revoked")
NEAR = 5
"""Requests that ``near_limit`` leaves, of a hundred."""


class Saboteur:
    """Wraps the application: logs every request and applies the rules."""

    def __init__(self, app: ASGIApp, state: State, traffic: Traffic) -> None:
        self._app = app
        self._state = state
        self._traffic = traffic

    async def __call__(  # noqa: D102 - what every ASGI application does
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, self._dated(send))
            return
        traffic, epoch = self._traffic, self._traffic.epoch
        entry = traffic.note(scope["method"], scope["path"])
        ASKED.set(entry)

        def check() -> None:
            if traffic.epoch != epoch:
                raise Stale

        try:
            body = await _whole_body(receive, check)
            asked = Asked(scope["method"], scope["path"], scope["query_string"], body)
            met = traffic.rules.choose(asked, _credentials(scope)) if traffic.rules.rules else Met()
            entry.identity, entry.fault = asked.identity, met.name
            if met.fault is not None and met.fault.kind == "slow":
                await asyncio.sleep(met.fault.seconds)
                check()
            work = _Work(self._app, self._state, traffic, scope, asked, _again(body, receive))
            await work.answer(met, self._noting(entry, met, asked, send), check)
        except Stale:
            await connection.reset(scope)

    def _noting(self, entry: LogEntry, met: Met, asked: Asked, send: Send) -> Send:
        """`send`, with headers of what comes beside a fault, and the status in the log."""
        skew = sum(one.seconds for one in met.beside if one.kind == "skew")
        near = next((one for one in met.beside if one.kind == "near_limit"), None)
        more = {} if near is None else limit_headers(near, asked.path, self._state.seconds(), remaining=NEAR)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                told = {name.lower().encode(): value.encode() for name, value in more.items()}
                kept = [item for item in message["headers"] if item[0] not in told]
                message["headers"] = [*kept, *told.items()]
            await send(message)

        return self._dated(noting, skew)

    def _dated(self, send: Send, skew: float = 0.0) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._state.seconds() + skew, usegmt=True).encode()
                message["headers"] = [*message.get("headers", ()), (b"date", date)]
            await send(message)

        return dated


class _Work:
    """One request, and what becomes of it."""

    def __init__(
        self, app: ASGIApp, state: State, traffic: Traffic, scope: Scope, asked: Asked, receive: Callable[[], Receive]
    ) -> None:
        self._app = app
        self._state = state
        self._traffic = traffic
        self._scope = scope
        self._asked = asked
        self._receive = receive

    async def answer(self, met: Met, send: Send, check: Callable[[], None]) -> None:
        """Carry it out as far as it is to be, and answer as is to be."""
        fault, scope = met.fault, self._scope
        if not self._traffic.rules.rules:
            await self._app(scope, self._receive(), send)
        elif fault is not None and fault.kind in INSTEAD:
            if fault.carry_out:
                await collect(self._app, scope, self._receive())
            if fault.kind == "reset":
                await connection.reset(scope)
            else:
                await instead(fault, self._asked, self._state.seconds())(scope, self._receive(), send)
        else:
            await self._spoil(met, send, check)

    async def _spoil(self, met: Met, send: Send, check: Callable[[], None]) -> None:
        fault, kind = met.fault, None if met.fault is None else met.fault.kind
        if fault is not None and kind == "no_effect":
            self._scope["sandbox.effect"] = "none"
        elif fault is not None and kind == "late":
            self._scope["sandbox.effect"] = Lag(seconds=fault.seconds, reads=fault.reads)
        elif fault is not None and kind == "vanish":
            self._close(next(filter(self._state.user, (fault.account or "", *self._asked.accounts)), None))
        answer = await collect(self._app, self._scope, self._receive())
        if fault is not None and kind == "vanish" and self._asked.lists and not fault.account:
            runner = self._state.world.credentials.runner_account
            self._close(take_last_account(answer, runner))
        change_page(answer, fault, self._asked, self._scope, self._traffic.pages)
        for one in met.beside:
            if one.kind == "skew" and answer.body:
                answer.replace(shift(answer.body, one.seconds))
        if fault is not None and kind == "content_type":
            answer.set_header(b"content-type", fault.media_type.encode())
        if fault is not None and kind == "truncate":
            await connection.truncate(answer, fault, self._scope, send)
        elif fault is not None and kind == "drip":
            await connection.drip(answer, fault, self._scope, send, check)
        else:
            await answer.send(send)

    def _close(self, account: str | None) -> None:
        """The account is gone from now on."""
        user = self._state.user(account or "")
        if user is not None:
            close(self._state, user)
            self._state.save()


async def _whole_body(receive: Receive, check: Callable[[], None]) -> bytes:
    """The body of a request; raises `Stale` where its sender is gone before the end of it."""
    body = b""
    while True:
        message = await receive()
        check()
        if message["type"] != "http.request":
            raise Stale
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Callable[[], Receive]:
    """What gives the body once more, to each that asks for one; after it comes what really comes."""

    def fresh() -> Receive:
        given = False

        async def once() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        return once

    return fresh


def _credentials(scope: Scope) -> str:
    """A digest of what the request presents, so that no secret is kept."""
    return hashlib.sha256(Headers(scope=scope).get("authorization", "").encode()).hexdigest()

"""What a fault does to the connection: cut it, or let an answer trickle through it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import Scope, Send

from cleanup_gitops.sandbox.answer import Answer
from cleanup_gitops.sandbox.faults import Fault

TRANSPORT = "sandbox.transport"
ENDLESS = 1 << 30
"""Bytes that an answer without an end announces beyond its body."""


class Transport(Protocol):
    """The connection's socket, as far as faults need it."""

    def abort(self) -> None:
        """Drop the connection at once."""

    def close(self) -> None:
        """Send what was written, then close."""

    def is_closing(self) -> bool:
        """Whether either side ended it."""

    def get_extra_info(self, name: str) -> Any:  # noqa: ANN401 - as asyncio has it
        """What is known of it by name."""


async def reset(scope: Scope) -> None:
    """Reset the connection: the other side is told that it is gone, not that it ended."""
    transport: Transport = scope[TRANSPORT]
    known = transport.get_extra_info("socket")
    if known is not None:
        known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _until_gone()


async def truncate(answer: Answer, fault: Fault, scope: Scope, send: Send) -> None:
    """Send half of the body, which the headers call whole or, with `length` ``part``, do not."""
    _give_body(answer)
    half = answer.body[: len(answer.body) // 2]
    if fault.length == "part":
        answer.replace(half)
        await answer.send(send)
        return
    await answer.start(send)
    await send({"type": "http.response.body", "body": half, "more_body": True})
    transport: Transport = scope[TRANSPORT]
    transport.close()
    await _until_gone()


async def drip(answer: Answer, fault: Fault, scope: Scope, send: Send, check: Callable[[], None]) -> None:
    """Send `piece` bytes at a time, with `seconds` between them; `check` raises once nobody wants them any more."""
    transport: Transport = scope[TRANSPORT]
    if fault.endless:
        _give_body(answer)
        answer.replace(answer.body, len(answer.body) + ENDLESS)
    await answer.start(send)
    place = 0
    while (fault.endless or place < len(answer.body)) and not transport.is_closing():
        await send({"type": "http.response.body", "body": _piece(answer, place, fault.piece), "more_body": True})
        place += fault.piece
        await asyncio.sleep(fault.seconds)
        check()
    await send({"type": "http.response.body", "body": b""})


def _piece(answer: Answer, place: int, size: int) -> bytes:
    """The next bytes; after the end of the body they are spaces."""
    part = answer.body[place : place + size]
    return part if place < len(answer.body) else b" " * size


def _give_body(answer: Answer) -> None:
    """An answer without a body cannot break in its middle; then it gets one."""
    if not answer.body:
        answer.status = 200
        answer.set_header(b"content-type", b"application/json")
        answer.replace(b'{"data": [] }')


async def _until_gone() -> None:
    """Let the server notice that the connection is closed, before it misses the answer."""
    await asyncio.sleep(0.01)

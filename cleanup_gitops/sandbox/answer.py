"""A whole answer, held back until it is known what becomes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleanup_gitops.sandbox.asked import Asked
from cleanup_gitops.sandbox.faults import PAGES, Fault

_INSTANT = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d+)?Z)"')
_MILLISECONDS = re.compile(rb'"creationDate":(\d{13})')
Pages = dict[bytes, list[Any]]


@dataclass
class Answer:
    """Status, headers and body."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def replace(self, body: bytes, length: int | None = None) -> None:
        """Another body, with its length in the headers, or with another `length`."""
        self.body = body
        self.set_header(b"content-length", b"%d" % (len(body) if length is None else length))

    def set_header(self, name: bytes, value: bytes) -> None:
        """One header, in place of those with that name."""
        self.headers = [*(item for item in self.headers if item[0] != name), (name, value)]

    async def send(self, send: Send) -> None:
        """Send all of it."""
        await self.start(send)
        await send({"type": "http.response.body", "body": self.body})

    async def start(self, send: Send) -> None:
        """Send status and headers; some of the body must follow."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})


async def collect(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """What the application answers."""
    answer = Answer()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, keep)
    return answer


def change_page(answer: Answer, fault: Fault | None, asked: Asked, scope: Scope, pages: Pages) -> None:
    """Do to a page what the fault says, and remember its rows; what is no page stays as it is.

    A page of the admin host has its rows in ``data``, one of the site in ``results``.
    """
    if answer.status != 200 or not answer.body or not asked.path.startswith(("/admin/", "/wiki/")):
        return
    name = "data" if asked.path.startswith("/admin/") else "results"
    try:
        page = msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError:
        return
    rows = page.get(name)
    if not isinstance(rows, list):
        return
    search, last = _search(asked), asked.path.encode()
    kind = None if fault is None else fault.kind
    if kind == "repeat_page":
        page[name] = pages.get(search if asked.continued else last, rows)
    elif kind == "cursor_loop":
        _loop(page, asked, scope)
    elif fault is not None and kind == "drop_rows":
        page[name] = rows[: max(0, len(rows) - fault.rows)]
    pages[search] = pages[last] = rows
    if kind in PAGES:
        answer.replace(msgspec.json.encode(page))


def _search(asked: Asked) -> bytes:
    """What all pages of one search have in common."""
    if asked.path.startswith("/admin/") and asked.method == "GET":  # where a cursor replaces the whole query
        kept: object = {}
    elif asked.method == "GET":
        kept = [item for item in asked.params.multi_items() if item[0] not in ("cursor", "start")]
    else:
        kept = {name: value for name, value in asked.fields.items() if name != "cursor"}
    return asked.path.encode() + msgspec.json.encode(kept, order="deterministic")


def _loop(page: dict[str, Any], asked: Asked, scope: Scope) -> None:
    """The next page is the one that was asked for."""
    if asked.path.startswith("/wiki/"):
        page["_links"]["next"] = asked.path.removeprefix("/wiki") + "?" + asked.query.decode()
    elif asked.cursor is not None:
        whole_url = asked.path.startswith("/admin/v1/")
        page["links"]["next"] = str(Request(scope).url) if whole_url else asked.cursor
    else:
        page["links"].setdefault("next", "")


def shift(body: bytes, seconds: float) -> bytes:
    """The body with all its instants moved; dates without a time stay."""
    span = timedelta(seconds=seconds)

    def instant(found: re.Match[bytes]) -> bytes:
        try:
            moved = datetime.fromisoformat(found[1].decode()).replace(tzinfo=UTC) + span
        except (ValueError, OverflowError):
            return found[0]
        return b'"%s%s"' % (moved.strftime("%Y-%m-%dT%H:%M:%S").encode(), found[2])

    def number(found: re.Match[bytes]) -> bytes:
        return b'"creationDate":%d' % (int(found[1]) + int(seconds * 1000))

    return _MILLISECONDS.sub(number, _INSTANT.sub(instant, body))


def take_last_account(answer: Answer, spared: str) -> str | None:
    """Leave the last account out of a page, unless it is the `spared` one, and say which it was."""
    try:
        page = msgspec.json.decode(answer.body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    name = "data" if "data" in page else "results"
    rows = page.get(name)
    for row in reversed(rows if isinstance(rows, list) else []):
        found = (row.get("accountId") or row.get("account_id")) if isinstance(row, dict) else None
        if isinstance(found, str) and found != spared:
            answer.replace(msgspec.json.encode(page | {name: [one for one in page[name] if one is not row]}))
            return found
    return None

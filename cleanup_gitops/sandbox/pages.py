"""Pages of both API generations: bare cursor tokens in the second, whole URLs in the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import json_answer
from cleanup_gitops.sandbox.cursors import pack, unpack

URL_PAGE = 50
"""Rows on a page of a list of the first generation, which lets nobody choose."""
T = TypeVar("T")
Rows = Sequence[tuple[int, object]]


def continued(request: Request) -> tuple[list[tuple[str, str]], int]:
    """The query of a list by GET and the rank to go on after: a cursor replaces the whole query."""
    token = request.query_params.get("cursor")
    if token is None:
        return list(request.query_params.multi_items()), -1
    pairs, rank = unpack(token, tuple[list[tuple[str, str]], int])
    return pairs, rank


def page(rows: Rows, limit: int, token: Callable[[int], str]) -> Response:
    """A page of at most `limit` of the `rows`; one row more than that means there is a next page."""
    links = {"next": token(rows[limit - 1][0])} if len(rows) > limit else {}
    return json_answer({"data": [row for _, row in rows[:limit]], "links": links})


def url_page(
    request: Request, rows: Sequence[tuple[int, T]], show: Callable[[T], object], *, total: bool = False
) -> Response:
    """A page of the first generation out of all `rows`; raises `Refusal` for a bad cursor.

    With `total` it says how many rows there are on all pages.
    """
    _, after = continued(request)
    left = [item for item in rows if item[0] > after]
    body: dict[str, object] = {"data": [show(row) for _, row in left[:URL_PAGE]]}
    if total:
        body["meta"] = {"total": len(rows)}
    links = {"self": str(request.url)}
    if len(left) > URL_PAGE:
        links["next"] = next_url(request, pack(([], left[URL_PAGE - 1][0])))
    return json_answer(body | {"links": links})


def next_url(request: Request, token: str) -> str:
    """The URL of the next page, with the same query beside the cursor."""
    return str(request.url.include_query_params(cursor=token))

"""Workspaces: the apps of the organization, with their addresses and seats."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, application, json_answer
from cleanup_gitops.sandbox.cursors import pack, unpack
from cleanup_gitops.sandbox.state import PLATFORM, State
from cleanup_gitops.sandbox.world import Resource

FIELDS = ("id", "attributes.name", "attributes.type", "attributes.typeKey", "attributes.status", "attributes.hostUrl")


class Field(msgspec.Struct, forbid_unknown_fields=True):
    """One of several values of a field."""

    name: str
    values: list[str]


class Query(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One condition; exactly one of its parts is given. `features` and `policies` are those of no workspace."""

    and_: list[Query] | None = msgspec.field(default=None, name="and")
    nor: list[Query] | None = None
    field: Field | None = None
    search_workspaces: str | None = None
    value: str | None = None
    features: list[str] | None = None
    policies: list[str] | None = None


class SortField(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of ``sort``."""

    field: str
    order: Literal["asc", "desc"] = "asc"


class Search(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a search. A cursor stands alone."""

    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 20
    query: Query | None = None
    sort: list[SortField] | None = None


class Workspaces:
    """The handler of the search for workspaces."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def search(self, request: Request) -> Response:
        """POST v2 workspaces."""
        raw = await request.body() or b"{}"
        wanted, start = _decode(raw), 0
        if wanted.cursor is not None:
            if msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).keys() != {"cursor"}:
                raise _bad("With a cursor nothing else may be sent.")
            wanted, start = unpack(wanted.cursor, tuple[Search, int])
        self._state.count_read()
        found = [row for row in map(self._row, self._products()) if wanted.query is None or _fits(row, wanted.query)]
        for sort in reversed(wanted.sort or []):
            found.sort(key=partial(_value, name=sort.field), reverse=sort.order == "desc")
        end = start + wanted.limit
        wanted.cursor = None
        links = {"self": str(request.url)}
        if end < len(found):
            links["next"] = pack((wanted, end))
        shown = found[start:end]
        meta = {"pageSize": len(shown), "startIndex": start, "endIndex": start + len(shown), "total": len(found)}
        return json_answer({"data": shown, "links": links, "meta": meta})

    def _products(self) -> list[Resource]:
        return [item for item in self._state.world.resources if item.owner != PLATFORM]

    def _row(self, resource: Resource) -> dict[str, object]:
        site = self._state.world.site
        return {
            "id": resource.id,
            "type": "workspace",
            "attributes": {
                "name": site.name,
                "type": resource.owner,
                "typeKey": resource.key,
                "owner": None,
                "hostUrl": f"https://{site.name}.atlassian.net",
                "status": resource.status,
                "statusDetails": [],
                "capacity": resource.capacity,
                "usage": None if resource.capacity is None else self._state.seats(resource.name),
                "labels": [],
                "realm": "commercial",
                "regions": [],
                "sandbox": {"type": "NONE"},
            },
            "links": {"self": f"/v2/workspaces/{resource.id}"},
            "relationships": {},
        }


def _fits(row: dict[str, object], query: Query) -> bool:
    if query.and_ is not None:
        return all(_fits(row, part) for part in query.and_)
    if query.nor is not None:
        return not any(_fits(row, part) for part in query.nor)
    if query.field is not None:
        return _value(row, query.field.name) in query.field.values
    text = query.search_workspaces if query.search_workspaces is not None else query.value
    if text is not None:
        places = (_value(row, "attributes.name"), _value(row, "attributes.hostUrl"))
        return any(text.casefold() in place.casefold() for place in places)
    return query.features is None and query.policies is None


def _value(row: dict[str, object], name: str) -> str:
    if name not in FIELDS:
        raise _bad(f"{name} is no field to ask for; there are {', '.join(FIELDS)}.")
    found: object = row
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return str(found)


def _decode(body: bytes) -> Search:
    try:
        return msgspec.json.decode(body, type=Search)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _bad(str(error)) from None


def _bad(detail: str) -> Refusal:
    return application(400, "ADMIN-400-4", "Invalid resource", detail)

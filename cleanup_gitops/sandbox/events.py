"""The organization's audit log: asked with filters, or polled as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, application, json_answer
from cleanup_gitops.sandbox.cursors import pack
from cleanup_gitops.sandbox.pages import continued, next_url
from cleanup_gitops.sandbox.queries import query
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.views import visible_address
from cleanup_gitops.sandbox.world import Event, parse_time

Product = Literal["bitbucket", "confluence", "guard_detect", "jira", "loom"]
Limit = Annotated[int, Meta(ge=1, le=500)]
SINGLE = {"cursor", "q", "from", "to", "action", "location", "limit", "sortOrder"}
CITY, COUNTRY = "Oslo", "Norway"
GROUPED = {
    "user_suspended_in_directory": "User management",
    "user_active_in_directory": "User management",
    "user_removed_from_directory": "User management",
    "user_invited_to_organization": "User management",
    "user_activated": "Account management",
    "user_deactivated": "Account management",
    "user_deletion_requested": "Account management",
    "user_deletion_cancelled": "Account management",
    "user_provisioned": "Provisioning",
    "user_deprovisioned": "Provisioning",
    "group_members_provisioned": "Provisioning",
    "user_granted_role": "Access management",
    "user_revoked_role": "Access management",
    "user_added_to_group": "Group management",
    "user_removed_from_group": "Group management",
    "group_created": "Group management",
    "group_deleted": "Group management",
    "group_granted_role": "Access management",
    "group_revoked_role": "Access management",
}
"""The actions of this organization, by identifier, and the heading that each is shown under."""


class Place(msgspec.Struct, rename="camel"):
    """One entry of ``location``."""

    city: str = ""
    country_name: str = ""


class EventQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query of ``events``; instants are milliseconds since 1970."""

    cursor: str | None = None
    q: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    action: str | None = None
    actor: list[str] | None = None
    ip: list[str] | None = None
    product: list[Product] | None = None
    location: str | None = None
    limit: Limit = 30


class StreamQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """The query of ``events-stream``."""

    cursor: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    limit: Limit = 200
    sort_order: Literal["asc", "desc"] = "asc"


class Events:
    """Handlers of the audit log."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def search(self, request: Request) -> Response:
        """GET v1 events, newest first."""
        pairs, after = continued(request)
        wanted = query(_split(pairs), EventQuery, SINGLE, _bad)
        span = _span(wanted.from_, wanted.to)
        if wanted.q is not None and len(wanted.q.split()) > 1:
            raise application(400, "ADMIN-400-21", "Too many queries", "q takes a single term.")
        places = _places(wanted.location)
        rows = [
            (rank, event)
            for rank, event in self._ranked()
            if _within(event, span) and self._fits(event, wanted, places)
        ]
        return self._page(request, rows[::-1], wanted.limit, (pairs, after), backwards=True)

    async def stream(self, request: Request) -> Response:
        """GET v1 events-stream: the last page too has a cursor, under which new events come."""
        pairs, after = continued(request)
        wanted = query(pairs, StreamQuery, SINGLE, _bad)
        span = _span(wanted.from_, wanted.to)
        rows = [(rank, event) for rank, event in self._ranked() if _within(event, span)]
        backwards = wanted.sort_order == "desc"
        if backwards:
            rows.reverse()
        return self._page(request, rows, wanted.limit, (pairs, after), backwards=backwards, processed=True)

    async def event(self, request: Request) -> Response:
        """GET v1 events/{id}."""
        for event in self._state.world.events:
            if event.id == request.path_params["event"]:
                base = str(request.url.replace(query="")).rpartition("/")[0]
                return json_answer({"data": self._row(event, base, processed=False)})
        raise application(404, "ADMIN-404-4", "Event not found", "No such event.")

    async def actions(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        """GET v1 event-actions."""
        rows = [
            {
                "id": action,
                "type": "event-actions",
                "attributes": {"displayName": action.replace("_", " ").capitalize(), "groupDisplayName": group},
            }
            for action, group in GROUPED.items()
        ]
        return json_answer({"data": rows})

    def _ranked(self) -> list[tuple[int, Event]]:
        return list(enumerate(self._state.world.events))

    def _fits(self, event: Event, wanted: EventQuery, places: Sequence[Place] | None) -> bool:
        if wanted.q is not None and wanted.q.casefold() not in msgspec.json.encode(event).decode().casefold():
            return False
        product = event.product.partition("-")[0]
        return (
            wanted.action in (None, event.action)
            and (wanted.actor is None or event.actor in wanted.actor)
            and (wanted.ip is None or event.ip in wanted.ip)
            and (wanted.product is None or product in wanted.product)
            and (places is None or any(p.city in ("", CITY) and p.country_name in ("", COUNTRY) for p in places))
        )

    def _page(
        self,
        request: Request,
        rows: list[tuple[int, Event]],
        limit: int,
        place: tuple[list[tuple[str, str]], int],
        *,
        backwards: bool,
        processed: bool = False,
    ) -> Response:
        """The page after the event with the rank in `place`; `rows` come in the order asked for."""
        pairs, after = place
        if after >= 0:
            rows = [item for item in rows if (item[0] < after if backwards else item[0] > after)]
        shown = rows[:limit]
        base = str(request.url.replace(query="")).replace("events-stream", "events")
        links = {"self": str(request.url)}
        meta: dict[str, object] = {"page_size": len(shown)}
        token = pack((pairs, shown[-1][0] if shown else after))
        if len(rows) > limit:
            links["next"] = next_url(request, token)
        if len(rows) > limit or processed:
            meta["next"] = token
        data = [self._row(event, base, processed=processed) for _, event in shown]
        return json_answer({"data": data, "meta": meta, "links": links})

    def _row(self, event: Event, base: str, *, processed: bool) -> dict[str, object]:
        actor = self._state.user(event.actor)
        person = f"{base.rpartition('/')[0]}/users/{event.actor}"
        who: dict[str, object] = {"id": event.actor, "links": {"self": person}}
        if actor is not None:
            who["name"] = actor.name
            address = visible_address(self._state, actor)
            if address is not None:
                who["email"] = address
        attributes: dict[str, object] = {
            "time": event.at,
            "action": event.action,
            "actor": who,
            "context": [{"id": value, "type": kind, "attributes": {}} for kind, value in event.about.items()],
            "container": [{"id": self._state.world.organization.id, "type": "org", "attributes": {}}],
            "location": {"ip": event.ip, "city": CITY, "regionName": CITY, "countryName": COUNTRY},
        }
        if processed:
            attributes["processedAt"] = event.at
        return {
            "id": event.id,
            "type": "events",
            "attributes": attributes,
            "message": {"content": event.action.replace("_", " "), "format": "simple"},
            "links": {"self": f"{base}/{event.id}"},
        }


def _split(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lists come as repeated keys or separated by commas."""
    found = []
    for key, value in pairs:
        found += [(key, part) for part in value.split(",")] if key in ("actor", "ip", "product") else [(key, value)]
    return found


def _span(first: str | None, last: str | None) -> tuple[datetime | None, datetime | None]:
    try:
        instants = [None if text is None else datetime.fromtimestamp(int(text) / 1000, UTC) for text in (first, last)]
    except (ValueError, OverflowError, OSError):
        raise application(400, "ADMIN-400-3", "Invalid time date", "from and to are milliseconds since 1970.") from None
    return instants[0], instants[1]


def _within(event: Event, span: tuple[datetime | None, datetime | None]) -> bool:
    at = parse_time(event.at)
    return (span[0] is None or span[0] <= at) and (span[1] is None or at <= span[1])


def _places(location: str | None) -> list[Place] | None:
    if location is None:
        return None
    try:
        return msgspec.json.decode(location, type=list[Place])
    except msgspec.DecodeError as error:
        raise _bad(str(error)) from None


def _bad(detail: str) -> Refusal:
    return application(400, "ADMIN-400-19", "Invalid request syntax", detail)

"""Endpoints below ``/_sandbox`` with which a test or a demo plays fate, without credentials.

``GET /_sandbox/world``            what the world holds now, in numbers
``POST /_sandbox/clock``           ``{"advance_days": 1.5}``, ``{"advance_seconds": 30}`` or
                                   ``{"set": "2026-12-01T09:00:00Z"}``
``POST /_sandbox/settle``          changes that show late show now
``POST /_sandbox/options``         change some of the world's `Options`; GET shows all
``GET /_sandbox/mails``            account ids of those who were sent a mail
``GET /_sandbox/requests``         every request so far: method, path, status; DELETE forgets them
``GET /_sandbox/effects``          what every accepted write changed, see ``effects``
``PUT /_sandbox/snapshots/{name}`` keep everything as it is now; POST puts it back, DELETE forgets it;
                                   ``GET /_sandbox/snapshots`` lists them
``POST /_sandbox/faults``          a rule or a list of rules, see ``faults`` and ``storms``; GET lists, DELETE ends
``GET /_sandbox/faults/done``      what went wrong so far, as rules that repeat it when they are posted
``POST /_sandbox/users/{id}``      somebody else changes a user, see ``outside``
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cleanup_gitops.sandbox.answers import Refusal, json_answer
from cleanup_gitops.sandbox.handlers import Handler, Table
from cleanup_gitops.sandbox.lifecycle import close_deleted
from cleanup_gitops.sandbox.options import Options
from cleanup_gitops.sandbox.outside import Others, bad, decode, instant
from cleanup_gitops.sandbox.snapshots import Snapshot, Snapshots, arrived
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.storms import read_rules
from cleanup_gitops.sandbox.traffic import Traffic
from cleanup_gitops.sandbox.world import format_time


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """One of the three."""

    advance_days: float | None = None
    advance_seconds: float | None = None
    set: str | None = None


class Control:
    """Control endpoints over one state."""

    def __init__(self, state: State, traffic: Traffic, snapshots: Snapshots) -> None:
        self.state = state
        self._traffic = traffic
        self._snapshots = snapshots

    def routes(self) -> list[Route]:
        """All routes."""
        table: Table = [
            ("GET", "/_sandbox/world", self.world),
            ("POST", "/_sandbox/clock", self.clock),
            ("POST", "/_sandbox/settle", self.settle),
            ("GET", "/_sandbox/options", self.options),
            ("POST", "/_sandbox/options", self.change_options),
            ("GET", "/_sandbox/mails", self.mails),
            ("GET", "/_sandbox/requests", self.requests),
            ("DELETE", "/_sandbox/requests", self.forget_requests),
            ("GET", "/_sandbox/effects", self.effects),
            ("GET", "/_sandbox/snapshots", self.snapshots),
            ("PUT", "/_sandbox/snapshots/{name}", self.keep),
            ("POST", "/_sandbox/snapshots/{name}", self.put_back),
            ("DELETE", "/_sandbox/snapshots/{name}", self.forget_snapshot),
            ("GET", "/_sandbox/faults", self.faults),
            ("GET", "/_sandbox/faults/done", self.faults_done),
            ("POST", "/_sandbox/faults", self.add_faults),
            ("DELETE", "/_sandbox/faults", self.clear_faults),
            ("POST", "/_sandbox/users/{user}", Others(self.state).change_user),
        ]
        return [Route(path, _guarded(to), methods=[method]) for method, path, to in table]

    async def world(self, request: Request) -> Response:  # noqa: ARG002 - a handler's signature
        """GET world."""
        return json_answer(self.summary())

    def summary(self) -> dict[str, Any]:
        """The world in numbers."""
        state, world = self.state, self.state.world
        return {
            "now": format_time(state.now()),
            "site": world.site.name,
            "cloud_id": world.site.cloud_id,
            "organization": world.organization.id,
            "directories": [directory.id for directory in world.directories],
            "users": len(world.users),
            "groups": len(world.groups),
            "status": dict(sorted(Counter(map(state.status, world.users)).items())),
            "seats": {
                name: {"used": state.seats(name), "capacity": resource.capacity}
                for name, resource in state.resources.items()
                if resource.capacity is not None
            },
            "waiting_changes": len(state.late),
        }

    async def clock(self, request: Request) -> Response:
        """POST clock."""
        change = decode(await request.body(), ClockChange)
        if [change.advance_days, change.advance_seconds, change.set].count(None) != 2:
            raise bad("give one of advance_days, advance_seconds and set")
        if change.set is not None:
            self.state.set_clock(instant(change.set))
        else:
            step = timedelta(days=change.advance_days or 0, seconds=change.advance_seconds or 0)
            self.state.set_clock(self.state.now() + step)
        close_deleted(self.state)
        return json_answer({"now": format_time(self.state.now())})

    async def settle(self, request: Request) -> Response:  # noqa: ARG002
        """POST settle."""
        self.state.settle_all()
        return json_answer({"waiting_changes": len(self.state.late)})

    async def options(self, request: Request) -> Response:  # noqa: ARG002
        """GET options."""
        return json_answer(self.state.world.options)

    async def change_options(self, request: Request) -> Response:
        """POST options."""
        options = self.state.world.options
        change = decode(await request.body(), dict[str, Any])
        try:
            found = msgspec.convert({**msgspec.to_builtins(options), **change}, Options)
            for limit in found.rate_limits:
                re.compile(limit.path)
        except (msgspec.ValidationError, re.error) as error:
            raise bad(str(error)) from None
        for name in change:
            setattr(options, name, getattr(found, name))
        self.state.save()
        return json_answer(options)

    async def mails(self, request: Request) -> Response:  # noqa: ARG002
        """GET mails."""
        return json_answer(self.state.mails)

    async def requests(self, request: Request) -> Response:  # noqa: ARG002
        """GET requests."""
        return json_answer(self._traffic.log)

    async def forget_requests(self, request: Request) -> Response:  # noqa: ARG002
        """DELETE requests."""
        self._traffic.log.clear()
        return Response(status_code=204)

    async def effects(self, request: Request) -> Response:  # noqa: ARG002
        """GET effects."""
        return json_answer(self.state.effects.rows)

    async def snapshots(self, request: Request) -> Response:  # noqa: ARG002
        """GET snapshots."""
        return json_answer({name: _measures(one) for name, one in self._snapshots.named.items()})

    async def keep(self, request: Request) -> Response:
        """PUT snapshots/{name}."""
        await arrived()
        kept = self._snapshots.named[request.path_params["name"]] = self._snapshots.take()
        return json_answer(_measures(kept), 201)

    async def put_back(self, request: Request) -> Response:
        """POST snapshots/{name}."""
        await arrived()
        kept = self._kept(request)
        self._snapshots.restore(kept)
        return json_answer(_measures(kept))

    async def forget_snapshot(self, request: Request) -> Response:
        """DELETE snapshots/{name}."""
        self._kept(request)
        del self._snapshots.named[request.path_params["name"]]
        return Response(status_code=204)

    def _kept(self, request: Request) -> Snapshot:
        found = self._snapshots.named.get(request.path_params["name"])
        if found is None:
            raise bad("no such snapshot", 404)
        return found

    async def faults(self, request: Request) -> Response:  # noqa: ARG002
        """GET faults."""
        return json_answer(self._traffic.rules.rules)

    async def faults_done(self, request: Request) -> Response:  # noqa: ARG002
        """GET faults/done."""
        return json_answer(self._traffic.rules.done)

    async def add_faults(self, request: Request) -> Response:
        """POST faults."""
        try:
            self._traffic.rules.add(read_rules(await request.body()))
        except ValueError as error:
            raise bad(str(error)) from None
        return json_answer(self._traffic.rules.rules, 201)

    async def clear_faults(self, request: Request) -> Response:  # noqa: ARG002
        """DELETE faults."""
        self._traffic.rules.clear()
        return Response(status_code=204)


def _guarded(handler: Handler) -> Handler:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal.response

    return endpoint


def _measures(kept: Snapshot) -> dict[str, object]:
    return {
        "now": format_time(kept.moment),
        "users": len(kept.lists["users"]),
        "waiting_changes": len(kept.late),
        "requests": len(kept.log),
        "effects": len(kept.effects),
    }

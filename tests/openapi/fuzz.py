"""Requests made up by schemathesis for what the sandbox serves of a published file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import Match, Route

from cleanup_gitops.sandbox.server import RunningSandbox
from tests.openapi.published import LEFT_OUT
from tests.openapi.schemas import METHODS


@dataclass(frozen=True)
class Served:
    """Those operations of one file that the sandbox serves, as a file of their own."""

    text: dict[str, Any]
    prefix: str
    operations: tuple[str, ...]


def served(box: RunningSandbox, path: Path, prefix: str) -> Served:
    """What `box` serves of the file at `path`, whose paths lie below `prefix`."""
    text = json.loads(path.read_text("utf-8"))
    below = prefix if prefix in LEFT_OUT else ""
    kept: dict[str, dict[str, Any]] = {}
    for template, item in text["paths"].items():
        methods = [method for method in item if method in METHODS and _leads(box, method, below + template)]
        if methods:
            kept[template] = {name: item[name] for name in item if name in methods or name not in METHODS}
    told = tuple(f"{method.upper()} {template}" for template in kept for method in kept[template] if method in METHODS)
    return Served({**text, "paths": kept, "servers": [{"url": box.url + below}]}, below, told)


def _leads(box: RunningSandbox, method: str, template: str) -> bool:
    """Whether a route of its own answers, not one of those that answer for everything else."""
    scope = {"type": "http", "method": method.upper(), "path": re.sub(r"\{\w+\}", "x", template), "headers": []}
    found = next((route for route in routes(box) if route.matches(scope)[0] is Match.FULL), None)
    return found is not None and ":path}" not in found.path


def routes(box: RunningSandbox) -> Iterator[Route]:
    """All routes of the application."""
    yield from (route for route in box._app.routes if isinstance(route, Route))


def authorization(box: RunningSandbox, prefix: str) -> str:
    """What opens the API below `prefix`."""
    if prefix.startswith("/wiki"):
        return f"Basic {base64.b64encode(f'{box.user_email}:{box.api_token}'.encode()).decode()}"
    if prefix == "/scim":
        return f"Bearer {box.world.scim_directories[0].api_key}"
    return f"Bearer {box.org_api_key}"


def real_names(box: RunningSandbox, prefix: str) -> Mapping[str, list[str]]:
    """Values that lead somewhere, by the names that published paths, queries and bodies have for them."""
    world = box.world
    users = [user.id for user in world.users[:4]]
    groups = [group.id for group in world.groups[:4]]
    if prefix == "/scim":
        records = [record.id for record in world.scim_users[:2]]
        synced = [group.id for group in world.groups if group.scim is not None][:2]
        return {"directoryId": [world.scim_directories[0].id], "id": records + synced, "userId": records}
    return {
        "orgId": [world.organization.id],
        "directoryId": [*(directory.id for directory in world.directories), "-"],
        "resource": [resource.id for resource in world.resources],
        "resourceId": [resource.id for resource in world.resources],
        **dict.fromkeys(("groupId", "id"), groups),
        **dict.fromkeys(("userId", "accountId", "account_id"), users),
    }


def lead(values: MutableMapping[str, Any], names: Mapping[str, list[str]], choice: int) -> None:
    """Put values that lead somewhere where a name for them stands; `choice` 0 leaves all as they are."""
    for name in values.keys() & names.keys() if choice else ():
        values[name] = names[name][choice % len(names[name])]

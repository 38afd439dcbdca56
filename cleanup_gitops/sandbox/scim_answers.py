"""Bodies of the provisioning API: people and groups under their SCIM names, pages, and errors."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, json_answer
from cleanup_gitops.sandbox.records import ScimGroup, ScimUser
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import Group

T = TypeVar("T")
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ATLASSIAN = "urn:scim:schemas:extension:atlassian-external:1.0"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
ALWAYS = ("schemas", "id")
PAGE = 10_000
_FILTER = re.compile(r'^\s*(\w+)\s+eq\s+"((?:[^"\\]|\\.)*)"\s*$', re.IGNORECASE)


def scim_answer(body: object, status: int = 200) -> Response:
    """`body` in the media type of this API."""
    response = json_answer(body, status)
    response.headers["content-type"] = "application/scim+json"
    return response


def scim_error(status: int, detail: str, kind: str | None = None) -> Refusal:
    """An error of the service; `kind` is its ``scimType``."""
    body = {"schemas": [ERROR], "status": str(status), "detail": detail}
    return Refusal(scim_answer(body | ({"scimType": kind} if kind else {}), status))


def failure(status: int, message: str) -> Refusal:
    """An error of what stands in front of the service."""
    return Refusal(json_answer({"error": message, "traceId": "0" * 16}, status))


def user_view(state: State, record: ScimUser, base: str) -> dict[str, Any]:
    """A record of the identity provider; what it did not send is shown as the account has it."""
    account = None if record.account is None else state.user(record.account)
    shown: dict[str, Any] = {"schemas": [USER, ENTERPRISE, ATLASSIAN], "id": record.id, "userName": record.user_name}
    if record.external_id is not None:
        shown["externalId"] = record.external_id
    if account is not None:
        shown |= {"displayName": account.name, "nickName": account.nickname, "name": {"formatted": account.name}}
        shown["emails"] = [{"value": account.email or record.user_name, "type": "work", "primary": True}]
        more = {"title": account.job_title, "department": account.department, "organization": account.organization}
        more["timezone"] = account.time_zone
        shown |= {name: value for name, value in more.items() if value}
        shown[ATLASSIAN] = {"atlassianAccountId": account.id}
        joined = [state.groups[group_id] for group_id in account.groups]
        shown["groups"] = [
            {"type": "GROUP", "value": group.scim.id, "display": group.name, "$ref": f"{base}/Groups/{group.scim.id}"}
            for group in joined
            if group.scim is not None and group.scim.directory == record.directory
        ]
    shown |= copy.deepcopy(record.profile)
    extra = {name: shown[name] for name in ("organization", "department") if name in shown}
    if extra:
        shown[ENTERPRISE] = extra
    shown["meta"] = {
        "resourceType": "USER",
        "location": f"{base}/Users/{record.id}",
        "created": record.created,
        "lastModified": record.modified,
    }
    shown["active"] = record.active
    return shown


def group_view(state: State, group: Group, link: ScimGroup, base: str) -> dict[str, Any]:
    """A group, `link` in this API, with those of its members that the identity provider knows."""
    accounts = {state.world.users[place].id for place in state.members.get(group.id, ())}
    members = [
        {"type": "USER", "value": record.id, "display": record.user_name, "$ref": f"{base}/Users/{record.id}"}
        for record in state.world.scim_users
        if record.account in accounts and record.directory == link.directory
    ]
    shown: dict[str, Any] = {"schemas": [GROUP], "id": link.id, "displayName": group.name, "members": members}
    if link.external_id is not None:
        shown["externalId"] = link.external_id
    shown["meta"] = {"resourceType": "GROUP", "location": f"{base}/Groups/{link.id}"}
    return shown


def list_page(request: Request, rows: Sequence[T], show: Callable[[T], dict[str, Any]]) -> Response:
    """A page by ``startIndex`` (from 1) and ``count``."""
    start, count = max(1, _whole(request, "startIndex", 1)), max(0, _whole(request, "count", PAGE))
    shown = [show(row) for row in rows[start - 1 : start - 1 + min(count, PAGE)]]
    body = {"schemas": [LIST], "totalResults": len(rows), "startIndex": start, "itemsPerPage": len(shown)}
    return scim_answer({**body, "Resources": shown})


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise scim_error(400, f"{name} must be a whole number", "invalidValue")
    return int(text)


def read_filter(request: Request, known: Iterable[str]) -> tuple[str, str] | None:
    """The only filter there is, ``attribute eq "value"``; raises `Refusal` 400 for any other."""
    text = request.query_params.get("filter")
    if text is None:
        return None
    found = _FILTER.match(text)
    names = {name.casefold(): name for name in known}
    if found is None or found.group(1).casefold() not in names:
        raise scim_error(400, f"filter by {' or '.join(names.values())} with eq", "invalidFilter")
    return names[found.group(1).casefold()], re.sub(r"\\(.)", r"\1", found.group(2))


def selection(request: Request) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What ``attributes`` or ``excludedAttributes`` leave of a view; raises `Refusal` 400 for both at once."""
    wanted, unwanted = (request.query_params.get(name) for name in ("attributes", "excludedAttributes"))
    if wanted is not None and unwanted is not None:
        raise scim_error(400, "attributes and excludedAttributes exclude each other", "invalidValue")
    if wanted is not None:
        kept = {name.strip().partition(".")[0] for name in wanted.split(",")} | set(ALWAYS)
        return lambda view: {name: value for name, value in view.items() if name in kept}
    if unwanted is not None:
        left_out = {name.strip() for name in unwanted.split(",")} - set(ALWAYS)
        return lambda view: {name: value for name, value in view.items() if name not in left_out}
    return lambda view: view

"""Reading the bodies of the provisioning API."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request

from cleanup_gitops.sandbox.profile import address_problem
from cleanup_gitops.sandbox.scim_answers import ATLASSIAN, ENTERPRISE, scim_error

ATTRIBUTES = (
    "emails", "name", "displayName", "nickName", "title", "preferredLanguage", "department",
    "organization", "timezone", "phoneNumbers",
)  # fmt: skip
"""What an identity provider may set, beside ``userName``, ``externalId`` and ``active``."""
READ_ONLY = ("schemas", "id", "meta", "groups", ENTERPRISE, ATLASSIAN)
_LISTS = ("emails", "phoneNumbers")


class Operation(NamedTuple):
    """One step of a PATCH; without `path` the value is an object of attributes."""

    op: str
    path: str
    value: Any


async def read_object(request: Request) -> dict[str, Any]:
    """The body, an object; raises `Refusal` 400."""
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise scim_error(400, f"The body cannot be read: {error}", "invalidSyntax") from None


async def operations(request: Request) -> list[Operation]:
    """The steps of a PATCH, under ``Operations`` in any case of its letters; raises `Refusal` 400."""
    body = await read_object(request)
    rows = next((value for name, value in body.items() if name.casefold() == "operations"), None)
    if not isinstance(rows, list) or not rows:
        raise scim_error(400, "Operations must be a list with something in it", "invalidSyntax")
    found = []
    for row in rows:
        op = row.get("op") if isinstance(row, dict) else None
        if not isinstance(op, str) or op.casefold() not in ("add", "replace", "remove"):
            raise scim_error(400, "op must be add, replace or remove", "invalidSyntax")
        path = row.get("path", "")
        if not isinstance(path, str):
            raise scim_error(400, "path must be a text", "invalidPath")
        found.append(Operation(op.casefold(), path, row.get("value")))
    return found


def check_attribute(name: str, value: object) -> None:
    """Raises `Refusal` 400 where `value` cannot be that of the attribute `name`."""
    if name in READ_ONLY:
        return
    if name == "active":
        right = isinstance(value, bool)
    elif name in _LISTS:
        right = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    elif name == "name":
        right = isinstance(value, dict)
    elif name in (*ATTRIBUTES, "userName", "externalId"):
        right = isinstance(value, str) and (bool(value) or name != "userName")
    else:
        raise scim_error(400, f"There is no attribute {name}", "invalidPath")
    if not right:
        raise scim_error(400, f"That is no value for {name}", "invalidValue")


def primary_address(body: dict[str, Any]) -> str:
    """The primary address among ``emails``, which must be there; raises `Refusal` 400."""
    emails = body.get("emails")
    rows = [item for item in emails if isinstance(item, dict)] if isinstance(emails, list) else []
    chosen = next((item for item in rows if item.get("primary")), rows[0] if len(rows) == 1 else {})
    email = chosen.get("value")
    if address_problem(email):
        raise scim_error(400, "emails must hold one primary address", "invalidValue")
    return str(email)

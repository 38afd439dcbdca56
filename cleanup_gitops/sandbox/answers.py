"""Bodies of refusals. The admin host speaks three shapes and the Confluence site one of its own.

``application``: ``{"errors": [{"id", "status", "code", "title", "detail"}]}`` from the services,
``gateway``: ``{"code", "message"}`` from the proxy in front of them (credentials, rate limits),
``spring``: a framework's own error page as JSON, seen for organizations that a key may not manage.
"""

from __future__ import annotations

import hashlib

import msgspec
from starlette.responses import Response


class Refusal(Exception):  # noqa: N818 - an answer like any other, not a failure
    """Carries the answer of a request that is not carried out."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def json_answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`body` as JSON."""
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def application(status: int, code: str, title: str, detail: str) -> Refusal:
    """An error of the services behind the admin host, such as ``ADMIN-404-8``."""
    error = {
        "id": hashlib.sha256(f"{code}/{detail}".encode()).hexdigest()[:32],
        "status": str(status),
        "code": code,
        "title": title,
        "detail": detail,
    }
    return Refusal(json_answer({"errors": [error]}, status))


def unwrapped(refusal: Refusal) -> Refusal:
    """The only error in the list, without the list; what is no such list stays as it is."""
    body = msgspec.json.decode(refusal.response.body)
    errors = body.get("errors")
    return Refusal(json_answer(errors[0], refusal.response.status_code)) if errors else refusal


def gateway(status: int, message: str, headers: dict[str, str] | None = None) -> Refusal:
    """An error of the proxy in front of the admin host."""
    return Refusal(json_answer({"code": status, "message": message}, status, headers))


def spring(status: int, error: str, message: str, path: str, at: str) -> Refusal:
    """An error in the shape of the framework behind the first API generation."""
    body = {
        "timestamp": at,
        "path": f"/api{path}",
        "status": status,
        "error": error,
        "message": message,
        "requestId": hashlib.sha256(path.encode()).hexdigest()[:8],
    }
    return Refusal(json_answer(body, status))


def confluence(status: int, message: str) -> Refusal:
    """An error of Confluence's first REST API."""
    data = {
        "authorized": status not in (401, 403),
        "valid": True,
        "errors": [],
        "successful": False,
    }
    return Refusal(json_answer({"statusCode": status, "data": data, "message": message}, status))


def bad_body(detail: str) -> Refusal:
    """The body or the query cannot be understood."""
    return application(400, "ADMIN-400-24", "Invalid request", detail)


def bad_cursor() -> Refusal:
    """The cursor is not one of this search."""
    return application(400, "ADMIN-400-1", "Invalid page cursor", "The cursor does not belong to this request.")


def unknown_user() -> Refusal:
    """No such account in the directory."""
    return application(404, "ADMIN-404-8", "User not found", "No such user in the directory.")


def unknown_group() -> Refusal:
    """No such group in the directory."""
    return application(404, "ADMIN-404-10", "Group not found", "No such group in the directory.")


def unknown_resource() -> Refusal:
    """No such product, site or endpoint."""
    return application(404, "ADMIN-404-1", "Unknown resource", "No such resource.")

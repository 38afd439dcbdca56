"""Answers that stand in for what should have come: errors in the shape of the API that was asked, and worse."""

from __future__ import annotations

import math
from email.utils import formatdate

from starlette.responses import Response

from cleanup_gitops.sandbox import answers
from cleanup_gitops.sandbox.asked import Asked
from cleanup_gitops.sandbox.confluence_v2 import CODES, second
from cleanup_gitops.sandbox.faults import Fault
from cleanup_gitops.sandbox.limits import reset_header
from cleanup_gitops.sandbox.scim_answers import failure, scim_error

NAMES = {401: "unauthorized", 403: "forbidden", 404: "notFound"}
"""What User management calls its errors."""


def in_api_shape(path: str, status: int, message: str, code: str = "") -> Response:
    """An error as the API behind `path` tells it."""
    if path.startswith("/scim/"):
        told = failure if status in (401, 403, 404) else scim_error
        return told(status, message).response
    if path.startswith("/wiki/api/v2/") and status in CODES:
        return second(status, message).response
    if path.startswith("/wiki/"):
        return answers.confluence(status, message).response
    if path.startswith("/users/") and status in NAMES:
        return answers.json_answer({"key": NAMES[status]}, status)
    if status in (401, 429) or path.startswith("/users/"):
        return answers.gateway(status, message).response
    refusal = answers.application(status, code or f"ADMIN-{status}-1", "Error", message)
    return (answers.unwrapped(refusal) if path.endswith("/workspaces") else refusal).response


def instead(fault: Fault, asked: Asked, now: float) -> Response:
    """The answer of a fault that leaves nothing of the real one; `now` in seconds since 1970."""
    match fault.kind:
        case "html":
            page = fault.body or "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"
            response = Response(page, fault.status or 200, media_type="text/html")
        case "not_json":
            response = Response(fault.body or "upstream connect error", fault.status or 200)
            response.headers["Content-Type"] = "application/json"
        case "throttle":
            response = in_api_shape(asked.path, fault.status or 429, "Rate limit exceeded", fault.code)
            response.headers.update(limit_headers(fault, asked.path, now, remaining=0))
        case "error_in_ok":
            response = _error(fault, asked.path, fault.status or 500)
            response.status_code = 200
        case "cursor_expired" if asked.path.startswith("/admin/"):
            message = "The cursor has expired."
            response = answers.application(fault.status or 400, "ADMIN-400-1", "Invalid page cursor", message).response
        case "cursor_expired":
            response = in_api_shape(asked.path, fault.status or 400, "The cursor has expired")
        case "revoked":
            response = in_api_shape(asked.path, fault.status or 401, "Unauthorized", fault.code)
        case _:
            response = _error(fault, asked.path, fault.status or 500)
    response.headers.update(fault.headers)
    return response


def limit_headers(fault: Fault, path: str, now: float, *, remaining: int) -> dict[str, str]:
    """What tells a client that a limit is near or over, in the form that the fault wants."""
    reset = now + fault.seconds
    found = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": str(remaining)}
    found["X-RateLimit-Reset"] = reset_header(reset, now, fault.reset)
    match fault.retry_after:
        case "seconds":
            found["Retry-After"] = str(math.ceil(fault.seconds))
        case "date":
            found["Retry-After"] = formatdate(math.ceil(reset), usegmt=True)
        case "absurd":
            found["Retry-After"] = "99999999999"
        case "none":
            pass
    if path.startswith("/wiki/"):
        found |= {"X-RateLimit-NearLimit": "true"}
        found |= {} if remaining else {"RateLimit-Reason": "confluence-burst-based"}
    return {name: value for name, value in found.items() if value}


def _error(fault: Fault, path: str, status: int) -> Response:
    match fault.shape:
        case "api":
            return in_api_shape(path, status, fault.message, fault.code)
        case "application":
            code = fault.code or "ADMIN-500-1"
            return answers.application(status, code, "Error", fault.message).response
        case "gateway":
            return answers.gateway(status, fault.message).response
        case "spring":
            at = "2026-01-01T00:00:00Z"
            return answers.spring(status, "Error", fault.message, path, at).response
        case "confluence":
            return answers.confluence(status, fault.message).response
        case "empty":
            return Response(status_code=status)

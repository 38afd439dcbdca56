"""Keys, tokens and rate limits: what stands in front of both hosts."""

from __future__ import annotations

import base64
import binascii
import hmac

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, application, confluence, gateway, spring
from cleanup_gitops.sandbox.limits import Allowance, reset_header
from cleanup_gitops.sandbox.options import Options
from cleanup_gitops.sandbox.state import State
from cleanup_gitops.sandbox.world import parse_time


def check_key(state: State, request: Request) -> None:
    """The organization API key as bearer token; raises `Refusal` 401 where wrong or expired."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    known = state.world.credentials
    if (
        scheme.lower() != "bearer"
        or not _same(key, known.org_api_key)
        or state.now() >= parse_time(known.org_api_key_expires)
    ):
        raise gateway(401, "Unauthorized")


def check_token(state: State, request: Request) -> None:
    """``email:token`` as basic credentials; raises `Refusal` 401 where missing, wrong or expired.

    Without usable credentials the edge answers in plain text before Confluence is asked.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    known = state.world.credentials
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    if scheme.lower() != "basic" or ":" not in pair:
        headers = {"WWW-Authenticate": 'Basic realm="sandbox"'}
        raise Refusal(Response("Authentication required", 401, headers, media_type="text/plain"))
    email, _, token = pair.partition(":")
    if (
        not _same(email.casefold(), known.user_email.casefold())
        or not _same(token, known.api_token)
        or state.now() >= parse_time(known.api_token_expires)
    ):
        raise confluence(401, "Authentication failed")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def check_limits(state: State, request: Request) -> dict[str, str]:
    """Headers for the answer; raises `Refusal` 429 over a limit."""
    path: str = request.scope["path"]
    told = state.limits.ask(path, request.method)
    if told is None:
        return {}
    if told.refused:
        refusal = throttled(path, told, state.world.options)
        refusal.response.headers.update(told.headers())
        raise refusal
    return told.headers()


def throttled(path: str, told: Allowance, options: Options) -> Refusal:
    """429 of the admin host and of what stands beside it, in the shape that the world wants."""
    message = "Rate limit exceeded"
    match options.throttled_body:
        case "gateway":
            refusal = gateway(429, message)
        case "application":
            refusal = application(429, "ADMIN-429-1", message, "Wait and try again.")
        case "spring":
            refusal = spring(429, "Too Many Requests", message, path, reset_header(told.now, told.now, "iso"))
    if options.retry_after:
        refusal.response.headers["Retry-After"] = str(told.wait)
    return refusal

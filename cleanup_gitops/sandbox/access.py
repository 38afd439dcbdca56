"""Keys, tokens and rate limits: what stands in front of both hosts."""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import re
import time
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from cleanup_gitops.sandbox.answers import Refusal, application, confluence, gateway, spring
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


class Limits:
    """Counts requests per limited path and window of the machine's clock."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._limits = [(re.compile(limit.path), limit) for limit in options.rate_limits]
        self._windows: dict[tuple[int, str], tuple[int, int]] = {}

    def check(self, path: str) -> dict[str, str]:
        """Headers for the answer; raises `Refusal` 429 over the limit.

        Paths that differ only in ids of users share one budget per organization.
        """
        headers: dict[str, str] = {}
        for number, (pattern, limit) in enumerate(self._limits):
            if not pattern.search(path):
                continue
            found = re.search(r"/orgs/([^/]+)", path)
            owner = found.group(1) if found else ""
            now = time.time()
            window = math.floor(now / limit.window_seconds)
            last, used = self._windows.get((number, owner), (window, 0))
            used = used + 1 if last == window else 1
            self._windows[number, owner] = (window, used)
            reset = (window + 1) * limit.window_seconds
            headers = {
                "X-RateLimit-Limit": str(limit.limit),
                "X-RateLimit-Remaining": str(max(0, limit.limit - used)),
                "X-RateLimit-Reset": _reset(reset, short=limit.short_reset),
            }
            if used > limit.limit:
                raise self._throttled(path, reset - now, headers)
        return headers

    def _throttled(self, path: str, wait: float, headers: dict[str, str]) -> Refusal:
        message = "Rate limit exceeded"
        match self._options.throttled_body:
            case "gateway":
                refusal = gateway(429, message)
            case "application":
                refusal = application(429, "ADMIN-429-1", message, "Wait and try again.")
            case "spring":
                refusal = spring(429, "Too Many Requests", message, path, _reset(time.time(), short=False))
        if self._options.retry_after:
            headers = {**headers, "Retry-After": str(math.ceil(wait))}
        refusal.response.headers.update(headers)
        return refusal


def _reset(instant: float, *, short: bool) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%MZ" if short else "%Y-%m-%dT%H:%M:%SZ")

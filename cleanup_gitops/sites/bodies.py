"""What bodies say of a failure: short reasons only, as free texts may hold names."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import msgspec

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_TITLES = ("title", "error")
_PHRASES = frozenset(status.phrase for status in HTTPStatus)


def reason_code(body: bytes) -> str:
    """The short reason in an error body (``code`` or ``key``, else ``title`` or ``error``), "" when there is none.

    Free texts (``message``, ``detail``) may hold names and are left out, as is whatever does not look like a code. Of
    titles only the phrases of HTTP are taken, such as "Bad Request": two words may be somebody's name.
    """
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if isinstance(found, dict) and isinstance(found.get("errors"), list) and found["errors"]:
        found = found["errors"][0]
    if not isinstance(found, dict):
        return ""
    for name in ("code", "key", *_TITLES):
        value = found.get(name)
        if isinstance(value, str) and (value in _PHRASES if name in _TITLES else _CODE.fullmatch(value)):
            return value
    return ""


SCOPE = "manage:org"
"""The scope that the User management REST API misses in every key that was made with scopes."""
_SCOPE = re.compile(rb"(?<![\w:-])manage:org(?![\w:-])")


class _Context(msgspec.Struct, rename="camel"):
    reason: dict[str, Any] | None = None
    error_codes: list[dict[str, Any]] | None = None


class _Detailed(msgspec.Struct):
    context: _Context | None = None


_DETAILED = msgspec.json.Decoder(_Detailed)


def further_reasons(body: bytes) -> tuple[str, ...]:
    """The short reasons below the first one, and `SCOPE`, where the body names it as lacking.

    ``context`` holds the reason of a restriction, or codes why an account is not eligible (User management REST API).
    """
    scopes = (SCOPE,) if _SCOPE.search(body) else ()
    try:
        context = _DETAILED.decode(body).context or _Context()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return scopes
    found = [(context.reason or {}).get("key"), *(error.get("code") for error in context.error_codes or ())]
    return (*scopes, *(reason for reason in found if isinstance(reason, str) and _CODE.fullmatch(reason)))


class _Envelope(msgspec.Struct):
    """The keys by which errors of all these APIs are known; other keys are skipped unread."""

    errors: Any = None
    error: Any = None
    status_code: Any = msgspec.field(default=None, name="statusCode")
    status: Any = None
    code: Any = None
    key: Any = None
    context: Any = None
    message: Any = None
    title: Any = None
    detail: Any = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_STATUS = re.compile(r"[45]\d\d", re.ASCII)


def is_json(body: bytes) -> bool:
    """Whether a body is JSON, or nothing at all."""
    try:
        msgspec.json.decode(body or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def is_error(body: bytes) -> bool:
    """Whether a body is that of an error, whatever the status of its answer: it then proves no success.

    Shapes: ``errors`` with something in it, ``error`` in words, a status of 400 or more, or a key or code with a text.
    """
    try:
        found = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if any(_STATUS.fullmatch(str(one)) for one in (found.status_code, found.status, found.code)):
        return True
    named = isinstance(found.key, str) or isinstance(found.code, str)
    keyed = named and any(one is not None for one in (found.context, found.message, found.title, found.detail))
    return bool(found.errors) or (isinstance(found.error, str | dict) and bool(found.error)) or keyed

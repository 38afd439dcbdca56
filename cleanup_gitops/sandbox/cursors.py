"""Bare cursor tokens.

A cursor names the last row that was handed out, not a page number: rows that vanish between two
pages push nobody off the next one. In a search by POST it belongs to the filters that it was made
for, and they must be sent along; in a list by GET it holds them, and what else is sent is left aside.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TypeVar

import msgspec

from cleanup_gitops.sandbox.answers import bad_cursor

T = TypeVar("T")


def fingerprint(search: msgspec.Struct, path: str) -> int:
    """A number for the filters of a search on one path, page size and expansion left aside."""
    plain = msgspec.structs.asdict(search)
    for name in ("cursor", "limit", "expand"):
        plain.pop(name, None)
    return zlib.crc32(path.encode() + msgspec.json.encode(plain))


def pack(value: object) -> str:
    """A token that holds `value`, anything that JSON can hold."""
    body = msgspec.json.encode(value)
    return base64.urlsafe_b64encode(b"%08x" % zlib.crc32(body) + body).decode().rstrip("=")


def unpack(token: str, into: type[T]) -> T:
    """What `pack` put into the token; raises `Refusal` where it did not make it."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        if int(text[:8], 16) != zlib.crc32(text[8:]):
            raise bad_cursor()
        return msgspec.json.decode(text[8:], type=into)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise bad_cursor() from None


def read_place(token: str | None, mark: int) -> int:
    """The rank after which the page starts, -1 without a token; raises `Refusal`."""
    if token is None:
        return -1
    found, rank = unpack(token, tuple[int, int])
    if found != mark:
        raise bad_cursor()
    return rank

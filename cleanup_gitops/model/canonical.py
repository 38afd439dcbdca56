"""Canonical bytes: the same value is always the same bytes, so that a digest means something.

RFC 8785 restricted to what this product stores: no floats, integers below 2**53, ASCII keys, times as strings.
Under these restrictions msgspec's sorted encoder gives exactly the bytes of RFC 8785 (a test compares both).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode
_sha256 = hashlib.sha256


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON-like value or Struct
    """Canonical JSON bytes of a Struct or of a JSON-like value, without a line end."""
    return _encode(value)


def sha256(data: bytes) -> str:
    """``sha256:<hex>`` of the bytes: the one spelling of a digest in plans, state and trailers."""
    return "sha256:" + _sha256(data).hexdigest()


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON-like value or Struct
    """Digest of the canonical bytes of a value."""
    return "sha256:" + _sha256(_encode(value)).hexdigest()  # the same as above, asked for every change of a plan


def manifest_digest(digests: Iterable[str]) -> str:
    """Digest of a manifest: the sorted digests, one a line, each line ended by LF."""
    return sha256("\n".join([*sorted(digests), ""]).encode("ascii"))

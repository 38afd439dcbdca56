"""Sends noted requests one after the other and does nothing with the answers: the least that any plan must wait for.

``python -m tests.benchmarks.bare_loop FILE``
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct


class Request(Struct, frozen=True):
    """One request."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes


def main(notes: Path) -> None:
    """Send all of them."""
    requests = msgspec.msgpack.decode(notes.read_bytes(), type=list[Request])
    with httpx.Client(trust_env=False) as client:
        for one in requests:
            answer = client.request(one.method, one.url, headers=one.headers, content=one.content)
            if answer.status_code >= 500:
                raise SystemExit(f"{one.method} {one.url}: {answer.status_code}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

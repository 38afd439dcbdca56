"""A site of one kind of thing, and calls to it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from msgspec import Struct

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.sites.exchange import Answer, Call, Limits
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, bearer
from tests import canaries
from tests.fakes import FakeClock, FakeProgress
from tests.patience import STALLED
from tests.sites.scripted import Reply

CANARY = canaries.STRAY
PERSON = "ada.example@acme.com"
LIMITS = Limits(connect=STALLED, read=STALLED, total=STALLED, attempts=3, connect_attempts=2, waiting=100)
GET = Call(method="GET", template="/things/{thing}", parts={"thing": "712020:4f/x"})
POST = Call(method="POST", template="/things/{thing}", parts={"thing": "1"}, body={"a": [1]})


class Thing(Struct):
    """What the scripted servers hand out."""

    id: int


THING = msgspec.json.Decoder(Thing)
GOOD = Reply(body=b'{"id": 7, "more": true}')


def client(
    url: str, *, clock: FakeClock | None = None, limits: Limits = LIMITS, progress: FakeProgress | None = None
) -> Http:
    secret = bearer(Secret(CANARY, "KEY"))
    return Http(url, secret, clock or FakeClock(), limits=limits, progress=progress)


@contextmanager
def failing(kind: type[CleanupError]) -> Iterator[list[str]]:
    """The texts of the error that the block raises; in no part of it is a secret or a person."""
    texts: list[str] = []
    with pytest.raises(kind) as caught:
        yield texts
    error = caught.value
    assert type(error) is kind
    shown = "".join(traceback.format_exception(error)) + repr(error) + error.message + error.hint
    assert canaries.found(shown) == []
    assert PERSON not in shown
    assert error.__suppress_context__ or error.__context__ is None
    texts += [error.message, error.hint]


def read(http: Http, call: Call = GET) -> Thing:
    try:
        return http.read(call, THING)
    finally:
        http.close()


def write(http: Http) -> Answer:
    try:
        return http.write(POST)
    finally:
        http.close()

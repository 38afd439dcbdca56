"""A sandbox on a free port, and a client that knows its credentials."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import World
from tests.sandbox.caller import Caller


@cache
def _small() -> bytes:
    return msgspec.msgpack.encode(seed(users=120))


@pytest.fixture
def world() -> World:
    """A small world of its own for every test."""
    return msgspec.msgpack.decode(_small(), type=World)


@pytest.fixture
def box(world: World) -> Iterator[RunningSandbox]:
    with running(world) as running_box:
        yield running_box


@pytest.fixture
def caller(box: RunningSandbox) -> Iterator[Caller]:
    found = Caller(box)
    with found.http:
        yield found


@pytest.fixture(scope="session")
def demo() -> Iterator[Caller]:
    """The demo's world, shared by tests that only read."""
    with running(seed()) as box:
        found = Caller(box)
        with found.http:
            yield found


@pytest.fixture(scope="module")
def lab() -> Iterator[Caller]:
    """A world shared by the tests of a module, each of which changes people of its own."""
    world = seed(users=200)
    world.options.late = {}
    with running(world) as box:
        found = Caller(box)
        with found.http:
            yield found

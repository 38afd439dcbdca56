"""A sandbox on a free port, and the world that it serves; test files may have one of their own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import World


@cache
def _three_pages() -> bytes:
    return msgspec.msgpack.encode(seed(users=250, seed=3))


@pytest.fixture
def world() -> World:
    """Users on three pages; a world of its own for every test."""
    return msgspec.msgpack.decode(_three_pages(), type=World)


@pytest.fixture
def box(world: World) -> Iterator[RunningSandbox]:
    with running(world) as found:
        yield found

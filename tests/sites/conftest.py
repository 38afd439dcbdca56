"""A sandbox on a free port that serves the world of the test file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sandbox.world import World


@pytest.fixture
def box(world: World) -> Iterator[RunningSandbox]:
    with running(world) as found:
        yield found

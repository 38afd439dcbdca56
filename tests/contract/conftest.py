"""The adapters that the contract suite runs against, and what must be so when it is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running
from tests.contract.adapters import Adapter, Cloud, Fake
from tests.sites.box import connected, requests
from tests.sites.test_cloud_write_calls import ALL_TOKENS

USERS = 160


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A Cloud site of its own for each module. In the end nobody has touched the tokens of a whole organization."""
    world = seed(users=USERS, seed=7)
    world.options.rate_limits = []  # everybody is asked everything, which is more than last-active-dates allows
    with (
        running(world) as box,
        connected(box, sources=("directory", "content"), internal_domains=("acme.com",)) as site,
    ):
        yield Cloud(box, site)
        paths = [one["path"] for one in requests(box)]
        assert paths
        assert not [path for path in paths if ALL_TOKENS.search(path)]


@pytest.fixture(scope="module")
def fake(cloud: Cloud) -> Fake:
    """The fake with what the Cloud site told at first."""
    return Fake(cloud)


@pytest.fixture(params=["cloud", "fake"])
def adapter(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    """One of them; after each test everything shows and nothing is disturbed."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Adapter)
    yield found
    found.settle()
    found.sell(None)

"""Eight workers write against a site that lets only so many through: ``python -m tests.benchmarks.limited WRITES``.

Prints how long it took as a multiple of the shortest time that the limit allows, and refusals for each write.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
from msgspec import Struct

from cleanup_gitops.cli.terminal import SystemClock
from cleanup_gitops.model.change import Change, UserDisable
from cleanup_gitops.policy.site import CredentialRef, Credentials, Site
from cleanup_gitops.sandbox.options import RateLimit
from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import RunningSandbox, running
from cleanup_gitops.sites.cloud import connect
from cleanup_gitops.sites.exchange import WORKERS
from cleanup_gitops.sites.secret import Secret

LIMIT, WINDOW = 50, 5
"""Writes in every window, and its seconds."""


class Limited(Struct, frozen=True):
    """Wall time against the bound of the limit, and answers 429 for each write."""

    times: float
    refusals: float


def main(writes: int) -> Limited:
    """Suspend so many people as fast as the site allows."""
    world = seed(users=2 * writes + 100)
    world.options.rate_limits = [RateLimit(path="/suspend$", limit=LIMIT, window_seconds=WINDOW)]
    people = [user.id for user in world.users if user.directories.get("default") == "active"][:writes]
    with running(world) as box:
        values = {"KEY": box.org_api_key, "USER": box.user_email, "TOKEN": box.api_token}
        secrets = {name: Secret(value, name) for name, value in values.items()}
        with connect(_site(box), secrets, SystemClock()) as site, ThreadPoolExecutor(WORKERS) as pool:
            time.sleep(WINDOW - time.time() % WINDOW)  # a whole window lies ahead
            started = time.perf_counter()
            assert all(receipt.status == 204 for receipt in pool.map(site.writer.write, map(_suspension, people)))
            took = time.perf_counter() - started
        log = httpx.get(f"{box.url}/_sandbox/requests", trust_env=False).json()
    bound = (-(-len(people) // LIMIT) - 1) * WINDOW
    return Limited(times=took / bound, refusals=sum(one["status"] == 429 for one in log) / len(people))


def _suspension(account: str) -> Change:
    return UserDisable(address=f"user/{account}", user=account, directory="default", old="active", new="suspended")


def _site(box: RunningSandbox) -> Site:
    return Site(
        name="acme",
        hosting="cloud",
        url=box.url,
        api_url=box.url,
        organization=box.org_id,
        credentials=Credentials(CredentialRef("KEY"), CredentialRef("USER"), CredentialRef("TOKEN")),
        runner_accounts=(),
    )


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(main(int(sys.argv[1]))).decode())

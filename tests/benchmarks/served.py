"""Serves a seeded world until standard input ends: ``python -m tests.benchmarks.served USERS MILLISECONDS``.

Every answer takes so many milliseconds longer than the sandbox needs for it, as the way to a real site does.

Prints one line: URL, organization, account of the runner, and the three secrets.
"""

from __future__ import annotations

import sys

import httpx

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import running


def main(users: int, latency: int) -> None:
    """Serve."""
    world = seed(users=users)
    world.options.rate_limits = []
    with running(world) as box:
        if latency:
            slow = {"kind": "slow", "seconds": latency / 1000}
            httpx.post(f"{box.url}/_sandbox/faults", json=slow, trust_env=False).raise_for_status()
        facts = (box.url, box.org_id, box.runner_account, box.org_api_key, box.user_email, box.api_token)
        sys.stdout.write(" ".join(facts) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

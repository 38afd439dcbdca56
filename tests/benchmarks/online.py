"""A plan over HTTP against a bare loop that sends the very same requests, in pairs.

The sandbox runs in a process of its own, its world in memory and without its limit on last-active dates, which
the command does not keep here either. A first run of
the command, which also warms the sandbox, tells which requests it sends; the bare loop sends exactly these, one after
the other, and throws the answers away.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.benchmarks.children import ROOT, Used, command, environment

ORG_KEY, USER, TOKEN = "BENCHMARK_ORG_KEY", "BENCHMARK_USER", "BENCHMARK_TOKEN"
PLANNED = (0, 3)
"""Exit codes of a plan: a first clean-up of a neglected site may well be over its caps."""

_SITE = """\
apiVersion: cleanup-gitops/v1
kind: Site
metadata: {{name: acme}}
spec:
  hosting: cloud
  url: {url}
  cloud: {{organization: {organization}, directory: default, api_url: "{url}"}}
  credentials:
    org_api_key: {{env: {key}}}
    user: {{env: {user}}}
    token: {{env: {token}}}
  runner: {{accounts: ["{runner}"]}}
  identity: {{internal_domains: [acme.com], service_accounts: ["svc-*"]}}
"""


class Pair(Struct, frozen=True):
    """One run of each."""

    plan: Used
    loop: Used


@contextmanager
def sandbox(users: int, latency: int, folder: Path) -> Iterator[dict[str, str]]:
    """A served organization and a repository that plans for it; yields the environment with the credentials."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.served", str(users), str(latency)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        url, organization, runner, *secrets = child.stdout.readline().split()
        _repository(folder, url, organization, runner)
        try:
            yield dict(zip((ORG_KEY, USER, TOKEN), secrets, strict=True))
        finally:
            child.stdin.close()  # the sign to end
            child.wait()


def pairs(users: int, latency: int, runs: int, work: Path) -> Iterator[Pair]:
    """Pairs of runs, A B A B. ``latency``: milliseconds that every answer takes on its way."""
    folder, requests = work / f"online-{users}-{latency}", work / f"online-{users}-{latency}.requests"
    with sandbox(users, latency, folder) as secrets:
        command("tests.benchmarks.noted", str(requests), str(folder), more=secrets, success=PLANNED)
        for _ in range(runs):
            plan = command("tests.benchmarks.unlimited", "-C", str(folder), "plan", more=secrets, success=PLANNED)
            yield Pair(plan, command("tests.benchmarks.bare_loop", str(requests)))


def _repository(folder: Path, url: str, organization: str, runner: str) -> None:
    """The example policies of this repository, with a Site that leads to the sandbox."""
    policies = folder / "policies"
    policies.mkdir(parents=True)
    for path in (ROOT / "policies").glob("*.yaml"):
        if path.name != "hr.yaml":  # it needs a list
            (policies / path.name).write_bytes(path.read_bytes())
    site = _SITE.format(url=url, organization=organization, runner=runner, key=ORG_KEY, user=USER, token=TOKEN)
    (policies / "site.yaml").write_text(site, "utf-8")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True, env=environment())

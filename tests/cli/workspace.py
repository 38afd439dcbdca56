"""A repository with policies and a sandbox to use them on, for tests of whole commands."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.sandbox.server import RunningSandbox
from tests.patience import STALLED

SITE = """\
apiVersion: cleanup-gitops/v1
kind: Site
metadata: {{name: acme}}
spec:
  hosting: cloud
  url: {url}
  cloud: {{organization: {organization}, directory: {directory}, api_url: {url}}}
  credentials:
    org_api_key: {{env: ORG_KEY}}
    user: {{env: SITE_USER}}
    token: {{env: SITE_TOKEN}}
  runner: {{accounts: ["{runner}"]}}
  identity: {{internal_domains: [acme.com], service_accounts: ["svc-*"]}}
"""
DORMANT = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: dormant, owner: iam@acme.com, why: seats}
spec:
  match:
    all:
      - has_seat: true
      - inactive_for: 90d
  ensure:
    groups: {absent: [confluence-users-acme]}
"""
ROOMY = """\
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: roomy, owner: security@acme.com}
spec: {caps: {membership.remove: {max: 200, percent: 100}, total: {max: 200, percent: 100}}}
"""


@dataclass
class Said:
    """What one command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class Workspace:
    """One repository, one sandbox."""

    folder: Path
    box: RunningSandbox
    capsys: pytest.CaptureFixture[str]

    def site(self, **changes: str) -> None:
        """Write site.yaml, with other values where named."""
        values = {
            "url": self.box.url,
            "organization": self.box.org_id,
            "directory": "default",
            "runner": self.box.runner_account,
        }
        self.policy("site.yaml", SITE.format(**(values | changes)))

    def policy(self, name: str, text: str) -> None:
        """Write a policy file and commit it."""
        path = self.folder / "policies" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"policies: {name}", "--allow-empty")

    def git(self, *args: str) -> str:
        """Run git in the repository."""
        identity = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")
        done = subprocess.run(
            ["git", "-C", str(self.folder), *identity, *args], check=True, capture_output=True, text=True
        )
        return done.stdout

    def kinds(self) -> list[str]:
        """What was recorded in git, oldest first: the Kind of each commit of this tool."""
        return self.git("log", "--reverse", "--format=%(trailers:key=Kind,valueonly,separator=)").split()

    def run(self, *args: str) -> Said:
        """Run one command as a user would, in this process."""
        self.capsys.readouterr()
        code = run(["-C", str(self.folder), *args])
        said = self.capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(code, said.out, said.err)

    def fault(self, **rule: Any) -> None:  # noqa: ANN401 - JSON
        """Let requests go wrong from now on."""
        httpx.post(f"{self.box.url}/_sandbox/faults", json=[rule], verify=False, timeout=STALLED).raise_for_status()

    def requests(self, method: str) -> list[str]:
        """Paths that were asked with this method."""
        log = httpx.get(f"{self.box.url}/_sandbox/requests", verify=False, timeout=STALLED).json()
        rows = log["requests"] if isinstance(log, dict) else log
        return [row["path"] for row in rows if row["method"] == method and "_sandbox" not in row["path"]]

    def writes(self) -> list[str]:
        """Paths of requests that change something."""
        asked = [path for path in self.requests("POST") if not path.endswith(("/search", "/workspaces"))]
        return asked + self.requests("DELETE")

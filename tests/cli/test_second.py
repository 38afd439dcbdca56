"""Deleting accounts over real HTTP, with real git and real keys: a saved plan, and somebody else who approves it."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.cli.workspace import SITE, Workspace
from tests.ledger.approvers import People

DELETE = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: erase, owner: iam@acme.com, why: asked for by law}
spec:
  class: termination
  match:
    all:
      - managed: true
      - synced: false
      - inactive_for: {for: 300d, product: any}
  ensure: {status: deleted}
---
apiVersion: cleanup-gitops/v1
kind: Guardrails
metadata: {name: roomy, owner: security@acme.com}
spec:
  caps:
    user.delete: {max: 200, percent: 100}
    total: {max: 200, percent: 100}
    termination: {max: 200, percent: 100}
    per_domain: {percent: 100}
  allow: [user.delete]
"""


@pytest.mark.slow
@pytest.mark.case("E75")
def test_accounts_are_deleted_when_somebody_else_has_approved_the_plan(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = People(tmp_path_factory.mktemp("people"), workspace.folder, dict(os.environ))
    monkeypatch.setenv("APPROVERS", str(people.approvers))
    people.allow("ben")
    values = {
        "url": workspace.box.url,
        "organization": workspace.box.org_id,
        "directory": "default",
        "runner": workspace.box.runner_account,
    }
    workspace.policy("site.yaml", SITE.format(**values) + "  approvers: {env: APPROVERS}\n")
    workspace.policy("dormant.yaml", DELETE)
    file = str(tmp_path_factory.mktemp("plans") / "plan.json")
    planned = workspace.run("plan", "--out", file)
    assert planned.code == 0, planned.err
    number = re.search(r"(\d+) to remove", planned.out)
    assert number
    assert int(number[1])
    typed = re.search(r"-m 'Approve the deletions' (approve/[0-9a-f]{64})\n", planned.err)
    assert typed

    alone = workspace.run("apply", file)
    assert alone.code == 4
    assert f"Deleting accounts takes a second approval, and there is no tag {typed[1]}." in alone.err
    assert workspace.writes() == []
    people.git("tag", "-s", typed[1], "-m", "Approve the deletions", by="ben", signed="ben")
    done = workspace.run("apply", file)
    assert done.code == 0, done.err + done.out
    assert len(workspace.writes()) == int(number[1])
    assert re.search(rf"Deleting approved: with the key SHA256:\S+, tag {typed[1]}\.", done.out)
    (path,) = workspace.git("ls-files", "state/acme/runs/*/intent.json").split()
    told = json.loads((workspace.folder / path).read_text())["second"]
    assert (told["kind"], told["ref"], told["by"][:7]) == ("second", typed[1], "SHA256:")
    assert workspace.run("audit", "verify").code == 0

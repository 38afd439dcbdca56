"""`handoffs`: files for an identity provider, with addresses from the live site and outside of the repository."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.cli.workspace import Workspace

SYNCED = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: everybody, owner: iam@acme.com, why: all}
spec:
  class: termination
  match: {all: [synced: true]}
  ensure: {status: suspended}
"""


@pytest.fixture
def handing(workspace: Workspace) -> Workspace:
    """A workspace whose plan hands something off."""
    (workspace.folder / "policies" / "dormant.yaml").unlink(missing_ok=True)
    workspace.policy("synced.yaml", SYNCED)
    return workspace


def test_the_files_hold_the_addresses_that_the_site_tells_and_only_their_owner_reads_them(
    handing: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("idp") / "new"
    said = handing.run("handoffs", "--out", str(out))
    assert said.code == 0, said.err
    file = out / "handoffs.json"
    assert said.out == f"{file}\n"
    told = json.loads(file.read_text("utf-8"))
    plan = json.loads(handing.run("plan", "--format", "json").out)
    assert [row["account"] for row in told["handoffs"]] == [row["user"] for row in plan["handoffs"]]
    assert plan["handoffs"]
    assert any("@" in (row["email"] or "") for row in told["handoffs"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_a_saved_plan_holds_no_address_and_its_handoffs_get_them(
    handing: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("idp")
    handing.run("plan", "--out", str(folder / "plan.json"))
    assert b"@acme" not in (folder / "plan.json").read_bytes().replace(b"iam@acme.com", b"")
    said = handing.run("handoffs", str(folder / "plan.json"), "--format", "okta", "--out", str(folder))
    assert said.code == 0, said.err
    assert b"@" in (folder / "accounts.csv").read_bytes()


@pytest.mark.parametrize("place", [".", "state", "policies/idp", "elsewhere"])
def test_addresses_are_not_written_into_the_repository(handing: Workspace, place: str) -> None:
    said = handing.run("handoffs", "--out", str(Path(handing.folder) / place))
    assert said.code == 1
    assert "lies in the repository, where e-mail addresses must not lie" in said.err
    assert not list(handing.folder.rglob("handoffs.json"))

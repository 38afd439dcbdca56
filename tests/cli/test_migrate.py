"""`migrate`: policy files of older versions, rewritten where the reviewer reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.policy import versions
from tests.cli.workspace import DORMANT, SITE
from tests.policy.older import MIGRATED, STEPS, TRIAL

OWN = SITE.format(url="https://acme.atlassian.net", organization="o", directory="default", runner="712020:1")


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "site.yaml").write_text(OWN)
    return folder


def said(policies: Path, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = run(["-C", str(policies.parent), *args])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_present_documents_leave_nothing_to_do(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policies / "dormant.yaml").write_text(DORMANT)
    told = "Nothing to do: 2 documents under policies/, and none older than cleanup-gitops/v1.\n"
    assert said(policies, capsys, "migrate") == (0, told, "")
    assert (policies / "dormant.yaml").read_text() == DORMANT


def test_a_newer_document_is_refused_and_left_alone(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newer = DORMANT.replace("/v1", "/v2")
    (policies / "dormant.yaml").write_text(newer)
    for command in ("migrate", "validate"):
        code, out, err = said(policies, capsys, command)
        assert (code, out) == (1, "")
        assert "policies/dormant.yaml:1:13: `apiVersion` cleanup-gitops/v2 is newer than cleanup-gitops/v1," in err
        assert err.count("dormant.yaml") == 1
    assert (policies / "dormant.yaml").read_text() == newer


def test_older_documents_are_rewritten_and_the_folder_is_valid_then(
    policies: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "STEPS", STEPS)
    (policies / "dormant.yaml").write_text(TRIAL)
    assert said(policies, capsys, "validate")[0] == 1
    code, out, err = said(policies, capsys, "migrate")
    assert code == 0, err
    assert (policies / "dormant.yaml").read_text() == MIGRATED
    assert "-apiVersion: cleanup-gitops/trial   # the very first\n" in out
    assert "+  ensure:\n" in out
    assert "cleanup-gitops/trial -> cleanup-gitops/v0: `idle_days` is called `inactive_for`" in err
    assert "policies/dormant.yaml" in err
    assert said(policies, capsys, "validate")[0] == 0
    assert said(policies, capsys, "migrate")[1].startswith("Nothing to do: 2 documents")


def test_what_would_not_be_valid_afterwards_is_not_written(
    policies: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "STEPS", STEPS)
    broken = TRIAL.replace("has_seat:  true", "has_seat:  maybe")
    (policies / "dormant.yaml").write_text(broken)
    code, out, err = said(policies, capsys, "migrate")
    assert (code, out) == (1, "")
    assert "With this change the policies would not be valid, so nothing was written:" in err
    assert "policies/dormant.yaml:10:18: `has_seat` must be true or false, not text" in err
    assert (policies / "dormant.yaml").read_text() == broken

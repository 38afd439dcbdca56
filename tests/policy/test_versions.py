"""`apiVersion`: which documents are read, which are rewritten, which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.policy import versions
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.migrating import propose_migration
from cleanup_gitops.policy.problems import PolicyError
from tests.policy.older import MIGRATED, STEPS, TRIAL

NOW = "cleanup-gitops/v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "policies"
    found.mkdir()
    return found


def problems(folder: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(folder)
    return [str(one) for one in caught.value.problems]


def test_no_older_version_was_ever_released() -> None:
    """The first step that is added takes this test away, and brings one with documents of the older version."""
    assert versions.STEPS == ()


def test_a_way_goes_over_every_version_between() -> None:
    assert [step.target for step in versions.way("cleanup-gitops/trial", STEPS)] == ["cleanup-gitops/v0", NOW]
    assert [step.target for step in versions.way("cleanup-gitops/v0", STEPS)] == [NOW]
    for version in (NOW, "cleanup-gitops/v2", "v0", ""):
        assert versions.way(version, STEPS) == ()
    assert versions.way("cleanup-gitops/v0", STEPS, "cleanup-gitops/v2") == ()


def test_steps_that_lead_in_a_circle_end() -> None:
    first, second = STEPS
    circle = (versions.Step(first.source, second.source, "", first.rewrite), second)
    assert versions.way("cleanup-gitops/v0", circle) == ()


@pytest.mark.parametrize(
    ("version", "newer"),
    [("v2", True), ("v10", True), ("v1", False), ("v0", False), ("v02", False), ("2", False), ("v2beta1", False)],
)
def test_a_larger_number_is_newer(version: str, newer: bool) -> None:
    assert versions.is_newer(f"cleanup-gitops/{version}") is newer


def test_a_newer_document_is_refused_once_with_both_versions_and_what_to_do(folder: Path) -> None:
    (folder / "a.yaml").write_text("apiVersion: cleanup-gitops/v2\nkind: Roster\nleavers: [of, another, shape]\n")
    (told,) = problems(folder)
    assert told == (
        "policies/a.yaml:1:13: `apiVersion` cleanup-gitops/v2 is newer than cleanup-gitops/v1, the newest that this"
        " program reads: use a newer cleanup-gitops, or the file as it was before"
    )


def test_an_older_document_is_refused_with_the_command_that_rewrites_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.yaml").write_text(TRIAL)
    assert "policies/a.yaml:4:13: `apiVersion` must be cleanup-gitops/v1" in problems(folder)
    monkeypatch.setattr(versions, "STEPS", STEPS)
    (told,) = problems(folder)
    assert told == (
        "policies/a.yaml:4:13: `apiVersion` cleanup-gitops/trial is older than cleanup-gitops/v1, which is read here:"
        " run `cleanup-gitops migrate`"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_migrated_file_keeps_comments_order_quotes_and_layout(folder: Path, end: str) -> None:
    (folder / "a.yaml").write_bytes(TRIAL.replace("\n", end).encode())
    found = propose_migration(folder, STEPS)
    (proposal,) = found.proposals
    assert proposal.after.decode() == MIGRATED.replace("\n", end)
    assert [step.source for step in found.steps] == ["cleanup-gitops/v0", "cleanup-gitops/trial"]
    load(folder, proposed={proposal.path: proposal.after})


def test_only_documents_of_older_versions_change(folder: Path) -> None:
    present = MIGRATED.replace("name: dormant", "name: present")
    (folder / "present.yaml").write_text(present)
    (folder / "both.yaml").write_text(f"{present.replace('present', 'beside')}---\n{TRIAL}")
    found = propose_migration(folder, STEPS)
    assert found.documents == 3
    assert [one.label for one in found.proposals] == ["policies/both.yaml"]
    assert found.proposals[0].after.decode() == f"{present.replace('present', 'beside')}---\n{MIGRATED}"


def test_nothing_is_proposed_beside_a_document_from_which_no_step_leads_here(folder: Path) -> None:
    (folder / "a.yaml").write_text(TRIAL)
    (folder / "b.yaml").write_text("apiVersion: cleanup-gitops/v7\nkind: Policy\n---\nkind: Site\n---\na: [\n")
    with pytest.raises(PolicyError) as caught:
        propose_migration(folder, STEPS)
    lines = [(one.line, one.message.split(":")[0]) for one in caught.value.problems]
    assert (
        1,
        "`apiVersion` cleanup-gitops/v7 is newer than cleanup-gitops/v1, the newest that this program reads",
    ) in lines
    assert (4, "`apiVersion` is missing here, it must be cleanup-gitops/v1") in lines
    assert any(message.startswith("not valid YAML") for _, message in lines)


def test_a_step_that_would_lose_a_comment_changes_nothing(folder: Path) -> None:
    def careless(document: Any) -> None:  # noqa: ANN401
        for entry in document["spec"]["match"]["all"]:
            if "idle_days" in entry:
                entry["inactive_for"] = f"{entry.pop('idle_days')}d"

    (folder / "a.yaml").write_text(TRIAL)
    step = versions.Step("cleanup-gitops/trial", "cleanup-gitops/v0", "", careless)
    with pytest.raises(PolicyError) as caught:
        propose_migration(folder, (STEPS[0], step))
    (problem,) = caught.value.problems
    assert str(problem) == "policies/a.yaml:12:1: this comment would be lost; move it, and migrate again"

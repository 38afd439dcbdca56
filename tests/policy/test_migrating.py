"""What a migration tells: the steps that it takes and no others, and everything that is in its way."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.migrating import propose_migration
from cleanup_gitops.policy.problems import PolicyError
from tests.policy.older import MIGRATED, STEPS, TRIAL

V0 = TRIAL.replace("cleanup-gitops/trial  ", "cleanup-gitops/v0  ").replace("idle_days: 90", "inactive_for: 90d")


@pytest.mark.parametrize(
    ("files", "taken"),
    [((), []), ((MIGRATED,), []), ((V0,), ["v0"]), ((TRIAL,), ["v0", "trial"]), ((V0, MIGRATED), ["v0"])],
)
def test_only_the_steps_that_a_document_needs_are_told(
    tmp_path: Path, files: tuple[str, ...], taken: list[str]
) -> None:
    for number, text in enumerate(files):
        (tmp_path / f"{number}.yaml").write_text(text)
    found = propose_migration(tmp_path, STEPS)
    assert [step.source for step in found.steps] == [f"cleanup-gitops/{one}" for one in taken]
    assert found.documents == len(files)


def test_everything_that_is_in_the_way_is_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text(TRIAL)
    (folder / "a.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "b.yaml").write_text("apiVersion: cleanup-gitops/v7\n")
    (folder / "c.yaml").write_text("a: [\n")
    (folder / "d").symlink_to(tmp_path)
    with pytest.raises(PolicyError) as caught:
        propose_migration(folder, STEPS)
    assert [one.file for one in caught.value.problems] == [
        f"policies/{name}" for name in ("a.yaml", "b.yaml", "c.yaml", "d")
    ]

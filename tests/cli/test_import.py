"""`import`: documents of the live site as it is, with which a plan changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cleanup_gitops.policy.loader import load
from tests.cli.workspace import ROOMY, Workspace


def planned(workspace: Workspace, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(workspace.run("plan", "--format", "json", *more).out)
    return found


@pytest.fixture
def bare(workspace: Workspace) -> Workspace:
    """With a Site document alone."""
    (workspace.folder / "policies" / "dormant.yaml").unlink()
    workspace.git("commit", "-qam", "no policies")
    return workspace


def test_what_was_imported_is_valid_and_plans_nothing(bare: Workspace) -> None:
    done = bare.run("import", "--write")
    assert done.code == 0, done.err
    assert "Wrote 4 files." in done.err
    assert "1 declared group" in (said := bare.run("validate")).out or " declared groups." in said.out
    plan = planned(bare)
    assert plan["changes"] == []
    assert plan["handoffs"] == []
    assert {one["reason"] for one in plan["pending"]} == {"report"}
    assert plan["applyable"]
    site = load(bare.folder / "policies").for_site("acme")
    assert site.groups[0].entries
    assert all(one.report for one in site.policies)
    assert bare.writes() == []


def test_without_the_option_it_shows_the_files_and_writes_nothing(bare: Workspace) -> None:
    said = bare.run("import")
    assert said.code == 0, said.err
    assert "+kind: Groups\n" in said.out
    assert "Nothing was written." in said.err
    assert bare.git("status", "--porcelain") == ""
    assert bare.run("import").out == said.out


def test_it_names_nobody(bare: Workspace) -> None:
    said = bare.run("import")
    for user in bare.box.world.users:
        assert len(user.name) < 5 or user.name not in said.out
        assert not user.email or user.email not in said.out


def test_files_that_exist_are_not_touched(bare: Workspace) -> None:
    bare.policy("imported-policies.yaml", ROOMY)
    said = bare.run("import", "--write")
    assert said.code == 1
    assert "Nothing was written, because there is already: policies/imported-policies.yaml." in said.err
    assert "Files that exist are never touched." in said.err
    assert bare.git("status", "--porcelain") == ""


def test_a_second_import_is_refused(bare: Workspace) -> None:
    assert bare.run("import", "--write").code == 0
    said = bare.run("import", "--write")
    assert said.code == 1
    assert "there is already: policies/imported-policies.yaml." in said.err


def test_beside_a_policy_that_acts_the_plan_does_no_more_and_spares_who_is_protected_now(
    workspace: Workspace,
) -> None:
    workspace.policy("roomy.yaml", ROOMY)
    before = planned(workspace)["changes"]
    assert before
    done = workspace.run("import", "--write")
    assert done.code == 0, done.err
    assert "No Guardrails: there are some (policies/roomy.yaml:1)" in done.err
    assert "1 change of a plan would not be made any more, because these documents protect more." in done.err
    left = {one["user"] for one in before} - {one["user"] for one in planned(workspace)["changes"]}
    protected = load(workspace.folder / "policies").for_site("acme").protections[0]
    assert protected.groups == ("break-glass",)
    assert len(left) == 1


@pytest.mark.slow
@pytest.mark.case("F3")
def test_a_group_is_declared_as_a_whole_and_adopted_by_a_saved_plan(bare: Workspace) -> None:
    assert bare.run("import", "--write").code == 0
    site = load(bare.folder / "policies").for_site("acme")
    fates = planned(bare)["dispositions"]
    found = [
        (one, account)
        for one in site.groups[0].entries
        for account in one.accounts
        if len(one.accounts) > 1 and fates[account]["reason"] == "already-so"
    ]
    entry, out = found[0]
    kept = [account for account in entry.accounts if account != out]
    whole = f"""apiVersion: cleanup-gitops/v1
kind: Groups
metadata: {{name: whole}}
spec:
  - {{name: {json.dumps(entry.name)}, members: {{exactly: {json.dumps(kept)}}}}}
"""
    (bare.folder / "policies" / "imported-groups.yaml").unlink()
    bare.policy("whole.yaml", whole)
    waits = planned(bare)
    assert waits["changes"] == []
    assert out in {one["change"]["user"] for one in waits["pending"] if one["reason"] == "adopt"}
    assert bare.run("plan", "--adopt", "no such group").code == 1
    said = bare.run("plan", "--adopt", entry.name.upper(), "--out", str(bare.folder / "plan.json"))
    assert said.code == 0, said.err
    assert f"{entry.name} is adopted with this plan" in said.out
    wrong = bare.run("apply", str(bare.folder / "plan.json"), "--adopt", entry.name)
    assert wrong.code == 1
    assert "--adopt goes with --auto-approve" in wrong.err
    done = bare.run("apply", str(bare.folder / "plan.json"))
    assert done.code == 0, done.out + done.err
    lines = (bare.folder / "state" / "acme" / "memory.jsonl").read_text()
    assert '"kind":"adopted"' in lines
    assert '"why":"asked"' in lines
    assert planned(bare)["changes"] == []

"""`effect`: two revisions of the policies on one inventory, live or recorded."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.cli.test_recorded_lists import applied
from tests.cli.workspace import DORMANT, ROOMY, Workspace

__all__ = ["applied"]

LATER = DORMANT.replace("90d", "200d")


@pytest.fixture
def edited(workspace: Workspace) -> Workspace:
    """The threshold is higher in the working tree than in the last commit."""
    workspace.policy("roomy.yaml", ROOMY)
    (workspace.folder / "policies" / "dormant.yaml").write_text(LATER)
    return workspace


def compared(workspace: Workspace, *args: str) -> dict[str, Any]:
    said = workspace.run("effect", *args, "--format", "json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def planned(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(workspace.run("plan", "--format", "json").out)
    return found


def touched(plan: dict[str, Any]) -> set[str]:
    return {one["user"] for one in plan["changes"]}


def test_it_says_whom_the_two_plans_touch_and_changes_nothing(edited: Workspace) -> None:
    after = planned(edited)
    edited.git("stash", "-q")
    before = planned(edited)
    edited.git("stash", "pop", "-q")
    found = compared(edited)
    dropped = touched(before) - touched(after)
    assert dropped
    assert {one["account"] for one in found["users"] if one["sort"] == "dropped"} == dropped
    assert found["counts"]["alike"] == len(touched(before) & touched(after))
    assert (found["before"]["plan_digest"], found["after"]["plan_digest"]) == (before["digest"], after["digest"])
    assert found["before"]["policy_digest"] == before["inputs"]["policy_digest"]
    assert found["after"]["seats_in_use"] == after["seats"]["after"]
    head = edited.git("rev-parse", "HEAD").strip()
    assert (found["before"]["revision"], found["before"]["commit"]) == ("HEAD", head)
    assert (found["after"]["revision"], found["after"]["commit"]) == (None, None)
    assert edited.git("status", "--porcelain") == " M policies/dormant.yaml\n"
    assert edited.writes() == []
    assert edited.kinds() == []


def test_the_site_is_read_once_for_both_and_nothing_is_asked_twice(edited: Workspace) -> None:
    def requests() -> Counter[str]:
        return Counter([*edited.requests("GET"), *edited.requests("POST")])

    edited.git("stash", "-q")
    edited.run("plan")
    first = requests()
    edited.git("stash", "pop", "-q")
    edited.run("effect")
    assert requests() - first == first  # the wider version asks all that the narrower one would


def test_what_was_committed_since_and_what_was_not_are_told_apart(edited: Workspace) -> None:
    edited.git("tag", "before")
    edited.git("commit", "-qam", "later")
    edited.git("switch", "-q", "-c", "topic")
    edited.policy("dormant.yaml", DORMANT.replace("90d", "91d"))
    (edited.folder / "policies" / "dormant.yaml").write_text(DORMANT)
    for asked, sorts in (
        ("before", set()),
        ("before..", set()),
        ("HEAD~1", {"added"}),
        ("before..HEAD~1", {"dropped"}),
        ("HEAD~1..before", {"added"}),
        ("before..before", set()),
    ):
        found = compared(edited, asked)
        assert {one["sort"] for one in found["users"]} - {"untouched"} == sorts, asked
    assert edited.run("effect", "before", "--detailed-exitcode").code == 0
    assert edited.run("effect", "HEAD~1", "--detailed-exitcode").code == 2
    said = edited.run("effect", "before..before")
    commit = edited.git("rev-parse", "before").strip()[:12]
    assert said.out.startswith(f"No difference. before ({commit}) and before ({commit}) do the same on acme, to ")
    assert len(said.out.splitlines()) == 1


def test_names_are_shown_on_a_terminal_and_in_a_comment_only_when_asked_for(edited: Workspace) -> None:
    users = {one["account"] for one in compared(edited)["users"]}
    names = [user.name for user in edited.box.world.users if user.id in users]
    assert names

    def shown(*args: str) -> tuple[bool, bool]:
        said = edited.run("effect", *args)
        assert said.code == 0, said.err
        return any(one in said.out for one in users), any(name in said.out for name in names)

    assert shown() == (True, True)
    assert shown("--ids-only") == (True, False)
    assert shown("--limit", "0") == (False, False)
    assert shown("--format", "markdown") == (False, False)
    assert shown("--format", "markdown", "--limit", "50") == (True, False)
    assert shown("--format", "markdown", "--ids-only") == (True, False)
    assert shown("--format", "markdown", "--names") == (True, True)
    assert shown("--format", "json") == (True, False)
    said = edited.run("effect", "--format", "json", "--names")
    assert (said.code, said.out) == (1, "")
    assert "--names: the JSON form never holds names." in said.err


def test_policies_of_a_revision_that_are_invalid_are_named_with_revision_and_place(edited: Workspace) -> None:
    edited.policy("broken.yaml", DORMANT.replace("inactive_for", "inactve_for").replace("dormant", "broken"))
    edited.git("tag", "bad")
    edited.git("rm", "-q", "policies/broken.yaml")
    edited.git("commit", "-qm", "away")
    for asked in ("bad", "HEAD..bad"):
        said = edited.run("effect", asked)
        assert (said.code, said.out) == (1, "")
        assert "Error: 1 problem in the policies. Nothing was done.\n" in said.err
        assert "\nbad:policies/broken.yaml:8:9: unknown key" in said.err
        assert "inactive_for" in said.err
    assert edited.requests("GET") == []
    edited.git("rm", "-q", "--cached", "-r", "policies")
    edited.git("commit", "-qm", "nothing left")
    said = edited.run("effect")
    assert (said.code, said.out) == (1, "")
    assert "has no folder policies/, so there are no policies to compare." in said.err


def test_policies_that_are_no_policies_or_of_another_site_are_refused(edited: Workspace) -> None:
    site = (edited.folder / "policies/site.yaml").read_text()
    (edited.folder / "policies/site.yaml").write_text(site.replace("name: acme", "name: other"))
    said = edited.run("effect")
    assert (said.code, said.out) == (1, "")
    assert "There is no Site 'other' in the policies of HEAD (" in said.err
    (edited.folder / "policies/site.yaml").write_text(site)
    twice = ROOMY.replace("name: roomy", "name: again")
    edited.policy("again.yaml", twice)
    (edited.folder / "policies/again.yaml").unlink()
    said = edited.run("effect")
    assert (said.code, said.out) == (1, "")
    assert "\nHEAD:policies/" in said.err
    said = edited.run("effect", "nowhere..HEAD")
    assert (said.code, said.out) == (1, "")
    assert "There is no commit 'nowhere' in " in said.err


def test_in_a_folder_of_a_larger_repository_the_place_is_the_one_that_git_takes(workspace: Workspace) -> None:
    workspace.policy("broken.yaml", "kind: Nothing\n")
    top = workspace.folder
    inner = top / "wiki"
    inner.mkdir()
    workspace.git("mv", "policies", "wiki/policies")
    workspace.git("commit", "-qm", "moved")
    workspace.git("rm", "-q", "wiki/policies/broken.yaml")
    workspace.folder = inner
    said = workspace.run("effect")
    assert (said.code, said.out) == (1, "")
    assert "\nHEAD:wiki/policies/broken.yaml:1:" in said.err
    assert workspace.git("show", "HEAD:wiki/policies/broken.yaml") == "kind: Nothing\n"


def test_another_site_document_is_said_because_the_site_is_read_with_one(edited: Workspace) -> None:
    edited.site(directory="default")
    site = (edited.folder / "policies/site.yaml").read_text()
    (edited.folder / "policies/site.yaml").write_text(site.replace("svc-*", "robot-*"))
    said = edited.run("effect")
    assert said.code == 0
    assert "Note: the Site document of HEAD (" in said.err
    assert "is not that of the working tree, by which the site was read." in said.err
    edited.git("checkout", "-q", "policies/site.yaml")
    assert "Note: " not in edited.run("effect").err


def test_a_guard_that_breaks_is_a_difference(edited: Workspace) -> None:
    edited.git("checkout", "-q", "policies/dormant.yaml")
    (edited.folder / "policies/roomy.yaml").write_text(
        ROOMY.replace("{max: 200, percent: 100}, total", "{max: 1}, total")
    )
    said = edited.run("effect", "--detailed-exitcode")
    assert said.code == 2, said.err
    assert said.out.startswith("acme: no user is treated otherwise.\n")
    assert "\nGuards that break:\n  * cap:membership.remove: " in said.out
    assert said.out.endswith("\nThe plan after is unsafe: nothing of it would be applied.\n")


def test_a_recorded_inventory_needs_neither_site_nor_credentials(applied: Workspace) -> None:
    (applied.folder / "policies" / "dormant.yaml").write_text(LATER)
    said = applied.run("effect", "--recorded", "HEAD")
    assert said.code == 0, said.err
    commit = applied.git("rev-parse", "HEAD").strip()
    assert f", as recorded with serial 1 in commit {commit[:12]}.\n" in said.out
    assert "No difference." not in said.out
    found = compared(applied, "HEAD~1", "--recorded", "HEAD")
    manifest = json.loads((applied.folder / "state/acme/manifest.json").read_text())
    assert (found["as_of"], found["serial"], found["commit"]) == (manifest["as_of"], 1, commit)
    assert found["differs"]
    applied.git("checkout", "-q", "policies/dormant.yaml")
    same = applied.run("effect", "HEAD~1", "--recorded", "HEAD")
    assert same.out.startswith("No difference. HEAD~1 (")
    assert applied.run("effect").code != 0


def test_each_site_is_compared_for_itself(workspace: Workspace) -> None:
    site = (workspace.folder / "policies/site.yaml").read_text()
    workspace.policy("dormant.yaml", DORMANT.replace("metadata:", "sites: [acme]\nmetadata:", 1))
    workspace.git("tag", "alone")
    workspace.policy("second.yaml", site.replace("name: acme", "name: second"))
    (workspace.folder / "policies/dormant.yaml").write_text(LATER.replace("metadata:", "sites: [acme]\nmetadata:", 1))
    first, second = workspace.run("effect"), workspace.run("effect", "--site", "second")
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert first.out.startswith("acme: ")
    assert "\nNo difference. HEAD (" in first.out
    assert "do the same on second, to 0 users" in first.out
    assert second.out.startswith("No difference. HEAD (")
    assert workspace.run("effect", "--detailed-exitcode").code == 2
    assert workspace.run("effect", "--detailed-exitcode", "--site", "second").code == 0
    said = workspace.run("effect", "--format", "json")
    assert (said.code, said.out) == (1, "")
    assert "There are several sites: acme, second." in said.err
    said = workspace.run("effect", "alone")
    assert (said.code, said.out) == (1, "")
    assert "There is no Site 'second' in the policies of alone (" in said.err
    assert workspace.run("effect", "alone", "--site", "acme").code == 0


def test_what_a_snapshot_cannot_tell_is_not_told_to_be_the_same(workspace: Workspace) -> None:
    access = DORMANT.replace("groups: {absent: [confluence-users-acme]}", "product_access: absent")
    workspace.policy("dormant.yaml", access.replace("spec:", "spec:\n  mode: report"))
    assert workspace.run("apply", "--auto-approve").code == 0
    (workspace.folder / "policies/dormant.yaml").write_text(access)
    assert compared(workspace)["counts"]["added"] > 0
    recorded = compared(workspace, "--recorded", "HEAD")
    assert (recorded["differs"], recorded["counts"]["added"]) == (False, 0)
    unknown = recorded["counts"]["unknown"]
    assert unknown >= compared(workspace)["counts"]["added"]
    said = workspace.run("effect", "--recorded", "HEAD")
    assert said.out.endswith(f" {unknown} users are unknown both times: what differs there does not show.\n")


def test_lists_that_only_one_version_asks_for_are_read_before_the_site_is(edited: Workspace) -> None:
    listed = DORMANT.replace("      - has_seat: true\n", "      - listed_in: {env: HR_CSV, account: id}\n")
    edited.policy("listed.yaml", listed.replace("name: dormant", "name: listed"))
    (edited.folder / "policies/listed.yaml").unlink()
    said = edited.run("effect")
    assert (said.code, said.out) == (1, "")
    assert "HR_CSV" in said.err
    assert edited.requests("GET") == []

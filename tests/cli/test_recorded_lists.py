"""`users --recorded` and `groups --recorded`: how it was, from git alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.workspace import Workspace

MEMBERS = "confluence-users-acme"


@pytest.fixture
def applied(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace after one run, without credentials, and with its sandbox out of order."""
    said = workspace.run("apply", "--auto-approve")
    assert said.code == 0, said.err
    for name in ("ORG_KEY", "SITE_USER", "SITE_TOKEN"):
        monkeypatch.delenv(name)
    workspace.fault(kind="reset")
    return workspace


def listed(workspace: Workspace, *args: str) -> dict[str, Any]:
    said = workspace.run(*args, "--format", "json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_users_are_those_of_the_snapshot_by_id_and_conditions_those_of_the_policies(applied: Workspace) -> None:
    said = applied.run("users", "--recorded", "HEAD")
    head, *lines = said.out.splitlines()
    assert head.split() == ["ID", "STATUS", "KIND", "LICENSE", "LAST", "SEEN", "IDLE"]
    commit = applied.git("rev-parse", "HEAD").strip()
    assert f"{len(lines)} users of acme at 20" in said.err
    assert f" UTC, as recorded with serial 1 in commit {commit[:12]}." in said.err
    found = listed(applied, "users", "--recorded", "HEAD", "--columns", "all")
    assert (found["commit"], found["serial"], found["count"]) == (commit, 1, len(lines))
    assert not {"name", "email"} & found["rows"][0].keys()
    manifest = json.loads((applied.folder / "state/acme/manifest.json").read_text())
    assert found["as_of"] == manifest["as_of"]
    everybody = found["count"]
    assert everybody == manifest["counts"]["accounts"]
    found = listed(applied, "users", "--recorded", "HEAD", "--where", "inactive_for: 90d")
    others = listed(applied, "users", "--recorded", "HEAD", "--where", "none: [{inactive_for: 90d}]")
    assert found["count"] > 0
    assert found["count"] + others["count"] + found["undecided"] == everybody
    said = applied.run("users", "--recorded", "HEAD", "--columns", "id,name")
    assert (said.code, said.out) == (1, "")
    assert "there is no column 'name'" in said.err


def test_members_of_then_are_those_of_the_file(applied: Workspace) -> None:
    groups = {one["name"]: one for one in listed(applied, "groups", "--recorded", "HEAD")["rows"]}
    for name in (MEMBERS, "break-glass"):
        said = applied.run("groups", "--recorded", "HEAD", "--members", name)
        assert len(said.out.splitlines()) - 1 == groups[name]["members"] > 0
        assert f"of {name} (acme) at 20" in said.err
        assert "as recorded with serial 1 in commit" in said.err
    file = applied.folder / "state/acme/groups/break-glass.txt"
    found = listed(applied, "groups", "--recorded", "HEAD", "--members", "break-glass")
    assert [one["id"] for one in found["rows"]] == file.read_text().split()
    assert found["commit"] == applied.git("rev-parse", "HEAD").strip()


def test_what_is_not_there_or_was_edited_is_refused(applied: Workspace) -> None:
    said = applied.run("users", "--recorded", "last-year")
    assert (said.code, said.out) == (1, "")
    assert "There is no commit 'last-year'" in said.err
    first = applied.git("rev-list", "--max-parents=0", "HEAD").strip()
    said = applied.run("groups", "--recorded", first)
    assert (said.code, said.out) == (1, "")
    assert f"Commit {first[:12]} holds no snapshot of acme." in said.err
    path = applied.folder / "state/acme/groups/break-glass.txt"
    path.write_text(path.read_text() + "712020:intruder\n")
    applied.git("commit", "-aqm", "by hand")
    said = applied.run("groups", "--recorded", "HEAD", "--members", "break-glass")
    assert (said.code, said.out) == (3, "")
    assert "The record of acme in commit" in said.err
    assert "is not sound" in said.err
    assert applied.run("groups", "--recorded", "HEAD~1").code == 0

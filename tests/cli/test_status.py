"""`status`: the live site on one screen."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cleanup_gitops.cli.terminal import SystemClock
from tests.cli.workspace import Workspace

EXEMPTIONS = """\
apiVersion: cleanup-gitops/v1
kind: Exemptions
metadata: {{name: leave, owner: hr-ops@acme.com}}
spec:
  - {{account: "{account}", reason: absence, until: {until}, ticket: HR-1}}
"""


def test_the_screen_counts_what_the_list_of_users_holds(workspace: Workspace) -> None:
    document = json.loads(workspace.run("status", "--format", "json").out)
    users = json.loads(workspace.run("users", "--format", "json").out)["rows"]
    assert document["users"]["total"] == len(users)
    for key, column in (("status", "status"), ("kind", "kind")):
        assert document["users"][key] == {
            word: sum(1 for one in users if (one[column] or "unknown") == word) for word in document["users"][key]
        }
        assert sum(document["users"][key].values()) == len(users)
    assert document["seats"]["used"] == sum(1 for one in users if one["billed"])
    assert document["seats"]["closed"] > 0
    assert document["users"]["guests"] == sum(1 for one in users if one["license"] == "guest")
    text = workspace.run("status").out
    assert f"Seats           {document['seats']['used']} used" in text
    assert text.count("\n") < 24


@pytest.mark.case("E51")
@pytest.mark.parametrize(
    ("capacity", "said"), [(1000, "used of 1,000, "), (3, "more than there are"), (None, "does not tell how many")]
)
def test_seats_are_shown_as_the_site_tells_them(workspace: Workspace, capacity: int | None, said: str) -> None:
    for resource in workspace.box.world.resources:
        resource.capacity = capacity
    workspace.box.refresh()
    seats = json.loads(workspace.run("status", "--format", "json").out)["seats"]
    assert seats["limit"] == capacity
    assert seats["free"] == (None if capacity is None else capacity - seats["used"])
    assert said in workspace.run("status").out


def test_what_was_recorded_is_shown(workspace: Workspace) -> None:
    assert "Recorded        nothing yet" in workspace.run("status").out
    assert workspace.run("apply", "--auto-approve").code == 0
    said = workspace.run("status")
    assert said.code == 0
    assert "Recorded        serial 1, last run 20" in said.out
    recorded = json.loads(workspace.run("status", "--format", "json").out)["recorded"]
    assert recorded["serial"] == 1
    assert recorded["results"]["applied"] > 0
    assert recorded["problem"] is None


@pytest.mark.slow
def test_a_record_that_is_not_sound_is_told_beside_everything_else(workspace: Workspace) -> None:
    workspace.run("apply", "--auto-approve")
    manifest = workspace.folder / "state" / "acme" / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    said = workspace.run("status")
    assert said.code == 3
    assert "Recorded        cannot be used: state/acme differs from the last commit" in said.out
    assert "Seats           " in said.out
    document = workspace.run("status", "--format", "json")
    assert document.code == 3
    assert json.loads(document.out)["recorded"]["problem"]


def test_an_exemption_that_ends_is_named_with_the_person(workspace: Workspace) -> None:
    person = next(user for user in workspace.box.world.users if user.name == "Ragnhild Solberg")
    soon = SystemClock().now().date() + timedelta(days=20)
    workspace.policy("exemptions.yaml", EXEMPTIONS.format(account=person.id, until=soon))
    line = f"{person.id} (Ragnhild Solberg): absence, ends on {soon}, in 20 days (policies/exemptions.yaml:5)"
    assert line in workspace.run("status").out
    document = workspace.run("status", "--format", "json").out
    assert "Ragnhild" not in document
    assert json.loads(document)["exemptions_ending"][0]["account"] == person.id


def test_the_status_changes_nothing(workspace: Workspace) -> None:
    workspace.run("status")
    assert workspace.writes() == []
    assert workspace.git("status", "--porcelain") == ""


def test_several_sites_come_one_after_the_other_but_not_as_json(workspace: Workspace) -> None:
    site = (workspace.folder / "policies" / "site.yaml").read_text()
    workspace.policy("other.yaml", site.replace("name: acme", "name: other"))
    policy = (workspace.folder / "policies" / "dormant.yaml").read_text()
    workspace.policy("dormant.yaml", policy.replace("kind: Policy", "kind: Policy\nsites: ['*']"))
    text = workspace.run("status").out
    assert text.index("acme: Confluence Cloud") < text.index("\n\nother: Confluence Cloud")
    assert "--site NAME" in workspace.run("status", "--format", "json").err


@pytest.mark.case("E61")
def test_an_incomplete_reading_is_no_status(workspace: Workspace) -> None:
    workspace.fault(kind="drop_rows", match={"path_regex": r"users/search$"})
    said = workspace.run("status")
    assert (said.code, said.out) == (3, "")

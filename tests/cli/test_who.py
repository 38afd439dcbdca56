"""`who`: whom conditions mean on the site, or meant in a snapshot."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.test_recorded_lists import applied
from tests.cli.workspace import DORMANT, ROOMY, Workspace

__all__ = ["applied"]

SEATED = ("--where", "has_seat: true", "--where", "inactive_for: 90d")


def asked(workspace: Workspace, *args: str) -> dict[str, Any]:
    said = workspace.run("who", *args, "--format", "json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_the_people_are_those_that_users_lists_and_nothing_is_changed(workspace: Workspace) -> None:
    found = asked(workspace, *SEATED)
    listed = json.loads(workspace.run("users", *SEATED, "--format", "json").out)
    meeting = [one["account"] for one in found["users"] if one["meets"] == "yes"]
    assert meeting == sorted(row["id"] for row in listed["rows"])
    assert found["counts"]["meeting"] == len(meeting) > 0
    assert found["counts"]["unknown"] == listed["undecided"]
    assert sum(found["counts"][one] for one in ("meeting", "not_meeting", "unknown")) == found["counts"]["users"]
    assert [one["asked"] for one in found["conditions"]] == [["has_seat true"], ["inactive_for 90d"]]
    assert found["conditions"][-1]["left"] == {
        "meeting": found["counts"]["meeting"],
        "unknown": found["counts"]["unknown"],
    }
    assert workspace.writes() == []
    assert workspace.kinds() == []


def test_text_names_people_and_what_conditions_saw_of_them(workspace: Workspace) -> None:
    said = workspace.run("who", *SEATED, "--limit", "1")
    assert said.code == 0, said.err
    assert said.out.startswith("Who meets has_seat: true, inactive_for: 90d on acme, read at ")
    assert "\n    inactive_for 90d: yes, last seen " in said.out
    assert " more; --limit shows more of them" in said.out
    name = said.out.partition("They are:\n  ")[2].partition(" (")[2].partition(")\n")[0]
    assert name
    assert name not in workspace.run("who", *SEATED, "--ids-only").out
    markdown = workspace.run("who", *SEATED, "--format", "markdown").out
    assert name not in markdown
    assert "They are" not in markdown
    assert name in workspace.run("who", *SEATED, "--format", "markdown", "--names").out


def test_a_policy_can_be_asked_and_those_of_whom_it_is_not_known_shown(workspace: Workspace) -> None:
    assert asked(workspace, "--policy", "dormant")["counts"] == asked(workspace, *SEATED)["counts"]
    said = workspace.run("who", "--where", "inactive_for: 90d", "--unknown")
    assert "Not known, because:\n  inactive_for 90d: last use not known: " in said.out
    assert "\nNot known of:\n" in said.out
    assert "They are" not in said.out


def test_a_snapshot_is_asked_without_the_site(applied: Workspace) -> None:
    found = asked(applied, "--policy", "dormant", "--recorded", "HEAD")
    assert found["serial"] == 1
    assert "@" not in json.dumps(found["users"])
    everywhere = asked(applied, "--where", "inactive_for: {for: 90d, product: any}", "--recorded", "HEAD")
    assert "not kept in the snapshot: use of other products" in {one["reason"] for one in everywhere["reasons"]}


def test_what_is_wrong_is_said_before_the_site_is_asked(workspace: Workspace) -> None:
    for args in ((), ("--where", "has_seat: true", "--policy", "dormant")):
        said = workspace.run("who", *args)
        assert said.code == 1
        assert "either with --where, once or several times, or with --policy" in said.err
    assert "has no policy 'dormand'" in workspace.run("who", "--policy", "dormand").err
    assert "unknown" in workspace.run("who", "--where", "has_seet: true").err
    assert workspace.requests("GET") == []
    assert "No group of acme is called 'nowhere'" in workspace.run("who", "--where", "in_group: nowhere").err


def test_a_list_that_only_another_policy_needs_keeps_nobody_from_asking(workspace: Workspace) -> None:
    other = DORMANT.replace("name: dormant", "name: listed").replace(
        "      - has_seat: true\n", "      - listed_in: {env: NOT_SET_CSV, account: account_id}\n"
    )
    workspace.policy("listed.yaml", other)
    assert asked(workspace, "--policy", "dormant")["counts"]["meeting"] > 0
    said = workspace.run("who", "--policy", "listed")
    assert (said.code, said.out) == (1, "")
    assert "NOT_SET_CSV" in said.err


def test_what_is_ruled_out_does_not_read_as_asked_for(workspace: Workspace) -> None:
    found = asked(workspace, "--where", "{any: [{none: [{has_seat: true}]}, {email_domain: nowhere.example}]}")
    (step,) = found["conditions"]
    assert (step["word"], step["asked"]) == ("any of", ["none of (has_seat true)", "email_domain nowhere.example"])


def test_what_earlier_snapshots_know_counts_as_it_does_in_a_plan(workspace: Workspace) -> None:
    workspace.policy("roomy.yaml", ROOMY)
    before = {one["account"] for one in asked(workspace, "--policy", "dormant")["users"]}
    assert workspace.run("apply", "--auto-approve").code == 0
    lost = before - {one["account"] for one in asked(workspace, "--policy", "dormant")["users"]}
    world = workspace.box.world
    seats = next(one.id for one in world.groups if one.name == "confluence-users-acme")
    back = next(one for one in world.users if one.id in lost)
    back.groups.append(seats)  # somebody gives the seat again, today
    assert back.id in workspace.run("users", *SEATED, "--format", "csv").out
    assert back.id not in {one["account"] for one in asked(workspace, "--policy", "dormant")["users"]}

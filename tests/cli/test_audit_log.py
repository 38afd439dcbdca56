"""`audit log`, `audit user`, `audit admins`: what happened, told from git alone."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.cli.terminal import SystemClock
from tests.cli.test_drift import Others
from tests.cli.workspace import DORMANT, ROOMY, Said, Workspace

USERS = "confluence-users-acme"


@pytest.fixture
def lived(workspace: Workspace) -> Others:
    """A site with a run that took memberships away, a membership that others added, and a quiet run."""
    others = Others(workspace)
    workspace.policy("roomy.yaml", ROOMY)
    workspace.policy("dormant.yaml", DORMANT)
    assert workspace.run("apply", "--auto-approve").code == 0
    someone = others.someone(out_of="org-admins")
    others.call("POST", f"groups/{others.group('org-admins')}/memberships", json={"accountId": someone.id})
    assert workspace.run("apply", "--auto-approve").code == 0
    return others


def rows(workspace: Workspace, *options: str) -> list[dict[str, Any]]:
    said = workspace.run("audit", "log", "--format", "json", *options)
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["rows"]
    return found


def outcomes(workspace: Workspace) -> list[dict[str, Any]]:
    """What the files of all runs hold, read without the code under test."""
    paths = sorted(workspace.folder.glob("state/acme/runs/*/outcomes.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_the_log_has_every_record_every_change_and_what_others_did(workspace: Workspace, lived: Others) -> None:
    found = rows(workspace)
    ours = [one for one in found if one["by"] == "run"]
    assert sorted((one["user"], one["what"], one["result"]) for one in ours) == sorted(
        (one["user"], one["action"], one["result"]) for one in outcomes(workspace)
    )
    assert len(ours) > 5
    assert [one["what"] for one in found if one["by"] == "record"] == ["run", "drift", "run"]
    theirs = [one for one in found if one["by"] == "others"]
    assert [(one["what"], one["group"], one["after"]) for one in theirs] == [
        ("membership.added", lived.group("org-admins"), {"member": True}),
        ("user.changed", None, {"admin": True, "roles": ["organization-admin"]}),
    ]
    assert [one["record"] for one in found] == sorted(one["record"] for one in found)
    first = ours[0]
    assert first["approval"] == {"kind": "auto", "by": lived.box.runner_account}
    assert first["policies"] == ["dormant"]
    assert first["endpoint"].startswith("DELETE ")
    commits = workspace.git("log", "--format=%H", "--", "state/acme").split()
    assert {one["commit"] for one in found} <= set(commits)


def test_each_option_narrows_the_log_and_several_of_one_widen_it(workspace: Workspace, lived: Others) -> None:
    found = rows(workspace)
    removed = [one for one in found if one["what"] == "membership.remove"]
    one, two = removed[0]["user"], removed[1]["user"]
    assert [row["user"] for row in rows(workspace, "--user", one, "--user", two, "--result", "applied")] == [
        one,
        two,
    ]
    assert rows(workspace, "--action", "membership.remove") == removed
    assert rows(workspace, "--policy", "dormant") == removed
    assert rows(workspace, "--group", "CONFLUENCE-USERS-*") == removed
    assert rows(workspace, "--group", lived.group(USERS)) == removed
    assert rows(workspace, "--result", "failed") == []
    assert rows(workspace, "--result", "applied") == removed
    assert rows(workspace, "--run", removed[0]["run"]) == [row for row in found if row["run"] == removed[0]["run"]]
    assert rows(workspace, "--user", one, "--action", "drift") == []
    yesterday = SystemClock().now().date() - timedelta(days=1)
    assert rows(workspace, "--since", str(yesterday)) == found
    assert rows(workspace, "--until", "2020-01-01") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--action", "membership.remov"), "did you mean `membership.remove`?"),
        (("--group", "confluence-user-acme"), "No group of acme is called 'confluence-user-acme'"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "--until is before --since."),
        (("--site", "other"), "Recorded here: acme."),
        (("--branch", "nowhere"), "There is no branch 'nowhere'"),
    ],
)
@pytest.mark.usefixtures("lived")
def test_what_is_asked_in_vain_is_said(workspace: Workspace, options: tuple[str, ...], words: str) -> None:
    said = workspace.run("audit", "log", *options)
    assert said.code == 1
    assert said.out == ""
    assert words in said.err


@pytest.mark.usefixtures("lived")
def test_neither_site_nor_policies_nor_credentials_are_needed(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(workspace.folder), str(bare)], check=True)
    for name in ("ORG_KEY", "SITE_USER", "SITE_TOKEN"):
        monkeypatch.delenv(name)
    asked = len(workspace.requests("GET"))
    capsys.readouterr()
    for args in (["log"], ["admins"], ["user", outcomes(workspace)[0]["user"]]):
        assert run(["-C", str(bare), "audit", *args]) == 0
        assert capsys.readouterr().out
    assert len(workspace.requests("GET")) == asked


@pytest.mark.case("E80")
@pytest.mark.usefixtures("lived")
def test_csv_has_every_column_and_a_cell_for_each(workspace: Workspace) -> None:
    said = workspace.run("audit", "log", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(said.out)))
    data = rows(workspace)
    assert len(table) == len(data)
    assert list(table[0]) == list(data[0])
    assert {row["result"] for row in table} == {"", "applied"}
    assert all(row["group"] == USERS for row in table if row["what"] == "membership.remove")


def amend(workspace: Workspace, path: Path, old: bytes, new: bytes) -> None:
    """Rewrite the last commit with another content of a file, as somebody with the right to push by force may."""
    data = path.read_bytes()
    assert data.count(old) > 0
    path.write_bytes(data.replace(old, new, 1))
    workspace.git("commit", "-q", "--amend", "--no-edit", "-a")


@pytest.mark.parametrize("command", [("log",), ("user", "712020:somebody")])
@pytest.mark.parametrize(
    ("glob", "old", "new", "words"),
    [
        ("runs/*/outcomes.jsonl", b'"result":"applied"', b'"result":"failed"', "is not the file that the ledger names"),
        ("ledger/*.jsonl", b'"accounts":', b'"accounts":1', "of the ledger that no commit of the history brought"),
    ],
)
def test_what_was_edited_is_not_told_of(
    workspace: Workspace, command: tuple[str, ...], glob: str, old: bytes, new: bytes, words: str
) -> None:
    workspace.policy("roomy.yaml", ROOMY)
    workspace.policy("dormant.yaml", DORMANT)
    assert workspace.run("apply", "--auto-approve").code == 0
    path = next(workspace.folder.glob(f"state/acme/{glob}"))
    amend(workspace, path, old, new)
    said = workspace.run("audit", *command)
    assert (said.code, said.out) == (3, "")
    assert words in said.err
    assert "audit verify" in said.err


def story(workspace: Workspace, account: str) -> Said:
    said = workspace.run("audit", "user", account)
    assert said.code == 0, said.err
    return said


def test_the_story_of_somebody_who_lost_a_group(workspace: Workspace, lived: Others) -> None:
    one = next(row for row in outcomes(workspace) if row["action"] == "membership.remove")
    text = story(workspace, one["user"]).out
    assert f"{one['user']} on acme\n" in text
    assert f"membership.remove {USERS}: member: yes -> member: no" in text
    assert f"asked by dormant ({one['causes'][0]['where']}): {one['causes'][0]['why']}" in text
    assert f"approved: auto, by {lived.box.runner_account}" in text
    assert f"record 1, {one['run']}, commit " in text
    assert "\nIn the newest snapshot, read " in text
    told = json.loads(workspace.run("audit", "user", one["user"], "--format", "json").out)
    assert [row["what"] for row in told["events"]] == ["membership.remove"]
    assert told["snapshots"][0]["before"] is None
    assert USERS not in [group["name"] for group in told["groups"]]
    assert [line["kind"] for line in told["remembered"]] == ["done"]
    table = workspace.run("audit", "user", one["user"], "--format", "csv").out
    assert [row["user"] for row in csv.DictReader(io.StringIO(table))] == [one["user"]]


def test_the_story_says_what_snapshots_had_otherwise(workspace: Workspace, lived: Others) -> None:
    made = next(row for row in rows(workspace) if row["what"] == "membership.added")
    lines = story(workspace, made["user"]).out.splitlines()
    turned = [line for line in lines if "  snapshot " in line]
    assert len(turned) == 2
    assert "admin no -> yes" in turned[1]
    at = lines.index(turned[1])
    assert any("membership.added org-admins: member: no -> member: yes" in line for line in lines[: at + 1])
    assert any(line.strip() == "by others, found then" for line in lines)
    assert lived.box.runner_account not in "".join(turned)


@pytest.mark.usefixtures("lived")
def test_nobody_has_no_story(workspace: Workspace) -> None:
    said = workspace.run("audit", "user", "712020:nobody")
    assert (said.code, said.out) == (1, "")
    assert "Nothing is recorded of an account with this id on acme." in said.err


def test_administrators_of_a_day_are_those_of_its_last_snapshot(workspace: Workspace, lived: Others) -> None:
    made = next(row for row in rows(workspace) if row["what"] == "membership.added")
    said = workspace.run("audit", "admins", "--format", "json")
    assert said.code == 0, said.err
    found = {row["id"]: row for row in json.loads(said.out)["rows"]}
    group = lived.group("org-admins")
    members = {user.id for user in lived.box.world.users if group in user.groups}
    assert members <= set(found)
    assert [one["name"] for one in found[made["user"]]["groups"]] == ["org-admins"]
    recorded = json.loads(
        workspace.run("users", "--recorded", "HEAD", "--format", "json", "--columns", "id,admin").out
    )["rows"]
    assert {one["id"] for one in recorded if one["admin"] is not False} == set(found)


@pytest.mark.parametrize(
    ("day", "words"),
    [("2020-01-01", "There is no snapshot of acme up to 2020-01-01."), ("2199-01-01", "--on 2199-01-01 is not over")],
)
@pytest.mark.usefixtures("lived")
def test_a_day_without_a_snapshot_and_a_day_to_come_are_refused(workspace: Workspace, day: str, words: str) -> None:
    said = workspace.run("audit", "admins", "--on", day)
    assert (said.code, said.out) == (1, "")
    assert words in said.err


@pytest.mark.usefixtures("lived")
def test_gaps_are_stretches_without_a_run(workspace: Workspace) -> None:
    said = workspace.run("audit", "gaps")
    assert said.code == 0, said.err
    assert said.err.startswith("0 gaps of acme, recorded up to ")
    for length in ("36", "0h", "1w", "-1d"):
        refused = workspace.run("audit", "gaps", "--longer-than", length)
        assert (refused.code, refused.out) == (1, "")
        assert "is no length of time such as 36h or 7d." in refused.err


def test_a_run_that_was_missed_is_a_gap(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, lived: Others) -> None:
    del lived
    later = SystemClock().now() + timedelta(days=3)
    monkeypatch.setattr(SystemClock, "now", lambda _: later)
    said = workspace.run("audit", "gaps", "--format", "json")
    (gap,) = json.loads(said.out)["rows"]
    assert (gap["open"], gap["ended"]) == (True, None)
    assert len(gap["days"]) in (2, 3)
    assert 3 * 86400 <= gap["length"] < 3 * 86400 + 3600  # the run was some seconds before
    assert "not over yet" in workspace.run("audit", "gaps").out

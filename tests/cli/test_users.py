"""`users`: the live inventory as a list, filtered as in a policy."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from cleanup_gitops.cli.main import run
from cleanup_gitops.views.user_columns import EXPORTED, SHOWN, USER_COLUMNS
from tests.cli.terminal_session import on_terminal
from tests.cli.workspace import Workspace
from tests.patience import STALLED


def rows(workspace: Workspace, *args: str) -> list[dict[str, Any]]:
    """The rows of a list in JSON."""
    said = workspace.run("users", "--format", "json", *args)
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["rows"]
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in found]


def test_every_user_is_listed_once_sorted_by_id(workspace: Workspace) -> None:
    said = workspace.run("users")
    assert said.code == 0
    head, *lines = said.out.splitlines()
    assert head.split() == ["ID", "NAME", "STATUS", "KIND", "LICENSE", "LAST", "SEEN", "IDLE"]
    listed = [line.split()[0] for line in lines]
    assert listed == ids(rows(workspace)) == sorted(set(listed))
    assert len(listed) > 100
    assert f"{len(listed)} users of acme at 20" in said.err


def test_a_condition_lists_those_who_meet_it_as_a_plan_would(workspace: Workspace) -> None:
    """The policy of the workspace asks for the same; some of those are protected, so the plan has fewer."""
    planned = json.loads(workspace.run("plan", "--format", "json").out)
    removed = {change["user"] for change in planned["changes"]}
    found = rows(workspace, "--where", "has_seat: true", "--where", "{inactive_for: 90d}", "--sort", "-idle")
    assert removed
    assert removed <= set(ids(found))
    idle = [one["idle"] for one in found]
    assert idle == sorted(idle, reverse=True)
    assert min(idle) > 90
    assert all(one["billed"] for one in found)


def test_several_conditions_are_met_by_those_who_meet_each(workspace: Workspace) -> None:
    one = set(ids(rows(workspace, "--where", "has_seat: true")))
    other = set(ids(rows(workspace, "--where", "in_group: 'dept-*'")))
    assert one - other
    assert other - one
    assert set(ids(rows(workspace, "--where", "has_seat: true", "--where", "in_group: 'dept-*'"))) == one & other


@pytest.mark.case("F2")
def test_who_cannot_be_decided_is_counted_and_listed_only_when_asked_for(workspace: Workspace) -> None:
    condition = ("--where", "inactive_for: 90d")
    document = json.loads(workspace.run("users", "--format", "json", *condition).out)
    undecided = rows(workspace, *condition, "--unknown")
    opposite = ids(rows(workspace, "--where", "none: [{inactive_for: 90d}]"))
    assert document["undecided"] == len(undecided) > 0
    assert len(document["rows"]) + len(undecided) + len(opposite) == len(rows(workspace))
    assert {*ids(document["rows"]), *opposite}.isdisjoint(ids(undecided))
    note = f"Not known of {len(undecided)} more users whether they meet the conditions; see --unknown."
    assert note in workspace.run("users", *condition).err


@pytest.mark.case("E1")
def test_never_used_stands_apart_from_not_known(workspace: Workspace) -> None:
    table = workspace.run("users", "--columns", "id,seen").out
    kinds = {one["seen"]["is"] for one in rows(workspace)}
    assert kinds == {"seen", "never", "unknown"}
    assert "  never\n" in table
    assert "  unknown (" in table


@pytest.mark.case("E15")
def test_an_invitation_that_nobody_accepted_is_no_idle_account(workspace: Workspace) -> None:
    invited = [one for one in rows(workspace) if one["accepted"] is False]
    assert invited
    assert {one["seen"]["is"] for one in invited} == {"never"}
    table = workspace.run("users", "--columns", "id,status").out
    assert sorted(line.split()[0] for line in table.splitlines() if line.endswith("invited")) == ids(invited)
    assert set(ids(rows(workspace, "--where", "inactive_for: 1d"))).isdisjoint(ids(invited))


@pytest.mark.case("E80")
def test_a_csv_of_the_whole_organization_holds_no_formula_and_every_account(workspace: Workspace) -> None:
    names = [user.name for user in workspace.box.world.users]
    assert any(name.startswith("=") for name in names), "the invented organization lost its hostile names"
    said = workspace.run("users", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(said.out)))
    assert tuple(table[0]) == EXPORTED
    assert [row["id"] for row in table] == ids(rows(workspace))
    for row in table:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert any(row["name"].startswith("'=HYPERLINK") for row in table)
    assert said.out.count("\n") == len(table) + 1


@pytest.mark.case("E80")
def test_no_name_of_the_organization_reaches_a_terminal_raw(workspace: Workspace) -> None:
    for form in ("table", "csv", "json", "jsonl"):
        out = workspace.run("users", "--columns", "all", "--format", form).out
        assert [one for one in ("\x1b", "\u202e", "\u2028", "\t", "\r") if one in out] == []


def test_json_lines_hold_the_same_as_the_document(workspace: Workspace) -> None:
    lines = workspace.run("users", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == rows(workspace)
    document = json.loads(workspace.run("users", "--format", "json", "--limit", "3").out)
    assert (document["site"], document["count"], len(document["rows"])) == ("acme", len(lines), 3)
    assert document["as_of"].endswith("Z")


def test_columns_are_shown_in_the_order_asked_for(workspace: Workspace) -> None:
    first = rows(workspace, "--columns", "seats, id,e-mail".replace("e-mail", "email"), "--limit", "1")[0]
    assert list(first) == ["seats", "id", "email"]
    assert list(rows(workspace, "--columns", "all", "--limit", "1")[0]) == list(USER_COLUMNS)
    assert list(rows(workspace, "--limit", "1")[0]) == list(EXPORTED)


def test_names_are_left_out_when_only_ids_are_wanted(workspace: Workspace) -> None:
    out = workspace.run("users", "--ids-only", "--columns", "all", "--format", "csv").out
    out += workspace.run("users", "--ids-only").out
    people = [user for user in workspace.box.world.users if len(user.name) > 6]
    assert people
    for user in people:
        assert user.name not in out
        assert not user.email or user.email not in out


def test_an_address_has_to_be_asked_for(workspace: Workspace) -> None:
    addresses = [user.email for user in workspace.box.world.users if user.email]
    for form in ("table", "csv", "json"):
        out = workspace.run("users", "--format", form).out
        assert [address for address in addresses if address in out] == []
    assert addresses[0] in workspace.run("users", "--columns", "id,email").out


def test_listing_changes_nothing_and_leaves_nothing_behind(workspace: Workspace) -> None:
    head = workspace.git("rev-parse", "HEAD")
    workspace.run("users")
    assert workspace.writes() == []
    assert workspace.git("rev-parse", "HEAD") == head
    assert workspace.git("status", "--porcelain") == ""


def test_progress_and_summary_name_nobody(workspace: Workspace) -> None:
    err = workspace.run("users", "--where", "inactive_for: 90d").err
    for user in workspace.box.world.users:
        assert len(user.name) < 7 or user.name not in err
        assert not user.email or user.email not in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--where", "has_sead: true"), "--where:1:1: unknown key `has_sead`; did you mean `has_seat`?"),
        (("--where", "has_seat: true", "--where", "{}"), "--where 2:1:1: write one condition"),
        (("--unknown",), "--unknown needs a condition"),
        (("--columns", "id,nam"), "--columns: there is no column 'nam'; did you mean `name`?"),
        (("--columns", "id,id"), "--columns names a column twice"),
        (("--columns", ""), "--columns names no column"),
        (("--sort", " ,"), "--sort names no column"),
        (("--sort", "-ide"), "--sort: there is no column 'ide'"),
        (("--ids-only", "--columns", "id,email"), "--columns: there is no column 'email'"),
        (("--bom",), "--bom is for --format csv"),
        (("--limit", "-1"), "-1 is not in the range"),
        (("--format", "xlsx"), "'xlsx' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str
) -> None:
    assert run(["users", *args]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


@pytest.mark.case("E31")
def test_a_group_that_is_not_there_is_an_error_and_no_empty_list(workspace: Workspace) -> None:
    said = workspace.run("users", "--where", "in_group: confluence-user-acme")
    assert said.code == 1
    assert said.out == ""
    assert "'confluence-user-acme' (did you mean `confluence-users-acme`?)" in said.err
    assert "cleanup-gitops groups" in said.err


@pytest.mark.case("E61", "F1")
def test_an_incomplete_reading_is_no_list(workspace: Workspace) -> None:
    workspace.fault(kind="drop_rows", match={"path_regex": r"users/search$"})
    said = workspace.run("users")
    assert (said.code, said.out) == (3, "")


def test_several_sites_need_a_name(workspace: Workspace) -> None:
    site = (workspace.folder / "policies" / "site.yaml").read_text()
    workspace.policy("other.yaml", site.replace("name: acme", "name: other"))
    policy = (workspace.folder / "policies" / "dormant.yaml").read_text()
    workspace.policy("dormant.yaml", policy.replace("kind: Policy", "kind: Policy\nsites: ['*']"))
    assert "Say which one with --site NAME." in workspace.run("users").err
    assert workspace.run("users", "--site", "acme").code == 0


# -- terminals ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_table_fits_the_terminal(workspace: Workspace) -> None:
    seen = on_terminal(workspace, "users", columns=70, lines=500)
    table = [line for line in seen.out.splitlines() if line.startswith(("ID", "712020:"))]
    assert len(table) > 50
    assert max(map(len, table)) <= 70
    assert any("…" in line for line in table)


@pytest.mark.slow
def test_a_long_table_goes_through_the_pager_and_a_short_one_does_not(workspace: Workspace) -> None:
    pager = "sed -e s/^/PAGED:/"
    assert "PAGED:\x1b[1mID " in on_terminal(workspace, "users", PAGER=pager).out
    assert "PAGED:" not in on_terminal(workspace, "users", "--no-pager", PAGER=pager).out
    assert "PAGED:" not in on_terminal(workspace, "users", "--limit", "5", PAGER=pager).out
    assert "PAGED:" not in on_terminal(workspace, "users", "--format", "csv", PAGER=pager).out


@pytest.mark.slow
def test_colours_are_for_terminals_that_want_them(workspace: Workspace) -> None:
    assert "\x1b[1mID" in on_terminal(workspace, "users", "--limit", "2").out
    assert "\x1b[" not in on_terminal(workspace, "users", "--limit", "2", NO_COLOR="1").out
    assert "\x1b[" not in workspace.run("users", "--limit", "2").out


def test_a_reader_that_goes_away_ends_the_list_quietly(workspace: Workspace) -> None:
    """As with `users --format jsonl | head -1`."""
    command = [sys.executable, "-m", "cleanup_gitops", "-C", str(workspace.folder), "users", "--format", "jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(timeout=STALLED) == 0
    process.stderr.close()
    assert "Traceback" not in err
    assert "Error" not in err


def test_csv_is_utf_8_whatever_the_terminal_speaks(workspace: Workspace) -> None:
    command = [sys.executable, "-m", "cleanup_gitops", "-C", str(workspace.folder), "users", "--format", "csv", "--bom"]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    text = done.stdout.decode("utf-8")
    assert text.startswith('\ufeff"id",')
    assert "\U0001f389" in text


def test_the_help_names_every_column_and_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["users", "--help"]) == 0
    text = capsys.readouterr().out
    for name in USER_COLUMNS:
        assert f"  {name} " in text
    assert "cleanup-gitops users --where" in text
    assert set(SHOWN) <= set(USER_COLUMNS)

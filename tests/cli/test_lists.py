"""Lists of people outside the repository, and names, from a policy to the site: `plan`, `apply` and `users`."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cleanup_gitops.policy.patterns import normal_email
from cleanup_gitops.sandbox.world import World
from tests.cli.workspace import Workspace

LEAVERS = """\
apiVersion: cleanup-gitops/v1
kind: Policy
metadata: {name: leavers, owner: iam@acme.com, why: Who has left needs no seat.}
spec:
  match:
    all:
      - has_seat: true
      - CONDITION
  ensure:
    groups: {absent: [confluence-users-acme]}
"""
BY_ID = "listed_in: {env: HR_LEAVERS_CSV, account: Account ID}"
BY_EMAIL = "listed_in: {env: HR_LEAVERS_CSV, email: mail}"


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the list of leavers will lie, and where the variable says that it does."""
    file = tmp_path_factory.mktemp("hr") / "leavers.csv"
    monkeypatch.setenv("HR_LEAVERS_CSV", str(file))
    return file


def leavers(workspace: Workspace, condition: str) -> None:
    """Make this the only policy of the workspace."""
    (workspace.folder / "policies" / "dormant.yaml").unlink(missing_ok=True)
    workspace.policy("leavers.yaml", LEAVERS.replace("CONDITION", condition))


def everybody(workspace: Workspace) -> list[dict[str, Any]]:
    said = workspace.run("users", "--columns", "all", "--format", "json")
    rows: list[dict[str, Any]] = json.loads(said.out)["rows"]
    return rows


def of_seats(workspace: Workspace, *, managed: bool) -> list[dict[str, Any]]:
    """Persons with a seat through the group of the policy alone, and with an address that nobody else has."""
    rows = everybody(workspace)
    used = [normal_email(row["email"]) for row in rows if row["email"]]
    found = [
        row
        for row in rows
        if row["billed"]
        and row["kind"] == "person"
        and row["managed"] is managed
        and not row["synced"]
        and row["email"]
        and used.count(normal_email(row["email"])) == 1
    ]
    assert found
    return found


def planned(workspace: Workspace, *more: str) -> dict[str, Any]:
    said = workspace.run("plan", "--format", "json", *more)
    assert said.code in (0, 3), said.err  # 3: more than the limits allow
    plan: dict[str, Any] = json.loads(said.out)
    return plan


def touched(plan: dict[str, Any]) -> set[str]:
    return {change["user"] for change in plan["changes"]}


def changeable(workspace: Workspace, rows: list[dict[str, Any]], outside: Path) -> list[dict[str, Any]]:
    """Those of these whom a policy may change at all: nobody who is protected."""
    leavers(workspace, BY_ID)
    outside.write_text("Account ID\n" + "".join(f"{row['id']}\n" for row in rows))
    may = touched(planned(workspace))
    return [row for row in rows if row["id"] in may]


def nothing_of(world: World, *texts: str) -> None:
    """No address of anybody stands in these texts."""
    for user in world.users:
        assert not user.email or not any(user.email.casefold() in text.casefold() for text in texts)


def test_who_is_listed_by_id_is_planned_and_applied_and_the_list_is_on_record(
    workspace: Workspace, outside: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (one, *_) = changeable(workspace, of_seats(workspace, managed=True), outside)
    data = f"Name;Account ID;mail\n{one['name']};{one['id']};{one['email']}\nGone;712020:gone;gone@acme.com\n".encode()
    outside.write_bytes(b"\xef\xbb\xbf" + data)
    digest = f"sha256:{sha256(outside.read_bytes()).hexdigest()}"
    saved = tmp_path_factory.mktemp("plans") / "plan.json"
    shown = workspace.run("plan", "--out", str(saved))
    assert f"\nLists: HR_LEAVERS_CSV, 2 rows, {digest}.\n" in shown.out
    assert "holds a seat; listed in HR_LEAVERS_CSV (2 rows)" in shown.out
    assert f"Lists: `HR_LEAVERS_CSV`, 2 rows, `{digest}`." in workspace.run("plan", "--format", "markdown").out
    plan = json.loads(saved.read_text())
    assert touched(plan) == {one["id"]}
    assert plan["inputs"]["lists"] == [{"digest": digest, "name": "HR_LEAVERS_CSV", "rows": 2}]
    done = workspace.run("apply", str(saved))
    assert done.code == 0, done.err
    state = workspace.folder / "state" / "acme"
    (recorded,) = state.glob("runs/*/plan.json")
    assert json.loads(recorded.read_text())["inputs"]["lists"] == plan["inputs"]["lists"]
    kept = [path.read_text() for path in state.rglob("*") if path.is_file()]
    nothing_of(workspace.box.world, shown.out, done.out, done.err, *kept)
    assert not any("712020:gone" in text for text in (shown.out, done.out, *kept))
    assert touched(planned(workspace)) == set()


@pytest.mark.case("E32", "E46")
def test_by_address_only_managed_accounts_with_an_address_of_their_own_are_meant(
    workspace: Workspace, outside: Path
) -> None:
    mine = changeable(workspace, of_seats(workspace, managed=True), outside)[:2]
    strangers = of_seats(workspace, managed=False)[:2]
    rows = [one["email"].upper() for one in mine] + [one["email"] for one in strangers]
    outside.write_text("x,mail\n" + "".join(f'1,"{one}"\n' for one in rows))
    leavers(workspace, BY_EMAIL)
    plan = planned(workspace)
    assert touched(plan) == {one["id"] for one in mine}
    for one in strangers:
        fate = plan["dispositions"][one["id"]]
        assert fate["state"] in ("unknown", "protected")
        if fate["state"] == "unknown":
            assert fate["note"] == "not known: who is listed in HR_LEAVERS_CSV (the account is not managed)"
    text = workspace.run("plan")
    nothing_of(workspace.box.world, json.dumps(plan), text.out, text.err)
    listed = workspace.run("users", "--where", BY_EMAIL, "--format", "json")
    assert {row["id"] for row in json.loads(listed.out)["rows"]} == {one["id"] for one in mine}
    unknown = workspace.run("users", "--where", BY_EMAIL, "--unknown", "--format", "json")
    assert {one["id"] for one in strangers} <= {row["id"] for row in json.loads(unknown.out)["rows"]}


@pytest.mark.case("E46")
def test_an_account_that_shares_its_listed_address_is_left_alone(workspace: Workspace, outside: Path) -> None:
    one, other, *_ = changeable(workspace, of_seats(workspace, managed=True), outside)
    world = {user.id: user for user in workspace.box.world.users}
    world[other["id"]].email = one["email"].upper()
    outside.write_text(f"mail\n{one['email']}\n")
    leavers(workspace, BY_EMAIL)
    plan = planned(workspace)
    assert touched(plan) == set()
    assert plan["dispositions"][one["id"]]["note"] == (
        "not known: who is listed in HR_LEAVERS_CSV (several accounts have it)"
    )


@pytest.mark.case("E14", "F1", "F2")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "The list HR_LEAVERS_CSV cannot be read (No such file or directory)."),
        ("Account ID\n", "HR_LEAVERS_CSV:1: there is no row below the header."),
        ("Account ID\n712020:1\nN/A\n", "HR_LEAVERS_CSV:3: column 'Account ID' holds no account id."),
        ("Account ID,x\n712020:1,1\n,2\n", "HR_LEAVERS_CSV:3: column 'Account ID' is empty."),
        ("Account ID,x\n712020:1\n", "HR_LEAVERS_CSV:2: 1 field, but the header has 2."),
        ("ada@acme.com\n", "HR_LEAVERS_CSV:1: the column 'Account ID', which `listed_in` names, is not there."),
    ],
)
def test_a_list_that_cannot_be_used_stops_everything_before_the_site_is_asked(
    workspace: Workspace, outside: Path, text: str | None, said: str
) -> None:
    leavers(workspace, BY_ID)
    if text is not None:
        outside.write_text(text)
    for args in (("plan",), ("apply", "--auto-approve"), ("users", "--where", BY_ID)):
        result = workspace.run(*args)
        assert (result.code, result.out) == (1, "")
        assert said in result.err
        asks = "--where" if args[0] == "users" else "policy leavers (policies/leavers.yaml:9)"
        assert f"{asks} asks for it. Nothing was read from the site." in result.err
        assert str(outside) not in result.err
        assert "ada@acme.com" not in result.err
    assert workspace.requests("GET") + workspace.requests("POST") == []


@pytest.mark.parametrize("value", ["", "  "])
def test_a_variable_without_a_path_is_named_with_who_needs_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    leavers(workspace, BY_ID)
    monkeypatch.setenv("HR_LEAVERS_CSV", value)
    said = workspace.run("plan")
    assert (said.code, said.out) == (1, "")
    assert "The environment variable HR_LEAVERS_CSV (path of a list of people) is not set or empty." in said.err
    assert "policy leavers (policies/leavers.yaml:9) asks for it" in said.err
    assert workspace.run("validate").code == 0, "validate needs no list"


@pytest.mark.case("E79")
def test_a_list_in_the_repository_is_refused_wherever_it_is_named(
    workspace: Workspace, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = workspace.folder / "hr.csv"
    file.write_text("Account ID\n712020:1\n")
    outside.symlink_to(file)
    leavers(workspace, BY_ID)
    for path in (str(file), "hr.csv", str(outside)):
        monkeypatch.setenv("HR_LEAVERS_CSV", path)
        said = workspace.run("plan")
        assert said.code == 1
        assert "The list HR_LEAVERS_CSV lies in the repository, where personal data must not lie." in said.err
    leavers(workspace, "listed_in: {path: hr.csv, account: Account ID}")
    said = workspace.run("validate")
    assert said.code == 1
    assert "policies/leavers.yaml:8:27: `path` leads into the repository" in said.err
    leavers(workspace, BY_ID)
    inline = workspace.run("users", "--where", "listed_in: {path: hr.csv, account: Account ID}")
    assert "The list hr.csv lies in the repository" in inline.err
    assert workspace.requests("GET") + workspace.requests("POST") == []


def test_a_path_starts_from_the_folder_that_holds_the_policies(workspace: Workspace) -> None:
    one = of_seats(workspace, managed=True)[0]
    beside = workspace.folder.parent / "leavers-beside.csv"
    beside.write_text(f"id\n{one['id']}\n")
    where = "listed_in: {path: ../leavers-beside.csv, account: id}"
    said = workspace.run("users", "--where", where, "--format", "json")
    assert [row["id"] for row in json.loads(said.out)["rows"]] == [one["id"]]


def test_a_condition_on_a_name_works_on_a_live_site(workspace: Workspace, outside: Path) -> None:
    one = next(row for row in changeable(workspace, of_seats(workspace, managed=True), outside) if len(row["name"]) > 6)
    pattern = json.dumps(f"{one['name'][:-1].upper()}?")
    assert not set(pattern) & set("*\\")
    leavers(workspace, f"name: [{pattern}]")
    plan = planned(workspace)
    assert one["id"] in touched(plan)
    assert len(touched(plan)) < 4
    assert one["name"] not in json.dumps(plan)
    assert workspace.run("apply", "--auto-approve").code == 0
    assert touched(planned(workspace)) == set()
    kept = [path.read_text() for path in (workspace.folder / "state").rglob("*") if path.is_file()]
    assert not any(one["name"] in text for text in kept)

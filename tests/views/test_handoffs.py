"""Files of what is handed off: as each identity provider takes them, with addresses, and harmless in tables."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.plan import Handoff, Plan
from cleanup_gitops.views.handoffs import FORMS, Form, HandoffFiles, handoff_files
from tests import golden
from tests.case_files import FOLDER, read_case

GOLDEN = Path(__file__).with_name("golden") / "handoffs"
PEOPLE = People(
    {
        f"712020:{name}": Person("=HYPERLINK(1)", email)
        for name, email in {
            "ada": "ada@acme.com",
            "bob": "Bob.B@acme.com",
            "cleo": "cleo@acme.com",
            "dan": "=dan@acme.com",
            "gil": "gil@elsewhere.example",
        }.items()
    }
)


def plan_of(case: str, *more: Handoff) -> Plan:
    plan = read_case(FOLDER / case).plan()
    return msgspec.structs.replace(plan, handoffs=(*plan.handoffs, *more))


def into(group: str, label: str, account: str, action: str = "membership.remove") -> Handoff:
    return msgspec.convert(
        {"address": f"membership/{group}/{account}", "user": account, "action": action, "reason": "x", "label": label},
        Handoff,
    )


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@pytest.mark.case("E34")
@pytest.mark.parametrize("form", FORMS)
def test_what_is_handed_off_has_the_form_that_its_reader_takes(form: Form) -> None:
    found = handoff_files(plan_of("synced"), PEOPLE, form)
    for name, data in found.files.items():
        golden.check(GOLDEN / form / name, data)
    assert {path.name for path in (GOLDEN / form).iterdir()} == set(found.files)


def test_leavers_have_a_file_with_their_deadlines() -> None:
    found = handoff_files(plan_of("roster"), PEOPLE, "entra")
    assert set(found.files) == {"accounts.csv"}
    golden.check(GOLDEN / "leavers" / "accounts.csv", found.files["accounts.csv"])
    assert found.without_address == ("712020:eve", "712020:robot")


@pytest.mark.case("E80")
@pytest.mark.parametrize("form", ["entra", "okta"])
def test_no_cell_is_a_formula_and_no_name_of_a_group_leads_out_of_the_folder(form: Form) -> None:
    label, hostile = "../../=cmd|' /C calc'!A0\n", ("712020:dan", "712020:ada")
    more = [into("g/../1", label, one, action) for one in hostile for action in ("membership.remove", "membership.add")]
    found = handoff_files(plan_of("roster", *more), PEOPLE, form)
    assert sorted(found.files) == ["accounts.csv", *(f"{verb}-cmd-c-calc-a0-1.csv" for verb in ("add", "remove"))]
    for data in found.files.values():
        assert not [cell for row in rows(data) for cell in row if cell[:1] in "=+-@\t\r"]
    assert rows(found.files["remove-cmd-c-calc-a0-1.csv"])[1:] == [["'=dan@acme.com"], ["ada@acme.com"]]


def test_json_says_all_of_it_also_of_accounts_without_an_address() -> None:
    plan = plan_of("roster")
    told = json.loads(handoff_files(plan, People(), "json").files["handoffs.json"])
    assert (told["site"], told["plan"], len(told["handoffs"])) == ("acme", plan.digest, len(plan.handoffs))
    assert {row["email"] for row in told["handoffs"]} == {None}
    assert datetime.fromisoformat(told["created"]) == plan.created


def test_addresses_are_not_shown_by_accident() -> None:
    found = handoff_files(plan_of("synced"), PEOPLE, "okta")
    assert isinstance(found, HandoffFiles)
    assert "@" not in repr(found)

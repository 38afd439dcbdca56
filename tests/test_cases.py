"""Golden cases: policies and an inventory in, the plan as text, JSON and Markdown out. See tests/cases/README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.ledger.planfile import plan_bytes, read_plan
from cleanup_gitops.planner import assume
from cleanup_gitops.views.plan import render_json, render_markdown, render_text
from tests import golden
from tests.case_files import Case, folders, read_case

NUMBERS = {
    "account-types": pytest.mark.case("E23"),
    "administrators": pytest.mark.case("E20"),
    "blocked-policy": pytest.mark.case("E30"),
    "boundary": pytest.mark.case("E4", "E5"),
    "cap-by-number": pytest.mark.case("E59"),
    "cap-by-percent": pytest.mark.case("E59", "F6"),
    "cap-floor-of-one": pytest.mark.case("F5"),
    "cap-with-recent-runs": pytest.mark.case("E59"),
    "data-center": pytest.mark.case("E10", "E39", "E40"),
    "deactivate": pytest.mark.case("E7", "E43", "E44", "E45", "E47"),
    "domains": pytest.mark.case("E32", "E33"),
    "empty-plan": pytest.mark.case("E58"),
    "everybody-idle": pytest.mark.case("E60"),
    "exemptions": pytest.mark.case("E25", "E29"),
    "externals": pytest.mark.case("E50"),
    "groups": pytest.mark.case("E34", "E38", "F3", "F15"),
    "guests": pytest.mark.case("E48", "E49"),
    "hostile-names": pytest.mark.case("E80", "F22", "F23"),
    "included-and-excluded": pytest.mark.case("E27", "E33"),
    "last-administrator": pytest.mark.case("E20"),
    "mildest-wins": pytest.mark.case("E28"),
    "missing-protected-group": pytest.mark.case("E30"),
    "lifted-by-overrides": pytest.mark.case("F6", "F7"),
    "never-used": pytest.mark.case("E1", "E2", "E3"),
    "policies-disagree": pytest.mark.case("E28"),
    "product-access": pytest.mark.case("E34", "E37"),
    "removed-and-deleted": pytest.mark.case("E43", "E47"),
    "runner": pytest.mark.case("E21"),
    "seat-held-twice": pytest.mark.case("E37"),
    "several-broken-guards": pytest.mark.case("E59", "F1", "F5", "F6", "F7"),
    "shared-group": pytest.mark.case("E38"),
    "shared-group-allowed": pytest.mark.case("E38"),
    "stages": pytest.mark.case("E68", "E85"),
    "synced": pytest.mark.case("E34", "E45"),
    "unknown-elsewhere": pytest.mark.case("E7"),
    "unknown-facts": pytest.mark.case("F2"),
}
"""Edge cases by the folder that shows them."""


def _parameters() -> list[object]:
    return [pytest.param(one, id=one.name, marks=NUMBERS.get(one.name, ())) for one in folders()]


@pytest.fixture
def case(folder: Path) -> Case:
    return read_case(folder)


each_case = pytest.mark.parametrize("folder", _parameters())


@each_case
def test_the_plan_is_the_expected_one_in_every_form(case: Case) -> None:
    plan = case.plan()
    golden.check(case.folder / "expected.json", render_json(plan))
    golden.check(case.folder / "expected.txt", render_text(plan, case.people))
    golden.check(case.folder / "expected.md", render_markdown(plan, case.people))


@each_case
def test_the_expected_plan_file_can_be_read_and_names_nobody(case: Case) -> None:
    data = (case.folder / "expected.json").read_bytes()
    assert read_plan(data) == case.plan()
    names = [case.people.name(user.id) for user in case.inventory.users]
    assert not [name for name in names if name and name.encode() in data]


@each_case
def test_the_same_case_gives_the_same_bytes(case: Case) -> None:
    again = read_case(case.folder)
    assert plan_bytes(again.plan()) == plan_bytes(case.plan())


@each_case
def test_after_the_plan_nothing_is_left_to_do_unless_the_case_says_why(case: Case) -> None:
    plan = case.plan()
    second = case.plan(assume(case.inventory, plan))
    why = case.folder / "why.txt"
    assert bool(second.changes) == why.exists(), [change.address for change in second.changes]


def test_every_number_belongs_to_a_folder() -> None:
    assert set(NUMBERS) <= {one.name for one in folders()}


def test_every_case_says_what_it_is_about_and_holds_no_other_file() -> None:
    known = {"policies", "inventory.json", "expected.txt", "expected.json", "expected.md"}
    optional = {"memory.json", "people.json", "why.txt"}
    for folder in folders():
        assert read_case(folder).about.endswith("."), folder.name
        assert known <= {path.name for path in folder.iterdir() if path.suffix != ".csv"} <= known | optional, (
            folder.name
        )

"""docs/edge-cases.md and the tests agree on the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import case_marks

if TYPE_CHECKING:
    from pathlib import Path

# Must stay covered: what the milestones so far have promised. Later ones add theirs.
MAIN_JOB = "E4 E20 E21 E23 E27 E31 E55 E57 E58 E59 E61 E67 E80 E82"
WHOLE_CLOUD = (
    "E1 E2 E3 E5 E6 E7 E8 E9 E15 E16 E17 E22 E24 E32 E33 E37 E38 E42 E43 E44 E45 E46 E48 E49 E50 E51 E61 E62 E63 E66"
    " E80"
)
STATE_IN_GIT = "E58 E65 E77 E78 E79 E84 F11 F12 F13"
TRUSTED_APPLY = (
    "E6 E19 E35 E36 E55 E56 E57 E59 E60 E62 E63 E64 E65 E66 E73 E74 E77 E78 F1 F2 F4 F5 F6 F7 F8 F10 F11 F12 F13 F16"
    " F17 F19 F21"
)
WHOLE_LANGUAGE = (
    "E14 E18 E19 E25 E26 E27 E28 E29 E30 E31 E34 E35 E36 E48 E49 E50 E51 E52 E53 E54 E68 E69 E70 E71 E72 E75 E85"
    " F2 F3 F14 F15 F18 F19 F30"
)
PROMISED = frozenset(f"{MAIN_JOB} {WHOLE_CLOUD} {STATE_IN_GIT} {TRUSTED_APPLY} {WHOLE_LANGUAGE}".split())


def test_the_document_has_exactly_the_known_numbers_in_order() -> None:
    assert tuple(case_marks.documented()) == case_marks.ALL_IDS


def test_every_row_says_what_happens_and_what_is_done_in_sentences() -> None:
    for case, (what, does) in case_marks.documented().items():
        assert what[0].isupper(), case
        assert does[0].isupper(), case
        assert what.endswith("."), case
        assert does.endswith("."), case


def test_no_two_rows_say_the_same() -> None:
    rows = list(case_marks.documented().values())
    assert len({what for what, _ in rows}) == len(rows)
    assert len({does for _, does in rows}) == len(rows)


def test_tests_name_only_numbers_that_exist() -> None:
    named = case_marks.named_in_tests()
    unknown = {case: files for case, files in named.items() if case not in case_marks.ALL_IDS}
    assert unknown == {}


def test_every_promised_number_is_named_by_a_test() -> None:
    print(case_marks.summary())
    assert sorted(PROMISED - case_marks.named_in_tests().keys()) == []


def test_marks_are_found_on_functions_classes_modules_and_parameters() -> None:
    source = """
import pytest

pytestmark = [pytest.mark.case("E1")]

@pytest.mark.case("E2", "E3")
def test_one(): ...

@pytest.mark.case("F4")
class TestTwo: ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.case("E5"))])
def test_three(x): ...

@pytest.mark.slow
def test_four(): "E6"
"""
    assert case_marks.marks_in(source) == {"E1", "E2", "E3", "F4", "E5"}


def test_a_computed_mark_is_refused_because_it_cannot_be_read_from_the_file() -> None:
    with pytest.raises(ValueError, match="line 1: the numbers of a case mark must be text"):
        case_marks.marks_in("pytest.mark.case(IDS)")


def test_a_number_that_stands_twice_in_the_document_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "edge-cases.md"
    document.write_text("| E1 | A. | B. |\n| E1 | C. | D. |\n", "utf-8")
    with pytest.raises(ValueError, match=r"edge-cases\.md:2: E1 stands there twice"):
        case_marks.documented(document)

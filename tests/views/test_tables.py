"""Lists in their four forms: what they hold is what comes out, and no name does any harm."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from cleanup_gitops.model.people import People, Person
from cleanup_gitops.model.user import User
from cleanup_gitops.sandbox.names import HOSTILE_NAMES
from cleanup_gitops.views.columns import Column, Sheet
from cleanup_gitops.views.facts import Facts
from cleanup_gitops.views.safe import cell
from cleanup_gitops.views.tables import ALIGNED, render_csv, render_json, render_jsonl, render_table
from cleanup_gitops.views.user_columns import USER_COLUMNS
from tests.policy.users import inventory, user
from tests.views.hostile import HOSTILE

NAMES = tuple(
    dict.fromkeys((*HOSTILE, *HOSTILE_NAMES, "＝1+1", "－2", "＋3", "＠x", "\t=1", "\r=1", " =1", "x;=1", '";=1'))
)
FORMULA = tuple("=+-@＝＋－＠﹦﹢﹣﹫\t\r")
NOTHING = Facts(inventory())

Texts = Column[tuple[str, int]]
TEXT: Texts = Column("text", "TEXT", "", lambda row, _: row[0], cut=True)
NUMBER: Texts = Column("number", "NUMBER", "", lambda row, _: row[1], number=True)


def sheet(*texts: str, columns: tuple[Texts, ...] = (TEXT, NUMBER)) -> Sheet[tuple[str, int]]:
    return Sheet(columns, [(text, number) for number, text in enumerate(texts)], NOTHING)


def cells(document: str, separator: str) -> list[str]:
    """Every cell as a spreadsheet that expects this separator finds it."""
    return [one for row in csv.reader(io.StringIO(document), delimiter=separator) for one in row]


def formulas(document: str, separator: str) -> list[str]:
    """Cells that a spreadsheet would take for a formula, whatever it does with spaces and quotes before it."""
    return [one for one in cells(document, separator) if one.strip().strip('"').strip().startswith(FORMULA)]


def hidden(text: str) -> list[str]:
    """Characters that a reader cannot see; joiners belong to scripts and to pictures of people."""
    return [one for one in text if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} or one in "\u202e\u2066\u200b"]


@pytest.mark.case("E80")
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_a_csv_is_a_formula(separator: str) -> None:
    for name in NAMES:
        assert formulas(render_csv(sheet(name, "end", columns=(NUMBER, TEXT))), separator) == []


@pytest.mark.case("E80")
@given(st.text(max_size=30) | st.lists(st.sampled_from(NAMES), max_size=3).map("; ".join))
@example('a;\u3000"=1')
@example(";;=1")
def test_no_text_makes_a_cell_that_begins_like_a_formula(text: str) -> None:
    for columns in ((TEXT, NUMBER), (NUMBER, TEXT)):
        document = render_csv(sheet(text, columns=columns))
        assert [formulas(document, separator) for separator in ",;\t"] == [[], [], []]


@pytest.mark.case("E80")
@given(st.text(max_size=40) | st.sampled_from(NAMES))
def test_every_row_of_a_csv_is_one_line_with_every_cell_in_quotes(text: str) -> None:
    lines = render_csv(sheet(text, text)).split("\n")
    assert len(lines) == 4
    assert lines[0] == '"text","number"'
    assert lines[-1] == ""
    assert all(line.startswith('"') and line.endswith('"') and hidden(line) == [] for line in lines[1:-1])


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30))
def test_an_ordinary_name_stays_as_it_is_in_a_csv(text: str) -> None:
    if not hidden(text) and cell(text) == text:
        assert cells(render_csv(sheet(text, columns=(TEXT,))), ",") == ["text", text]


@pytest.mark.case("E80")
def test_the_hunt_for_formulas_finds_them() -> None:
    for text in ('"=1"\n', '" =1"\n', '"a","x;＝1"\n', '"a","x; ""@1"\n'):
        assert formulas(text, ",") + formulas(text, ";"), text


def test_names_with_letters_of_many_scripts_are_not_touched() -> None:
    for name in ("Ada O'Brien-Søn", "李 彩", "می‌خواهم", "Анна", "a+b@example.com", "x - y"):
        assert cell(name) == name


def test_a_byte_order_mark_is_written_when_it_is_asked_for() -> None:
    assert render_csv(sheet("a"), bom=True) == "\ufeff" + render_csv(sheet("a"))
    assert render_csv(sheet("a")).startswith('"text"')


@pytest.mark.case("E80")
@given(st.lists(st.text(max_size=30) | st.sampled_from(NAMES), max_size=4))
def test_json_gives_back_every_text_and_hides_nothing(texts: list[str]) -> None:
    document = render_json(sheet(*texts), {"site": "acme", "count": len(texts)})
    rows = [{"text": text, "number": number} for number, text in enumerate(texts)]
    assert json.loads(document) == {"site": "acme", "count": len(texts), "rows": rows}
    lines = render_jsonl(sheet(*texts))
    assert [json.loads(line) for line in lines.splitlines()] == rows
    assert lines.count("\n") == len(texts)
    for text in (document, lines):
        assert hidden(text.replace("\n", "")) == []
        assert "##[" not in text
        assert "##vso[" not in text.lower()


@pytest.mark.case("E80")
@given(st.lists(st.text(max_size=90) | st.sampled_from(NAMES), min_size=1, max_size=4), st.integers(20, 120))
def test_a_table_is_one_line_a_row_and_never_wider_than_the_terminal(texts: list[str], width: int) -> None:
    lines = render_table(sheet(*texts), width=width).split("\n")
    assert len(lines) == len(texts) + 2
    assert max(map(cell_len, lines)) <= width
    assert hidden("".join(lines)) == []


def test_numbers_are_never_cut_and_stand_to_the_right() -> None:
    lines = render_table(sheet("x" * 90, "y"), width=30).splitlines()
    assert lines == [
        "TEXT                    NUMBER",
        "xxxxxxxxxxxxxxxxxxxxx…       0",
        "y                            1",
    ]


def test_wide_characters_are_counted_as_the_terminal_shows_them() -> None:
    assert render_table(sheet("李彩", "ab")).splitlines() == [
        "TEXT  NUMBER",
        "李彩       0",
        "ab         1",
    ]


def test_without_a_terminal_nothing_is_cut_and_other_lines_stay_aligned() -> None:
    long = "x" * (ALIGNED + 40)
    lines = render_table(sheet(long, "y")).splitlines()
    assert lines[1] == f"{long}       0"
    assert lines[2] == "y" + " " * (ALIGNED - 1) + "       1"


def test_what_must_not_be_cut_goes_last() -> None:
    account = "712020:40566ce9-da74-41b0-ab61-db2e7fb3cfb0"
    columns = tuple(USER_COLUMNS[name] for name in ("id", "name", "seen"))
    people = People({account: Person("N" * 60)})
    found = inventory()
    rows = Sheet(columns, [user_with_id(account)], Facts(found, people))
    wide = render_table(rows, width=100).splitlines()[1]
    assert account in wide
    assert "NNN…" in wide
    narrow = render_table(rows, width=60).splitlines()[1]
    assert cell_len(narrow) <= 60
    assert "712020:4056" in narrow


def user_with_id(account: str) -> User:
    return replace(user(), id=account)


def test_colour_adds_nothing_that_is_read() -> None:
    plain = render_table(sheet("a", "b"))
    coloured = render_table(sheet("a", "b"), colour=True)
    assert coloured.replace("\x1b[1m", "").replace("\x1b[0m", "") == plain
    assert coloured != plain


def test_an_empty_list_has_its_head() -> None:
    assert render_table(sheet()) == "TEXT  NUMBER\n"
    assert render_csv(sheet()) == '"text","number"\n'
    assert json.loads(render_json(sheet(), {"count": 0})) == {"count": 0, "rows": []}
    assert render_jsonl(sheet()) == ""

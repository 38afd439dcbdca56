"""CSV of others: one strict form, the line of everything that does not fit, and never what stands there."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup_gitops.policy.csv_rows import CsvError, csv_rows


def read(text: str | bytes, *columns: str) -> list[tuple[int, tuple[str, ...]]]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(csv_rows(data, columns or ("id",), "the test"))


def refused(text: str | bytes, *columns: str) -> str:
    with pytest.raises(CsvError) as caught:
        read(text, *columns)
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "id,name\n1,Ada\n2,Bo\n",
        "id;name\n1;Ada\n2;Bo",
        "\ufeffid,name\r\n1,Ada\r\n2,Bo\r\n",
        '"id","name"\n"1","Ada"\n"2","Bo"\n',
        'name;id\n"Ada, the first";1\n"Bo; the ""second""";2\n',
        'id,"name; given; family"\n1,Ada\n2,Bo\n',
        'id;"name, given";c\n1;Ada;x\n2;Bo;y\n',
        " id , name\n 1 ,Ada\n2\t,Bo\n",
        "id\n1\n2\n",
        "name,id\nAda,1\nBo,2\n",
    ],
)
def test_commas_or_semicolons_quotes_order_and_spaces_make_no_difference(text: str) -> None:
    assert read(text) == [(2, ("1",)), (3, ("2",))]


def test_a_row_has_the_line_on_which_it_begins() -> None:
    assert read('id,name\n\n1,"Ada\nof two lines"\n\n2,Bo\n') == [(3, ("1",)), (6, ("2",))]


def test_the_columns_come_in_the_order_asked_for() -> None:
    assert read("a,b,c\n1,2,3\n", "c", "a") == [(2, ("3", "1"))]


@pytest.mark.case("E14", "F1", "F2")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the column 'id', which the test names, is not there"),
        ("\n1\n", "1: the column 'id', which the test names, is not there"),
        ("Id\n1\n", "1: the column 'id', which the test names, is not there"),
        ("secret,1\n", "1: the column 'id', which the test names, is not there"),
        ("id,x,id\n1,2,3\n", "1: the column 'id', which the test names, is twice there"),
        ("id\n", "1: there is no row below the header"),
        ("id,x\n\n\n", "1: there is no row below the header"),
        ("id,x\n1,secret\n2\n", "3: 1 field, but the header has 2"),
        ("id,x\n1,2,secret\n", "2: 3 fields, but the header has 2"),
        ("id,x\n1,secret\n2;secret\n", "3: 1 field, but the header has 2"),
        ("id;x\n1,5;secret\n2,secret\n", "3: 1 field, but the header has 2"),
        ("id,x;y\n1,2\n", "1: the header has both commas and semicolons outside quotation marks"),
        ('id,x\n1,"secret"y\n', "2: this is no CSV: look at its quotation marks"),
        ('id,x\n1,2\n3,"secret\n4,5\n', "3: this is no CSV: look at its quotation marks"),
        ('"id"secret\n1\n', "1: this is no CSV: look at its quotation marks"),
        (b"\n\xe5secret\n", "2: the text here is not UTF-8"),
        (b"id\n1\n\xe5secret\n", "3: the text here is not UTF-8"),
        ("id\n1\n".encode("utf-16") + b"\n", "3: the text here is not UTF-16"),
    ],
)
def test_what_does_not_fit_is_an_error_with_its_line_and_never_an_empty_value(text: str | bytes, said: str) -> None:
    assert refused(text) == said


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4), st.sampled_from(",;"), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_as_csv_is_read_as_it_was(rows: list[tuple[str, str]], separator: str, end: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "name"), *rows])
    found = [row for _, row in read(file.getvalue(), "id", "name")]
    assert found == [(one.strip(), other.strip()) for one, other in rows]


@given(st.binary(max_size=60) | st.text('id,;"\n\r x1', max_size=40).map(str.encode))
def test_any_bytes_are_rows_or_an_error(data: bytes) -> None:
    try:
        found: object = read(data)
    except CsvError as error:
        found = error.what
    assert found

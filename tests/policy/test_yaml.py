"""YAML values with places: what ruamel.yaml reads from the same text is what we read, or we refuse the text."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cleanup_gitops.policy import yaml_text
from cleanup_gitops.policy.yaml_text import MAX_DEPTH, read_documents
from cleanup_gitops.policy.yaml_values import Map, Seq, Trap, scalar
from tests.policy.documents import VALID

Json = Any
"""A value as JSON has it."""
FIXTURES = sorted(VALID.glob("*.yaml"))


def oracle(text: str) -> list[Any]:
    """The documents of a text as ruamel.yaml (YAML 1.2, pure Python) reads them, without empty ones."""
    return [one for one in YAML(typ="safe", pure=True).load_all(io.StringIO(text)) if one is not None]


def test_a_value_knows_its_line_and_column() -> None:
    (document,) = read_documents(b"# c\na: [x,  'y']\nb:\n  - c: {d: 1}\n", "f").documents
    assert (document.line, document.col) == (2, 1)
    assert document.at_key("a") == (2, 1)
    assert document.at_value("a") == (2, 4)
    assert document["a"].marks == [(2, 5), (2, 9)]
    assert document["b"].marks == [(4, 5)]
    assert document["b"][0]["c"].at_value("d") == (4, 12)
    assert document.at_key("missing") == document.at_value("missing") == (2, 1)


def test_columns_count_characters_not_bytes() -> None:
    (document,) = read_documents("{ä𝄞: ß, b: c}".encode(), "f").documents
    assert document.at_key("b") == (1, 9)


@pytest.mark.case("E82")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("712020:4f", "712020:4f"),
        ("712020:45", "712020:45"),
        ("12:30:45", "12:30:45"),
        ("y", "y"),
        ("n", "n"),
        ("nobody", "nobody"),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("12", 12),
        ("-0", 0),
        ("+7", 7),
        ("1e3", 1000.0),
        ("5e22", 5e22),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.2.3", "1.2.3"),
        ("0b", "0b"),
        ("2027-03-01", date(2027, 3, 1)),
        ("2027-3-1", "2027-3-1"),
        ("2027-03", "2027-03"),
        ("~", None),
        ("", None),
        ("null", None),
        ("nUll", "nUll"),
        ("null and void", "null and void"),
        ("0x", "0x"),
        ("٣", "٣"),
        ("1" * 61 + "x", "1" * 61 + "x"),
        ("1" * 60, int("1" * 60)),
    ],
)
def test_plain_scalars_have_the_values_of_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@pytest.mark.case("E82")
@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Yes",
        "ON",
        "off",
        "010",
        "0o17",
        "-0x1F",
        "0b101",
        "1_000",
        "1_0.5",
        "0_",
        "=",
        "2027-02-30",
        "2027-03-01T10:00:00Z",
        "2027-03-01 10:00",
        "-.inf",
        ".NaN",
        "1" * 61,
        "0." + "0" * 60,
    ],
)
def test_plain_scalars_that_readers_disagree_about_are_refused(text: str) -> None:
    assert isinstance(scalar(text), Trap)
    reading = read_documents(f"a: {text}\n".encode(), "f")
    assert [(one.line, one.col) for one in reading.problems] == [(1, 4)]
    assert read_documents(f"a: '{text}'\n".encode(), "f").documents[0] == {"a": text}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_valid_files_have_the_values_that_ruamel_reads(path: Path) -> None:
    reading = read_documents(path.read_bytes(), path.name)
    assert not reading.problems
    assert list(reading.documents) == oracle(path.read_text("utf-8"))


SCALAR_TEXT = st.text("0123456789.eE+-_xobTtruefalsnyOFZ:~= ", max_size=12) | st.sampled_from(
    ["1_0", "0o8", "08", "1e", "1e+", "e3", "+.inf", ".nan", "-", "--", "2027-13-01", "0000-01-01", "1:2", "0_"]
)


@given(SCALAR_TEXT)
@example("1:30")
@example("2027-03-01 1:2")
def test_a_plain_scalar_is_what_ruamel_reads_or_is_refused(text: str) -> None:
    source = f"a: {text}\n"
    reading = read_documents(source.encode(), "f")
    if not reading.problems:
        assert repr(list(reading.documents)) == repr(oracle(source))


LEAVES = st.one_of(
    st.text(max_size=10),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.dates(),
    st.sampled_from(["no", "1e3", "a: b"]),
)
KEYS = st.text(min_size=1, max_size=6)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
    ),
    min_size=1,
    max_size=4,
)


@given(TREES, st.sampled_from([None, False, True]), st.sampled_from([None, "'", '"', "|", ">"]))
def test_whatever_a_program_writes_is_read_as_ruamel_reads_it(tree: Json, flow: bool | None, style: str | None) -> None:
    source = yaml.safe_dump(tree, default_flow_style=flow, default_style=style, allow_unicode=True)
    reading = read_documents(source.encode(), "f")
    if not reading.problems:
        assert list(reading.documents) == oracle(source)


JSON_TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=10)
JSON_TREES = st.dictionaries(
    JSON_TEXT.filter(bool),
    st.recursive(JSON_TEXT | st.booleans() | st.integers(-(10**9), 10**9), lambda inner: st.lists(inner, max_size=4)),
    min_size=1,
)


@given(JSON_TREES)
def test_json_is_yaml(tree: Json) -> None:
    source = json.dumps(tree, ensure_ascii=False)
    (document,) = read_documents(source.encode(), "f").documents
    assert document == json.loads(source)


def places(value: object) -> list[tuple[int, int]]:
    if isinstance(value, Map):
        return [place for key, one in value.items() for place in (value.at_key(key), value.at_value(key), *places(one))]
    if isinstance(value, Seq):
        return [place for mark, one in zip(value.marks, value, strict=True) for place in (mark, *places(one))]
    return []


@given(TREES, st.booleans())
def test_every_place_points_into_the_text(tree: Json, flow: bool) -> None:
    source = yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=True)
    lines = source.split("\n")
    for document in read_documents(source.encode(), "f").documents:
        for line, col in places(document):
            assert col <= len(lines[line - 1]) + 1


PIECES = [
    *"abc01 \n\t:-?[]{},#&*!|>'\"%@`~=<\\.\r",
    "\x00",
    "\x85",
    "\ufeff",
    "ä",
    "---\n",
    "- ",
    ": ",
    "a: ",
    "<<: ",
    "\n  ",
]
YAMLISH = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(YAMLISH.map(str.encode) | st.binary(max_size=60))
def test_no_bytes_can_break_the_reading(data: bytes) -> None:
    reading = read_documents(data, "f")
    assert reading.whole or reading.problems
    assert all(one.line >= 1 and one.col >= 1 for one in reading.problems)


@given(YAMLISH)
def test_what_we_read_without_a_problem_is_what_ruamel_reads(text: str) -> None:
    reading = read_documents(text.encode(), "f")
    if reading.problems:
        return
    try:
        expected = oracle(text)
    except YAMLError:
        assert "\t" in text  # ruamel also refuses tabs between a key and its colon
    else:
        assert list(reading.documents) == expected


@pytest.mark.case("E82")
def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    reading = read_documents("\n".join(lines).encode(), "f")
    assert len(reading.problems) == 30 + 29 * 10
    assert all(isinstance(entry, Trap) for entry in reading.documents[0]["a29"])


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_deep_nesting_is_refused_at_once(opening: str) -> None:
    reading = read_documents((opening * 100_000).encode(), "f")
    assert [one.message for one in reading.problems if "levels deep" in one.message] == [
        f"nested more than {MAX_DEPTH} levels deep"
    ]
    assert not reading.whole
    assert not reading.documents


def test_values_nested_as_deep_as_allowed_are_read() -> None:
    reading = read_documents(f"a: {'[' * (MAX_DEPTH - 1)}{']' * (MAX_DEPTH - 1)}".encode(), "f")
    assert not reading.problems


def test_without_libyaml_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [read_documents(path.read_bytes(), "f") for path in FIXTURES]
    monkeypatch.setattr(yaml_text, "_Loader", yaml.SafeLoader)
    assert [read_documents(path.read_bytes(), "f") for path in FIXTURES] == expected
    assert read_documents(b"a: [\n", "f").problems

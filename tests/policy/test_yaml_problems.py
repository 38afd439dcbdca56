"""What is wrong with the YAML of a file is told where it stands, and the rest is read all the same."""

from __future__ import annotations

import pytest

from cleanup_gitops.policy.yaml_text import MAX_DEPTH, read_documents

KEY = "not valid YAML: a key without a colon, or wrong indentation"


def told(text: str) -> list[str]:
    return [str(one).removeprefix("f:") for one in read_documents(text.encode(), "f").problems]


@pytest.mark.case("E82")
@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: 1\nb: @x\n", ["2:4: text that begins with `@` needs quotes"]),
        ("a: 1\nb: `x\n", ["2:4: text that begins with ``` needs quotes"]),
        ("a: 1\nb: %x\n", ["2:4: text that begins with `%` needs quotes"]),
        ("a: 1\n\tb: 2\n", ["2:1: a tab; YAML is indented with spaces"]),
        ("a: *\n", ["1:5: text that begins with `*` or `&` needs quotes"]),
        ("a: & x\n", ["1:5: text that begins with `*` or `&` needs quotes"]),
        ("a: 1\nb\nc: 2\n", [f"2:1: {KEY}"]),
        ("a: *x\nb: 1\n", ["1:4: aliases (`*name`) are not allowed; text that begins with `*` needs quotes"]),
        ("a: &x 1\nb: 1\n", ["1:4: anchors (`&name`) are not allowed; text that begins with `&` needs quotes"]),
        ("a: !x 1\nb: 1\n", ["1:4: tags (`!name`) are not allowed; text that begins with `!` needs quotes"]),
        ("a: !x [1]\nb: 1\n", ["1:4: tags (`!name`) are not allowed; text that begins with `!` needs quotes"]),
        ("%YAML 1.2\n---\na: 1\n", []),
        ("%YAML 1.1\n---\na: 1\n", ["1:1: directives (`%TAG`, `%YAML` other than 1.2) are not allowed"]),
        ("%TAG ! x\n---\na: 1\n", ["1:1: directives (`%TAG`, `%YAML` other than 1.2) are not allowed"]),
        ("a: 1\nb: 2\na: 3\n", ["3:1: the key `a` stands here twice (first in line 1)"]),
        ("a: {b: 1, b: 2}\n", ["1:11: the key `b` stands here twice (first in line 1)"]),
        ("<<: {a: 1}\n", ["1:1: merge keys (`<<`) are not allowed; write the keys out"]),
        ("'<<': 1\n", []),
        ("1: 2\n", ["1:1: a key must be text; put it in quotes if it really is one"]),
        ("'': 2\n", ["1:1: a key must be text; put it in quotes if it really is one"]),
        ("'1': 2\n", []),
        (
            "no: 2\n",
            ["1:1: `no` is true or false to some YAML readers; write true or false, or put the text in quotes"],
        ),
        ("a:\nb: 1\n", ["1:1: `a` is empty; write a value, or leave the key out"]),
        ("a: ~\n", ["1:1: `a` is empty; write a value, or leave the key out"]),
        ("a: ''\n", []),
        ("a: [1, ~]\n", ["1:8: an empty entry in a list"]),
        ("a:\n  -\n  - 1\n", ["2:4: an empty entry in a list"]),
        ("? [a]\n: 1\n", ["1:3: a key must be one word of text"]),
        ("{a: 1}: 2\nb: 3\n", ["1:1: a key must be one word of text"]),
        ("- 1\n- 2\n", ["1:1: a document must have the keys apiVersion, kind, metadata and spec"]),
        ("text\n", ["1:1: a document must have the keys apiVersion, kind, metadata and spec"]),
        ("--- ~\n---\na: 1\n", []),
    ],
)
def test_what_readers_of_yaml_disagree_about_is_told_at_its_place(text: str, problems: list[str]) -> None:
    assert told(text) == problems


@pytest.mark.case("E82")
@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("? [a, b]\n: {c: 1}\nd: 2\n", [{"d": 2}]),
        ("? {a: b}\n: [1, [2]]\nd: 2\n", [{"d": 2}]),
        ("1: {a: 1}\nd: 2\n", [{"d": 2}]),
        ("<<: [1]\nd: 2\n", [{"d": 2}]),
        ("d: 1\nd: [3]\ne: 2\n", [{"d": 1, "e": 2}]),
        ("- a: 1\n---\nd: 2\n", [{"d": 2}]),
        ("*x : 1\nd: 2\n", [{"d": 2}]),
        ("a: {b: [{c: 1}, 2], d: 3}\n---\ne: []\n", [{"a": {"b": [{"c": 1}, 2], "d": 3}}, {"e": []}]),
    ],
)
def test_beside_what_is_refused_the_rest_is_read(text: str, documents: list[object]) -> None:
    reading = read_documents(text.encode(), "f")
    assert list(reading.documents) == documents
    assert reading.whole


@pytest.mark.parametrize(
    ("text", "whole"), [("a: 1\n", True), ("", True), ("a: [\n", False), ("a: *x\n", True), ("a: \x00\n", False)]
)
def test_whether_a_file_was_read_to_its_end_is_known(text: str, whole: bool) -> None:
    assert read_documents(text.encode(), "f").whole is whole


def test_documents_before_a_mistake_of_the_syntax_are_read() -> None:
    reading = read_documents(b"a: 1\n---\nb: [\n", "f")
    assert list(reading.documents) == [{"a": 1}]
    assert not reading.whole


@pytest.mark.parametrize(("depth", "good"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_nesting_ends_somewhere(depth: int, good: bool) -> None:
    assert MAX_DEPTH == 40
    problems = told(f"a: {'[' * (depth - 1)}{']' * (depth - 1)}\n")
    assert problems == ([] if good else [f"1:{3 + depth - 1}: nested more than 40 levels deep"])


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a: 1\nb: \xff", (2, 4)),
        (b"a: 1\r\nb: \xff", (2, 4)),
        (b"a: 1\rb: \xff", (2, 4)),
        (b"\xff", (1, 1)),
        ("ä: ".encode() + b"\xff", (1, 4)),
        ("a: 1\n\n x\u200b".encode(), (3, 3)),
    ],
)
def test_lines_and_columns_count_from_one_and_characters_not_bytes(data: bytes, place: tuple[int, int]) -> None:
    (problem,) = read_documents(data, "f").problems
    assert (problem.line, problem.col) == place

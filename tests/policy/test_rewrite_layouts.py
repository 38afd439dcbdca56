"""What a program puts into a file is laid out as people laid out the rest of it."""

from __future__ import annotations

from typing import Any

import pytest

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.rewrite import rewritten
from cleanup_gitops.policy.yaml_text import read_documents


def put(documents: list[Any]) -> None:
    """A mapping in a mapping, and a list in it."""
    documents[0]["new"] = {"deep": [{"x": 1, "y": 2}, "z"]}


def usual(before: str, *, mapping: int, dash: int, deep: int) -> str:
    """The same as text: how far mappings, dashes, and what stands behind them are indented."""
    gap, lists, inner = " " * mapping, " " * (mapping + dash), " " * (mapping + deep)
    after = " " * (deep - dash - 1)
    return f"{before}new:\n{gap}deep:\n{lists}-{after}x: 1\n{inner}y: 2\n{lists}-{after}z\n"


@pytest.mark.parametrize(
    ("before", "mapping", "dash", "deep"),
    [
        ("kind: A\n", 2, 2, 4),
        ("a: {b: 1}\nc:     [{d: [1, 2]}, 3]\n", 2, 2, 4),
        ("a:\n    b: 1\n", 4, 2, 4),
        ("a:\n- 1\n- 2\n", 2, 0, 2),
        ("a:\n    b:\n    -   c: 1\n", 4, 0, 4),
        ("a:\n   b:\n      -  1\n      -  2\n", 3, 3, 6),
        ("a:\n    b: 1\nc:\n  d: 1\ne:\n  f: 1\n", 2, 2, 4),
        ("a:\n  b: 1\nc:\n    d: 1\ne:\n    f: 1\n", 4, 2, 4),
        ("a:\n- 1\nc:\n  - 2\ne:\n  - 3\n", 2, 2, 4),
        ("a:\n  - 1\nc:\n- 2\ne:\n- 3\n", 2, 0, 2),
        ("a:\n  -   - 1\n  -   - 1\n  -   - 1\nb:\n  - 1\nc:\n  - 1\n", 2, 2, 4),
        ("a:\n    b: {c: 1}\nd:  {e: 1}\nf:  {e: 1}\ng: [1]\nh: []\n", 4, 2, 4),
    ],
)
def test_a_new_block_is_indented_as_most_blocks_are(before: str, mapping: int, dash: int, deep: int) -> None:
    assert rewritten(before.encode(), put).decode() == usual(before, mapping=mapping, dash=dash, deep=deep)


@pytest.mark.parametrize(
    ("before", "end"),
    [
        ("a: 1\r\nb: 2\n", "\n"),
        ("a: 1\r\nb: 2\r\nc: 3\n", "\r\n"),
        ("a: 1\r\nb: 2\r\nc: 3\nd: 4\ne: 5\n", "\n"),
    ],
)
def test_a_new_line_ends_as_most_lines_do(before: str, end: str) -> None:
    def more(documents: list[Any]) -> None:
        documents[0]["new"] = 1

    assert rewritten(before.encode(), more).decode() == f"{before}new: 1{end}"


def test_what_a_program_would_write_otherwise_stays_beside_a_change() -> None:
    before = 'a: 1\nb: "\\u00e4"\nc: {d: \'x\', e: "y", f: 1}\ng: "\\x41"\nh: 1\n'

    def change(documents: list[Any]) -> None:
        documents[0]["c"]["f"] = 2
        documents[0]["h"] = 2

    assert rewritten(before.encode(), change).decode() == before.replace("f: 1", "f: 2").replace("h: 1", "h: 2")


def test_a_long_line_stays_one() -> None:
    before = f"a: 1\nb: {'word ' * 400}end\n"

    def change(documents: list[Any]) -> None:
        documents[0]["a"] = 2
        documents[0]["c"] = "word " * 400 + "end"

    text = "word " * 400 + "end"
    assert rewritten(before.encode(), change).decode() == f"a: 2\nb: {text}\nc: {text}\n"


@pytest.mark.parametrize("before", ["a: 1\n...\n...\n", "a: 1\nb: 2\nc\t: 3\n"])
def test_what_yaml_readers_disagree_about_is_left_to_a_person_with_its_line(before: str) -> None:
    assert read_documents(before.encode(), "f").problems == ()
    with pytest.raises(CleanupError) as caught:
        rewritten(before.encode(), put)
    assert "YAML readers disagree about its line 3. Nothing was written." in caught.value.message
    assert caught.value.hint


FOLDED = "a: 1\nb: this is\n  folded\nc:\n  - one\n  - this is\n    folded too\n  - three\nd: 1\n"


def edits(change: str) -> Any:  # noqa: ANN401
    """Changes such as ``b=2 d=3 -a``: keys of the document, or places in its list ``c``."""

    def edit(documents: list[Any]) -> None:
        for one in change.split():
            key, _, value = one.lstrip("-+").partition("=")
            owner, place = (documents[0]["c"], int(key)) if key.isdigit() else (documents[0], key)
            if one.startswith("-"):
                del owner[place]
            elif one.startswith("+"):
                owner.insert(place, value)
            else:
                owner[place] = value

    return edit


@pytest.mark.parametrize(
    ("change", "gone", "new"),
    [
        ("a=x", "a: 1\n", "a: x\n"),
        ("-a", "a: 1\n", ""),
        ("b=x", "b: this is\n  folded\n", "b: x\n"),
        ("-b", "b: this is\n  folded\n", ""),
        ("d=x", "d: 1\n", "d: x\n"),
        ("-d", "d: 1\n", ""),
        ("0=x", "  - one\n", "  - x\n"),
        ("1=x", "  - this is\n    folded too\n", "  - x\n"),
        ("-1", "  - this is\n    folded too\n", ""),
        ("2=x", "  - three\n", "  - x\n"),
        ("-2", "  - three\n", ""),
        ("+0=x", "  - one\n", "  - x\n  - one\n"),
        ("+3=x", "  - three\n", "  - three\n  - x\n"),
        ("+2=x", "  - this is\n    folded too\n", "  - this is folded too\n  - x\n"),
        ("+1=x", "  - one\n", "  - one\n  - x\n"),
        ("a=x d=x", FOLDED, FOLDED.replace(": 1", ": x")),
        ("0=x 2=x", "  - one\n  - this is\n    folded too\n  - three\n", "  - x\n  - this is\n    folded too\n  - x\n"),
        ("a=x b=x", "a: 1\nb: this is\n  folded\n", "a: x\nb: x\n"),
        ("b=x 1=x", FOLDED, FOLDED.replace("b: this is\n  folded\n", "b: x\n").replace("this is\n    folded too", "x")),
    ],
)
def test_a_text_over_several_lines_stays_unless_the_change_is_about_it(change: str, gone: str, new: str) -> None:
    assert FOLDED.count(gone) == 1
    assert rewritten(FOLDED.encode(), edits(change)).decode() == FOLDED.replace(gone, new)


IN_A_ROW = "y:   1\nz: 0\na: 1\nb: this is\n  folded\nc: this is\n  too\nd: and this\n  as well\ne: 1\n"


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ("b=x d=x", "y:   1\nz: 0\na: 1\nb: x\nc: this is too\nd: x\ne: 1\n"),
        ("b=x d=x e=x", "y:   1\nz: 0\na: 1\nb: x\nc: this is too\nd: x\ne: x\n"),
        ("a=x c=x e=x", "y:   1\nz: 0\na: x\nb: this is folded\nc: x\nd: and this as well\ne: x\n"),
        ("-b -d", "y:   1\nz: 0\na: 1\nc: this is too\ne: 1\n"),
        ("z=x b=x d=x", "y:   1\nz: x\na: 1\nb: x\nc: this is too\nd: x\ne: 1\n"),
        ("b=x -d", "y:   1\nz: 0\na: 1\nb: x\nc: this is too\ne: 1\n"),
    ],
)
def test_texts_over_several_lines_in_a_row_are_changed_together(change: str, after: str) -> None:
    assert rewritten(IN_A_ROW.encode(), edits(change)).decode() == after


def test_a_line_that_would_say_something_else_where_it_stands_is_indented_as_another_block() -> None:
    before = "x:\n  y: 1\nz:\n  y: 1\nw:\n  y: 1\na:\n    b:\n        c: 1\n"

    def more(documents: list[Any]) -> None:
        documents[0]["a"]["b"]["d"] = 1

    assert rewritten(before.encode(), more).decode() == f"{before}        d: 1\n"


def test_a_file_that_mixes_too_many_ways_to_indent_is_laid_out_anew_in_its_usual_one() -> None:
    blocks = [(width, f"k{width}{copy}") for width in range(1, 6) for copy in range(6 - width)]
    before = "".join(f"{key}:  # kept\n{' ' * width}x: 1\n" for width, key in blocks)

    def more(documents: list[Any]) -> None:
        documents[0]["k50"]["y"] = 1

    anew = "".join(f"{key}:  # kept\n x: 1\n" for _, key in blocks)
    assert rewritten(before.encode(), more).decode() == f"{anew} y: 1\n"


FIRST = "a: this is\n  folded\nb: this is\n  too\nc:   1\n"


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ("a=x", "a: x\nb: this is too\nc:   1\n"),
        ("b=x", "a: this is folded\nb: x\nc:   1\n"),
        ("c=x", FIRST.replace("  1", "x")),
        ("-a", "b: this is too\nc:   1\n"),
    ],
)
def test_what_a_file_begins_with_is_changed_like_the_rest(change: str, after: str) -> None:
    assert rewritten(FIRST.encode(), edits(change)).decode() == after


def test_a_new_first_line_leaves_all_others() -> None:
    def before_all(documents: list[Any]) -> None:
        documents[0].insert(0, "z", 1)

    assert rewritten(b"a:   1\nb:   2\n", before_all) == b"z: 1\na:   1\nb:   2\n"


def test_a_line_that_a_program_writes_otherwise_stays_beside_a_new_one_and_so_does_the_next() -> None:
    before = 'a: 1\nb: "\\u00e4"\nc:   {d: 1}\n'

    def between(documents: list[Any]) -> None:
        documents[0].insert(2, "n", 1)

    assert rewritten(before.encode(), between).decode() == before.replace("c:", "n: 1\nc:")
    assert rewritten(before.encode(), edits("b=x")).decode() == 'a: 1\nb: "x"\nc:   {d: 1}\n'

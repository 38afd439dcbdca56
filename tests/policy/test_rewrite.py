"""Policy files changed by a program: whatever the edit does not touch stays byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.rewrite import node, rewritten, written
from cleanup_gitops.policy.yaml_text import read_documents

ROOT = Path(__file__).parent.parent.parent
FILES = sorted([*ROOT.glob("policies/*.yaml"), *Path(__file__).parent.glob("valid/*.yaml")])
ODD = """\
# first
kind:   A          # two
spec:
- {x:  1,   y: [ 1,2 ]}
- { x: 2 }

# after the list

meta: {a: 'one', "b": two}
---
# second
kind: B
spec:
    deep:
        - p: 1     # eol
          q: 'x'
        -   p: 2
...
"""


def nothing(_: list[Any]) -> None:
    """No edit."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_without_an_edit_a_file_stays_as_it_is(path: Path) -> None:
    data = path.read_bytes()
    assert rewritten(data, nothing) == data


@pytest.mark.parametrize(
    "data",
    [
        ODD.encode(),
        ODD.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + ODD.encode(),
        ODD.removesuffix("...\n").removesuffix("\n").encode(),
        ODD.replace("\n", "\r\n", 3).encode(),
        b"# nothing\n",
        b"",
    ],
    ids=["plain", "crlf", "bom", "no-end", "mixed", "comment", "empty"],
)
def test_odd_layouts_stay_too(data: bytes) -> None:
    assert rewritten(data, nothing) == data


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, where everything around them is the same."""
    old, new = before.split("\n"), after.split("\n")
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


def append(documents: list[Any]) -> None:
    documents[0]["spec"].append({"x": 3})


def change(documents: list[Any]) -> None:
    documents[1]["kind"] = "C"


def drop(documents: list[Any]) -> None:
    del documents[0]["spec"][1]


def rename_in_a_line_that_is_laid_out_oddly(documents: list[Any]) -> None:
    documents[0]["kind"] = "Z"


@pytest.mark.parametrize(
    ("edit", "gone", "new"),
    [
        (change, ["kind: B"], ["kind: C"]),
        (rename_in_a_line_that_is_laid_out_oddly, ["kind:   A          # two"], ["kind: Z            # two"]),
    ],
)
def test_an_edit_changes_its_own_lines_only(edit: Any, gone: list[str], new: list[str]) -> None:  # noqa: ANN401
    after = rewritten(ODD.encode(), edit).decode()
    assert changed_lines(ODD, after) == (gone, new)


def test_conditions_in_one_line_keep_their_braces() -> None:
    def edit(documents: list[Any]) -> None:
        documents[0]["all"].insert(0, {"has_seat": True})

    before = "all: [{any: [{kind: app}, {synced: true}]}]   # who\n"
    after = "all: [{has_seat: true}, {any: [{kind: app}, {synced: true}]}] # who\n"
    assert rewritten(before.encode(), edit).decode() == after


@pytest.mark.parametrize("edit", [append, drop])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_comments_and_other_documents_outlive_entries_that_come_and_go(edit: Any, end: str) -> None:  # noqa: ANN401
    before = ODD.replace("\n", end)
    after = rewritten(before.encode(), edit).decode()
    assert after.split("meta:")[1] == before.split("meta:")[1]
    assert after.startswith(before.split("- { x: 2 }")[0])
    assert "# after the list" in after
    assert after.count("\n") == after.count(end)
    entries = read_documents(after.encode(), "x.yaml").documents[0]["spec"]
    assert [one["x"] for one in entries] == ([1, 2, 3] if edit is append else [1])


@settings(max_examples=25)
@example(["kind:   A          # two", "...", "..."], 0)
@given(st.lists(st.sampled_from(ODD.splitlines()), max_size=12), st.integers(0, 20))
def test_whatever_is_read_without_a_problem_is_edited_to_what_was_meant(lines: list[str], at: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    reading = read_documents(data, "x.yaml")
    if reading.problems or not reading.documents:
        return
    index = at % len(reading.documents)

    def mark(documents: list[Any]) -> None:
        documents[index]["new"] = "here"

    try:
        assert rewritten(data, nothing) == data
    except CleanupError:
        assert data.count(b"...") > 1
        return
    found = read_documents(rewritten(data, mark), "x.yaml")
    assert found.problems == ()
    wanted = [dict(one) for one in reading.documents]
    wanted[index]["new"] = "here"
    assert [dict(one) for one in found.documents] == wanted


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20))
def test_a_text_that_is_written_is_read_as_the_same_text(text: str) -> None:
    reading = read_documents(f"a: {written(text)}\nb: {{c: {written(text)}}}\n".encode(), "x.yaml")
    assert reading.problems == ()
    assert reading.documents[0] == {"a": text, "b": {"c": text}}

    def put(documents: list[Any]) -> None:
        documents[0]["a"] = node(text)

    found = read_documents(rewritten(b"a: 1\n", put), "x.yaml")
    assert found.problems == ()
    assert found.documents[0] == {"a": text}


def test_letters_stay_letters_in_quotes() -> None:
    assert written("Büro: Köln") == '"Büro: Köln"'


@pytest.mark.parametrize("text", ["no", "010", "2027-03-01", "1_000", "a: b", "a #b", "null", "true", "@x", "*x"])
def test_what_readers_disagree_about_is_quoted(text: str) -> None:
    assert written(text) == f'"{text}"'

"""Foreign text is harmless wherever it is shown."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cleanup_gitops.views.safe import NAME_LIMIT, Markdown, code, inline, label, plain, quoted
from tests.views.hostile import HOSTILE, shape, words_of

# Signs of number and verse that are written, though Unicode files them with the invisible ones.
VISIBLE_FORMAT = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
JOINERS = {0x200C, 0x200D}

texts = st.text(max_size=80) | st.lists(st.sampled_from(HOSTILE)).map("".join)


def is_hidden(character: str) -> bool:
    if ord(character) in VISIBLE_FORMAT | JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.case("E80")
@given(texts)
@example("\u3000::error::x")
@example("#" * 5 + "[x]")
def test_plain_text_has_no_hidden_character_and_no_log_command(text: str) -> None:
    shown = plain(text)
    assert [one for one in shown if is_hidden(one)] == []
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert "##vso[" not in shown.lower()


@given(texts)
def test_plain_text_stays_plain_text(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(st.text(st.characters(categories=["L", "N"]), max_size=40))
def test_ordinary_names_are_not_changed(text: str) -> None:
    fillers = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"))
    assert plain(text.translate(fillers)) == text.translate(fillers)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada\nLovelace", "Ada\\nLovelace"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("::error::x", "\\x3a:error::x"),
        ("a ::error::x", "a ::error::x"),
        ("##[add-mask]x", "\\x23#[add-mask]x"),
        ("\U000e0041", "\\U000e0041"),
        ("می‌خواهم", "می‌خواهم"),  # a script that needs a joiner
        ("O'Brien & Söhne <x>", "O'Brien & Söhne <x>"),
    ],
)
def test_what_is_hidden_becomes_visible(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_names_are_one_short_line_without_padding() -> None:
    assert label("  Ada \u00a0  Example ") == "Ada Example"
    assert label("x" * 500) == "x" * (NAME_LIMIT - 1) + "…"
    assert label("x" * NAME_LIMIT) == "x" * NAME_LIMIT
    assert label("\n") == "\\n"


def test_quotes_cannot_be_closed_from_within() -> None:
    assert quoted('a" "b') == '"a\\" \\"b"'


FRAMES = {
    "paragraph": "before {} after",
    "start": "{}",
    "item": "- {}",
    "heading": "## {}",
    "cell": "| a | b |\n| --- | --- |\n| {} | end |",
    "html": "<details>\n<summary>{}</summary>\n\ntext\n\n</details>",
}


@pytest.mark.case("E80")
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_nothing_to_a_markdown_document(text: str, frame: str) -> None:
    harmless = shape(FRAMES[frame].format("x"))
    assert shape(FRAMES[frame].format(inline(text) or "x")) == harmless


@pytest.mark.case("E80", "F22", "F23")
@given(texts, st.sampled_from(sorted(FRAMES)))
def test_any_text_adds_nothing_to_a_markdown_document(text: str, frame: str) -> None:
    assert shape(FRAMES[frame].format(inline(text) or "x")) == shape(FRAMES[frame].format("x"))


@given(texts)
def test_a_reader_of_the_markdown_sees_the_text_itself(text: str) -> None:
    read = words_of(f"before {inline(text)} after").replace("\u200b", "")
    expected = f"before {plain(text).strip()} after"
    assert " ".join(read.split()) == " ".join(expected.split())


@given(texts)
@pytest.mark.case("E80", "F22")
def test_no_mention_reference_or_link_can_be_seen_by_the_host(text: str) -> None:
    seen = words_of(f"before {inline(text)} after")
    assert not re.search(r"@\w|#\w|://|www\.|\bgh-\d|::", seen, re.IGNORECASE)


@pytest.mark.case("E80", "F23")
@given(texts)
def test_no_html_comment_or_log_command_stands_in_the_source(text: str) -> None:
    source = inline(text)
    assert not re.search(r"[<>|`\[\]\x00-\x1f]|::|##\[", source)


def test_what_is_markdown_already_is_not_changed_again() -> None:
    assert inline(inline("a|b")) == inline("a|b") == "a&#124;b"
    assert inline(Markdown("`a`")) == "`a`"


@pytest.mark.parametrize("text", ["712020:4f-0000", "policies/dormant.yaml:31", "a b", "sha256:0…"])
def test_ids_and_places_are_code_spans(text: str) -> None:
    assert code(text) == f"`{text}`"


@given(texts)
def test_code_spans_cannot_be_left(text: str) -> None:
    shown = code(text)
    assert shown == inline(text) or re.fullmatch(r"`[^`|\\\n]+`", shown)
    assert shape(FRAMES["cell"].format(shown or "x")) in (
        shape(FRAMES["cell"].format("x")),
        shape(FRAMES["cell"].format("`x`")),
    )

"""What a notice may be made of, what is put into it, and how much."""

from __future__ import annotations

from datetime import date

import pytest

from cleanup_gitops.policy.samples import MARK, sample, samples
from cleanup_gitops.policy.template_text import (
    DEEPEST,
    LARGEST,
    LARGEST_TEXT,
    LONGEST_VALUE,
    Flaw,
    UnusableTemplateError,
    Value,
    flaws,
    one_line,
    render,
    variables,
)


def text(source: str, *, html: bool = False, **values: Value) -> str:
    return render(source, sample() | values, html=html)


def fails(source: str, **values: Value) -> Flaw:
    with pytest.raises(UnusableTemplateError) as caught:
        render(source, sample() | values, html=False)
    assert "Ada" not in str(caught.value)
    return caught.value.flaw


def nested(depth: int) -> str:
    return "{% if name %}" * depth + "x" + "{% endif %}" * depth


# -- how much --------------------------------------------------------------------------------------


def test_how_large_a_template_its_text_and_a_value_may_be() -> None:
    assert (LARGEST, LARGEST_TEXT, LONGEST_VALUE, DEEPEST) == (65536, 262144, 2000, 64)


def test_a_value_is_cut_where_the_longest_reason_ends() -> None:
    assert one_line("x" * 2001) == "x" * 2000
    assert len(text("{{ why }}", why="x" * 2001)) == 2000


@pytest.mark.case("F26")
def test_a_text_ends_somewhere() -> None:
    source = "{{ why }}" * 131
    most = 131 * 2000
    assert len(text(f"{source}{'y' * (LARGEST_TEXT - most)}", why="x" * 2000)) == LARGEST_TEXT
    assert fails(f"{source}{'y' * (LARGEST_TEXT - most + 1)}", why="x" * 2000) == Flaw(
        1, "its text becomes longer than 256 KiB"
    )


@pytest.mark.case("F26")
def test_conditions_end_somewhere() -> None:
    deepest = next(depth for depth in range(1, 100) if list(flaws(nested(depth))))
    assert deepest == 63
    assert text(nested(62)) == "x"
    assert set(flaws(nested(63))) == {Flaw(1, "is nested more than 64 deep")}
    (told,) = flaws("\n{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}")
    assert told == Flaw(1, "cannot be read: something in it is too deep or too long")


# -- what is put in --------------------------------------------------------------------------------


@pytest.mark.case("F26", "E78")
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ada\nBcc: x", "Ada Bcc: x"),
        ("Ada\r\n\tB", "Ada B"),
        ("Ada\u2028B", "Ada B"),
        ("Ada\u00a0B", "Ada B"),
        ("A\u202eda\u200b", "Ada"),
        ("A\x00d\x1ba", "Ada"),
        ("نی\u200cاز", "نی\u200cاز"),
        ("  Ada  ", "Ada"),
        ("Bücher", "Bücher"),
    ],
)
def test_what_is_put_in_is_one_line_without_what_hides(value: str, shown: str) -> None:
    assert one_line(value) == shown
    assert text("{{ name }}|", name=value) == f"{shown}|"


@pytest.mark.case("F26")
def test_in_html_it_is_escaped_and_in_text_it_is_not() -> None:
    assert text("<b>{{ name }}</b>", html=True, name="<i>&'\"") == "<b>&lt;i&gt;&amp;&#39;&#34;</b>"
    assert text("{{ name }}", name="<i>&") == "<i>&"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("{{ as_of|day('%d.%m.%Y') }}", "03.02.2026"),
        ("{{ as_of|day('%-d/%-m/%Y') }}", "3/2/2026"),
        ("{{ as_of }}", "2026-02-03"),
        ("{{ name|upper }} {{ name|lower }} {{ 'x'|capitalize }}", "ADA EXAMPLE ada example X"),
        ("{% if days > 90 and not language %}a{% elif days %}b{% else %}c{% endif %}", "b"),
        ("{{ 'a' if episode == 1 else 'b' }}", "a"),
        ("a\n{% if name %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"),
        ("a\n  {% if name %}\nb\n  {% endif %}\nc\n", "a\nb\nc\n"),
        ("a\n\n", "a\n\n"),
    ],
)
def test_a_template_becomes_this_text(source: str, result: str) -> None:
    assert text(source, as_of=date(2026, 2, 3)) == result


def test_a_template_knows_what_it_asks_for() -> None:
    assert variables("{{ name }}{% if days > 1 %}{{ owner|upper }}{% endif %}") == {"name", "days", "owner"}


# -- what is refused -------------------------------------------------------------------------------

DAY_FORM = "`day` needs a form, such as `day('%d.%m.%Y')`"


@pytest.mark.parametrize(
    ("source", "flaw"),
    [
        ("a\n{{ nmae }}", Flaw(2, "there is no variable `nmae`; did you mean `name`?")),
        ("a\n{{ name|uper }}", Flaw(2, "there is no filter `uper`; did you mean `upper`?")),
        ("\n{{ as_of|day }}", Flaw(2, DAY_FORM)),
        ("{{ as_of|day() }}", Flaw(1, DAY_FORM)),
        ("{{ as_of|day(1) }}", Flaw(1, DAY_FORM)),
        ("{{ as_of|day(name) }}", Flaw(1, DAY_FORM)),
        ("{{ as_of|day('%d', '%m') }}", Flaw(1, DAY_FORM)),
        ("{{ as_of|day('%d', form='%m') }}", Flaw(1, DAY_FORM)),
        ("{{ as_of|day('%B') }}", Flaw(1, "a form of `day` has `%d`, `%m`, `%Y`, `%-d` and `%-m` alone")),
        ("{{ name|upper(1) }}", Flaw(1, "`upper` takes nothing in parentheses")),
        ("{{ name|upper(a=1) }}", Flaw(1, "`upper` takes nothing in parentheses")),
        ("a\n{% if name %}", Flaw(2, "cannot be read: Unexpected end of template")),
    ],
)
def test_what_is_no_part_of_the_language_is_told_with_its_line(source: str, flaw: Flaw) -> None:
    found = [one for one in flaws(source) if one.message.startswith(flaw.message)]
    assert [(one.line, one.message[: len(flaw.message)]) for one in found] == [(flaw.line, flaw.message)]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("\n{% for a in name %}{% endfor %}", "a loop"),
        ("\n{{ name() }}", "a call"),
        ("\n{{ name.x }}", "`.`"),
        ("\n{{ name[0] }}", "`[...]`"),
        ("\n{% set x = 1 %}", "`set`"),
        ("\n{% macro m() %}{% endmacro %}", "a macro"),
        ("\n{% include 'x' %}", "`include`"),
        ("\n{{ name is defined }}", "`is`"),
        ("\n{{ name ~ name }}", "`concat`"),
    ],
)
def test_what_runs_or_reads_is_named_and_refused(source: str, word: str) -> None:
    found = [one for one in flaws(source) if one.message.startswith(f"{word} cannot stand in a notice")]
    assert [one.line for one in found] == [2]


@pytest.mark.parametrize(
    ("source", "values", "line"),
    [
        ("a\nb {{ next_day }}", {"next_day": None}, 2),
        ("a\nb\n{{ last_seen|day('%d') }}", {"last_seen": None}, 3),
        ("\n\n{% if days > 90 %}x{% endif %}", {"days": None}, 3),
    ],
)
def test_a_value_that_is_missing_is_told_at_its_line(source: str, values: dict[str, Value], line: int) -> None:
    assert fails(source, **values).line == line


# -- made-up people --------------------------------------------------------------------------------


def test_templates_are_tried_with_and_without_everything_that_may_be_missing() -> None:
    assert len(samples()) == 16
    for missing in ("last_seen", "days", "next_day"):
        assert len([one for one in samples() if one[missing] is None]) == 8
    assert len([one for one in samples() if one["language"] == ""]) == 8
    assert {one["name"] for one in samples()} == {MARK}
    assert sample()["name"] == "Ada Example"
    assert sample()["days"] == 111
    assert sample()["episode"] == 1

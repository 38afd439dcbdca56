"""The language of notice templates: values and conditions, and nothing that runs, repeats or reads.

It is Jinja's, cut down to what a notice needs: ``{{ name }}`` with a few filters, and ``{% if %}``. There are no loops,
calls, attributes, assignments or includes, so that rendering ends after as many steps as the template has parts,
whatever it says (F26). Everything that is put in is one line without hidden characters; in HTML it is escaped.
"""

from __future__ import annotations

import traceback
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cleanup_gitops.policy.problems import did_you_mean, shown

Value = str | int | date | None

VARIABLES: Mapping[str, str] = {
    "name": "display name of the person",
    "user": "account id of the person",
    "site": "name of the site",
    "url": "address of the site",
    "policy": "name of the policy",
    "why": "why there is this policy",
    "owner": "team that answers for the policy",
    "stage": "name of the stage that tells",
    "episode": "how many times the person has come this way, from 1",
    "as_of": "day of the notice",
    "last_seen": "day of the last use; may be missing",
    "days": "days without use; may be missing",
    "next_stage": "name of the stage that follows; may be empty",
    "next_does": "what happens then, in English words; may be empty",
    "next_day": "day of that at the earliest; may be missing",
    "language": "value of the attribute that decides on the language; may be empty",
    "address": "address of the notice in plan and record",
}
"""What a template may put in, and what it is. Days are UTC."""

LARGEST = 64 * 1024
"""Bytes of one template file."""
LARGEST_TEXT = 256 * 1024
"""Characters of one rendered text."""
DEEPEST = 64
"""Parts inside each other: a condition, and what it compares."""
LONGEST_VALUE = 2000
"""Characters of one value, as long as the longest ``why``."""

_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
)


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """What is wrong with a template, and on which of its lines."""

    line: int
    message: str


class UnusableTemplateError(Exception):
    """A template cannot be rendered with these values. Says nothing of the values."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


def one_line(text: str, longest: int = LONGEST_VALUE) -> str:
    """A text of others without line ends, and without characters that hide, or turn others around."""
    kept = (char if _is_shown(char) else " " if char.isspace() else "" for char in text)
    return " ".join("".join(kept).split())[:longest]


def _is_shown(char: str) -> bool:
    joiners = "\u200c\u200d"  # which some scripts need
    return char in joiners or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def flaws(source: str) -> Iterator[Flaw]:
    """Everything in a template that the language does not have."""
    try:
        tree = _environment(html=False).parse(source)
    except TemplateSyntaxError as error:
        yield Flaw(error.lineno, f"cannot be read: {one_line(error.message or 'unexpected end')}")
        return
    except (RecursionError, ValueError):
        yield Flaw(1, "cannot be read: something in it is too deep or too long")
        return
    yield from _flaws_of(tree, 0)


def _flaws_of(node: nodes.Node, depth: int) -> Iterator[Flaw]:
    if depth > DEEPEST:
        yield Flaw(node.lineno, f"is nested more than {DEEPEST} deep")
        return
    if not isinstance(node, _NODES):
        yield Flaw(node.lineno or 1, _not_known(node))  # some nodes of Jinja have no line
        return
    if isinstance(node, nodes.Name) and node.name not in VARIABLES:
        yield Flaw(node.lineno, f"there is no variable {shown(node.name)}{did_you_mean(node.name, VARIABLES)}")
    if isinstance(node, nodes.Filter):
        yield from _flaws_of_filter(node)
    for child in node.iter_child_nodes():
        yield from _flaws_of(child, depth + 1)


def _flaws_of_filter(node: nodes.Filter) -> Iterator[Flaw]:
    if node.name not in _FILTERS:
        yield Flaw(node.lineno, f"there is no filter {shown(node.name)}{did_you_mean(node.name, _FILTERS)}")
    elif node.name == "day":
        given = [one.value for one in node.args if isinstance(one, nodes.Const)]
        if len(node.args) != 1 or node.kwargs or not given or not isinstance(given[0], str):
            yield Flaw(node.lineno, "`day` needs a form, such as `day('%d.%m.%Y')`")
        elif problem := _wrong_form(given[0]):
            yield Flaw(node.lineno, problem)
    elif node.args or node.kwargs:
        yield Flaw(node.lineno, f"`{node.name}` takes nothing in parentheses")


def _not_known(node: nodes.Node) -> str:
    word = _WORDS.get(type(node), f"`{type(node).__name__.lower()}`")
    return f"{word} cannot stand in a notice: only `{{{{ variable }}}}`, filters and `{{% if %}}` can"


_WORDS: Mapping[type[nodes.Node], str] = {
    nodes.For: "a loop",
    nodes.Call: "a call",
    nodes.Getattr: "`.`",
    nodes.Getitem: "`[...]`",
    nodes.Include: "`include`",
    nodes.Import: "`import`",
    nodes.FromImport: "`import`",
    nodes.Extends: "`extends`",
    nodes.Macro: "a macro",
    nodes.Assign: "`set`",
    nodes.Test: "`is`",
}


def variables(source: str) -> frozenset[str]:
    """The variables that a template without flaws asks for."""
    return frozenset(one.name for one in _environment(html=False).parse(source).find_all(nodes.Name))


def render(source: str, values: Mapping[str, Value], *, html: bool) -> str:
    """The text. Raises ``UnusableTemplateError``, which says nothing of the values."""
    try:
        return _rendered(source, values, html=html)
    except UnusableTemplateError:
        raise
    except TemplateError as error:
        lineno = getattr(error, "lineno", None) or _line_of(error)
        raise UnusableTemplateError(Flaw(lineno, "cannot be rendered")) from None
    except _MissingError as error:
        message = "a value may be missing here: write it inside `{% if ... %}`"
        raise UnusableTemplateError(Flaw(_line_of(error), message)) from None
    except (TypeError, ValueError, RecursionError, SyntaxError) as error:
        message = "cannot be rendered: a number or a day may be missing here, or is compared with a text"
        raise UnusableTemplateError(Flaw(_line_of(error), message)) from None


def _rendered(source: str, values: Mapping[str, Value], *, html: bool) -> str:
    template = _template(source, html)
    parts: list[str] = []
    length = 0
    for part in template.generate({key: _harmless(values.get(key)) for key in VARIABLES}):
        parts.append(part)
        length += len(part)
        if length > LARGEST_TEXT:
            raise UnusableTemplateError(Flaw(1, f"its text becomes longer than {LARGEST_TEXT // 1024} KiB"))
    return "".join(parts)


def _harmless(value: Value) -> Value:
    return one_line(value) if isinstance(value, str) else value


class _MissingError(Exception):
    """A value that is not there was to be printed."""


def _printed(value: object) -> object:
    if value is None:
        raise _MissingError
    return value


def _line_of(error: BaseException) -> int:
    """The line of the template where it happened."""
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == "<template>"]
    return next((line for line in reversed(lines) if line), 1)


def _day(value: object, form: str) -> str:
    """A day in a form of ``%d``, ``%m`` and ``%Y``; ``%-d`` and ``%-m`` have no leading zero."""
    if not isinstance(value, date):
        raise _MissingError
    for mark, text in (
        ("%-d", str(value.day)),
        ("%-m", str(value.month)),
        ("%d", f"{value.day:02}"),
        ("%m", f"{value.month:02}"),
        ("%Y", f"{value.year:04}"),
    ):
        form = form.replace(mark, text)
    return form


def _wrong_form(form: str) -> str:
    rest = form
    for mark in ("%-d", "%-m", "%d", "%m", "%Y"):
        rest = rest.replace(mark, "")
    return "a form of `day` has `%d`, `%m`, `%Y`, `%-d` and `%-m` alone" if "%" in rest else ""


_FILTERS = {"upper": str.upper, "lower": str.lower, "capitalize": str.capitalize, "day": _day}


@cache
def _environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=None,
        undefined=StrictUndefined,
        autoescape=html,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=0,
    )
    environment.filters = dict(_FILTERS)
    environment.globals = {}
    environment.tests = {}
    return environment


@lru_cache(maxsize=256)
def _template(source: str, html: bool) -> Template:  # noqa: FBT001 - a key of the cache
    for flaw in flaws(source):
        raise UnusableTemplateError(flaw)
    return _environment(html=html).from_string(source)

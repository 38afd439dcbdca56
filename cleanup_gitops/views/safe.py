"""Text written by others (names, groups, policies, answers of a site), made harmless for where it is shown.

``plain`` is for terminals and logs, ``inline`` for Markdown and the HTML inside it, ``cell`` for spreadsheets,
``json_text`` for JSON. Templates need not remember either of the first two: ``documents`` passes everything they print
through the right one.
"""

from __future__ import annotations

import json
import re

NAME_LIMIT = 60
"""Characters of a name that are shown."""

_CONTROLS = r"\x00-\x1f"
# What does not show itself, or reorders or moves what does: controls, line ends, direction marks, zero-width
# characters, tags and fillers, halves of surrogate pairs. The two joiners that scripts need are not among them.
_HIDDEN = (
    _CONTROLS + r"\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    r"\U00013430-\U00013455\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Commands that build servers read from a log: `::name::` at the start of a line, `##[name]`, `##vso[name]` anywhere.
_UNSAFE = re.compile(rf"[{_HIDDEN}]|^(?P<lead>[\s{_HIDDEN}]*):(?=:)|#(?=#\[|#vso\[)", re.IGNORECASE)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def _visible(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def plain(value: object) -> str:
    """One line for a terminal: what is hidden becomes visible as an escape, and no log command stays one."""
    text = str(value)
    if text.isascii() and text.isprintable() and "::" not in text and "##" not in text:
        return text  # nearly all texts
    return _UNSAFE.sub(lambda found: "".join(_visible(one) for one in found[0]), text)


def label(name: str) -> str:
    """A name as it may stand beside an id: ``plain``, runs of spaces as one, at most ``NAME_LIMIT`` characters."""
    text = " ".join(plain(name).split())
    return text if len(text) <= NAME_LIMIT else text[: NAME_LIMIT - 1] + "…"


# What begins a formula, also in the wide and small forms that some spreadsheets take for the same. A semicolon begins
# the next cell for a spreadsheet that expects semicolons, whatever quotes stand around the text.
_FORMULA = re.compile(r"(?:^|(?<=;))[\s\"']*(?=[-=+@\uff0d\uff1d\uff0b\uff20\ufe63\ufe66\ufe62\ufe6b])")


def cell(value: object) -> str:
    """One cell for a spreadsheet: ``plain``, and an apostrophe before whatever would be taken for a formula."""
    text = plain(value)
    if text[:1].isalnum() and ";" not in text:
        return text  # nearly all texts
    return _FORMULA.sub(r"\g<0>'", text)


_UNSAFE_JSON = re.compile(rf"[{_HIDDEN.removeprefix(_CONTROLS)}]|#(?=#\[|#[vV][sS][oO]\[)")


def json_text(text: str) -> str:
    """The same JSON, in which what is hidden or a log command is written as an escape.

    Controls need none: outside of line ends they stand in no JSON.
    """
    if text.isascii() and "##" not in text and "\x7f" not in text:
        return text  # nearly all texts
    return _UNSAFE_JSON.sub(lambda found: r"\u0023" if found[0] == "#" else json.dumps(found[0])[1:-1], text)


class Markdown(str):
    """Text that is Markdown already and must not be made harmless once more."""

    __slots__ = ()


def quoted(value: object) -> str:
    """``plain`` in double quotes, which the text cannot close."""
    return '"' + plain(value).replace('"', r"\"") + '"'


# Everything is written as character references, not with backslashes: they mean the same in a paragraph, in a cell
# and inside an HTML element. A zero-width space follows where the host would still see a mention, a reference to an
# issue, a link or a picture after resolving them.
_BREAK = "&#8203;"
_MARKUP = re.compile(
    r"(?P<special>[&<>`*_\[\]|~\\$]|^[-+=])"
    r"|(?P<sign>[@#])"
    r"|(?P<broken>:(?=//|:|(?!\d+:)[\w+-]{1,40}:)|\bwww(?=\.)|\bgh-(?=\d)|^\d+(?=[.)]))",
    re.IGNORECASE,
)


def _reference(found: re.Match[str]) -> str:
    if found["broken"]:
        return found["broken"] + _BREAK
    return f"&#{ord(found[0])};" + (_BREAK if found["sign"] else "")


def inline(value: object) -> Markdown:
    """One line of foreign text for Markdown: no markup, link, mention, reference, HTML, comment or cell can come of it.

    What is ``Markdown`` already is returned as it is.
    """
    if isinstance(value, Markdown):
        return value
    return Markdown(_MARKUP.sub(_reference, plain(value).strip()))


def verbatim(line: object) -> Markdown:
    """A line inside a fenced code block, which it cannot close."""
    return Markdown(plain(line).replace("`", "'"))


_TECHNICAL = re.compile(r"[\w./:…-]+(?: [\w./:…-]+)*", re.ASCII)


def code(value: object) -> Markdown:
    """An id, policy name or place as a code span; text that could break out of one is shown by ``inline`` instead."""
    text = plain(value)
    return Markdown(f"`{text}`") if _TECHNICAL.fullmatch(text) else inline(text)

"""Colours for a finished text, line by line. Colour adds no character that a person reads."""

from __future__ import annotations

import re

_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), style)
    for pattern, style in (
        (r"(Error:|Unsafe plan|Apply incomplete)", f"{_BOLD};{_RED}"),
        (r"(Plan:|No changes|Apply complete!)", _BOLD),
        (r"(Warnings|Blocked policies)", f"{_BOLD};{_YELLOW}"),
        (r"  (# (?:user|membership|role|token)/.*)", _BOLD),
        (r" +(-) ", _RED),
        (r" +(\+) ", _GREEN),
        (r" +(~) ", _YELLOW),
    )
)


def paint(text: str, *, colour: bool) -> str:
    """The text with ANSI colours, or as it is."""
    return "\n".join(map(_line, text.split("\n"))) if colour else text


def _line(line: str) -> str:
    for pattern, style in _RULES:
        if found := pattern.match(line):
            start, end = found.span(1)
            return f"{line[:start]}\x1b[{style}m{line[start:end]}\x1b[0m{line[end:]}"
    return line

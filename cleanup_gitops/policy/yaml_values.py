"""Values of plain scalars, and containers that know where their parts stand.

YAML 1.2 core schema, with days added. What another common reader (YAML 1.1, JSON, a spreadsheet of habits) would
take for something else is a ``Trap``: it is reported where it stands instead of being guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

Place = tuple[int, int]
"""Line and column, both from 1."""

_LOOKS_LIKE_MORE = frozenset("0123456789.+~=-nNtTfFyYoO")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OLD_BOOLEANS = frozenset(
    spelling for word in ("yes", "no", "on", "off") for spelling in (word, word.capitalize(), word.upper())
)
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_OTHER_INTEGER = re.compile(
    r"[-+]?(0[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+)|[-+.0-9][-+.0-9eE]*_[-+.0-9eE_]*|[-+]?0[xob][0-9a-fA-F_]+"
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"=|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}(:[0-9]{2}.*)?")


class Map(dict[str, Any]):
    """A mapping; ``marks[key]`` is (line, column) of the key and (line, column) of its value, from 1."""

    __slots__ = ("col", "line", "marks")

    def __init__(self, line: int, col: int) -> None:
        self.line = line
        self.col = col
        self.marks: dict[str, tuple[int, int, int, int]] = {}

    def at_key(self, key: str) -> Place:
        """Where the key stands; the start of the mapping when it is missing."""
        mark = self.marks.get(key)
        return mark[:2] if mark else (self.line, self.col)

    def at_value(self, key: str) -> Place:
        """Where the value of the key stands; the start of the mapping when it is missing."""
        mark = self.marks.get(key)
        return mark[2:] if mark else (self.line, self.col)


class Seq(list[Any]):
    """A sequence; ``marks[i]`` is (line, column) of entry i, from 1."""

    __slots__ = ("col", "line", "marks")

    def __init__(self, line: int, col: int) -> None:
        self.line = line
        self.col = col
        self.marks: list[Place] = []


@dataclass(frozen=True, slots=True)
class Trap:
    """A scalar that YAML readers disagree about. It was reported; nothing else is said about its value."""

    message: str


REPORTED = Trap("")
"""Stands for a value that was refused for another reason."""


def scalar(text: str) -> str | bool | int | float | date | Trap | None:
    """The value of a plain (unquoted) scalar."""
    if text and text[0] not in _LOOKS_LIKE_MORE:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text in _OLD_BOOLEANS:
        return Trap(f"`{text}` is true or false to some YAML readers; write true or false, or put the text in quotes")
    return _number_or_day(text)


def _number_or_day(text: str) -> str | int | float | date | Trap:
    if len(text) > 60:  # no number that anything here could hold, but perhaps somebody's text
        return Trap("a number too large to be meant") if _FLOAT.fullmatch(text) else text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OTHER_INTEGER.fullmatch(text):
        return Trap(f"`{text}` is another number to other YAML readers; write it in plain digits, or in quotes")
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return Trap(f"`{text}` means something of its own to some YAML readers; put it in quotes if it is text")
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return Trap(f"`{text}` is no day of the calendar")
    if _TIME.fullmatch(text):
        return Trap("a time of day; write the day alone (YYYY-MM-DD), or put the text in quotes")
    return text

"""Bytes of one file to YAML documents with positions; everything that YAML readers disagree about is a problem.

The parser is libyaml (through PyYAML) for its events only. Values are those of the YAML 1.2 core schema, plus days
(``2027-03-01``). Anchors, aliases, tags, merge keys, duplicate keys, keys that are no text, empty values, and plain
scalars that another YAML reader would take for something else (``no``, ``010``, a time) are refused with their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from cleanup_gitops.policy.problems import Problem, shown
from cleanup_gitops.policy.yaml_values import REPORTED, Map, Place, Seq, Trap, scalar

MAX_BYTES: Final = 5_000_000
MAX_DEPTH: Final = 40

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Invisible marks can make a reviewer see another text than the program reads; the others are line ends to some
# YAML readers and ordinary characters to the rest.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)

_LINE_END = re.compile(r"\r\n?|\n")


class _Refusal(Exception):  # noqa: N818 - carries a problem out of the decoder
    def __init__(self, line: int, col: int, message: str) -> None:
        super().__init__(message)
        self.line, self.col, self.message = line, col, message


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents of a file and what is wrong with its YAML. ``whole`` is False where the end was not reached."""

    documents: tuple[Map, ...]
    problems: tuple[Problem, ...]
    whole: bool


def read_documents(data: bytes, file: str) -> Reading:
    """Read a file. Never raises, whatever the bytes are.

    After a syntax error the rest of the file is not read, so only the documents before it are returned.
    """
    try:
        return _Composer(_decoded(data), file).read()
    except _Refusal as refusal:
        return Reading((), (Problem(file, refusal.line, refusal.col, refusal.message),), whole=False)


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _Refusal(1, 1, f"the file is larger than {MAX_BYTES // 1_000_000} MB; split it")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Refusal(1, 1, "the file is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8-sig", "replace")
        raise _Refusal(*_place_in(good, len(good)), "not UTF-8 from here on; save the file as UTF-8") from None
    bad = _FORBIDDEN.search(text)
    if bad:
        message = f"invisible character U+{ord(bad[0]):04X}; remove it, or write it as an escape in double quotes"
        raise _Refusal(*_place_in(text, bad.start()), message)
    return text


def _place_in(text: str, index: int) -> Place:
    ends = [found.end() for found in _LINE_END.finditer(text, 0, index)]
    return len(ends) + 1, index - (ends[-1] if ends else 0) + 1


_NO_KEY: Final = ("", (0, 0))


class _Composer:
    """Builds documents from the parser's events; iterative, so that no nesting can exhaust the stack."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._problems: list[Problem] = []
        self._done: list[Map] = []
        self._open: list[Map | Seq] = []
        # What the next value belongs to, for the file and for each open container: the key that waits for it, and
        # where that stands. ``None``: a key must come first. ``_NO_KEY``: an entry of a list, or a whole document;
        # in a mapping the key was refused, and its value is read and dropped.
        self._keys: list[tuple[str, Place] | None] = [_NO_KEY]

    def _note(self, at: Place, message: str) -> None:
        self._problems.append(Problem(self._file, *at, message))

    def read(self) -> Reading:
        """Compose every document up to the end, to the first syntax error, or to what is nested too deep."""
        handlers: dict[type[yaml.Event], Callable[[Any, Place], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        loader = _Loader(self._text)
        whole = False
        try:
            while event := loader.get_event():
                handle = handlers.get(type(event))
                if handle:
                    mark = event.start_mark
                    handle(event, (mark.line + 1, mark.column + 1))
            whole = True
        except _Refusal as refusal:
            self._note((refusal.line, refusal.col), refusal.message)
        except yaml.YAMLError as error:
            at = self._place_of(error)
            self._note(at, self._syntax(error, *at))
        finally:
            loader.dispose()
        return Reading(tuple(self._done), tuple(self._problems), whole)

    def _place_of(self, error: yaml.YAMLError) -> Place:
        """Where the text is wrong; a key without a colon is told where it stands and not where its line has ended."""
        marks = [getattr(error, name, None) for name in ("problem_mark", "context_mark")]
        told = marks if "simple key" not in (getattr(error, "context", None) or "") else reversed(marks)
        mark = next(filter(None, told), None)
        end = _place_in(self._text, len(self._text))
        return min((mark.line + 1, mark.column + 1), end) if mark else (1, 1)

    def _syntax(self, error: yaml.YAMLError, line: int, col: int) -> str:
        lines = self._text.splitlines()
        rest = lines[line - 1][col - 1 :] if line <= len(lines) else ""
        problem, context = (getattr(error, name, None) or "" for name in ("problem", "context"))
        if rest.startswith("\t"):
            return "a tab; YAML is indented with spaces"
        if rest.startswith(("@", "`", "%")):
            return f"text that begins with `{rest[0]}` needs quotes"
        if context in ("while scanning an alias", "while scanning an anchor"):
            return "text that begins with `*` or `&` needs quotes"
        if "simple key" in context or "could not find expected ':'" in problem:
            return "not valid YAML: a key without a colon, or wrong indentation"
        return f"not valid YAML: {problem or 'it cannot be parsed'}{f' ({context})' if context else ''}"

    def _document(self, event: yaml.DocumentStartEvent, at: Place) -> None:
        if event.tags or event.version not in (None, (1, 2)):
            self._note(at, "directives (`%TAG`, `%YAML` other than 1.2) are not allowed")

    def _alias(self, _: yaml.AliasEvent, at: Place) -> None:
        self._note(at, "aliases (`*name`) are not allowed; text that begins with `*` needs quotes")
        if self._open:
            self._add(REPORTED, at)

    def _mapping(self, event: yaml.MappingStartEvent, at: Place) -> None:
        self._begin(event, Map(*at), at, None)

    def _sequence(self, event: yaml.SequenceStartEvent, at: Place) -> None:
        self._begin(event, Seq(*at), at, _NO_KEY)

    def _refuse_properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, at: Place) -> bool:
        if event.anchor is not None:
            self._note(at, "anchors (`&name`) are not allowed; text that begins with `&` needs quotes")
        if event.tag is not None:
            self._note(at, "tags (`!name`) are not allowed; text that begins with `!` needs quotes")
        return event.tag is not None

    def _begin(
        self, event: yaml.CollectionStartEvent, container: Map | Seq, at: Place, key: tuple[str, Place] | None
    ) -> None:
        """Open a container; ``key`` is what its first value belongs to."""
        self._refuse_properties(event, at)
        if len(self._open) >= MAX_DEPTH:
            raise _Refusal(*at, f"nested more than {MAX_DEPTH} levels deep")
        if self._keys[-1] is None:
            self._note(at, "a key must be one word of text")
            self._keys[-1] = _NO_KEY
        elif self._open:
            self._add(container, at)
        self._open.append(container)
        self._keys.append(key)

    def _end(self, _: yaml.CollectionEndEvent, __: Place) -> None:
        self._keys.pop()
        container = self._open.pop()
        if self._open:
            return
        if isinstance(container, Map):
            self._done.append(container)
        else:
            self._note((container.line, container.col), NO_DOCUMENT)

    def _scalar(self, event: yaml.ScalarEvent, at: Place) -> None:
        value: object = event.value
        if self._refuse_properties(event, at):
            value = REPORTED
        elif not event.style:
            value = scalar(event.value)
            if isinstance(value, Trap):
                self._note(at, value.message)
        if self._keys[-1] is None:
            self._key(value, at, plain=not event.style)
            return
        if value is None and self._open:
            self._empty(at)
            value = REPORTED
        if self._open:
            self._add(value, at)
        elif value is not None and not isinstance(value, Trap):
            self._note(at, NO_DOCUMENT)

    def _empty(self, at: Place) -> None:
        waiting = self._keys[-1]
        if isinstance(self._open[-1], Seq):
            self._note(at, "an empty entry in a list")
        elif waiting and waiting[0]:
            self._note(waiting[1], f"{shown(waiting[0])} is empty; write a value, or leave the key out")

    def _key(self, key: object, at: Place, *, plain: bool) -> None:
        mapping = self._open[-1]
        self._keys[-1] = _NO_KEY
        if isinstance(key, Trap):
            return
        if not isinstance(key, str) or not key:
            self._note(at, "a key must be text; put it in quotes if it really is one")
        elif plain and key == "<<":
            self._note(at, "merge keys (`<<`) are not allowed; write the keys out")
        elif isinstance(mapping, Map) and key in mapping:
            self._note(at, f"the key {shown(key)} stands here twice (first in line {mapping.at_key(key)[0]})")
        else:
            self._keys[-1] = (key, at)

    def _add(self, value: object, at: Place) -> None:
        """Put a value into the innermost container: as an entry, or as the value of the key that waits for it."""
        parent = self._open[-1]
        if isinstance(parent, Seq):
            parent.append(value)
            parent.marks.append(at)
            return
        waiting = self._keys[-1]
        if waiting is None:  # an alias where a key should be
            self._keys[-1] = _NO_KEY
            return
        if waiting[0]:
            parent[waiting[0]] = value
            parent.marks[waiting[0]] = (*waiting[1], *at)
        self._keys[-1] = None


NO_DOCUMENT = "a document must have the keys apiVersion, kind, metadata and spec"

"""Tells whether an exchange shows anything that openapi-core has not seen yet.

A page of a hundred users costs it a tenth of a second, and a test run has thousands. So an exchange is taken apart into
facts: where which kind of value stands, and which keys stand together. Only one with a new fact is validated, then as a
whole and as it is. Values themselves are part of a fact where a published rule looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from tests.openapi.exchanges import Exchange
from tests.openapi.published import Published
from tests.openapi.schemas import schemas, target

_FORMS = frozenset({"date", "date-time", "uuid", "email"})
"""Formats of texts that openapi-core checks."""
_BOUNDS = frozenset({"minimum", "maximum"})
_SIZES = frozenset({"minLength", "maxLength"})


class Shapes:
    """What was seen so far."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._seen: set[tuple[object, ...]] = set()
        self._longest: dict[tuple[object, ...], int] = {}
        self._verbatim = _keys(published, lambda rule: "enum" in rule or bool(_BOUNDS & rule.keys()))
        self._outlined = _keys(published, lambda rule: "pattern" in rule or rule.get("format") in _FORMS)
        self._sized = _keys(published, lambda rule: bool(_SIZES & rule.keys()))

    def new(self, exchange: Exchange) -> bool:
        """Whether there is anything new in it; from now on there is not."""
        operation = self._published.operation(exchange.method, exchange.path)
        place = operation.template or exchange.path
        types = (exchange.content_type, exchange.answer_type)
        base = (operation.file, exchange.method, place, exchange.status, exchange.ours, exchange.crash, *types)
        facts: set[tuple[object, ...]] = {(*base, exchange.scheme)}
        if exchange.ours:
            facts |= {(*base, "path", place, outline(exchange.path))}
            asked = self._facts(_decoded(exchange.body), ("body",), "")
            facts |= {(*base, *fact) for fact in asked}
            for name, value in parse_qsl(exchange.query, keep_blank_values=True):
                facts.add((*base, "query", name, outline(value)))
        facts |= {(*base, *fact) for fact in self._facts(_decoded(exchange.answer), ("answer",), "")}
        before = len(self._seen)
        self._seen |= facts
        return len(self._seen) > before

    def _facts(self, value: object, at: tuple[object, ...], name: str) -> Iterator[tuple[object, ...]]:
        """Facts about a value that stands at `at`, below the key `name`."""
        if isinstance(value, dict):
            yield (*at, frozenset(value))
            for key, item in value.items():
                yield from self._facts(item, (*at, key), key)
        elif isinstance(value, list):
            yield from self._size(len(value), at)
            if len(value) != len({item if isinstance(item, str) else id(item) for item in value}):
                yield (*at, "twice")
            for item in value:
                yield from self._facts(item, (*at, 0), name)
        elif isinstance(value, str):
            yield (*at, "text", value if name in self._verbatim else outline(value) if name in self._outlined else "")
            if name in self._sized:
                yield from self._size(len(value), (*at, "text"))
        else:
            yield (*at, type(value), value if name in self._verbatim else None)

    def _size(self, size: int, at: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
        """Only what is empty, or longer than all before, can break a rule about sizes that nothing before broke."""
        if not size or size > self._longest.get(at, 0):
            self._longest[at] = max(size, self._longest.get(at, 0))
            yield (*at, "size", size)


def outline(text: str) -> str:
    """What a rule about the form of a text sees of it."""
    return "long" if len(text) > 64 else re.sub(r"[^\W_]+", _word, text)


def _word(found: re.Match[str]) -> str:
    word = found.group()
    if word.isdigit():
        return "0" * len(word)
    if re.fullmatch(r"[0-9a-fA-F]{3,}", word):
        return "f" * len(word)
    return word if len(word) < 3 else "word"


def _keys(published: Published, wanted: Callable[[dict[str, Any]], bool]) -> frozenset[str]:
    """Keys of objects whose values, or whose elements, have such a rule in some file."""
    return frozenset(
        name
        for file in published.files.values()
        for schema in schemas(file.text)
        for name, part in schema.get("properties", {}).items()
        for rule in (target(file.text, part), target(file.text, target(file.text, part).get("items", {})))
        if wanted(rule)
    )


def _decoded(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body[:40]

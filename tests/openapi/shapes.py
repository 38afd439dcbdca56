"""Tells whether an exchange shows anything that openapi-core has not seen yet.

A page of a hundred users costs it a tenth of a second, and a test run has thousands. So an exchange is taken apart into
facts: where which kind of value stands, and which keys stand together. Only one with a new fact is validated, then as a
whole and as it is. Values themselves are part of a fact where a published rule looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
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


class Spot:
    """A place in the bodies of one kind of exchange, and what was seen there; all elements of a list are one place."""

    __slots__ = ("below", "facts", "longest")

    def __init__(self) -> None:
        self.below: dict[object, Spot] = {}
        """By key; 0 stands for every element of a list, `str` for the text that stands here."""
        self.facts: set[object] = set()
        self.longest = 0

    def learn(self, fact: object) -> bool:
        """Whether the fact is new here; from now on it is not."""
        before = len(self.facts)
        self.facts.add(fact)
        return len(self.facts) > before

    def at(self, key: object) -> Spot:
        """The place below this one."""
        found = self.below.get(key)
        if found is None:
            found = self.below[key] = Spot()
        return found


class Shapes:
    """What was seen so far."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._whole: set[bytes] = set()
        """Digests of whole exchanges, as most come again just as they were."""
        self._kinds: dict[tuple[object, ...], Spot] = {}
        self._verbatim = _keys(published, lambda rule: "enum" in rule or bool(_BOUNDS & rule.keys()))
        self._outlined = _keys(published, lambda rule: "pattern" in rule or rule.get("format") in _FORMS)
        self._sized = _keys(published, lambda rule: bool(_SIZES & rule.keys()))

    def new(self, exchange: Exchange) -> bool:
        """Whether there is anything new in it; from now on there is not."""
        whole = blake2b(msgspec.msgpack.encode(exchange), digest_size=16).digest()
        if whole in self._whole:
            return False
        self._whole.add(whole)
        operation = self._published.operation(exchange.method, exchange.path)
        place = operation.template or exchange.path
        types = (exchange.content_type, exchange.answer_type)
        kind = (operation.file, exchange.method, place, exchange.status, exchange.ours, exchange.crash, *types)
        known = self._kinds.setdefault(kind, Spot())
        new = known.learn(exchange.scheme)
        if exchange.ours:
            new |= known.at("path").learn(outline(exchange.path))
            new |= self._learn(_decoded(exchange.body), known.at("body"), "")
            for name, value in parse_qsl(exchange.query, keep_blank_values=True):
                new |= known.at("query").at(name).learn(outline(value))
        return self._learn(_decoded(exchange.answer), known.at("answer"), "") or new

    def _learn(self, value: object, spot: Spot, name: str) -> bool:
        """Whether anything is new about a value, at `spot` and below the key `name`."""
        if isinstance(value, dict):
            new = spot.learn(frozenset(value))
            for key, item in value.items():
                new |= self._learn(item, spot.at(key), key)
        elif isinstance(value, list):
            new = _size(len(value), spot)
            if len(value) != len({item if isinstance(item, str) else id(item) for item in value}):
                new |= spot.learn("twice")
            element = spot.at(0)
            for item in value:
                new |= self._learn(item, element, name)
        elif isinstance(value, str):
            seen = value if name in self._verbatim else outline(value) if name in self._outlined else ""
            new = spot.learn(("text", seen))
            if name in self._sized:
                new |= _size(len(value), spot.at(str))
        else:
            new = spot.learn((type(value), value if name in self._verbatim else None))
        return new


def _size(size: int, spot: Spot) -> bool:
    """Only what is empty, or longer than all before, can break a rule about sizes that nothing before broke."""
    if size and size <= spot.longest:
        return False
    spot.longest = max(size, spot.longest)
    return spot.learn(("size", size))


@lru_cache(maxsize=2**16)
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

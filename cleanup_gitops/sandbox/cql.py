"""A small part of the Confluence Query Language: enough to ask who wrote what, and when.

Known are ``and``, ``or``, ``not``, parentheses, ``order by``, the operators ``= != ~ !~ > >= < <= in``
and ``not in``, texts in quotes, ``now("-90d")`` and ``currentUser()``. Everything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
Test = Callable[[T], bool]
Predicate = Callable[[str, str, list[str]], Test[T]]
"""What makes a test of a field, an operator (never ``not in``) and values; raises `CqlError`."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op>!=|!~|>=|<=|[=~<>(),])|(?P<word>[^\s"'=~<>!(),]+))"""
)
DEEPEST = 50
_OPERATORS = ("=", "!=", "~", "!~", ">", ">=", "<", "<=")
_NEGATED = {"!=": "=", "!~": "~"}


class CqlError(Exception):
    """The query cannot be understood; the message says what is wrong with it."""


class Token(NamedTuple):
    """A piece of a query; `kind` is text, op or word."""

    kind: str
    value: str


@dataclass
class Query(Generic[T]):
    """A query that was understood: `test` says whether something fits, `order` how to sort."""

    test: Test[T]
    order: list[tuple[str, bool]]
    """Fields and whether they descend, the most important one first."""


def parse(cql: str, predicate: Predicate[T]) -> Query[T]:
    """The query `cql` over whatever `predicate` knows how to test. Raises `CqlError`."""
    return _Parser(_tokens(cql), predicate).query()


def _tokens(cql: str) -> list[Token]:
    found, at = [], 0
    rest = cql.rstrip()
    while at < len(rest):
        match = _TOKEN.match(rest, at)
        if match is None:
            raise CqlError(f"unexpected character at {at}")
        kind = match.lastgroup or ""
        value = match.group(kind)
        found.append(Token(kind, re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "text" else value))
        at = match.end()
    return found


class _Parser(Generic[T]):
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[Token], predicate: Predicate[T]) -> None:
        self._tokens = tokens
        self._predicate = predicate
        self._at = 0
        self._depth = 0

    def query(self) -> Query[T]:
        test: Test[T] = _everything if self._sees("order") else self._either()
        order = []
        if self._take("order"):
            self._expect("by")
            while True:
                field = self._next("word").lower()
                descending = self._take("desc") or (self._take("asc") and False)
                order.append((field, descending))
                if not self._take(","):
                    break
        if self._at < len(self._tokens):
            raise CqlError(f"unexpected {self._tokens[self._at].value!r}")
        return Query(test, order)

    def _either(self) -> Test[T]:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def _both(self) -> Test[T]:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _one(self) -> Test[T]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise CqlError("it is nested too deeply")
        found = self._nested() or self._comparison()
        self._depth -= 1
        return found

    def _nested(self) -> Test[T] | None:
        if self._take("not"):
            inner = self._one()
            return lambda item: not inner(item)
        if self._take("("):
            either = self._either()
            self._expect(")")
            return either
        return None

    def _comparison(self) -> Test[T]:
        field = self._next("word").lower()
        negated = self._take("not")
        if self._take("in"):
            self._expect("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._expect(")")
            test = self._predicate(field, "in", values)
            return (lambda item: not test(item)) if negated else test
        operator = self._next("op")
        if operator not in _OPERATORS or negated:
            raise CqlError(f"unexpected {operator!r}")
        plain = self._predicate(field, _NEGATED.get(operator, operator), [self._value()])
        return (lambda item: not plain(item)) if operator in _NEGATED else plain

    def _value(self) -> str:
        """A text or word; a function is handed on as it stands, with its argument."""
        if self._at < len(self._tokens) and self._tokens[self._at].kind == "text":
            return self._next("text")
        word = self._next("word")
        if not self._take("("):
            return word
        argument = "" if self._sees(")") else self._value()
        self._expect(")")
        return f"{word.lower()}({argument})"

    def _next(self, kind: str) -> str:
        if self._at >= len(self._tokens):
            raise CqlError("it ends too early")
        token = self._tokens[self._at]
        if token.kind != kind:
            raise CqlError(f"unexpected {token.value!r}")
        self._at += 1
        return token.value

    def _sees(self, wanted: str) -> bool:
        if self._at >= len(self._tokens):
            return False
        token = self._tokens[self._at]
        return token.kind != "text" and token.value.lower() == wanted

    def _take(self, wanted: str) -> bool:
        found = self._sees(wanted)
        self._at += found
        return found

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            seen = self._tokens[self._at].value if self._at < len(self._tokens) else "the end"
            raise CqlError(f"expected {wanted!r} before {seen!r}")


def _everything(item: object) -> bool:  # noqa: ARG001 - whatever it is
    return True

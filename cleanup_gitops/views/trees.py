"""Text that is a tree: titles, and below each of them lines with lines of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cleanup_gitops.views.documents import render


@dataclass(frozen=True, slots=True)
class Branch:
    """One line, and those that belong to it. Not yet harmless: the documents see to that."""

    text: str
    below: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A title, and what stands below it."""

    title: str
    branches: Sequence[Branch]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All lines in their order."""
        return tuple(_rows(self.branches, 1))


@dataclass(frozen=True, slots=True)
class Row:
    """One line; ``depth`` 1 is directly below the title."""

    depth: int
    text: str


def _rows(branches: Iterable[Branch], depth: int) -> Iterator[Row]:
    for one in branches:
        yield Row(depth, one.text)
        yield from _rows(one.below, depth + 1)


def leaves(texts: Iterable[str]) -> tuple[Branch, ...]:
    """Lines that have none below them; empty ones are left out."""
    return tuple(Branch(text) for text in texts if text)


def render_tree(title: str, parts: Iterable[Part], form: Literal["txt", "md"]) -> str:
    """The document: indented lines for a terminal, or nested lists in Markdown. Parts without lines are left out."""
    return render(f"tree.{form}.j2", title=title, parts=[part for part in parts if part.branches])

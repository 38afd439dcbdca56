"""What policies name and a site, or a run, does not have. A question about it has no answer for anybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple


class Missing(NamedTuple):
    """What a site does not have, or a list or roster that was not handed over; ``name`` as it was written."""

    kind: Literal["group", "directory", "list", "roster"]
    name: str


def lacking(missing: Iterable[Missing]) -> str:
    """In words for people: "no group matches a, b; no directory matches x; the list HR was not read"."""
    names: dict[str, list[str]] = {"group": [], "directory": [], "list": [], "roster": []}
    for one in missing:
        names[one.kind].append(one.name)
    parts = [f"no {kind} matches {', '.join(names[kind])}" for kind in ("group", "directory") if names[kind]]
    parts += [f"the {kind} {name} was not read" for kind in ("list", "roster") for name in names[kind]]
    return "; ".join(parts)

"""Policy files changed by a program: comments, order, quotes and layout stay, whatever the edit does not touch.

ruamel.yaml carries comments through an edit, and lays the whole file out anew as it does. So the file is written twice,
with the edit and without, and only the lines that differ between these two are changed in the file itself.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from cleanup_gitops.policy.yaml_values import scalar

MODELINE = "# yaml-language-server: $schema="
"""How the line begins that tells an editor where the JSON Schema is."""

_INDENTS = ((2, 4, 2), (2, 2, 0), (4, 4, 0), (4, 6, 4), (4, 6, 2))
"""Of mappings, of what stands in a list, and of its dashes, in the order in which they are tried."""
_LARGE = 2000
"""Lines from which on lines that stand everywhere are no landmarks."""
_BARE = re.compile(r"[A-Za-z_/][\w./+@-]*( [\w.,/+][\w.,/+@-]*)*")
_BOM = "\ufeff"

Edit = Callable[[list[Any]], None]
"""Changes the documents of a file (ruamel.yaml's round-trip mappings) in place."""


def rewritten(data: bytes, edit: Edit) -> bytes:
    """A file that was read without a problem, with an edit of its documents. Empty documents are not among them.

    Where the layout is such that the edit's lines do not fit in, the file is laid out anew as far as it must.
    """
    text = data.decode("utf-8-sig")
    lines = text.splitlines(keepends=True)
    end = "\r\n" if sum(line.endswith("\r\n") for line in lines) * 2 > len(lines) else "\n"
    ours = [line.rstrip("\r\n") for line in lines]
    plain = "\n".join(ours) + "\n"
    result = ""
    for before, indents in _layouts(plain, ours):
        after, documents = _round_trip(plain, indents, edit)
        parts = _merged(ours, before, after, end)
        result = "".join(part if isinstance(part, str) else _ended(lines[part], end) for part in parts)
        if _read(result) == documents:
            break
    else:
        result = "".join(line + end for line in after)
    if text and not text.endswith("\n") and before[-1:] == after[-1:]:
        result = result.removesuffix(end)
    return ((_BOM if data.startswith(_BOM.encode()) else "") + result).encode()


def _ended(line: str, end: str) -> str:
    return line if line.endswith("\n") else line + end


def _read(text: str) -> list[Any] | None:
    """The documents of a text; ``None`` when it is no YAML."""
    try:
        return list(YAML().load_all(text))
    except YAMLError:
        return None


def _layouts(plain: str, ours: list[str]) -> Iterator[tuple[list[str], tuple[int, int, int]]]:
    """The file as it is laid out with some indents, and these; those first that fit it best."""
    found = []
    for indents in _INDENTS:
        made, _ = _round_trip(plain, indents, lambda _: None)
        found.append((sum(map(_moved, made, ours)), made, indents))
        if made == ours:
            yield made, indents
            return
    yield from ((made, indents) for _, made, indents in sorted(found, key=lambda one: one[0]))


def _moved(one: str, other: str) -> bool:
    return len(one) - len(one.lstrip()) != len(other) - len(other.lstrip())


def round_trip(indents: tuple[int, int, int] = _INDENTS[0]) -> YAML:
    """A reader and writer that keeps comments, order and quotes."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=indents[0], sequence=indents[1], offset=indents[2])
    return yaml


def _round_trip(plain: str, indents: tuple[int, int, int], edit: Edit) -> tuple[list[str], list[Any]]:
    """The lines of the file with the edit, and its documents."""
    yaml = round_trip(indents)
    documents = list(yaml.load_all(plain))
    edit([one for one in documents if one is not None])
    out = io.StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue().split("\n")[:-1], documents


@dataclass(slots=True)
class _Hunk:
    """Lines ``start`` to ``stop`` of the file as laid out, which become ``begin`` to ``end`` of the edited one."""

    start: int
    stop: int
    begin: int
    end: int


def _merged(ours: list[str], before: list[str], after: list[str], end: str) -> Iterator[int | str]:
    """Lines of our file by their number, and new ones as text with their ends."""
    mine = {
        line + step: own + step
        for tag, line, stop, own, own_stop in _blocks(_squeezed(before), _squeezed(ours))
        if tag == "equal" or stop - line == own_stop - own
        for step in range(stop - line)
    }
    at = 0
    for hunk in _hunks(before, after, mine):
        if hunk.start < hunk.stop and hunk.start in mine:
            first = mine[hunk.start]
        else:
            first = mine[hunk.start - 1] + 1 if hunk.start else 0
        last = first
        if hunk.start < hunk.stop:
            last = mine[hunk.stop - 1] + 1 if hunk.stop - 1 in mine else len(ours)
        yield from range(at, first)
        yield from (line + end for line in after[hunk.begin : hunk.end])
        at = last
    yield from range(at, len(ours))


def _squeezed(lines: list[str]) -> list[str]:
    """Lines without their spaces, which are a matter of layout."""
    return ["".join(line.split()) for line in lines]


def _hunks(before: list[str], after: list[str], mine: Mapping[int, int]) -> list[_Hunk]:
    """What the edit changes, each time from a line that our file has too up to another one."""
    found: list[_Hunk] = []
    for tag, *places in _blocks(before, after):
        if tag == "equal":
            continue
        hunk = _Hunk(*places)
        while hunk.start > 0 and hunk.start - 1 not in mine and (hunk.start == hunk.stop or hunk.start not in mine):
            hunk.start, hunk.begin = hunk.start - 1, hunk.begin - 1
        while hunk.start < hunk.stop < len(before) and hunk.stop - 1 not in mine:
            hunk.stop, hunk.end = hunk.stop + 1, hunk.end + 1
        if found and hunk.start <= found[-1].stop:
            earlier = found.pop()
            over = max(0, earlier.start - hunk.start)
            hunk = _Hunk(earlier.start - over, max(earlier.stop, hunk.stop), earlier.begin - over, hunk.end)
        found.append(hunk)
    return found


def _blocks(one: list[str], other: list[str]) -> list[tuple[str, int, int, int, int]]:
    """How one list becomes the other; what both begin and end with is found at once."""
    shorter = min(len(one), len(other))
    head = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    tail = next((n for n in range(shorter - head) if one[-1 - n] != other[-1 - n]), shorter - head)
    middle, rest = one[head : len(one) - tail], other[head : len(other) - tail]
    matcher = SequenceMatcher(None, middle, rest, autojunk=len(middle) > _LARGE)
    inner = [(tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in matcher.get_opcodes()]
    found = [("equal", 0, head, 0, head), *inner]
    return [*found, ("equal", len(one) - tail, len(one), len(other) - tail, len(other))]


def rename(mapping: Any, old: str, new: str, value: object = None) -> None:  # noqa: ANN401 - a round-trip mapping
    """Give a key another name, and a value if one is given, in its place and with the comments that hang on it."""
    place = list(mapping).index(old)
    comments = mapping.ca.items.pop(old, None)
    held = mapping.pop(old)
    mapping.insert(place, new, held if value is None else value)
    if comments is not None:
        mapping.ca.items[new] = comments


def node(value: str) -> str:
    """A text to be put into a document: in quotes where a reader of YAML could take it for something else."""
    return value if _BARE.fullmatch(value) and scalar(value) == value else DoubleQuotedScalarString(value)


def written(value: str) -> str:
    """The same as it stands in a file."""
    one = node(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(one, DoubleQuotedScalarString) else value

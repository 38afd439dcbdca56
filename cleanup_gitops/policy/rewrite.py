"""Policy files changed by a program: comments, order, quotes and layout stay, whatever the edit does not touch.

ruamel.yaml carries comments through an edit, and lays the whole file out anew as it does. So the file is written twice,
with the edit and without, and only the lines that differ between these two are changed in the file itself.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from cleanup_gitops.model.errors import CleanupError
from cleanup_gitops.policy.yaml_text import read_documents
from cleanup_gitops.policy.yaml_values import Map, Seq, scalar

MODELINE = "# yaml-language-server: $schema="
"""How the line begins that tells an editor where the JSON Schema is."""

Indents = tuple[int, int, int]
"""Of mappings, of what stands in a list, and of its dashes."""
_USUAL: Indents = (2, 4, 2)
_TRIED = 4
"""So many ways to indent that a file mixes are tried."""
_LARGE = 2000
"""Lines from which on lines that stand everywhere are no landmarks."""
_BARE = re.compile(r"[A-Za-z_/][\w./+@-]*( [\w.,/+][\w.,/+@-]*)*")
_BOM = "\ufeff"

Edit = Callable[[list[Any]], None]
"""Changes the documents of a file (ruamel.yaml's round-trip mappings) in place."""


def rewritten(data: bytes, edit: Edit) -> bytes:
    """A file that was read without a problem, with an edit of its documents. Empty documents are not among them.

    Where the layout is such that the edit's lines do not fit in, the file is laid out anew as far as it must.
    Raises ``CleanupError`` for the little that ruamel.yaml refuses and we do not, such as a second ``...``.
    """
    text = data.decode("utf-8-sig")
    lines = text.splitlines(keepends=True)
    end = "\r\n" if sum(line.endswith("\r\n") for line in lines) * 2 > len(lines) else "\n"
    ours = [line.rstrip("\r\n") for line in lines]
    plain = "\n".join(ours) + "\n"
    reading = read_documents(plain.encode(), "")
    documents = _loaded(plain)
    layouts = [(indents, _dumped(documents, indents)) for indents in _indents(reading.documents, ours)]
    edit([one for one in documents if one is not None])
    wanted = [one for one in documents if one is not None]
    result = ""
    for indents, before in layouts:
        after = _dumped(documents, indents)
        parts = _merged(ours, before, after, end)
        result = "".join(part if isinstance(part, str) else _ended(lines[part], end) for part in parts)
        found = read_documents(result.encode(), "")
        if not found.problems and list(found.documents) == wanted:
            break
    else:
        indents, before = layouts[0]
        after = _dumped(documents, indents)
        result = "".join(line + end for line in after)
    if text and not text.endswith("\n") and before[-1:] == after[-1:]:
        result = result.removesuffix(end)
    return ((_BOM if data.startswith(_BOM.encode()) else "") + result).encode()


def _loaded(text: str) -> list[Any]:
    try:
        return list(round_trip().load_all(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CleanupError(
            f"No program can change the policy file: YAML readers disagree about its line {line}. Nothing was written.",
            "Write that line in another way (is there a tab, or one `...` too many?), or make the change by hand.",
        ) from None


def _ended(line: str, end: str) -> str:
    return line if line.endswith("\n") else line + end


def _indents(documents: Iterable[Map], lines: list[str]) -> list[Indents]:
    """The ways in which the blocks of a file are indented, the most common one first; a usual one when it has none."""
    mappings, lists = Counter[int](), Counter[tuple[int, int]]()
    inside: list[tuple[Map | Seq, int]] = [(one, one.col) for one in documents]
    while inside:
        block, own = inside.pop()
        places = [mark[2:] for mark in block.marks.values()] if isinstance(block, Map) else block.marks
        for value, (line, col) in zip(block.values() if isinstance(block, Map) else block, places, strict=True):
            if not isinstance(value, Map | Seq) or lines[line - 1][col - 1] in "{[":
                continue
            inside.append((value, col))
            if isinstance(value, Map) and isinstance(block, Map):
                mappings[col - own] += 1
            elif isinstance(value, Seq) and isinstance(block, Map) and value:
                lists[value.marks[0][1] - own, col - own] += 1
    found = [
        (mapping, *places)
        for places, _ in lists.most_common() or [(_USUAL[1:], 0)]
        for mapping, _ in mappings.most_common() or [(_USUAL[0], 0)]
    ]
    return found[:_TRIED]


def round_trip(indents: Indents = _USUAL) -> YAML:
    """A reader and writer that keeps comments, order and quotes."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=indents[0], sequence=indents[1], offset=indents[2])
    return yaml


def _dumped(documents: list[Any], indents: Indents) -> list[str]:
    out = io.StringIO()
    round_trip(indents).dump_all(documents, out)
    return out.getvalue().split("\n")[:-1]


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
            last = mine[hunk.stop - 1] + 1 if hunk.stop - 1 in mine else mine.get(hunk.stop, len(ours))
        yield from range(at, first)
        yield from (line + end for line in after[hunk.begin : hunk.end])
        at = last
    yield from range(at, len(ours))


def _squeezed(lines: list[str]) -> list[str]:
    """Lines without their spaces, which are a matter of layout."""
    return ["".join(line.split()) for line in lines]


def _hunks(before: list[str], after: list[str], mine: Mapping[int, int]) -> list[_Hunk]:
    """What the edit changes, each time between two lines that our file has too."""
    found: list[_Hunk] = []
    for tag, *places in _blocks(before, after):
        if tag == "equal":
            continue
        hunk = _Hunk(*places)
        while hunk.start > 0 and hunk.start - 1 not in mine and (hunk.start == hunk.stop or hunk.start not in mine):
            hunk.start, hunk.begin = hunk.start - 1, hunk.begin - 1
        while hunk.start < hunk.stop < len(before) and hunk.stop - 1 not in mine and hunk.stop not in mine:
            hunk.stop, hunk.end = hunk.stop + 1, hunk.end + 1
        if found and hunk.start < found[-1].stop:  # it began no earlier then, and ends no earlier
            earlier = found.pop()
            hunk = _Hunk(earlier.start, hunk.stop, earlier.begin, hunk.end)
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

"""Lists in four forms: a table for people, CSV for spreadsheets, JSON and JSON Lines for programs.

Whatever names and groups hold, a table and a CSV row are one line each, no cell is a formula to a spreadsheet, and no
form sends a terminal or a build server a command.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from cleanup_gitops.views.columns import Column, Row, Sheet, data, words
from cleanup_gitops.views.safe import cell, json_text, plain

GAP = "  "
SHORTER = ((True, 12), (False, 12), (False, 8))
"""How a table that is too wide becomes narrower, step by step: first only what may be cut, and to how many cells."""
ALIGNED = 60
"""Cells up to which columns are aligned when nothing is cut."""
BOM = "\ufeff"
_encode = json.JSONEncoder(ensure_ascii=False).encode


def render_table(sheet: Sheet[Row], *, width: int | None = None, colour: bool = False) -> str:
    """Aligned columns under their titles. With a ``width`` (cells of a terminal) long texts are cut until it fits.

    Texts that may be cut go first, then all others but numbers; a table of many columns stays too wide all the same.
    Without a width nothing is cut, and a very long text moves the rest of its own line only.
    """
    columns = sheet.columns
    lines = [[plain(words(one)) for one in row] for row in sheet.values()]
    widths = [
        max([cell_len(column.title), *(cell_len(line[at]) for line in lines)]) for at, column in enumerate(columns)
    ]
    if width is None:
        widths = [min(wide, ALIGNED) for wide in widths]
    else:
        widths = _fitting(columns, widths, width)
        lines = [[_cut(text, wide) for text, wide in zip(line, widths, strict=True)] for line in lines]
    head = _line([column.title for column in columns], columns, widths)
    head = f"\x1b[1m{head}\x1b[0m" if colour else head
    return "".join(f"{line}\n" for line in (head, *(_line(line, columns, widths) for line in lines)))


def _fitting(columns: Sequence[Column[Any]], widths: Sequence[int], width: int) -> list[int]:
    """Smaller widths, so that the whole is no wider than ``width`` if that can be."""
    widths = list(widths)
    room = width - len(GAP) * (len(columns) - 1)
    for softly, least in SHORTER:
        floors = [
            wide if column.number or (softly and not column.cut) else min(wide, max(least, cell_len(column.title)))
            for column, wide in zip(columns, widths, strict=True)
        ]
        while sum(widths) > room and widths != floors:
            able = [at for at, floor in enumerate(floors) if widths[at] > floor]
            widths[max(able, key=widths.__getitem__)] -= 1
    return widths


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def _line(texts: Sequence[str], columns: Sequence[Column[Any]], widths: Sequence[int]) -> str:
    return GAP.join(map(_padded, texts, columns, widths)).rstrip()


def _padded(text: str, column: Column[Any], width: int) -> str:
    missing = " " * (width - cell_len(text))
    return missing + text if column.number else text + missing


def render_csv(sheet: Sheet[Row], *, bom: bool = False) -> str:
    """Every cell in quotes, one row a line, the names of the columns first. ``bom``: some spreadsheets need it."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([column.name for column in sheet.columns])
    writer.writerows([cell(words(one)) for one in row] for row in sheet.values())
    return (BOM if bom else "") + text.getvalue()


def objects(sheet: Sheet[Row]) -> Iterable[dict[str, Any]]:
    """Each row as JSON holds it, by the names of the columns."""
    names = [column.name for column in sheet.columns]
    return (dict(zip(names, map(data, row), strict=True)) for row in sheet.values())


def _objects(sheet: Sheet[Row]) -> Iterable[str]:
    """Each row as a JSON object in one line."""
    return map(_json, objects(sheet))


def render_json(sheet: Sheet[Row], about: Mapping[str, Any]) -> str:
    """One document: ``about`` the list as a whole, and its ``rows``, one a line."""
    head = "".join(f"  {_json(key)}: {_json(value)},\n" for key, value in about.items())
    rows = ",\n".join(f"    {one}" for one in _objects(sheet))
    return f'{{\n{head}  "rows": [\n{rows}\n  ]\n}}\n' if rows else f'{{\n{head}  "rows": []\n}}\n'


def render_jsonl(sheet: Sheet[Row]) -> str:
    """One JSON object a line."""
    return "".join(f"{one}\n" for one in _objects(sheet))


def _json(value: Any) -> str:  # noqa: ANN401 - JSON
    return json_text(_encode(value))

"""CSV files of others, read strictly: what cannot be understood is an error with its line, never an empty value.

UTF-8, with a byte order mark or without. One header line; what separates its fields, commas or semicolons, separates
those of every row, and each row has as many. Fields may be quoted; blank lines are passed over. Nothing of a value gets
into an error: it may be a name or an address.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

_QUOTED = re.compile(r'"[^"]*"')
_HEADER = re.compile(r'(?:"[^"]*"|[^"\r\n])*')


class CsvError(Exception):
    """What is wrong in a file, in words for people, and the line (from 1) on which it is."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"{line}: {what}")
        self.line = line
        self.what = what


def csv_rows(data: bytes, columns: Sequence[str], named_by: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The first line of each row, and what stands there in these columns, without spaces around it.

    ``named_by`` says in an error who wants the columns. Raises ``CsvError``, also when there is no row at all.
    """
    text = _text(data)
    rows = _lines(text, _separator(text))
    header = [name.strip() for name in next(rows, (1, []))[1]]
    places = [_place(header, name, named_by) for name in columns]
    empty = True
    for line, row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise CsvError(line, f"{len(row)} fields, but the header has {len(header)}")
        empty = False
        yield line, tuple(row[place].strip() for place in places)
    if empty:
        raise CsvError(1, "there is no row below the header")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CsvError(data.count(b"\n", 0, error.start) + 1, "the text here is not UTF-8") from None


def _separator(text: str) -> str:
    """What separates the fields of the header; a comma where there is one field only."""
    header = _HEADER.match(text)
    bare = _QUOTED.sub("", header[0]) if header else ""
    if "," in bare and ";" in bare:
        raise CsvError(1, "the header has both commas and semicolons outside quotation marks")
    return ";" if ";" in bare else ","


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            raise CsvError(before + 1, "this is no CSV: look at its quotation marks") from None
        if row is None:
            return
        yield before + 1, row
        before = reader.line_num


def _place(header: list[str], name: str, named_by: str) -> int:
    if header.count(name) != 1:
        several = "twice" if name in header else "not"
        raise CsvError(1, f"the column {name!r}, which {named_by} names, is {several} there")
    return header.index(name)

"""CSV files of others, read strictly: what cannot be understood is an error with its line, never an empty value.

UTF-8, with a byte order mark or without, or UTF-16 with one, unless somebody names another encoding. One header line;
what separates its fields (commas, semicolons or tabs) separates those of every row, and each row has as many. Fields
may be quoted; blank lines are passed over. Nothing of a value gets into an error: it may be a name or an address.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "latin-1": "latin-1", "cp1252": "cp1252"}
"""Names of encodings, and what Python calls them."""
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_QUOTED = re.compile(r'"[^"]*"')
_HEADER = re.compile(r'(?:"[^"]*"|[^"\r\n])*')


class CsvError(Exception):
    """What is wrong in a file, in words for people, and the line (from 1) on which it is."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"{line}: {what}")
        self.line = line
        self.what = what


def csv_rows(
    data: bytes,
    columns: Sequence[str],
    named_by: str,
    *,
    encoding: str | None = None,
    separator: str | None = None,
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The first line of each row, and what stands there in these columns, without spaces around it.

    ``named_by`` says in an error who wants the columns. ``encoding`` is one of ``ENCODINGS`` and ``separator`` one of
    ``SEPARATORS``; without them the file shows which. Raises ``CsvError``, also when there is no row at all.
    """
    text = _text(data, encoding)
    rows = _lines(text, SEPARATORS[separator] if separator else _separator(text))
    header = [name.strip() for name in next(rows, (1, []))[1]]
    places = [_place(header, name, named_by) for name in columns]
    empty = True
    for line, row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise CsvError(line, f"{len(row)} field{'s' * (len(row) != 1)}, but the header has {len(header)}")
        empty = False
        yield line, tuple(row[place].strip() for place in places)
    if empty:
        raise CsvError(1, "there is no row below the header")


def _text(data: bytes, encoding: str | None) -> str:
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if marked and encoding not in (None, marked):
        raise CsvError(1, f"the file begins with the byte order mark of {marked.upper()}, and is said to be {encoding}")
    name = encoding or marked or "utf-8"
    try:
        return data.decode(ENCODINGS[name])
    except UnicodeDecodeError as error:
        raise CsvError(data.count(b"\n", 0, error.start) + 1, f"the text here is not {name.upper()}") from None


def _separator(text: str) -> str:
    """What separates the fields of the header; a comma where there is one field only."""
    header = _HEADER.match(text)
    bare = _QUOTED.sub("", header[0]) if header else ""
    found = [name for name, separator in SEPARATORS.items() if separator in bare]
    if len(found) > 1:
        raise CsvError(1, f"the header has both {found[0]}s and {found[1]}s outside quotation marks")
    return SEPARATORS[found[0]] if found else ","


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

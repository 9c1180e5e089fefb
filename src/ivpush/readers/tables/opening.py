"""A table's file opened, whatever it is: delimited text, a workbook, Parquet or Arrow.

Every reader of tables begins here. The first bytes say which it is; the header is the first row
that holds names of columns, and titles above it are left out with a note.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice
from typing import IO

from ivpush.errors import Fault, InputError, UsageError
from ivpush.plural import counted
from ivpush.readers.tables import arrow
from ivpush.readers.tables.cells import Bad, Row, Table, of_width, text_of
from ivpush.readers.tables.delimited import rows_of_text
from ivpush.readers.tables.headers import fold
from ivpush.readers.unpack import ZIP

__all__ = ["open_table"]

MOST_COLUMNS = 2_000
"""The widest exports have some hundreds; past this a file is no table of records."""
_LONGEST_MARK = 6
_MOST_TITLES = 20
"""Rows above a header that are looked through for one."""
_LEAST_NAMES = 2
_ROW_COUNT = re.compile(
    r"\(?([0-9][0-9,]{0,14}) rows?(?:\(s\))?(?: (?:affected|selected|returned|retrieved))?\.?\)?",
    re.ASCII | re.IGNORECASE,
)


def open_table(
    name: str,
    stream: IO[bytes],
    delimiter: str = ",",
    encoding: str = "utf-8-sig",
    known: Collection[str] = (),
) -> Table:
    """The table of a stream; raises InputError where it has no header or cannot be opened.

    ``known`` are the names that its columns may have. Raises UsageError where a header names a
    column twice.
    """
    head, stream = _head(stream)
    if head.startswith(arrow.MARKS):
        table = arrow.open_binary(name, head, stream)
        _check_width(name, table.columns)
        return table
    names = frozenset(map(fold, known))
    notes: tuple[str, ...] = ()
    is_sheet = head.startswith(ZIP)
    if is_sheet:
        # Late, for few inputs are workbooks.
        from ivpush.readers.tables.workbook import open_sheet

        rows, notes = open_sheet(name, stream)
    else:
        rows = rows_of_text(stream, head, delimiter, encoding, names)
    return _with_header(name, rows, names, notes, is_sheet=is_sheet)


def _with_header(
    name: str,
    rows: Iterator[Row | Bad],
    names: Collection[str],
    notes: tuple[str, ...],
    *,
    is_sheet: bool,
) -> Table:
    """The table of rows whose header is among the first of them."""
    first = next(rows, None)
    if first is None:
        raise InputError(Fault(name, "is empty", "write a header and rows"))
    header, titles, rows = _header(first, rows, names)
    if isinstance(header, Bad):
        raise InputError(Fault(f"{name}:{header.number}", header.problem, header.remedy))
    columns = [text_of(cell).strip() for cell in header.cells]
    place = f"{name}:{header.number}"
    _check_width(place, columns)
    named = [column for column in columns if column]
    if len(set(named)) != len(named):
        raise UsageError(Fault(place, "names a column twice", "rename one of them"))
    if titles:
        notes = (*notes, f"begins with {counted(titles, 'row')} above its header, left out")
    rows = _padded(rows, len(columns)) if is_sheet else rows
    footed = _Footed(rows)
    return Table(
        name,
        columns,
        of_width(footed.rows(), len(columns)),
        by_line=True,
        notes=notes,
        closing=footed.notes,
    )


class _Footed:
    """Rows without the line in which a database says how many there are, and whether all came."""

    def __init__(self, rows: Iterator[Row | Bad]) -> None:
        self._rows = rows
        self._came = 0
        self._stated: int | None = None

    def rows(self) -> Iterator[Row | Bad]:
        """The rows but for that line."""
        for row in self._rows:
            stated = _row_count(row)
            if stated is None:
                self._came += 1
                yield row
            else:
                self._stated = stated

    def notes(self) -> Sequence[str]:
        """That the line was left out, and where it counts otherwise than came."""
        if self._stated is None:
            return ()
        if self._stated == self._came:
            return ("ends with a line that counts its rows, left out",)
        counts = f"counts {counted(self._stated, 'row')}, but {self._came:,} came"
        return (f"ends with a line that {counts}: rows may be missing",)


def _row_count(row: Row | Bad) -> int | None:
    """What a line such as ``(3 rows affected)`` counts; None for any other."""
    if isinstance(row, Bad) or not row.cells:
        return None
    first, *others = row.cells
    match = _ROW_COUNT.fullmatch(text_of(first).strip())
    if match is None or any(text_of(cell).strip() for cell in others):
        return None
    return int(match[1].replace(",", ""))


def _padded(rows: Iterator[Row | Bad], width: int) -> Iterator[Row | Bad]:
    """Rows of a sheet, which leaves out empty cells at the end of a row."""
    for row in rows:
        lacking = width - len(row.cells or ())
        yield row if lacking <= 0 else row._replace(cells=[*(row.cells or ()), *[""] * lacking])


def _header(
    first: Row | Bad, rows: Iterator[Row | Bad], names: Collection[str]
) -> tuple[Row | Bad, int, Iterator[Row | Bad]]:
    """The header, how many rows stand above it, and the rows below."""
    if not names or _is_header(first, names):
        return first, 0, rows
    ahead = list(islice(rows, _MOST_TITLES))
    for number, row in enumerate(ahead):
        if _is_header(row, names):
            return row, number + 1, chain(ahead[number + 1 :], rows)
    return first, 0, chain(ahead, rows)


def _is_header(row: Row | Bad, names: Collection[str]) -> bool:
    """Whether a row holds names that columns may have, and no other row need be asked."""
    if isinstance(row, Bad):
        return False
    return sum(fold(text_of(cell)) in names for cell in row.cells) >= _LEAST_NAMES


def _check_width(place: str, columns: Sequence[str]) -> None:
    """Raise UsageError where a table has more columns than anybody's."""
    if len(columns) > MOST_COLUMNS:
        problem = f"has {len(columns):,} columns"
        remedy = f"write at most {MOST_COLUMNS:,}, and name the delimiter in a column map"
        raise UsageError(Fault(place, problem, remedy))


def _head(stream: IO[bytes]) -> tuple[bytes, IO[bytes]]:
    """The first bytes, and a stream that still has them."""
    if isinstance(stream, io.BufferedReader):
        return stream.peek(_LONGEST_MARK)[:_LONGEST_MARK], stream
    if not stream.seekable():
        stream = io.BytesIO(stream.read())
    start = stream.tell()
    head = stream.read(_LONGEST_MARK)
    stream.seek(start)
    return head, stream

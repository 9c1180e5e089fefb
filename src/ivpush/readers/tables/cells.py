"""Rows of a table file (CSV, Parquet, Arrow), read strictly; every reader of tables begins here.

A row is read whole or not at all: control characters, a wrong number of cells and broken quotes
are told with their line. ``groups`` puts the rows of each encounter together.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, NamedTuple

from ivpush.errors import Fault, InputError, UsageError

__all__ = [
    "ROWS_AT_ONCE",
    "Bad",
    "Row",
    "Table",
    "has_hidden",
    "open_table",
    "rows_in",
    "text_of",
]

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# How each binary format begins; a stream of Arrow has its marker of continuation instead of a name.
_ARROW_FILE, _PARQUET = b"ARROW1", b"PAR1"
_ARROW_STREAM = b"\xff\xff\xff\xff"
_LONGEST_MARK = len(_ARROW_FILE)
_EXACT_FLOATS = 1e15
"""Below this a float without decimals is written as the whole number that it is."""
ROWS_AT_ONCE = 512
MOST_COLUMNS = 2_000
"""The widest exports have some hundreds; past this a file is no table of records."""
MOST_ROW_CHARACTERS = 1_000_000
"""A row of text that goes on for longer, over one line or many, is not read."""


class Row(NamedTuple):
    """One row: where it stands and its cells, in the order of the table's columns."""

    number: int
    cells: Sequence[object]


class Bad(NamedTuple):
    """A row that cannot be read, or (``rest``) everything from there on."""

    number: int
    problem: str
    remedy: str
    cells: Sequence[object] | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was opened: its columns, its rows, and how their places are written.

    The rows can be read once, and those that cannot be read come in between::

        table = open_table("mar.csv", stream)
        for row in table.rows:
            print(table.place(row.number), "bad" if isinstance(row, Bad) else row.cells)
    """

    name: str
    columns: list[str]
    rows: Iterator[Row | Bad]
    by_line: bool
    """Whether rows are numbered by the lines of a text file."""
    kind: str | None = None
    """Which table of the contract it is, where the caller knows."""

    def place(self, number: int) -> str:
        """``file:line`` of text, ``file[row]`` of a binary table."""
        return f"{self.name}:{number}" if self.by_line else f"{self.name}[{number}]"


def open_table(
    name: str, stream: IO[bytes], delimiter: str = ",", encoding: str = "utf-8-sig"
) -> Table:
    """The table of a stream; raises InputError where it has no header or cannot be opened.

    Raises UsageError where a header names a column twice.
    """
    head, stream = _head(stream)
    if head.startswith((_PARQUET, _ARROW_FILE, _ARROW_STREAM)):
        return _open_binary(name, head, stream)
    rows = _text_rows(stream, delimiter, encoding)
    header = next(rows, None)
    if header is None:
        raise InputError(Fault(name, "is empty", "write a header and rows"))
    if isinstance(header, Bad):
        raise InputError(Fault(f"{name}:{header.number}", header.problem, header.remedy))
    columns = [text_of(cell).strip() for cell in header.cells]
    _check_width(f"{name}:1", columns)
    named = [column for column in columns if column]
    if len(set(named)) != len(named):
        raise UsageError(Fault(f"{name}:1", "names a column twice", "rename one of them"))
    return Table(name, columns, _of_width(rows, len(columns)), by_line=True)


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


# Delimited text


def _text_rows(stream: IO[bytes], delimiter: str, encoding: str) -> Iterator[Row | Bad]:
    """Rows of delimited text with the line on which each ends."""
    text = io.TextIOWrapper(stream, codecs.lookup(encoding).name, newline="")
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        while True:
            try:
                for cells in reader:
                    # Blank lines count with the row behind them: no table has a million.
                    if cells:
                        lines.begin_row()
                        yield _checked(reader.line_num, cells)
                return
            except _LongRowError:
                # Where it would end nobody knows: within quotes a line may end in the middle of it.
                problem = f"is longer than {MOST_ROW_CHARACTERS:,} characters"
                remedy = "close the quotes, and end each row with a line end"
                yield Bad(reader.line_num + 1, problem, remedy, rest=True)
                return
            except csv.Error as error:
                # A quote that is never closed takes the rest of the file with it.
                rest = "unexpected end" in str(error)
                remedy = "close the quote or shorten the cell"
                yield Bad(reader.line_num, "is not CSV", remedy, rest=rest)
                if rest:
                    return
            except UnicodeError:
                problem = f"is not {encoding.removesuffix('-sig')}"
                remedy = "save it in the encoding that its map declares"
                yield Bad(reader.line_num + 1, problem, remedy, rest=True)
                return
    finally:
        # So that the caller's stream stays open; one that was closed before has nothing to keep.
        with suppress(ValueError):
            text.detach()


class _LongRowError(Exception):
    """A row of text that does not end where every row has ended."""


class _Lines:
    """The lines of a text, of which no row takes more than the bound."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.begin_row()

    def begin_row(self) -> None:
        """What comes next is a row of its own."""
        self._left = MOST_ROW_CHARACTERS

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            raise _LongRowError
        return line


def has_hidden(text: str) -> bool:
    """Whether a text holds a control character other than tab and the ends of lines."""
    return _HIDDEN.search(text) is not None


def _checked(number: int, cells: list[str]) -> Row | Bad:
    for cell in cells:
        # Nearly every cell is printable, and to ask that is cheaper than to search.
        if not cell.isprintable() and has_hidden(cell):
            return Bad(number, "holds a control character", "delete it", cells)
    return Row(number, cells)


def _of_width(rows: Iterator[Row | Bad], width: int) -> Iterator[Row | Bad]:
    for row in rows:
        if isinstance(row, Row) and len(row.cells) != width:
            yield Bad(row.number, f"has {len(row.cells)} cells", f"write {width}", row.cells)
        else:
            yield row


# Parquet and Arrow


def _open_binary(name: str, head: bytes, stream: IO[bytes]) -> Table:
    try:
        import pyarrow as pa
    except ImportError:
        problem = "is a Parquet or Arrow table, and pyarrow is missing"
        raise UsageError(Fault(name, problem, "pip install 'ivpush[frames]'")) from None
    if not stream.seekable():
        stream = io.BytesIO(stream.read())
    try:
        columns, batches = _batches(head, stream)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError):
        fault = Fault(name, "is no whole Parquet or Arrow table", "write it again")
        raise InputError(fault) from None
    _check_width(name, columns)
    rows = _until_damage(rows_in(batches), pa.ArrowException)
    return Table(name, columns, rows, by_line=False)


def _batches(head: bytes, stream: IO[bytes]) -> tuple[list[str], Iterable[Any]]:
    """The names of the columns, and the table piece by piece."""
    import pyarrow.parquet as pq
    from pyarrow import ipc

    if head.startswith(_PARQUET):
        parquet = pq.ParquetFile(stream)
        return list(parquet.schema_arrow.names), parquet.iter_batches(ROWS_AT_ONCE)
    if head.startswith(_ARROW_FILE):
        arrow = ipc.open_file(stream)
        batches = (arrow.get_batch(n) for n in range(arrow.num_record_batches))
        return list(arrow.schema.names), batches
    arrow = ipc.open_stream(stream)
    return list(arrow.schema.names), iter(arrow)


def rows_in(batches: Iterable[Any]) -> Iterator[Row | Bad]:
    """Rows of Arrow batches or tables, numbered from 1."""
    number = 0
    for batch in batches:
        for cells in _values(batch):
            number += 1
            # Bytes are no text of any encoding that the table declares.
            if any(
                isinstance(cell, bytes)
                or (isinstance(cell, str) and not cell.isprintable() and has_hidden(cell))
                for cell in cells
            ):
                yield Bad(number, "holds a control character", "delete it", cells)
            else:
                yield Row(number, cells)


def _values(batch: Any) -> Iterator[list[object]]:
    """Rows as Python values; times with microseconds at most, as Python has them."""
    import pyarrow as pa

    columns = []
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        columns.append(column.to_pylist())
    if not columns:
        return
    yield from map(list, zip(*columns, strict=True))


def _until_damage(rows: Iterator[Row | Bad], broken: type[Exception]) -> Iterator[Row | Bad]:
    """Rows until the file breaks off, which is told as everything from there on."""
    number = 0
    try:
        for row in rows:
            number = row.number
            yield row
    except (broken, OSError, ValueError, TypeError, KeyError, OverflowError):
        yield Bad(number + 1, "is damaged from here on", "write the table again", rest=True)


def text_of(cell: object) -> str:
    """A cell as text: binary tables hold times and numbers, text ones hold text."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, float):
        return _float_text(cell)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return str(cell)


def _float_text(number: float) -> str:
    if math.isnan(number):  # a missing number of a pandas table
        return ""
    whole = number.is_integer() and abs(number) < _EXACT_FLOATS
    return str(int(number)) if whole else repr(number)

"""Rows of a table file (CSV, Parquet, Arrow), read strictly and grouped by encounter.

A row is read whole or not at all: control characters, a wrong number of cells and broken quotes
are told with their line. An encounter with a row that cannot be read is set aside as a whole,
since half a chart would be judged wrongly. Rows of one encounter may stand anywhere: unless a map
declares the file sorted, the rows of a large table pass through a private temporary database of
SQLite, which goes to disk once it outgrows its cache and deletes itself.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import pickle
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any

from ivpush.errors import Fault, InputError, UsageError

__all__ = [
    "Bad",
    "Group",
    "Row",
    "Table",
    "grouped",
    "open_table",
    "rows_in",
    "text_of",
]

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ARROW_FILE, _PARQUET = b"ARROW1", b"PAR1"
_ARROW_STREAM = b"\xff\xff\xff\xff"
_BATCH = 512
MOST_IN_MEMORY = 5_000
"""Rows of a table that are grouped in memory; more go through a temporary database."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands and its cells, in the order of the table's columns."""

    number: int
    cells: list[Any]


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be read, or (``rest``) everything from there on."""

    number: int
    problem: str
    remedy: str
    cells: list[Any] | None = None
    rest: bool = False


@dataclass(slots=True)
class Table:
    """A table that was opened: its columns, its rows, and how their places are written."""

    name: str
    columns: list[str]
    rows: Iterator[Row | Bad]
    by_line: bool
    kind: str | None = None
    """Which table of the contract it is, where the caller knows."""

    def place(self, number: int) -> str:
        """``file:line`` of text, ``file[row]`` of a binary table."""
        return f"{self.name}:{number}" if self.by_line else f"{self.name}[{number}]"


@dataclass(slots=True)
class Group:
    """The rows of one encounter, in the order of the table, and what is wrong with any of them."""

    encounter: str
    rows: list[Row] = field(default_factory=list)
    faults: list[Bad] = field(default_factory=list)
    count: int = 0
    """Rows of the encounter, readable or not."""


def open_table(
    name: str, stream: IO[bytes], delimiter: str = ",", encoding: str = "utf-8-sig"
) -> Table:
    """The table of a stream; raises InputError where it has no header or cannot be opened."""
    head, stream = _head(stream)
    if head.startswith((_PARQUET, _ARROW_FILE)) or head[:4] == _ARROW_STREAM:
        return _binary(name, head, stream)
    rows = _texts(stream, delimiter, encoding)
    first = next(rows, None)
    if first is None:
        raise InputError(Fault(name, "is empty", "write a header and rows"))
    if isinstance(first, Bad):
        raise InputError(Fault(f"{name}:{first.number}", first.problem, first.remedy))
    columns = [text_of(one).strip() for one in first.cells]
    named = [one for one in columns if one]
    if len(set(named)) != len(named):
        raise InputError(Fault(f"{name}:1", "names a column twice", "rename one of them"))
    return Table(name, columns, _whole(rows, len(columns)), True)


def _head(stream: IO[bytes]) -> tuple[bytes, IO[bytes]]:
    """The first bytes, and a stream that still has them."""
    if isinstance(stream, io.BufferedReader):
        return stream.peek(6)[:6], stream
    if not stream.seekable():
        stream = io.BytesIO(stream.read())
    at = stream.tell()
    head = stream.read(6)
    stream.seek(at)
    return head, stream


def _texts(stream: IO[bytes], delimiter: str, encoding: str) -> Iterator[Row | Bad]:
    """Rows of delimited text with the line on which each ends."""
    text = io.TextIOWrapper(stream, codecs.lookup(encoding).name, newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                rest = "unexpected end" in str(error)
                yield Bad(reader.line_num, "is not CSV",
                          "close the quote or shorten the cell", None, rest)  # fmt: skip
                if rest:
                    return
                continue
            except UnicodeError:
                yield Bad(reader.line_num + 1, f"is not {encoding.removesuffix('-sig')}",
                          "save it in the encoding that its map declares", None, True)  # fmt: skip
                return
            if cells is None:
                return
            if cells:
                yield _plain(reader.line_num, cells)
    finally:
        text.detach()


def _plain(number: int, cells: list[Any]) -> Row | Bad:
    for cell in cells:
        if not cell.isprintable() and _HIDDEN.search(cell) is not None:
            return Bad(number, "holds a control character", "delete it", cells)
    return Row(number, cells)


def _whole(rows: Iterator[Row | Bad], width: int) -> Iterator[Row | Bad]:
    for row in rows:
        if isinstance(row, Row) and len(row.cells) != width:
            yield Bad(row.number, f"has {len(row.cells)} cells", f"write {width}", row.cells)
        else:
            yield row


def _binary(name: str, head: bytes, stream: IO[bytes]) -> Table:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import ipc
    except ImportError:
        raise UsageError(Fault(name, "is a Parquet or Arrow table, and pyarrow is missing",
                               "pip install 'ivpush[frames]'")) from None  # fmt: skip
    if not stream.seekable():
        stream = io.BytesIO(stream.read())
    try:
        if head.startswith(_PARQUET):
            file = pq.ParquetFile(stream)
            columns, batches = file.schema_arrow.names, file.iter_batches(_BATCH)
        elif head.startswith(_ARROW_FILE):
            opened = ipc.open_file(stream)
            columns = opened.schema.names
            batches = (opened.get_batch(n) for n in range(opened.num_record_batches))
        else:
            streamed = ipc.open_stream(stream)
            columns, batches = streamed.schema.names, iter(streamed)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError):
        raise InputError(Fault(name, "is no whole Parquet or Arrow table", "write it again")
                         ) from None  # fmt: skip
    return Table(name, list(columns), _guarded(rows_in(batches), pa.ArrowException), False)


def rows_in(batches: Iterable[Any]) -> Iterator[Row | Bad]:
    """Rows of Arrow batches or tables, numbered from 1."""
    number = 0
    for batch in batches:
        for cells in _values(batch):
            number += 1
            hidden = any(isinstance(one, str) and not one.isprintable() and _HIDDEN.search(one)
                         for one in cells)  # fmt: skip
            if hidden or any(isinstance(one, bytes) for one in cells):
                yield Bad(number, "holds a control character", "delete it", cells)
            else:
                yield Row(number, cells)


def _values(batch: Any) -> Iterator[list[Any]]:
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


def _guarded(rows: Iterator[Row | Bad], broken: type[Exception]) -> Iterator[Row | Bad]:
    """Rows until the file breaks off, which is told as everything from there on."""
    number = 0
    while True:
        try:
            row = next(rows, None)
        except (broken, OSError, ValueError, TypeError, KeyError, OverflowError):
            yield Bad(number + 1, "is damaged from here on", "write the table again", None, True)
            return
        if row is None:
            return
        number = row.number
        yield row


def text_of(value: Any) -> str:
    """A cell as text: binary tables hold times and numbers, text ones hold text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        if math.isnan(value):  # a missing number of a pandas table
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def grouped(table: Table, key: int, ordered: bool) -> Iterator[Group | Bad]:
    """Rows by encounter, in order of first appearance; bad rows of no known encounter alone."""
    return _streamed(table.rows, key) if ordered else _spooled(table.rows, key)


def _key(row: Row | Bad, key: int) -> str:
    cells = row.cells
    if cells is None or key >= len(cells) or not isinstance(cells[key], str | int | float):
        return ""
    text = text_of(cells[key]).strip()
    return text if _HIDDEN.search(text) is None else ""


def _add(group: Group, row: Row | Bad) -> None:
    group.count += 1
    if isinstance(row, Row):
        group.rows.append(row)
    else:
        group.faults.append(row)


def _orphan(row: Row | Bad) -> Bad:
    if isinstance(row, Bad):
        return row
    return Bad(row.number, "names no encounter", "write the encounter's id", row.cells)


def _streamed(rows: Iterator[Row | Bad], key: int) -> Iterator[Group | Bad]:
    seen: set[str] = set()
    group: Group | None = None
    for row in rows:
        name = _key(row, key)
        if not name:
            if isinstance(row, Bad) and row.rest and group is not None:
                group.faults.append(row)  # the encounter may go on in what cannot be read
            yield _orphan(row)
            continue
        if group is None or group.encounter != name:
            if group is not None:
                yield group
            group = Group(name)
            if name in seen:
                group.faults.append(Bad(row.number, "goes on with an encounter that had ended",
                                        "sort the table, or leave out 'sorted'"))  # fmt: skip
            seen.add(name)
        _add(group, row)
    if group is not None:
        yield group


def _spooled(rows: Iterator[Row | Bad], key: int) -> Iterator[Group | Bad]:
    first = list(islice(rows, MOST_IN_MEMORY))
    if len(first) < MOST_IN_MEMORY:
        yield from _held(first, key)
        return
    store = sqlite3.connect("")  # private, temporary, on disk once it outgrows its cache
    try:
        store.execute("PRAGMA journal_mode=OFF")
        store.execute("PRAGMA synchronous=OFF")
        store.execute("CREATE TABLE rows (encounter TEXT, number INTEGER, row BLOB)")
        cut: list[Bad] = []
        yield from _filled(store, chain(first, rows), key, cut)
        del first
        store.execute("CREATE INDEX by_encounter ON rows (encounter, number)")
        names = store.execute("SELECT encounter FROM rows GROUP BY encounter ORDER BY MIN(number)")
        for (name,) in names:
            group = Group(name, faults=list(cut))
            for (blob,) in store.execute(
                "SELECT row FROM rows WHERE encounter = ? ORDER BY number", (name,)
            ):
                _add(group, pickle.loads(blob))  # our own bytes, from our own private file
            yield group
    finally:
        store.close()


def _held(rows: list[Row | Bad], key: int) -> Iterator[Group | Bad]:
    """Groups of a table that is small enough to be held in memory."""
    groups: dict[str, Group] = {}
    cut: list[Bad] = []
    for row in rows:
        name = _key(row, key)
        if name:
            _add(groups.setdefault(name, Group(name)), row)
            continue
        orphan = _orphan(row)
        if orphan.rest:
            cut.append(orphan)  # any encounter may go on in what cannot be read
        yield orphan
    for group in groups.values():
        group.faults[:0] = cut
        yield group


def _filled(
    store: sqlite3.Connection, rows: Iterator[Row | Bad], key: int, cut: list[Bad]
) -> Iterator[Bad]:
    """Put rows into the store; gives those of no known encounter."""
    waiting: list[tuple[str, int, bytes]] = []
    insert = "INSERT INTO rows VALUES (?, ?, ?)"
    for row in rows:
        name = _key(row, key)
        if not name:
            orphan = _orphan(row)
            if orphan.rest:
                cut.append(orphan)  # any encounter may go on in what cannot be read
            yield orphan
            continue
        waiting.append((name, row.number, pickle.dumps(row, pickle.HIGHEST_PROTOCOL)))
        if len(waiting) >= _BATCH:
            store.executemany(insert, waiting)
            waiting.clear()
    store.executemany(insert, waiting)

"""Rows of Parquet files and Arrow streams; ``opening`` and ``frames`` ask for them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import IO, Any

from ivpush.errors import Fault, InputError, UsageError
from ivpush.readers.tables.cells import ROWS_AT_ONCE, Bad, Row, Table, has_hidden

__all__ = ["MARKS", "open_binary", "rows_in"]

# How each binary format begins; a stream of Arrow has its marker of continuation instead of a name.
_ARROW_FILE, _PARQUET = b"ARROW1", b"PAR1"
MARKS = (_PARQUET, _ARROW_FILE, b"\xff\xff\xff\xff")
"""How these formats begin."""


def open_binary(name: str, head: bytes, stream: IO[bytes]) -> Table:
    """The table of a Parquet or Arrow file; raises InputError where it is not whole."""
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

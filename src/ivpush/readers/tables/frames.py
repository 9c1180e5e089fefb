"""Frames of any library as tables to read, and Arrow tables as frames of that library again.

``ivpush.frames`` calls both. A table may be a frame, an Arrow stream, or anything that gives frames
one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from ivpush.contract.result_tables import missing_extra
from ivpush.contract.tables import needed_columns
from ivpush.errors import Fault, UsageError
from ivpush.readers.tables.arrow import rows_in
from ivpush.readers.tables.cells import Table

__all__ = [
    "Opened",
    "like_frame",
    "opened_tables",
]

_ROWS_AT_ONCE = 4_096
"""Rows of a table that stand as Python values at a time."""


class Opened(NamedTuple):
    """Tables to read, and a frame of the library that the answers are to be of."""

    tables: list[Table]
    like: Any


def opened_tables(tables: Mapping[str, Any]) -> Opened:
    """The tables that were given, by their names; None is no table.

    Raises UsageError where none was given, one is no table, or the extra is not installed.
    """
    frames = {name: table for name, table in tables.items() if table is not None}
    if not frames:
        raise UsageError(Fault("frames", "none was given", "give lines, administrations or both"))
    opened, like = [], None
    for name, frame in frames.items():
        batches = _batches(name, frame)
        first = next(batches, None)
        like = first if like is None else like
        opened.append(_table(name, first, batches))
    return Opened(opened, like)


def _table(name: str, first: Any, others: Iterator[Any]) -> Table:
    if first is None:  # no batch, so that nobody named the columns
        return Table(name, list(needed_columns(name)), iter(()), by_line=False, kind=name)
    opened = _to_arrow(name, first)
    columns = list(opened.column_names)

    def pieces() -> Iterator[Any]:
        for arrow in chain([opened], (_to_arrow(name, frame) for frame in others)):
            if list(arrow.column_names) != columns:
                problem = "has a batch with other columns than the first"
                raise UsageError(Fault(name, problem, "give every batch the same"))
            # Columns of Python values for a whole table would need many times its memory.
            yield from arrow.to_batches(max_chunksize=_ROWS_AT_ONCE)

    return Table(name, columns, rows_in(pieces()), by_line=False, kind=name)


def _batches(name: str, table: Any) -> Iterator[Any]:
    """The frames of a table: itself, what an Arrow stream holds, or one after another."""
    try:
        import narwhals as nw
        import pyarrow as pa
    except ImportError:
        raise missing_extra() from None
    try:
        native = nw.from_native(table, eager_only=True, pass_through=True)
    except nw.exceptions.DuplicateError:  # only pandas lets two columns have one name
        raise UsageError(Fault(name, "names a column twice", "keep one")) from None
    if isinstance(table, pa.RecordBatch) or isinstance(native, nw.DataFrame):
        yield table
    elif isinstance(table, Iterable) and not isinstance(table, pa.RecordBatchReader):
        yield from table  # before the stream, so that the answers are of the library of the frames
    elif hasattr(table, "__arrow_c_stream__"):
        stream = pa.RecordBatchReader.from_stream(table)
        yield stream.schema.empty_table()  # the columns are known even where there are no rows
        yield from stream
    else:
        raise _no_frame(name)


def _to_arrow(name: str, frame: Any) -> Any:
    import narwhals as nw
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    try:
        native = nw.from_native(frame, eager_only=True, pass_through=True)
        if isinstance(native, nw.DataFrame):
            return native.to_arrow()
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError):
        problem = "holds a column of several types, or is no eager frame"
        remedy = "give each column one type; collect a lazy frame first"
        raise UsageError(Fault(name, problem, remedy)) from None
    raise _no_frame(name)


def _no_frame(name: str) -> UsageError:
    remedy = "give pandas, polars or Arrow, or frames one after another; collect a lazy frame first"
    return UsageError(Fault(name, "is no frame that is read", remedy))


def like_frame(table: Any, frame: Any) -> Any:
    """An Arrow table as a frame of the same library as another."""
    import narwhals as nw
    import pyarrow as pa

    native = nw.from_native(frame, eager_only=True, pass_through=True)
    if not isinstance(native, nw.DataFrame) or isinstance(frame, pa.Table):
        return table
    if native.implementation.is_pandas():
        return _pandas(table)
    return nw.from_arrow(table, backend=native.implementation).to_native()


def _pandas(table: Any) -> Any:
    """A pandas frame whose whole numbers stay whole where some are missing."""
    import pandas as pd
    import pyarrow as pa

    kinds = {
        pa.int64(): pd.Int64Dtype(),
        pa.string(): pd.StringDtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    return table.to_pandas(types_mapper=kinds.get)

"""Frames of any library as tables to read, and Arrow tables as frames of that library again.

A table may be a frame, an Arrow stream, or anything that gives frames one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ivpush.contract.result_tables import missing_extra
from ivpush.errors import Fault, UsageError
from ivpush.readers.tables.cells import Table, rows_in

__all__ = [
    "like_frame",
    "opened_tables",
]

_ROWS_AT_ONCE = 4_096
"""Rows of a table that stand as Python values at a time."""


def opened_tables(given: Mapping[str, Any]) -> tuple[list[Table], Any]:
    """The tables that were given, and a frame of the library that the answers are to be of.

    Keys are the tables' names; None is no table. Raises UsageError where none was given, one is no
    table, or the extra is not installed.
    """
    frames = {name: one for name, one in given.items() if one is not None}
    if not frames:
        raise UsageError(Fault("frames", "none was given", "give lines, administrations or both"))
    tables, like = [], None
    for name, one in frames.items():
        batches = _batches(name, one)
        first = next(batches, None)
        like = first if like is None else like
        tables.append(_table(name, first, batches))
    return tables, like


def _table(name: str, first: Any, others: Iterator[Any]) -> Table:
    if first is None:  # no batch, so that nobody named the columns
        key = "id" if name == "encounters" else "encounter"
        return Table(name, [key], iter(()), False, kind=name)
    opened = _to_arrow(name, first)
    columns = list(opened.column_names)

    def pieces() -> Iterator[Any]:
        for arrow in chain([opened], (_to_arrow(name, frame) for frame in others)):
            if list(arrow.column_names) != columns:
                raise UsageError(Fault(name, "has a batch with other columns than the first",
                                       "give every batch the same"))  # fmt: skip
            # Columns of Python values for a whole table would need many times its memory.
            yield from arrow.to_batches(max_chunksize=_ROWS_AT_ONCE)

    return Table(name, columns, rows_in(pieces()), False, kind=name)


def _batches(name: str, given: Any) -> Iterator[Any]:
    """The frames of a table: itself, what an Arrow stream holds, or one after another."""
    try:
        import narwhals as nw
        import pyarrow as pa
    except ImportError:
        raise missing_extra() from None
    known = nw.from_native(given, eager_only=True, pass_through=True)
    if isinstance(given, pa.RecordBatch) or isinstance(known, nw.DataFrame):
        yield given
    elif isinstance(given, Iterable) and not isinstance(given, pa.RecordBatchReader):
        yield from given  # before the stream, so that the answers are of the library of the frames
    elif hasattr(given, "__arrow_c_stream__"):
        stream = pa.RecordBatchReader.from_stream(given)
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
        known = nw.from_native(frame, eager_only=True, pass_through=True)
        if isinstance(known, nw.DataFrame):
            return known.to_arrow()
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError):
        raise UsageError(Fault(name, "holds a column of several types, or is no eager frame",
                               "give each column one type; collect a lazy frame first")
                         ) from None  # fmt: skip
    raise _no_frame(name)


def _no_frame(name: str) -> UsageError:
    return UsageError(Fault(name, "is no frame that is read",
                            "give pandas, polars or Arrow, or frames one after another; collect a "
                            "lazy frame first"))  # fmt: skip


def like_frame(table: Any, frame: Any) -> Any:
    """An Arrow table as a frame of the same library as another."""
    import narwhals as nw
    import pyarrow as pa

    known = nw.from_native(frame, eager_only=True, pass_through=True)
    if not isinstance(known, nw.DataFrame) or isinstance(frame, pa.Table):
        return table
    if known.implementation.is_pandas():
        return _pandas(table)
    return nw.from_arrow(table, backend=known.implementation).to_native()


def _pandas(table: Any) -> Any:
    """A pandas frame whose whole numbers stay whole where some are missing."""
    import pandas as pd
    import pyarrow as pa

    kinds = {pa.int64(): pd.Int64Dtype(), pa.string(): pd.StringDtype(), pa.bool_():
             pd.BooleanDtype()}  # fmt: skip
    return table.to_pandas(types_mapper=kinds.get)

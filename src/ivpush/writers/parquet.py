"""Results as one Parquet table: a row for each thing that a result says (extra: ``frames``).

``kind`` names the frame that the row belongs to (``ivpush.frames.RESULT_COLUMNS``); the columns of
all frames stand side by side, null where a kind has none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from ivpush.contract.result_tables import RESULT_COLUMNS, arrow_table, result_rows
from ivpush.contract.tables import Column
from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["COLUMNS", "Writer"]

_ROWS_A_GROUP = 20_000
_KINDS = (
    "encounters",
    "suggested",
    "not_billable",
    "violations",
    "lines",
    "questions",
    "unjudged",
    "corrected",
)
_FIRST = ("encounter", "place", "kind")


def _columns() -> tuple[Column, ...]:
    """The columns of all kinds side by side, each name once."""
    by_name = {name: Column(name, name, "text") for name in _FIRST}
    for table in _KINDS:
        for column in RESULT_COLUMNS[table]:
            # "suggested" names a kind already; of a line verdict it holds positions.
            name = "positions" if column.name == "suggested" else column.name
            by_name.setdefault(name, replace(column, name=name))
    return tuple(by_name.values())


COLUMNS = _columns()
"""Columns of the table; line verdicts name ``positions``."""


class Writer:
    """Takes results and writes one Parquet file, a group of rows at a time.

    Raises UsageError where pyarrow is not installed.
    """

    def __init__(self, out: IO[bytes], options: WriteOptions) -> None:
        try:
            import pyarrow.parquet as pq
        except ImportError:
            raise UsageError(
                Fault("parquet", "needs pyarrow, which is missing", "pip install 'ivpush[frames]'")
            ) from None
        del options  # a table of results needs neither the pack nor the chart's words
        self._rows: list[dict[str, Any]] = []
        self._file = pq.ParquetWriter(out, arrow_table((), COLUMNS).schema)

    def write(self, work: Worked, place: str) -> None:
        """Take one result; ``place`` is where its encounter was read."""
        for kind, rows in result_rows(work.result).items():
            for row in rows:
                if "suggested" in row:
                    row["positions"] = row.pop("suggested")
                self._rows.append({**row, "place": place, "kind": kind})
        if len(self._rows) >= _ROWS_A_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and the file's end; the stream stays open."""
        if self._rows:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        self._file.write_table(arrow_table(self._rows, COLUMNS))
        self._rows = []

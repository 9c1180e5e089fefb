"""Rows and cells of a table, whatever file it came from.

A row is read whole or not at all: what cannot be read of it is told with its line. ``opening``
makes a ``Table`` of a file, and ``groups`` puts the rows of each encounter together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

__all__ = [
    "ROWS_AT_ONCE",
    "Bad",
    "Row",
    "Table",
    "has_hidden",
    "of_width",
    "text_of",
]

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EXACT_FLOATS = 1e15
"""Below this a float without decimals is written as the whole number that it is."""
ROWS_AT_ONCE = 512


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

        table = Table("mar.csv", ["encounter"], iter([Row(2, ["E1"])]), by_line=True)
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
    notes: tuple[str, ...] = ()
    """How it was read, where that was in a particular way."""
    closing: Callable[[], Sequence[str]] = tuple
    """What else is known of it once all its rows were read."""

    def place(self, number: int) -> str:
        """``file:line`` of text, ``file[row]`` of a binary table."""
        return f"{self.name}:{number}" if self.by_line else f"{self.name}[{number}]"


def has_hidden(text: str) -> bool:
    """Whether a text holds a control character other than tab and the ends of lines."""
    return _HIDDEN.search(text) is not None


def of_width(rows: Iterator[Row | Bad], width: int) -> Iterator[Row | Bad]:
    """Rows of a table of so many columns; another number of cells makes a row unreadable."""
    for row in rows:
        if isinstance(row, Row) and len(row.cells) != width:
            yield Bad(row.number, f"has {len(row.cells)} cells", f"write {width}", row.cells)
        else:
            yield row


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

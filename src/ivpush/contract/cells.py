"""One cell of a table: the kinds of values that a column holds, and how each is read and written.

``contract.tables`` names a kind for each column of the contract. A cell comes as text from a CSV or
a workbook, or as a Python value from a data frame or a database; both are read here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

__all__ = [
    "HOW_TO_WRITE",
    "UNREADABLE",
    "CellKind",
    "cell_of",
    "read_cell",
]

CellKind = Literal["text", "number", "whole", "flag", "time", "day", "list"]

HOW_TO_WRITE: Mapping[CellKind, str] = {
    "number": "write a plain number such as 4.5, with a point",
    "whole": "write a whole number",
    "flag": "write true or false",
    "day": "write a date as YYYY-MM-DD",
    "time": "write a time as YYYY-MM-DDThh:mm",
    "list": "write items joined by ;, or a JSON array",
    "text": "write text",
}
"""The remedy to name where a cell of this kind cannot be read."""

UNREADABLE = (ValueError, TypeError, RecursionError, ArithmeticError)
"""What ``read_cell`` raises: a JSON array may be nested too deep, and a Decimal may overflow."""

# Not 1, yes or Y: what another system means by them is the business of a column map.
_FLAGS = {"true": True, "false": False}
_LONGEST_NUMBER = 40
"""Characters; the contract takes fifteen digits, and a longer text only costs time."""
# Beyond any count of the contract (a million), and below what overflows 64 bits.
_LARGEST_WHOLE = 10**9
_EXACT_FLOAT = 1e15
"""Below this a float holds every whole number exactly, so that a code read as a number is text."""


def read_cell(kind: CellKind, items: CellKind | None, cell: object) -> object:
    """The value of a cell, None where it is a missing number; raises one of ``UNREADABLE``.

    ``items`` is the kind of the items of a list.
    """
    if isinstance(cell, float) and math.isnan(cell):  # pandas writes a missing number so
        return None
    if kind == "list":
        return _list(items or "text", cell)
    return _READERS[kind](cell)


def _text(cell: object) -> str:
    # pandas makes floats of a column of codes with a gap in it; the code is the whole number.
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT_FLOAT:
        return str(int(cell))
    # A bool is an int in Python, but True is no text and no number.
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, str):
        return cell
    raise TypeError


def _number(cell: object) -> int | float | Decimal:
    if isinstance(cell, str):
        # Decimal takes digits of every script and underscores; a table has neither.
        if len(cell) > _LONGEST_NUMBER or not cell.isascii() or "_" in cell:
            raise ValueError
        cell = Decimal(cell)
    if isinstance(cell, float):
        return cell
    if isinstance(cell, Decimal) and cell.is_finite():
        # 1E+999999 would become a whole number of a million digits.
        small_and_whole = cell == cell.to_integral_value() and cell <= _LARGEST_WHOLE
        return int(cell) if small_and_whole else cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    raise TypeError


def _whole(cell: object) -> int:
    number = _number(cell)
    if not -_LARGEST_WHOLE <= number <= _LARGEST_WHOLE or number != int(number):
        raise ValueError
    return int(number)


def _flag(cell: object) -> bool:
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, str) and cell.casefold() in _FLAGS:
        return _FLAGS[cell.casefold()]
    raise ValueError


def _time(cell: object) -> str | datetime:
    # The contract reads the text on, so that tables and JSON take the same forms of time.
    if isinstance(cell, str | datetime):
        return cell
    raise TypeError


def _day(cell: object) -> str | date:
    if isinstance(cell, datetime):
        # Data frames hold a date as midnight; any other hour says more than a date can.
        if cell.time() != time(0):
            raise ValueError
        return cell.date()
    if isinstance(cell, str | date):
        return cell
    raise TypeError


def _list(items: CellKind, cell: object) -> list[object]:
    if isinstance(cell, str):
        # An item that holds a semicolon can only be written in a JSON array.
        cell = json.loads(cell) if cell.startswith("[") else cell.split(";") if cell else []
    if not isinstance(cell, list | tuple):
        raise TypeError
    return [_READERS[items](item) for item in cell]


_READERS: Mapping[CellKind, Callable[[object], object]] = {
    "text": _text,
    "number": _number,
    "whole": _whole,
    "flag": _flag,
    "time": _time,
    "day": _day,
}


def cell_of(value: object) -> str:
    """A value as the text of a CSV cell; ``read_cell`` reads it back."""
    if value is None:
        return ""
    # A flag is written as JSON writes it; str() would give True with a capital.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        # str() of a Decimal may write an exponent, which other programs read as text.
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return _joined(value)
    return str(value)


def _joined(items: list[object] | tuple[object, ...]) -> str:
    """Items joined by ``;``; as a JSON array where that could be read otherwise."""
    texts = [str(item) for item in items]
    # An empty item, or no item at all, would be lost in a text joined by semicolons.
    plain = texts and all(texts) and not any(";" in text for text in texts)
    if plain and not texts[0].startswith("["):
        return ";".join(texts)
    return json.dumps(list(items), ensure_ascii=False)

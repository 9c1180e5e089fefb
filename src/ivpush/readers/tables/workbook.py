"""Rows of an Excel workbook (.xlsx), one at a time; ``opening`` asks for them.

Read is the first sheet that holds anything. Cells come as a spreadsheet shows them: numbers as
text, times as times, and a date that has no time of day as a date alone.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from itertools import chain, islice
from typing import IO, Any, NamedTuple

from ivpush.errors import Fault, InputError, UsageError
from ivpush.plural import counted
from ivpush.readers.tables.cells import Bad, Row, has_hidden, text_of
from ivpush.readers.unpack import grows_too_much

__all__ = ["Sheet", "open_sheet"]

_NO_CLOCK = re.compile(r"\[[^\]]*\]|\"[^\"]*\"|\\.")
"""Parts of a number format that are no parts of a time."""
_BARE_FORMULA = re.compile(rb"(</f>|<f[^>]*/>)\s*(<v\s*/>|<v>\s*</v>)?\s*</c>")
_CHUNK = 1024 * 1024
_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*?\sr=[\"']([0-9]{1,18})[\"']")
_ROW_END = b"row>"
_MOST_ROWS = 1_048_576
"""No sheet has more; a number past it would be counted up to, row by empty row."""


class Sheet(NamedTuple):
    """The rows of a sheet, its header first, and what should be known of how it was read."""

    rows: Iterator[Row | Bad]
    notes: tuple[str, ...]


def open_sheet(name: str, stream: IO[bytes]) -> Sheet:
    """The first sheet of a workbook that holds anything; raises InputError where none can be read.

    Raises UsageError where the library that reads workbooks is missing.
    """
    try:
        import openpyxl
    except ImportError:
        problem = "is a workbook, and openpyxl is missing"
        raise UsageError(Fault(name, problem, "pip install 'ivpush[xlsx]'")) from None
    try:
        _refuse_bomb(name, stream)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        sheets = [sheet for sheet in map(_begun, book.worksheets) if sheet is not None]
        if sheets:
            _refuse_unreadable(name, stream, sheets[0].path)
    except InputError:
        raise
    # The library raises whatever its parsers do; none of it is of use to the caller.
    except Exception:
        fault = Fault(name, "is no whole workbook", "save it again as .xlsx, or as CSV")
        raise InputError(fault) from None
    if not sheets:
        raise InputError(Fault(name, "is empty", "write a header and rows"))
    first = sheets[0]
    more = counted(len(sheets) - 1, "further sheet")
    notes = (f"only its first sheet is read, and {more} not",) if len(sheets) > 1 else ()
    return Sheet(_until_damage(first.rows), notes)


class _Begun(NamedTuple):
    path: str
    rows: Iterator[Row | Bad]


def _begun(sheet: Any) -> _Begun | None:
    """A sheet whose first row was looked at; None where it holds nothing."""
    # What a writer says of the extent of its sheet is often wrong.
    sheet.reset_dimensions()
    rows = _rows(sheet)
    first = next(rows, None)
    return None if first is None else _Begun(sheet._worksheet_path, chain([first], rows))


def _rows(sheet: Any) -> Iterator[Row | Bad]:
    """Rows that hold anything, with their numbers in the sheet and no empty cells at their end."""
    for number, row in enumerate(islice(sheet.iter_rows(), _MOST_ROWS), 1):
        cells = [_value(cell) for cell in row]
        filled = next((n for n in range(len(cells), 0, -1) if cells[n - 1] != ""), 0)
        if not filled:
            continue
        cells = cells[:filled]
        if any(cell.data_type == "e" for cell in row if cell.value is not None):
            yield Bad(number, "holds an error of a formula", "mend the formula", cells)
        elif any(isinstance(cell, str) and has_hidden(cell) for cell in cells):
            yield Bad(number, "holds a control character", "delete it", cells)
        else:
            yield Row(number, cells)


def _value(cell: Any) -> object:
    """What a cell says: a time as such, anything else as text."""
    value = cell.value
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value if _has_clock(cell.number_format) else value.date()
    return value if isinstance(value, date) else text_of(value)


@lru_cache(256)
def _has_clock(number_format: str) -> bool:
    """Whether a format of dates shows a time of day."""
    return "h" in _NO_CLOCK.sub("", number_format).casefold()


def _refuse_bomb(name: str, stream: IO[bytes]) -> None:
    """Raise InputError for a workbook that unpacks to more than any workbook holds."""
    with zipfile.ZipFile(stream) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        packed = sum(member.compress_size for member in archive.infolist())
    if grows_too_much(unpacked, lambda: packed):
        raise InputError(Fault(name, "unpacks to too much", "split it, or save it as CSV"))


def _refuse_unreadable(name: str, stream: IO[bytes], path: str) -> None:
    """Raise InputError for a sheet of which the library would pass over rows or results."""
    last = 0
    for rows in _whole_rows(stream, path):
        if _BARE_FORMULA.search(rows):
            problem = "holds formulas whose results were never saved"
            raise InputError(Fault(name, problem, "open it in a spreadsheet, and save it"))
        for number in map(int, _ROW.findall(rows)):
            if not last < number <= _MOST_ROWS:
                problem = "numbers its rows out of order, twice, or past the last of a sheet"
                raise InputError(Fault(name, problem, "open it in a spreadsheet, and save it"))
            last = number


def _whole_rows(stream: IO[bytes], path: str) -> Iterator[bytes]:
    """The XML of a sheet in pieces that end where a row does."""
    rest = b""
    with zipfile.ZipFile(stream) as archive, archive.open(path.lstrip("/")) as sheet:
        while chunk := sheet.read(_CHUNK):
            text = rest + chunk
            end = text.rfind(_ROW_END) + len(_ROW_END) if _ROW_END in text else 0
            yield text[:end]
            rest = text[end:]
    yield rest


def _until_damage(rows: Iterator[Row | Bad]) -> Iterator[Row | Bad]:
    """Rows until the file breaks off, which is told as everything from there on."""
    number = 0
    try:
        for row in rows:
            number = row.number
            yield row
    except Exception:
        yield Bad(number + 1, "is damaged from here on", "save the workbook again", rest=True)

"""Rows of delimited text, as spreadsheets and databases export them; ``opening`` asks for them.

The delimiter is that of a ``sep=`` line, else the one by which the header shows the most columns
that are known, else the declared one. Control characters and broken quotes are told with their
line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import IO, NamedTuple

from ivpush.readers.tables.cells import Bad, Row, has_hidden
from ivpush.readers.tables.headers import fold

__all__ = ["DELIMITERS", "rows_of_text"]

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes"}
"""What may part cells, and what it is called."""
MOST_ROW_CHARACTERS = 1_000_000
"""A row of text that goes on for longer, over one line or many, is not read."""
# Neither a quote nor the end of a line can part cells.
_STATED = re.compile(r"sep=([^\r\n\"])\s*", re.IGNORECASE)
_MARKED = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_DOS_END = "\x1a"


class _Start(NamedTuple):
    """How a text is cut, and how many of its lines only say so."""

    delimiter: str
    lines: int


def rows_of_text(
    stream: IO[bytes], head: bytes, delimiter: str, encoding: str, known: Collection[str]
) -> Iterator[Row | Bad]:
    """Rows with the line on which each ends; ``known`` are folded names of columns."""
    # A mark at the beginning says more surely than a map how this very file is written.
    marked = next((name for mark, name in _MARKED.items() if head.startswith(mark)), None)
    text = io.TextIOWrapper(stream, codecs.lookup(marked or encoding).name, newline="")
    lines = _Lines(text)
    try:
        start = _start(lines, delimiter, known)
        yield from _rows(lines, start, encoding)
    except UnicodeError:
        yield _not_text(0, encoding)
    finally:
        # So that the caller's stream stays open; one that was closed before has nothing to keep.
        with suppress(ValueError):
            text.detach()


def _start(lines: _Lines, declared: str, known: Collection[str]) -> _Start:
    """The delimiter of the text, by its first lines, which are read again."""
    first = lines.peek()
    stated = _STATED.fullmatch(first)
    if stated is not None:
        lines.skip()
        return _Start(stated[1], 1)

    def fit(delimiter: str) -> tuple[int, bool, int]:
        try:
            cells = next(iter(csv.reader([first], delimiter=delimiter)), [])
        except csv.Error:  # a cell longer than any is, as where another sign parts them
            return 0, False, 0
        names = sum(fold(cell) in known for cell in cells)
        return names, delimiter == declared and len(cells) > 1, len(cells)

    return _Start(max((declared, *DELIMITERS), key=fit), 0)


def _rows(lines: _Lines, start: _Start, encoding: str) -> Iterator[Row | Bad]:
    reader = csv.reader(lines, delimiter=start.delimiter, strict=True)
    while True:
        try:
            for cells in reader:
                # Blank lines count with the row behind them: no table has a million.
                if cells:
                    lines.begin_row()
                    yield _checked(reader.line_num + start.lines, cells)
            return
        except _LongRowError:
            # Where it would end nobody knows: within quotes a line may end in the middle of it.
            problem = f"is longer than {MOST_ROW_CHARACTERS:,} characters"
            remedy = "close the quotes, and end each row with a line end"
            yield Bad(reader.line_num + start.lines + 1, problem, remedy, rest=True)
            return
        except csv.Error as error:
            # A quote that is never closed takes the rest of the file with it.
            rest = "unexpected end" in str(error)
            remedy = "close the quote or shorten the cell"
            yield Bad(reader.line_num + start.lines, "is not CSV", remedy, rest=rest)
            if rest:
                return
        except UnicodeError:
            yield _not_text(reader.line_num + start.lines, encoding)
            return


def _not_text(line: int, encoding: str) -> Bad:
    problem = f"is not {encoding.removesuffix('-sig')}"
    remedy = (
        "save it as UTF-8 (in Excel: CSV UTF-8), or declare its encoding in a column map: "
        "format: {encoding: cp1252}"
    )
    return Bad(line + 1, problem, remedy, rest=True)


class _LongRowError(Exception):
    """A row of text that does not end where every row has ended."""


class _Lines:
    """The lines of a text, of which no row takes more than the bound."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._waiting: str | None = None
        self.begin_row()

    def begin_row(self) -> None:
        """What comes next is a row of its own."""
        self._left = MOST_ROW_CHARACTERS

    def peek(self) -> str:
        """The next line, which still comes; empty at the end, and where it is too long."""
        self._waiting = self._text.readline(self._left + 1)
        return self._waiting if len(self._waiting) <= self._left else ""

    def skip(self) -> None:
        """Leave out the line that was looked at."""
        self._waiting = None

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._waiting is None:
            line = self._text.readline(self._left + 1)
        else:
            line, self._waiting = self._waiting, None
        # DOS ends a text with a sign of its own, which is no row.
        if not line or (line[0] == _DOS_END and not line.strip("\x1a\r\n")):
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            raise _LongRowError
        return line


def _checked(number: int, cells: list[str]) -> Row | Bad:
    for cell in cells:
        # Nearly every cell is printable, and to ask that is cheaper than to search.
        if not cell.isprintable() and has_hidden(cell):
            return Bad(number, "holds a control character", "delete it", cells)
    return Row(number, cells)

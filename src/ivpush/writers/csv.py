"""Findings as one table: a row a finding, told apart by ``kind``.

The format ``csv`` of the command line and of batches; ``ivpush.adapters`` gives the same rows.
Every encounter has a row ``encounter`` with its status, then a row for each ``suggested`` line,
``not_billable`` administration, ``violation`` and open ``question``; filter by ``kind``. UTF-8, a
header, commas, CRLF (RFC 4180). A spreadsheet would run text that begins like a formula, so such
text gets an apostrophe in front; our own numbers (``line``, ``units``) and ids that are plain
numbers never do.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from ivpush.writers.safe import STDIN, visible

if TYPE_CHECKING:
    from ivpush.contract.result import NotBillable, Question, Result, SuggestedLine, Violation
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["COLUMNS", "Row", "Writer", "harmless", "rows"]

Row = dict[str, str | int]
"""Cells by column; a column that is not there is empty."""

COLUMNS = (
    "place",
    "encounter",
    "kind",
    "status",
    "rule",
    "name",
    "severity",
    "disposition",
    "line",
    "code",
    "modifiers",
    "units",
    "date",
    "administrations",
    "message",
    "fix",
    "carc",
    "rarc",
    "cites",
)
_NUMBERS = frozenset({"line", "units"})
# Spreadsheets take the full-width signs for the plain ones, and skip what is blank before a sign.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
"""An id may be a negative number: nothing that could run, and a key that must stay as it is."""


class Writer:
    """Writes the table; the header comes with the first row, or at the end where there is none."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out = out
        self._has_header = False

    def write(self, work: Worked, place: str) -> None:
        """Write the rows of one result."""
        self._write_header()
        # "-" would look like a formula, and says nothing to whoever opens the table.
        shown_place = STDIN + place[1:] if place.startswith("-") else place
        codes = {line.number: line.code for line in work.encounter.lines or ()}
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
        for row in rows(work.result, codes):
            row["place"], row["encounter"] = shown_place, work.result.encounter
            table.writerow({column: _cell(column, value) for column, value in row.items()})
        self._out.write(text.getvalue().encode())

    def close(self) -> None:
        """A table without rows still has its header."""
        self._write_header()

    def _write_header(self) -> None:
        if not self._has_header:
            self._has_header = True
            self._out.write((",".join(COLUMNS) + "\r\n").encode())


def rows(result: Result, codes: dict[int, str]) -> Iterator[Row]:
    """The rows of one result; ``codes`` are the billed codes by line number."""
    yield {"kind": "encounter", "status": result.status}
    for suggested in result.suggested:
        yield _suggested(suggested)
    for barred in result.not_billable:
        yield _not_billable(barred)
    for violation in result.violations:
        yield _violation(violation, codes)
    for question in result.questions:
        yield _question(question)


def _suggested(line: SuggestedLine) -> Row:
    return {
        "kind": "suggested",
        "code": line.code,
        "modifiers": " ".join(line.modifiers),
        "units": line.units,
        "date": line.date.isoformat() if line.date else "",
        "administrations": " ".join(line.administrations),
        "message": line.because,
        "cites": " ".join(line.cites),
    }


def _not_billable(barred: NotBillable) -> Row:
    return {
        "kind": "not_billable",
        "administrations": barred.administration,
        "message": barred.because,
        "cites": " ".join(barred.cites),
    }


def _violation(violation: Violation, codes: dict[int, str]) -> Row:
    row: Row = {
        "kind": "violation",
        "rule": violation.rule,
        "name": violation.name,
        "severity": violation.severity,
        "disposition": violation.disposition,
        "administrations": " ".join(violation.administrations),
        "message": violation.message,
        "fix": violation.fix,
        "carc": violation.carc or "",
        "rarc": violation.rarc or "",
        "cites": " ".join(violation.cites),
    }
    if violation.line is not None:
        row["line"] = violation.line
        row["code"] = codes.get(violation.line, "")
    return row


def _question(question: Question) -> Row:
    return {
        "kind": "question",
        "name": question.missing,
        "administrations": question.administration or "",
        "message": f"{question.ask} (ask {question.who})",
    }


def _cell(column: str, value: str | int) -> str | int:
    return value if column in _NUMBERS or isinstance(value, int) else harmless(value)


def harmless(value: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = visible(value)
    begun = text.lstrip(" ")
    risky = begun.startswith(_FORMULA) and not _NUMBER.fullmatch(begun)
    return f"'{text}" if risky else text

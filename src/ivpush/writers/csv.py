"""Findings as one table: a row a finding, told apart by ``kind``.

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

from ivpush.writers.safe import visible

if TYPE_CHECKING:
    from ivpush.contract.result import Result
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["COLUMNS", "Writer", "rows"]

COLUMNS = ("place", "encounter", "kind", "status", "rule", "name", "severity", "disposition",
           "line", "code", "modifiers", "units", "date", "administrations", "message", "fix",
           "carc", "rarc", "cites")  # fmt: skip
_NUMBERS = frozenset({"line", "units"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
"""An id may be a negative number: nothing that could run, and a key that must stay as it is."""
_STDIN = "stdin"


class Writer:
    """Writes the table; the header comes with the first row, or at the end where there is none."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out, self._headed = out, False

    def write(self, work: Worked, place: str) -> None:
        """Write the rows of one result."""
        self._head()
        where = _STDIN + place[1:] if place.startswith("-") else place
        lines = {one.number: one.code for one in work.encounter.lines or ()}
        made = io.StringIO()
        table = csv.DictWriter(made, COLUMNS, restval="", lineterminator="\r\n")
        for row in rows(work.result, lines):
            row["place"], row["encounter"] = where, work.result.encounter
            table.writerow({key: _cell(key, value) for key, value in row.items()})
        self._out.write(made.getvalue().encode())

    def close(self) -> None:
        """A table without rows still has its header."""
        self._head()

    def _head(self) -> None:
        if not self._headed:
            self._headed = True
            self._out.write((",".join(COLUMNS) + "\r\n").encode())


def rows(result: Result, codes: dict[int, str]) -> Iterator[dict[str, str | int]]:
    """The rows of one result; ``codes`` are the billed codes by line number."""
    yield {"kind": "encounter", "status": result.status}
    for one in result.suggested:
        yield {"kind": "suggested", "code": one.code, "modifiers": " ".join(one.modifiers),
               "units": one.units, "date": one.date.isoformat() if one.date else "",
               "administrations": " ".join(one.administrations), "message": one.because,
               "cites": " ".join(one.cites)}  # fmt: skip
    for barred in result.not_billable:
        yield {"kind": "not_billable", "administrations": barred.administration,
               "message": barred.because, "cites": " ".join(barred.cites)}  # fmt: skip
    for broken in result.violations:
        row: dict[str, str | int] = {
            "kind": "violation", "rule": broken.rule, "name": broken.name,
            "severity": broken.severity, "disposition": broken.disposition,
            "administrations": " ".join(broken.administrations), "message": broken.message,
            "fix": broken.fix, "carc": broken.carc or "", "rarc": broken.rarc or "",
            "cites": " ".join(broken.cites),
        }  # fmt: skip
        if broken.line is not None:
            row |= {"line": broken.line, "code": codes.get(broken.line, "")}
        yield row
    for asked in result.questions:
        yield {"kind": "question", "name": asked.missing,
               "administrations": asked.administration or "",
               "message": f"{asked.ask} (ask {asked.who})"}  # fmt: skip


def _cell(column: str, value: str | int) -> str | int:
    if column in _NUMBERS or isinstance(value, int):
        return value
    text = visible(value)
    risky = text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if risky else text

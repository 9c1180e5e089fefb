"""What an importer of published files is made of: its kind, the cells of a row, what it keeps.

``ncci``, ``payment`` and ``hcpcs`` describe their files with it, and ``release`` reads by it. Each
kind says which columns it needs and turns its rows into the rows of one table. Nothing of CPT's
wording is kept: descriptors are read past. Every row in is counted once, under one word: kept, or
why it is not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from ivpush.errors import Fault

__all__ = [
    "DELETED",
    "KEPT",
    "LATER",
    "MOST_FAULTS",
    "OUTSIDE",
    "REPEATED",
    "Cells",
    "Column",
    "Kind",
    "Part",
    "Rows",
    "Wanted",
    "read_code",
    "read_day",
]

MOST_FAULTS = 20
"""Faults of one import that are shown before reading stops."""
KEPT, OUTSIDE, DELETED = "kept", "outside the families", "deleted"
LATER, REPEATED = "not yet in force", "repeated"
"""Words under which rows are counted; importers have some of their own beside them."""
_CACHED = 65_536
"""Codes and dates that are kept once read: a long file repeats a few thousand of them."""

Rows = Iterator[tuple[int, list[str]]]
"""Rows of a file with their line numbers."""


class Column(NamedTuple):
    """A column as it is published: its heading, and a pattern of it in lower case, without gaps."""

    heading: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the pack asks of a release; all codes come from the pack."""

    families: frozenset[str]
    """Codes of administration."""
    companions: frozenset[str]
    drugs: frozenset[str]
    """HCPCS codes of the drug table."""
    ended: Mapping[str, date | None]
    """When the drug table says that a code ended."""
    held: Mapping[str, frozenset[str]]
    """Codes that the newest release held has, by kind: an import loses none of them."""

    def around(self, kind: str) -> frozenset[str]:
        """Families, companions, and what the release held before has."""
        return self.families | self.companions | self.held.get(kind, frozenset())


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of published file: its name, its table, and the columns it must have.

    In use::

        Kind(
            name="opps",
            table="opps",
            columns={"code": Column("HCPCS Code", "hcpcscode"), "status": Column("SI", "si")},
            take=lambda cells, wanted, day, part: part.keep((cells.code("code"),), cells["status"]),
        )
    """

    name: str
    table: str
    columns: Mapping[str, Column]
    """The columns that a file must have, by our names."""
    take: Callable[[Cells, Wanted, date, Part], str]
    """Takes a row into the part; gives the word under which the row is counted."""
    more: Mapping[str, Column] = field(default_factory=dict)
    """Columns that are read where they stand."""
    half: str | None = None
    """The setting, where the files of two settings make one table."""
    fixed: re.Pattern[str] | None = None
    """Matches a line of the kind's fixed-width form, where it has one."""
    cut: Callable[[str], dict[str, str]] | None = None
    """Gives the cells of such a line by our names."""

    def title(self, name: str) -> str:
        """The published heading of a column."""
        column = self.columns.get(name) or self.more.get(name)
        return name if column is None else column.heading


@dataclass(slots=True)
class Part:
    """What one kind of file gave: rows by key, and the count of every row read."""

    kind: Kind
    rows: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    """Rows read by the word for what became of them."""
    notes: list[str] = field(default_factory=list)
    """What people should know of the file, with its place."""

    def keep(self, key: tuple[str, ...], *values: str) -> str:
        """Keep a row; a key that is there already is counted as repeated, and the later holds."""
        new = key not in self.rows
        self.rows[key] = values
        return KEPT if new else REPEATED


class Cells:
    """The cells of one row by our names, read as what they must hold.

    In use::

        cells = Cells(kind, "AOC.csv:7", {"code": "<code>", "ended": "20240101"}, faults)
        code, ended = cells.code("code"), cells.day("ended")

    What does not fit is noted in ``faults``, and reading goes on.
    """

    __slots__ = ("_cells", "_faults", "_kind", "place")

    def __init__(
        self, kind: Kind, place: str, cells: Mapping[str, str], faults: list[Fault]
    ) -> None:
        self._kind, self.place, self._cells, self._faults = kind, place, cells, faults

    def __getitem__(self, name: str) -> str:
        return self._cells.get(name, "")

    def fault(self, name: str, what: str, remedy: str) -> None:
        """Note that a cell of this row holds no ``what``; never what it holds."""
        problem = f"holds no {what} under '{self._kind.title(name)}'"
        self._faults.append(Fault(self.place, problem, remedy))

    def code(self, name: str) -> str:
        """A code; a fault where the cell holds none."""
        code = read_code(self[name])
        if code is None:
            self.fault(name, "code", "write five letters or digits")
            return ""
        return code

    def day(self, name: str) -> date | None:
        """A date, or None where the cell is empty or says that there is none."""
        text = self[name]
        # CMS writes * where there is no date of deletion.
        if text in {"", "*"}:
            return None
        day = read_day(text)
        if day is None:
            self.fault(name, "date", "write YYYYMMDD, or * where there is none")
        return day

    def number(self, name: str) -> int | None:
        """A whole number below a million; a fault where the cell holds none."""
        text = self[name]
        if not text.isdecimal() or not text.isascii() or len(text) > 6:
            self.fault(name, "whole number", "write digits")
            return None
        return int(text)

    def one_of(self, name: str, known: str) -> str:
        """One character of ``known``; a fault where the cell holds another."""
        text = self[name]
        if len(text) != 1 or text not in known:
            self.fault(name, "known letter or digit", "write one of: " + ", ".join(known))
            return ""
        return text


@lru_cache(maxsize=_CACHED)
def read_code(text: str) -> str | None:
    """A code of five letters or digits; leading zeros that a spreadsheet dropped are put back."""
    if text.isascii() and text.isdecimal() and len(text) < 5:
        text = text.zfill(5)
    return text if re.fullmatch("[A-Z0-9]{4}[A-Z0-9]", text, re.ASCII) else None


@lru_cache(maxsize=_CACHED)
def read_day(text: str) -> date | None:
    """A date as CMS writes them: YYYYMMDD, YYYYDDD (day of the year), ISO, MM/DD/YYYY."""
    try:
        if re.fullmatch(r"\d{8}", text, re.ASCII):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if re.fullmatch(r"\d{7}", text, re.ASCII):
            return _day_of_year(int(text[:4]), int(text[4:]))
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
        if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", text, re.ASCII):
            month, day, year = map(int, text.split("/"))
            return date(year, month, day)
    except (ValueError, OverflowError):
        return None
    return None


def _day_of_year(year: int, number: int) -> date | None:
    day = date(year, 1, 1) + timedelta(days=number - 1)
    # A number past the year's end, or 000, falls into another year and is no date.
    return day if day.year == year else None

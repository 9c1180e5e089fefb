"""Finding the table in a published file: preamble, heading rows, first row of data.

``release`` calls it for every file. CMS sets titles and notes above its tables and splits a heading
over several rows, so a column is known by any run of its heading cells: ``FACILITY``, ``NA``,
``INDICATOR`` are one heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, islice
from typing import NamedTuple

from ivpush.authoring.cms.files import Source
from ivpush.authoring.cms.kinds import Column, Kind, Rows, read_code
from ivpush.errors import Fault, InputError, did_you_mean

__all__ = [
    "Table",
    "find",
    "release_in",
]

MOST_PREAMBLE = 80
"""Rows in which the first row of data must stand."""
MOST_HEADING = 7
"""Rows above the first row of data that may belong to its heading."""
_MOST_TEXT = 20_000
Head = Sequence[tuple[int, list[str]]]
"""The first rows of a file with their line numbers."""
_DIGIT = re.compile("[0-9]")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH = "(?P<month>" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + ")"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_GAP = r"[\s._-]*"
_DATED = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"eff(?:ective)?{_GAP}(?P<m>\d\d)-?(?P<d>\d\d)-?{_YEAR}",
        rf"effective{_GAP}{_MONTH}\s+(?P<d>\d\d?),?\s+{_YEAR}",
        rf"(?<!\d){_YEAR}{_GAP}q(?P<quarter>[1-4])(?!\d)",
        rf"(?<![a-z]){_MONTH}(?:{_GAP}web)?{_GAP}{_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}{_GAP}{_MONTH}(?![a-z])",
        rf"{_YEAR} .*file {_MONTH} release",
    )
)
"""How headings and names say from when a release counts, the most exact first."""


class Table:
    """A file whose kind is known: where its columns stand, and its rows of data.

    In use::

        table = find(source, KINDS, named=True)
        for line, row in table.rows:
            cells = table.cells(row)

    ``head`` is the text above the table, in small letters.
    """

    __slots__ = ("_columns", "fixed", "head", "kind", "place", "rows")

    def __init__(
        self, source: Source, kind: Kind, columns: Mapping[str, int], *, rows: Rows, head: str
    ) -> None:
        self.place, self.kind, self.fixed = source.place, kind, source.fixed
        self._columns, self.rows, self.head = columns, rows, head

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """The cells of a row by our names."""
        if self.fixed and self.kind.cut is not None:
            return self.kind.cut(row[0])
        return {name: row[at] for name, at in self._columns.items() if at < len(row)}


def find(source: Source, kinds: Sequence[Kind], named: bool) -> Table | None:
    """The table of a file; ``named`` says that the file must be of one of the kinds.

    Gives None where it is of none and need not be. Raises InputError with every column that the
    nearest kind lacks where it must be.
    """
    head = list(islice(source.rows, MOST_PREAMBLE))
    # The rows that were looked at are read again with the rest.
    rows = chain(head, source.rows)
    table = (_fixed if source.fixed else _separated)(source, kinds, head, rows)
    if table is None and named:
        raise InputError(_faults(source, kinds, head))
    return table


def _separated(source: Source, kinds: Sequence[Kind], head: Head, rows: Rows) -> Table | None:
    """The table of a file of cells."""
    start = _first_of_data(head)
    if start is None:
        return None
    titles = _titles(_heading(head, start))
    for kind in kinds:
        columns = _columns(kind, titles)
        if not columns.missing:
            # Only the first cells hold titles and notes; the others may hold anything.
            above = _small_letters(" ".join(cell for _, row in head[:start] for cell in row[:4]))
            return Table(source, kind, columns.at, rows=islice(rows, start, None), head=above)
    return None


def _fixed(source: Source, kinds: Sequence[Kind], head: Head, rows: Rows) -> Table | None:
    """The table of a file of fixed width."""
    for kind in kinds:
        if kind.fixed is None:
            continue
        for n, (_, row) in enumerate(head):
            if kind.fixed.match(row[0]):
                above = _small_letters(" ".join(row[0] for _, row in head[:n]))
                return Table(source, kind, {}, rows=islice(rows, n, None), head=above)
    return None


def _faults(source: Source, kinds: Sequence[Kind], head: Head) -> list[Fault]:
    """Why a file holds no table of the kinds; of cells, what the nearest kind lacks."""
    first = f"{source.place}:1"
    if source.fixed:
        remedy = "give the .csv, tabbed .txt or .xlsx that CMS publishes"
        return [Fault(first, "is in no layout that is known of this kind", remedy)]
    start = _first_of_data(head)
    if start is None:
        remedy = "give the file as CMS publishes it"
        return [Fault(first, "holds no row that begins with a code", remedy)]
    heading = _heading(head, start)
    titles = _titles(heading)
    lacks = [(kind, _columns(kind, titles).missing) for kind in kinds]
    _, nearest = min(lacks, key=lambda lack: len(lack[1]) / len(lack[0].columns))
    seen = {cell for row in heading for cell in row if cell and len(cell) <= 60}
    place = f"{source.place}:{head[max(0, start - 1)][0]}"
    return [
        Fault(place, f"lacks the column '{title}'", did_you_mean(title, seen)) for title in nearest
    ]


def _first_of_data(head: Head) -> int | None:
    return next((n for n, (_, row) in enumerate(head) if _is_data(row)), None)


def _heading(head: Head, start: int) -> list[list[str]]:
    """The rows above the first row of data that may belong to the heading."""
    return [row for _, row in head[max(0, start - MOST_HEADING) : start]]


def _small_letters(text: str) -> str:
    return re.sub(r"\s+", " ", text[:_MOST_TEXT]).lower()


def _is_data(row: Sequence[str]) -> bool:
    """Whether a row begins with a code, or with a word in place of one and then a code."""
    if sum(map(bool, row)) < 3 or len(row[0]) < 4 or read_code(row[0]) is None:
        return False
    return any(_DIGIT.search(cell) and read_code(cell) is not None for cell in row[:2])


# Headings


class _Columns(NamedTuple):
    """Where the columns of a kind stand, by our names, and the headings that are missing."""

    at: dict[str, int]
    missing: list[str]


def _titles(heading: Sequence[Sequence[str]]) -> list[set[str]]:
    """By column, every run of its heading cells from top to bottom, as letters and digits.

    With the heading of the column to its left before it, ``left>own``, as well.
    """
    titles: list[set[str]] = []
    for at in range(max(map(len, heading), default=0)):
        cells = [re.sub("[^a-z0-9]+", "", row[at].lower()) for row in heading if at < len(row)]
        own = _joined_runs([cell for cell in cells if cell])
        # A heading may stand over two columns and be written once, above the first.
        left = {title for title in titles[-1] if ">" not in title} if titles else set()
        titles.append(own | {f"{before}>{title}" for before in left for title in own})
    return titles


def _joined_runs(cells: Sequence[str]) -> set[str]:
    """Every run of cells that follow one another, joined."""
    count = len(cells)
    return {"".join(cells[low:high]) for low in range(count) for high in range(low + 1, count + 1)}


def _columns(kind: Kind, titles: Sequence[set[str]]) -> _Columns:
    at: dict[str, int] = {}
    missing: list[str] = []
    for name, column in chain(kind.columns.items(), kind.more.items()):
        place = _place(column, titles)
        if place is not None:
            at[name] = place
        elif name in kind.columns:
            missing.append(column.heading)
    return _Columns(at, missing)


def _place(column: Column, titles: Sequence[set[str]]) -> int | None:
    """The first column that a heading stands over."""
    pattern = re.compile(column.pattern)
    return next((n for n, runs in enumerate(titles) if any(map(pattern.fullmatch, runs))), None)


# Releases


def release_in(texts: Iterable[str]) -> date | None:
    """The day from which a release counts, as its heading or its name says; None: neither does."""
    return next(chain.from_iterable(_days(text.lower()) for text in texts), None)


def _days(text: str) -> Iterator[date]:
    for pattern in _DATED:
        match = pattern.search(text)
        if match is None:
            continue
        parts = match.groupdict()
        try:
            yield date(int(parts["year"]), _month(parts), int(parts.get("d") or 1))
        except ValueError:
            continue


def _month(parts: Mapping[str, str | None]) -> int:
    """The month of a matched date: its number, its name, or the first of a quarter."""
    if quarter := parts.get("quarter"):
        return int(quarter) * 3 - 2
    if month := parts.get("month"):
        return next(n for n, name in enumerate(_MONTHS, 1) if name[:3] == month[:3])
    return int(parts.get("m") or 0)

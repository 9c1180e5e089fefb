"""Finding the table in a published file: preamble, heading rows, first row of data.

CMS sets titles and notes above its tables and splits a heading over several rows, so a column is
known by any run of its heading cells: ``FACILITY``, ``NA``, ``INDICATOR`` are one heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, islice

from ivpush.authoring.cms.files import Source
from ivpush.authoring.cms.kinds import Kind, Rows, read_code
from ivpush.errors import Fault, InputError, did_you_mean

__all__ = [
    "Found",
    "find",
    "release_in",
]

MOST_PREAMBLE = 80
MOST_HEADING = 7
_DIGIT = re.compile("[0-9]")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_MONTH = "(?P<month>" + "|".join(f"{one[:3]}(?:{one[3:]})?" for one in _MONTHS) + ")"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_GAP = r"[\s._-]*"
_DATED = tuple(re.compile(one, re.ASCII) for one in (
    rf"eff(?:ective)?{_GAP}(?P<m>\d\d)-?(?P<d>\d\d)-?{_YEAR}",
    rf"effective{_GAP}{_MONTH}\s+(?P<d>\d\d?),?\s+{_YEAR}",
    rf"(?<!\d){_YEAR}{_GAP}q(?P<quarter>[1-4])(?!\d)",
    rf"(?<![a-z]){_MONTH}(?:{_GAP}web)?{_GAP}{_YEAR}(?!\d)",
    rf"(?<!\d){_YEAR}{_GAP}{_MONTH}(?![a-z])",
    rf"{_YEAR} .*file {_MONTH} release",
))  # fmt: skip


class Found:
    """A file whose kind is known: where its columns stand, and its rows of data."""

    __slots__ = ("_columns", "fixed", "head", "kind", "place", "rows")

    def __init__(
        self, source: Source, kind: Kind, columns: Mapping[str, int], rows: Rows, head: str
    ) -> None:
        self.place, self.kind, self.fixed = source.place, kind, source.fixed
        self._columns, self.rows, self.head = columns, rows, head

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """The cells of a row by our names."""
        if self.fixed and self.kind.cut is not None:
            return self.kind.cut(row[0])
        return {name: row[at] for name, at in self._columns.items() if at < len(row)}


def find(source: Source, kinds: Iterable[Kind], named: bool) -> Found | None:
    """Which kind a file is; None where it is none of several, a fault where it is not the named.

    Raises InputError with every column that a named kind lacks.
    """
    head = list(islice(source.rows, MOST_PREAMBLE))
    rows = chain(head, source.rows)
    if source.fixed:
        return _fixed(source, kinds, head, rows, named)
    start = next((n for n, (_, row) in enumerate(head) if _is_data(row)), None)
    if start is None:
        if not named:
            return None
        raise InputError(Fault(f"{source.place}:1", "holds no row that begins with a code",
                           "give the file as CMS publishes it"))  # fmt: skip
    block = [row for _, row in head[max(0, start - MOST_HEADING) : start]]
    text = " ".join(cell for _, row in head[:start] for cell in row[:4])
    titles = _titles(block)
    nearest: list[str] = []
    share = 1.0
    for kind in kinds:
        columns, lacks = _columns(kind, titles)
        if not lacks:
            return Found(source, kind, columns, islice(rows, start, None), _above(text))
        if not nearest or len(lacks) / len(kind.columns) < share:
            nearest, share = lacks, len(lacks) / len(kind.columns)
    if not named:
        return None
    seen = {cell for row in block for cell in row if cell and len(cell) <= 60}
    line = head[max(0, start - 1)][0]
    raise InputError([
        Fault(f"{source.place}:{line}", f"lacks the column '{one}'", did_you_mean(one, seen))
        for one in nearest
    ])  # fmt: skip


def _fixed(
    source: Source, kinds: Iterable[Kind], head: Sequence[tuple[int, list[str]]], rows: Rows,
    named: bool,
) -> Found | None:  # fmt: skip
    for kind in kinds:
        if kind.fixed is None:
            continue
        for n, (_, row) in enumerate(head):
            if kind.fixed.match(row[0]):
                above = " ".join(one[0] for _, one in head[:n])
                return Found(source, kind, {}, islice(rows, n, None), _above(above))
    if not named:
        return None
    raise InputError(Fault(f"{source.place}:1", "is in no layout that is known of this kind",
                       "give the .csv, tabbed .txt or .xlsx that CMS publishes"))  # fmt: skip


def _above(text: str) -> str:
    return re.sub(r"\s+", " ", text[:20_000]).lower()


def _is_data(row: Sequence[str]) -> bool:
    """Whether a row begins with a code, or with a word in place of one and then a code."""
    if sum(map(bool, row)) < 3 or len(row[0]) < 4 or read_code(row[0]) is None:
        return False
    return any(_DIGIT.search(one) and read_code(one) is not None for one in row[:2])


def _titles(block: Sequence[Sequence[str]]) -> list[set[str]]:
    """By column, every run of its heading cells from top to bottom, as letters and digits.

    With the heading of the column to its left before it, ``left>own``, as well.
    """
    width = max((len(row) for row in block), default=0)
    made: list[set[str]] = []
    for at in range(width):
        cells = [
            re.sub("[^a-z0-9]+", "", row[at].lower()) if at < len(row) else "" for row in block
        ]
        cells = [one for one in cells if one]
        own = {
            "".join(cells[low:high])
            for low in range(len(cells)) for high in range(low + 1, len(cells) + 1)
        }  # fmt: skip
        # A heading may stand over two columns and be written once, above the first.
        left = {one for one in made[-1] if ">" not in one} if made else set()
        made.append(own | {f"{one}>{other}" for one in left for other in own})
    return made


def _columns(kind: Kind, titles: Sequence[set[str]]) -> tuple[dict[str, int], list[str]]:
    found: dict[str, int] = {}
    lacks: list[str] = []
    for name, (title, pattern) in chain(kind.columns.items(), kind.more.items()):
        at = next((n for n, those in enumerate(titles)
                   if any(re.fullmatch(pattern, one) for one in those)), None)  # fmt: skip
        if at is not None:
            found[name] = at
        elif name in kind.columns:
            lacks.append(title)
    return found, lacks


def release_in(texts: Iterable[str]) -> date | None:
    """The day from which a release counts, as its heading or its name says; None: neither does."""
    return next(chain.from_iterable(_days(text.lower()) for text in texts), None)


def _days(text: str) -> Iterator[date]:
    for pattern in _DATED:
        found = pattern.search(text)
        if found is None:
            continue
        parts = found.groupdict()
        month = int(parts.get("m") or 0)
        if parts.get("quarter"):
            month = int(parts["quarter"]) * 3 - 2
        elif parts.get("month"):
            month = next(n for n, one in enumerate(_MONTHS, 1) if one[:3] == parts["month"][:3])
        try:
            yield date(int(parts["year"]), month, int(parts.get("d") or 1))
        except ValueError:
            continue

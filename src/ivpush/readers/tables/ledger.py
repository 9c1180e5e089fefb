"""What became of every row of a table: counted by reason, told in notes.

Readers by a column map keep one Ledger an encounter and one for the whole file. Each row has
exactly one fate, so that the fates of a file add up to its rows; beside it any number of remarks
may say how a cell was read. Neither ever holds a value.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivpush.plural import counted
from ivpush.readers import Note

__all__ = [
    "KEPT",
    "Ledger",
]

KEPT = "became an administration"


class Ledger:
    """Fates and remarks of the rows of one encounter, or of a whole file.

    An encounter that is set aside has one fate in the file's::

        total, ledger = Ledger(), Ledger()
        ledger.fate("left out: not given", row.number)
        ledger.remark("rate is no number", row.number)
        total.take(ledger)
        yield from total.notes("mar.csv")
    """

    __slots__ = ("each", "fates", "first", "remarks", "rows")

    def __init__(self, *, each: bool = False) -> None:
        self.each: dict[int, str] | None = {} if each else None
        """The fate of each row by its number, where it is kept."""
        self.rows = 0
        self.fates: dict[str, int] = {}
        self.remarks: dict[str, int] = {}
        self.first: dict[str, int] = {}

    def fate(self, reason: str, number: int, count: int = 1) -> None:
        """What became of a row (or several)."""
        self.rows += count
        self.fates[reason] = self.fates.get(reason, 0) + count
        self.first.setdefault(reason, number)
        if self.each is not None:
            self.each[number] = reason

    def remark(self, reason: str, number: int) -> None:
        """Something about a row that nobody should miss."""
        self.remarks[reason] = self.remarks.get(reason, 0) + 1
        self.first.setdefault(reason, number)

    def take(self, other: Ledger) -> None:
        """Add what became of the rows of an encounter."""
        self.rows += other.rows
        if self.each is not None:
            self.each |= other.each or {}
        for reason, count in other.fates.items():
            self.fates[reason] = self.fates.get(reason, 0) + count
            self.first.setdefault(reason, other.first[reason])
        self.take_remarks(other)

    def take_remarks(self, other: Ledger) -> None:
        """Add the remarks on the rows of an encounter, also of one that is set aside."""
        for reason, count in other.remarks.items():
            self.remarks[reason] = self.remarks.get(reason, 0) + count
            # The first in the order of encounters, so that one look at the table finds an example.
            self.first.setdefault(reason, other.first[reason])

    def notes(self, name: str) -> Iterator[Note]:
        """One note for all fates together, and one for each remark."""
        parts = [f"{count:,} {reason}" for reason, count in sorted(self.fates.items(), key=_rank)]
        yield Note(name, f"{counted(self.rows, 'row')} = {' + '.join(parts) or 'none'}")
        for reason, count in sorted(self.remarks.items(), key=_rank):
            first = f"first: row or line {self.first[reason]}"
            yield Note(name, f"{counted(count, 'row')}: {reason} ({first})")


def _rank(fate: tuple[str, int]) -> tuple[bool, int, str]:
    """Rows that became administrations first, then by how often."""
    reason, count = fate
    return reason != KEPT, -count, reason

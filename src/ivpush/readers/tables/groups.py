"""The rows of a table put together by encounter, whatever their order in the file.

An encounter with a row that cannot be read is set aside as a whole, since half a chart would be
judged wrongly. Unless a map declares the file sorted, the rows of a large table pass through a
private temporary database of SQLite, which goes to disk once it outgrows its cache and deletes
itself. Every reader of tables calls ``grouped``.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from ivpush.errors import Fault, first_faults
from ivpush.readers.spool import no_room
from ivpush.readers.tables.cells import ROWS_AT_ONCE, Bad, Row, Table, has_hidden, text_of
from ivpush.readers.tables.headers import empty_texts

__all__ = [
    "MOST_TOLD",
    "Group",
    "faults_of",
    "grouped",
]

MOST_IN_MEMORY = 5_000
"""Rows of a table that are grouped in memory; more go through a temporary database."""
MOST_TOLD = 5
"""How many rows of one encounter that cannot be read are told; the others are counted."""
MOST_ROWS = 50_000
"""Rows of one encounter: ten events for each administration that the contract allows it."""


@dataclass(slots=True)
class Group:
    """The rows of one encounter, in the order of the table, and what is wrong with any of them.

    A row of no known encounter comes alone, so that none is lost::

        for group in grouped(table, key=0, ordered=False):
            if isinstance(group, Bad):
                print(table.place(group.number), group.problem)
            elif not group.faults:
                print(group.encounter, len(group.rows))
    """

    encounter: str
    rows: list[Row] = field(default_factory=list)
    faults: list[Bad] = field(default_factory=list)
    count: int = 0
    """Rows of the encounter, readable or not."""

    def add(self, row: Row | Bad) -> None:
        """Put in the next row of the encounter."""
        self.count += 1
        if self.count > MOST_ROWS:
            if self.count == MOST_ROWS + 1:
                problem = f"is one row too many: an encounter has at most {MOST_ROWS:,}"
                remedy = "give each encounter its own id"
                self.faults.append(Bad(row.number, problem, remedy, row.cells))
        elif isinstance(row, Row):
            self.rows.append(row)
        else:
            self.faults.append(row)

    @property
    def numbers(self) -> list[int]:
        """Numbers of its rows, readable or not."""
        return [*(row.number for row in self.rows), *(bad.number for bad in self.faults)]

    @property
    def first(self) -> int:
        """Number of the first row that can be read, else of the first that cannot."""
        return (self.rows or self.faults)[0].number


def faults_of(table: Table, bad: Sequence[Bad]) -> tuple[Fault, ...]:
    """Bad rows of one encounter as faults, with their places in the table."""
    faults = (Fault(table.place(row.number), row.problem, row.remedy) for row in bad)
    return first_faults(faults, len(bad), MOST_TOLD)


def grouped(table: Table, key: int, ordered: bool) -> Iterator[Group | Bad]:
    """Rows by encounter, in order of first appearance; bad rows of no known encounter alone.

    ``key`` is the place of the encounter's column; ``ordered`` says that the rows of an encounter
    stand together, so that none needs to be kept.
    """
    return _streamed(table.rows, key) if ordered else _gathered(table.rows, key)


def _name(row: Row | Bad, key: int) -> str:
    """The encounter that a row names; empty where none can be told."""
    cells = row.cells
    if cells is None or key >= len(cells):
        return ""
    cell = cells[key]
    if not isinstance(cell, str | int | float):
        return ""
    text = text_of(cell).strip()
    # Rows of many encounters would become one of that name.
    return "" if has_hidden(text) or text.casefold() in empty_texts() else text


def _orphan(row: Row | Bad) -> Bad:
    if isinstance(row, Bad):
        return row
    return Bad(row.number, "names no encounter", "write the encounter's id", row.cells)


def _streamed(rows: Iterator[Row | Bad], key: int) -> Iterator[Group | Bad]:
    seen: set[str] = set()
    group: Group | None = None
    for row in rows:
        name = _name(row, key)
        if not name:
            if isinstance(row, Bad) and row.rest and group is not None:
                group.faults.append(row)  # the encounter may go on in what cannot be read
            yield _orphan(row)
            continue
        if group is None or group.encounter != name:
            if group is not None:
                yield group
            group = _begun(name, row, again=name in seen)
            seen.add(name)
        group.add(row)
    if group is not None:
        yield group


def _begun(name: str, row: Row | Bad, *, again: bool) -> Group:
    """A new group; one that comes ``again`` has lost rows to an earlier group."""
    if not again:
        return Group(name)
    problem = "goes on with an encounter that had ended"
    return Group(name, faults=[Bad(row.number, problem, "sort the table, or leave out 'sorted'")])


def _gathered(rows: Iterator[Row | Bad], key: int) -> Iterator[Group | Bad]:
    """Groups of a table whose rows may stand anywhere, so that all must be read first."""
    first = list(islice(rows, MOST_IN_MEMORY))
    if len(first) < MOST_IN_MEMORY:
        yield from _held(first, key)
        return
    store = _Store()
    try:
        yield from store.fill(chain(first, rows), key)
        del first
        yield from store.groups()
    except sqlite3.Error:
        raise no_room() from None
    finally:
        store.close()


def _held(rows: list[Row | Bad], key: int) -> Iterator[Group | Bad]:
    """Groups of a table that is small enough to be held in memory."""
    groups: dict[str, Group] = {}
    cut: list[Bad] = []
    for row in rows:
        name = _name(row, key)
        if name:
            groups.setdefault(name, Group(name)).add(row)
            continue
        orphan = _orphan(row)
        if orphan.rest:
            cut.append(orphan)  # any encounter may go on in what cannot be read
        yield orphan
    for group in groups.values():
        group.faults[:0] = cut
        yield group


class _Store:
    """A private, temporary database of rows, on disk once it outgrows its cache."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        # Nothing of it must outlive this run, so that no write needs to be safe.
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("CREATE TABLE rows (encounter TEXT, number INTEGER, row BLOB)")
        self._cut: list[Bad] = []

    def fill(self, rows: Iterable[Row | Bad], key: int) -> Iterator[Bad]:
        """Put rows into the store; gives those of no known encounter."""
        waiting: list[tuple[str, int, bytes]] = []
        for row in rows:
            name = _name(row, key)
            if not name:
                orphan = _orphan(row)
                if orphan.rest:
                    self._cut.append(orphan)  # any encounter may go on in what cannot be read
                yield orphan
                continue
            waiting.append((name, row.number, pickle.dumps(row, pickle.HIGHEST_PROTOCOL)))
            if len(waiting) >= ROWS_AT_ONCE:
                self._insert(waiting)
                waiting.clear()
        self._insert(waiting)
        self._database.execute("CREATE INDEX by_encounter ON rows (encounter, number)")

    def _insert(self, waiting: list[tuple[str, int, bytes]]) -> None:
        self._database.executemany("INSERT INTO rows VALUES (?, ?, ?)", waiting)

    def groups(self) -> Iterator[Group]:
        """The rows by encounter, in order of first appearance."""
        names = self._database.execute(
            "SELECT encounter, COUNT(*) FROM rows GROUP BY encounter ORDER BY MIN(number)"
        )
        # One more than a group keeps, so that it sees that there are too many.
        rows_of = "SELECT row FROM rows WHERE encounter = ? ORDER BY number LIMIT ?"
        for name, count in names:
            group = Group(name, faults=list(self._cut))
            for (blob,) in self._database.execute(rows_of, (name, MOST_ROWS + 1)):
                group.add(pickle.loads(blob))  # our own bytes, from our own private file
            group.count = count
            yield group

    def close(self) -> None:
        """Delete the database."""
        self._database.close()

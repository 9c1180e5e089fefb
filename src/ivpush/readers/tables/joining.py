"""Columns of a second table brought to the rows of the first, by a key that both have.

Some exports write the encounter and the drug of an administration in the table of orders alone. A
map says under ``join`` which table that is; its file is one of ``ReadOptions.join``, or stands
beside the first one under the name of the table. ``mar`` and ``claims`` call ``with_join``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ivpush.errors import Fault, UsageError
from ivpush.plural import counted
from ivpush.readers import ReadOptions
from ivpush.readers.tables.cells import Bad, Row, Table, text_of
from ivpush.readers.tables.headers import fold, folded_places
from ivpush.readers.tables.maps import ColumnMap, Join
from ivpush.readers.tables.opening import open_table
from ivpush.readers.unpack import plain

__all__ = ["with_join"]

_ENDINGS = (".csv", ".tsv", ".txt", ".psv", ".xlsx", ".gz", ".zip")


class _Brought(NamedTuple):
    """The columns that a table brings, and their cells by key."""

    name: str
    columns: list[str]
    cells: dict[str, list[object]]


def with_join(table: Table, column_map: ColumnMap, options: ReadOptions) -> Table:
    """The table with the columns that its map joins; as it is where none is asked for.

    Raises UsageError where a file that was named cannot be joined.
    """
    join = column_map.join
    if join is None or not _is_lacking(table, column_map):
        return table
    at = folded_places(table.columns).get(fold(join.key))
    files = [Path(file) for file in options.join] or _beside(table.name, join)
    if at is None or not files:
        return table
    brought = _brought(files, join, column_map)
    wanted = [
        (place, name)
        for place, name in enumerate(brought.columns)
        if fold(name) not in set(map(fold, table.columns))
    ]
    note = f"{counted(len(wanted), 'column')} of {join.table} are joined by {join.key}"
    joining = _Joining(join, brought, at, [place for place, _ in wanted])
    return replace(
        table,
        columns=[*table.columns, *(name for _, name in wanted)],
        rows=joining.rows(table.rows),
        notes=(*table.notes, note),
        closing=lambda: (*table.closing(), *joining.notes()),
    )


def _is_lacking(table: Table, column_map: ColumnMap) -> bool:
    """Whether the table itself does not name the encounter."""
    here = set(map(fold, table.columns))
    return not any(fold(name) in here for name in column_map.columns["encounter"])


def _beside(name: str, join: Join) -> list[Path]:
    """The file of the other table in the folder of the first, if it is there."""
    # Only a file has others beside it: what came in another way bears any name.
    if not Path(name).is_file():
        return []
    folder = Path(name).parent
    wanted = fold(join.table)
    return [
        file
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in _ENDINGS and fold(file.name.split(".")[0]) == wanted
    ][:1]


def _brought(files: Sequence[Path], join: Join, column_map: ColumnMap) -> _Brought:
    """The other table, from the first file that has the key and a column to bring."""
    lacking = ", ".join(str(file) for file in files)
    for file in files:
        with file.open("rb") as stream:
            names = (join.key, *join.columns)
            opened = open_table(
                str(file),
                plain(str(file), stream).stream,
                column_map.delimiter,
                column_map.encoding,
                names,
            )
            places = folded_places(opened.columns)
            wanted = [places[fold(name)] for name in join.columns if fold(name) in places]
            if fold(join.key) in places and wanted:
                columns = [opened.columns[place] for place in wanted]
                cells = _cells(opened, places[fold(join.key)], wanted)
                return _Brought(str(file), columns, cells)
    one_of = ", ".join(join.columns)
    problem = f"has not the columns of {join.table}: {join.key} and one of {one_of}"
    raise UsageError(Fault(lacking, problem, f"give the file of {join.table} as join"))


def _cells(table: Table, key: int, wanted: Sequence[int]) -> dict[str, list[object]]:
    """The cells to bring by key; raises UsageError where rows of one key differ."""
    cells: dict[str, list[object]] = {}
    for row in table.rows:
        place = table.place(row.number)
        if isinstance(row, Bad):
            raise UsageError(Fault(place, row.problem, row.remedy))
        name, new = text_of(row.cells[key]).strip(), [row.cells[at] for at in wanted]
        if name and cells.setdefault(name, new) != new:
            problem = "says otherwise than an earlier row of the same key"
            raise UsageError(Fault(place, problem, "keep one row a key"))
    return cells


class _Joining:
    """Rows with the cells of their key, and which of the two tables lacks some of the other."""

    def __init__(self, join: Join, brought: _Brought, at: int, wanted: Sequence[int]) -> None:
        self._join, self._brought, self._at, self._wanted = join, brought, at, wanted
        self._rows = self._lacking = 0
        self._used: set[str] = set()

    def rows(self, rows: Iterator[Row | Bad]) -> Iterator[Row | Bad]:
        """The rows; one whose key the other table lacks cannot be read."""
        for row in rows:
            self._rows += 1
            yield row if isinstance(row, Bad) else self._joined(row)

    def _joined(self, row: Row) -> Row | Bad:
        key = text_of(row.cells[self._at]).strip()
        more = self._brought.cells.get(key)
        if more is None:
            self._lacking += 1
            problem = f"names its {self._join.table} by a {self._join.key} that is not there"
            remedy = f"give the file of {self._join.table} of the same export"
            return Bad(row.number, problem, remedy, row.cells)
        self._used.add(key)
        return Row(row.number, [*row.cells, *(more[place] for place in self._wanted)])

    def notes(self) -> Sequence[str]:
        """Which of the two tables lacks keys of the other, once all rows were read."""
        if not self._lacking:
            return ()
        keys, used = len(self._brought.cells), len(self._used)
        return (
            f"{self._lacking:,} of {counted(self._rows, 'row')} name their {self._join.table} by a "
            f"{self._join.key} that {self._brought.name} lacks, and {keys - used:,} of its "
            f"{keys:,} keys stand in no row: one of the two is older, or cut short",
        )

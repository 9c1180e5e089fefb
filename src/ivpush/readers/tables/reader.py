"""Tables of ours (CSV, Parquet, Arrow), and claim lines of other layouts by a column map.

``read`` takes one table: claim lines, administrations or encounters, told by its columns.
``read_joined`` takes several, joined by encounter id, and reports what has no partner. A table
that no map describes must use the contract's names: an unknown column is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from ivpush.contract.encounter import Encounter
from ivpush.contract.tables import Parts, plan, read_cells, record_of, table_kind
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.tables.cells import Bad, Group, Row, Table, grouped, open_table, text_of
from ivpush.readers.tables.claims import MOST_TOLD, with_options

__all__ = [
    "join_tables",
    "read",
    "read_joined",
]

_LEFT = "was not read, since a table that belongs to it could not be read"


def read(
    name: str, stream: IO[bytes], options: ReadOptions | None = None
) -> Iterator[Record | SetAside | Note]:
    """The encounters of one table; with a map, as the map describes it."""
    options = options or ReadOptions()
    if options.map is None:
        yield from read_joined({name: stream}, options)
        return
    from ivpush.readers.tables.maps import load_map

    if load_map(options.map).table == "lines":
        from ivpush.readers.tables import claims

        yield from claims.read(name, stream, options)
    else:
        from ivpush.readers.mar import reader as mar

        yield from mar.read(name, stream, options)


def read_joined(
    streams: Mapping[str, IO[bytes]], options: ReadOptions | None = None
) -> Iterator[Record | SetAside | Note]:
    """The encounters of up to three tables, joined by encounter id; keys are the files' names."""
    opened: list[Table] = []
    failed = False
    for name, stream in streams.items():
        try:
            opened.append(open_table(name, stream))
        except InputError as error:
            failed = True
            yield SetAside(name, error)
    if failed:
        yield from (Note(one.name, _LEFT) for one in opened)
    else:
        yield from join_tables(opened, options)


def join_tables(
    tables: Iterable[Table], options: ReadOptions | None = None
) -> Iterator[Record | SetAside | Note]:
    """The encounters of opened tables, joined by encounter id."""
    sources: list[_Source] = []
    others: list[Table] = []
    failed = False
    for table in tables:
        try:
            source = _Source(table)
            if any(one.kind == source.kind for one in sources):
                raise InputError(Fault(table.name, f"is a second table of {source.kind}",
                                       "join tables of one kind beforehand"))  # fmt: skip
            sources.append(source)
            others.append(table)
        except InputError as error:
            failed = True
            yield SetAside(table.name, error)
    if failed:
        yield from (Note(one.name, _LEFT) for one in others)
    else:
        yield from _joined(sources, options or ReadOptions())


class _Source:
    """One table, its kind, and what its columns hold."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.kind = table.kind or table_kind(table.columns)
        self.columns = plan(table.name, self.kind, table.columns)
        self.key = table.columns.index("id" if self.kind == "encounters" else "encounter")

    def rows(self) -> Iterator[Row | Bad]:
        """Rows with the source in front, so that those of several tables may be sorted together."""
        for row in self.table.rows:
            if isinstance(row, Row):
                yield Row(row.number, [self.kind, row.number, text_of(row.cells[self.key]),
                                       *row.cells])  # fmt: skip
            else:
                cells = row.cells
                key = cells[self.key] if cells is not None and len(cells) > self.key else None
                known = isinstance(key, str | int)
                named = text_of(key) if known else ""
                yield Bad(row.number, row.problem, row.remedy, [self.kind, row.number, named],
                          row.rest)  # fmt: skip


def _chained(sources: list[_Source]) -> Iterator[Row | Bad]:
    number = 0
    for source in sources:
        for row in source.rows():
            number += 1
            if isinstance(row, Row):
                yield Row(number, row.cells)
            else:
                yield Bad(number, row.problem, row.remedy, row.cells, row.rest)


def _joined(sources: list[_Source], options: ReadOptions) -> Iterator[Record | SetAside | Note]:
    by_kind = {one.kind: one for one in sources}
    whole = Table("", [], _chained(sources), True)
    alone = dict.fromkeys(by_kind, 0)
    count = 0
    for group in grouped(whole, 2, False):
        if isinstance(group, Bad):
            place = _place(by_kind, group)
            yield SetAside(place, InputError(Fault(place, group.problem, group.remedy)))
            continue
        present = {row.cells[0] for row in group.rows}
        for kind in by_kind:
            alone[kind] += kind not in present and not group.faults
        count += 1
        place = _place(by_kind, group.rows[0] if group.rows else group.faults[0])
        try:
            yield Record(place, _encounter(group, by_kind, options))
        except InputError as error:
            yield SetAside(place, error)
    if len(by_kind) > 1:
        for kind, missing in alone.items():
            if missing:
                yield Note(by_kind[kind].table.name, f"{missing} of {count} encounter(s) have no "
                           f"row in the {kind} table; what it would say stays unknown")  # fmt: skip


def _place(by_kind: Mapping[str, _Source], row: Row | Bad) -> str:
    cells = row.cells
    assert cells is not None
    return by_kind[cells[0]].table.place(cells[1])


def _encounter(group: Group, by_kind: Mapping[str, _Source], options: ReadOptions) -> Encounter:
    if group.faults:
        faults = [Fault(_place(by_kind, one), one.problem, one.remedy)
                  for one in group.faults[:MOST_TOLD]]  # fmt: skip
        raise InputError(faults)
    rows: dict[str, list[dict[str, Any]]] = {}
    bad: list[Fault] = []
    for row in group.rows:
        source = by_kind[row.cells[0]]
        try:
            made = read_cells(_place(by_kind, row), source.columns, row.cells[3:])
        except InputError as error:
            bad += error.faults
            continue
        if source.table.by_line:  # a text table cannot tell empty text from none
            made = {name: value for name, value in made.items() if value != ""}
        rows.setdefault(source.kind, []).append(made)
    if bad:
        raise InputError(bad[:MOST_TOLD])
    record = record_of(
        Parts(group.encounter, rows.get("encounters"), rows.get("administrations"),
              rows.get("lines"))
    )  # fmt: skip
    return Encounter.model_validate(with_options(record, options))

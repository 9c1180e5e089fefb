"""Tables of ours (CSV, Parquet, Arrow), and tables of other layouts by a column map.

``readers.detect`` leads here. ``read`` takes one table: claim lines, administrations or encounters,
told by its columns. ``read_joined`` takes several, joined by encounter id, and reports what has no
partner; ``frames`` joins tables that it opened itself. A table that no map describes must use the
contract's names: an unknown column is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import IO, Any, NamedTuple

from ivpush.contract.encounter import Encounter
from ivpush.contract.tables import (
    TABLES,
    Parts,
    columns_of,
    plan,
    read_cells,
    record_of,
    table_kind,
)
from ivpush.errors import Fault, InputError, UsageError, first_faults
from ivpush.plural import counted
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.tables.cells import Bad, Row, Table, text_of
from ivpush.readers.tables.claims import with_options
from ivpush.readers.tables.groups import MOST_TOLD, Group, grouped
from ivpush.readers.tables.headers import fold, named_as_ours, usual_names
from ivpush.readers.tables.opening import open_table

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
    # Late, for the contract's own tables need no maps and no time zones.
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
    for name, stream in streams.items():
        try:
            opened.append(open_table(name, stream, known=_known_names()))
        except InputError as error:
            yield SetAside(name, error)
    if len(opened) < len(streams):
        # Half of what belongs together would be judged as if it were all.
        yield from (Note(table.name, _LEFT) for table in opened)
    else:
        yield from join_tables(opened, options)


def join_tables(
    tables: Iterable[Table], options: ReadOptions | None = None
) -> Iterator[Record | SetAside | Note]:
    """The encounters of opened tables, joined by encounter id.

    Raises UsageError where a header does not fit, or two tables are of one kind.
    """
    sources: dict[str, _Source] = {}
    faults: list[Fault] = []
    for table in tables:
        try:
            source = _Source(table)
        except UsageError as error:
            faults += [*error.faults, *_mapped_instead(table)]
            continue
        if source.kind in sources:
            problem = f"is a second table of {source.kind}"
            faults.append(Fault(table.name, problem, "join tables of one kind beforehand"))
        sources[source.kind] = source
    if faults:
        raise UsageError(faults)
    yield from _joined(sources, options or ReadOptions())


class _Origin(NamedTuple):
    """A row as it stood in its own table."""

    kind: str
    number: int
    cells: Sequence[object]


class _Source:
    """One table, its kind, and what its columns hold."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.kind = table.kind or _kind_of(table.columns)
        names = _as_ours(self.kind, table.columns)
        self.columns = plan(table.name, self.kind, names)
        self.key = names.index("id" if self.kind == "encounters" else "encounter")
        self.renamed = [
            f"'{written}' as {own}"
            for written, own in zip(table.columns, names, strict=True)
            if written != own
        ]
        self.is_empty = True
        """Whether no row of it was read so far."""

    def notes(self) -> Iterator[str]:
        """How the table was opened and its columns were understood."""
        yield from self.table.notes
        if self.renamed:
            yield f"columns are read under our names: {', '.join(self.renamed)}"
        if self.kind == "lines" and not any(column.name == "number" for column in self.columns):
            yield "lines have no numbers, and are counted in each encounter"

    def rows(self, numbers: Iterator[int]) -> Iterator[Row | Bad]:
        """Rows of an encounter's id and an origin's parts, so that tables of any columns join."""
        for row in self.table.rows:
            self.is_empty = False
            if isinstance(row, Row):
                key = text_of(row.cells[self.key])
                yield Row(next(numbers), (key, self.kind, row.number, row.cells))
            else:
                named = (self._encounter(row), self.kind, row.number, ())
                yield row._replace(number=next(numbers), cells=named)

    def _encounter(self, bad: Bad) -> str:
        """The encounter that a bad row names, where its cells could be told apart so far."""
        cells = bad.cells
        key = cells[self.key] if cells is not None and len(cells) > self.key else None
        return text_of(key) if isinstance(key, str | int) else ""


def _mapped_instead(table: Table) -> Iterator[Fault]:
    """That a shipped map knows the columns of a table that are not ours."""
    # Late, for the contract's own tables need no maps.
    from ivpush.readers.tables.maps import nearest_map

    near = nearest_map(table.columns) if table.kind is None else None
    if near is not None:
        problem = f"has columns that the map '{near}' knows"
        yield Fault(table.name, problem, "read it with that map")


def _known_names() -> tuple[str, ...]:
    """Every name that a column of ours may have in a file."""
    own = (column.name for table in TABLES for column in columns_of(table))
    return (*own, *(name for names in usual_names().values() for name in names))


def _as_ours(table: str, columns: Sequence[str]) -> list[str]:
    return named_as_ours(table, columns, [column.name for column in columns_of(table)])


def _kind_of(columns: Sequence[str]) -> str:
    """Which table it is, by its columns however they are written."""
    # Lines bill a code, whatever it is called; of a dose hcpcs is a column too, but not units.
    as_lines = _as_ours("lines", columns)
    if "code" in as_lines and ("units" in as_lines or "hcpcs" not in map(fold, columns)):
        return "lines"
    return table_kind({*columns, *_as_ours("administrations", columns)})


def _joined(
    sources: Mapping[str, _Source], options: ReadOptions
) -> Iterator[Record | SetAside | Note]:
    for source in sources.values():
        yield from (Note(source.table.name, text) for text in source.notes())
    numbers = count(1)
    rows = (row for source in sources.values() for row in source.rows(numbers))
    whole = Table("", [], rows, by_line=True)
    without_rows: Counter[str] = Counter()
    first_without: dict[str, str] = {}
    encounters = 0
    for group in grouped(whole, key=0, ordered=False):
        if isinstance(group, Bad):
            fault = _fault(sources, group)
            yield SetAside(fault.place, InputError(fault))
            continue
        encounters += 1
        # Of an encounter with a bad row nobody knows which tables have one that is good.
        if not group.faults:
            present = {_origin(row).kind for row in group.rows}
            for kind in sources.keys() - present:
                without_rows[kind] += 1
                first_without.setdefault(kind, _place(sources, group.rows[0]))
        yield _reading(group, sources, options)
    for source in sources.values():
        yield from (Note(source.table.name, text) for text in source.table.closing())
        if source.is_empty:
            yield Note(source.table.name, "holds no row")
    if len(sources) > 1:
        yield from _partners_missing(sources, without_rows, first_without, encounters)


def _partners_missing(
    sources: Mapping[str, _Source],
    without_rows: Mapping[str, int],
    first_without: Mapping[str, str],
    encounters: int,
) -> Iterator[Note]:
    for kind, source in sources.items():
        missing = without_rows.get(kind, 0)
        if missing:
            lacking = f"{missing:,} of {counted(encounters, 'encounter')}"
            text = (
                f"{lacking} without a row in the {kind} table (first: {first_without[kind]}); "
                "what it would say stays unknown"
            )
            # Without one row in common the ids are the likeliest cause, and no chart is judged.
            if sum(without_rows.values()) == encounters * (len(sources) - 1):
                text += "; no encounter stands in two tables: compare the forms of their ids"
            yield Note(source.table.name, text)


def _reading(
    group: Group, sources: Mapping[str, _Source], options: ReadOptions
) -> Record | SetAside:
    place = _place(sources, group.rows[0] if group.rows else group.faults[0])
    try:
        return Record(place, _encounter(group, sources, options))
    except InputError as error:
        return SetAside(place, error, encounter=group.encounter)


def _origin(row: Row | Bad) -> _Origin:
    assert row.cells is not None
    # Made here and not before, for a plain tuple goes to disk and back in half the time.
    return _Origin._make(row.cells[1:])


def _place(sources: Mapping[str, _Source], row: Row | Bad) -> str:
    origin = _origin(row)
    return sources[origin.kind].table.place(origin.number)


def _fault(sources: Mapping[str, _Source], bad: Bad) -> Fault:
    return Fault(_place(sources, bad), bad.problem, bad.remedy)


def _encounter(group: Group, sources: Mapping[str, _Source], options: ReadOptions) -> Encounter:
    if group.faults:
        told = (_fault(sources, bad) for bad in group.faults)
        raise InputError(first_faults(told, len(group.faults), MOST_TOLD))
    rows: dict[str, list[dict[str, Any]]] = {}
    faults: list[Fault] = []
    for row in group.rows:
        origin = _origin(row)
        source = sources[origin.kind]
        place = source.table.place(origin.number)
        try:
            values = read_cells(place, source.columns, origin.cells)
        except InputError as error:
            faults += error.faults
            continue
        if source.table.by_line:  # a text table cannot tell empty text from none
            values = {name: value for name, value in values.items() if value != ""}
        if source.kind == "lines":
            values.setdefault("number", len(rows.get("lines", ())) + 1)
        rows.setdefault(source.kind, []).append(values)
    if faults:
        raise InputError(first_faults(faults, len(faults), MOST_TOLD))
    parts = Parts(
        encounter=group.encounter,
        encounters=rows.get("encounters"),
        administrations=rows.get("administrations"),
        lines=rows.get("lines"),
    )
    return Encounter.model_validate(with_options(record_of(parts), options))

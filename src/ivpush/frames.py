"""Tables in, tables out: pandas, polars, Arrow and what else narwhals knows (extra: ``frames``).

    checked = check_frame(lines=lines, administrations=administrations, setting="facility")
    checked.violations      # a frame of the library that came in

Columns in are the contract's (``ivpush.contract.tables``), with ``encounter`` to join by; columns
out have fixed names and types. What cannot be read stands in ``set_aside``, so that nothing is
lost. A table may be a frame or anything that gives frames one after another (record batches, chunks
of a CSV). ``check_frame`` gives one answer for all; ``check_batches`` gives it in pieces, in flat
memory. Both stand on ``check_readings``, which takes what any reader yields. A frame of another
layout is read by a column map: ``iter_mapped``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ivpush.batch.plan import EngineOptions, Item, WorkOptions
from ivpush.batch.pool import spread
from ivpush.contract.encounter import Encounter, refuse_single
from ivpush.contract.result_tables import RESULT_COLUMNS, arrow_table, result_columns, result_rows
from ivpush.contract.tables import TABLES, Column, columns_of, encounter_rows
from ivpush.errors import (
    Fault,
    InputError,
    UsageError,
    attempt,
    require_count,
    require_kind,
)
from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
from ivpush.readers.tables.frames import like_frame, opened_tables
from ivpush.readers.tables.reader import join_tables

if TYPE_CHECKING:
    from ivpush.engine import Engine

__all__ = [
    "RESULT_COLUMNS",
    "SIZE",
    "Checked",
    "arrow_table",
    "check_batches",
    "check_frame",
    "check_readings",
    "encounters_to_tables",
    "iter_mapped",
    "iter_records",
    "result_rows",
]

SIZE = 1_000
"""Records of one piece where the caller says nothing."""
_MOST_ROWS = 50_000
"""A piece ends at so many rows in, so that large encounters cannot fill the memory."""
_Tables = dict[str, Any]
"""The tables of ``RESULT_COLUMNS`` as Arrow tables."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The results of many encounters, one tidy frame each, in the library that came in.

    ::

        checked = check_frame(lines=lines, setting="facility")
        errors = checked.violations.filter(pl.col("severity") == "error")
        errors.join(checked.encounters, on="encounter")
    """

    encounters: Any
    """One row an encounter: status, pack, payer, date whose rules applied."""
    suggested: Any
    """One row a line that the chart supports; ``position`` counts from 0 in the encounter."""
    not_billable: Any
    """One row an administration that earns no line."""
    violations: Any
    """One row a finding."""
    lines: Any
    """One row a billed line: how it compares; ``suggested`` holds positions."""
    questions: Any
    """One row an open fact; ``answers`` is JSON."""
    unjudged: Any
    """One row a rule that could not be judged, and what it lacks."""
    corrected: Any
    """The claims to send instead, as a table of lines; none while a question is open."""
    set_aside: Any
    """One row a record that could not be read or checked; ``encounter`` is null where not known."""
    notes: Any
    """One row a remark on how the tables were read."""


def check_frame(
    *,
    lines: Any = None,
    administrations: Any = None,
    encounters: Any = None,
    engine: Engine | EngineOptions | None = None,
    setting: str | None = None,
    timezone: str | None = None,
    payer: str | None = None,
    workers: int = 0,
) -> Checked:
    """Check the encounters of frames; frames of the same library come back.

    ``setting``, ``timezone`` and ``payer`` fill what the frames do not say. ``workers`` is as in
    ``check_readings``. Raises UsageError where no frame is given, the columns of one do not fit, an
    option does not exist, or the extra is not installed, and whatever building an engine raises.
    """
    tables = {"encounters": encounters, "administrations": administrations, "lines": lines}
    options = ReadOptions(timezone=timezone, setting=setting, payer=payer)
    joined = _joined(tables, options)
    pieces = list(_pieces(joined.readings, engine, SIZE, workers, options))
    return _checked(_together(pieces), joined.like)


def check_batches(  # noqa: PLR0913  (by name only: what check_frame takes, and the size)
    *,
    lines: Any = None,
    administrations: Any = None,
    encounters: Any = None,
    engine: Engine | EngineOptions | None = None,
    setting: str | None = None,
    timezone: str | None = None,
    payer: str | None = None,
    workers: int = 0,
    size: int = SIZE,
) -> Iterator[Checked]:
    """Check tables of any length: a Checked for every ``size`` encounters, as it is asked for.

    A table is a frame, an Arrow stream, or gives frames one after another; rows of one encounter
    may stand anywhere, so the tables are read to their end before the first answer (more than a
    few thousand rows wait in a private temporary file). Pieces are in order of first appearance,
    and the same with any number of workers. Raises as ``check_frame`` does, and UsageError where a
    batch has other columns than the first: what the call itself shows at once, the rest with the
    first answer.
    """
    tables = {"encounters": encounters, "administrations": administrations, "lines": lines}
    options = ReadOptions(timezone=timezone, setting=setting, payer=payer)
    # Here and not in a generator, so that a table that is none is refused at the call.
    joined = _joined(tables, options)
    pieces = _pieces(joined.readings, engine, size, workers, options)
    return (_checked(piece, joined.like) for piece in pieces)


def check_readings(
    readings: Iterable[Reading],
    *,
    like: Any = None,
    engine: Engine | EngineOptions | None = None,
    size: int = SIZE,
    workers: int = 0,
) -> Iterator[Checked]:
    """Check what a reader yields (``iter_records``, ``ivpush.readers``): a Checked a piece.

    A piece holds ``size`` records, checked or set aside, and the notes between them; fewer where
    they have more than 50,000 rows, and at the end. ``like`` is a frame of the library that the
    answers are to be of; without one they are Arrow tables. Readings are taken as answers are
    asked for: with 0 workers one piece at a time in this process; else in that many processes, at
    most two pieces each ahead, which needs EngineOptions instead of an Engine and, in a script,
    ``if __name__ == "__main__":``. Raises UsageError for what cannot be done, and what building
    an engine raises.
    """
    require_kind("readings", readings, Iterable, "give what a reader yields")
    for piece in _pieces(readings, engine, size, workers):
        yield _checked(piece, like)


def iter_records(
    *,
    lines: Any = None,
    administrations: Any = None,
    encounters: Any = None,
    setting: str | None = None,
    timezone: str | None = None,
    payer: str | None = None,
) -> Iterator[Reading]:
    """The encounters of frames, one at a time; what cannot be read as SetAsides.

    Raises UsageError as ``check_frame`` does, once the first is asked for.
    """
    tables = {"encounters": encounters, "administrations": administrations, "lines": lines}
    yield from _joined(
        tables, ReadOptions(timezone=timezone, setting=setting, payer=payer)
    ).readings


def iter_mapped(
    table: Any,
    *,
    map: Path | str,
    setting: str | None = None,
    timezone: str | None = None,
    payer: str | None = None,
) -> Iterator[Reading]:
    """The encounters of a frame of another layout, by a column map: a shipped one or a file.

    A table is a frame, an Arrow stream, such as DuckDB and Spark give, or frames one after another.
    Raises UsageError where the map does not fit, once the first is asked for.

    ::

        readings = iter_mapped(mar, map="epic-mar-admin-info", setting="facility")
        for checked in check_readings(readings, like=mar):
            print(checked.violations)
    """
    from ivpush.readers.mapping import mapped
    from ivpush.readers.tables.maps import load_map

    column_map = load_map(map)
    options = ReadOptions(timezone=timezone, setting=setting, payer=payer, map=map)
    opened = opened_tables({column_map.table: table})
    yield from mapped(opened.tables[0], column_map, options)


class _Joined(NamedTuple):
    """What tables hold, by encounter."""

    readings: Iterator[Reading]
    like: Any
    """A frame of the library that the answers are to be of."""


def _joined(frames: dict[str, Any], options: ReadOptions) -> _Joined:
    tables, like = opened_tables(frames)
    columns = {column for table in tables for column in table.columns}
    if options.setting is None and columns.isdisjoint({"setting", "encounter_setting"}):
        # Every encounter would be set aside for what no record is to blame for.
        remedy = "give facility or professional, or a column setting of the encounters"
        raise UsageError(Fault("setting", "is stated by no frame and not by the call", remedy))
    return _Joined(join_tables(tables, options), like)


class _Piece(NamedTuple):
    """The records of one piece, and the notes that stood between them."""

    notes: list[Note]
    records: list[Record | SetAside]


def _cut(readings: Iterable[Reading], size: int) -> Iterator[_Piece]:
    notes: list[Note] = []
    records: list[Record | SetAside] = []
    rows = 0
    for reading in readings:
        require_kind("readings", reading, (Record, SetAside, Note), "give what a reader yields")
        if isinstance(reading, Note):
            notes.append(reading)
            continue
        records.append(reading)
        rows += _rows_of(reading)
        # Notes do not count: they stand with the records that follow them.
        if len(records) >= size or rows >= _MOST_ROWS:
            yield _Piece(notes, records)
            notes, records, rows = [], [], 0
    if notes or records:
        yield _Piece(notes, records)


def _rows_of(reading: Record | SetAside) -> int:
    if isinstance(reading, SetAside):
        return 0
    return len(reading.encounter.administrations or ()) + len(reading.encounter.lines or ())


def _pieces(
    readings: Iterable[Reading],
    engine: Engine | EngineOptions | None,
    size: int,
    workers: int,
    read: ReadOptions | None = None,
) -> Iterator[_Tables]:
    require_count("size", size, least=1)
    require_count("workers", workers, least=0)
    read = read or ReadOptions()
    from ivpush.engine import Engine

    pieces, engine = _cut(readings, size), engine or EngineOptions()
    require_kind("engine", engine, (Engine, EngineOptions), "give an Engine, or EngineOptions")
    if workers:
        return _spread(pieces, engine, workers, read)
    if isinstance(engine, EngineOptions):
        return _checked_here(pieces, _Judge(WorkOptions(engine, read=read)))
    if read.payer is not None:
        engine.pack.require_payer(read.payer)
    return _checked_here(pieces, _Judge(WorkOptions(), engine))


def _checked_here(pieces: Iterable[_Piece], judge: _Judge) -> Iterator[_Tables]:
    for piece in pieces:
        # Nothing leaves the process, so that encounters need not become JSON and back.
        outcomes = ((reading.place, _here(reading)) for reading in piece.records)
        yield {**judge.tables(outcomes), "notes": _notes_table(piece.notes)}


class _Aside(NamedTuple):
    """Why a record has no result, and its encounter's id where that is known."""

    problem: str
    encounter: str | None


def _here(reading: Record | SetAside) -> Encounter | _Aside:
    if isinstance(reading, Record):
        return reading.encounter
    return _Aside(reading.error.one_line, reading.encounter)


def _spread(
    pieces: Iterable[_Piece], engine: Engine | EngineOptions, workers: int, read: ReadOptions
) -> Iterator[_Tables]:
    if not isinstance(engine, EngineOptions):
        raise UsageError(
            Fault(
                "engine",
                "cannot be handed to processes",
                "give EngineOptions, from which each builds its own",
            )
        )
    chunks = ((piece.notes, list(map(_item, piece.records))) for piece in pieces)
    for notes, answers in spread(_Judge, WorkOptions(engine, read=read), chunks, workers=workers):
        yield {**_together(answers), "notes": _notes_table(notes)}


class _Judge:
    """Makes the tables of a piece: here, or in a process of its own."""

    stamp = None
    """Who hands out the pieces needs to know nothing of it (``batch.pool.Handler``)."""

    def __init__(self, options: WorkOptions, engine: Engine | None = None) -> None:
        self._engine = engine or options.build()
        self._silent = options.engine.silent

    def __call__(self, items: Sequence[Item]) -> _Tables:
        """What came to a process, as JSON."""
        return self.tables((item.place, _there(item)) for item in items)

    def tables(self, outcomes: Iterable[tuple[str, Encounter | _Aside]]) -> _Tables:
        """Tables of places with their encounters, or with the reason why there is none."""
        tables: dict[str, list[dict[str, Any]]] = {name: [] for name in RESULT_COLUMNS}
        for place, read in outcomes:
            answer = read if isinstance(read, _Aside) else self._rows(read)
            if isinstance(answer, _Aside):
                tables["set_aside"].append({"place": place, **answer._asdict()})
                continue
            for name, rows in answer.items():
                tables[name] += rows
        return {name: arrow_table(rows, result_columns(name)) for name, rows in tables.items()}

    def _rows(self, encounter: Encounter) -> dict[str, list[dict[str, Any]]] | _Aside:
        """The rows of an encounter's result, or why there is none."""
        rows = attempt(self._judged, encounter)
        return _Aside(rows.one_line, encounter.id) if isinstance(rows, InputError) else rows

    def _judged(self, encounter: Encounter) -> dict[str, list[dict[str, Any]]]:
        work = self._engine.work(encounter)
        work.tell(self._silent)
        return result_rows(work.result)


def _there(item: Item) -> Encounter | _Aside:
    """What came to a process of its own."""
    if item.kind == "aside":
        return _Aside(item.reason, item.encounter)
    return Encounter.model_validate_json(item.raw)


def _item(reading: Record | SetAside) -> Item:
    if isinstance(reading, SetAside):
        reason = reading.error.one_line
        return Item("aside", reading.place, b"", reason, reading.encounter)
    raw = reading.encounter.model_dump_json(exclude_none=True).encode()
    return Item("record", reading.place, raw)


def _notes_table(notes: Iterable[Note]) -> Any:
    rows = [{"place": note.place, "message": note.message} for note in notes]
    return arrow_table(rows, result_columns("notes"))


def _together(pieces: Sequence[_Tables]) -> _Tables:
    """Pieces put together; without any, tables without rows."""
    import pyarrow as pa

    # Arrow cannot put together nothing, for it would not know the columns.
    if not pieces:
        return {name: arrow_table((), result_columns(name)) for name in RESULT_COLUMNS}
    return {name: pa.concat_tables([piece[name] for piece in pieces]) for name in RESULT_COLUMNS}


def _checked(tables: _Tables, like: Any) -> Checked:
    if like is not None:
        tables = {name: like_frame(table, like) for name, table in tables.items()}
    return Checked(**tables)


def encounters_to_tables(encounters: Iterable[Encounter], like: Any = None) -> dict[str, Any]:
    """The three tables of encounters, as ``check_frame`` and the reader of tables take them.

    They are Arrow tables, or frames of the library of ``like``.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    refuse_single(encounters)
    for encounter in encounters:
        require_kind("encounters", encounter, Encounter, "give Encounters")
        for name, own in encounter_rows(encounter).items():
            rows[name] += own
    tables = {name: arrow_table(rows[name], _own_columns(name)) for name in TABLES}
    if like is None:
        return tables
    return {name: like_frame(table, like) for name, table in tables.items()}


def _own_columns(table: str) -> Iterator[Column]:
    """Columns of a table without those that the encounters table holds already."""
    for column in columns_of(table):
        if table == "encounters" or not column.name.startswith("encounter_"):
            yield column

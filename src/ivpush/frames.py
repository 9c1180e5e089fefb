"""Tables in, tables out: pandas, polars, Arrow and what else narwhals knows (extra: ``frames``).

    found = check_frame(lines=lines, administrations=given, setting="facility")
    found.violations      # a frame of the library that came in

Columns in are the contract's (``ivpush.contract.tables``), with ``encounter`` to join by; columns
out have fixed names and types. What cannot be read stands in ``set_aside``, so that nothing is
lost. A table may be a frame or anything that gives frames one after another (record batches, chunks
of a CSV).
``check_frame`` gives one answer for all; ``check_batches`` gives it in pieces, in flat memory. Both
stand on ``check_readings``, which takes what any reader yields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ivpush.batch.plan import EngineOptions, Item, WorkOptions
from ivpush.batch.pool import spread
from ivpush.batch.work import broken
from ivpush.claim.selection import Selection
from ivpush.contract.encounter import Encounter
from ivpush.contract.result_tables import RESULT_COLUMNS, arrow_table, result_columns, result_rows
from ivpush.contract.tables import TABLES, Column, columns_of, encounter_rows
from ivpush.errors import Fault, InputError, UsageError
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
    """The results of many encounters, one tidy frame each, in the library that came in."""

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
    """One row a record that could not be read or checked; its ``encounter`` is null."""
    notes: Any
    """One row a remark on how the tables were read."""


def check_frame(
    *, lines: Any = None, administrations: Any = None, encounters: Any = None,
    engine: Engine | EngineOptions | None = None, setting: str | None = None,
    timezone: str | None = None, payer: str | None = None, workers: int = 0,
) -> Checked:  # fmt: skip
    """Check the encounters of frames; frames of the same library come back.

    ``setting``, ``timezone`` and ``payer`` fill what the frames do not say. ``workers`` is as in
    ``check_readings``. Raises UsageError where no frame is given, or the extra is not installed,
    and whatever building an engine raises.
    """
    given = {"encounters": encounters, "administrations": administrations, "lines": lines}
    readings, like = _joined(given, ReadOptions(timezone=timezone, setting=setting, payer=payer))
    return _checked(_whole(list(_pieces(readings, engine, SIZE, workers))), like)


def check_batches(  # noqa: PLR0913  (by name only: what check_frame takes, and the size)
    *, lines: Any = None, administrations: Any = None, encounters: Any = None,
    engine: Engine | EngineOptions | None = None, setting: str | None = None,
    timezone: str | None = None, payer: str | None = None, workers: int = 0, size: int = SIZE,
) -> Iterator[Checked]:  # fmt: skip
    """Check tables of any length: a Checked for every ``size`` encounters, as it is asked for.

    A table is a frame, an Arrow stream, or gives frames one after another; rows of one encounter
    may stand anywhere, so the tables are read to their end before the first answer (more than a
    few thousand rows wait in a private temporary file). Pieces are in order of first appearance,
    and the same with any number of workers. Raises as ``check_frame`` does, and UsageError where a
    batch has other columns than the first.
    """
    given = {"encounters": encounters, "administrations": administrations, "lines": lines}
    readings, like = _joined(given, ReadOptions(timezone=timezone, setting=setting, payer=payer))
    return check_readings(readings, like=like, engine=engine, size=size, workers=workers)


def check_readings(
    readings: Iterable[Reading], *, like: Any = None, engine: Engine | EngineOptions | None = None,
    size: int = SIZE, workers: int = 0,
) -> Iterator[Checked]:  # fmt: skip
    """Check what a reader yields (``iter_records``, ``ivpush.readers``): a Checked a piece.

    A piece holds ``size`` records, checked or set aside, and the notes between them; fewer where
    they have more than 50,000 rows, and at the end. ``like`` is a frame of the library that the
    answers are to be of; without one they are Arrow tables. Readings are taken as answers are
    asked for: with 0 workers one piece at a time in this process; else in that many processes, at
    most two pieces each ahead, which needs EngineOptions instead of an Engine and, in a script,
    ``if __name__ == "__main__":``. Raises UsageError for what cannot be done, and what building
    an engine raises.
    """
    for piece in _pieces(readings, engine, size, workers):
        yield _checked(piece, like)


def iter_records(
    *, lines: Any = None, administrations: Any = None, encounters: Any = None,
    setting: str | None = None, timezone: str | None = None, payer: str | None = None,
) -> Iterator[Reading]:  # fmt: skip
    """The encounters of frames, one at a time; what cannot be read as SetAsides."""
    given = {"encounters": encounters, "administrations": administrations, "lines": lines}
    yield from _joined(given, ReadOptions(timezone=timezone, setting=setting, payer=payer))[0]


def _joined(given: dict[str, Any], options: ReadOptions) -> tuple[Iterator[Reading], Any]:
    """What the tables hold, by encounter, and a frame of the library that the answers are of."""
    tables, like = opened_tables(given)
    return join_tables(tables, options), like


def _pieces(
    readings: Iterable[Reading], engine: Engine | EngineOptions | None, size: int, workers: int
) -> Iterator[_Tables]:
    if size < 1 or workers < 0:
        raise UsageError(Fault("size" if size < 1 else "workers", "is too small",
                               "write a larger number"))  # fmt: skip
    given, chunks = engine or EngineOptions(), _chunks(readings, size)
    if workers:
        if not isinstance(given, EngineOptions):
            raise UsageError(
                Fault("engine", "cannot be handed to processes",
                      "give EngineOptions, from which each builds its own"))  # fmt: skip
        items = ((notes, [_item(one) for one in those]) for notes, those in chunks)
        for notes, answers in spread(_Judge, WorkOptions(given), items, workers=workers):
            yield {**_whole(answers), "notes": _noted(notes)}
        return
    judge = (_Judge(WorkOptions(given)) if isinstance(given, EngineOptions)
             else _Judge(WorkOptions(), given))  # fmt: skip
    for notes, those in chunks:
        pairs = ((one.place, one.encounter if isinstance(one, Record) else str(one.error))
                 for one in those)  # fmt: skip
        yield {**judge.tables(pairs), "notes": _noted(notes)}


def _chunks(
    readings: Iterable[Reading], size: int
) -> Iterator[tuple[list[Note], list[Record | SetAside]]]:
    notes: list[Note] = []
    those: list[Record | SetAside] = []
    rows = 0
    for one in readings:
        if isinstance(one, Note):
            notes.append(one)
            continue
        those.append(one)
        if isinstance(one, Record):
            rows += len(one.encounter.administrations or ()) + len(one.encounter.lines or ())
        if len(those) >= size or rows >= _MOST_ROWS:
            yield notes, those
            notes, those, rows = [], [], 0
    if notes or those:
        yield notes, those


class _Judge:
    """Makes the tables of a piece: here, or in a process of its own."""

    stamp = None

    def __init__(self, options: WorkOptions, engine: Engine | None = None) -> None:
        self._engine = engine or options.engine.engine()
        self._selection = Selection(options.engine.silent)

    def __call__(self, items: Sequence[Item]) -> _Tables:
        """What came to a process, as JSON."""
        return self.tables(
            (place, Encounter.model_validate_json(raw) if kind == "record" else reason)
            for kind, place, raw, reason in items
        )

    def tables(self, pairs: Iterable[tuple[str, Encounter | str]]) -> _Tables:
        """Tables of places with their encounters, or with the reason why there is none."""
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in RESULT_COLUMNS}
        for place, one in pairs:
            try:
                made = self._rows(one) if isinstance(one, Encounter) else one
            except (Exception, RecursionError) as error:
                made = str(error if isinstance(error, InputError) else broken(error))
            if isinstance(made, str):
                rows["set_aside"].append({"place": place, "problem": made})
                continue
            for name, those in made.items():
                rows[name] += those
        return {name: arrow_table(those, result_columns(name)) for name, those in rows.items()}

    def _rows(self, encounter: Encounter) -> dict[str, list[dict[str, Any]]]:
        return result_rows(self._selection.applied(self._engine.check(encounter))[0])


def _item(one: Record | SetAside) -> Item:
    if isinstance(one, SetAside):
        return "aside", one.place, b"", str(one.error)
    return "record", one.place, one.encounter.model_dump_json(exclude_none=True).encode(), ""


def _noted(notes: Iterable[Note]) -> Any:
    rows = [{"place": one.place, "message": one.message} for one in notes]
    return arrow_table(rows, result_columns("notes"))


def _whole(pieces: Sequence[_Tables]) -> _Tables:
    """Pieces put together; without any, tables without rows."""
    import pyarrow as pa

    if not pieces:
        return {name: arrow_table((), result_columns(name)) for name in RESULT_COLUMNS}
    return {name: pa.concat_tables([one[name] for one in pieces]) for name in RESULT_COLUMNS}


def _checked(tables: _Tables, like: Any) -> Checked:
    return Checked(
        **{name: one if like is None else like_frame(one, like) for name, one in tables.items()}
    )


def encounters_to_tables(encounters: Iterable[Encounter], like: Any = None) -> dict[str, Any]:
    """The three tables of encounters, as ``check_frame`` and the reader of tables take them.

    They are Arrow tables, or frames of the library of ``like``.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for one in encounters:
        for name, made in encounter_rows(one).items():
            rows[name] += made
    tables = {name: arrow_table(rows[name], _own_columns(name)) for name in TABLES}
    if like is None:
        return tables
    return {name: like_frame(one, like) for name, one in tables.items()}


def _own_columns(table: str) -> Iterator[Column]:
    """Columns of a table without those that the encounters table holds already."""
    for one in columns_of(table):
        if table == "encounters" or not one.name.startswith("encounter_"):
            yield one

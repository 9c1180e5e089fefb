"""Tables in, tables out: pandas, polars, Arrow and what else narwhals knows (extra: ``frames``).

    found = check_frame(lines=lines, administrations=given, setting="facility")
    found.violations      # a frame of the library that came in

Columns in are the contract's (``ivpush.columns``), with ``encounter`` to join by; columns out have
fixed names and types. What cannot be read stands in ``set_aside``, so that nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ivpush.columns import TABLES, Column, columns_of, encounter_rows
from ivpush.errors import Fault, UsageError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.cells import Table, rows_in
from ivpush.readers.tables import join_tables
from ivpush.result import Result

if TYPE_CHECKING:
    from ivpush.engine import Engine
    from ivpush.models import Encounter

__all__ = [
    "RESULT_COLUMNS",
    "Checked",
    "arrow_table",
    "check_frame",
    "encounters_to_tables",
    "iter_records",
    "result_rows",
]

_LINE = tuple((one.name, one.kind + (one.items if one.kind == "list" else ""))
              for one in columns_of("lines") if not one.name.startswith("encounter"))  # fmt: skip
RESULT_COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "encounters": (("status", "text"), ("pack", "text"), ("pack_version", "text"),
                   ("payer", "text"), ("in_force_on", "day")),
    "suggested": (("position", "whole"), ("code", "text"), ("units", "whole"),
                  ("modifiers", "listtext"), ("date", "day"), ("administrations", "listtext"),
                  ("because", "text"), ("cites", "listtext")),
    "not_billable": (("administration", "text"), ("because", "text"), ("cites", "listtext")),
    "violations": (("rule", "text"), ("name", "text"), ("severity", "text"),
                   ("disposition", "text"), ("line", "whole"), ("administrations", "listtext"),
                   ("message", "text"), ("fix", "text"), ("evidence", "listtext"),
                   ("carc", "text"), ("rarc", "text"), ("cites", "listtext")),
    "lines": (("number", "whole"), ("status", "text"), ("suggested", "listwhole")),
    "questions": (("administration", "text"), ("missing", "text"), ("who", "text"),
                  ("ask", "text"), ("answers", "text")),
    "unjudged": (("rule", "text"), ("lacks", "listtext")),
    "corrected": _LINE,
    "set_aside": (("place", "text"), ("problem", "text")),
    "notes": (("place", "text"), ("message", "text")),
}  # fmt: skip
"""Columns of each frame after ``encounter``, with the kind of their values."""


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
    """One row a record that could not be read; its ``encounter`` is null."""
    notes: Any
    """One row a remark on how the tables were read."""


def check_frame(
    *, lines: Any = None, administrations: Any = None, encounters: Any = None,
    engine: Engine | None = None, setting: str | None = None, timezone: str | None = None,
    payer: str | None = None,
) -> Checked:  # fmt: skip
    """Check the encounters of frames; frames of the same library come back.

    ``setting``, ``timezone`` and ``payer`` fill what the frames do not say. Raises UsageError
    where no frame is given, or the extra is not installed.
    """
    from ivpush.engine import Engine

    given = {"encounters": encounters, "administrations": administrations, "lines": lines}
    first = next((one for one in given.values() if one is not None), None)
    judge = engine or Engine()
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in RESULT_COLUMNS}
    options = ReadOptions(timezone=timezone, setting=setting, payer=payer)
    for one in _records(given, options):
        if isinstance(one, Record):
            for name, made in result_rows(judge.check(one.encounter)).items():
                rows[name] += made
        elif isinstance(one, SetAside):
            problem = "\n".join(map(str, one.error.faults))
            rows["set_aside"].append({"place": one.place, "problem": problem})
        else:
            rows["notes"].append({"place": one.place, "message": one.message})
    return Checked(
        **{name: _like(arrow_table(those, _result_columns(name)), first)
           for name, those in rows.items()}
    )  # fmt: skip


def iter_records(
    *, lines: Any = None, administrations: Any = None, encounters: Any = None,
    setting: str | None = None, timezone: str | None = None, payer: str | None = None,
) -> Iterator[Record | SetAside | Note]:  # fmt: skip
    """The encounters of frames, one at a time; what cannot be read as SetAsides."""
    given = {"encounters": encounters, "administrations": administrations, "lines": lines}
    yield from _records(given, ReadOptions(timezone=timezone, setting=setting, payer=payer))


def _records(given: Mapping[str, Any], options: ReadOptions) -> Iterator[Record | SetAside | Note]:
    frames = {name: one for name, one in given.items() if one is not None}
    if not frames:
        raise UsageError(Fault("frames", "none was given", "give lines, administrations or both"))
    tables = []
    for name, frame in frames.items():
        arrow = _to_arrow(name, frame)
        tables.append(Table(name, list(arrow.column_names), rows_in(arrow.to_batches()), False,
                            kind=name))  # fmt: skip
    yield from join_tables(tables, options)


def _missing() -> UsageError:
    return UsageError(Fault("frames", "need narwhals and pyarrow, and one is missing",
                            "pip install 'ivpush[frames]'"))  # fmt: skip


def _to_arrow(name: str, frame: Any) -> Any:
    try:
        import narwhals as nw
        import pyarrow as pa
    except ImportError:
        raise _missing() from None
    if isinstance(frame, pa.Table):
        return frame
    try:
        known = nw.from_native(frame, eager_only=True, pass_through=True)
        if isinstance(known, nw.DataFrame):
            return known.to_arrow()
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError):
        raise UsageError(Fault(name, "holds a column of several types, or is no eager frame",
                               "give each column one type; collect a lazy frame first")
                         ) from None  # fmt: skip
    raise UsageError(Fault(name, "is no frame that is read",
                           "give pandas, polars or Arrow; collect a lazy frame first"))  # fmt: skip


def _like(table: Any, frame: Any) -> Any:
    """An Arrow table as a frame of the same library as another."""
    import narwhals as nw
    import pyarrow as pa

    known = nw.from_native(frame, eager_only=True, pass_through=True)
    if not isinstance(known, nw.DataFrame) or isinstance(frame, pa.Table):
        return table
    if known.implementation.is_pandas():
        return _pandas(table)
    return nw.from_arrow(table, backend=known.implementation).to_native()


def _pandas(table: Any) -> Any:
    """A pandas frame whose whole numbers stay whole where some are missing."""
    import pandas as pd
    import pyarrow as pa

    kinds = {pa.int64(): pd.Int64Dtype(), pa.string(): pd.StringDtype(), pa.bool_():
             pd.BooleanDtype()}  # fmt: skip
    return table.to_pandas(types_mapper=kinds.get)


def arrow_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[tuple[str, str]]) -> Any:
    """Rows as an Arrow table with columns of fixed names and types."""
    try:
        import pyarrow as pa
    except ImportError:
        raise _missing() from None
    kinds = {"text": pa.string(), "time": pa.string(), "whole": pa.int64(), "flag": pa.bool_(),
             "day": pa.date32(), "number": pa.decimal128(15, 6), "listtext": pa.list_(pa.string()),
             "listwhole": pa.list_(pa.int64())}  # fmt: skip
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns])
    those = list(rows)
    return pa.table({name: [one.get(name) for one in those] for name in schema.names}, schema)


def _result_columns(table: str) -> tuple[tuple[str, str], ...]:
    return (("encounter", "text"), *RESULT_COLUMNS[table])


def result_rows(result: Result) -> dict[str, list[dict[str, Any]]]:
    """The rows of one result in each of its tables."""
    pack = result.pack
    made: dict[str, list[dict[str, Any]]] = {
        "encounters": [{"status": result.status, "pack": pack.name, "pack_version": pack.version,
                        "payer": pack.payer, "in_force_on": pack.in_force_on}],
        "suggested": [{"position": n, **_plain(one)} for n, one in enumerate(result.suggested)],
        "not_billable": [_plain(one) for one in result.not_billable],
        "violations": [_plain(one) for one in result.violations],
        "lines": [_plain(one) for one in result.lines],
        "unjudged": [{"rule": one.rule, "lacks": list(one.missing)} for one in result.unjudged],
        "corrected": [{name: _listed(getattr(one, name)) for name, _ in _LINE}
                      for one in result.corrected or ()],
    }  # fmt: skip
    answers = result.to_dict()["questions"] if result.questions else []
    made["questions"] = [
        {**{name: one[name] for name in ("administration", "missing", "who", "ask")},
         "answers": json.dumps(one["answers"], ensure_ascii=False)}
        for one in answers
    ]  # fmt: skip
    for those in made.values():
        for row in those:
            row["encounter"] = result.encounter
    return made


def _plain(one: Any) -> dict[str, Any]:
    return {field.name: _listed(getattr(one, field.name)) for field in fields(one)}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def encounters_to_tables(encounters: Iterable[Encounter], like: Any = None) -> dict[str, Any]:
    """The three tables of encounters, as ``check_frame`` and the reader of tables take them.

    They are Arrow tables, or frames of the library of ``like``.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for one in encounters:
        for name, made in encounter_rows(one).items():
            rows[name] += made
    tables = {name: arrow_table(rows[name], map(_kind, _own_columns(name))) for name in TABLES}
    if like is None:
        return tables
    return {name: _like(one, like) for name, one in tables.items()}


def _own_columns(table: str) -> Iterator[Column]:
    """Columns of a table without those that the encounters table holds already."""
    for one in columns_of(table):
        if table == "encounters" or not one.name.startswith("encounter_"):
            yield one


def _kind(column: Column) -> tuple[str, str]:
    return column.name, column.kind + (column.items if column.kind == "list" else "")

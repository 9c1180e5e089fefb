"""The contract as tables: one row an encounter, an administration, a claim line.

Readers of tables (``readers.tables``) put rows together to encounters here, and ``frames`` takes
encounters apart. Columns carry the contract's names. ``encounter`` joins administrations and lines
to their encounter; a column such as ``encounter_setting`` may say in either what belongs to the
encounter. Lists are lists, or texts joined by ``;`` (a JSON array where an item holds one).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from pydantic import BaseModel

from ivpush.contract.annotations import field_type
from ivpush.contract.cells import HOW_TO_WRITE, UNREADABLE, CellKind, read_cell
from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.errors import Fault, InputError, UsageError, nearest_word

__all__ = [
    "TABLES",
    "Column",
    "Parts",
    "Row",
    "column_of",
    "columns_of",
    "encounter_rows",
    "needed_columns",
    "plan",
    "read_cells",
    "record_of",
    "table_kind",
]

TABLES = ("encounters", "administrations", "lines")
# Administrations and lines are tables of their own; supervision has columns with a prefix.
_NESTED = frozenset({"administrations", "lines", "supervision"})
"""Fields of the encounter that hold records of their own."""
_KINDS: Mapping[object, CellKind] = {
    Decimal: "number",
    int: "whole",
    bool: "flag",
    datetime: "time",
    date: "day",
    str: "text",
}

_NAME = re.compile("(?=.{1,40}$)([a-z][a-z0-9]*|[A-Za-z0-9]+(_[A-Za-z0-9]+)+)")
"""What looks like the name of a column, and not like a value."""
_MOST_SHOWN = 12
_COUNTED = frozenset({"number"})
"""Columns that a file may lack, for rows are counted instead."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, the field that it holds, and the kind of its values.

    ::

        Column("units", "units", "whole")
        Column("encounter_setting", "setting", "text")
        Column("modifiers", "modifiers", "list", items="text")
    """

    name: str
    field: str
    kind: CellKind
    items: CellKind | None = None
    """Kind of the items of a list."""


Row = dict[str, object]
"""Cells by column name; what a cell holds, the kind of its column says."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of one encounter in each table, as cells by column name; None: no such table."""

    encounter: str
    encounters: Sequence[Mapping[str, object]] | None = None
    administrations: Sequence[Mapping[str, object]] | None = None
    lines: Sequence[Mapping[str, object]] | None = None


def column_of(name: str, field: str, annotation: object) -> Column:
    """The column of a field with such an annotation; raises KeyError where it holds records."""
    stated = field_type(annotation)
    if stated.members is None:
        return Column(name, field, _KINDS[stated.of])
    return Column(name, field, "list", items=_KINDS[field_type(stated.members).of])


def _columns(
    model: type[BaseModel], prefix: str = "", without: frozenset[str] = frozenset()
) -> Iterator[Column]:
    for name, info in model.model_fields.items():
        if name not in without:
            yield column_of(f"{prefix}{name}", name, info.annotation)


@cache
def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a table of the contract, in order."""
    if table == "encounters":
        # An empty chart and no chart are not the same; rows alone could not tell them apart.
        flags = (Column("has_chart", "has_chart", "flag"), Column("has_claim", "has_claim", "flag"))
        own = _columns(Encounter, without=_NESTED)
        return (*own, *_columns(Supervision, "supervision_"), *flags)
    model = Administration if table == "administrations" else ClaimLine
    shared = _columns(Encounter, "encounter_", without=_NESTED | {"id", "diagnoses"})
    return (Column("encounter", "encounter", "text"), *_columns(model), *shared)


def table_kind(names: Iterable[str]) -> str:
    """Which table has such columns: lines, administrations or encounters."""
    # Only the encounters table has its own id as key; the others name the encounter.
    columns = set(names)
    if "encounter" not in columns and "setting" in columns:
        return "encounters"
    # Only lines have either; an administration has an ``id`` of its own, and ``hcpcs``.
    return "lines" if {"number", "code"} & columns else "administrations"


def needed_columns(table: str) -> tuple[str, ...]:
    """The columns without which no row of a table can be read; a setting may be the caller's."""
    if table == "encounters":
        return ("id",)
    model = Administration if table == "administrations" else ClaimLine
    own = [name for name, info in model.model_fields.items() if info.is_required()]
    return ("encounter", *own)


def plan(source: str, table: str, names: Sequence[str]) -> list[Column]:
    """The columns of a table as it stands; raises UsageError where its header does not fit.

    ``source`` is where the table was read, such as the name of its file. A header is the same for
    every row, so that no record is at fault.
    """
    known = {column.name: column for column in columns_of(table)}
    if known.keys().isdisjoint(names):
        raise UsageError(_all_foreign(source, names))
    faults = [*_foreign(source, table, names, known), *_lacking(source, table, names)]
    # Of two columns of one name the later would win without a word.
    if len(set(names)) != len(names):
        faults.append(Fault(source, "names a column twice", "keep one"))
    if faults:
        raise UsageError(faults)
    return [known[name] for name in names]


def _all_foreign(source: str, names: Sequence[str]) -> Fault:
    """The fault of a header without a column of ours, of which nobody can tell what it is."""
    tables = (f"{', '.join(needed_columns(table))} ({table})" for table in ("lines", TABLES[1]))
    remedy = f"a table of ours has {' or '.join(tables)}; a column map reads another"
    return Fault(source, f"holds no column of ours, but {_shown(names, names, ())}", remedy)


def _foreign(
    source: str, table: str, names: Sequence[str], known: Collection[str]
) -> Iterator[Fault]:
    """Columns that the table does not have: each with its nearest, then the rest together."""
    far = []
    for name in names:
        if name in known:
            continue
        near = nearest_word(name, known)
        if near is None:
            far.append(name)
        else:
            problem = f"{_shown([name], names, known)} is not one of the {table} table"
            yield Fault(source, problem, f"did you mean '{near}'?")
    if far:
        of_it = "is not one" if len(far) == 1 else "are none"
        problem = f"{_shown(far, names, known)} {of_it} of the {table} table"
        yield Fault(source, problem, "rename what is ours, or read the table with a column map")


def _lacking(source: str, table: str, names: Sequence[str]) -> Iterator[Fault]:
    needed = [name for name in needed_columns(table) if name not in _COUNTED]
    lacking = [f"'{name}'" for name in needed if name not in names]
    if lacking:
        of = "column" if len(lacking) == 1 else "columns"
        yield Fault(source, f"lacks the {of} {', '.join(lacking)}", f"the {table} table needs them")


def _shown(names: Sequence[str], header: Sequence[str], known: Collection[str]) -> str:
    """Columns of a header as a message may name them: by name, else by their place in it.

    Without a header its text is the first row's values, and a name may be a patient's.
    """
    is_header = any(name in known or "_" in name for name in header)
    wanted = set(names)
    shown = [
        f"'{name}'" if is_header and (_NAME.fullmatch(name) or name.casefold() in known) else str(n)
        for n, name in enumerate(header, 1)
        if name in wanted
    ]
    of = "column" if len(shown) == 1 else "columns"
    more = f", … ({len(shown)} in all)" if len(shown) > _MOST_SHOWN else ""
    return f"{of} {', '.join(shown[:_MOST_SHOWN])}{more}"


def read_cells(place: str, columns: Sequence[Column], cells: Sequence[object]) -> Row:
    """The values of a row by column name, nulls left out; raises InputError with the place."""
    values: Row = {}
    faults = []
    for column, cell in zip(columns, cells, strict=True):
        # CSV cannot tell a null from an empty text, so only text columns keep the empty one, and
        # diagnoses: a claim with an empty cell there names none.
        if cell is None or (cell == "" and column.kind != "text" and column.name != "diagnoses"):
            continue
        try:
            value = read_cell(column.kind, column.items, cell)
        except UNREADABLE:
            remedy = HOW_TO_WRITE[column.kind]
            faults.append(Fault(place, f"{column.name} cannot be read", remedy))
            continue
        if value is not None:
            values[column.name] = value
    if faults:
        raise InputError(faults)
    return values


# From an encounter to its rows


def encounter_rows(encounter: Encounter) -> dict[str, list[Row]]:
    """The rows of an encounter in the three tables, every column named."""
    return {
        "encounters": [_own_row(encounter)],
        "administrations": _rows_under(encounter.id, encounter.administrations or ()),
        "lines": _rows_under(encounter.id, encounter.lines or ()),
    }


def _own_row(encounter: Encounter) -> Row:
    supervision = encounter.supervision
    row: Row = {
        name: _out(getattr(encounter, name))
        for name in Encounter.model_fields
        if name not in _NESTED
    }
    for name in Supervision.model_fields:
        value = None if supervision is None else getattr(supervision, name)
        row[f"supervision_{name}"] = value
    row["has_chart"] = encounter.administrations is not None
    row["has_claim"] = encounter.lines is not None
    return row


def _rows_under(encounter: str, records: Sequence[BaseModel]) -> list[Row]:
    return [
        {
            "encounter": encounter,
            **{name: _out(getattr(record, name)) for name in type(record).model_fields},
        }
        for record in records
    ]


def _out(value: object) -> object:
    """A value for a table: a time keeps its own offset only as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


# From rows to an encounter


def record_of(parts: Parts) -> Row:
    """The encounter of its rows as the contract's record; raises InputError where they clash."""
    own = _own_values(parts)
    has_rows_of = {
        "administrations": own.pop("has_chart", None),
        "lines": own.pop("has_claim", None),
    }
    record = {"id": parts.encounter, **_with_supervision(own)}
    for table, rows in (("administrations", parts.administrations), ("lines", parts.lines)):
        stated = has_rows_of[table]
        # Rows alone say that there is a chart; only a flag that denies them clashes.
        if stated is False and rows:
            problem = "has rows, and the encounters table says there are none"
            raise InputError(Fault(table, problem, "correct one of them"))
        if rows or stated:
            record[table] = [_without_shared(row, record) for row in rows or ()]
    return record


def _own_values(parts: Parts) -> Row:
    """The values of the encounter's own row, where there is one."""
    if not parts.encounters:
        return {}
    if len(parts.encounters) > 1:
        problem = "stands in two rows of the encounters table"
        raise InputError(Fault("id", problem, "keep one"))
    return dict(parts.encounters[0])


def _with_supervision(own: Mapping[str, object]) -> Row:
    """The encounter's values, with those of columns ``supervision_...`` as a record of its own."""
    prefix = "supervision_"
    record = {name: value for name, value in own.items() if not name.startswith(prefix)}
    supervision = {
        name.removeprefix(prefix): value for name, value in own.items() if name.startswith(prefix)
    }
    if supervision:
        record["supervision"] = supervision
    return record


def _without_shared(row: Mapping[str, object], record: Row) -> Row:
    """The row alone; what it says of the encounter goes into the record."""
    own = {}
    for name, value in row.items():
        if name == "encounter":
            continue
        if not name.startswith("encounter_"):
            own[name] = value
            continue
        field = name.removeprefix("encounter_")
        # Each row repeats the encounter's facts; two values would leave the reading to row order.
        if record.setdefault(field, value) != value:
            raise InputError(Fault(field, "differs between rows of one encounter", "write one"))
    return own

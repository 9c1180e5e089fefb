"""The contract as tables: one row an encounter, an administration, a claim line.

Readers of tables (``readers.tables``) put rows together to encounters here, and ``frames`` takes
encounters apart. Columns carry the contract's names. ``encounter`` joins administrations and lines
to their encounter; a column such as ``encounter_setting`` may say in either what belongs to the
encounter. Lists are lists, or texts joined by ``;`` (a JSON array where an item holds one).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from pydantic import BaseModel

from ivpush.contract.annotations import field_type
from ivpush.contract.cells import HOW_TO_WRITE, UNREADABLE, CellKind, read_cell
from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.errors import Fault, InputError, did_you_mean

__all__ = [
    "TABLES",
    "Column",
    "Parts",
    "Row",
    "column_of",
    "columns_of",
    "encounter_rows",
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


def plan(source: str, table: str, names: Sequence[str]) -> list[Column]:
    """The columns of a table as it stands; raises InputError for one that the contract lacks.

    ``source`` is where the table was read, such as the name of its file.
    """
    known = {column.name: column for column in columns_of(table)}
    faults = [
        # Without a header its text is the first row's values, so only the place is named.
        Fault(source, f"column {n} is not one of the {table} table", did_you_mean(name, known))
        for n, name in enumerate(names, 1)
        if name not in known
    ]
    key = "id" if table == "encounters" else "encounter"
    if key not in names:
        faults.append(Fault(source, f"lacks the column '{key}'", "add it"))
    # Of two columns of one name the later would win without a word.
    if len(set(names)) != len(names):
        faults.append(Fault(source, "names a column twice", "keep one"))
    if faults:
        raise InputError(faults)
    return [known[name] for name in names]


def read_cells(place: str, columns: Sequence[Column], cells: Sequence[object]) -> Row:
    """The values of a row by column name, nulls left out; raises InputError with the place."""
    values: Row = {}
    faults = []
    for column, cell in zip(columns, cells, strict=True):
        # CSV cannot tell a null from an empty text, so only text columns keep the empty one.
        if cell is None or (cell == "" and column.kind != "text"):
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

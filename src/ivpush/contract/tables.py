"""The contract as tables: one row an encounter, an administration, a claim line.

Columns carry the contract's names; ``encounter`` joins administrations and lines to their
encounter, and a column such as ``encounter_setting`` may say in either what belongs to the
encounter. Lists are lists, or texts joined by ``;`` (a JSON array where an item holds one).
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.errors import Fault, InputError, did_you_mean

__all__ = [
    "TABLES",
    "Column",
    "Parts",
    "cell_of",
    "columns_of",
    "encounter_rows",
    "plan",
    "read_cells",
    "record_of",
    "table_kind",
]

TABLES = ("encounters", "administrations", "lines")
_LISTS = frozenset({"administrations", "lines", "supervision"})
_KINDS: Mapping[Any, str] = {
    Decimal: "number", int: "whole", bool: "flag", datetime: "time", date: "day", tuple: "list",
    str: "text",
}  # fmt: skip
_WORDS = {
    "number": "write a plain number", "whole": "write a whole number",
    "flag": "write true or false", "day": "write a date as YYYY-MM-DD",
    "time": "write a time as YYYY-MM-DDThh:mm",
    "list": "write items joined by ;, or a JSON array", "text": "write text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, the field that it holds, and the kind of its values."""

    name: str
    field: str
    kind: str
    items: str = "text"
    """Kind of the items of a list."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of one encounter in each table, as cells by column name; None: no such table."""

    encounter: str
    encounters: Sequence[Mapping[str, Any]] | None = None
    administrations: Sequence[Mapping[str, Any]] | None = None
    lines: Sequence[Mapping[str, Any]] | None = None


def _kind(annotation: Any) -> tuple[str, str]:
    """Kind of a field's values, and of the items where it is a list."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return _kind(next(one for one in get_args(annotation) if one is not type(None)))
    if origin is tuple:
        return "list", _kind(get_args(annotation)[0])[0]
    if origin is Literal:
        return "text", ""
    return _KINDS[annotation], ""


def _fields(model: Any, prefix: str = "", skip: frozenset[str] = frozenset()) -> Iterator[Column]:
    for name, info in model.model_fields.items():
        if name not in skip:
            kind, items = _kind(info.annotation)
            yield Column(f"{prefix}{name}", name, kind, items)


@cache
def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a table of the contract, in order."""
    if table == "encounters":
        flags = (Column("has_chart", "has_chart", "flag"), Column("has_claim", "has_claim", "flag"))
        return (*_fields(Encounter, "", _LISTS), *_fields(Supervision, "supervision_"), *flags)
    model = Administration if table == "administrations" else ClaimLine
    shared = _fields(Encounter, "encounter_", _LISTS | {"id", "diagnoses"})
    return (Column("encounter", "encounter", "text"), *_fields(model), *shared)


def table_kind(names: Iterable[str]) -> str:
    """Which table has such columns: lines, administrations or encounters."""
    found = set(names)
    if "encounter" not in found and "setting" in found:
        return "encounters"
    return "lines" if {"number", "code"} & found else "administrations"


def plan(name: str, table: str, names: Sequence[str]) -> list[Column]:
    """The columns of a table as it stands; raises InputError for one that the contract lacks."""
    known = {one.name: one for one in columns_of(table)}
    faults = [
        # The text of a header may be a value where the header is missing: only its place is told.
        Fault(name, f"column {n} is not one of the {table} table", did_you_mean(one, known))
        for n, one in enumerate(names, 1)
        if one not in known
    ]
    key = "id" if table == "encounters" else "encounter"
    if key not in names:
        faults.append(Fault(name, f"lacks the column '{key}'", "add it"))
    if len(set(names)) != len(names):
        faults.append(Fault(name, "names a column twice", "keep one"))
    if faults:
        raise InputError(faults)
    return [known[one] for one in names]


def read_cells(place: str, columns: Sequence[Column], cells: Sequence[Any]) -> dict[str, Any]:
    """The values of a row by column name, nulls left out; raises InputError with the place."""
    made: dict[str, Any] = {}
    faults = []
    for column, cell in zip(columns, cells, strict=True):
        if cell is None or (cell == "" and column.kind != "text"):
            continue
        try:
            value = _read(column.kind, column.items, cell)
        except (ValueError, TypeError, RecursionError, ArithmeticError):
            faults.append(Fault(place, f"{column.name} cannot be read", _WORDS[column.kind]))
            continue
        if value is not None:
            made[column.name] = value
    if faults:
        raise InputError(faults)
    return made


def _read(kind: str, items: str, cell: Any) -> Any:
    if isinstance(cell, float) and math.isnan(cell):  # a missing number of pandas
        return None
    return _READERS[kind](cell) if kind != "list" else _list(items, cell)


def _text(cell: Any) -> Any:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, str):
        return cell
    raise TypeError


def _number(cell: Any) -> Any:
    if isinstance(cell, str):
        if len(cell) > 40 or not cell.isascii() or "_" in cell:
            raise ValueError
        cell = Decimal(cell)
    if isinstance(cell, float):
        return cell
    if isinstance(cell, Decimal) and cell.is_finite():
        return cell if cell != cell.to_integral_value() or cell > 10**9 else int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    raise TypeError


def _whole(cell: Any) -> int:
    made = _number(cell)
    if made != int(made) or abs(made) > 10**9:
        raise ValueError
    return int(made)


def _flag(cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    return {"true": True, "false": False}[cell.casefold()] if _known_flag(cell) else _no()


def _known_flag(cell: Any) -> bool:
    return isinstance(cell, str) and cell.casefold() in {"true", "false"}


def _no() -> bool:
    raise ValueError


def _time(cell: Any) -> Any:
    if isinstance(cell, str | datetime):
        return cell
    raise TypeError


def _day(cell: Any) -> Any:
    if isinstance(cell, datetime):
        if cell.time() != time(0):
            raise ValueError
        return cell.date()
    if isinstance(cell, str | date):
        return cell
    raise TypeError


def _list(items: str, cell: Any) -> list[Any]:
    if isinstance(cell, str):
        cell = json.loads(cell) if cell.startswith("[") else cell.split(";")
    if not isinstance(cell, list | tuple):
        raise TypeError
    return [_READERS[items](one) for one in cell]


_READERS: Mapping[str, Any] = {"text": _text, "number": _number, "whole": _whole, "flag": _flag,
                               "time": _time, "day": _day}  # fmt: skip


def cell_of(value: Any) -> str:
    """A value as the text of a CSV cell; what ``read_cells`` reads back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        texts = [str(one) for one in value]
        plain = texts and all(texts) and not any(";" in one for one in texts)
        if plain and not texts[0].startswith("["):
            return ";".join(texts)
        return json.dumps(list(value), ensure_ascii=False)
    return str(value)


def encounter_rows(encounter: Encounter) -> dict[str, list[dict[str, Any]]]:
    """The rows of an encounter in the three tables, every column named."""
    own: dict[str, Any] = {}
    for column in columns_of("encounters"):
        if column.name.startswith("supervision_"):
            watched = encounter.supervision
            own[column.name] = getattr(watched, column.field) if watched is not None else None
        elif column.field not in {"has_chart", "has_claim"}:
            own[column.name] = _out(getattr(encounter, column.field))
    own["has_chart"] = encounter.administrations is not None
    own["has_claim"] = encounter.lines is not None
    made = {"encounters": [own]}
    for table, those in (("administrations", encounter.administrations or ()),
                         ("lines", encounter.lines or ())):  # fmt: skip
        made[table] = [
            {"encounter": encounter.id,
             **{name: _out(getattr(one, name)) for name in type(one).model_fields}}
            for one in those
        ]  # fmt: skip
    return made


def _out(value: Any) -> Any:
    """A value for a table: a time keeps its own offset only as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def record_of(parts: Parts) -> dict[str, Any]:
    """The encounter of its rows as the contract's record; raises InputError where they clash."""
    record: dict[str, Any] = {"id": parts.encounter}
    charted = billed = None
    if parts.encounters:
        if len(parts.encounters) > 1:
            raise InputError(Fault("id", "stands in two rows of the encounters table",
                                   "keep one"))  # fmt: skip
        own = dict(parts.encounters[0])
        charted, billed = own.pop("has_chart", None), own.pop("has_claim", None)
        watched = {one.removeprefix("supervision_"): own.pop(one)
                   for one in list(own) if one.startswith("supervision_")}  # fmt: skip
        record |= own
        if watched:
            record["supervision"] = watched
    for table, rows, stated in (("administrations", parts.administrations, charted),
                                ("lines", parts.lines, billed)):  # fmt: skip
        if stated is False and rows:
            raise InputError(Fault(table, "has rows, and the encounters table says there are none",
                                   "correct one of them"))  # fmt: skip
        if rows or stated:
            record[table] = [_without_shared(row, record) for row in rows or ()]
    return record


def _without_shared(row: Mapping[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """The row alone; what it says of the encounter goes into the record."""
    made = {}
    for name, value in row.items():
        if name == "encounter":
            continue
        if not name.startswith("encounter_"):
            made[name] = value
            continue
        field = name.removeprefix("encounter_")
        if record.setdefault(field, value) != value:
            raise InputError(Fault(field, "differs between rows of one encounter", "write one"))
    return made

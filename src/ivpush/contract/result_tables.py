"""Results as tidy tables: the columns of each table, and the rows that one result gives it.

Data frames (``ivpush.frames``) and the Parquet writer share them, so that both say the same. The
columns follow from the records of ``contract.result``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, get_type_hints

from ivpush.contract.cells import CellKind
from ivpush.contract.result import (
    LineVerdict,
    NotBillable,
    PackStamp,
    Question,
    Result,
    Status,
    SuggestedLine,
    Unjudged,
    Violation,
)
from ivpush.contract.tables import Column, Row, column_of, columns_of
from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "RESULT_COLUMNS",
    "arrow_table",
    "missing_extra",
    "result_columns",
    "result_rows",
]


def _columns(
    record: type, *, without: Collection[str] = (), renamed: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """The columns of a record's fields, in order."""
    annotations = get_type_hints(record)
    names = {field.name: field.name for field in fields(record)} | dict(renamed or {})
    return tuple(
        column_of(name, field, annotations[field])
        for field, name in names.items()
        if field not in without
    )


def _text(name: str) -> Column:
    return Column(name, name, "text")


# A bare ``name`` or ``version`` in the table ``encounters`` would not say whose.
_STAMP = (
    Column("pack", "name", "text"),
    Column("pack_version", "version", "text"),
    *_columns(PackStamp, without=("layers", "policies")),
)
_SUGGESTED = _columns(SuggestedLine)
_NOT_BILLABLE = _columns(NotBillable)
_VIOLATION = _columns(Violation, without=("edit",))  # the corrected table has the whole claim
_VERDICT = _columns(LineVerdict)
_QUESTION = _columns(Question, without=("answers",))
# ``missing`` is a text in the table ``questions``; one name must not hold two kinds.
_UNJUDGED = _columns(Unjudged, renamed={"missing": "lacks"})
_CLAIM_LINE = tuple(
    column for column in columns_of("lines") if not column.name.startswith("encounter")
)

RESULT_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "encounters": (column_of("status", "status", Status), *_STAMP),
    "suggested": (Column("position", "position", "whole"), *_SUGGESTED),
    "not_billable": _NOT_BILLABLE,
    "violations": _VIOLATION,
    "lines": _VERDICT,
    "questions": (*_QUESTION, _text("answers")),
    "unjudged": _UNJUDGED,
    "corrected": _CLAIM_LINE,
    "set_aside": (_text("place"), _text("problem")),
    "notes": (_text("place"), _text("message")),
}
"""Columns of each table after ``encounter``."""


def missing_extra() -> UsageError:
    """What to raise where narwhals or pyarrow is not installed."""
    problem = "need narwhals and pyarrow, and one is missing"
    return UsageError(Fault("frames", problem, "pip install 'ivpush[frames]'"))


def arrow_table(rows: Iterable[Mapping[str, object]], columns: Iterable[Column]) -> pa.Table:
    """Rows as an Arrow table with columns of fixed names and types.

    Raises UsageError where pyarrow is not installed.
    """
    try:
        # Here and not above: pyarrow is an extra, and its import takes longer than a check.
        import pyarrow as pa
    except ImportError:
        raise missing_extra() from None
    types: dict[CellKind, pa.DataType] = {
        "text": pa.string(),
        # As text, because an Arrow column has one zone and each time keeps its own offset.
        "time": pa.string(),
        "whole": pa.int64(),
        "flag": pa.bool_(),
        "day": pa.date32(),
        "number": pa.decimal128(15, 6),  # as many digits as the contract takes
    }
    schema = pa.schema(
        [
            (column.name, pa.list_(types[column.items]) if column.items else types[column.kind])
            for column in columns
        ]
    )
    # Rows may be a generator, and each column reads all of them.
    every_row = list(rows)
    columns_by_name = {name: [row.get(name) for row in every_row] for name in schema.names}
    return pa.table(columns_by_name, schema)


def result_columns(table: str) -> tuple[Column, ...]:
    """Every column of a table of results."""
    return (_text("encounter"), *RESULT_COLUMNS[table])


def result_rows(result: Result) -> dict[str, list[Row]]:
    """The rows of one result in each of its tables."""
    tables: dict[str, list[Row]] = {
        "encounters": [{"status": result.status, **_row(result.pack, _STAMP)}],
        "suggested": [
            {"position": position, **_row(line, _SUGGESTED)}
            for position, line in enumerate(result.suggested)
        ],
        "not_billable": [_row(barred, _NOT_BILLABLE) for barred in result.not_billable],
        "violations": [_row(violation, _VIOLATION) for violation in result.violations],
        "lines": [_row(verdict, _VERDICT) for verdict in result.lines],
        "unjudged": [_row(unjudged, _UNJUDGED) for unjudged in result.unjudged],
        "corrected": [_row(line, _CLAIM_LINE) for line in result.corrected or ()],
        "questions": _question_rows(result),
    }
    for rows in tables.values():
        for row in rows:
            row["encounter"] = result.encounter
    return tables


def _row(record: object, columns: Iterable[Column]) -> Row:
    row: Row = {}
    for column in columns:
        value = getattr(record, column.field)
        row[column.name] = list(value) if isinstance(value, tuple) else value
    return row


def _question_rows(result: Result) -> list[Row]:
    """Questions with their answers as the JSON of the contract: a table has no nested records."""
    # Made only where there are questions: it writes the whole result.
    written = result.to_dict()["questions"] if result.questions else []
    return [
        {
            **_row(question, _QUESTION),
            "answers": json.dumps(as_json["answers"], ensure_ascii=False),
        }
        for question, as_json in zip(result.questions, written, strict=True)
    ]

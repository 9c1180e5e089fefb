"""Results as tidy tables: the columns of each, and the rows that one result gives it.

Frames (``ivpush.frames``) and the Parquet writer share them, so that both say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from ivpush.contract.result import Result
from ivpush.contract.tables import columns_of
from ivpush.errors import Fault, UsageError

__all__ = [
    "RESULT_COLUMNS",
    "arrow_table",
    "missing_extra",
    "result_columns",
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


def missing_extra() -> UsageError:
    """What to raise where narwhals or pyarrow is not installed."""
    return UsageError(Fault("frames", "need narwhals and pyarrow, and one is missing",
                            "pip install 'ivpush[frames]'"))  # fmt: skip


def arrow_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[tuple[str, str]]) -> Any:
    """Rows as an Arrow table with columns of fixed names and types.

    Raises UsageError where pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise missing_extra() from None
    kinds = {"text": pa.string(), "time": pa.string(), "whole": pa.int64(), "flag": pa.bool_(),
             "day": pa.date32(), "number": pa.decimal128(15, 6), "listtext": pa.list_(pa.string()),
             "listwhole": pa.list_(pa.int64())}  # fmt: skip
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns])
    those = list(rows)
    return pa.table({name: [one.get(name) for one in those] for name in schema.names}, schema)


def result_columns(table: str) -> tuple[tuple[str, str], ...]:
    """Every column of a table of results, with the kind of its values."""
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

"""Spark: encounters in a DataFrame, results in a DataFrame, through Arrow.

    from ivpush import spark

    results = spark.check(df, payer="medicare")

``df`` has one row an encounter: its JSON in a column (``encounter`` unless ``column`` names
another) and whatever else is to be kept with it (``keep``). Each Python process of an executor
builds its engine once, from the options alone; packs must be folders that every executor can read.
A row that cannot be read or checked comes back with its reason and no result: rows in = rows out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ivpush.batch.plan import EngineOptions, Item, WorkOptions
from ivpush.batch.work import Singles
from ivpush.contract.line_text import code_with_modifiers
from ivpush.errors import Fault, UsageError, require_kind
from ivpush.readers import ReadOptions
from ivpush.writers.safe import escaped_json

if TYPE_CHECKING:
    from ivpush.contract.result import Result

__all__ = ["COLUMNS", "check", "judge"]

COLUMNS: dict[str, str] = {
    "id": "string",
    "status": "string",
    "errors": "int",
    "warnings": "int",
    "infos": "int",
    "rules": "array<string>",
    "suggested": "array<string>",
    "questions": "int",
    "pack": "string",
    "pack_version": "string",
    "result": "string",
    "reason": "string",
}
"""Columns of the results and their Spark types, after those that are kept.

``id`` is the encounter's; ``rules`` are the ids of the rules that spoke, sorted, each once;
``suggested`` are codes with modifiers and units (``CODE-MODIFIER xUNITS``); ``result`` is the whole
result as JSON; ``reason`` says why there is none, and is null where there is one.
"""

_engines: dict[str, Singles] = {}
"""Engines of this Python process by digest of their options: Spark reuses its processes."""


def check(
    df: Any,
    *,
    payer: str | None = None,
    policies: Mapping[str, Any] | None = None,
    packs: Sequence[str] = (),
    column: str = "encounter",
    keep: Sequence[str] = (),
    setting: str | None = None,
    timezone: str | None = None,
) -> Any:
    """A lazy DataFrame of results, one row a row of ``df``; ``COLUMNS`` says what they hold.

    ``setting`` and ``timezone`` stand in where an encounter says none. Raises UsageError for a
    column, policy or payer that does not exist, and where pyspark or pyarrow is missing.
    """
    for module in ("pyspark", "pyarrow", "pandas"):
        _need(module)
    if not hasattr(df, "mapInArrow"):
        remedy = "give one; ivpush.check_frame takes pandas, polars and Arrow"
        raise UsageError(Fault("df", "is no DataFrame of Spark", remedy))
    for name, words in (("packs", packs), ("keep", keep)):
        require_kind(name, words, (list, tuple), "give a list")
    _check_columns(df.columns, column, keep)
    options = {
        "payer": payer,
        "policies": dict(policies or {}),
        "packs": [str(pack) for pack in packs],
        "setting": setting,
        "timezone": timezone,
    }
    text = json.dumps(options, sort_keys=True, default=str)
    _handler(text)  # an unfit pack or policy is told here, not by every executor
    chosen = df.select(*keep, column)
    kept = tuple(keep)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        # Only names and text travel to the executors; the engine is built where it works.
        from ivpush.spark import judge  # noqa: PLC0415

        return judge(batches, text, kept)

    return chosen.mapInArrow(run, _schema(chosen.schema.fields[: len(keep)]))


def _check_columns(columns: Sequence[str], column: str, keep: Sequence[str]) -> None:
    for name in (column, *keep):
        if name not in columns:
            # A column's name may hold what nobody should print; its beginning tells enough.
            raise UsageError(
                Fault(
                    f"column {name[:60]}",
                    "is not in the DataFrame",
                    f"it has {len(columns)} others; name one",
                )
            )
    taken = [name for name in keep if name in COLUMNS]
    if taken:
        raise UsageError(
            Fault(
                f"column {taken[0]}",
                "is also a column of the results",
                "rename it before it is kept",
            )
        )


def _schema(kept: Sequence[Any]) -> str:
    """The columns that are kept and those of the results, as Spark's DDL."""
    columns = [(field.name, field.dataType.simpleString()) for field in kept]
    return ", ".join(f"`{name}` {kind}" for name, kind in [*columns, *COLUMNS.items()])


def judge(batches: Iterable[Any], options: str, keep: Sequence[str]) -> Iterator[Any]:
    """Arrow record batches of encounters to record batches of results; what executors run.

    The last column of each batch is the encounter's JSON. It also serves wherever else record
    batches come from: DuckDB, Polars, a Parquet file.
    """
    pa = _need("pyarrow")
    handle = _handler(options)
    kinds = {"string": pa.string(), "int": pa.int32(), "array<string>": pa.list_(pa.string())}
    for batch in batches:
        # Spark hands columns on by position; the encounter's is the last that was selected.
        texts = batch.column(batch.num_columns - 1).to_pylist()
        items = [_item(f"row[{number}]", text) for number, text in enumerate(texts, 1)]
        rows = [_row(result, reason) for _, result, reason in handle.results(items)]
        columns = [batch.column(batch.schema.get_field_index(name)) for name in keep]
        for name, kind in COLUMNS.items():
            columns.append(pa.array([row.get(name) for row in rows], kinds[kind]))
        yield pa.RecordBatch.from_arrays(columns, names=[*keep, *COLUMNS])


def _item(place: str, text: Any) -> Item:
    if isinstance(text, str):
        return Item("line", place, text.encode())
    if isinstance(text, bytes):
        return Item("line", place, text)
    return Item("aside", place, b"", "the row holds no text; write the encounter as JSON")


def _row(result: Result | None, reason: str) -> dict[str, Any]:
    if result is None:
        return {"reason": reason}
    severities = [violation.severity for violation in result.violations]
    return {
        "id": result.encounter,
        "status": result.status,
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "infos": severities.count("info"),
        "rules": sorted({violation.rule for violation in result.violations}),
        "suggested": [f"{code_with_modifiers(line)} x{line.units}" for line in result.suggested],
        "questions": len(result.questions),
        "pack": result.pack.name,
        "pack_version": result.pack.version,
        "result": escaped_json(result.to_json()).decode(),
    }


def _handler(options: str) -> Singles:
    """The engine of this process for these options, built on first use."""
    key = hashlib.sha256(options.encode()).hexdigest()
    if key not in _engines:
        _engines[key] = Singles(_work_options(json.loads(options)))
    return _engines[key]


def _work_options(options: Mapping[str, Any]) -> WorkOptions:
    return WorkOptions(
        engine=EngineOptions(options["payer"], options["policies"], tuple(options["packs"])),
        formats=("ndjson",),
        read=ReadOptions(timezone=options["timezone"], setting=options["setting"]),
    )


def _need(module: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    try:
        return import_module(module)
    except ImportError:
        raise UsageError(
            Fault("ivpush.spark", f"needs {module}", "write pip install 'ivpush[spark]'")
        ) from None

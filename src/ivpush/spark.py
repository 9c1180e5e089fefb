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

from ivpush.errors import Fault, UsageError
from ivpush.writers.safe import escaped_json

if TYPE_CHECKING:
    from ivpush.batch.plan import Item
    from ivpush.batch.work import Singles
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
    for name in ("pyspark", "pyarrow", "pandas"):
        _need(name)
    for name in (column, *keep):
        if name not in df.columns:
            raise UsageError(Fault(f"column {name[:60]}", "is not in the DataFrame",
                                   f"it has {len(df.columns)} others; name one"))  # fmt: skip
    taken = [name for name in keep if name in COLUMNS]
    if taken:
        raise UsageError(Fault(f"column {taken[0]}", "is also a column of the results",
                               "rename it before it is kept"))  # fmt: skip
    options = {"payer": payer, "policies": dict(policies or {}), "packs": [str(p) for p in packs],
               "setting": setting, "timezone": timezone}  # fmt: skip
    text = json.dumps(options, sort_keys=True, default=str)
    _handler(text)  # an unfit pack or policy is told here, not by every executor
    chosen = df.select(*keep, column)
    schema = ", ".join([*(f"`{one.name}` {one.dataType.simpleString()}"
                          for one in chosen.schema.fields[: len(keep)]),
                        *(f"`{name}` {kind}" for name, kind in COLUMNS.items())])  # fmt: skip
    kept = tuple(keep)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        # Only names and text travel to the executors; the engine is built where it works.
        from ivpush.spark import judge  # noqa: PLC0415

        return judge(batches, text, kept)

    return chosen.mapInArrow(run, schema)


def judge(batches: Iterable[Any], options: str, keep: Sequence[str]) -> Iterator[Any]:
    """Arrow record batches of encounters to record batches of results; what executors run.

    The last column of each batch is the encounter's JSON. It also serves wherever else record
    batches come from: DuckDB, Polars, a Parquet file.
    """
    pa = _need("pyarrow")
    handle = _handler(options)
    kinds = {"string": pa.string(), "int": pa.int32(), "array<string>": pa.list_(pa.string())}
    for batch in batches:
        texts = batch.column(batch.num_columns - 1).to_pylist()
        items = [_item(n, text) for n, text in enumerate(texts, 1)]
        rows = [_row(result, reason) for _, result, reason in handle.results(items)]
        made = [batch.column(batch.schema.get_field_index(name)) for name in keep]
        made += [pa.array([row.get(name) for row in rows], kinds[kind])
                 for name, kind in COLUMNS.items()]  # fmt: skip
        yield pa.RecordBatch.from_arrays(made, names=[*keep, *COLUMNS])


def _item(number: int, text: Any) -> Item:
    place = f"row[{number}]"
    if isinstance(text, str):
        return "line", place, text.encode(), ""
    if isinstance(text, bytes):
        return "line", place, text, ""
    return "aside", place, b"", "the row holds no text; write the encounter as JSON"


def _row(result: Result | None, reason: str) -> dict[str, Any]:
    if result is None:
        return {"reason": reason}
    severities = [broken.severity for broken in result.violations]
    return {
        "id": result.encounter,
        "status": result.status,
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "infos": severities.count("info"),
        "rules": sorted({broken.rule for broken in result.violations}),
        "suggested": [f"{'-'.join((line.code, *line.modifiers))} x{line.units}"
                      for line in result.suggested],
        "questions": len(result.questions),
        "pack": result.pack.name,
        "pack_version": result.pack.version,
        "result": escaped_json(result.to_json()).decode(),
    }  # fmt: skip


def _handler(options: str) -> Singles:
    """The engine of this process for these options, built on first use."""
    key = hashlib.sha256(options.encode()).hexdigest()
    if key not in _engines:
        from ivpush.batch.plan import EngineOptions, WorkOptions  # noqa: PLC0415
        from ivpush.batch.work import Singles  # noqa: PLC0415
        from ivpush.readers import ReadOptions  # noqa: PLC0415

        given = json.loads(options)
        engine = EngineOptions(given["payer"], given["policies"], tuple(given["packs"]))
        read = ReadOptions(given["timezone"], given["setting"])
        _engines[key] = Singles(WorkOptions(engine, ("ndjson",), read))
    return _engines[key]


def _need(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    try:
        return import_module(name)
    except ImportError:
        raise UsageError(Fault("ivpush.spark", f"needs {name}",
                               "write pip install 'ivpush[spark]'")) from None  # fmt: skip

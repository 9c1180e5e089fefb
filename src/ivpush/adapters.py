"""Results in the forms of others, as plain Python data: FHIR, SARIF and rows of a table.

For programs that hold results already; whoever reads and writes files has ``ivpush check`` and
``ivpush.batch``. Each function hands on what the writer of that format writes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from ivpush._version import __version__
from ivpush.contract.encounter import Encounter
from ivpush.contract.result import Result
from ivpush.errors import require_kind
from ivpush.pack.pack import Pack
from ivpush.writers import WriteOptions, csv, fhir, sarif

__all__ = ["to_operation_outcome", "to_rows", "to_sarif"]


def to_operation_outcome(result: Result) -> dict[str, Any]:
    """A result as a FHIR R4 OperationOutcome: its findings, open questions, unjudged rules."""
    _require(result)
    return fhir.outcome(result)


def to_sarif(results: Result | Iterable[Result], pack: Pack) -> dict[str, Any]:
    """The findings of results as one log of SARIF 2.1.0.

    ``pack`` is the engine's, ``engine.pack``: the log describes its rules. The findings name their
    encounters and lines, and no file.
    """
    require_kind("pack", pack, Pack, "give engine.pack")
    out = io.BytesIO()
    writer = sarif.Writer(out, WriteOptions(pack, __version__))
    for result in [results] if isinstance(results, Result) else results:
        _require(result)
        writer.add(result)
    writer.close()
    log: dict[str, Any] = json.loads(out.getvalue())
    return log


def to_rows(
    result: Result, encounter: Encounter | None = None
) -> list[dict[str, str | int | None]]:
    """A result as rows with the columns of the format csv, told apart by ``kind``.

    Every row has every column but ``place``; what it does not say is None. A result does not hold
    the codes that were billed: given the encounter, rows of findings name them. Texts stand as they
    are: write them to a spreadsheet by ``ivpush check --format csv``, which keeps formulas out.
    """
    _require(result)
    billed = encounter.lines if encounter is not None else None
    codes = {line.number: line.code for line in billed or ()}
    columns = [column for column in csv.COLUMNS if column != "place"]
    rows = []
    for row in csv.rows(result, codes):
        row["encounter"] = result.encounter
        # In a file an empty cell says that there is nothing.
        rows.append({column: row.get(column, "") or None for column in columns})
    return rows


def _require(result: object) -> None:
    require_kind("result", result, Result, "give what Engine.check gives")

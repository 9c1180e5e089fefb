"""The totals of a run: as text for the end of it, as JSON and as CSV.

``ivpush check`` prints ``summary`` at the end of a run, and the whole with ``--statistics``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ivpush.claim.statistics import NO_PAYER
from ivpush.plural import counted
from ivpush.writers.csv import harmless
from ivpush.writers.safe import as_json, visible

if TYPE_CHECKING:
    from ivpush.claim.statistics import Statistics

__all__ = ["FORMATS", "as_data", "outdated", "summary"]

_SEVERITIES = {"error": "error", "warning": "warning", "info": "note"}
_SIDES = {
    "missed": "missed: charges that the chart supports, but the claim lacks",
    "unsupported": "unsupported: charges that the chart does not support",
}
_COLUMNS = ("of", "name", "severity", "count", "encounters", "amount")


def summary(statistics: Statistics) -> Iterator[str]:
    """The totals that end a run of several encounters, a line each."""
    checked = statistics.statuses.total()
    if checked:
        statuses = statistics.statuses
        yield (
            f"{counted(checked, 'encounter')}: {statuses['clean']:,} clean, "
            f"{statuses['violations']:,} with errors, {statuses['needs_chart']:,} need the chart; "
            + ", ".join(
                counted(statistics.severities[severity], word)
                for severity, word in _SEVERITIES.items()
            )
        )
    yield from _charges(statistics)


def outdated(statistics: Statistics) -> Iterator[str]:
    """What is said once a run of tables that are older than what was checked by them."""
    if statistics.outdated:
        kinds = ", ".join(sorted(statistics.outdated))
        late = counted(max(statistics.outdated.values()), "encounter")
        yield (
            f"the newest tables of this pack ({kinds}) are of an earlier quarter than {late}; "
            "import newer ones with ivpush tables import"
        )


def _charges(statistics: Statistics) -> Iterator[str]:
    for side, title in _SIDES.items():
        units = statistics.units[side]
        if not units:
            continue
        without = statistics.units[f"{side} without charge"]
        amount = statistics.amounts.get(side)
        parts = [] if amount is None else [f"{amount:,.2f}"]
        if without:
            parts.append(f"{counted(without, 'unit')} without a charge")
        yield f"{title}: {counted(units, 'unit')} ({', '.join(parts)})"


def as_data(statistics: Statistics) -> dict[str, Any]:
    """The totals as plain JSON-like data, the most frequent first."""
    return {
        "encounters": dict(statistics.statuses),
        "findings": {name: statistics.severities[name] for name in _SEVERITIES},
        "rules": _rules(statistics),
        "payers": _payers(statistics),
        "charges": {side: _charge(statistics, side) for side in _SIDES},
        "set_aside": [
            {"reason": visible(reason), "records": count}
            for reason, count in statistics.reasons.most_common()
        ],
        "outdated_tables": dict(statistics.outdated),
    }


def _rules(statistics: Statistics) -> list[dict[str, Any]]:
    rows = []
    # By count, and rules in order where they are equal, so that equal runs are equal bytes.
    for key, count in sorted(statistics.findings.items(), key=lambda item: (-item[1], item[0])):
        rule, name, severity = key.split()
        encounters = statistics.encounters[key]
        row = {"rule": rule, "name": name, "severity": severity, "findings": count}
        rows.append({**row, "encounters": encounters})
    return rows


def _payers(statistics: Statistics) -> list[dict[str, Any]]:
    payers: dict[str, dict[str, int]] = {}
    for key, count in sorted(statistics.payers.items()):
        payer, _, what = key.rpartition(" ")
        payers.setdefault(payer, {})[what] = count
    return [
        {"payer": None if payer == NO_PAYER else visible(payer), **counts}
        for payer, counts in payers.items()
    ]


def _charge(statistics: Statistics, side: str) -> dict[str, Any]:
    amount = statistics.amounts.get(side)
    return {
        "units": statistics.units[side],
        "units_without_charge": statistics.units[f"{side} without charge"],
        "amount": None if amount is None else f"{amount:.2f}",
    }


def _as_text(statistics: Statistics) -> str:
    data = as_data(statistics)
    rows = [*summary(statistics), *outdated(statistics)]
    for severity, word in _SEVERITIES.items():
        rules = [row for row in data["rules"] if row["severity"] == severity]
        if rules:
            rows += ["", f"{word.upper()}S"]
            rows += [
                f"  {row['findings']:>9,}  {row['rule']} {row['name']} "
                f"(in {counted(row['encounters'], 'encounter')})"
                for row in rules
            ]
    if data["payers"]:
        rows += ["", "PAYERS", *map(_payer_row, data["payers"])]
    if data["set_aside"]:
        rows += ["", "SET ASIDE"]
        rows += [f"  {row['records']:>9,}  {row['reason']}" for row in data["set_aside"]]
    return "\n".join(rows) + "\n"


def _payer_row(row: Mapping[str, Any]) -> str:
    name = row["payer"] or "no payer's overlay"
    counts = ", ".join(
        counted(row.get(severity, 0), word) for severity, word in _SEVERITIES.items()
    )
    return f"  {row['encounters']:>9,}  {name}: {counts}"


def _as_json(statistics: Statistics) -> str:
    return as_json(as_data(statistics)).decode() + "\n"


def _as_csv(statistics: Statistics) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    for row in _table(as_data(statistics)):
        table.writerow({**row, "name": harmless(row["name"])})
    return out.getvalue()


def _table(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every total as a row of one table, told apart by ``of``."""
    for status, count in data["encounters"].items():
        yield {"of": "status", "name": status, "encounters": count}
    for row in data["rules"]:
        yield {
            "of": "rule",
            "name": f"{row['rule']} {row['name']}",
            "severity": row["severity"],
            "count": row["findings"],
            "encounters": row["encounters"],
        }
    for row in data["payers"]:
        for severity in _SEVERITIES:
            yield {
                "of": "payer",
                "name": row["payer"] or "",
                "severity": severity,
                "count": row.get(severity, 0),
                "encounters": row["encounters"],
            }
    for side, charge in data["charges"].items():
        yield {"of": "charges", "name": side, "count": charge["units"], "amount": charge["amount"]}
    for row in data["set_aside"]:
        yield {"of": "set aside", "name": row["reason"], "count": row["records"]}


FORMATS: Mapping[str, Callable[[Statistics], str]] = {
    "text": _as_text,
    "json": _as_json,
    "csv": _as_csv,
}
"""How the totals may be written."""

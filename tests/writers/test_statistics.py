"""The totals of a run as people, programs and spreadsheets read them."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

from ivpush.claim.statistics import Statistics
from ivpush.writers.statistics import FORMATS, outdated, summary


def totals() -> Statistics:
    statistics = Statistics(amounts={"missed": Decimal("1234.5")})
    statistics.statuses.update(clean=3, violations=1)
    statistics.severities.update(error=2, info=1)
    statistics.findings.update({"IVP101 several-initials error": 2, "IVP723 no-diagnosis info": 1})
    statistics.encounters.update(
        {"IVP101 several-initials error": 1, "IVP723 no-diagnosis info": 1}
    )
    statistics.payers.update(
        {"- encounters": 3, "=cmd encounters": 1, "=cmd error": 2, "- info": 1}
    )
    statistics.units.update({"missed": 3, "missed without charge": 1})
    statistics.outdated.update({"ptp until 2024-09-30": 4, "mue until 2026-12-31": 4})
    statistics.put_aside("lines[].units: is missing")
    return statistics


def test_the_end_of_a_run_is_a_few_lines() -> None:
    assert list(summary(totals())) == [
        "4 encounters: 3 clean, 1 with errors, 0 need the chart; 2 errors, 0 warnings, 1 note",
        "missed: charges that the chart supports, but the claim lacks: "
        "3 units (1,234.50, 1 unit without a charge)",
    ]
    (said,) = outdated(totals())
    assert (
        "(mue until 2026-12-31, ptp until 2024-09-30) are of an earlier quarter than 4 encounters"
        in said
    )


def test_nothing_counted_is_nothing_said() -> None:
    assert [*summary(Statistics()), *outdated(Statistics())] == []


def test_text_has_rules_by_count_payers_and_reasons() -> None:
    text = FORMATS["text"](totals())
    assert "ERRORS\n          2  IVP101 several-initials (in 1 encounter)\n" in text
    assert "NOTES\n          1  IVP723 no-diagnosis (in 1 encounter)\n" in text
    assert "  no payer's overlay: 0 errors, 0 warnings, 1 note\n" in text
    assert "SET ASIDE\n          1  lines[].units: is missing\n" in text


def test_json_has_the_same_totals() -> None:
    data = json.loads(FORMATS["json"](totals()))
    assert data["encounters"] == {"clean": 3, "violations": 1}
    assert data["findings"] == {"error": 2, "warning": 0, "info": 1}
    assert data["rules"][0] == {
        "rule": "IVP101",
        "name": "several-initials",
        "severity": "error",
        "findings": 2,
        "encounters": 1,
    }
    assert {row["payer"] for row in data["payers"]} == {None, "=cmd"}
    assert data["charges"]["missed"] == {
        "units": 3,
        "units_without_charge": 1,
        "amount": "1234.50",
    }
    assert data["set_aside"] == [{"reason": "lines[].units: is missing", "records": 1}]


def test_csv_is_one_table_in_which_nothing_is_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](totals()))))
    assert {row["of"] for row in rows} == {"status", "rule", "payer", "charges", "set aside"}
    assert not any(row["name"].startswith("=") for row in rows)
    assert sum(int(row["count"]) for row in rows if row["of"] == "rule") == 3

"""Results as FHIR, SARIF and rows: what the writers write, without a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from jsonschema import Draft4Validator

from ivpush import UsageError
from ivpush.adapters import to_operation_outcome, to_rows, to_sarif
from ivpush.testing import chart
from ivpush.writers.csv import COLUMNS
from tests.shipped import ENGINE

VISIT = chart(
    "ketorolac IV push 10:00-10:02",
    "normal saline IV infusion 10:00-10:10",
    "iron sucrose 200 mg IV infusion 11:00",
    lines=["96360", "96375 x4"],
)
RESULT = ENGINE.check(VISIT)
SCHEMA = json.loads(
    (Path(__file__).parent / "data/sarif/sarif-2.1.0-rtm.5.json").read_text("utf-8")
)


def test_an_outcome_holds_every_finding() -> None:
    outcome = to_operation_outcome(RESULT)
    assert OperationOutcome.model_validate(outcome)
    told = [
        coding["code"]
        for issue in outcome["issue"]
        for coding in issue["details"].get("coding", ())
    ]
    rules = {each.rule for each in RESULT.violations} | {each.rule for each in RESULT.unjudged}
    assert rules and rules <= set(told)


def test_a_log_holds_the_findings_of_all_results_and_no_file() -> None:
    clean = ENGINE.check(chart("ketorolac IV push 10:00-10:02", lines=["96374"]))
    log = to_sarif([RESULT, clean], ENGINE.pack)
    assert list(Draft4Validator(SCHEMA).iter_errors(log)) == []
    (run,) = log["runs"]
    rules = [each.rule for result in (RESULT, clean) for each in result.violations]
    assert [each["ruleId"] for each in run["results"]] == rules
    assert not any("physicalLocation" in each["locations"][0] for each in run["results"])
    assert to_sarif(RESULT, ENGINE.pack) == to_sarif([RESULT], ENGINE.pack)


def test_rows_have_every_column_and_name_what_was_billed() -> None:
    rows = to_rows(RESULT, VISIT)
    assert all(list(row) == [column for column in COLUMNS if column != "place"] for row in rows)
    kinds = [row["kind"] for row in rows]
    assert kinds.count("suggested") == len(RESULT.suggested) > 0
    assert kinds.count("violation") == len(RESULT.violations) > 0
    assert kinds.count("question") == len(RESULT.questions) > 0
    billed = {line.number: line.code for line in VISIT.lines or ()}
    on_lines = [row for row in rows if row["kind"] == "violation" and row["line"] is not None]
    assert on_lines and all(row["code"] == billed[int(row["line"] or 0)] for row in on_lines)
    bare = [row for row in to_rows(RESULT) if row["kind"] == "violation"]
    assert bare and all(row["code"] is None for row in bare)


@pytest.mark.parametrize(
    ("adapter", "arguments"),
    [
        (to_operation_outcome, ({},)),
        (to_rows, (VISIT,)),
        (to_sarif, ([{}], ENGINE.pack)),
        (to_sarif, (RESULT, ENGINE)),
    ],
)
def test_what_is_no_result_is_refused(adapter: Any, arguments: Any) -> None:
    with pytest.raises(UsageError, match=r"(result|pack): is of the type"):
        adapter(*arguments)

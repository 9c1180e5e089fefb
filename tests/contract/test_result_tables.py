"""The tables of results follow from the result's own records."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from ivpush import Encounter
from ivpush.contract.result import Violation
from ivpush.contract.result_tables import RESULT_COLUMNS, result_columns, result_rows
from ivpush.testing import samples
from tests.shipped import ENGINE

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_a_row_holds_exactly_its_columns() -> None:
    drawn = [Encounter.model_validate_json(line) for line in samples.lines(3, 20)]
    stated = [
        Encounter.model_validate_json((EXAMPLES / f"{name}.json").read_bytes())
        for name in ("missing-stop-time", "same-drug-repeat")
    ]
    filled = set()
    for encounter in (*drawn, *stated):
        for table, rows in result_rows(ENGINE.check(encounter)).items():
            names = {column.name for column in result_columns(table)}
            assert all(row.keys() == names for row in rows)
            filled |= {table} if rows else set()
    assert filled == RESULT_COLUMNS.keys() - {"set_aside", "notes"}


def test_a_column_has_the_kind_that_the_record_states() -> None:
    columns = {column.name: column for column in RESULT_COLUMNS["violations"]}
    assert columns.keys() == {field.name for field in fields(Violation)} - {"edit"}
    assert columns["line"].kind == "whole"
    assert (columns["cites"].kind, columns["cites"].items) == ("list", "text")
    assert columns["severity"].kind == "text"

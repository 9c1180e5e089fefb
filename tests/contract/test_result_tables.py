"""The tables of results follow from the result's own records."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest

from ivpush import Encounter
from ivpush.contract.result import Violation
from ivpush.contract.result_tables import (
    RESULT_COLUMNS,
    arrow_table,
    result_columns,
    result_rows,
)
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


def test_each_table_has_the_columns_of_its_record() -> None:
    names = {table: [column.name for column in RESULT_COLUMNS[table]] for table in RESULT_COLUMNS}
    stamp = ["pack", "pack_version", "payer", "in_force_on"]
    assert names["encounters"] == ["status", *stamp]
    # One name must not hold two kinds: what a question misses is a text, what a rule lacks a list.
    assert names["questions"] == ["administration", "missing", "who", "ask", "answers"]
    assert names["unjudged"] == ["rule", "lacks"]
    assert names["lines"] == ["number", "status", "suggested"]
    assert names["suggested"][:3] == ["position", "code", "units"]
    assert {"number", "code", "units", "charge"} <= set(names["corrected"])
    assert not [name for name in names["corrected"] if name.startswith("encounter")]


def test_answers_are_json_that_people_can_read() -> None:
    result = ENGINE.check((EXAMPLES / "missing-stop-time.json").read_text("utf-8"))
    question = replace(result.questions[0], ask="Dé stop?")
    answer = replace(question.answers[0], suggested=(), changes="débit")
    asked = replace(result, questions=(replace(question, answers=(answer,)),))
    (row,) = result_rows(asked)["questions"]
    answers = row["answers"]
    assert isinstance(answers, str) and "débit" in answers
    assert json.loads(answers) == asked.to_dict()["questions"][0]["answers"]


def test_an_arrow_table_has_its_columns_and_kinds_whatever_the_rows_hold() -> None:
    pytest.importorskip("pyarrow")
    kinds: dict[str, str] = {}
    for name in ("violations", "corrected"):
        rows = iter([{"line": 1, "cites": ["a"], "charge": Decimal("1.5")}])
        table = arrow_table(rows, result_columns(name))
        assert table.schema.names == [column.name for column in result_columns(name)]
        kinds |= {column: str(table.schema.field(column).type) for column in table.schema.names}
    assert kinds["line"] == "int64"
    assert kinds["message"] == "string"
    assert kinds["cites"].startswith("list<") and "string" in kinds["cites"]
    assert kinds["charge"] == "decimal128(15, 6)"  # as many digits as the contract takes
    assert table.to_pylist()[0]["charge"] == Decimal("1.5")

"""The table of findings: a row a finding, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from ivpush import Encounter
from ivpush.writers.csv import COLUMNS, Writer
from tests.writers.works import ALL, CLEAN, HOSTILE, WRONG, engine, hostile, written

TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def table(*records: Any, place: str = "f") -> list[dict[str, str]]:
    raw = written(Writer, *records, place=place).decode()
    return list(csv.DictReader(io.StringIO(raw, newline=""), strict=True))


def test_every_finding_has_its_row() -> None:
    result = engine().check(Encounter.model_validate(ALL))
    rows = table(ALL)
    kinds = [one["kind"] for one in rows]
    assert kinds[0] == "encounter" and rows[0]["status"] == result.status
    assert kinds.count("suggested") == len(result.suggested) > 0
    assert kinds.count("not_billable") == len(result.not_billable) > 0
    assert kinds.count("violation") == len(result.violations) > 0
    assert kinds.count("question") == len(result.questions) > 0
    assert len(rows) == 1 + sum(
        kinds.count(one) for one in ("suggested", "not_billable", "violation", "question")
    )
    assert {one["encounter"] for one in rows} == {"all"}
    assert {one["place"] for one in rows} == {"f:1"}


def test_a_violation_carries_the_billed_code_and_its_denial() -> None:
    found = engine().check(Encounter.model_validate(ALL)).violations
    rows = [one for one in table(ALL) if one["kind"] == "violation"]
    codes = {1: "96375", 4: "96365"}
    for row, one in zip(rows, found, strict=True):
        assert row["rule"] == one.rule
        assert row["line"] == ("" if one.line is None else str(one.line))
        assert row["code"] == ("" if one.line is None else codes[one.line])
        assert (row["carc"], row["rarc"]) == (one.carc or "", one.rarc or "")


def test_a_clean_encounter_is_not_lost() -> None:
    assert [one["encounter"] for one in table(CLEAN, WRONG) if one["kind"] == "encounter"] == [
        "clean",
        "wrong",
    ]


def test_nothing_read_is_a_header() -> None:
    assert written(Writer) == (",".join(COLUMNS) + "\r\n").encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_and_no_row_is_forged(text: str) -> None:
    rows = table(hostile(text), place=text)
    assert len(rows) == len(table(hostile("plain")))
    for row in rows:
        for cell in row.values():
            assert not cell.lstrip(" ").startswith(TRIGGERS)
            assert cell.isprintable()
    if text.startswith(TRIGGERS) and text.isprintable():
        assert rows[0]["encounter"] == "'" + text


def test_standard_input_is_no_formula() -> None:
    assert table(CLEAN, place="-")[0]["place"] == "stdin:1"


def test_our_own_numbers_stay_numbers() -> None:
    for row in table(ALL):
        assert row["line"] == "" or row["line"].isdigit()
        assert row["units"] == "" or row["units"].isdigit()


@pytest.mark.parametrize("text", ["-100000480", "+5", "-1.5"])
def test_an_id_that_is_a_plain_number_stays_a_key(text: str) -> None:
    assert table(hostile(text))[0]["encounter"] == text


@pytest.mark.parametrize("text", ["-1+1", "+1.5.2", "-٣", "--1", "-1e", "-"])
def test_what_only_resembles_a_number_is_text(text: str) -> None:
    assert table(hostile(text))[0]["encounter"] == "'" + text

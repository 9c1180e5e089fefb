"""A result in words and as a table."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ivpush import Result
from tests.shipped import ENGINE
from tests.visits import check, drip, line, push


def faulty() -> Result:
    return check(push("a1", "10:00"), push("a2", "11:00"), lines=[line(1, "96365")])


def test_it_says_all_that_the_result_holds() -> None:
    result = faulty()
    text = str(result)
    assert text == result.text()
    assert text.startswith(f"{result.encounter}: violations; ")
    for suggested in result.suggested:
        assert f"{suggested.code} x {suggested.units}: {suggested.because}" in text
    for violation in result.violations:
        assert f"{violation.rule} {violation.name}: {violation.message} -> {violation.fix}" in text
    assert result.corrected is not None
    assert all(f"{each.code} x {each.units}" in text for each in result.corrected)


def test_questions_and_what_is_withheld_are_said() -> None:
    result = check(drip("a1", "10:00"), lines=[line(1, "96365")])
    assert result.questions
    text = str(result)
    assert all(f"{each.ask} (ask {each.who})" in text for each in result.questions)
    assert result.withheld is not None and result.withheld in text


def test_one_is_not_said_as_several() -> None:
    result = faulty()
    for count in (0, 1, 2):
        few = replace(result, violations=result.errors[:1] * count)
        words = {0: "0 errors", 1: "1 error,", 2: "2 errors"}
        assert words[count] in str(few)


def test_the_table_of_a_notebook_is_escaped() -> None:
    record: dict[str, Any] = json.loads(faulty().to_json())
    record["encounter"] = "<script>alert(1)</script>"
    html = Result.from_json(json.dumps(record))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<tr>") == len(record["violations"]) + 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "Bill: not known yet"),
        ({"lines": [{"number": 1, "code": "96375", "units": 1}]}, "Bill: not known yet"),
        ({"administrations": []}, "Bill: nothing"),
        ({"administrations": [], "lines": []}, "Bill: nothing"),
    ],
)
def test_without_a_chart_a_notebook_never_says_to_bill_nothing(
    more: dict[str, Any], said: str
) -> None:
    record = {"id": "E", "setting": "facility", "date": "2026-03-02", **more}
    assert said in ENGINE.check(record)._repr_html_()

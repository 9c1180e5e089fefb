"""A result in words and as a table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ivpush import InputError, Result, UsageError
from ivpush.contract.result import PackLayer, PackStamp, Severity, Source
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
        ({"lines": [{"number": 1, "code": "99213", "units": 1}]}, "Bill: not known yet"),
        ({"administrations": []}, "Bill: nothing"),
        (
            {"administrations": [], "lines": [{"number": 1, "code": "96375", "units": 1}]},
            "Bill: nothing",
        ),
        ({"administrations": [], "lines": []}, "Bill: nothing"),
    ],
)
def test_without_a_chart_a_notebook_never_says_to_bill_nothing(
    more: dict[str, Any], said: str
) -> None:
    record = {"id": "E", "setting": "facility", "date": "2026-03-02", **more}
    assert said in ENGINE.check(record)._repr_html_()


def test_a_stamp_names_each_pack_by_its_version_or_the_beginning_of_its_hash() -> None:
    layers = (PackLayer("base", "1.2", "a" * 64), PackLayer("ours", None, "0123456789abcdef"))
    stamp = PackStamp(layers, None, None, {})
    assert (stamp.name, stamp.version) == ("base+ours", "1.2+0123456789ab")


def test_a_source_says_what_it_states() -> None:
    source = Source("NCCI", "CMS", "2026 Q1", None, date(2026, 1, 2))
    assert str(source) == "NCCI, CMS, 2026 Q1"
    assert str(replace(source, url="https://cms.gov")) == "NCCI, CMS, 2026 Q1, https://cms.gov"


def test_findings_are_told_by_severity_and_by_line() -> None:
    result = faulty()
    one = result.violations[0]
    places: list[tuple[Severity, int | None]] = [("error", 1), ("warning", None), ("info", 1)]
    mixed = replace(
        result,
        violations=tuple(
            replace(one, severity=severity, line=number) for severity, number in places
        ),
    )
    told = (mixed.errors, mixed.warnings, mixed.notes)
    assert [[each.severity for each in found] for found in told] == [
        ["error"],
        ["warning"],
        ["info"],
    ]
    by_line = {number: len(found) for number, found in mixed.by_line().items()}
    assert by_line == {1: 2, None: 1}
    assert "the encounter: warning" in str(mixed) and "line 1: error" in str(mixed)
    html = mixed._repr_html_()
    assert "<tr><td>1</td><td>error</td>" in html and "<tr><td></td><td>warning</td>" in html


@pytest.mark.parametrize("status", ["clean", "needs_chart", "violations"])
def test_only_a_clean_result_is_ok(status: Any) -> None:
    assert replace(faulty(), status=status).ok is (status == "clean")


def test_documents_hold_the_names_of_the_contract() -> None:
    """``from``, ``to`` and ``if``, which Python takes for itself."""
    result = check(drip("a1", "10:00"))
    answers = result.to_dict()["questions"][0]["answers"]
    assert all("if" in answer and "when" not in answer for answer in answers)
    assert json.loads(result.to_json()) == result.to_dict()
    assert Result.from_json(result.to_json()) == result
    assert result.to_dict()["schema"] == 1
    assert "make_visit" not in result.to_dict()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("7", "the result"),
        ("{", "the result"),
        (json.dumps({"encounter": "E", "suggested": [{"units": "many"}]}), "suggested[0].units"),
    ],
)
def test_what_is_no_result_is_refused_at_its_place(text: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        Result.from_json(text)
    assert f"{place}: is not what a result holds" in str(caught.value)
    assert "many" not in str(caught.value)


def test_a_result_that_is_read_back_is_drawn_where_it_holds_its_visit() -> None:
    record = {
        "id": "E",
        "setting": "facility",
        "administrations": [push("a1", "10:00", "10:05")],
    }
    kept = Result.from_json(ENGINE.check(record, visit=True).to_json())
    assert "<svg" in kept.timeline().html() and "<svg" in kept._repr_html_()
    bare = Result.from_json(ENGINE.check(record).to_json())
    assert "<svg" not in bare._repr_html_()
    assert "<svg" in ENGINE.check(record)._repr_html_()
    with pytest.raises(UsageError, match="holds no chart to draw"):
        bare.timeline()


def test_a_drawing_has_the_charts_own_words_only_where_asked() -> None:
    record = {
        "id": "E",
        "setting": "facility",
        "administrations": [push("a1", "10:00", "10:05", drug="mother's own mixture")],
    }
    result = ENGINE.check(record)
    assert "mixture" not in result.timeline().html()
    assert "mixture" in result.timeline(show_text=True).html()


def test_of_nothing_given_nothing_is_drawn() -> None:
    record = {"id": "E", "setting": "facility", "date": "2026-03-02", "administrations": []}
    assert "<svg" not in ENGINE.check(record)._repr_html_()


def test_what_to_send_instead_is_said_where_the_claim_is_wrong() -> None:
    """A claim that is right already is told by its status."""
    result = faulty()
    assert result.corrected
    sent = str(replace(result, corrected=result.corrected[:1])).partition("SEND INSTEAD\n  ")[2]
    assert sent.startswith(result.corrected[0].code)
    assert "SEND INSTEAD\n  nothing" in str(replace(result, corrected=()))
    assert "SEND INSTEAD\n  nothing" in str(replace(result, corrected=None, withheld=None))
    assert "SEND INSTEAD" not in str(replace(result, violations=()))

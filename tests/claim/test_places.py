"""What stands on the claim by its place: visits, port flushes, types of bill, who is paid where."""

from __future__ import annotations

import pytest

from ivpush.contract.result import Result
from tests.shipped import ENGINE
from tests.visits import check, dose, line, push, visit

FLUSH = dose("f", "10:00", None, drug="heparin flush", purpose="flush", access="port")


def sent(result: Result) -> list[str] | None:
    """The lines of the corrected claim, with their modifiers."""
    if result.corrected is None:
        return None
    return ["-".join((each.code, *each.modifiers)) for each in result.corrected]


def alone(*lines: dict[str, object], **facts: object) -> Result:
    """The result of a claim without a chart."""
    whole = visit(lines=list(lines), **facts)
    return ENGINE.check(whole.model_copy(update={"administrations": None}))


@pytest.mark.parametrize("payer", [None, "medicare"])
@pytest.mark.parametrize("setting", ["facility", "professional"])
def test_the_modifier_of_a_separate_visit_is_asked_for_and_never_added(
    setting: str, payer: str | None
) -> None:
    shot = dose("a", "10:00", None, drug="ketorolac", route="IM", method="injection")
    result = check(shot, setting=setting, payer=payer, lines=[line(1, "99213"), line(2, "96372")])
    assert [each.line for each in result.violations if each.severity == "error"] == [1]
    assert "99213-25" not in [
        "-".join((each.code, *each.modifiers)) for each in result.corrected or ()
    ]


def test_a_nurse_visit_goes_on_a_day_that_holds_add_ons_alone() -> None:
    lines = [
        line(1, "96365", date="2026-03-02"),
        line(2, "96367", date="2026-03-03"),
        line(3, "99211", date="2026-03-03"),
        line(4, "99211", date="2026-03-04"),
    ]
    result = alone(*lines, setting="professional")
    errors = [each.line for each in result.violations if each.severity == "error"]
    assert errors == [2, 3]  # the add-on too: its primary stands on another date


def test_a_port_flush_beside_a_visit_is_neither_suggested_nor_kept() -> None:
    assert [each.code for each in check(FLUSH).suggested] == ["96523"]
    beside = check(FLUSH, setting="professional", lines=[line(1, "96523"), line(2, "99213")])
    assert beside.suggested == ()
    assert sent(beside) == ["99213"]


def test_what_a_flush_was_bundled_with_stays() -> None:
    lines = [line(1, "96523"), line(2, "99213")]
    assert sent(alone(*lines, setting="professional")) == ["99213"]


@pytest.mark.parametrize("bill", ["721", "811", "181", "111", "0211", "322"])
def test_a_bill_that_does_not_pay_the_line_is_sent_without_it(bill: str) -> None:
    assert sent(alone(line(1, "96374"), type_of_bill=bill)) == []


@pytest.mark.parametrize("bill", ["711", "0771"])
def test_a_clinic_that_is_paid_by_the_visit_reports_the_line(bill: str) -> None:
    result = check(
        push("a", "10:00"), type_of_bill=bill, lines=[line(1, "96374"), line(2, "99213")]
    )
    assert [each.code for each in result.suggested] == ["96374"]
    assert {each.severity for each in result.violations} <= {"info"}


def test_a_facility_place_voids_the_code_and_not_the_claim() -> None:
    lines = [line(1, "99214", modifiers=["25"]), line(2, "96372"), line(3, "96450")]
    result = alone(*lines, setting="professional", place_of_service="22")
    assert sent(result) == ["99214-25", "96450"]


def test_a_hospital_visit_without_its_modifier_is_an_error_for_medicare() -> None:
    lines = [line(1, "99284"), line(2, "96374")]
    for payer, severity in ((None, "warning"), ("medicare", "error")):
        result = alone(*lines, payer=payer, type_of_bill="131")
        assert [each.severity for each in result.violations if each.line == 1] == [severity]

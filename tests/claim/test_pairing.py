"""Lines that bill nothing as suggested are changed into what they are most like."""

from __future__ import annotations

from typing import Any

from tests.visits import DAY, check, drip, line, push

CHART = (drip("a", "10:00", "11:00"), push("b", "11:05"), push("c", "11:10"))


def corrected(*lines: dict[str, Any], chart: tuple[dict[str, Any], ...] = CHART) -> list[str]:
    """The codes of the claim to send instead, in line order."""
    result = check(*chart, lines=list(lines))
    assert result.corrected is not None
    return [row.code for row in result.corrected]


def replacements(*lines: dict[str, Any], chart: tuple[dict[str, Any], ...] = CHART) -> list[Any]:
    """The suggestions that lines stand for or should be changed into, by number."""
    return [list(verdict.suggested) for verdict in check(*chart, lines=list(lines)).lines]


def test_a_line_becomes_the_suggestion_of_its_own_technique() -> None:
    assert corrected(line(1, "96409"), line(2, "96413")) == ["96375", "96365"]


def test_of_two_lines_that_are_alike_one_suggestion_goes_to_the_first() -> None:
    first, second = replacements(line(1, "96413"), line(2, "96413"))
    assert first == [0]
    assert second != [0]


def test_what_the_biller_linked_beats_all_likeness() -> None:
    assert replacements(line(1, "96413", administrations=["b"])) == [[1]]
    assert replacements(line(1, "96413")) == [[0]]


def test_a_line_dated_in_another_encounter_is_not_changed_into_a_suggestion() -> None:
    later = "2026-03-20"
    chart = (*CHART, drip("z", f"{later}T10:00", f"{later}T11:00"))
    infusions = [
        (each.date.isoformat(), number)
        for number, each in enumerate(check(*chart).suggested)
        if each.code == "96365" and each.date is not None
    ]
    for day, number in infusions:
        assert replacements(line(1, "96413", date=day), chart=chart) == [[number]]
    assert [day for day, _ in infusions] == [DAY, later]


def test_units_too_many_are_taken_up_by_the_suggestion_that_was_billed_short() -> None:
    chart = (drip("a", "10:00", "13:00"),)
    bill = (line(1, "96365"), line(2, "96366"), line(3, "96367"))
    result = check(*chart, lines=list(bill))
    assert result.corrected is not None
    assert [(row.code, row.units) for row in result.corrected] == [("96365", 1), ("96366", 2)]

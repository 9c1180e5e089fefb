"""Billed lines find their suggestions by code, then modifier, then date, in any order."""

from __future__ import annotations

from typing import Any

from tests.visits import DAY, NEXT_DAY, check, drip, line, push

OVERNIGHT = drip("a", "22:00", f"{NEXT_DAY}T02:00")
RIGHT = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
TWO_SITES = [
    drip("a", "10:00", "11:00"),
    drip("b", "10:00", "11:00", **RIGHT),
    push("c", "11:05"),
    push("d", "11:10", site="right arm"),
]


def statuses(*administrations: dict[str, Any], lines: list[dict[str, Any]]) -> list[str]:
    """How each line compares."""
    return [verdict.status for verdict in check(*administrations, lines=lines).lines]


def test_dated_lines_of_one_code_find_their_own_day_in_any_order() -> None:
    claim = [
        line(1, "96366", 2, date=NEXT_DAY),
        line(2, "96366", 1, date=DAY),
        line(3, "96365", date=DAY),
    ]
    assert statuses(OVERNIGHT, lines=claim) == ["matched"] * 3


def test_lines_without_dates_find_their_own_modifier_in_any_order() -> None:
    claim = [
        line(1, "96375", modifiers=["XS"]),
        line(2, "96375"),
        line(3, "96365", modifiers=["XS"]),
        line(4, "96365"),
    ]
    assert statuses(*TWO_SITES, lines=claim) == ["matched"] * 4


def test_a_wrong_date_or_modifier_is_changed_and_not_missed() -> None:
    assert statuses(drip("a", "10:00", "11:00"), lines=[line(1, "96365", date=NEXT_DAY)]) == [
        "changed"
    ]
    assert statuses(drip("a", "10:00", "11:00"), lines=[line(1, "96365", modifiers=["XS"])]) == [
        "changed"
    ]


def test_one_line_without_a_date_stands_for_two_days() -> None:
    assert statuses(OVERNIGHT, lines=[line(1, "96365"), line(2, "96366", 3)]) == ["matched"] * 2


def test_a_pair_with_another_service_is_lifted_on_either_line_or_by_a_side() -> None:
    pain = push("a", "10:00", purpose="treatment")
    scan, repair = line(1, "74177", modifiers=["59"]), line(1, "12002")
    assert statuses(pain, lines=[scan, line(2, "96374")]) == ["outside", "matched"]
    assert statuses(pain, lines=[repair, line(2, "96374")]) == ["outside", "changed"]
    for modifier in ("59", "XU", "LT"):
        marked = line(2, "96374", modifiers=[modifier])
        assert statuses(pain, lines=[repair, marked]) == ["outside", "matched"]


def test_single_units_of_one_code_find_their_own_day_in_any_order() -> None:
    pushes = [push("a", "23:00"), push("b", "23:30"), push("c", f"{NEXT_DAY}T00:30")]
    claim = [
        line(1, "96375", date=NEXT_DAY),
        line(2, "96375", date=DAY),
        line(3, "96374", date=DAY),
    ]
    assert statuses(*pushes, lines=claim) == ["matched"] * 3


def test_a_line_that_takes_up_units_leaves_the_line_short_of_them_to_be_raised() -> None:
    """The second line is raised to both hours; the third is none of the chart's."""
    claim = [line(1, "96365"), line(2, "96366"), line(3, "96367")]
    result = check(drip("a", "10:00", "13:00"), lines=claim)
    assert [verdict.status for verdict in result.lines] == ["matched", "changed", "changed"]
    assert result.corrected is not None
    assert [(each.code, each.units) for each in result.corrected] == [("96365", 1), ("96366", 2)]

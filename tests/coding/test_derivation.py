"""From a chart to services: nothing gets lost, and what is denied is denied as a whole."""

from __future__ import annotations

import pytest

from tests.visits import billed, check, dose, drip, fluid, push, reasons, work

CHART = [
    drip("a", "10:00", "11:31"),
    drip("b", "10:00", "11:31", mixed_with="a"),
    push("c", "09:55"),
    push("d", "10:05", drug="drug c"),
    fluid("f", "11:35", "12:00"),
    dose("i", "12:05", None, route="IM"),
    dose("p", "12:10", None, route="PO"),
]


def test_every_administration_stands_in_a_line_or_has_a_reason() -> None:
    result = check(*CHART)
    in_lines = {key for line in result.suggested for key in line.administrations}
    assert in_lines == {"a", "b", "c", "i"}
    assert set(reasons(result)) == {"d", "f", "p"}


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0), (2, 0, 6, 4, 1, 3, 5)]
)
def test_the_order_of_a_chart_changes_nothing(order: tuple[int, ...]) -> None:
    shuffled = [CHART[index] for index in order]
    assert sorted(billed(check(*shuffled))) == sorted(billed(check(*CHART)))


def test_a_drug_follows_what_becomes_of_its_mixture() -> None:
    """The bag runs beside another that has the encounter's one concurrent infusion."""
    bags = [
        drip("a", "10:00", "12:00"),
        drip("b", "10:00", "11:00"),
        drip("c", "11:00", "12:00"),
        drip("d", "11:00", "12:00", mixed_with="c"),
    ]
    why = reasons(check(*bags))
    assert set(why) == {"c", "d"}
    assert why["c"].removeprefix("c") == why["d"].removeprefix("d")


def test_what_is_denied_as_a_whole_keeps_its_services_out() -> None:
    denied = work(*CHART, setting="professional", place_of_service="22")
    assert denied.derived.services == []
    assert len(reasons(denied.result)) == len(CHART)

"""A chart coded beside other lines: as if it were coded anew."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.coding.chart import code_chart, coded_beside
from ivpush.coding.suggestions import not_billable, suggested_lines
from tests.properties.charts import NOON, billed, chart, drip, push, whole_visits
from tests.properties.test_structure import change_a_line
from tests.shipped import ENGINE

BOOK = ENGINE.pack.book(NOON.date(), None)


def what_it_comes_to(encounter: Encounter, lines: Any = None) -> object:
    coded = code_chart(encounter, BOOK)
    if lines is not None:
        coded = coded_beside(coded, lines, BOOK)
    return (
        suggested_lines(coded.drafts, BOOK),
        not_billable(coded.derived.administrations, BOOK),
        coded.encounter.lines,
    )


@st.composite
def visits_billed_twice(draw: st.DrawFn) -> tuple[Encounter, Encounter]:
    """A visit with its claim, and the same visit with that claim changed."""
    encounter, lines = draw(whole_visits())
    other = [dict(line) for line in lines]
    for _ in range(draw(st.integers(0, 3))):
        change_a_line(draw, other)
    return billed(encounter, lines), billed(encounter, other)


@given(visits_billed_twice())
def test_a_chart_beside_other_lines_is_coded_as_if_anew(pair: tuple[Encounter, Encounter]) -> None:
    before, after = pair
    assert what_it_comes_to(before, after.lines) == what_it_comes_to(after)


def test_a_chart_is_coded_once_where_only_the_family_changes() -> None:
    encounter = chart(push("a1"), drip("a2", 60, 45))
    before = billed(encounter, [{"code": "96374", "units": 1, "modifiers": []}])
    after = billed(encounter, [{"code": "96365", "units": 1, "modifiers": []}])
    beside = billed(encounter, [{"code": "20610", "units": 1, "modifiers": []}])
    coded = code_chart(before, BOOK)
    assert coded_beside(coded, after.lines or (), BOOK).derived is coded.derived
    assert coded_beside(coded, beside.lines or (), BOOK).derived is not coded.derived

"""A chart coded beside other lines: as if it were coded anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.coding.chart import code_chart, coded_beside
from ivpush.coding.suggestions import not_billable, suggested_lines
from tests import visits
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


CLAIM = [{"code": "96374", "units": 1, "modifiers": []}]


@pytest.mark.parametrize(
    ("before", "after", "anew"),
    [
        ([], [], False),
        (["20610"], ["20610"], False),
        (["20610"], [], True),
        ([], ["20610"], True),
        # An observation stands outside of the family, and bounds the encounter.
        ([], ["G0378"], True),
        ([], ["00000"], True),
        ([], ["96365"], False),
    ],
)
def test_only_what_stands_outside_of_the_family_has_a_chart_coded_anew(
    before: list[str], after: list[str], anew: bool
) -> None:
    encounter = chart(push("a1"), drip("a2", 60, 45))

    def beside(codes: list[str]) -> Encounter:
        return billed(encounter, [*CLAIM, *({**CLAIM[0], "code": code} for code in codes)])

    coded = code_chart(beside(before), BOOK)
    again = coded_beside(coded, beside(after).lines or (), BOOK)
    assert (again.derived is not coded.derived) is anew
    assert again.encounter == beside(after)


def test_of_two_sites_any_line_may_say_which_is_unmarked() -> None:
    needed = {"separate_site_reason": "incompatible drugs"}
    charted = [visits.drip("a", "10:00", "11:00"), visits.drip("b", "10:00", "12:00", site="hand", **needed)]  # fmt: skip

    def claim(*marked: bool) -> Encounter:
        codes = ("96365", "96365", "96366")
        lines = [
            visits.line(number, code, modifiers=["XS"] if mark else [])
            for number, (code, mark) in enumerate(zip(codes, marked, strict=True), 1)
        ]
        return visits.visit(*charted, lines=lines)

    left, right = claim(False, True, True), claim(False, True, False)
    assert what_it_comes_to(left, right.lines) == what_it_comes_to(right)
    assert what_it_comes_to(left) != what_it_comes_to(right)

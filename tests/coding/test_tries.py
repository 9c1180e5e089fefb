"""How often a chart may be coded again: enough for a visit, seconds for a stay of thousands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivpush.coding.tries import most_tries


@given(st.integers(0, 500))
def test_a_visit_has_tries_for_two_missing_stops(administrations: int) -> None:
    assert most_tries(administrations) >= 120


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_larger_chart_is_coded_no_more_often(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert 24 <= most_tries(large) <= most_tries(small)


@given(st.integers(501, 2_500))
def test_a_long_stay_is_coded_within_a_bound_on_its_administrations(count: int) -> None:
    assert most_tries(count) * count <= 60_000

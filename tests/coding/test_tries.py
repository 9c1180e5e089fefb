"""How often a chart may be coded again: enough for a stay, most of a second for thousands of doses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.coding.tries import EnoughError, Tries, effort_of_claim, most_tries


@given(st.integers(0, 300))
def test_a_stay_has_tries_for_two_missing_stops_or_a_dozen_classes(administrations: int) -> None:
    assert most_tries(administrations) >= 120


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_larger_chart_is_coded_no_more_often(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert 1 <= most_tries(large) <= most_tries(small)


@given(st.integers(301, 5_000))
def test_a_long_chart_is_coded_within_a_bound_on_its_administrations(count: int) -> None:
    assert most_tries(count) * count <= 40_000
    assert effort_of_claim(count) <= 40_000


def test_tries_are_used_up_one_by_one() -> None:
    tries = Tries(2)
    tries.spend()
    tries.spend()
    with pytest.raises(EnoughError):
        tries.spend()


def test_where_fewer_are_left_than_are_needed_none_is_spent() -> None:
    tries = Tries(3)
    tries.need(3)
    assert tries.left == 3
    with pytest.raises(EnoughError):
        tries.need(4)
    with pytest.raises(EnoughError):
        tries.spend()

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


@pytest.mark.parametrize(
    ("administrations", "tries", "effort"),
    [
        (0, 12_000, 72_000),
        (1, 12_000, 72_000),
        (2, 6_000, 72_000),
        (100, 120, 72_000),
        (101, 120, 40_000),
        (333, 120, 40_000),
        (334, 119, 40_000),
        (1_000, 40, 40_000),
        (1_001, 17, 6_000),
        (5_000, 3, 6_000),
    ],
)
def test_the_bounds_are_those_that_the_page_on_assurance_promises(
    administrations: int, tries: int, effort: int
) -> None:
    """120 tries for a long stay, 40 at 1,000 doses and 3 at 5,000; a visit has more than it needs."""
    assert most_tries(administrations) == tries
    assert effort_of_claim(administrations) == effort

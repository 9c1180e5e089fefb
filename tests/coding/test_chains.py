"""What hangs on one initial service: one access and one visit, unless a need is documented."""

from __future__ import annotations

import pytest

from tests.visits import billed, check, drip, push

RIGHT = {"site": "right arm"}
NEEDED = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
FIRST = drip("a", "10:00", "11:00")
TWO_INITIALS = [("96365", 1), ("96365-XS", 1)]


def test_a_second_site_has_its_own_initial_only_where_a_need_is_documented() -> None:
    assert billed(check(FIRST, drip("b", "10:00", "11:00", **NEEDED))) == TWO_INITIALS
    unstated = check(FIRST, drip("b", "10:00", "11:00", **RIGHT))
    assert billed(unstated) == [("96365", 1), ("96368", 1)]


def test_two_lumens_of_one_line_are_one_site() -> None:
    lumens = [push("a", "10:00", lumen="one"), push("b", "10:05", lumen="two")]
    assert billed(check(*lumens)) == [("96374", 1), ("96375", 1)]


def test_a_line_put_in_anew_goes_on_with_its_chain_unless_the_policy_starts_one() -> None:
    resited = drip("b", "12:00", "13:00", resited_from="left arm", **NEEDED)
    assert billed(check(FIRST, resited)) == [("96365", 1), ("96367", 1)]
    assert billed(check(FIRST, resited, policies={"restart_new_initial": True})) == TWO_INITIALS


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        ("new_initial_with_XE", [("96374", 1), ("96374-XE", 1)]),
        ("same_chain", [("96374", 1), ("96375", 1)]),
    ],
)
def test_a_second_visit_has_its_own_initial_unless_the_policy_keeps_the_line(
    policy: str, codes: list[tuple[str, int]]
) -> None:
    visits = [push("a", "10:00", visit=1), push("b", "18:05", visit=2)]
    assert billed(check(*visits, policies={"same_line_return_visit": policy})) == codes


@pytest.mark.parametrize(
    ("start", "codes"),
    [("18:00", [("96374", 1), ("96375", 1)]), ("18:01", [("96374", 1), ("96374-XE", 1)])],
)
def test_more_than_eight_hours_apart_are_two_encounters_where_the_policy_counts_gaps(
    start: str, codes: list[tuple[str, int]]
) -> None:
    pushes = [push("a", "10:00", "10:00"), push("b", start)]
    assert billed(check(*pushes, policies={"encounter_boundary": "gap_hours"})) == codes
    assert billed(check(*pushes)) == [("96374", 1), ("96375", 1)]


def test_drips_of_two_sites_are_concurrent_only_if_the_policy_says_so() -> None:
    both = [FIRST, drip("b", "10:00", "11:00", **NEEDED)]
    concurrent = check(*both, policies={"concurrent_of_different_sites": "concurrent"})
    assert billed(check(*both)) == TWO_INITIALS
    assert billed(concurrent) == [("96365", 1), ("96368", 1)]


def test_a_dose_without_a_time_opens_no_encounter_where_the_policy_counts_gaps() -> None:
    doses = [push("a", "10:00", "10:00"), push("u"), push("b", "18:01")]
    result = check(*doses, policies={"encounter_boundary": "gap_hours"})
    assert billed(result) == [("96374", 1), ("96375", 1), ("96374-XE", 1)]

"""Administrations billed as one service, and the minutes that are hydration's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.visits import DAY, NEXT_DAY, billed, check, dated, drip, fluid, push, reasons, work

DRUG = drip("a", "10:30", "11:00")


def test_all_doses_of_one_drug_are_one_infusion_with_their_minutes_together() -> None:
    doses = [drip("a", "10:00", "10:46"), drip("b", "14:00", "14:45", drug="drug a")]
    assert billed(check(*doses)) == [("96365", 1), ("96366", 1)]


def test_minutes_in_which_one_drug_ran_twice_count_once() -> None:
    twice = [drip("a", "10:00", "11:00"), drip("b", "10:00", "11:00", drug="drug a")]
    assert billed(check(*twice)) == [("96365", 1)]


@pytest.mark.parametrize("policy", ["continue_time", "sequential_96367", "additional_hour_only"])
def test_one_drug_at_two_sites_at_once_is_one_infusion_under_every_policy(policy: str) -> None:
    """No need of the second site is documented, so that both are of one chain."""
    twice = [drip("a", "10:00", "10:40"), drip("b", "10:10", "14:00", drug="drug a", site="other")]
    result = check(*twice, policies={"repeat_same_drug_infusion": policy})
    assert billed(result) == [("96365", 1), ("96366", 3)]


@pytest.mark.parametrize(("stop", "billable"), [("10:30", False), ("10:31", True)])
def test_hydration_is_billed_from_31_minutes(stop: str, billable: bool) -> None:
    result = check(fluid("f", "10:00", stop))
    assert billed(result) == ([("96360", 1)] if billable else [])
    assert bool(reasons(result)) is not billable


@pytest.mark.parametrize(
    ("policy", "hours"), [("subtract_overlap", 1), ("deny_all", 0), ("ignore", 2)]
)
def test_minutes_that_hydration_shares_with_a_drug_count_as_the_policy_says(
    policy: str, hours: int
) -> None:
    """100 minutes, 30 of them beside the drug: 70 are left."""
    result = check(fluid("f", "10:00", "11:40"), DRUG, policies={"hydration_overlap": policy})
    assert billed(result) == [("96365", 1), *([("96361", hours)] if hours else [])]


def test_hydration_loses_no_minute_to_a_drug_of_another_line() -> None:
    other_line = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
    both = [fluid("f", "10:00", "11:00"), drip("a", "10:00", "11:00", **other_line)]
    assert billed(check(*both)) == [("96365", 1), ("96360-XS", 1)]


def test_hydration_of_no_named_line_loses_the_minutes_of_every_drug() -> None:
    both = [fluid("f", "10:00", "11:40", site=None), DRUG]
    assert billed(check(*both)) == [("96365", 1), ("96361", 1)]


def test_a_push_takes_no_minute_from_hydration() -> None:
    result = check(fluid("f", "10:00", "10:31"), push("p", "10:10", "10:12"))
    assert billed(result) == [("96374", 1), ("96361", 1)]


def test_minutes_of_no_known_time_are_added() -> None:
    def untimed(*minutes: int) -> list[tuple[str, int]]:
        doses = [drip(f"d{place}", minutes=each, drug="x") for place, each in enumerate(minutes)]
        return billed(check(*doses))

    assert untimed(46, 44) == [("96365", 1)]
    assert untimed(46, 45) == [("96365", 1), ("96366", 1)]


@pytest.mark.parametrize(
    ("fluids", "codes"),
    [
        ([fluid("f", minutes=31)], [("96360", 1)]),
        ([fluid("f", minutes=30)], []),
        ([fluid("f", minutes=15), fluid("g", minutes=16)], [("96360", 1)]),
        ([fluid("f", "10:00", "10:15"), fluid("g", minutes=16)], [("96360", 1)]),
        ([fluid("f", "10:00", "10:15"), fluid("g", minutes=15)], []),
        ([fluid("f", "10:00", "10:20"), fluid("g", "10:10", "10:30")], []),
    ],
)
def test_hydration_counts_each_minute_once_and_those_of_no_known_time_too(
    fluids: list[dict[str, Any]], codes: list[tuple[str, int]]
) -> None:
    assert billed(check(*fluids)) == codes


def test_hydration_beside_a_drug_of_no_known_time_loses_nothing() -> None:
    both = [fluid("f", "10:00", "10:31"), drip("a", minutes=40)]
    assert billed(check(*both)) == [("96365", 1), ("96361", 1)]


@pytest.mark.parametrize(("stop", "billable"), [("10:30", True), ("10:31", False)])
def test_a_payer_that_denies_a_bag_beside_a_drug_denies_it_for_one_shared_minute(
    stop: str, billable: bool
) -> None:
    both = [drip("a", "10:00", stop), fluid("f", "10:30", "12:00")]
    result = check(*both, policies={"hydration_overlap": "deny_all"})
    assert ("96361" in dict(billed(result))) is billable


def test_hydration_is_of_the_day_on_which_its_own_minutes_begin() -> None:
    drug = drip("a", "22:30", f"{NEXT_DAY}T00:10")
    result = check(drug, fluid("f", "23:00", f"{NEXT_DAY}T01:00"))
    assert dated(result) == [("96365", 1, DAY), ("96366", 1, NEXT_DAY), ("96361", 1, NEXT_DAY)]


X = {"drug": "x"}
STOPPED = {"stopped_early": "reaction"}
APART = {"repeat_same_drug_infusion": "sequential_96367"}


@pytest.mark.parametrize(
    ("chart", "policies", "decided"),
    [
        ([drip("a", "10:00", "11:00")], {}, [()]),
        (
            [drip("a", "10:00", "11:00", **X), drip("b", "14:00", "15:00", **X)],
            {},
            [("repeat_same_drug_infusion",)],
        ),
        ([drip("a", "10:00", "11:00", **X), drip("b", "11:00", "12:00", **X)], {}, [()]),
        ([fluid("f", "10:00", "11:00"), fluid("g", "14:00", "15:00")], {}, [()]),
        (
            [drip("a", "10:00", "11:00", **X), drip("b", "14:00", "15:00", **X)],
            APART,
            [(), ("repeat_same_drug_infusion",)],
        ),
        ([drip("a", "10:00", "10:10", **STOPPED)], {}, [("infusion_stopped_early",)]),
        (
            [drip("a", "10:00", "10:10", **X, **STOPPED), drip("b", "14:00", "15:00", **X)],
            {"infusion_stopped_early": "as_ordered"},
            [("infusion_stopped_early", "repeat_same_drug_infusion")],
        ),
    ],
)
def test_a_service_knows_the_policies_that_made_it_what_it_is(
    chart: list[dict[str, Any]], policies: dict[str, Any], decided: list[tuple[str, ...]]
) -> None:
    services = work(*chart, policies=policies).derived.services
    assert [service.decided_by for service in services] == decided


def test_hydration_across_midnight_is_of_the_day_on_which_it_began() -> None:
    assert dated(check(fluid("f", "23:00", f"{NEXT_DAY}T00:31"))) == [
        ("96360", 1, DAY),
        ("96361", 1, NEXT_DAY),
    ]

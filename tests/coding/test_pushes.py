"""Which pushes are new drugs, which repeat one, and which earn nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.writers.trace import trace
from tests.visits import billed, check, drip, fluid, push, reasons, work

AGAIN = {"drug": "drug a"}


def test_each_further_drug_is_one_more_sequential_push() -> None:
    pushes = [push("a", "10:00"), push("b", "10:05"), push("c", "10:10")]
    assert billed(check(*pushes)) == [("96374", 1), ("96375", 2)]


def test_a_repeat_push_is_billed_when_more_than_thirty_minutes_have_passed() -> None:
    soon = check(push("a", "10:00"), push("b", "10:30", **AGAIN))
    assert billed(soon) == [("96374", 1)]
    assert "less than 31 minutes after its last reported push" in reasons(soon)["b"]
    later = check(push("a", "10:00"), push("b", "10:31", **AGAIN))
    assert billed(later) == [("96374", 1), ("96376", 1)]


def test_a_push_of_a_drug_whose_infusion_earns_nothing_is_no_new_drug() -> None:
    together = [
        drip(name, "10:00", stop)
        for name, stop in zip("xyz", ("12:00", "11:00", "10:30"), strict=True)
    ]
    again = push("p", "12:10", drug="drug z")
    assert billed(check(*together, again)) == [
        ("96365", 1),
        ("96366", 1),
        ("96368", 1),
        ("96376", 1),
    ]
    office = check(*together, again, setting="professional")
    assert billed(office) == [("96365", 1), ("96366", 1), ("96368", 1)]


def test_an_office_bills_no_repeat_push() -> None:
    office = check(push("a", "10:00"), push("b", "11:00", **AGAIN), setting="professional")
    assert billed(office) == [("96374", 1)]
    assert "no code in this setting" in reasons(office)["b"]


def test_a_repeat_push_without_times_cannot_show_its_gap() -> None:
    untimed = check(push("a"), push("b", **AGAIN))
    assert billed(untimed) == [("96374", 1)]
    assert "without both times" in reasons(untimed)["b"]


def test_an_untimed_push_of_a_drug_that_also_infuses_is_part_of_no_bag() -> None:
    """Nothing shows that it was drawn from the bag, so no policy about that takes it."""
    both = [drip("a", "10:00", "11:00"), push("b", **AGAIN)]
    for policies in ({}, {"bolus_from_same_bag": "bundled"}):
        assert billed(check(*both, policies=policies)) == [("96365", 1), ("96376", 1)]


@pytest.mark.parametrize(
    ("measured_from", "times", "repeats"),
    [
        ("last_reported_push", ("10:00", "10:20", "10:40"), 1),
        ("previous_push", ("10:00", "10:20", "10:40"), 0),
        ("first_push", ("10:00", "10:20", "10:40"), 1),
        ("last_reported_push", ("10:00", "10:40", "11:00"), 1),
        ("previous_push", ("10:00", "10:40", "11:00"), 1),
        ("first_push", ("10:00", "10:40", "11:00"), 2),
    ],
)
def test_the_gap_is_measured_from_the_push_that_the_policy_names(
    measured_from: str, times: tuple[str, str, str], repeats: int
) -> None:
    pushes = [push(key, at, **AGAIN) for key, at in zip("abc", times, strict=True)]
    result = check(*pushes, policies={"same_drug_gap_measured_from": measured_from})
    assert dict(billed(result)).get("96376", 0) == repeats


def gaps(*administrations: dict[str, Any]) -> dict[str, str]:
    """What ``explain`` shows as the gap before each push, by its id."""
    steps = trace(work(*administrations))
    return {step.administration: step.fact for step in steps if step.about == "gap"}


def test_the_gap_shown_is_that_since_the_last_reported_push() -> None:
    since = "min since the last reported push"
    assert gaps(push("a", "10:00"), push("b", "10:45", **AGAIN)) == {"b": f"45 {since}"}
    three = [push("a", "10:00"), push("b", "10:20", **AGAIN), push("c", "10:40", **AGAIN)]
    assert gaps(*three) == {"c": f"40 {since}"}


@pytest.mark.parametrize(("first", "second"), [("10:00", "10:20"), ("10:20", "10:00")])
def test_the_gap_of_a_mixture_is_that_of_its_drug_pushed_last(first: str, second: str) -> None:
    mixture = [
        push("m", "11:00", drug="drug a"),
        push("n", "11:00", drug="drug b", mixed_with="m"),
    ]
    shown = gaps(push("a", first), push("b", second), *mixture)
    assert shown == {"m": "40 min since the last reported push"}


def test_a_mixture_repeats_too_soon_if_one_of_its_drugs_does() -> None:
    mixture = [
        push("m", "11:00", drug="drug a"),
        push("n", "11:00", drug="drug b", mixed_with="m"),
    ]
    early = check(push("a", "10:00"), push("b", "10:29"), *mixture)
    assert billed(early) == [("96374", 1), ("96375", 1), ("96376", 1)]
    late = check(push("a", "10:00"), push("b", "10:30"), *mixture)
    assert billed(late) == [("96374", 1), ("96375", 1)]


@pytest.mark.parametrize(
    ("policy", "start"),
    [("bolus_from_same_bag", "09:55"), ("push_during_infusion_same_drug", "10:30")],
)
def test_a_push_of_the_drug_that_also_infuses_is_apart_unless_the_policy_bundles_it(
    policy: str, start: str
) -> None:
    both = [push("b", start, **AGAIN), drip("a", "10:00", "11:00")]
    assert billed(check(*both)) == [("96365", 1), ("96376", 1)]
    bundled = check(*both, policies={policy: "bundled"})
    assert billed(bundled) == [("96365", 1)]
    assert "part of the infusion" in reasons(bundled)["b"]


def test_a_push_of_what_also_ran_as_hydration_is_a_new_drug() -> None:
    both = [
        fluid("f", "09:00", "10:00", drug="drug a"),
        push("p", "10:10"),
        push("b", "10:50", **AGAIN),
    ]
    assert dict(billed(check(*both))) == {"96374": 1, "96375": 1, "96361": 1}


@pytest.mark.parametrize(("first", "second"), [(None, "11:00"), ("10:00", None)])
def test_one_missing_time_leaves_the_gap_unshown(first: str | None, second: str | None) -> None:
    result = check(push("p", "09:00"), push("a", first), push("b", second, **AGAIN))
    assert dict(billed(result)) == {"96374": 1, "96375": 1}
    (why,) = reasons(result).values()
    assert "without both times" in why


BUNDLED = {"bolus_from_same_bag": "bundled"}


@pytest.mark.parametrize(
    ("start", "part"), [("09:44", False), ("09:45", True), ("10:00", True), ("10:01", False)]
)
def test_a_bolus_is_part_of_the_drip_that_begins_within_fifteen_minutes(
    start: str, part: bool
) -> None:
    result = check(push("b", start, **AGAIN), drip("a", "10:00", "11:00"), policies=BUNDLED)
    assert ("96376" not in dict(billed(result))) is part


def test_only_the_drip_of_its_own_drug_takes_a_bolus() -> None:
    chart = [push("b", "09:55", **AGAIN), drip("z", "10:00", "11:00"), drip("a", "14:00", "15:00")]
    assert "96376" in dict(billed(check(*chart, policies=BUNDLED)))
    untimed = [push("b", "09:55", **AGAIN), drip("a", minutes=60)]
    assert "96376" in dict(billed(check(*untimed, policies=BUNDLED)))


@pytest.mark.parametrize(("start", "part"), [("10:30", True), ("12:00", False), ("14:30", True)])
def test_a_push_during_any_run_of_its_drug_is_part_of_it_by_policy(start: str, part: bool) -> None:
    runs = [drip("a", "10:00", "11:00"), drip("c", "14:00", "15:00", drug="drug a")]
    policies = {"push_during_infusion_same_drug": "bundled"}
    result = check(*runs, push("b", start, **AGAIN), policies=policies)
    assert ("96376" not in dict(billed(result))) is part


DURING, BOLUS = "push_during_infusion_same_drug", "bolus_from_same_bag"


@pytest.mark.parametrize(
    ("bundling", "part", "told"),
    [(None, False, BOLUS), (DURING, True, None), (BOLUS, True, None)],
)
def test_of_two_policies_about_a_push_one_that_bundles_is_enough(
    bundling: str | None, part: bool, told: str | None
) -> None:
    """It was given during one run of its drug, and shortly before the next."""
    runs = [drip("a", "10:00", "12:00"), drip("c", "12:05", "13:00", drug="drug a")]
    policies = {"repeat_same_drug_infusion": "sequential_96367"}
    if bundling:
        policies[bundling] = "bundled"
    worked = work(*runs, push("b", "11:58", **AGAIN), policies=policies)
    assert ("96376" not in dict(billed(worked.result))) is part
    decided = [each.decided_by for each in worked.derived.services if each.technique == "push"]
    assert decided == ([] if told is None else [(told,)])

"""Minutes of an administration: from the clock, from volume and rate, and from joined runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.visits import DAY, NEXT_DAY, asked, billed, check, drip, fluid, push

PUSH = [("96374", 1)]
HOUR = [("96365", 1)]
TWO_HOURS = [("96365", 1), ("96366", 1)]


@pytest.mark.parametrize(
    ("millilitres", "codes"),
    [(14, PUSH), (15, PUSH), (16, HOUR), (90, HOUR), (91, TWO_HOURS)],
)
@pytest.mark.parametrize("start", ["10:00", None])
def test_volume_by_rate_is_hours_of_sixty_minutes(
    millilitres: int, codes: list[tuple[str, int]], start: str | None
) -> None:
    """At 60 ml an hour each millilitre is a minute, whether a start is charted or not."""
    dose = drip("a", start, volume_ml=millilitres, rate_ml_per_hour=60)
    assert billed(check(dose)) == codes


@pytest.mark.parametrize(
    ("millilitres", "codes"),
    [(30, []), (31, [("96360", 1)]), (90, [("96360", 1)]), (91, [("96360", 1), ("96361", 1)])],
)
def test_volume_by_rate_counts_for_hydration_too(
    millilitres: int, codes: list[tuple[str, int]]
) -> None:
    dose = fluid("a", "10:00", volume_ml=millilitres, rate_ml_per_hour=60)
    assert billed(check(dose)) == codes


def test_parts_of_a_minute_by_rate_are_dropped() -> None:
    """150 ml at 99 ml an hour run 90.9 minutes, which reach no second hour."""
    assert billed(check(drip("a", "10:00", volume_ml=150, rate_ml_per_hour=99))) == HOUR
    assert billed(check(drip("a", "10:00", volume_ml=150, rate_ml_per_hour=98))) == TWO_HOURS


def test_the_clock_beats_volume_and_rate() -> None:
    by_both = drip("a", "10:00", "10:45", volume_ml=200, rate_ml_per_hour=60)
    assert billed(check(by_both)) == HOUR


def test_an_ordered_rate_is_no_minute_of_an_infusion() -> None:
    ordered = drip("a", "10:00", volume_ml=200, rate_ml_per_hour=60, times_from="ordered")
    assert billed(check(ordered)) == []


@pytest.mark.parametrize("seen", ["10:15", "10:16", "11:30", "11:31"])
def test_a_drip_ran_until_it_was_last_seen_running(seen: str) -> None:
    last_seen = check(drip("a", "10:00", last_seen_running=f"{DAY}T{seen}"))
    assert billed(last_seen) == billed(check(drip("a", "10:00", seen)))


def test_a_drip_seen_before_it_started_has_no_minutes() -> None:
    early = check(drip("a", "10:00", last_seen_running=f"{DAY}T09:59"))
    assert billed(early) == []
    assert asked(early) == ["administrations[0].stop"]


@pytest.mark.parametrize("source", ["ordered", "defaulted"])
def test_invented_times_give_no_minutes(source: str) -> None:
    assert billed(check(drip("a", "10:00", "11:00", times_from="charted"))) == HOUR
    assert billed(check(drip("a", "10:00", "11:00", times_from=source))) == []


def test_a_new_bag_of_the_same_drug_goes_on_where_the_last_one_stopped() -> None:
    bag, same_drug = drip("a", "10:00", "10:10"), {"drug": "drug a"}
    assert billed(check(bag, drip("b", "10:10", "10:20", **same_drug))) == HOUR
    assert billed(check(bag, drip("b", "10:11", "10:21", **same_drug))) == PUSH


def test_a_drip_that_continues_another_adds_to_its_minutes_after_a_pause() -> None:
    """Ten minutes and ten minutes: 20 of one infusion where the chart says so, else two pushes."""
    first, later = drip("a", "10:00", "10:10"), drip("b", "10:20", "10:30", drug="drug a")
    assert billed(check(first, {**later, "continues": "a"})) == HOUR
    assert billed(check(first, later)) == PUSH


def test_pushes_never_run_as_one() -> None:
    both = [push("a", "10:00", "10:10"), push("b", "10:10", "10:20", drug="drug a")]
    assert billed(check(*both)) == PUSH


def attended_overlap(*pushes: tuple[str, str], performers: tuple[str, str] = ("n", "n")) -> bool:
    """Whether two attended pushes are found to overlap."""
    charted: list[dict[str, Any]] = [
        push(key, start, stop, performer=performer, continuously_attended=True)
        for key, (start, stop), performer in zip("ab", pushes, performers, strict=True)
    ]
    names = {violation.name for violation in check(*charted).violations}
    return "overlapping-attended-pushes" in names


def test_nobody_attends_two_pushes_in_one_minute() -> None:
    assert attended_overlap(("10:00", "10:10"), ("10:09", "10:12"))
    assert not attended_overlap(("10:00", "10:10"), ("10:10", "10:12"))
    assert not attended_overlap(("10:00", "10:10"), ("10:09", "10:12"), performers=("n", "m"))


def test_less_than_a_minute_in_common_is_no_overlap() -> None:
    assert not attended_overlap(("10:00", "10:10"), ("10:09:01", "10:12"))
    assert not attended_overlap(("10:00", "10:10"), ("10:02:00", "10:02:59"))
    assert attended_overlap(("10:00", "10:10"), ("10:02:00", "10:03:00"))


@pytest.mark.parametrize(
    ("end", "codes"), [("11:30", HOUR), ("11:31", TWO_HOURS), ("13:00", TWO_HOURS)]
)
@pytest.mark.parametrize("edge", ["end", "inpatient_from"])
def test_minutes_after_the_end_or_the_admission_do_not_count(
    edge: str, end: str, codes: list[tuple[str, int]]
) -> None:
    stay: dict[str, Any] = {"start": f"{DAY}T08:00", edge: f"{DAY}T{end}"}
    assert billed(check(drip("a", "10:00", "12:00"), **stay)) == codes
    other = "inpatient_from" if edge == "end" else "end"
    later: dict[str, Any] = {other: f"{DAY}T23:00"}  # whichever comes first
    assert billed(check(drip("a", "10:00", "12:00"), **stay, **later)) == codes
    by_rate = drip("a", "10:00", volume_ml=120, rate_ml_per_hour=60)
    assert billed(check(by_rate, **stay)) == codes


def test_minutes_before_arrival_do_not_count() -> None:
    stay: dict[str, Any] = {"start": f"{DAY}T10:00", "end": f"{DAY}T14:00"}
    assert billed(check(fluid("a", "09:00", "11:00"), **stay)) == [("96360", 1)]


def test_what_begins_after_the_end_or_the_admission_earns_nothing_and_says_why() -> None:
    late = [push("a", "10:00"), push("b", "11:01"), drip("c", "11:00", "12:00")]
    after = check(*late, end=f"{DAY}T11:00")
    assert billed(after) == PUSH
    assert ["ended" in reason.because for reason in after.not_billable] == [True, True]
    admitted = check(*late, end=f"{DAY}T18:00", inpatient_from=f"{DAY}T11:00")
    assert billed(admitted) == PUSH
    assert ["inpatient" in reason.because for reason in admitted.not_billable] == [True, True]


def test_a_run_goes_on_only_until_the_end() -> None:
    bags = [drip("a", "10:00", "11:00"), drip("b", "11:00", "13:00", drug="drug a", continues="a")]
    assert billed(check(*bags, start=f"{DAY}T08:00", end=f"{DAY}T11:00")) == HOUR


def test_a_stop_a_year_later_is_no_stop() -> None:
    result = check(drip("a", "10:00", "2027-03-02T11:00"))
    assert asked(result) == ["administrations[0].stop"]
    assert "IVP730" in [each.rule for each in result.errors]


def test_a_bag_that_names_the_one_it_touches_is_counted_with_it_once() -> None:
    bags = [drip("a", "10:00", "11:00"), drip("b", "11:00", "12:30", drug="drug a")]
    assert billed(check(*bags)) == [("96365", 1), ("96366", 1)]
    named = {**bags[1], "continues": "a"}
    assert billed(check(bags[0], named)) == [("96365", 1), ("96366", 1)]


@pytest.mark.parametrize(
    "stay",
    [
        {"start": f"{DAY}T00:00", "end": f"{DAY}T00:00"},
        {"start": f"{DAY}T12:00", "end": f"{DAY}T09:00"},
        {"end": f"{DAY}T00:00"},
    ],
)
def test_whole_days_and_ends_before_the_start_cut_nothing(stay: dict[str, Any]) -> None:
    assert billed(check(drip("a", "10:00", "12:00"), **stay)) == TWO_HOURS


def test_an_office_has_no_inpatients_and_a_device_goes_home() -> None:
    office = check(
        drip("a", "10:00", "12:00"), setting="professional", inpatient_from=f"{DAY}T11:00"
    )
    assert billed(office) == TWO_HOURS
    pump = drip(
        "a", "10:00", f"{NEXT_DAY}T10:00", category="chemotherapy", device="ambulatory_pump"
    )
    stay: dict[str, Any] = {"start": f"{DAY}T09:00", "end": f"{DAY}T12:00"}
    assert billed(check(pump, **stay)) == billed(check(pump))

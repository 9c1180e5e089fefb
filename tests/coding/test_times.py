"""Minutes of an administration: from the clock, from volume and rate, and from joined runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ivpush import Encounter, clock
from ivpush.coding import times
from ivpush.contract.chart_facts import AdministrationFacts, Times
from ivpush.contract.encounter import Administration
from tests.visits import (
    DAY,
    NEXT_DAY,
    asked,
    billed,
    check,
    dose,
    drip,
    fluid,
    line,
    push,
    visit,
    work,
)

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


def charted(**facts: Any) -> Administration:
    """One administration with these facts; a time without a date is one of DAY."""
    return Administration.model_validate(
        dose("a", facts.pop("start", None), facts.pop("stop", None), **facts)
    )


def at(written: str) -> int:
    """Seconds of a time of DAY as it stands."""
    return clock.seconds_of(datetime.fromisoformat(f"{DAY}T{written}"))


def read(zone: str | None = None, **facts: Any) -> Times:
    """The times of one administration that no stay bounds."""
    named = clock.zone_named(zone)
    return times.read_times(charted(**facts), named, None, edges=times.Edges(), longest=120)


def test_clock_times_give_a_span_with_its_seconds_and_whole_minutes() -> None:
    by_clock = read(start="10:00:30", stop="10:41:29", minutes=90)
    assert (by_clock.clock_minutes, by_clock.minutes, by_clock.minutes_from) == (40, 40, "clock")
    assert by_clock.span == (at("10:00:30"), at("10:41:29"))
    assert (by_clock.start_usable, by_clock.stop_usable) == (True, True)
    assert by_clock.start_seconds == at("10:00:30")


def test_stated_minutes_run_from_a_charted_start() -> None:
    from_start = read(start="10:00", minutes=40)
    assert (from_start.clock_minutes, from_start.minutes) == (None, 40)
    assert from_start.minutes_from == "stated"
    assert from_start.span == (at("10:00"), at("10:40"))
    assert (from_start.start_usable, from_start.stop_usable) == (True, False)
    assert read(minutes=40).span is None


@pytest.mark.parametrize(
    ("facts", "usable"),
    [
        ({"start": "10:00"}, (True, False, None)),
        ({"stop": "10:40"}, (False, True, None)),
        ({"start": "10:00", "stop": "10:00"}, (True, True, 0)),
        ({"start": "10:00", "stop": "09:59:59"}, (True, False, None)),
        ({"start": "10:00", "stop": "11:00", "times_from": "ordered"}, (False, False, None)),
        ({"start": "10:00", "stop": "11:00", "times_from": "defaulted"}, (True, False, None)),
        ({"minutes": 40}, (False, False, 40)),
        ({"minutes": 40, "times_from": "ordered"}, (False, False, None)),
        ({"minutes": 40, "times_from": "defaulted"}, (False, False, None)),
        # A mistyped day: so long a time is no time. The limit itself is believed.
        ({"start": "10:00", "stop": "12:00:59"}, (True, True, 120)),
        ({"start": "10:00", "stop": "12:01"}, (True, False, None)),
        ({"minutes": 120}, (False, False, 120)),
        ({"minutes": 121}, (False, False, None)),
        ({"start": "10:00", "stop": "13:00", "device": "ambulatory_pump"}, (True, True, 180)),
    ],
)
def test_what_may_be_used_of_the_times_charted(
    facts: dict[str, Any], usable: tuple[bool, bool, int | None]
) -> None:
    known = read(**facts)
    assert (known.start_usable, known.stop_usable, known.minutes) == usable
    assert known.stop_before_start is (facts.get("stop") == "09:59:59")
    assert known.overlong is (facts.get("stop") == "12:01" or facts.get("minutes") == 121)


@pytest.mark.parametrize(
    ("zone", "facts", "naive"),
    [
        (None, {"start": "10:00"}, True),
        (None, {"stop": "10:00"}, True),
        (None, {"start": f"{DAY}T10:00Z", "stop": f"{DAY}T11:00Z"}, False),
        (None, {"minutes": 40}, False),
        ("America/New_York", {"start": "10:00", "stop": "11:00"}, False),
    ],
)
def test_a_time_is_naive_without_an_offset_and_a_zone(
    zone: str | None, facts: dict[str, Any], naive: bool
) -> None:
    assert read(zone, **facts).time_naive is naive


@pytest.mark.parametrize("zone", ["America/New_York", None])
@pytest.mark.parametrize(
    ("start", "stop", "never", "twice"),
    [
        ("2026-03-08T02:30", "2026-03-08T03:30", True, False),
        ("2026-03-08T01:30", "2026-03-08T02:30", True, False),
        ("2026-11-01T01:30", "2026-11-01T02:30", False, True),
        ("2026-11-01T00:30", "2026-11-01T01:30", False, True),
        ("2026-11-01T01:30", None, False, True),
        ("2026-11-01T03:30", "2026-11-01T04:30", False, False),
        (None, None, False, False),
    ],
)
def test_one_time_that_never_was_or_came_twice_is_said(
    start: str | None, stop: str | None, never: bool, twice: bool, zone: str | None
) -> None:
    odd = read(zone, start=start, stop=stop)
    assert odd.time_nonexistent is (never and zone is not None)
    assert odd.time_ambiguous is (twice and zone is not None)


@pytest.mark.parametrize(
    ("facts", "outside"),
    [
        ({"start": "10:00", "stop": "12:00"}, False),
        ({"start": "09:59", "stop": "12:00"}, True),
        ({"start": "10:00", "stop": "12:01"}, True),
        ({"start": "12:00"}, False),
        ({"start": "12:01"}, True),
        ({"start": "09:59"}, True),
        ({"stop": "13:00"}, None),
    ],
)
def test_outside_is_what_starts_before_the_stay_or_stops_after_it(
    facts: dict[str, Any], outside: bool | None
) -> None:
    stay = (at("10:00"), at("12:00"))
    within = times.read_times(charted(**facts), None, stay, edges=times.Edges(), longest=999)
    assert within.outside_encounter is outside
    assert read(**facts).outside_encounter is None


@pytest.mark.parametrize(
    ("facts", "counted"),
    [
        # What ran before the arrival counts from it on; what was over by then stays as charted.
        ({"start": "09:00", "stop": "11:00"}, ("10:00", "11:00", 60)),
        ({"start": "09:00", "stop": "10:00"}, ("09:00", "10:00", 60)),
        ({"start": "09:00", "minutes": 90}, ("10:00", "10:30", 30)),
        ({"start": "11:00", "stop": "13:00"}, ("11:00", "12:00", 60)),
        ({"start": "11:00", "stop": "12:00"}, ("11:00", "12:00", 60)),
        ({"start": "12:00"}, ("12:00", None, None)),
        ({"start": "12:00", "stop": "12:00"}, ("12:00", "12:00", 0)),
        ({"minutes": 40}, (None, None, 40)),
        # After the last second that counts.
        ({"start": "12:00", "stop": "12:40"}, ("12:00", None, 0)),
        ({"start": "12:01"}, ("12:01", None, 0)),
        ({"start": "11:00", "stop": "13:00", "device": "ambulatory_pump"}, ("11:00", "13:00", 120)),
    ],
)
def test_minutes_count_within_the_edges(
    facts: dict[str, Any], counted: tuple[str | None, str | None, int | None]
) -> None:
    edges = times.Edges(at("10:00"), at("12:00"))
    within = times.read_times(charted(**facts), None, None, edges=edges, longest=999)
    start, stop, minutes = counted
    assert within.start_seconds == (None if start is None else at(start))
    assert within.span == (None if start is None or stop is None else (at(start), at(stop)))
    assert within.minutes == minutes
    assert within.after_stay is (minutes == 0 and facts.get("stop") != "12:00")


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (None, None, False),
        ("00:00", "00:00", False),
        ("00:00", "23:59", False),
        ("00:00", None, False),
        (None, "23:59", False),
        ("00:01", None, True),
        ("10:00", "23:59", True),
        ("10:00", "00:00", True),
        ("00:00", "23:58", True),
        ("00:00", "22:59", True),
        (None, "00:59", True),
    ],
)
def test_a_period_of_whole_days_shows_no_hours(
    start: str | None, end: str | None, shown: bool
) -> None:
    written = {"start": start, "end": end}
    stay = {name: f"{DAY}T{hour}" for name, hour in written.items() if hour is not None}
    assert times.shows_hours(visit(**stay)) is shown


@pytest.mark.parametrize(
    ("stay", "edges"),
    [
        ({"start": "08:00", "end": "18:00"}, ("08:00", "18:00", False)),
        ({"start": "08:00"}, ("08:00", None, False)),
        ({"start": "12:00", "end": "12:00"}, (None, None, False)),
        ({"start": "12:00", "end": "11:00"}, (None, None, False)),
        ({"start": "08:00", "end": "18:00", "inpatient_from": "17:00"}, ("08:00", "17:00", True)),
        ({"start": "08:00", "end": "18:00", "inpatient_from": "18:00"}, ("08:00", "18:00", True)),
        ({"start": "08:00", "end": "18:00", "inpatient_from": "18:01"}, ("08:00", "18:00", False)),
        ({"inpatient_from": "18:01"}, (None, "18:01", True)),
    ],
)
def test_the_edges_are_the_arrival_and_the_end_or_the_admission(
    stay: dict[str, str], edges: tuple[str | None, str | None, bool]
) -> None:
    read_edges = times.edges_of(visit(**{k: f"{DAY}T{hour}" for k, hour in stay.items()}), None)
    low, high, admitted = edges
    assert read_edges.low == (None if low is None else at(low))
    assert read_edges.high == (None if high is None else at(high))
    assert read_edges.admitted is admitted


def test_the_zone_is_the_named_one_else_that_of_the_first_start() -> None:
    eastern = drip("a", f"{DAY}T10:00-05:00")
    first = times.zone_of(visit(drip("b", minutes=20), eastern, drip("c", f"{DAY}T10:00Z")))
    assert first is not None and first.utcoffset(None) == timedelta(hours=-5)
    named = visit(eastern, timezone="America/Chicago")
    assert times.zone_of(named) == clock.zone_named("America/Chicago")
    assert times.zone_of(visit(drip("a", "10:00"))) is None
    no_chart = {"id": "E1", "setting": "facility", "lines": [line(1, "96374")], "date": DAY}
    assert times.zone_of(Encounter.model_validate(no_chart)) is None


def test_in_time_the_start_comes_first_then_the_stop_then_the_id() -> None:
    order = times.order_of
    in_time = [
        order("d", 0, None),
        order("c", 5, (5, 6)),
        order("a", 5, (5, 7)),
        order("b", 5, (5, 7)),
        order("a", 9, None),
        order("c", 9, (9, 12)),
        order("a", None, None),
        order("b", None, None),
    ]
    assert sorted(in_time) == in_time


def facts_of(*charts: dict[str, Any], **facts: Any) -> list[AdministrationFacts]:
    return work(*charts, **facts).derived.administrations


@pytest.mark.parametrize(
    ("facts", "minutes"),
    [
        ({"volume_ml": 100}, None),
        ({"rate_ml_per_hour": 100}, None),
        ({"volume_ml": 100, "rate_ml_per_hour": 0}, None),
        ({"volume_ml": 100, "rate_ml_per_hour": 100, "last_seen_running": f"{DAY}T10:20"}, 60),
        # A week is the longest that is believed, but of what goes home.
        ({"volume_ml": 10080, "rate_ml_per_hour": 60}, 10080),
        ({"volume_ml": 10081, "rate_ml_per_hour": 60}, None),
        ({"volume_ml": 10081, "rate_ml_per_hour": 60, "device": "ambulatory_pump"}, 10081),
        ({"last_seen_running": f"{DAY}T10:00"}, 0),
        ({"last_seen_running": "2026-03-09T10:00"}, 10080),
        ({"last_seen_running": "2026-03-09T10:01"}, None),
    ],
)
def test_without_a_stop_rate_or_last_look_give_the_minutes(
    facts: dict[str, Any], minutes: int | None
) -> None:
    (given,) = facts_of(drip("a", "10:00", **facts))
    assert given.running_minutes == minutes
    source = "last_seen_running" if "rate_ml_per_hour" not in facts else "volume_and_rate"
    assert given.minutes_from == (None if minutes is None else source)


def test_a_look_without_a_start_gives_no_minutes() -> None:
    (given,) = facts_of(drip("a", last_seen_running=f"{DAY}T10:20"))
    assert given.running_minutes is None


def test_the_clock_beats_the_rate_of_a_fluid() -> None:
    by_both = fluid("a", "10:00", "10:45", volume_ml=200, rate_ml_per_hour=60)
    assert billed(check(by_both)) == [("96360", 1)]


def test_minutes_by_rate_count_from_the_arrival_on() -> None:
    stay: dict[str, Any] = {"start": f"{DAY}T10:00", "end": f"{DAY}T14:00"}
    by_rate = drip("a", "09:00", volume_ml=120, rate_ml_per_hour=60)
    (given,) = facts_of(by_rate, **stay)
    assert given.running_minutes == 60
    assert given.start_seconds == at("10:00")
    assert given.span == (at("10:00"), at("11:00"))
    assert given.order == (False, at("10:00"), at("11:00"), "a")


def test_a_run_of_no_length_is_joined_by_what_it_touches() -> None:
    first, second = drip("a", "10:00", "10:00"), drip("b", "10:00", "10:20", drug="drug a")
    assert [each.total_minutes for each in facts_of(first, second)] == [20, 20]


def test_a_run_of_another_drug_that_is_charted_as_the_same_is_marked() -> None:
    first = drip("a", "10:00", "10:20")
    for drug, other in (("drug a", False), ("drug b", True)):
        bags = facts_of(first, drip("b", "10:30", "10:50", drug=drug, continues="a"))
        assert [each.continues_other_drug for each in bags] == [False, other]


def test_stated_minutes_of_a_run_are_added_to_those_by_the_clock() -> None:
    timed, stated = drip("a", "10:00", "10:20"), drip("b", minutes=30, drug="drug a")
    bags = facts_of(timed, {**stated, "continues": "a"})
    assert [each.total_minutes for each in bags] == [50, 50]
    open_end = facts_of(timed, drip("b", "11:00", drug="drug a"))
    assert times.minutes_together(open_end) == 20


@pytest.mark.parametrize(
    "other",
    [
        {"performer": None},
        {"continuously_attended": False},
        {"continuously_attended": None},
        {"stop": None},
    ],
)
def test_pushes_overlap_only_where_one_performer_attended_both(other: dict[str, Any]) -> None:
    watched = {"performer": "n", "continuously_attended": True}
    first = push("a", "10:00", "10:10", **watched)
    second = {**push("b", "10:05", "10:12", **watched)}
    both = facts_of(first, second)
    assert [each.overlaps_attended for each in both] == [True, True]
    changed = {name: fact for name, fact in {**second, **other}.items() if fact is not None}
    either = facts_of(first, changed)
    assert [each.overlaps_attended for each in either] == [False, False]
    neither = {name: fact for name, fact in {**first, **other}.items() if fact is not None}
    assert [each.overlaps_attended for each in facts_of(neither, changed)] == [False, False]

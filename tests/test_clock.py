"""Minutes are elapsed whole minutes between instants, daylight saving or not."""

from __future__ import annotations

import time
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, clock
from ivpush.engine import Worked
from ivpush.errors import InputError
from tests.shipped import ENGINE

ZONE = "America/New_York"


def worked(start: str, stop: str, zone: str | None = ZONE, **more: Any) -> Worked:
    given = {
        "id": "a1",
        "drug": "alpha",
        "route": "IV",
        "method": "infusion",
        "start": start,
        "stop": stop,
        **more,
    }
    record = {
        "id": "E1",
        "setting": "facility",
        "date": start[:10],
        "timezone": zone,
        "administrations": [given],
    }
    return ENGINE.work(Encounter.model_validate(record))


def minutes(start: str, stop: str, zone: str | None = ZONE) -> int | None:
    return worked(start, stop, zone).derived.administrations[0].running_minutes


@pytest.mark.parametrize(
    ("start", "stop", "elapsed"),
    [
        ("2026-11-01T01:50:00-04:00", "2026-11-01T01:05:00-05:00", 15),  # clocks went back
        ("2026-03-08T01:55:00-05:00", "2026-03-08T03:05:00-04:00", 10),  # clocks went forward
        ("2026-03-08T01:55", "2026-03-08T03:05", 10),
        ("2026-11-01T01:50", "2026-11-01T01:05", 15),  # read as the second 01:05
        ("2026-11-01T00:50", "2026-11-01T01:10", 20),  # read as the first 01:10
        ("2026-03-02T23:50", "2026-03-03T00:20", 30),
        ("2026-03-02T10:00:00", "2026-03-02T10:15:59", 15),
        ("2026-03-02T10:00:00", "2026-03-02T10:16:00", 16),
        ("2026-03-02T10:00:30", "2026-03-02T10:15:29", 14),
        ("2026-03-02T10:00:00", "2026-03-02T10:14:59", 14),
        ("2026-03-02T10:00:00", "2026-03-02T10:00:59", 0),
        ("2026-03-02T10:00:59.999", "2026-03-02T10:16:59.001", 16),  # fractions are dropped
        ("2026-03-02T10:00:00.001", "2026-03-02T10:15:59.999", 15),
    ],
)
def test_elapsed_minutes(start: str, stop: str, elapsed: int) -> None:
    assert minutes(start, stop) == elapsed


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        ("10:14:59", "96374"),
        ("10:15:00", "96374"),
        ("10:15:01", "96374"),
        ("10:15:59", "96374"),
        ("10:16:00", "96365"),
    ],
)
def test_seconds_are_dropped_at_the_push_limit(stop: str, code: str) -> None:
    result = worked("2026-03-02T10:00:00", f"2026-03-02T{stop}").result
    assert [line.code for line in result.suggested] == [code]


def test_without_a_zone_naive_times_stand_as_written() -> None:
    assert minutes("2026-03-08T01:55", "2026-03-08T03:05", None) == 70


@pytest.mark.parametrize(
    ("start", "stop", "rule"),
    [
        ("2026-03-08T02:30", "2026-03-08T03:30", "time-that-never-was"),
        ("2026-11-01T01:30", "2026-11-01T02:30", "time-that-came-twice"),
        ("2026-03-02T11:00", "2026-03-02T10:00", "stop-before-start"),
    ],
)
def test_a_strange_time_is_a_finding(start: str, stop: str, rule: str) -> None:
    assert rule in {violation.name for violation in worked(start, stop).result.violations}


def test_stop_before_start_earns_no_minutes_and_is_no_crash() -> None:
    work = worked("2026-03-02T11:00", "2026-03-02T10:00")
    assert work.derived.administrations[0].running_minutes is None
    assert work.result.questions


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("charted", True),
        ("pump", True),
        ("calculated", True),
        ("ordered", False),
        ("defaulted", False),
    ],
)
def test_invented_times_count_as_missing(source: str, known: bool) -> None:
    work = worked("2026-03-02T10:00", "2026-03-02T11:00", times_from=source)
    assert (work.derived.administrations[0].running_minutes is not None) is known


def test_mixed_offsets_name_the_same_instants() -> None:
    elapsed = minutes("2026-03-02T10:00:00-05:00", "2026-03-02T09:40:00-06:00")
    assert elapsed == 40


def test_naive_beside_aware_is_read_in_the_zone() -> None:
    assert minutes("2026-03-02T10:00", "2026-03-02T10:40:00-05:00") == 40


def test_clock_times_beat_minutes_and_the_difference_is_a_finding() -> None:
    work = worked("2026-03-02T10:00", "2026-03-02T10:40", minutes=90)
    assert work.derived.administrations[0].running_minutes == 40
    assert "clock-and-minutes-disagree" in {violation.name for violation in work.result.violations}


@pytest.mark.parametrize(
    ("start", "stop", "minutes"),
    [(0, 59, 0), (0, 60, 1), (0, 119, 1), (60, 0, -1), (59, 0, 0), (90, 0, -1), (7, 7, 0)],
)
def test_minutes_between_instants_are_whole_in_both_directions(
    start: int, stop: int, minutes: int
) -> None:
    assert clock.between(start, stop) == minutes


@pytest.mark.parametrize(
    "name", ["America/New_York", "Asia/Tokyo", "UTC", "Etc/GMT+5", "EST5EDT", "US/Eastern"]
)
def test_iana_names_are_zones(name: str) -> None:
    assert clock.zone_named(name) is not None


# EDT is what the machine calls its own zone in summer, where it stands in New York.
@pytest.mark.parametrize(
    "name",
    ["EDT", "EST5", "UTC-5", "CANARY9", "localtime", "posixrules", "right/UTC", "posix/UTC"],
)
def test_what_only_a_machine_or_a_rule_knows_is_no_zone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.tzname", ("EST", "EDT"))
    assert clock.zone_named(name) is None
    with pytest.raises(InputError, match="timezone is not a known zone"):
        worked("2026-03-02T10:00", "2026-03-02T11:00", zone=name)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", None])
@pytest.mark.parametrize(
    "stop", ["9999-12-31T23:59", "9999-12-31T23:00-12:00", "9998-12-31T23:59", "0001-01-01T00:00"]
)
def test_a_stop_at_an_end_of_the_calendar_counts_as_missing(stop: str, zone: str | None) -> None:
    start = "2026-03-02T10:00" + ("Z" if zone is None and "-12:00" in stop else "")
    work = worked(start, stop, zone)
    (given,) = work.derived.administrations
    assert given.running_minutes is None
    rule = "IVP710" if stop < start else "IVP730"
    assert rule in {violation.rule for violation in work.result.violations}


@pytest.mark.parametrize(
    "start", ["0001-01-01T10:00", "0026-03-02T10:00", "1898-12-31T10:00", "9999-12-31T10:00"]
)
def test_nothing_is_given_at_an_end_of_the_calendar(start: str) -> None:
    with pytest.raises(InputError, match=r"lies in no year of an encounter; write the day"):
        worked(start, start)


def test_no_length_fills_a_claim_with_hours() -> None:
    """A year mistyped by a century is said, and not billed."""
    result = worked("2026-03-02T10:00", "2126-03-02T11:00").result
    assert len(result.suggested) <= 1
    assert "IVP730" in {violation.rule for violation in result.violations}
    assert len(worked("2026-03-02T10:00", "2026-03-09T10:00").result.suggested) > 1


def test_without_a_zone_the_machine_s_own_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    late = 23 * 3600
    try:
        monkeypatch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        assert clock.local_date(late, None) == date(1970, 1, 1)
        assert clock.local_time(late, None) == datetime(1970, 1, 1, 23)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_instant_outside_of_the_calendar_s_zones_has_a_date() -> None:
    """A zone may lead out of the calendar there, so that the date is the instant's own."""
    last = (date(9999, 12, 31) - date(1970, 1, 1)).days * 86_400 + 86_399
    assert clock.local_date(last, ZoneInfo("Pacific/Kiritimati")) == date(9999, 12, 31)
    first = (date(1, 1, 1) - date(1970, 1, 1)).days * 86_400
    assert clock.local_date(first, ZoneInfo(ZONE)) == date(1, 1, 1)


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=9).map(
    lambda pairs: [(start, start + length) for start, length in pairs]
)


def seconds_in(spans: list[clock.Span]) -> set[int]:
    return {second for start, stop in spans for second in range(start, stop)}


@given(SPANS, SPANS)
def test_time_covered_span_by_span_is_shared_as_counted_second_by_second(
    added: list[clock.Span], asked: list[clock.Span]
) -> None:
    covered = clock.Covered()
    for span in added:
        covered.add(span)
    together = seconds_in(added) & seconds_in(asked)
    assert covered.shared(clock.unite(asked)) == len(together)


@given(SPANS.filter(bool), st.integers(1, 90))
def test_the_day_on_which_time_was_reached_is_that_of_its_last_second(
    drawn: list[clock.Span], wanted: int
) -> None:
    """In steps of a third of a day, so that spans cross midnights."""
    third = 28_800
    spans = clock.unite([(start * third, (stop + 1) * third) for start, stop in drawn])
    passed = [second for start, stop in spans for second in range(start, stop, third)]
    last = passed[min(wanted, len(passed)) - 1]
    day = clock.Running(spans).day_reached(wanted * third, None)
    assert day == date.fromordinal(date(1970, 1, 1).toordinal() + last // 86_400)

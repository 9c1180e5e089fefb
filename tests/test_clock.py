"""Minutes are elapsed whole minutes between instants, daylight saving or not."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz
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
    [
        *[(0, 59, 0), (0, 60, 1), (0, 119, 1), (60, 0, -1), (59, 0, 0), (90, 0, -1), (7, 7, 0)],
        *[(600, 719, 1), (719, 600, -1), (600, 720, 2), (720, 600, -2)],
    ],
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
        monkeypatch.setenv("TZ", "Asia/Tokyo")
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


@pytest.mark.parametrize(
    ("written", "after", "utc", "odd"),
    [
        ("2026-03-02T10:00", None, "2026-03-02T15:00", (False, False)),
        ("2026-07-02T10:00", None, "2026-07-02T14:00", (False, False)),
        ("2026-03-02T10:00+01:00", None, "2026-03-02T09:00", (False, False)),
        # Skipped: by the offset from before the change.
        ("2026-03-08T02:30", None, "2026-03-08T07:30", (True, False)),
        # Twice: the first, unless only the second lies at or after what came before.
        ("2026-11-01T01:30", None, "2026-11-01T05:30", (False, True)),
        ("2026-11-01T01:30", "2026-11-01T05:30", "2026-11-01T05:30", (False, True)),
        ("2026-11-01T01:30", "2026-11-01T05:31", "2026-11-01T06:30", (False, True)),
        ("2026-11-01T01:30", "2026-11-01T06:30", "2026-11-01T06:30", (False, True)),
        ("2026-11-01T01:30", "2026-11-01T06:31", "2026-11-01T05:30", (False, True)),
        # No zone is used within a year of the ends of the calendar.
        ("0001-12-31T23:59", None, "0001-12-31T23:59", (False, False)),
        ("0002-01-01T00:00", None, "0002-01-01T04:56:02", (False, False)),
        ("9998-12-31T23:59", None, "9999-01-01T04:59", (False, False)),
        ("9999-01-01T00:00", None, "9999-01-01T00:00", (False, False)),
    ],
)
def test_a_written_time_is_an_instant_of_its_zone(
    written: str, after: str | None, utc: str, odd: tuple[bool, bool]
) -> None:
    begun = None if after is None else seconds(after)
    read = clock.moment(datetime.fromisoformat(written), clock.zone_named(ZONE), begun)
    assert (read.seconds, read.nonexistent, read.ambiguous) == (seconds(utc), *odd)
    plain = datetime.fromisoformat(written)
    as_it_stands = clock.Moment(clock.seconds_of(plain), nonexistent=False, ambiguous=False)
    assert clock.moment(plain, None) == as_it_stands


def seconds(written: str) -> int:
    """Seconds from the first of 1970 to a time as it stands."""
    passed = datetime.fromisoformat(written) - datetime(1970, 1, 1)
    return passed // timedelta(seconds=1)


def test_seconds_are_counted_from_1970_and_fractions_dropped() -> None:
    assert clock.seconds_of(datetime(1970, 1, 2, 0, 0, 1, 999_999)) == 86_401
    assert clock.seconds_of(datetime(1970, 1, 2, 0, 0, 1, tzinfo=UTC)) == 86_401
    assert clock.seconds_of(datetime(1969, 12, 31, 23, 59, 59)) == -1


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("America/New_York", True),
        ("Etc/GMT+5", True),
        ("Port-au-Prince", True),
        ("../outside", False),
        ("a.zone", False),
        ("/usr/share/zoneinfo/UTC", False),
        ("Zoné", False),
        ("right/UTC", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_plain_name_is_looked_for_among_the_zones(
    name: str | None, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dateutil opens a name as a path, below its own folders or anywhere."""
    monkeypatch.setattr("dateutil.tz.gettz", lambda name: tz.UTC)
    assert (clock.zone_named(name) is tz.UTC) is asked


@pytest.mark.parametrize(
    ("spans", "united"),
    [
        ([], []),
        ([(0, 10)], [(0, 10)]),
        ([(20, 30), (0, 10)], [(0, 10), (20, 30)]),
        ([(0, 10), (10, 20)], [(0, 20)]),
        ([(0, 10), (11, 20)], [(0, 10), (11, 20)]),
        ([(0, 30), (5, 10), (20, 40)], [(0, 40)]),
        ([(0, 5), (10, 20), (12, 15), (19, 30)], [(0, 5), (10, 30)]),
    ],
)
def test_what_touches_or_overlaps_is_one_stretch(
    spans: list[clock.Span], united: list[clock.Span]
) -> None:
    assert clock.unite(spans) == united
    assert clock.covered(united) == len({n for start, stop in spans for n in range(start, stop)})


SETS: list[list[clock.Span]] = [
    [],
    [(0, 10)],
    [(5, 15), (20, 30)],
    [(10, 20)],
    [(2, 4), (6, 8), (25, 40)],
    [(0, 100)],
]


@pytest.mark.parametrize("theirs", SETS, ids=str)
@pytest.mark.parametrize("ours", SETS, ids=str)
def test_what_is_shared_and_what_is_left_are_counted_second_by_second(
    ours: list[clock.Span], theirs: list[clock.Span]
) -> None:
    mine, others = ({n for low, high in each for n in range(low, high)} for each in (ours, theirs))
    assert clock.shared(ours, theirs) == len(mine & others)
    left = clock.without(ours, theirs)
    assert [n for low, high in left for n in range(low, high)] == sorted(mine - others)
    assert all(low < high for low, high in left)


@pytest.mark.parametrize(
    ("running", "reached"),
    [(0, 100), (1, 101), (10, 110), (11, 201), (30, 220), (31, 220), (99, 220)],
)
def test_running_time_is_reached_within_its_stretches(running: int, reached: int) -> None:
    assert clock.when_reached([(100, 110), (200, 220)], running) == reached
    assert clock.when_reached([], running) is None


@pytest.mark.parametrize(
    ("hours", "zone", "day"),
    [
        (1, None, 1),
        (2, None, 1),
        (3, None, 2),
        (9, None, 2),
        (3, "Etc/GMT+5", 1),
        (1, "Etc/GMT-5", 2),
    ],
)
def test_an_hour_that_ends_at_midnight_is_of_the_day_before(
    hours: int, zone: str | None, day: int
) -> None:
    """Two hours up to midnight, and two of the next day."""
    spans = [(22 * 3600, 24 * 3600), (24 * 3600, 26 * 3600)]
    reached = clock.Running(spans).day_reached(hours * 3600, clock.zone_named(zone))
    assert reached == date(1970, 1, day)
    # Where it never came to so much: the last second that ran.
    assert clock.Running([(3600, 86_400)]).day_reached(86_400, None) == date(1970, 1, 1)
    assert clock.Running([(3600, 86_401)]).day_reached(86_400, None) == date(1970, 1, 2)


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        ("2026-03-02T03:00", ZONE, "2026-03-01T22:00-05:00"),
        ("2026-07-02T03:00", ZONE, "2026-07-01T23:00-04:00"),
        ("2026-03-02T03:00", None, "2026-03-02T03:00"),
        ("2026-03-02T03:00", "UTC", "2026-03-02T03:00+00:00"),
        ("2026-03-02T20:00", "Asia/Tokyo", "2026-03-03T05:00+09:00"),
    ],
)
def test_an_instant_is_shown_as_a_clock_showed_it(at: str, zone: str | None, shown: str) -> None:
    named = clock.zone_named(zone)
    local = clock.local_time(seconds(at), named)
    assert local == datetime.fromisoformat(shown)
    assert local.utcoffset() == datetime.fromisoformat(shown).utcoffset()
    assert clock.local_date(seconds(at), named) == datetime.fromisoformat(shown).date()

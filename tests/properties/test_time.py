"""Relations 26 to 37: time, durations and units."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from dateutil import tz
from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush import Encounter, Engine
from tests.properties.charts import (
    NOON,
    Dose,
    as_printed,
    chart,
    doses,
    drip,
    encounters,
    fluid,
    push,
)
from tests.shipped import PACK

ENGINE = Engine(pack=PACK, policies={"encounter_boundary": "encounter_id"})
"""One record is one encounter here, however far apart its doses lie."""


def billed_units(encounter: Encounter) -> Counter[str]:
    count: Counter[str] = Counter()
    for line in ENGINE.check(encounter).suggested:
        count[line.code] += line.units
    return count


@given(doses(), st.integers(1, 20))
def test_26_shifting_by_days_shifts_dates_only(plan: list[Dose], days: int) -> None:
    later = NOON + dt.timedelta(days=days if days < 6 else days + 7)
    first = ENGINE.check(chart(*plan)).suggested
    second = ENGINE.check(chart(*plan, day=later)).suggested
    shift = later.date() - NOON.date()
    assert [(s.code, s.units, s.modifiers, s.date + shift) for s in first if s.date] == [
        (s.code, s.units, s.modifiers, s.date) for s in second
    ]


@given(doses(4), st.integers(0, 59))
def test_27_shifting_by_minutes_changes_nothing(plan: list[Dose], minutes: int) -> None:
    assume(sum((dose.minutes or 0) for dose in plan) + max(dose.offset or 0 for dose in plan) < 840)
    shifted = [dose.with_(offset=(dose.offset or 0) + minutes) for dose in plan]
    first, second = ENGINE.check(chart(*plan)), ENGINE.check(chart(*shifted))
    assert as_printed(first.suggested) == as_printed(second.suggested)


@given(doses(), st.integers(0, 1440))
def test_28_crossing_midnight_changes_dates_only(plan: list[Dose], minutes: int) -> None:
    shifted = [dose.with_(offset=(dose.offset or 0) + minutes) for dose in plan]
    assert billed_units(chart(*plan)) == billed_units(chart(*shifted))


@given(doses(4), st.sampled_from(("-05:00", "+00:00", "+09:30", "Z")))
def test_29_the_same_instants_in_another_zone_bill_the_same(plan: list[Dose], offset: str) -> None:
    record = chart(*plan).model_dump(mode="json")
    charted = tz.gettz("America/New_York")
    written = dt.datetime.fromisoformat(f"2026-03-02T00:00{offset}").tzinfo
    for administration in record["administrations"]:
        for name in ("start", "stop"):
            if administration[name] is not None:
                at = dt.datetime.fromisoformat(administration[name]).replace(tzinfo=charted)
                administration[name] = at.astimezone(written).isoformat()
    record["timezone"] = "America/New_York"
    assert billed_units(Encounter.model_validate(record)) == billed_units(chart(*plan))


ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)
NIGHTS = ("2026-03-08", "2026-11-01", "2027-03-14", "2028-11-05")


@given(doses(3), st.sampled_from(ZONES), st.sampled_from(NIGHTS))
def test_30_a_night_of_clock_change_bills_as_in_utc(
    plan: list[Dose], zone: str, night: str
) -> None:
    start = dt.datetime.fromisoformat(night).replace(hour=5, tzinfo=dt.UTC)

    def that_night(written: dt.tzinfo | None, **fields: str) -> Encounter:
        record = chart(*plan).model_dump(mode="json") | {"date": night, **fields}
        for administration in record["administrations"]:
            for name in ("start", "stop"):
                if administration[name] is not None:
                    passed = dt.datetime.fromisoformat(administration[name]) - NOON
                    administration[name] = (start + passed).astimezone(written).isoformat()
        return Encounter.model_validate(record)

    local = that_night(tz.gettz(zone), timezone=zone)
    assert billed_units(local) == billed_units(that_night(dt.UTC))


@pytest.mark.parametrize(
    ("start", "stop", "minutes"),
    [
        ("2026-11-01T01:50", "2026-11-01T01:05", 15),
        ("2026-03-08T01:55", "2026-03-08T03:05", 10),
        ("2026-11-01T01:30", "2026-11-01T01:46", 16),
        ("2026-11-01T00:30", "2026-11-01T01:45", 75),
    ],
)
def test_30_naive_times_across_a_change_count_elapsed_minutes(
    start: str, stop: str, minutes: int
) -> None:
    infusion = drip("a", None, None).record() | {"start": start, "stop": stop}
    encounter = chart(timezone="America/New_York", date=start[:10], administrations=[infusion])
    facts = ENGINE.work(encounter).facts.administrations
    assert facts is not None
    assert facts[0].times.clock_minutes == minutes


@given(st.integers(0, 200), st.integers(0, 59))
def test_31_seconds_within_a_minute_change_nothing(minutes: int, seconds: int) -> None:
    record = chart(drip("a", 0, minutes)).model_dump(mode="json")
    exact = Encounter.model_validate(record)
    stop = dt.datetime.fromisoformat(record["administrations"][0]["stop"])
    record["administrations"][0]["stop"] = (stop + dt.timedelta(seconds=seconds)).isoformat()
    assert billed_units(Encounter.model_validate(record)) == billed_units(exact)


@pytest.mark.parametrize("aware", [{"start"}, {"last_seen_running"}, set()])
@pytest.mark.parametrize("minutes", [15, 16, 90, 91])
def test_31_a_look_at_a_running_drip_counts_on_either_clock(aware: set[str], minutes: int) -> None:
    """With a zone stated, times with and without an offset may stand side by side."""
    begun = dt.datetime(2026, 3, 2, 10)
    times = {"start": begun, "last_seen_running": begun + dt.timedelta(minutes=minutes)}
    written = {
        name: at.isoformat() + ("-06:00" if name in aware else "") for name, at in times.items()
    }
    record = drip("a", None, None, site=None).record() | written
    engine = Engine(policies={"missing_stop_time": "last_charted_time"})
    looked = chart(timezone="America/Chicago", administrations=[record])
    stopped = chart(drip("a", 0, minutes), day=begun)
    seen, charted = engine.check(looked).suggested, engine.check(stopped).suggested
    assert [(s.code, s.units) for s in seen] == [(s.code, s.units) for s in charted]


@given(st.integers(1, 3000))
def test_32_a_stop_before_its_start_is_a_finding(minutes: int) -> None:
    record = chart(drip("a", 4000, 5)).model_dump(mode="json")
    start = dt.datetime.fromisoformat(record["administrations"][0]["start"])
    record["administrations"][0]["stop"] = (start - dt.timedelta(minutes=minutes)).isoformat()
    result = ENGINE.check(Encounter.model_validate(record))
    assert any(v.name == "stop-before-start" and v.severity == "error" for v in result.violations)
    assert all(line.units >= 1 for line in result.suggested)


@given(st.integers(0, 2000))
def test_33_and_34_push_infusion_and_further_hours(minutes: int) -> None:
    units = billed_units(chart(drip("a", 0, minutes)))
    if minutes <= 15:
        assert units == {"96374": 1}
    else:
        further = max(0, (minutes - 31) // 60)
        assert units == Counter({"96365": 1, "96366": further}) - Counter()


@given(st.integers(0, 2000), st.booleans())
def test_35_hydration_first_and_second(minutes: int, second: bool) -> None:
    plan = [fluid("f", 0, minutes)]
    if second:
        plan.append(push("a", 5000))
    units = billed_units(chart(*plan))
    if minutes <= 30:
        assert units == ({"96374": 1} if second else {})
    elif second:
        assert units == {"96374": 1, "96361": 1 + (minutes - 31) // 60}
    else:
        assert units == Counter({"96360": 1, "96361": (minutes - 31) // 60}) + Counter()


@given(st.integers(31, 400), st.integers(16, 300), st.integers(0, 200), st.integers(0, 120))
def test_36_shared_minutes_never_raise_hydration(
    long: int, drug: int, overlap: int, more: int
) -> None:
    overlap = min(overlap, long, drug)
    more = min(more, long - overlap, drug - overlap)

    def hydration(shared: int) -> int:
        start = long - shared
        units = billed_units(chart(fluid("f", 0, long), drip("a", start, drug)))
        return units["96361"]

    assert hydration(overlap + more) <= hydration(overlap)
    after = billed_units(chart(drip("a", 0, drug), fluid("f", drug, long)))["96361"]
    assert after >= hydration(overlap)


@given(st.integers(2, 700), st.data())
def test_37_a_split_run_bills_as_one(minutes: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, minutes - 1))
    whole = billed_units(chart(drip("a", 0, minutes)))
    assert billed_units(chart(drip("a", 0, cut), drip("b", cut, minutes - cut))) == whole


@given(encounters())
def test_38_no_line_has_less_than_one_unit(encounter: Encounter) -> None:
    assert all(line.units >= 1 for line in ENGINE.check(encounter).suggested)


@given(st.integers(16, 1500))
def test_39_the_prolonged_boundary_switches_once(minutes: int) -> None:
    bag = drip("a", 0, minutes, category="chemotherapy")
    pumped = bag.with_(extra=(("device", "ambulatory_pump"),))
    assert ("96416" in billed_units(chart(pumped))) == (minutes > 480)
    assert "96416" not in billed_units(chart(bag))

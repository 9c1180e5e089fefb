"""Where one encounter ends and the next begins, by chart and by claim."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ivpush import Engine, Result
from ivpush.coding.encounters import Calendar
from tests.shipped import ENGINE, PACK
from tests.visits import DAY, NEXT_DAY, billed, check, dated, drip, line, push, visit, work

LATER = "2026-03-09"
TWO = [("96374", 1), ("96374", 1)]
ONE = [("96374", 1), ("96375", 1)]


def weekly(setting: str, *, charted: bool) -> Result:
    """Ten weekly visits on one record: an hour and a further one each."""
    days = [(date(2026, 3, 2) + timedelta(weeks=n)).isoformat() for n in range(10)]
    doses = [drip(f"d{n}", f"{day}T10:00", f"{day}T11:31") for n, day in enumerate(days)]
    lines = [
        bill
        for n, day in enumerate(days)
        for bill in (line(2 * n + 1, "96365", date=day), line(2 * n + 2, "96366", date=day))
    ]
    record = visit(*doses, lines=lines, setting=setting)
    return ENGINE.check(record if charted else record.model_copy(update={"administrations": None}))


@pytest.mark.parametrize("charted", [True, False])
@pytest.mark.parametrize("setting", ["facility", "professional"])
def test_ten_weekly_visits_on_one_claim_come_out_as_ten(setting: str, charted: bool) -> None:
    result = weekly(setting, charted=charted)
    wrong = [(each.rule, each.line) for each in result.violations if each.severity == "error"]
    # Nobody says who ordered and supervised.
    assert [(rule, number) for rule, number in wrong if not rule.startswith(("IVP4", "IVP7"))] == []
    assert result.corrected is not None
    assert [each.code for each in result.corrected] == ["96365", "96366"] * 10
    assert billed(result) == ([("96365", 1), ("96366", 1)] * 10 if charted else [])


@pytest.mark.parametrize(
    ("stop", "start", "codes"),
    [
        ("20:00", f"{NEXT_DAY}T06:00", TWO),
        ("20:00", f"{NEXT_DAY}T05:59", ONE),
        ("23:30", f"{NEXT_DAY}T01:30", ONE),
        ("08:00", "23:00", ONE),
    ],
)
def test_a_hospital_encounter_ends_where_a_new_date_comes_after_ten_hours(
    stop: str, start: str, codes: list[tuple[str, int]]
) -> None:
    assert billed(check(push("a", stop, stop), push("b", start))) == codes


def test_the_gap_is_a_policy() -> None:
    pushes = [push("a", "20:00"), push("b", f"{NEXT_DAY}T06:00")]
    assert billed(check(*pushes, policies={"encounter_gap_hours": 11})) == ONE
    assert billed(check(*pushes, policies={"encounter_boundary": "encounter_id"})) == ONE


@pytest.mark.parametrize(
    ("stay", "codes"),
    [
        ({"start": f"{DAY}T07:00", "end": f"{NEXT_DAY}T18:00"}, ONE),
        ({"start": f"{DAY}T07:00", "end": f"{NEXT_DAY}T06:00"}, TWO),
        ({"start": f"{DAY}T00:00", "end": f"{NEXT_DAY}T23:59"}, TWO),
        ({"start": f"{DAY}T07:00", "end": f"{LATER}T07:00"}, TWO),
        ({"lines": [line(1, "G0378", 20, date=DAY)]}, ONE),
        ({"lines": [line(1, "G0378", 20, date=NEXT_DAY)]}, TWO),
        # Two observations of which the second begins within the days of the first are one stay.
        ({"lines": [line(1, "G0378", 20, date="2026-03-01"), line(2, "G0378", 9, date=DAY)]}, ONE),
    ],
)
def test_a_patient_who_stayed_is_in_one_encounter(
    stay: dict[str, Any], codes: list[tuple[str, int]]
) -> None:
    pushes = [push("a", "08:00"), push("b", f"{NEXT_DAY}T09:00")]
    if stay.get("end") == f"{NEXT_DAY}T06:00":
        codes = codes[:1]  # the second was given after the end
    assert billed(check(*pushes, **stay)) == codes


def test_a_run_over_midnight_says_that_the_patient_stayed() -> None:
    night = drip("a", "22:00", f"{NEXT_DAY}T02:00")
    afternoon = push("b", f"{NEXT_DAY}T15:00")
    for setting in ("facility", "professional"):
        codes = [code for code, _ in billed(check(night, afternoon, setting=setting))]
        assert codes.count("96375") == 1


@pytest.mark.parametrize(("stop", "initials"), [(f"{NEXT_DAY}T00:00", 2), (f"{NEXT_DAY}T00:01", 1)])
def test_a_run_that_ends_at_midnight_ends_with_its_date(stop: str, initials: int) -> None:
    afternoon = push("b", f"{NEXT_DAY}T15:00")
    for setting in ("facility", "professional"):
        codes = [
            code for code, _ in billed(check(drip("a", "22:00", stop), afternoon, setting=setting))
        ]
        assert len({"96365", "96374"} & set(codes)) == initials


def test_a_device_that_runs_on_goes_home() -> None:
    pump = drip("a", "12:00", "2026-03-04T10:00", category="chemotherapy", device="ambulatory_pump")
    result = check(push("b", "10:00"), pump, push("c", "2026-03-04T10:30"))
    assert [each.code for each in result.suggested].count("96374") == 2


def test_every_sixth_hour_through_three_days_is_one_encounter() -> None:
    doses = [
        push(f"p{n}", (f"2026-03-{2 + n // 4:02}T{n % 4 * 6:02}:00"), drug="antibiotic")
        for n in range(12)
    ]
    result = check(*doses)
    assert sum(units for code, units in billed(result) if code == "96374") == 1
    assert sum(units for code, units in billed(result) if code == "96376") == 11


def test_an_office_encounter_is_its_date() -> None:
    pushes = [push("a", "23:30"), push("b", f"{NEXT_DAY}T01:30")]
    assert billed(check(*pushes, setting="professional")) == TWO
    assert billed(check(*pushes)) == ONE


def test_visits_on_other_dates_carry_no_modifier() -> None:
    visits = [push("a", "23:00", visit=1), push("b", f"{NEXT_DAY}T01:00", visit=2)]
    assert billed(check(*visits)) == TWO


def test_a_dose_without_a_time_goes_with_its_neighbour() -> None:
    doses = [push("a", "10:00"), push("b", f"{LATER}T10:00"), push("c")]
    dates = {(each.code, str(each.date)) for each in check(*doses).suggested}
    assert ("96374", DAY) in dates
    assert ("96374", LATER) in dates
    assert len(check(*doses).suggested) == 3


@pytest.mark.parametrize(("bound", "faulty"), [("encounter_id", [1, 2]), ("calendar_day", [])])
def test_lines_of_two_days_of_a_claim_alone_are_one_encounter_where_a_record_is_one(
    bound: str, faulty: list[int]
) -> None:
    claim = [line(1, "96374", date=DAY), line(2, "96374", date=NEXT_DAY)]
    alone = visit(lines=claim).model_copy(update={"administrations": None})
    result = Engine(pack=PACK, policies={"encounter_boundary": bound}).check(alone)
    assert [broken.line for broken in result.violations if broken.rule == "IVP101"] == faulty


def test_drugs_of_one_bag_are_given_in_one_encounter() -> None:
    bag = [drip("a", "10:00", "11:00"), drip("b", None, None, mixed_with="a")]
    assert billed(check(*bag, push("c", f"{LATER}T10:00"))) == [("96365", 1), ("96374", 1)]


def test_each_billed_observation_is_one_encounter_of_a_claim_without_a_chart() -> None:
    """Two stays a week apart, each over midnight, each with two initial services."""
    days = (DAY, NEXT_DAY, LATER, "2026-03-10")
    pushes = [line(n, "96374", date=day) for n, day in enumerate(days, 1)]
    stays = [line(n, "G0378", 30, date=day) for n, day in ((5, DAY), (6, LATER))]

    def doubled(*lines: dict[str, Any]) -> list[int | None]:
        claim = visit(lines=list(lines)).model_copy(update={"administrations": None})
        return [each.line for each in ENGINE.check(claim).violations if each.rule == "IVP101"]

    assert doubled(*pushes) == []
    assert doubled(*pushes, stays[0]) == [1, 2]
    assert doubled(*pushes, *stays) == [1, 2, 3, 4]


def parts(*charted: dict[str, Any], **facts: Any) -> list[str]:
    """The ids of each encounter of a chart, in chart order."""
    numbered: dict[int, str] = {}
    for each in work(*charted, **facts).derived.administrations:
        numbered[each.part] = numbered.get(each.part, "") + each.given.id
    assert sorted(numbered) == [*range(len(numbered))]
    return [numbered[number] for number in sorted(numbered)]


AFTERNOON = push("b", f"{NEXT_DAY}T15:00")
BAG = {"drug": "drug a"}
GAPS = {"encounter_boundary": "gap_hours"}
DAYS = {"encounter_boundary": "calendar_day"}


@pytest.mark.parametrize(
    ("charted", "policies", "encounters"),
    [
        ([push("a", "08:00"), AFTERNOON, push("c", f"{LATER}T08:00")], {}, ["a", "b", "c"]),
        # All before is over only when the longest of it is.
        (
            [drip("a", "08:00", f"{NEXT_DAY}T07:00"), push("c", "09:00", "09:01"), AFTERNOON],
            {},
            ["acb"],
        ),
        # Bags of one run are over with the last of them.
        (
            [
                drip("a", "20:00", "22:00"),
                drip("c", "22:00", f"{NEXT_DAY}T01:00", **BAG),
                AFTERNOON,
            ],
            {},
            ["acb"],
        ),
        # What ends at midnight, or a second after it; what is given at midnight.
        ([drip("a", "22:00", f"{NEXT_DAY}T00:00:00"), AFTERNOON], {}, ["a", "b"]),
        ([drip("a", "22:00", f"{NEXT_DAY}T00:00:01"), AFTERNOON], {}, ["ab"]),
        ([push("a", f"{NEXT_DAY}T00:00"), push("c", f"{LATER}T00:00"), AFTERNOON], {}, ["ab", "c"]),
        ([push("a", "20:00"), push("c", f"{NEXT_DAY}T04:00")], GAPS, ["ac"]),
        ([push("a", "20:00"), push("c", f"{NEXT_DAY}T04:00:01")], GAPS, ["a", "c"]),
        ([push("a", "23:30"), push("c", f"{NEXT_DAY}T00:30")], DAYS, ["a", "c"]),
        ([push("a", "08:00"), push("c", "23:30"), AFTERNOON], DAYS, ["ac", "b"]),
        # One without a start goes with what it names, else with its neighbour in the chart.
        ([push("u"), push("a", "08:00"), AFTERNOON], {}, ["ua", "b"]),
        ([push("a", "08:00"), AFTERNOON, push("u")], {}, ["a", "bu"]),
        ([drip("a", "08:00", "09:00"), AFTERNOON, drip("u", continues="a")], {}, ["au", "b"]),
    ],
)
def test_a_chart_is_cut_into_its_encounters(
    charted: list[dict[str, Any]], policies: dict[str, Any], encounters: list[str]
) -> None:
    assert parts(*charted, policies=policies) == encounters


@pytest.mark.parametrize("setting", ["facility", "professional"])
def test_dates_are_those_of_the_place_and_not_of_the_offset(setting: str) -> None:
    """One date of UTC is two in New York: ten in the evening, and three in the afternoon."""
    abroad = [push("a", f"{NEXT_DAY}T03:00Z"), push("b", f"{NEXT_DAY}T20:00Z")]
    apart = check(*abroad, timezone="America/New_York", setting=setting)
    assert dated(apart) == [("96374", 1, DAY), ("96374", 1, NEXT_DAY)]
    local = [push("a", f"{DAY}T03:00Z"), push("b", "10:00")]
    for charted in (local, local[::-1]):
        assert len(parts(*charted, timezone="America/New_York", setting=setting)) == 2
    assert len(parts(*abroad, timezone="UTC", setting=setting)) == 1
    assert len(parts(*abroad, setting=setting)) == 1


@pytest.mark.parametrize(
    ("stay", "encounters"),
    [
        ({"start": f"{DAY}T08:00", "end": f"{NEXT_DAY}T09:00"}, 1),
        ({"start": f"{DAY}T08:01", "end": f"{NEXT_DAY}T09:00"}, 2),
        ({"start": f"{DAY}T08:00", "end": f"{NEXT_DAY}T08:59"}, 2),
        ({"start": f"{DAY}T07:00"}, 2),
        ({"lines": [line(1, "G0378", 24, date=DAY)]}, 1),
        # The hours of an observation may begin late on their day, and reach no further day than so.
        ({"lines": [line(1, "G0378", 20, date="2026-03-01")]}, 2),
        ({"lines": [line(1, "G0378", 24, date="2026-03-01")]}, 2),
        ({"lines": [line(1, "G0378", 25, date="2026-03-01")]}, 1),
        ({"lines": [line(1, "G0378", 20)]}, 1),
        ({"lines": [line(1, "00000", 20, date=DAY)]}, 2),
        ({"lines": [line(1, "G0378", 20, date=DAY)], "setting": "professional"}, 2),
    ],
)
def test_a_stay_that_covers_the_gap_joins_two_days(stay: dict[str, Any], encounters: int) -> None:
    pushes = [push("a", "08:00"), push("b", f"{NEXT_DAY}T09:00")]
    assert len(parts(*pushes, **stay)) == encounters


def test_a_claim_as_suggested_is_right_where_a_run_ends_at_midnight() -> None:
    codes = [("96365", DAY), ("96366", DAY), ("96374", NEXT_DAY)]
    lines = [line(n, code, date=day) for n, (code, day) in enumerate(codes, 1)]
    for setting in ("facility", "professional"):
        night = drip("a", "22:00", f"{NEXT_DAY}T00:00")
        result = check(night, AFTERNOON, lines=lines, setting=setting)
        assert [each.status for each in result.lines] == ["matched"] * 3
        assert "IVP101" not in {broken.rule for broken in result.violations}


def calendar(*charted: dict[str, Any], policies: Any = None, **facts: Any) -> Calendar:
    worked = work(*charted, policies=policies, **facts)
    derived = worked.derived
    return Calendar(worked.encounter, derived.administrations, worked.book, derived.zone)


def march(day: int) -> date:
    return date(2026, 3, day)


def test_days_of_a_claim_belong_to_the_encounters_of_the_chart() -> None:
    """The second is charted before the first, and that one from behind."""
    charted = [
        push("c", f"{LATER}T10:00"),
        push("u"),
        push("b", f"{NEXT_DAY}T04:00"),
        drip("a", "22:00", f"{NEXT_DAY}T01:00"),
    ]
    days = calendar(*charted)
    assert [days.part_on(march(day)) for day in (1, 2, 3, 4, 8, 9, 10)] == [
        *(None, 0, 0, None, None, 1, None)
    ]
    assert days.encounter_on(march(2)) == days.encounter_on(march(3)) != days.encounter_on(march(9))
    assert days.encounter_on(march(5)) == march(5)
    assert days.part_on(None) is None and days.encounter_on(None) is None


def test_a_long_run_that_began_before_others_ends_its_encounter() -> None:
    """A bag over midnight, and a push in its first hour: the day after is theirs too."""
    night = drip("a", "22:00", f"{NEXT_DAY}T01:00")
    days = calendar(night, push("b", "22:10"), push("c", f"{LATER}T10:00"))
    assert (days.part_on(march(3)), days.part_on(march(9))) == (0, 1)


def test_a_day_between_is_of_the_run_that_goes_on_and_not_of_what_began_within_it() -> None:
    """Where each date is one encounter, a bag of three days holds the day after the push too."""
    bag = drip("a", "20:00", "2026-03-05T08:00")
    by_day = {"encounter_boundary": "calendar_day"}
    days = calendar(bag, push("b", f"{NEXT_DAY}T10:00"), policies=by_day)
    assert days.part_on(march(2)) == days.part_on(march(4)) == days.part_on(march(5))


@pytest.mark.parametrize(
    ("observed", "hours", "part"),
    [(8, 20, 1), (8, 25, 1), (7, 20, None), (7, 24, None), (7, 25, 1), (9, 20, 1), (10, 20, None)],
)
def test_an_observation_that_meets_a_charted_encounter_is_the_same(
    observed: int, hours: int, part: int | None
) -> None:
    stay = line(1, "G0378", hours, date=march(observed).isoformat())
    days = calendar(push("a", "10:00"), push("b", f"{LATER}T10:00"), lines=[stay])
    kept = days.encounter_on(march(observed))
    assert kept == (march(observed) if part is None else part)
    assert days.encounter_on(march(observed + 1)) == kept
    assert days.encounter_on(None) is None
    if observed != 10:
        assert days.encounter_on(march(observed + 3)) == march(observed + 3)


def test_observations_are_one_encounter_where_they_share_a_day() -> None:
    """Of a claim whose lines are all dated otherwise than its encounter."""

    def apart(*days: int) -> bool:
        stays = [line(n, "G0378", 20, date=march(day).isoformat()) for n, day in enumerate(days, 1)]
        days_of = calendar(lines=stays, start=f"{LATER}T10:00", date="2026-03-01")
        first, last = (
            days_of.encounter_on(march(day + n)) for day, n in zip(days, (0, 1), strict=True)
        )
        return first != last

    assert not apart(4, 5)
    assert apart(4, 6)
    assert apart(9, 4)


def test_an_encounter_of_another_date_than_its_doses_has_those_of_the_doses() -> None:
    assert calendar(push("a", f"{NEXT_DAY}T10:00")).part_on(march(3)) == 0
    lines = [line(1, "96374", date=DAY), line(2, "96375", date=DAY)]
    worked = work(lines=lines)
    alone = worked.encounter.model_copy(update={"administrations": None})
    days = Calendar(alone, (), worked.book, None)
    assert days.part_on(march(2)) is None


def test_a_chart_without_times_is_of_the_day_of_its_encounter() -> None:
    lines = [line(1, "96374", date=DAY), line(2, "96374", date=LATER)]
    days = calendar(push("a"), lines=lines)
    assert (days.part_on(march(2)), days.part_on(march(9))) == (0, None)
    assert calendar(lines=lines).part_on(march(2)) is None

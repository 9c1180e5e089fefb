"""Where one encounter ends and the next begins, by chart and by claim."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ivpush import Engine, Result
from tests.shipped import ENGINE, PACK
from tests.visits import DAY, NEXT_DAY, billed, check, drip, line, push, visit

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

"""A drug line is held against the doses of its own encounter; a claim may hold several."""

from __future__ import annotations

from typing import Any

from ivpush import Result
from tests.visits import DAY, check, dose, line

WEEK_LATER = "2026-03-09"
OF_UNITS = {"IVP806", "IVP807", "IVP808"}


def given(key: str, day: str, drug: str, code: str | None, milligrams: int) -> dict[str, Any]:
    facts = {"drug": drug, "hcpcs": code, "dose": milligrams, "dose_unit": "mg", "method": "push"}
    return dose(key, f"{day}T10:00", None, **facts)


def about_drugs(result: Result) -> list[tuple[str, int | None]]:
    return [(each.rule, each.line) for each in result.violations if each.rule in OF_UNITS]


def test_units_of_a_dated_line_are_those_of_the_doses_of_its_date() -> None:
    doses = [
        given("a", DAY, "ondansetron", "J2405", 4),
        given("b", WEEK_LATER, "ondansetron", "J2405", 8),
    ]
    pushes = [line(1, "96374", date=DAY), line(2, "96374", date=WEEK_LATER)]
    drugs = [line(3, "J2405", 4, date=DAY), line(4, "J2405", 8, date=WEEK_LATER)]
    assert about_drugs(check(*doses, lines=[*pushes, *drugs])) == []
    all_on_the_first = [line(3, "J2405", 12, date=DAY)]
    assert about_drugs(check(*doses, lines=[*pushes, *all_on_the_first])) == [("IVP806", 3)]


def test_a_line_without_a_date_is_held_against_the_whole_chart() -> None:
    doses = [
        given("a", DAY, "ondansetron", "J2405", 4),
        given("b", WEEK_LATER, "ondansetron", "J2405", 8),
    ]
    lines = [line(1, "96374", date=DAY), line(2, "96374", date=WEEK_LATER), line(3, "J2405", 12)]
    assert about_drugs(check(*doses, lines=lines)) == []


def test_a_drug_that_is_not_read_leaves_open_only_what_its_own_date_bills() -> None:
    doses = [
        given("a", DAY, "zzyzx", None, 1),
        given("b", WEEK_LATER, "ondansetron", "J2405", 8),
    ]
    pushes = [line(1, "96374", date=DAY), line(2, "96374", date=WEEK_LATER)]
    for day, wrong in ((DAY, []), (WEEK_LATER, [("IVP808", 3)])):
        drugs = [line(3, "J1885", 2, date=day), line(4, "J2405", 8, date=WEEK_LATER)]
        assert about_drugs(check(*doses, lines=[*pushes, *drugs])) == wrong
